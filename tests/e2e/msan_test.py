"""Flavour msan from outside: it starts, and nothing that the allocator reads, or gives as zeros, was never written.

That it would be seen is the mutant `double_free_false_positive`, which this flavour hunts in `./assay mutants`.
"""

import pathlib
import unittest

from tool import ToolTest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# For each target; the corpus is replayed as a whole besides.
HUNT_SECONDS = "10"


class Msan(ToolTest):
    def test_the_corpus_is_clean(self):
        files = sorted(str(file) for folder in ("corpus", "fuzz") for file in (ROOT / folder).glob("**/*.ops") if "regress" not in file.parts)
        answer = self.run_json("replay", "--flavour", "msan", *files, timeout=1800)
        self.assertEqual([(row["file"], row["token"]) for row in answer["files"] if row["verdict"] != "clean"], [])
        self.assertEqual((len(answer["files"]), answer["verdict"]), (len(files), "clean"))

    def test_hunts_start_and_are_clean(self):
        targets = {row["name"]: row for row in self.run_json(
            "fuzz", "alloc_ops", "heap_api", "mt_ops", "--flavour", "msan", "--seconds", str(3 * int(HUNT_SECONDS)), "--seed", "1", status=0)["targets"]}
        self.assertEqual(sorted(targets), ["alloc_ops", "heap_api", "mt_ops"])
        for name, row in targets.items():
            self.assertEqual((name, row["violations"]), (name, 0))
            self.assertGreater(row["programs"], 100, name)
            # The allocator's own counters, all of them: LLVM leaves marks among them for blocks that it removed.
            self.assertGreaterEqual(row["allocator_counters"], 600, name)
            self.assertGreater(row["allocator_counters_hit"], 300, name)


if __name__ == "__main__":
    unittest.main()
