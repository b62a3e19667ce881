#!/usr/bin/env python3
"""Instructions of one malloc+free pair by callgrind, kept in golden_instructions.json.

  bench/golden_instructions.py            fails when ximalloc needs over 1 % more than the golden figure (exit 1)
  bench/golden_instructions.py --update   measures ximalloc, mimalloc and jemalloc, and writes the golden figures

A pair includes the loop and both calls through the PLT, alike for all. Callgrind repeats within 0.1 %. Exit 77: it cannot
be measured here.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).with_suffix(".json")
SIZES = (16, 64, 1024)
SHORT, LONG = 20_000, 220_000
TOLERANCE = 0.01
SKIPPED = 77


def libraries(release):
    system = Path("/usr/lib/x86_64-linux-gnu")
    return {
        "ximalloc": release / "lib/libximalloc.so",
        "mimalloc": system / "libmimalloc.so.2",
        "jemalloc": system / "libjemalloc.so.2",
    }


def instructions(program, library, size, operations):
    with tempfile.TemporaryDirectory() as scratch:
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={scratch}/out", program, f"pairs-{size}",
             str(operations)],
            env={"LD_PRELOAD": str(library), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not found:
        print(f"callgrind failed:\n{run.stderr}")
        sys.exit(SKIPPED if "valgrind:" in run.stderr else 1)
    return int(found.group(1))


def per_pair(program, library, size):
    """The difference of two lengths, so that start-up does not count."""
    both = [instructions(program, library, size, n) for n in (SHORT, LONG)]
    return round((both[1] - both[0]) / (LONG - SHORT), 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--release", type=Path, default=ROOT / "build/release", help="build folder of the release flavour")
    options = parser.parse_args()
    program = options.release / "bin/bench_workload"
    allocators = libraries(options.release)
    for needed in (program, allocators["ximalloc"], Path("/usr/bin/valgrind")):
        if not needed.exists():
            print(f"{needed} is not there")
            return SKIPPED
    if options.update:
        figures = {name: {f"pairs-{size}": per_pair(program, library, size) for size in SIZES}
                   for name, library in allocators.items() if library.exists()}
        GOLDEN.write_text(json.dumps(figures, indent=2) + "\n")
        print(json.dumps(figures, indent=2))
        return 0
    golden = json.loads(GOLDEN.read_text())["ximalloc"]
    status = 0
    for size in SIZES:
        name = f"pairs-{size}"
        now = per_pair(program, allocators["ximalloc"], size)
        print(f"{name}: {now} instructions, golden {golden[name]}")
        if now > golden[name] * (1 + TOLERANCE):
            print(f"{name} rose by over {TOLERANCE:.0%}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
