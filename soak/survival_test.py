"""Survival of seeded bugs: which is next, and what part is left after how long."""

import pathlib
import tempfile
import unittest

from survival import curve, hunted, next_mutant, note, summary


def row(name, killed, seconds):
    return {"name": name, "killed": killed, "seconds": seconds, "programs": 10, "oracle": "contents" if killed else ""}


class SurvivalTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="assay-survival-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "mutants").mkdir()
        for name, expect in (("a", "alloc_ops fuzz contents"), ("b", "alloc_ops fuzz crash"), ("canary", "alloc_ops fuzz contents"),
                             ("t", "ximalloc_tests@dev test exit"), ("z", "sched@sched-tsan explore sanitizer")):
            (self.folder / "mutants" / f"{name}.patch").write_text(f"# Expect: {expect} within=60\n")

    def next(self):
        return next_mutant(self.folder, self.folder, lambda flavour: flavour == "fuzz")

    def test_each_in_turn_but_those_that_cannot_be_hunted_here(self):
        seen = []
        for _ in range(4):
            seen.append(self.next())
            note(self.folder, row(seen[-1], True, 1.0))
        self.assertEqual(seen, ["a", "b", "a", "b"])

    def test_rows_come_back_and_half_a_row_does_not(self):
        note(self.folder, row("a", True, 1.25))
        note(self.folder, row("b", False, 60.0))
        with open(self.folder / "mutants.csv", "a", encoding="utf-8") as stream:
            stream.write("a,1,3")
        self.assertEqual([(entry["name"], entry["killed"], entry["seconds"]) for entry in hunted(self.folder)], [("a", True, 1.25), ("b", False, 60.0)])

    def test_the_curve_falls_with_kills_only(self):
        self.assertEqual(curve([row("a", True, 1.0), row("b", True, 2.0), row("c", False, 3.0), row("d", True, 4.0)]),
                         [[0.0, 1.0], [1.0, 0.75], [2.0, 0.5], [3.0, 0.5], [4.0, 0.0]])
        # One that is given up in the second in which another dies was alive in it.
        self.assertEqual(curve([row("a", True, 1.0), row("b", False, 1.0)]), [[0.0, 1.0], [1.0, 0.5]])

    def test_summary(self):
        rows = [row("a", True, 3.0), row("a", True, 1.0), row("a", False, 60.0)]
        self.assertEqual(list(summary(rows)), [("a", 3, 2, 3.0, "contents")])


if __name__ == "__main__":
    unittest.main()
