#!/usr/bin/env python3
"""Stands in for `assay` where the runner is tested: what it answers is told by files in the folder PLAN of the environment.

    hunts       `fuzz` goes on until its time is over, writing a program every 50 ms; with the file `finds`, it ends with a find
    canary      `mutants` kills the canary, unless the file `survives` is there; with `busy`, it comes to ten programs only
    slow        `mutants` and `replay` take a minute
    others      answer at once that nothing was found
"""

import json
import os
import pathlib
import signal
import sys
import time

PLAN = pathlib.Path(os.environ["PLAN"])
WORK = pathlib.Path(os.environ.get("ASSAY_WORK", "."))
PROGRAM = "assay 1\nexpect: contents-realloc--\np0 = malloc(20000)\np0 = realloc(p0, 40000)\n"


def planned(name):
    return (PLAN / name).exists()


def option(name, default=None):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def fuzz():
    target = sys.argv[2]
    corpus, findings = WORK / "corpus" / target, WORK / "findings"
    corpus.mkdir(parents=True, exist_ok=True)
    ended = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.append(1))
    end, programs = time.monotonic() + float(option("--seconds")), 0
    while not ended and time.monotonic() < end and not planned("die"):
        try:
            (corpus / f"{os.getpid()}-{programs}").write_bytes(os.urandom(64))
        except OSError:
            pass
        programs += 1
        time.sleep(0.05)
    if planned("die"):
        sys.exit("killed by the plan")
    found = []
    if planned("finds"):
        findings.mkdir(exist_ok=True)
        text = findings / f"{target}-contents-realloc--.ops"
        text.write_text(PROGRAM, encoding="utf-8")
        found = [{"file": str(text), "text": str(text), "token": "contents-realloc--", "oracle": "contents", "times_seen": 3, "times_run": 3}]
    return {"verdict": "violation" if found else "clean", "findings": found,
            "targets": [{"name": target, "edges": 100, "corpus_files": len(list(corpus.iterdir())), "programs_per_second": 20.0, "programs": programs}]}


def minimize():
    output = pathlib.Path(option("-o"))
    output.write_text(PROGRAM, encoding="utf-8")
    return {"verdict": "clean", "token": "contents-realloc--", "operations_before": 9, "operations_after": 2, "output": str(output)}


def mutants():
    killed = not planned("survives")
    programs = 10 if killed or planned("busy") else int(option("--programs", 10))
    return {"verdict": "clean", "message": f"{int(killed)} of 1 mutants killed", "control": {"violations": 0, "programs": 5},
            "mutants": [{"name": option("--filter"), "killed": killed, "seconds": 0.5, "processor_seconds": 0.4, "programs": programs,
                         "oracle": "contents" if killed else ""}]}


def replay():
    return {"verdict": "clean", "files": [{"file": "a.ops", "oracle": "", "token": ""}]}


def nothing():
    return {"verdict": "clean", "files": []}


if planned("slow") and sys.argv[1] in ("mutants", "replay"):
    time.sleep(60)
ANSWERS = {"fuzz": fuzz, "minimize": minimize, "mutants": mutants, "replay": replay}
print(json.dumps(ANSWERS.get(sys.argv[1], nothing)()))
