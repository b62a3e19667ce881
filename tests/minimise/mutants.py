#!/usr/bin/env python3
"""Minimises what `./assay mutants` has found, with each mutant's own tool (which has that allocator in it).

usage: mutants.py [--folder build/mutants] [--keep DIR] [NAME…]
Prints a row for each mutant; exit status 1 when a token was lost. With --keep, writes the minimal programs there as
regression files for the allocator without the bug: `expect: clean`."""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tool(binary, *words):
    result = subprocess.run([binary, *words, "--json"], capture_output=True, text=True, check=False, cwd=ROOT, timeout=900)
    return json.loads(result.stdout)


def artifact_of(folder):
    finds = sorted((folder / "hunt" / "finds").glob("*"))
    return finds[0] if finds else None


def as_regression(name, token, text):
    """The program of a mutant, for the allocator without it."""
    lines = [line for line in text.splitlines() if not line.startswith(("#", "expect:", "flavour:", "mode:"))]
    body = [line for line in lines[1:] if not line.startswith("subject:")]
    return "\n".join([lines[0], f"# Shows {token} on the mutant {name}.", "subject: ximalloc", "expect: clean", *body]) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", default=str(ROOT / "build" / "mutants"))
    parser.add_argument("--keep")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    after, seconds, lost = [], [], 0
    for folder in sorted(Path(arguments.folder).iterdir()):
        binary, artifact = folder / "build" / "bin" / "assay", artifact_of(folder)
        if not binary.exists() or artifact is None or (arguments.names and folder.name not in arguments.names):
            continue
        with tempfile.TemporaryDirectory() as text:
            output = Path(text) / "minimal.ops"
            start = time.monotonic()
            answer = tool(binary, "minimize", str(artifact), "-o", str(output))
            took = time.monotonic() - start
            if not output.exists():
                print(f"{folder.name:24} {answer['message']}", flush=True)
                continue
            row = tool(binary, "replay", str(output), "--repeat", "3")["files"][0]
            kept = row["token"] == answer["token"] and row["times_seen"] == row["times_run"]
            lost += not kept
            after.append(answer["operations_after"])
            seconds.append(took)
            print(f"{folder.name:24} {answer['operations_before']:5} -> {answer['operations_after']:3} operations, "
                  f"{took:6.1f} s, token {'kept' if kept else 'LOST'}, {answer['token']}", flush=True)
            if arguments.keep:
                target = Path(arguments.keep) / f"{folder.name}.ops"
                target.write_text(as_regression(folder.name, answer["token"], output.read_text()), encoding="utf-8")
    if not after:
        sys.exit("nothing to minimise: run ./assay mutants first")
    ordered = sorted(after)
    print(f"{len(after)} mutants: median {statistics.median(after):g} operations, 95th percentile "
          f"{ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]}; longest {max(seconds):.1f} s")
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
