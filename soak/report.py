"""assay report DIR [-o FILE.html]: a campaign as one page that needs nothing else, or as JSON or Markdown (-o FILE.json, FILE.md)."""

import argparse
import csv
import html
import json
import os
import pathlib
import platform
import subprocess
import sys

from campaign import CampaignError, read_state, write_whole
from findings import Findings
from status import clock, has_counters
from survival import curve, hunted, summary
from verdict import verdict_of

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "soak" / "page"


def series_of(folder):
    """lane -> list of rows of series.csv"""
    lanes = {}
    try:
        with open(folder / "series.csv", encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                try:
                    lanes.setdefault(row["lane"], []).append({key: float(value) for key, value in row.items() if key != "lane"})
                except (TypeError, ValueError):
                    continue  # the last line of a runner that was killed
    except FileNotFoundError:
        pass
    return lanes


def charts_of(lanes):
    def chart(title, value, of=lambda lane: True, gaps=False):
        series = []
        for lane, rows in sorted(lanes.items()):
            if not of(lane):
                continue
            points = [point for point in value(rows) if point is not None]
            if any(point[1] for point in points):
                series.append({"name": lane, "points": points})
        # `gaps`: while a lane does not run there is no figure; else the last one stands.
        return {"title": title, "series": series, "gaps": gaps}

    def rates(rows):
        for before, after in zip(rows, rows[1:]):
            seconds, programs = after["seconds"] - before["seconds"], after["programs"] - before["programs"]
            # A gap: other lanes had the processors.
            if 0 < seconds <= 30 and programs >= 0:
                yield [after["seconds"], programs / seconds]

    # Each lane notes how many the whole campaign has.
    bugs = sorted([row["seconds"], row["bugs"]] for rows in lanes.values() for row in rows)
    bugs = bugs if any(number for _, number in bugs) else []
    return [chart("Edges of the allocator", lambda rows: ([row["seconds"], row["edges"]] for row in rows), has_counters),
            chart("Programs in the corpus", lambda rows: ([row["seconds"], row["files"]] for row in rows)),
            chart("Programs a second", rates, gaps=True),
            chart("Resident memory of a lane, MiB", lambda rows: ([row["seconds"], row["rss_mib"]] for row in rows), gaps=True),
            {"title": "Bugs", "series": [{"name": "all lanes", "points": bugs}] if bugs else [], "gaps": False, "stepped": True}]


def coverage_of(folder):
    """What coverage.py has left; None where it has not been there, or was ended before it had written all."""
    try:
        return json.loads((folder / "coverage.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "-"


def machine():
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{os.cpu_count()} × {model}, {memory:.0f} GiB, Linux {platform.release()}"


def collect(folder):
    state = read_state(folder)
    if state is None:
        raise CampaignError(f"{folder}: no campaign is here (soak/soak.sh SECONDS {folder} starts one)")
    bugs = []
    for row in Findings(folder, to_read=True).groups():
        bug = dict(row)
        program = folder / (bug["minimised"] or bug["program"])
        text = program.read_bytes() if program.exists() else b""
        bug["text"] = text.decode("utf-8", "replace") if text.startswith(b"assay ") else None
        bug["replay"] = f"./assay replay {program}"
        c_file = folder / bug["c_file"] if bug["c_file"] else None
        bug["c"] = c_file.read_text(encoding="utf-8", errors="replace") if c_file and c_file.exists() else None
        bugs.append(bug)
    word, sentence = verdict_of(state, bugs)
    mutants = hunted(folder)
    charts = charts_of(series_of(folder))
    if mutants:
        charts.append({"title": "Seeded bugs still alive, %, by seconds of hunting each", "stepped": True,
                       "series": [{"name": f"{len(mutants)} hunts", "points": [[seconds, 100 * part] for seconds, part in curve(mutants)]}]})
    return {"verdict": word, "sentence": sentence, "state": state, "bugs": bugs, "machine": machine(),
            "charts": charts, "coverage": coverage_of(folder),
            "mutants": [dict(zip(("name", "hunts", "kills", "median_seconds", "oracles"), row)) for row in summary(mutants)], "cpu_hours": sum(lane["seconds"] for lane in state["lanes"].values()) / 3600}


def seen_as(bug):
    """Whoever mends it looks whether all of them are gone: what one program can be made to show may still be two bugs."""
    return "Also seen as " + ", ".join(token for token in bug["tokens"] if token != bug["token"])


def lane_rows(state):
    for name, lane in sorted(state["lanes"].items()):
        rate = lane["programs"] / lane["seconds"] if lane["seconds"] else 0
        yield name, clock(lane["seconds"]), f"{lane['programs']:,}", f"{rate:,.0f}", f"{lane['edges']:,}", lane["hangs"], lane["faults"]


LANE_HEADINGS = ("lane", "time", "programs", "a second", "edges", "hangs", "faults")


MUTANT_HEADINGS = ("seeded bug", "hunts", "found", "median time", "caught by")


def mutant_rows(report):
    for row in report["mutants"]:
        yield row["name"], row["hunts"], row["kills"], f"{row['median_seconds']:.1f} s" if row["median_seconds"] is not None else "-", row["oracles"]


def html_table(headings, rows):
    """The first column is words, and the others are figures."""
    kind = lambda index: " class=number" if index else ""
    lines = ["<div class=wide><table><tr>" + "".join(f"<th{kind(index)}>{html.escape(name)}</th>" for index, name in enumerate(headings)) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td{kind(index)}>{html.escape(str(cell))}</td>" for index, cell in enumerate(row)) + "</tr>" for row in rows]
    return "\n".join(lines) + "</table></div>"


def coverage_rows(coverage):
    for file in coverage["files"]:
        yield (file["file"], percent(file["lines_hit"], file["lines"]), percent(file["branches_hit"], file["branches"]),
               file["lines"] - file["lines_hit"])


COVERAGE_HEADINGS = ("file", "lines", "branches", "lines that no target reached")


def coverage_section(coverage):
    if coverage is None:
        return []
    escape, total = html.escape, coverage["totals"]
    out = ["<h2>Coverage of the allocator by the corpora</h2>",
           f"<p>{percent(total['lines_hit'], total['lines'])} of {total['lines']:,} lines, {percent(total['branches_hit'], total['branches'])} of "
           f"{total['branches']:,} branches.</p>", "<details><summary>by file</summary>", html_table(COVERAGE_HEADINGS, coverage_rows(coverage)), "</details>",
           "<details><summary>what no target reached</summary>"]
    for file in coverage["files"]:
        if file["unreached"]:
            lines = "\n".join(f"{first if first == last else f'{first}-{last}'}\t{text}" for first, last, text in file["unreached"])
            out.append(f"<h3>{escape(file['file'])}</h3><pre>{escape(lines)}</pre>")
    return out + ["</details>"]


def body(report):
    escape = html.escape
    state = report["state"]
    out = ["<h1>assay: a campaign</h1>", f"<div class='verdict {report['verdict'].replace(' ', '-')}'><strong>{report['verdict'].upper()}</strong> {escape(report['sentence'])}</div>"]
    canary = state["canary"]
    out.append("<p class=faint>" + escape(
        f"commit {state['commit']}; {report['machine']}; {report['cpu_hours']:.2f} processor hours of hunting in {len(state['calls'])} calls; "
        f"canary: {'not hunted' if canary is None else canary['message']}") + "</p>")
    out.append("<h2>Findings</h2>")
    if not report["bugs"]:
        out.append("<p>None.</p>")
    for bug in report["bugs"]:
        out.append(f"<details><summary><strong>{escape(bug['status'])}</strong> {escape(bug['token'] or bug['oracle'])}: "
                   f"{bug['operations'] if bug['operations'] is not None else '?'} operations, seen {bug['hits']} times, "
                   f"{bug['times_seen']} of {bug['times_run']} replays, by {escape(bug['lane'])}</summary>")
        if len(bug["tokens"]) > 1:
            out.append(f"<p>{escape(seen_as(bug))}</p>")
        if bug["text"]:
            out.append(f"<pre>{escape(bug['text'])}</pre>")
        out.append(f"<pre>{escape(bug['replay'])}</pre>")
        if bug["c"]:
            out.append(f"<details><summary>the same as a C file</summary><pre>{escape(bug['c'])}</pre></details>")
        out.append("</details>")
    out.append("<h2>Over time</h2><div id=charts class=charts></div>")
    out += ["<h2>Lanes</h2>", html_table(LANE_HEADINGS, lane_rows(state))]
    if report["mutants"]:
        out += ["<h2>Seeded bugs</h2>", html_table(MUTANT_HEADINGS, mutant_rows(report))]
    out += coverage_section(report["coverage"])
    return "\n".join(out)


def chart_library():
    place = ROOT / "build" / "page" / "node_modules" / "uplot" / "dist"
    if not place.is_dir():
        folder = ROOT / "build" / "page"
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            (folder / name).write_bytes((PAGE / name).read_bytes())
        try:
            done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise CampaignError("the page's charts come from npm, which is not installed; -o FILE.md and -o FILE.json need none") from error
        if done.returncode != 0:
            raise CampaignError(f"the page's charts could not be installed from npm: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return (place / "uPlot.iife.min.js").read_text(encoding="utf-8"), (place / "uPlot.min.css").read_text(encoding="utf-8")


def page(report):
    script, style = chart_library()
    # "</" would end the script element.
    data = json.dumps({"charts": report["charts"]}).replace("</", "<\\/")
    text = (PAGE / "report.html").read_text(encoding="utf-8")
    parts = {"TITLE": html.escape(report["verdict"]), "UPLOT_CSS": style, "CSS": (PAGE / "report.css").read_text(encoding="utf-8"), "BODY": body(report),
             "DATA": data, "UPLOT_JS": script, "JS": (PAGE / "report.js").read_text(encoding="utf-8")}
    pieces = text.split("@")
    return "".join(parts.get(piece, piece) if index % 2 else piece for index, piece in enumerate(pieces))


def markdown_table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    return lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows] + [""]


def markdown(report):
    state = report["state"]
    out = [f"# assay: {report['verdict']}", "", report["sentence"] + ".", "", f"Commit {state['commit']}; {report['machine']}; {report['cpu_hours']:.2f} processor hours.", ""]
    for bug in report["bugs"]:
        out += [f"## {bug['status']}: {bug['token'] or bug['oracle']}", "", f"    {bug['replay']}", ""]
        if len(bug["tokens"]) > 1:
            out += [seen_as(bug), ""]
        if bug["text"]:
            out += ["```", bug["text"].rstrip(), "```", ""]
    out += markdown_table(LANE_HEADINGS, lane_rows(state))
    if report["mutants"]:
        out += markdown_table(MUTANT_HEADINGS, mutant_rows(report))
    if report["coverage"]:
        out += markdown_table(COVERAGE_HEADINGS, coverage_rows(report["coverage"]))
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(prog="./assay report", add_help=False)
    parser.add_argument("folder")
    parser.add_argument("-o", "--output")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = pathlib.Path(options.folder)
    output = pathlib.Path(options.output or folder / "report.html")
    answer = {"subcommand": "report", "verdict": "clean", "message": "", "commit": "", "flavour": "", "mode": "", "seconds": 0, "output": str(output)}
    status = 0
    try:
        report = collect(folder)
        text = json.dumps(report, indent=1) + "\n" if output.suffix == ".json" else markdown(report) if output.suffix == ".md" else page(report)
        try:
            write_whole(output, text)
        except OSError as error:
            raise CampaignError(f"{output}: {error.strerror}") from error
        answer["message"] = f"{report['verdict']}: {report['sentence']}"
    except CampaignError as error:
        answer.update(verdict="error", message=str(error), output="")
        print(f"assay: {error}", file=sys.stderr)
        status = 2
    if options.json:
        print(json.dumps(answer))
    elif status == 0:
        print(f"{output}: {answer['message']}")
    return status


if __name__ == "__main__":
    sys.exit(main())
