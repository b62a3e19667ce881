"""assay status DIR: a campaign as it runs, or as it ended; from another terminal, without touching it."""

import json
import pathlib
import signal
import sys
import time

from campaign import CampaignError, read_state


def clock(seconds):
    seconds = int(max(seconds, 0))
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def corpus_files(folder, target):
    place = pathlib.Path(folder) / "corpus" / target
    return sum(1 for _ in place.iterdir()) if place.is_dir() else 0


def has_counters(lane):
    """What a library without counters is guided by are no edges."""
    return "@release-" not in lane


def status_lines(state, folder):
    """A line for the campaign, and one for each target."""
    now = state.get("now", {})
    running = now.get("running", {})
    canary = state["canary"]
    canary_word = "not hunted yet" if canary is None else "found" if canary["found"] else "MISSED"
    yield (f"campaign {clock(now.get('elapsed', 0))} / {clock(now.get('budget', 0))} ({clock(state['spent'])} in all)  "
           f"bugs {now.get('bugs', 0)} ({now.get('violations', 0)} violations)  canary {canary_word}" + ("  NO SPACE LEFT" if now.get("no_space") else ""))
    targets = {}
    for name, record in state["lanes"].items():
        targets.setdefault(name.split("@")[0], []).append((name, record))
    for target, lanes in sorted(targets.items()):
        live = [(name, running[name]) for name, _ in lanes if name in running]
        programs = sum(record["programs"] for _, record in lanes) + sum(figures.get("programs", 0) for _, figures in live)
        seconds = sum(record["seconds"] for _, record in lanes) + sum(figures.get("seconds", 0) for _, figures in live)
        counted = [(name, record) for name, record in lanes if has_counters(name)]
        edges = max([record["edges"] for _, record in counted] + [figures.get("edges", 0) for name, figures in live if has_counters(name)], default=0)
        newest = max([record["newest"] for _, record in counted if record["newest"]], default=None)
        age = f"{clock(now.get('at', time.time()) - newest)} ago" if newest else "none yet"
        rate = programs / seconds if seconds > 0 else 0
        hangs, faults = sum(record["hangs"] for _, record in lanes), sum(record["faults"] for _, record in lanes)
        memory = sum(record.get("rss_mib", 0) for name, record in lanes if name in running)
        doing = ", ".join(name.split("@")[1] for name, _ in live) or "waiting"
        yield (f"  {target}: {clock(seconds)} of hunting, {programs:,} programs, {rate:,.0f}/s, {edges:,} edges, newest {age}, "
               f"corpus {corpus_files(folder, target):,}, hangs {hangs}, faults {faults}, {memory} MiB; now {doing}")


def main(words):
    as_json = "--json" in words
    folders = [word for word in words if word != "--json"]
    folder = pathlib.Path(folders[0])
    state = read_state(folder)
    if state is None:
        raise CampaignError(f"{folder}: no campaign is here (soak/soak.sh SECONDS {folder} starts one)")
    lines = list(status_lines(state, folder))
    if as_json:
        print(json.dumps({"subcommand": "status", "verdict": "clean", "message": lines[0], "commit": state["commit"], "flavour": "", "mode": "",
                          "seconds": state["spent"], "output": str(folder / "campaign.json"), "campaign": state}))
    else:
        print("\n".join(lines))
    return 0


if __name__ == "__main__":
    try:
        # Who has seen enough, as `head`, ends us like any other program.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        sys.exit(main(sys.argv[1:]))
    except CampaignError as error:
        if "--json" in sys.argv:
            print(json.dumps({"subcommand": "status", "verdict": "error", "message": str(error), "commit": "", "flavour": "", "mode": "",
                              "seconds": 0, "output": ""}))
        else:
            print(f"assay: {error}", file=sys.stderr)
        sys.exit(2)
