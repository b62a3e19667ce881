"""Every scenario of corpus/regress/sched, explored: with one preemption; in a full test also with two, without a bound,
by PCT and by random walk. Each search that corpus/regress/sched/README.md calls whole must try every schedule there is.
And each access of the allocator to shared memory is one at which, in some scenario, another thread could have gone on.

usage: scenarios_test.py TOOL [--table [CAP]]     (--table: prints the README's table, searches of at most CAP schedules)"""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import access_sites

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "corpus" / "regress" / "sched"
TABLE = SCENARIOS / "README.md"
NOT_MET = Path(__file__).with_name("accesses_not_met.txt")
MAX_SCHEDULES = 2_000_000
SEARCHES = {"bound 1": ("--bound", "1"), "bound 2": ("--bound", "2"), "no bound": ("--unbounded",)}
RANDOM = [("--strategy", "pct", "--runs", "2000"), ("--strategy", "random", "--runs", "2000")]


def explore(tool, files, *options):
    words = [tool, "explore", "--json", "--flavour", "sched", *options, *map(str, files)]
    result = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    try:
        return json.loads(result.stdout)["files"], result.stderr
    except (json.JSONDecodeError, KeyError):
        sys.exit(f"{' '.join(words[:4])}: status {result.returncode}: {result.stderr.strip()}")


def table(tool, files, cap):
    print("| scenario | choice points | " + " | ".join(SEARCHES) + " |")
    print("|---|---|" + "---|" * len(SEARCHES))
    for file in files:
        cells, points = [], 0
        for search in SEARCHES.values():
            # The first column is what every test tries wholly.
            limit = MAX_SCHEDULES if not cells else cap
            (row,), text = explore(tool, [file], *search, "--runs", str(limit))
            if row["violations"]:
                sys.exit(f"{file.stem}: {row['output']}\n{text}")
            points = max(points, row["choice_points"])
            cells.append(f"{row['schedules']:,}" + ("" if row["exhausted"] else " of more"))
        print(f"| {file.stem} | {points} | " + " | ".join(cells) + " |", flush=True)


def whole_searches():
    """{search: [scenario]} of what the table says is tried wholly."""
    whole = {search: [] for search in SEARCHES}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 2 + len(SEARCHES) or not re.fullmatch(r"[0-9]+", cells[1]):
            continue
        for search, cell in zip(SEARCHES, cells[2:]):
            if re.fullmatch(r"[0-9,]+", cell):
                whole[search].append(cells[0])
    return whole


def check_rows(rows, text, must_be_whole):
    faults = []
    for row in rows:
        name = Path(row["file"]).stem
        if row["violations"]:
            faults.append(f"{name}: see {row['output']}\n{text}")
        elif must_be_whole and not row["exhausted"]:
            faults.append(f"{name}: {row['schedules']} schedules, and not all there are")
        elif row["schedules"] < 3:
            faults.append(f"{name}: {row['schedules']} schedules: nothing in it meets")
    return faults


def check_sites(tool, places):
    """Accesses that no scenario meets, and no reason is given for; reasons that are none any more."""
    sites = access_sites.source_sites(ROOT)
    met = {(file, sites[file, line]) for file, line in access_sites.met_lines(tool, places) if (file, line) in sites}
    reasons = access_sites.reasons(NOT_MET)
    unmet = sorted({(file, text) for (file, _), text in sites.items()} - met)
    faults = [f"{file}: {text}: no scenario meets it, and tests/sched/{NOT_MET.name} gives no reason"
              for file, text in unmet if (file, text) not in reasons]
    faults += [f"tests/sched/{NOT_MET.name}: {file}: {text}: {'is met' if (file, text) in met else 'is no access'}"
               for file, text in sorted(reasons.keys() - set(unmet))]
    print(f"{len(met)} accesses met, {len(unmet)} not, for {len(reasons)} of which a reason is given")
    return faults


def main():
    tool = sys.argv[1]
    files = sorted(SCENARIOS.glob("*.ops"))
    if "--table" in sys.argv:
        table(tool, files, int(sys.argv[3]) if len(sys.argv) > 3 else MAX_SCHEDULES)
        return
    faults = [] if len(files) >= 24 else [f"{len(files)} scenarios"]
    with tempfile.TemporaryDirectory() as folder:
        places = Path(folder) / "places"
        rows, text = explore(tool, files, *SEARCHES["bound 1"], "--places", str(places))
        faults += check_rows(rows, text, True)
        print(f"bound 1: {len(rows)} scenarios, {sum(row['schedules'] for row in rows)} schedules")
        faults += check_sites(Path(tool), places.read_text(encoding="utf-8").split())
    whole = whole_searches()
    faults += [f"{TABLE.name} has no row of {file.stem}" for file in files if file.stem not in whole["bound 1"]]
    if os.environ.get("ASSAY_FULL") == "1":
        for search in ("bound 2", "no bound"):
            names = [SCENARIOS / f"{name}.ops" for name in whole[search]]
            rows, text = explore(tool, names, *SEARCHES[search], "--runs", str(MAX_SCHEDULES))
            faults += check_rows(rows, text, True)
            print(f"{search}: {len(rows)} scenarios, {sum(row['schedules'] for row in rows)} schedules")
        for search in RANDOM:
            faults += check_rows(*explore(tool, files, *search), False)
    for fault in faults:
        print("FAILED " + fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
