#!/usr/bin/env python3
"""measure_triage.py [--finds N] [--bug-seconds N] [--into FILE] [--table] [NAME…]: how well finds of one bug are put together, and of two are kept apart.

Each seeded bug of mutants/ that programs can show gets N finds: programs of the committed corpus that show it, drawn at random; when
there are no more, hunts, each from another random half of the corpus and with another seed. A find goes the way of a campaign's finds: made short, then plain, then grouped by the token and the shape of the
plain program. A line of JSON for each find is added to FILE (default: work/triage/finds.jsonl); a call takes up what is missing
there. A bug is looked for --bug-seconds at most (default 180) in a call, the making short not counted; what it has no finds of by then stands as not found. --table prints, from FILE alone, a row for each bug. Bugs that a unit test must catch have no program and no row.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from shape import shape_of, symptom_of
from triage import MINIMISE_SECONDS, PLAIN_SECONDS

ROOT = pathlib.Path(__file__).resolve().parent.parent
MUTANTS = ROOT / "build" / "mutants"
_EXPECT = re.compile(r"^# Expect: (?P<target>[a-z_]+)(?:@(?P<flavour>[a-z-]+))? (?P<hunter>[a-z]+) .*within=(?P<seconds>\d+)", re.M)
# Programs that are replayed in one call, and how many that show a bug are sought.
AT_ONCE, ENOUGH = 25, 5


def bugs():
    """Those that take longest are last: schedules, and after them what is seen by chance only, so that each step of making it short is a statistic."""
    return sorted(_bugs(), key=lambda bug: (bug[2] == "tsan", bug[3] == "explore", bug[2] != "fuzz", bug[4], bug[0]))


def _bugs():
    for patch in sorted((ROOT / "mutants").glob("*.patch")):
        match = _EXPECT.search(patch.read_text(encoding="utf-8"))
        if match["hunter"] != "test":
            yield patch.stem, match["target"], match["flavour"] or "fuzz", match["hunter"], int(match["seconds"])


def answer_of(words, limit):
    """The JSON object of a tool, or {} when it gave none in time."""
    try:
        done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT, timeout=limit, check=False)
        return json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return {}


def build(name):
    """The folder with the programs that have this bug in them. `assay mutants` builds them and then hunts, which is not waited for."""
    place = MUTANTS / name / "build" / "bin"
    if not (MUTANTS / name / "hunt").exists():
        words = [ROOT / "build" / "fuzz" / "bin" / "assay", "mutants", "--filter", name, "--seconds", "1"]
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, start_new_session=True) as process:
            while process.poll() is None and not (MUTANTS / name / "hunt").exists():
                time.sleep(0.2)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return place if (place / "assay").exists() else None


def half_of(files, seed):
    files = sorted(files)
    return random.Random(seed).sample(files, (len(files) + 1) // 2)


def committed(target):
    return sorted([*(ROOT / "corpus" / target).glob("*.ops"), *(ROOT / "corpus" / "regress" / target).glob("*.ops"),
                   *(ROOT / "fuzz" / target / "seeds").glob("*.ops")])


def showing(place, target, flavour, until):
    """Programs of the committed corpus that show the bug by themselves, in a random order; not all, if there are many or the time is over."""
    files = committed(target)
    random.Random(1).shuffle(files)
    # One whose planned failure never comes is refused, and everything beside it.
    alone = [file for file in files if "(fail:" in file.read_text(encoding="utf-8")]
    together = [file for file in files if file not in alone]
    shown = []
    for batch in [*(together[first:first + AT_ONCE] for first in range(0, len(together), AT_ONCE)), *([file] for file in alone)]:
        if len(shown) < ENOUGH and time.monotonic() < until:
            rows = answer_of([place / "assay", "replay", *batch, "--flavour", flavour, "--json"], 900).get("files", [])
            shown += [row["file"] for row in rows if row.get("oracle")]
    return shown


def drawn(place, target, flavour, until, seed, folder):
    """The seed-th of them, without what it says of other flavours; None when there are not so many."""
    cache = place.parent / "showing.json"
    if not cache.exists():
        cache.write_text(json.dumps(showing(place, target, flavour, until)), encoding="utf-8")
    files = json.loads(cache.read_text(encoding="utf-8"))
    if seed > len(files):
        return None
    find = folder / "find.ops"
    text = pathlib.Path(files[seed - 1]).read_text(encoding="utf-8")
    find.write_text("".join(line for line in text.splitlines(keepends=True) if not line.startswith(("flavour:", "expect:", "subject:"))), encoding="utf-8")
    return find


def fuzzed(place, target, flavour, seconds, seed, folder):
    """A program that an engine found, as bytes."""
    seeds, finds, corpus = folder / "seeds", folder / "finds", folder / "corpus"
    for new in (seeds, finds, corpus):
        new.mkdir()
    for file in half_of((ROOT / "build" / flavour / "corpus" / target).iterdir(), seed):
        shutil.copy(file, seeds)
    words = [place / target, corpus, seeds, f"-max_total_time={seconds}", f"-seed={seed}", f"-artifact_prefix={finds}/", "-timeout=10",
             "-rss_limit_mb=4096", "-detect_leaks=0"]
    try:
        subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, timeout=seconds + 60, check=False)
    except subprocess.TimeoutExpired:
        pass
    return next(iter(sorted(finds.iterdir())), None)


def searched(place, target, flavour, hunter, seconds, until, seed, folder):
    """A program that shows the bug when one of its calls fails, or under one of its schedules."""
    files = committed(target)
    random.Random(seed).shuffle(files)
    for file in files:
        left = until - time.monotonic()
        if left <= 0:
            break
        copy = folder / file.name
        shutil.copy(file, copy)
        words = [place / "assay", hunter, copy, "--flavour", flavour, "--seed", seed, "--json"]
        answer = answer_of(words + (["--bound", 1] if hunter == "explore" else []), min(seconds, left))
        for row in answer.get("files", []):
            if row.get("violations", 0) and row.get("output"):
                find = folder / "find.ops"
                shutil.copy(row["output"], find)
                return find
    return None


def find_of(bug, seed, left):
    """A dict for the record: what was found with that seed in the seconds that are left for the bug, and what became of it."""
    name, target, flavour, hunter, seconds = bug
    row = {"bug": name, "seed": seed, "token": "", "shape": "", "operations": None, "text": "", "first_token": "", "first_text": "", "seconds": 0.0, "looked": 0.0}
    place = build(name)
    if place is None:
        return row
    begin = time.monotonic()
    until = begin + left
    with tempfile.TemporaryDirectory(prefix="assay-triage-") as scratch:
        folder = pathlib.Path(scratch)
        if hunter == "fuzz":
            find = drawn(place, target, flavour, until, seed, folder) if target != "mt_ops" else None
            hunting = int(min(seconds, until - time.monotonic()))
            find = find or (fuzzed(place, target, flavour, hunting, seed, folder) if hunting > 0 else None)
        else:
            find = searched(place, target, flavour, hunter, seconds, until, seed, folder)
        row["looked"] = time.monotonic() - begin
        if find is None:
            return row
        short, plain = folder / "short.ops", folder / "plain.ops"
        begin = time.monotonic()
        where = ["--flavour", flavour, *(["--mode", "free"] if flavour == "tsan" and hunter == "fuzz" else [])]
        minimise = [place / "assay", "minimize", "--json", *where]
        answer = answer_of([*minimise, find, "-o", short, "--seconds", MINIMISE_SECONDS], MINIMISE_SECONDS + 240)
        row["token"] = row["first_token"] = answer.get("token") or ""
        if short.exists():
            row["text"] = row["first_text"] = short.read_text(encoding="utf-8")
            row["operations"] = answer.get("operations_after")
            answer = answer_of([*minimise, short, "-o", plain, "--seconds", PLAIN_SECONDS, "--any"], PLAIN_SECONDS + 240)
        if plain.exists():
            row["token"], row["text"] = answer["token"], plain.read_text(encoding="utf-8")
        row["seconds"] = time.monotonic() - begin
    return row


def read_rows(path):
    """The shape is taken anew, so that a change of it can be judged without another hunt."""
    if not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    for row in rows:
        row["shape"] = shape_of(row["text"]) if row["text"] else ""
    return rows


def table(rows):
    """Markdown, and a sentence with the figures that count."""
    groups, finds = {}, {}
    for row in rows:
        finds.setdefault(row["bug"], []).append(row)
        if row["text"]:
            groups.setdefault((symptom_of(row["token"]), row["shape"]), set()).add(row["bug"])
    lines = ["| bug | finds | groups | shared with | the commonest group |", "|---|---|---|---|---|"]
    alone = total = judged = 0
    for bug, hunts in sorted(finds.items()):
        short = [row for row in hunts if row["text"]]
        keys = [(symptom_of(row["token"]), row["shape"]) for row in short]
        others = sorted(set().union(*(groups[key] for key in keys)) - {bug}) if keys else []
        if keys:
            judged, total, alone = judged + 1, total + len(set(keys)), alone + (not others)
            first = max(keys, key=keys.count)
        lines.append(f"| `{bug}` | {len(short)} of {len(hunts)} | {len(set(keys)) if keys else '-'} | {', '.join(f'`{other}`' for other in others)} | "
                     + (f"`{first[0]}` {first[1][:90]}" if keys else "") + " |")
    lines += ["", f"{judged} bugs with {sum(1 for row in rows if row['text'])} finds: {total / max(judged, 1):.2f} groups a bug; {alone} of them "
              f"({100 * alone / max(judged, 1):.0f} %) share none with another bug."]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--finds", type=int, default=5)
    parser.add_argument("--bug-seconds", type=float, default=180.0)
    parser.add_argument("--into", type=pathlib.Path, default=ROOT / "work" / "triage" / "finds.jsonl")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--half", type=int, choices=(0, 1), help="only every second bug, for two calls beside each other")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if not options.table:
        options.into.parent.mkdir(parents=True, exist_ok=True)
        done = {(row["bug"], row["seed"]) for row in read_rows(options.into)}
        for number, bug in enumerate(bugs()):
            if (options.half is not None and number % 2 != options.half) or (options.names and bug[0] not in options.names):
                continue
            left = options.bug_seconds
            for seed in range(1, options.finds + 1):
                if (bug[0], seed) in done:
                    continue
                row = find_of(bug, seed, left)
                left -= row["looked"]
                with open(options.into, "a", encoding="utf-8") as stream:
                    stream.write(json.dumps(row) + "\n")
                print(f"{row['bug']} {seed}: {row['token'] or 'nothing found'}, {row['operations']} operations; {row['looked']:.0f} s to find, {row['seconds']:.0f} s to make short", file=sys.stderr, flush=True)
    print(table(read_rows(options.into)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
