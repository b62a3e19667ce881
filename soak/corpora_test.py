"""Corpora are made small in turn, without a moment at which a killed runner would lose one."""

import pathlib
import tempfile
import unittest
from unittest import mock

import corpora as corpora_module
from corpora import Corpora
from lanes import Lane


class Job:
    """Has ended; keeps every other program when it has ended well."""

    def __init__(self, corpus, fresh, status):
        self.status, self.timed_out = status, False
        if status == 0:
            for file in sorted(corpus.iterdir())[::2]:
                (fresh / file.name).write_bytes(file.read_bytes())

    def done(self):
        return True

    def last_words(self):
        return "the words of the job"


class CorporaTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="assay-corpora-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.scratch = self.folder / "run"
        self.scratch.mkdir()
        self.lanes = [Lane("alloc_ops", "fuzz", "sequential"), Lane("alloc_ops", "msan", "sequential"), Lane("mt_ops", "tsan", "free")]
        self.notes, self.status = {}, 0
        self.corpora = Corpora(self.folder, self.folder, self.lanes, self.notes, self.job)
        patched = mock.patch.object(corpora_module.commands, "merge_commands", lambda root, corpus, lane, fresh: [((corpus, fresh), {})])
        patched.start()
        self.addCleanup(patched.stop)

    def job(self, words, _limit, _log, _environment):
        return Job(*words, self.status)

    def grow(self, name, count):
        corpus = self.folder / "corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (corpus / f"{number:04}").write_bytes(b"x" * number)
        return corpus

    def start(self, *running, spent=5000.0):
        return self.corpora.start(running, self.scratch, spent)

    def test_one_that_has_grown_is_made_small_and_then_left_alone(self):
        corpus = self.grow("alloc_ops", 400)
        self.assertTrue(self.start())
        self.assertTrue(self.corpora.is_busy_with(self.lanes[1]))
        self.assertFalse(self.corpora.is_busy_with(self.lanes[2]))
        self.assertTrue(self.corpora.tend(5000.0))
        self.assertEqual(len(list(corpus.iterdir())), 200)
        self.assertFalse(self.start(spent=9999.0), "it has not grown since")
        self.grow("alloc_ops", 400)
        self.assertFalse(self.start(spent=5100.0), "too soon")
        self.assertTrue(self.start(spent=9999.0))

    def test_a_small_one_and_one_at_work_are_left_alone(self):
        self.grow("mt_ops", 100)
        self.assertFalse(self.start())
        self.grow("alloc_ops", 400)
        self.assertFalse(self.start(self.lanes[1]))

    def test_a_merge_that_fails_changes_nothing(self):
        corpus = self.grow("alloc_ops", 400)
        self.status = 1
        self.assertTrue(self.start())
        self.assertTrue(self.corpora.tend(5000.0))
        self.assertEqual(len(list(corpus.iterdir())), 400)
        self.assertFalse(self.start(spent=5100.0))

    def test_a_runner_killed_while_it_swapped_loses_nothing(self):
        corpus = self.grow("alloc_ops", 300)
        corpus.rename(corpus.with_name("alloc_ops.old"))
        self.corpora.recover()
        self.assertEqual(len(list(corpus.iterdir())), 300)
        self.grow("alloc_ops.old", 300)
        self.corpora.recover()
        self.assertFalse(corpus.with_name("alloc_ops.old").exists())
        self.assertEqual(len(list(corpus.iterdir())), 300)


if __name__ == "__main__":
    unittest.main()
