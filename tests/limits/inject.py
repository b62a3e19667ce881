"""The sweep once more without a seam: strace lets system calls fail of programs that run on the library as it ships, each
call in turn from a marker on, once and from then on. A program must end as it can: contents right, NULL with ENOMEM, or
a failure of its own; never by a signal, but for an abort that it chooses itself.

usage: inject.py BUILD [TOOL]   BUILD: a release build; TOOL: an assay of a test flavour, whose seam's counts stand beside

With ASSAY_FULL=1 every call fails, else the first, the middle and the last of each kind. Threads besides the first count for
themselves in strace: what a later one does fails only if it makes as many calls."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CALLS = ("mmap", "munmap", "madvise", "mprotect", "process_madvise")
ERRORS = ("ENOMEM", "EAGAIN", "EPERM")
# perl is not among them: without memory for its error stream its own message of that calls itself until the stack ends.
BASH = """declare -A table
for ((i = 0; i < 3000; i++)); do table[$((i % 700))]+=$i; done 2>&1
list=(); for ((i = 0; i < 20000; i++)); do list+=("$i-$i"); done
echo "${#table[@]} ${#list[@]} ${table[7]:0:20} ${list[19999]}"
"""
PYTHON = """import sys
table = {i: str(i) * (i % 50) for i in range(30000)}
print(sum(map(len, table.values())), len(bytearray(5_000_000)), sorted(table)[:3])
"""


# No other mmap of such a program has this flag.
OF_LIBRARY = "MAP_NORESERVE"


class Subject:
    """A program; the calls count that it makes from the line of strace on that holds `marker`."""

    def __init__(self, name, words, marker, nulls_are_fine, purge_delay):
        self.name, self.words, self.marker = name, [str(word) for word in words], marker
        self.purge_delay = purge_delay  # at once, or when it is asked for: the clock must not decide how many calls there are
        self.nulls_are_fine = nulls_are_fine  # it survives any failure, with exit status 0


def traced(subject, library, log, *options):
    # The same addresses each time: whether a mapping comes aligned is a matter of where it lies.
    words = ["setarch", "-R", "strace", "-f", "-qq", "-o", log, "-E", f"LD_PRELOAD={library}",
             "-E", f"XIMALLOC_PURGE_DELAY={subject.purge_delay}", "-E", "PYTHONHASHSEED=0", *options, *subject.words]
    try:
        return subprocess.run(words, capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired as hung:
        return subprocess.CompletedProcess(words, None, hung.stdout or b"", hung.stderr or b"")


def count_calls(subject, library, log):
    """Output, and of each kind the calls before the marker and behind it."""
    done = traced(subject, library, log, "-e", "trace=" + ",".join((*CALLS, "openat", "getppid")))
    if done.returncode != 0:
        sys.exit(f"{subject.name} by itself: exit status {done.returncode}: {done.stderr.decode()}")
    before, behind, seen = dict.fromkeys(CALLS, 0), dict.fromkeys(CALLS, 0), False
    first = None
    for line in Path(log).read_text().splitlines():
        thread, call = line.split(None, 1)
        first = first or thread
        seen = seen or subject.marker in call
        kind = re.match(r"(\w+)\(", call)
        if thread == first and kind and kind[1] in CALLS:
            (behind if seen else before)[kind[1]] += 1
    if not seen:
        sys.exit(f"{subject.name} never comes to its marker")
    return done.stdout, before, behind


def fault(subject, done, expected):
    """What is wrong with how it ended, or nothing."""
    if done.returncode is None:
        return "it did not end"
    if done.returncode == 0:
        return "" if done.stdout == expected else "it printed something else"
    if done.returncode < 0 or done.returncode > 128:
        number = -done.returncode if done.returncode < 0 else done.returncode - 128
        if number == signal.SIGABRT and not subject.nulls_are_fine:
            return ""
        return f"signal {number}"
    return f"exit status {done.returncode}" if subject.nulls_are_fine else ""


def chosen(count, full):
    return range(1, count + 1) if full or count < 3 else (1, (count + 1) // 2, count)


def inject(subject, library, log, full):
    """(calls, points, how many of them came, how many ended with status 0, faults)"""
    expected, before, behind = count_calls(subject, library, log)
    points, came, well, faults = 0, 0, 0, []
    for call in CALLS:
        for nth in chosen(behind[call], full):
            for onwards in ("", "+"):
                error = ERRORS[points % len(ERRORS)]
                when = f"{call}:error={error}:when={before[call] + nth}{onwards}"
                done = traced(subject, library, log, "-e", f"trace={call}", "-e", f"inject={when}")
                points += 1
                well += done.returncode == 0
                if "INJECTED" in Path(log).read_text():
                    came += 1
                elif subject.nulls_are_fine:
                    faults.append(f"{subject.name}, {when}: nothing failed")
                what = fault(subject, done, expected)
                if what:
                    faults.append(f"{subject.name}, {when}: {what}: {done.stderr.decode(errors='replace').strip()}")
    return behind, points, came, well, faults


def seam_counts(tool):
    """How often each call comes at the seam while the same operations run in a test flavour."""
    words = [tool, "sweep", "--how", "once", "--json", ROOT / "tests/limits/exercise.ops"]
    answer = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    counts = dict.fromkeys(CALLS, 0)
    for site in answer["sites"]:
        if site["call"] in counts:
            counts[site["call"]] += site["points"]
    return counts


def main():
    build = Path(sys.argv[1]).resolve()
    library = build / "lib/libximalloc.so"
    full = os.environ.get("ASSAY_FULL") == "1"
    failed = 0
    with tempfile.TemporaryDirectory(prefix="assay-inject-") as name:
        folder = Path(name)
        files = {"lines": "".join(f"{i * 2654435761 % 1000003:07d}\n" for i in range(60_000)), "x.sh": BASH, "x.py": PYTHON}
        for file, text in files.items():
            (folder / file).write_text(text)
        subjects = [
            Subject("exercise", [build / "bin/limits_exercise"], "getppid(", True, 10**9),
            Subject("sort", ["sort", "-S", "4M", "-T", folder, "--parallel=1", folder / "lines"], OF_LIBRARY, False, 0),
            Subject("bash", ["bash", "--norc", folder / "x.sh"], OF_LIBRARY, False, 0),
            # From the opening of its file on: CPython 3.11 follows a null pointer when its first thread state has no memory.
            Subject("python3", [sys.executable, "-S", folder / "x.py"], "x.py", False, 0),
        ]
        for subject in subjects:
            counts, points, came, well, faults = inject(subject, library, str(folder / "log"), full)
            made = ", ".join(f"{call} {counts[call]}" for call in CALLS)
            print(f"{subject.name}: calls from the marker on: {made}; {points} points, {came} came, {well} runs ended well, "
                  f"{points - well - len(faults)} with an error of their own, {len(faults)} faults", flush=True)
            print("".join(f"  {line}\n" for line in faults), end="")
            failed += len(faults)
    if len(sys.argv) > 2:
        print("the same operations as exercise at the seam: " +
              ", ".join(f"{call} {count}" for call, count in seam_counts(sys.argv[2]).items()))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
