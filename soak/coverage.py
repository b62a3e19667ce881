"""coverage.py DIR: what of the allocator's source the corpora of a campaign reach, and what no target does, as DIR/coverage.json.

Replays each program of the corpora, in each mode that its target runs in, with the flavour that counts lines (cov).
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import commands
from campaign import write_whole
from lanes import THREADED

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from unreached import for_programs, read_trace, sentence  # noqa: E402  pylint: disable=wrong-import-position

# As many programs at once as a command line holds without trouble.
AT_ONCE = 500


def ways(folder):
    """(mode, programs) for each corpus: those of the campaign, and those that it began with."""
    for target in sorted(path.name for path in (folder / "corpus").iterdir() if (commands.builds(ROOT) / "fuzz" / "corpus" / path.name).is_dir()):
        programs = [entry.path for place in (folder / "corpus" / target, commands.builds(ROOT) / "fuzz" / "corpus" / target) if place.is_dir()
                    for entry in os.scandir(place) if entry.is_file()]
        for mode in ("sequential", "free") if target in THREADED else ("sequential",):
            for first in range(0, len(programs), AT_ONCE):
                yield mode, programs[first:first + AT_ONCE]


def measure(folder):
    tool = commands.tool(ROOT, "cov")
    # The runner empties run/ before and after: what is killed here leaves nothing behind.
    (folder / "run").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="assay-coverage-", dir=folder / "run") as scratch:
        profile, trace = pathlib.Path(scratch) / "all.profdata", pathlib.Path(scratch) / "trace"
        for number, (mode, programs) in enumerate(ways(folder)):
            # %c: the counters lie in the file itself, since the process that runs a program ends without writing them.
            raw = pathlib.Path(scratch) / f"raw-{number}"
            raw.mkdir()
            subprocess.run([tool, "replay", *programs, "--flavour", "cov", "--subject", "ximalloc", "--mode", mode, "--json"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, env=dict(os.environ, LLVM_PROFILE_FILE=f"{raw}/%c%p.profraw"), check=False)
            before = [profile] if profile.exists() else []
            subprocess.run(["llvm-profdata-19", "merge", "--failure-mode=all", "-sparse", *before, *raw.iterdir(), "-o", profile], check=True,
                           stderr=subprocess.DEVNULL)
            # The files of a batch are many, and a campaign may not fill the disk.
            for file in raw.iterdir():
                file.unlink()
        with open(trace, "wb") as stream:
            subprocess.run(["llvm-cov-19", "export", "-format=lcov", f"-instr-profile={profile}", tool, ROOT / "allocator"], check=True, stdout=stream,
                           stderr=subprocess.DEVNULL)
        files = read_trace(trace)
    write_whole(folder / "coverage.json", json.dumps(for_programs(files)) + "\n")
    return files


if __name__ == "__main__":
    print(sentence(measure(pathlib.Path(sys.argv[1]).resolve())))
