"""Every workload as a long run of real threads that go as they come, each block checked: `free_runs_test.py ASSAY [NAME…]`.

Under ThreadSanitizer, for which the flavour tsan is there, a race is a violation too; nothing is suppressed.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

# Threads and rounds, for about 200,000 operations each; a thousand threads at a time broke an allocator once.
SIZES = {
    "trie_storm": (1000, 10), "cow_trie": (8, 3000), "bucketed_intern": (8, 6000), "bulk_two_phase": (8, 200),
    "larson": (8, 300), "xmalloc": (8, 1500), "cache_scratch": (8, 8000), "mstress": (32, 150), "pairs": (8, 12000),
    "mixed": (8, 12000), "xpipe": (8, 20000), "xring": (8, 3000), "swiss_cheese": (4, 10),
}
LIMIT_SECONDS = 1800


def run(assay, *arguments, environment=None):
    return subprocess.run([assay, *arguments], capture_output=True, text=True, timeout=LIMIT_SECONDS, env=environment)


def long_run(assay, name, folder):
    """What the replay of the workload says, and how long it took."""
    threads, rounds = SIZES[name]
    file = folder / f"{name}.ops"
    made = run(assay, "generate", name, "--threads", str(threads), "--rounds", str(rounds), "--mode", "free", "-o", str(file))
    if made.returncode != 0:
        sys.exit(f"{name}: {made.stderr}")
    # Whoever runs this may have asked for suppressions.
    environment = {key: value for key, value in os.environ.items() if key != "TSAN_OPTIONS"}
    start = time.monotonic()
    done = run(assay, "replay", str(file), "--json", environment={**environment, "ASSAY_ROOT": str(folder)})
    answer = json.loads(done.stdout)
    return answer["files"][0] if answer.get("files") else answer, answer["flavour"], time.monotonic() - start, done


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    names = sys.argv[2:] or list(SIZES)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="assay-free-") as name_of_folder:
        for name in names:
            row, flavour, seconds, done = long_run(sys.argv[1], name, pathlib.Path(name_of_folder))
            clean = done.returncode == 0 and row["verdict"] == "clean" and row["skipped"] == 0
            print(f"{name}: {SIZES[name][0]} threads, {row.get('operations')} operations, {row['verdict']}, "
                  f"{row.get('skipped')} skipped, {seconds:.0f} s, {flavour}", flush=True)
            if not clean:
                failed += 1
                print(done.stdout, done.stderr, sep="\n", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
