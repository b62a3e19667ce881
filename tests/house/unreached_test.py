"""scripts/unreached.py: what a trace of llvm-cov says was not reached, and whether each region of it has a reason."""
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import unreached  # noqa: E402  pylint: disable=wrong-import-position

TRACE = """SF:{root}/allocator/a.cc
DA:1,5
DA:2,0
DA:3,0
DA:5,0
DA:6,1
DA:8,0
BRDA:1,0,0,3
BRDA:1,0,1,-
BRDA:6,0,0,9
BRDA:6,0,1,-
BRDA:7,0,0,-
end_of_record
SF:{root}/allocator/b.cc
DA:1,1
DA:1,0
end_of_record
"""


class UnreachedTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "allocator").mkdir()
        (self.folder / "allocator" / "a.cc").write_text(
            "".join("  XI_ASSERT(a &&\n" if number == 6 else f"  line {number};\n" for number in range(1, 9)))
        root = unreached.ROOT
        unreached.ROOT = self.folder
        self.addCleanup(setattr, unreached, "ROOT", root)
        (self.folder / "trace").write_text(TRACE.format(root=self.folder))
        self.files = unreached.read_trace(self.folder / "trace")

    def reasons(self, text):
        path = self.folder / "reasons"
        path.write_text(text)
        return unreached.read_reasons(path)

    def test_runs_of_lines_that_were_not_executed(self):
        regions = [region for file in self.files.values() for region in file.regions()]
        self.assertEqual([(region.file, region.first, region.last, region.lines, region.text) for region in regions],
                         [("allocator/a.cc", 2, 5, 3, "line 2;"), ("allocator/a.cc", 8, 8, 1, "line 8;")])

    def test_figures(self):
        self.assertEqual(unreached.totals(self.files), {"lines": 7, "lines_hit": 3, "branches": 2, "branches_hit": 1})

    def test_each_needs_a_reason(self):
        reasons = self.reasons("# a comment\nallocator/a.cc | line 2; | defensive | cannot happen\n")
        said = list(unreached.complaints(self.files, reasons))
        self.assertEqual(len(said), 1)
        self.assertIn("allocator/a.cc:8", said[0])

    def test_a_reason_goes_with_its_line(self):
        text = "allocator/a.cc | line 2; | defensive | x\nallocator/a.cc | line 8; | defensive | x\n"
        self.assertEqual(list(unreached.complaints(self.files, self.reasons(text))), [])
        for gone in ("allocator/a.cc | line 22; | defensive | x\n", "allocator/c.cc | line 2; | defensive | x\n"):
            said = list(unreached.complaints(self.files, self.reasons(text + gone)))
            self.assertEqual(len(said), 1)
            self.assertIn("no such line", said[0])

    def test_not_much_may_be_left_to_other_flavours(self):
        reasons = self.reasons("allocator/a.cc | line 2; | flavour | release only\nallocator/a.cc | line 8; | defensive | cannot happen\n")
        self.assertIn("excluded by flavour", "".join(unreached.complaints(self.files, reasons)))

    def test_a_line_that_is_no_reason_is_refused(self):
        for text in ("allocator/a.cc | line 2; | because\n", "allocator/a.cc | line 2; | because | x\n"):
            with self.assertRaises(SystemExit) as refused:
                self.reasons(text)
            self.assertIn("reasons:1", str(refused.exception))

    def test_the_document_lists_each_region(self):
        text = unreached.document(self.files, self.reasons("allocator/a.cc | line 2; | schedules | two threads\n"), None)
        self.assertIn("| `a.cc:2-5` | `line 2;` | schedules | two threads |", text)
        self.assertIn("| `a.cc:8` | `line 8;` | not looked at |", text)

    def test_it_says_how_far_programs_alone_could_come(self):
        reasons = self.reasons("allocator/a.cc | line 8; | defensive | cannot happen\n")
        of_programs = {("allocator/a.cc", "line 2;"): ("no operation", "another spelling")}
        text = unreached.document(self.files, reasons, self.files, of_programs)
        self.assertIn("4 of 7 lines. With an operation for each of the 3 that have none, programs would reach 85.71 %; the other 1 no", text)
        self.assertIn("Of the 1 branches that they do not take, 0 are in these lines; the other 1 are second ways", text)
        self.assertIn("| no operation | 1 | 3 | 42.86 % | the language has no", text)
        self.assertIn("| `a.cc:2-5` | `line 2;` | no operation | another spelling |", text)

    def test_a_reason_of_programs_goes_with_its_line_too(self):
        text = "allocator/a.cc | line 2; | defensive | x\nallocator/a.cc | line 8; | defensive | x\n"
        said = list(unreached.complaints(self.files, self.reasons(text), {("allocator/a.cc", "line 22;"): ("misuse", "x")}))
        self.assertEqual(said, ["docs/coverage_of_programs.txt: allocator/a.cc has no such line (any more): line 22;"])

    def test_the_reviewed_lists_can_be_read(self):
        reasons = unreached.read_reasons(ROOT / "docs" / "coverage_reasons.txt")
        of_programs = unreached.read_reasons(ROOT / "docs" / "coverage_of_programs.txt", unreached.KINDS_OF_PROGRAMS)
        self.assertEqual(reasons.keys() & of_programs.keys(), set())


if __name__ == "__main__":
    unittest.main()
