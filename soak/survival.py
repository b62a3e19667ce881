"""How long seeded bugs survive in a campaign: mutants.csv, a row for each that was hunted, and the curve that comes of it."""

import csv
import re
import time

FIELDS = ("name", "killed", "seconds", "programs", "oracle", "at")
_EXPECT = re.compile(r"^# Expect: [a-z_]+(?:@(?P<flavour>[a-z-]+))? (?P<hunter>[a-z]+) ", re.M)


def hunted(folder):
    """The rows of mutants.csv; what a killed runner left half-written is left out."""
    rows = []
    try:
        with open(folder / "mutants.csv", encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                try:
                    rows.append({"name": row["name"], "killed": row["killed"] == "1", "seconds": float(row["seconds"]),
                                 "programs": int(row["programs"]), "oracle": row["oracle"], "at": float(row["at"])})
                except (TypeError, ValueError):
                    continue
    except FileNotFoundError:
        pass
    return rows


def note(folder, row):
    path = folder / "mutants.csv"
    fresh = not path.exists()
    with open(path, "a", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        if fresh:
            writer.writerow(FIELDS)
        writer.writerow((row["name"], int(row["killed"]), f"{row['seconds']:.2f}", row["programs"], row["oracle"], f"{time.time():.0f}"))


def next_mutant(root, folder, has_flavour):
    """The one that was hunted least often, of those that programs show in a flavour that is built; None when there is none."""
    counts = {}
    for row in hunted(folder):
        counts[row["name"]] = counts.get(row["name"], 0) + 1
    names = []
    for patch in sorted((root / "mutants").glob("*.patch")):
        match = _EXPECT.search(patch.read_text(encoding="utf-8"))
        # The canary has a proof of its own.
        if match and match["hunter"] != "test" and patch.stem != "canary" and has_flavour(match["flavour"] or "fuzz"):
            names.append(patch.stem)
    return min(names, key=lambda name: (counts.get(name, 0), name)) if names else None


def curve(rows):
    """[[seconds, part of the mutants still alive], …] by Kaplan and Meier: one that was given up alive counts until then."""
    alive, part, points = len(rows), 1.0, [[0.0, 1.0]]
    for seconds in sorted({row["seconds"] for row in rows}):
        killed = sum(1 for row in rows if row["killed"] and row["seconds"] == seconds)
        gone = sum(1 for row in rows if row["seconds"] == seconds)
        if killed:
            part *= 1 - killed / alive
        points.append([seconds, part])
        alive -= gone
    return points


def summary(rows):
    """(name, hunts, kills, median seconds to the kill or None, oracles) for each mutant."""
    for name in sorted({row["name"] for row in rows}):
        those = [row for row in rows if row["name"] == name]
        kills = sorted(row["seconds"] for row in those if row["killed"])
        yield name, len(those), len(kills), kills[len(kills) // 2] if kills else None, ", ".join(sorted({row["oracle"] for row in those if row["oracle"]}))
