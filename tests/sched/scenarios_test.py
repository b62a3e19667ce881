"""Every scenario of corpus/regress/sched, explored: with one preemption, or two (and by PCT) in a full test.

usage: scenarios_test.py TOOL [--table]"""
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "corpus" / "regress" / "sched"
MAX_BOUND_2 = 200_000  # schedules; what has more is not exhausted within the time of a test


def explore(tool, files, *options):
    words = [tool, "explore", "--json", *options, *map(str, files)]
    result = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    try:
        return json.loads(result.stdout)["files"], result.stderr
    except (json.JSONDecodeError, KeyError):
        sys.exit(f"{' '.join(words[:4])}: status {result.returncode}: {result.stderr.strip()}")


def main():
    tool = sys.argv[1]
    full = os.environ.get("ASSAY_FULL") == "1"
    files = sorted(SCENARIOS.glob("*.ops"))
    searches = [("--bound", "1")]
    if full:
        searches += [("--bound", "2", "--runs", str(MAX_BOUND_2)), ("--strategy", "pct", "--runs", "2000"),
                     ("--strategy", "random", "--runs", "2000")]
    failed = 0
    print("| scenario | search | schedules | choice points | all |")
    print("|---|---|---|---|---|")
    for search in searches:
        rows, text = explore(tool, files, *search)
        for row in rows:
            name = Path(row["file"]).stem
            print(f"| {name} | {' '.join(search)} | {row['schedules']} | {row['choice_points']} | "
                  f"{'yes' if row['exhausted'] else 'no'} |")
            if row["violations"]:
                failed += 1
                print(f"FAILED {name}: see {row['output']}\n{text}")
            elif search == ("--bound", "1") and not row["exhausted"]:
                failed += 1
                print(f"FAILED {name}: not all schedules of bound 1 were tried")
            elif row["schedules"] < 3:
                failed += 1
                print(f"FAILED {name}: {row['schedules']} schedules: nothing in it meets")
    if len(files) < 24:
        failed += 1
        print(f"FAILED: {len(files)} scenarios")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
