#!/usr/bin/env python3
"""What real programs need under each allocator of this machine, preloaded: processor time and peak memory.

Each run is a process of its own, and the allocators take turns; shown are medians, with the quartiles of the processor time,
which a loaded machine disturbs less than elapsed time. Needs the release flavour (./assay build release); a program that is
not installed is left out, with a line that says so.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from programs import programs

ROOT = Path(__file__).resolve().parent.parent
SYSTEM = Path("/usr/lib/x86_64-linux-gnu")


def installed(release):
    """The library of each allocator that is here; libc needs none."""
    files = {"ximalloc": release / "lib/libximalloc.so", "libc": None, "mimalloc": SYSTEM / "libmimalloc.so.2",
             "jemalloc": SYSTEM / "libjemalloc.so.2", "tcmalloc": SYSTEM / "libtcmalloc_minimal.so.4"}
    return {name: file for name, file in files.items() if file is None or file.exists()}


def run_once(command, library, folder):
    """Processor seconds, and the peak in MiB of its largest process."""
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    # Python's own pools would keep most of its blocks from the allocator.
    environment["PYTHONMALLOC"] = "malloc"
    if library:
        environment["LD_PRELOAD"] = str(library)
    # The kernel's peak of a child begins at what its parent had resident: time(1) is small, this process is not.
    figures = folder / "figures"
    run = subprocess.run(["/usr/bin/time", "-f", "%U %S %M", "-o", figures, *command], cwd=folder, env=environment,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    # The loader goes on without a library that it cannot use, and libc would be measured in its name.
    if run.returncode != 0 or "cannot be preloaded" in run.stderr:
        sys.exit(f"{' '.join(command)} under {library}: status {run.returncode}: {run.stderr}")
    user, system, peak = figures.read_text().split()
    return float(user) + float(system), float(peak) / 1024


def measure(command, libraries, folder, runs):
    samples = {name: [] for name in libraries}
    for _ in range(runs):
        for name, library in libraries.items():
            samples[name].append(run_once(command, library, folder))
    row = {}
    for name, both in samples.items():
        seconds, peaks = zip(*both)
        low, middle, high = statistics.quantiles(seconds, n=4, method="inclusive") if runs > 1 else seconds * 3
        row[name] = {"cpu_seconds": middle, "cpu_seconds_p25": low, "cpu_seconds_p75": high,
                     "peak_mib": statistics.median(peaks), "runs": runs}
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--scale", type=int, default=4, help="how much more than the shortest input")
    parser.add_argument("--release", type=Path, default=ROOT / "build/release", help="build folder of the release flavour")
    parser.add_argument("--only", default="", help="programs, separated by commas")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    libraries = installed(options.release.resolve())
    if "ximalloc" not in libraries:
        print(f"{options.release}/lib/libximalloc.so is not there: ./assay build release", file=sys.stderr)
        sys.exit(2)
    rows = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        known = programs(folder, options.scale)
        chosen = options.only.split(",") if options.only else known
        for program in chosen:
            if program not in known:
                print(f"unknown program '{program}' (here: {' '.join(known)})", file=sys.stderr)
                sys.exit(2)
            kind, command = known[program]
            if shutil.which(command[0]) is None:
                print(f"{program} is not installed, and left out", file=sys.stderr)
                continue
            rows[program] = {"kind": kind, "allocators": measure(command, libraries, folder, options.runs)}
    if options.json:
        print(json.dumps(rows))
        return
    print(f"{'program':10}{'allocator':10}{'cpu s':>8}{'quartiles':>18}{'peak MiB':>10}")
    for program, row in rows.items():
        for name, figures in row["allocators"].items():
            quartiles = f"{figures['cpu_seconds_p25']:.3f} to {figures['cpu_seconds_p75']:.3f}"
            print(f"{program:10}{name:10}{figures['cpu_seconds']:8.3f}{quartiles:>18}{figures['peak_mib']:10.1f}")


if __name__ == "__main__":
    main()
