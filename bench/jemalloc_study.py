#!/usr/bin/env python3
"""What jemalloc's settings do to two workloads of a trie library; jemalloc_study.c says which. docs/studies/jemalloc.md
has the tables that this prints: medians, each run a process of its own, the settings by turns.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JEMALLOC = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
CPUS = os.cpu_count() or 1
ARENAS = (1, CPUS, 4 * CPUS)
DECAY = (0, 10_000)


def run(program, settings, *arguments):
    environment = {"PATH": "/usr/bin:/bin", "LD_PRELOAD": JEMALLOC, "MALLOC_CONF": settings}
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        sys.exit(f"{settings}: status {done.returncode}, {done.stderr.strip()}")
    return json.loads(done.stdout)


def table(program, settings, runs, *arguments):
    rows = {setting: [] for setting in settings}
    for _ in range(runs):
        for setting in settings:
            rows[setting].append(run(program, setting, *arguments))
    columns = list(rows[settings[0]][0])
    print("| setting | " + " | ".join(column.replace("_", " ") for column in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for setting, measured in rows.items():
        cells = []
        for column in columns:
            values = [one[column] for one in measured]
            if isinstance(values[0], str):
                cells.append(values[0])
            else:
                median = statistics.median(values)
                cells.append(f"{median:,.0f}" if median >= 1000 else f"{median:.4g}")
        print(f"| `{setting}` | " + " | ".join(cells) + " |", flush=True)
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", default="1000")
    parser.add_argument("--rounds", default="5")
    options = parser.parse_args()
    if not os.access(JEMALLOC, os.R_OK):
        sys.exit(f"{JEMALLOC} is not installed")
    storm = [
        f"narenas:{arenas},tcache:{tcache},dirty_decay_ms:{decay}"
        for arenas in ARENAS
        for tcache in ("true", "false")
        for decay in DECAY
    ]
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "study")
        source = str(ROOT / "bench/jemalloc_study.c")
        subprocess.run(["cc", "-O2", source, "-o", program, "-lpthread"], check=True)
        table(program, storm, options.runs, "storm", options.threads, options.rounds)
        table(program, [f"narenas:1,dirty_decay_ms:{decay}" for decay in DECAY], options.runs, "arenas")


if __name__ == "__main__":
    main()
