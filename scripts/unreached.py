#!/usr/bin/env python3
"""unreached.py TRACE [--check] [--json FILE] [--document FILE]: what of the allocator's source nothing has reached, and why.

TRACE is what `llvm-cov export -format=lcov` prints. An unreached region is a run of lines that were never executed, with nothing
executed between them. Each has a line in docs/coverage_reasons.txt,

    file | text of its first line | kind | reason

and the kinds are: schedules (threads must meet in a way that only the schedulers bring about), defensive (cannot happen as far as we
know, and is looked at all the same), flavour (compiled or taken in another flavour than cov), to be covered. Exit status 1: a
region without a line, a line about what is no longer in its file, or more than 2 % of all lines excluded by flavour.

The two ways out of an assertion are no branches here: nothing can take one of them and go on.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
REASONS = ROOT / "docs" / "coverage_reasons.txt"
KINDS = ("schedules", "defensive", "flavour", "to be covered")
# The same for what programs alone do not reach, which says how far corpora could come.
REASONS_OF_PROGRAMS = ROOT / "docs" / "coverage_of_programs.txt"
KINDS_OF_PROGRAMS = {
    "process": "outside of any program by design: the environment, standard error, the process's end, the background thread",
    "misuse": "outside of any program by design: programs name what lives; targets and tests of their own do the rest",
    "meeting": "threads must meet at one moment, which only the scheduler brings about; flavour cov has none",
    "flavour": "compiled or taken in another flavour than cov", "schedules": "see above", "defensive": "see above",
    "no operation": "the language has no operation for it, and could"}
MOST_BY_FLAVOUR = 0.02

Region = collections.namedtuple("Region", "file first last lines text")


class File:
    def __init__(self, name):
        self.name, self.lines, self.branches = name, {}, {}

    def figures(self):
        return {"file": self.name, "lines": len(self.lines), "lines_hit": sum(1 for count in self.lines.values() if count),
                "branches": len(self.branches), "branches_hit": sum(1 for count in self.branches.values() if count)}

    def regions(self):
        """Runs of instrumented lines that were never executed."""
        path = ROOT / self.name
        text = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        run = []
        for number in sorted(self.lines) + [None]:
            if number is not None and self.lines[number] == 0:
                run.append(number)
            elif run:
                yield Region(self.name, run[0], run[-1], len(run), self.name_of(text, run[0]))
                run = []

    @staticmethod
    def name_of(text, number):
        """The first line of a region; when it is a brace only, the last one before it that says something."""
        for line in reversed(text[:number]):
            if any(character.isalnum() for character in line):
                return line.strip()
        return ""


def assertions(path):
    """The numbers of the lines that belong to an XI_ASSERT(…);"""
    numbers, inside = set(), False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else [], 1):
        inside = inside or line.lstrip().startswith("XI_ASSERT(")
        if inside:
            numbers.add(number)
        inside = inside and not line.rstrip().endswith(";")
    return numbers


def read_trace(path):
    """File name, relative to the root -> File"""
    files, current, asserts = {}, None, set()
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key == "SF":
            name = str(pathlib.Path(value).resolve())
            name = name.removeprefix(str(ROOT) + "/")
            current = files.setdefault(name, File(name))
            asserts = assertions(pathlib.Path(value))
        elif key == "DA":
            number, count = value.split(",")[:2]
            current.lines[int(number)] = max(current.lines.get(int(number), 0), int(count))
        elif key == "BRDA":
            number, block, branch, taken = value.split(",")
            if int(number) in asserts:
                continue
            branch_key = (int(number), block, branch)
            current.branches[branch_key] = max(current.branches.get(branch_key, 0), 0 if taken == "-" else int(taken))
    return files


def read_reasons(path=REASONS, kinds=KINDS):
    """(file, text) -> (kind, reason)"""
    reasons = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split(" | ")]
        if len(parts) != 4 or parts[2] not in kinds:
            sys.exit(f"{path}:{number}: is not `file | text | {' or '.join(kinds)} | reason`")
        reasons[parts[0], parts[1]] = (parts[2], parts[3])
    return reasons


def percent(part, whole):
    return f"{100 * part / whole:.2f} %" if whole else "-"


def totals(files):
    rows = [file.figures() for file in files.values()]
    return {key: sum(row[key] for row in rows) for key in ("lines", "lines_hit", "branches", "branches_hit")}


def sentence(files):
    total = totals(files)
    return (f"{percent(total['lines_hit'], total['lines'])} of {total['lines']} lines, "
            f"{percent(total['branches_hit'], total['branches'])} of {total['branches']} branches")


def for_programs(files):
    """What the report of a campaign carries."""
    return {"totals": totals(files),
            "files": [dict(file.figures(), unreached=[[region.first, region.last, region.text] for region in file.regions()]) for _, file in sorted(files.items())]}


def commit():
    done = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def regions_of(files):
    return [region for _, file in sorted(files.items()) for region in file.regions()]


def summary(regions, kinds, reasons, total):
    """Rows of a table: how much is not reached for each kind of reason."""
    for kind in (*kinds, "not looked at"):
        those = [region for region in regions if reasons.get((region.file, region.text), ("not looked at",))[0] == kind]
        if those or kind in KINDS:
            lines = sum(region.lines for region in those)
            yield kind, len(those), lines, percent(lines, total)


def each_region(regions, reasons):
    yield from ("| region | first line | kind | why |", "|---|---|---|---|")
    for region in regions:
        kind, reason = reasons.get((region.file, region.text), ("not looked at", ""))
        lines = f"{region.first}" if region.first == region.last else f"{region.first}-{region.last}"
        text = region.text[:70].replace("|", "\\|")
        yield f"| `{region.file.removeprefix('allocator/')}:{lines}` | `{text}` | {kind} | {reason} |"


def programs_alone(corpora, reasons):
    """What keeps the corpora from all of it, so that it can be said how far more programs could come."""
    regions, total = regions_of(corpora), totals(corpora)["lines"]
    missing = sum(region.lines for region in regions)
    could = sum(region.lines for region in regions if reasons.get((region.file, region.text), ("",))[0] in ("no operation", ""))
    untaken = [(file.name, number) for file in corpora.values() for (number, _, _), count in file.branches.items() if not count]
    within = {(region.file, number) for region in regions for number in range(region.first, region.last + 1)}
    inside = sum(1 for place in untaken if place in within)
    out = ["", "## What programs alone do not reach", "",
           f"{missing} of {total} lines. With an operation for each of the {could} that have none, programs would reach {percent(total - missing + could, total)}; the other "
           f"{missing - could} no program of this flavour can be sure of, and tests of their own hold them. `docs/coverage_of_programs.txt` has the reasons. "
           f"Of the {len(untaken)} branches that they do not take, {inside} are in these lines; the other {len(untaken) - inside} are second ways out of conditions that they do come to.", "",
           "| why not | regions | lines | of all lines | |", "|---|---|---|---|---|"]
    for kind, count, lines, part in summary(regions, KINDS_OF_PROGRAMS, reasons, total):
        out.append(f"| {kind} | {count} | {lines} | {part} | {KINDS_OF_PROGRAMS.get(kind, '')} |")
    return out + ["", *each_region(regions, reasons)]


def document(files, reasons, corpora, reasons_of_programs=None):
    out = ["# Coverage of ximalloc", "",
           f"Made by `scripts/coverage.sh --document` at commit {commit()} from the flavour `cov`; `docs/coverage_reasons.txt` is the reviewed list of why a region "
           "is not reached.", "",
           f"Tests and corpora: {sentence(files)}." + (f" Corpora alone: {sentence(corpora)}." if corpora else ""), ""]
    regions = regions_of(files)
    out += ["| why not | regions | lines | of all lines |", "|---|---|---|---|"]
    out += [f"| {kind} | {count} | {lines} | {part} |" for kind, count, lines, part in summary(regions, KINDS, reasons, totals(files)["lines"])]
    out += ["", "## Every unreached region", "", *each_region(regions, reasons)]
    if corpora:
        out += programs_alone(corpora, reasons | (reasons_of_programs or {}))
    out += ["", "## By file", "", "| file | lines | branches |", "|---|---|---|"]
    for name, file in sorted(files.items()):
        row = file.figures()
        out.append(f"| `{name.removeprefix('allocator/')}` | {percent(row['lines_hit'], row['lines'])} of {row['lines']} | "
                   f"{percent(row['branches_hit'], row['branches'])} of {row['branches']} |")
    return "\n".join(out) + "\n"


def lines_that_are_gone(name, reasons):
    for file, text in reasons:
        path = ROOT / file
        if not path.exists() or text not in (line.strip() for line in path.read_text(encoding="utf-8").splitlines()):
            yield f"docs/{name}: {file} has no such line (any more): {text}"


def complaints(files, reasons, reasons_of_programs=None):
    regions = regions_of(files)
    for region in regions:
        if (region.file, region.text) not in reasons:
            yield f"{region.file}:{region.first}: is not reached, and docs/coverage_reasons.txt does not say why: {region.text}"
    yield from lines_that_are_gone(REASONS.name, reasons)
    yield from lines_that_are_gone(REASONS_OF_PROGRAMS.name, reasons_of_programs or {})
    by_flavour = sum(region.lines for region in regions if reasons.get((region.file, region.text), ("",))[0] == "flavour")
    if by_flavour > MOST_BY_FLAVOUR * totals(files)["lines"]:
        yield f"{by_flavour} lines are excluded by flavour, which is more than 2 %"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("trace", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--document", type=pathlib.Path)
    parser.add_argument("--corpora", type=pathlib.Path, help="a trace by the corpora alone, whose figures the document names")
    parser.add_argument("--check", action="store_true", help="exit status 1 when a region has no reason")
    options = parser.parse_args()
    files = read_trace(options.trace)
    print(sentence(files))
    if options.json:
        options.json.write_text(json.dumps(for_programs(files)) + "\n", encoding="utf-8")
    reasons, of_programs = {}, {}
    if options.document or options.check:
        reasons, of_programs = read_reasons(), read_reasons(REASONS_OF_PROGRAMS, KINDS_OF_PROGRAMS)
    if options.document:
        corpora = read_trace(options.corpora) if options.corpora else None
        options.document.write_text(document(files, reasons, corpora, of_programs), encoding="utf-8")
    said = list(complaints(files, reasons, of_programs)) if options.check else []
    for line in said:
        print(line, file=sys.stderr)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
