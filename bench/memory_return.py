#!/usr/bin/env python3
"""Resident memory after a program has freed what it had, for each allocator of this machine; memory_return.c says how.

Each run is a process of its own, and the allocators take turns. Shown is the median in MiB, with the smallest and the
largest. Needs the release flavour (./assay build release).
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SYSTEM = Path("/usr/lib/x86_64-linux-gnu")
SCENARIOS = ("all", "threads", "most")


def resident_mib(program, library, variables, arguments):
    environment = {"PATH": "/usr/bin:/bin", **variables}
    if library:
        environment["LD_PRELOAD"] = str(library)
    run = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=True)
    if run.stderr:
        sys.exit(f"{library}: {run.stderr}")
    return int(run.stdout) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--release", type=Path, default=ROOT / "build/release", help="build folder of the release flavour")
    parser.add_argument("--sizes", choices=("log", "uniform"), default="log")
    parser.add_argument("--light", choices=("mixed", "pairs", "none"), default="mixed")
    parser.add_argument("--only", default="", help="allocators, separated by commas")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    program = options.release / "bin/bench_memory_return"
    ours = options.release / "lib/libximalloc.so"
    candidates = {
        "ximalloc": (ours, {}),
        "mimalloc": (SYSTEM / "libmimalloc.so.2", {}),
        "jemalloc": (SYSTEM / "libjemalloc.so.2", {}),
        "glibc": (None, {}),
    }
    for needed in (program, ours):
        if not needed.exists():
            sys.exit(f"{needed} is not there: ./assay build release")
    chosen = {name: row for name, row in candidates.items()
              if (not options.only or name in options.only.split(",")) and (row[0] is None or row[0].exists())}
    os.environ.pop("LD_PRELOAD", None)
    samples = {(scenario, name): [] for scenario in SCENARIOS for name in chosen}
    for _ in range(options.runs):
        for scenario in SCENARIOS:
            for name, (library, variables) in chosen.items():
                arguments = (scenario, options.sizes, options.light)
                samples[scenario, name].append(resident_mib(program, library, variables, arguments))
    if options.json:
        print(json.dumps({scenario: {name: samples[scenario, name] for name in chosen} for scenario in SCENARIOS}))
        return
    print(f"{'MiB':10}" + "".join(f"{name:>24}" for name in chosen))
    for scenario in SCENARIOS:
        row = [samples[scenario, name] for name in chosen]
        print(f"{scenario:10}" + "".join(f"{statistics.median(s):10.1f} ({min(s):5.1f}-{max(s):5.1f})" for s in row))


if __name__ == "__main__":
    main()
