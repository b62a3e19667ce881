"""The corpus under valgrind's memcheck: what the allocator reads must have been written, by it or by a caller whose block
is still live. A few programs every time, all of them with `./assay test --full`.

usage: memcheck_test.py RUNNER LIBRARY_FOLDER"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = 77
CONTROL = "p0..p9 = malloc(40)\nfree(p0..p9)\np10 = calloc(3, 100)\np10 = realloc(p10, 5000)\nfree(p10)\n"
SHARE = 40  # one program in so many, when not all are asked for


def programs():
    files = sorted(f for folder in ("corpus/alloc_ops", "corpus/regress/alloc_ops", "corpus/regress/sweep", "fuzz/alloc_ops/seeds",
                                    "fuzz/mt_ops/seeds") for f in (ROOT / folder).glob("*.ops"))
    return files if os.environ.get("ASSAY_FULL") == "1" else files[::SHARE]


def memcheck(runner, subject, files):
    with tempfile.TemporaryDirectory() as logs:
        # A forked child reports through its status: memcheck changes that of one which had errors.
        words = ["valgrind", "--quiet", "--error-exitcode=99", "--soname-synonyms=somalloc=nouserintercepts", f"--log-file={logs}/%p", runner, subject, *map(str, files)]
        run = subprocess.run(words, capture_output=True, text=True, check=False)
        objections = "".join(log.read_text() for log in sorted(Path(logs).iterdir()))
    return run.returncode, run.stdout + run.stderr + objections


def main():
    runner, libraries = sys.argv[1], Path(sys.argv[2])
    if shutil.which("valgrind") is None:
        sys.exit(SKIPPED)
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        control = Path(folder) / "control.ops"
        control.write_text("assay 1\n" + CONTROL)
        status, text = memcheck(runner, str(libraries / "libfaulty_reads_freed.so"), [control])
        if status == 0 or "control.ops: memcheck objects" not in text or "depends on uninitialised" not in text:
            failed.append(f"an allocator that reads what callers left behind was not caught: {status}\n{text}")
        status, text = memcheck(runner, str(libraries / "libtoy_malloc.so"), [control])
        if status != 0:
            failed.append(f"an allocator without fault was accused: {status}\n{text}")
    status, text = memcheck(runner, "ximalloc", programs())
    print(text)
    if status != 0:
        failed.append(f"ximalloc: status {status}")
    print("\n".join(failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
