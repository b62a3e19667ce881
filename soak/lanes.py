"""The ways to hunt: a target, in a flavour and a mode, by an engine or a search; and which of them is next."""

import dataclasses
import math
import pathlib
import random
import re

# What a find of new edges is worth after this many seconds of hunting in the same lane: half.
HALF_LIFE = 600.0
# No lane starves, however little it found: the bug may be where nothing new has been seen for hours. This part of the engines' time
# is shared evenly, and the rest goes to who still finds.
EVENLY = 0.3
# Searches find no edges, and have a share that does not change; or an even one, where that is less. Seeded bugs take long to build.
SEARCH, SEEDED = 0.04, 0.08
# Targets whose programs have several threads, in the modes that run them so.
THREADED = ("mt_ops", "heap_api")


@dataclasses.dataclass(frozen=True)
class Lane:
    target: str
    flavour: str
    mode: str
    hunter: str = "fuzz"  # fuzz: an engine; sweep, explore: programs of the corpus; forks: a test, again and again; mutants: seeded bugs
    engine: str = "libfuzzer"
    subject: str = ""  # where it is not the allocator that is linked in

    @property
    def corpus(self):
        """The folder's name, as `assay fuzz` makes it of target and subject."""
        if not self.subject:
            return self.target
        return self.target + "-" + re.sub(r"[^A-Za-z0-9._-]", "_", self.subject.rsplit("/", maxsplit=1)[-1])

    @property
    def name(self):
        # An engine has a flavour of its own.
        search = "" if self.hunter == "fuzz" else f"-{self.hunter}"
        return f"{self.target}@{self.flavour}-{self.mode}{search}"


def lanes_of(build):
    """All lanes that the flavours which are built in that folder allow."""
    build = pathlib.Path(build)
    has = lambda flavour, program: (build / flavour / "bin" / program).exists()
    lanes = []
    for target in sorted(path.name for path in (build / "fuzz" / "corpus").iterdir() if path.is_dir()):
        # What compares finds the bugs of other allocators, which say nothing of a campaign on ours.
        if target == "differential":
            continue
        threads, only_threads = target in THREADED, target == "mt_ops"
        for flavour in ("fuzz", "msan"):
            if has(flavour, target) and not (only_threads and flavour == "msan"):
                lanes.append(Lane(target, flavour, "free" if only_threads else "sequential"))
        if has("afl", target):
            lanes.append(Lane(target, "afl", "schedule" if threads else "sequential", engine="afl"))
        if threads and has("tsan", target):
            lanes.append(Lane(target, "tsan", "free"))
        if threads and has("fuzz-sched", target):
            lanes.append(Lane(target, "fuzz-sched", "schedule"))
        # What users link, no hook and no assertion in it.
        shipped = build / "release" / "lib" / "libximalloc.so"
        if shipped.exists():
            lanes.append(Lane(target, "release", "free" if only_threads else "sequential", subject=f"{shipped}:xi_"))
        lanes.append(Lane(target, "fuzz", "sequential", "sweep"))
        if threads and has("sched", "assay"):
            lanes.append(Lane(target, "sched", "schedule", "explore"))
    if has("dev", "ximalloc_tests"):
        lanes.append(Lane("forks", "dev", "free", "forks"))
    # Whether the tester is any good is asked all night.
    if has("fuzz", "assay"):
        lanes.append(Lane("mutants", "fuzz", "sequential", "mutants"))
    return lanes


def shares(lanes, state):
    """Of each lane the part of the time that it deserves: searches a fixed one, engines by what they still find, with a floor for all."""
    even = 1.0 / len(lanes)
    parts = {lane.name: SEEDED if lane.hunter == "mutants" else min(even, SEARCH) for lane in lanes if lane.hunter != "fuzz"}
    engines = [lane for lane in lanes if lane.hunter == "fuzz"]
    if not engines:
        return [even] * len(lanes)
    gains = [state.get(lane.name, {}).get("gain", 0.0) for lane in engines]
    # A lane that has hardly run is believed to find as much as the best one.
    hopes = [max(gains) if state.get(lane.name, {}).get("seconds", 0.0) < 1 else gain for lane, gain in zip(engines, gains)]
    total = sum(math.sqrt(hope) for hope in hopes)
    rest = 1.0 - sum(parts.values())
    for lane, hope in zip(engines, hopes):
        parts[lane.name] = rest * (EVENLY / len(engines) + (1 - EVENLY) * (math.sqrt(hope) / total if total > 0 else 1 / len(engines)))
    return [parts[lane.name] for lane in lanes]


def next_lane(lanes, state, running):
    """The lane that is farthest behind its share; one that runs already is left out. None when all run."""
    free = [lane for lane in lanes if lane.name not in running]
    if not free:
        return None
    total = sum(state.get(lane.name, {}).get("seconds", 0.0) for lane in lanes) + 1.0
    behind = {lane.name: share - state.get(lane.name, {}).get("seconds", 0.0) / total
              for lane, share in zip(lanes, shares(lanes, state))}
    return max(free, key=lambda lane: (behind[lane.name], random.random()))


def note_slice(record, seconds, new_edges):
    """Adds a slice to a lane's record; old finds fade."""
    fade = 0.5 ** (seconds / HALF_LIFE)
    record["gain"] = record["gain"] * fade + (new_edges / max(seconds, 1.0)) * (1 - fade)
    record["seconds"] += seconds
    record["slices"] += 1
