"""Every program in corpus/regress shows what its `expect:` line says, on the subject that it names, in fresh processes.

usage: regress_test.py TOOL [FILE…]"""
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def header(path, key):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(key + ":"):
            return line.split(":", 1)[1].split("#")[0].strip()
    return None


def main():
    tool = sys.argv[1]
    own_flavour = header_flavour(tool)
    tool_of_schedules = Path(tool).resolve().parents[2] / "sched" / "bin" / "assay"
    files = [Path(name) for name in sys.argv[2:]] or sorted((ROOT / "corpus" / "regress").rglob("*.ops"))
    failed = skipped = 0
    for path in files:
        expected = header(path, "expect")
        if expected is None:
            print(f"{path}: has no expect: line")
            failed += 1
            continue
        # Whatever flavour found it, this build's must see the same; but schedules of accesses are seen in one only.
        flavour = "sched" if re.search(r"^\w+\(t\d+, op \d+, access ", path.read_text(encoding="utf-8"), re.M) else own_flavour
        if flavour == "sched" and not tool_of_schedules.exists():
            skipped += 1
            continue
        replayer = tool if flavour == own_flavour else str(tool_of_schedules)
        words = [replayer, "replay", str(path), "--repeat", "3", "--flavour", flavour, "--json"]
        result = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
        try:
            row = json.loads(result.stdout)["files"][0]
        except (json.JSONDecodeError, KeyError, IndexError):
            print(f"{path}: no verdict: {result.stderr.strip()}")
            failed += 1
            continue
        seen = row["token"] or "clean"
        if seen != expected or (expected != "clean" and row["times_seen"] != row["times_run"]):
            print(f"{path}: expected {expected}, saw {seen} in {row['times_seen']} of {row['times_run']} runs")
            failed += 1
    skips = f", {skipped} skipped: the flavour sched is not built" if skipped else ""
    print(f"{len(files) - failed - skipped} of {len(files)} regression files as expected{skips}")
    sys.exit(1 if failed else 0)


def header_flavour(tool):
    answer = subprocess.run([tool, "subjects", "--json"], capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)["flavour"]


if __name__ == "__main__":
    main()
