#!/usr/bin/env python3
"""What recording costs: how much slower a program gets, and how many bytes of trace a call into malloc takes.

Each run is a process of its own, and runs with and without the recorder take turns; shown are medians of elapsed time and of
processor time, which a loaded machine disturbs less. What a call is comes from replaying the trace once. Needs the release flavour (./assay build release); a program that is not
installed is left out, with a line that says so.
"""
import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from programs import programs

ROOT = Path(__file__).resolve().parent.parent


def processor_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def seconds(command, folder):
    """Elapsed and processor time of one run."""
    begin, begin_processor = time.monotonic(), processor_seconds()
    run = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"{' '.join(command)}: status {run.returncode}: {run.stderr}")
    return time.monotonic() - begin, processor_seconds() - begin_processor


def calls(tool, trace):
    run = subprocess.run([tool, "replay", "--json", "--flavour", "release", "--subject", "libc", trace], capture_output=True,
                         text=True, check=False)
    entry = json.loads(run.stdout)["files"][0]
    return entry["operations"] + entry["skipped"]


def measure(tool, command, folder, runs):
    trace = folder / "trace"
    recorded = [str(tool), "record", "-o", str(trace), "--", *command]
    plain, slow = [], []
    for _ in range(runs):
        plain.append(seconds(command, folder))
        slow.append(seconds(recorded, folder))
    count, size = calls(tool, trace), trace.stat().st_size
    (elapsed, processor), (slow_elapsed, slow_processor) = ([statistics.median(column) for column in zip(*samples)]
                                                            for samples in (plain, slow))
    return {"seconds": elapsed, "recorded_seconds": slow_elapsed, "cpu_seconds": processor,
            "recorded_cpu_seconds": slow_processor, "calls": count, "trace_bytes": size,
            "bytes_per_call": size / max(count, 1), "runs": runs}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--release", type=Path, default=ROOT / "build/release", help="build folder of the release flavour")
    parser.add_argument("--only", default="", help="programs, separated by commas")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tool = (options.release / "bin/assay").resolve()
    if not tool.exists():
        sys.exit(f"{tool} is not there: ./assay build release")
    os.environ.pop("LD_PRELOAD", None)
    rows = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for program, (kind, command) in programs(folder).items():
            if options.only and program not in options.only.split(","):
                continue
            if shutil.which(command[0]) is None:
                print(f"{program} is not installed, and left out", file=sys.stderr)
                continue
            rows[program] = {"kind": kind, **measure(tool, command, folder, options.runs)}
    if options.json:
        print(json.dumps(rows))
        return
    print(f"{'program':10}{'kind':26}{'s':>7}{'recorded':>10}{'':8}{'cpu s':>7}{'recorded':>10}{'':8}{'calls':>11}{'bytes':>12}{'a call':>8}")
    for program, row in rows.items():
        print(f"{program:10}{row['kind']:26}{row['seconds']:7.2f}{row['recorded_seconds']:10.2f}"
              f"{row['recorded_seconds'] / row['seconds']:7.2f}x{row['cpu_seconds']:7.2f}{row['recorded_cpu_seconds']:10.2f}"
              f"{row['recorded_cpu_seconds'] / row['cpu_seconds']:7.2f}x{row['calls']:11,}{row['trace_bytes']:12,}"
              f"{row['bytes_per_call']:8.2f}")


if __name__ == "__main__":
    main()
