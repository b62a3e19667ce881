"""What a lane, a triage step and the canary run."""

import os
import pathlib
import random
import shutil
import sys

import survival
from lanes import THREADED

FORKS = 100
# A sweep fails each system call of a program in turn, an exploration runs it some hundred times: so many at once, and of such
# a size at most, that a slice mostly sees the end of it.
SWEPT_FILES, SWEPT_BYTES, EXPLORED_FILES, EXPLORED_BYTES, EXPLORED_RUNS = 1, 512, 8, 4096, 300
# A slice that lasts so much longer than it was given hangs by itself.
GRACE = 90


def environment(folder):
    """The campaign's own folder is where the tools keep corpora and findings."""
    return {"ASSAY_WORK": str(folder)}


def builds(root):
    """Where the flavours are built; elsewhere for a test that hunts a mutant."""
    return pathlib.Path(os.environ.get("ASSAY_BUILDS") or pathlib.Path(root) / "build")


def tool(root, flavour):
    return builds(root) / flavour / "bin" / "assay"


def programs_of(folder, root, target, count, most_bytes):
    """Some programs at random: of the corpus that grew, and of the committed one."""
    files = []
    for place in (pathlib.Path(folder) / "corpus" / target, builds(root) / "fuzz" / "corpus" / target):
        if place.is_dir():
            files += [entry.path for entry in os.scandir(place) if entry.is_file() and entry.stat().st_size <= most_bytes]
    return random.sample(files, min(count, len(files)))


def held(files, place):
    """The same programs in a folder of the lane's own: an engine takes files of the corpus away while it runs."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    kept = []
    for file in map(pathlib.Path, files):
        try:
            kept.append(shutil.copyfile(file, place / file.name))
        except FileNotFoundError:
            continue
    return kept


def lane_command(lane, root, folder, seconds):
    """The words to run, or None where the lane has nothing to do yet."""
    # What is linked into no target is hunted from a target of flavour fuzz.
    flavour = "fuzz" if lane.subject else lane.flavour
    assay = tool(root, flavour)
    if lane.hunter == "fuzz":
        subject = ["--subject", lane.subject] if lane.subject else []
        return [assay, "fuzz", lane.target, "--flavour", flavour, "--mode", lane.mode, *subject, "--seconds", seconds, "--keep-going", "--json"]
    if lane.hunter == "forks":
        # The shipped fork handlers under load, again and again; each child does everything that an allocator does.
        repeats = -(-FORKS // 15)
        return [assay.parent / "ximalloc_tests", "--gtest_filter=ProcessTest.ForkUnderLoad", f"--gtest_repeat={repeats}", "--gtest_break_on_failure"]
    if lane.hunter == "mutants":
        mutant = survival.next_mutant(pathlib.Path(root), pathlib.Path(folder), lambda flavour: tool(root, flavour).exists())
        return mutant and [assay, "mutants", "--filter", mutant, "--seed", random.getrandbits(31) | 1, "--hunt-only", "--json"]
    count, most_bytes = (SWEPT_FILES, SWEPT_BYTES) if lane.hunter == "sweep" else (EXPLORED_FILES, EXPLORED_BYTES)
    files = held(programs_of(folder, root, lane.target, count, most_bytes), pathlib.Path(folder) / "run" / f"held-{lane.name}")
    if not files:
        return None
    if lane.hunter == "sweep":
        return [assay, "sweep", *files, "--flavour", lane.flavour, "--json"]
    return [assay, "explore", *files, "--flavour", lane.flavour, "--strategy", "pct", "--runs", EXPLORED_RUNS, "--seed", random.getrandbits(31), "--json"]


def merge_commands(root, corpus, lane, fresh):
    """The corpus made small: all that any way to run it adds is kept. Each command adds to `fresh`."""
    ways = [("fuzz", "sequential")]
    if lane.target in THREADED and not lane.subject:
        ways.append(("fuzz-sched", "schedule"))
    for flavour, mode in ways:
        binary = builds(root) / flavour / "bin" / lane.target
        if binary.exists():
            words = [binary, "-merge=1", "-detect_leaks=0", "-timeout=15", "-rss_limit_mb=4096", *([] if lane.subject else ["-use_counters=0"]), fresh, corpus]
            yield words, {"ASSAY_MODE": mode, **({"ASSAY_SUBJECT": lane.subject} if lane.subject else {})}


def minimise_command(root, program, output, seconds, *options):
    return [tool(root, "fuzz"), "minimize", program, "-o", output, "--seconds", seconds, *options, "--json"]


def export_command(root, program, output):
    return [tool(root, "fuzz"), "export-c", program, "-o", output, "--json"]


def canary_command(root, seconds, programs, seed):
    return [tool(root, "fuzz"), "mutants", "--filter", "canary", "--seconds", seconds, "--programs", programs, "--seed", seed, "--json"]


def coverage_command(folder):
    return [sys.executable, pathlib.Path(__file__).with_name("coverage.py"), folder]


def regressions_command(root):
    files = sorted((pathlib.Path(root) / "corpus" / "regress").glob("*/*.ops"))
    return [tool(root, "fuzz"), "replay", *[file for file in files if file.parent.name not in ("sched",)], "--json"]
