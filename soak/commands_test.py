"""What the lanes run: the programs that a search was given stay there until its next slice."""
import os
import pathlib
import tempfile
import unittest

import commands
from lanes import Lane

ROOT = pathlib.Path(__file__).resolve().parent.parent


class SearchTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.corpus = self.folder / "corpus" / "nothing_committed"
        self.corpus.mkdir(parents=True)
        (self.folder / "run").mkdir()

    def given(self, lane):
        words = commands.lane_command(lane, ROOT, self.folder, 5)
        return [word for word in words if isinstance(word, os.PathLike) and "held" in str(word)]

    def test_what_an_engine_takes_out_of_the_corpus_is_searched_all_the_same(self):
        lane = Lane("nothing_committed", "sched", "schedule", "explore")
        (self.corpus / "a").write_bytes(b"program")
        (self.corpus / "b").write_bytes(b"another")
        files = self.given(lane)
        for file in self.corpus.iterdir():
            file.unlink()
        self.assertEqual(sorted(file.read_bytes() for file in files), [b"another", b"program"])
        (self.corpus / "c").write_bytes(b"third")
        self.assertEqual([file.read_bytes() for file in self.given(lane)], [b"third"])
        self.assertFalse(files[0].exists())

    def test_what_goes_while_it_is_copied_is_left_out(self):
        (self.corpus / "a").write_bytes(b"program")
        kept = commands.held([self.corpus / "gone", self.corpus / "a"], self.folder / "run" / "held-x")
        self.assertEqual([file.name for file in kept], ["a"])

    def test_an_empty_corpus_is_nothing_to_do(self):
        self.assertIsNone(commands.lane_command(Lane("nothing_committed", "fuzz", "sequential", "sweep"), ROOT, self.folder, 5))


if __name__ == "__main__":
    unittest.main()
