"""Named workloads from outside: each prints a program, which is clean on every allocator, in text order and with its
threads at the same time."""

import pathlib
import unittest

from tool import ToolTest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ["trie_storm", "cow_trie", "bucketed_intern", "bulk_two_phase", "larson", "xmalloc", "cache_scratch", "mstress",
         "pairs", "mixed", "xpipe", "xring", "swiss_cheese"]
# What of each is a seed, as large as bytes can be; swiss_cheese has too many blocks.
SEEDS = {"trie_storm": 6, "cow_trie": 40, "bucketed_intern": 100, "bulk_two_phase": 1, "larson": 3, "xmalloc": 6,
         "cache_scratch": 30, "mstress": 4, "pairs": 60, "mixed": 60, "xpipe": 40, "xring": 12}


class Generate(ToolTest):
    def generated(self, name, *options):
        path = self.folder / f"{name}.ops"
        self.run_tool("generate", name, *options, "-o", str(path), status=0)
        return path

    def test_usual_ones_are_clean(self):
        files = [str(self.generated(name)) for name in NAMES]
        answer = self.run_json("replay", *files, "--subject", "ximalloc", "--subject", "libc", status=0, timeout=300)
        for row in answer["files"]:
            self.assertEqual((row["verdict"], row["skipped"]), ("clean", 0), row)
            self.assertGreaterEqual(row["operations"], 200, row)

    def test_threads_at_the_same_time(self):
        files = [str(self.generated(name, "--mode", "free")) for name in NAMES if name != "swiss_cheese"]
        files.append(str(self.generated("swiss_cheese", "--mode", "free", "--threads", "2", "--rounds", "2")))
        answer = self.run_json("replay", *files, "--subject", "ximalloc", "--subject", "libc", status=0, timeout=300)
        self.assertEqual(answer["mode"], "free")
        for row in answer["files"]:
            self.assertEqual((row["verdict"], row["skipped"]), ("clean", 0), row)

    # The number at which an allocator once broke; its blocks are as many as the reports say.
    def test_a_storm_of_a_thousand_threads(self):
        storm = self.generated("trie_storm", "--threads", "1000", "--rounds", "1", "--mode", "free")
        row = self.run_json("replay", str(storm), status=0, timeout=300)["files"][0]
        self.assertEqual((row["verdict"], row["operations"]), ("clean", 23_000))

    def test_text_on_stdout_is_the_file(self):
        path = self.generated("xring", "--threads", "2", "--rounds", "3", "--seed", "7")
        words = ("generate", "xring", "--threads", "2", "--rounds", "3", "--seed", "7")
        self.assertEqual(self.run_tool(*words, status=0).stdout, path.read_text())
        self.assertEqual(self.run_json(*words, status=0)["output"], path.read_text())
        self.assertEqual(path.read_text().splitlines()[1], "# ./assay generate xring --threads 2 --rounds 3 --seed 7")
        # But for the comment it is canonical.
        shown = self.run_tool("show", str(path), status=0).stdout
        self.assertEqual(shown, "".join(line for line in path.read_text().splitlines(True) if line[0] != "#"))

    def test_seeds_are_what_they_were_made_from(self):
        for name, rounds in SEEDS.items():
            made = self.generated(name, "--threads", "3", "--rounds", str(rounds), "--seed", "1")
            seed = ROOT / "corpus/alloc_ops" / f"workload-{name}.ops"
            self.assertEqual(seed.read_text(), made.read_text(), seed)
            self.run_tool("encode", str(seed), "-o", str(self.folder / "bytes"), status=0)

    # swiss_cheese is as large as bytes can hold only when it is written by hand.
    def test_small_ones_are_seeds_of_threads_too(self):
        for name in SEEDS:
            seed = ROOT / "fuzz/mt_ops/seeds" / f"workload-{name}.ops"
            text = seed.read_text()
            command = text.splitlines()[1].removeprefix("# ./assay ").split()
            self.assertEqual(self.run_tool(*command, status=0).stdout, text, seed)

    def test_those_over_heaps_are_seeds_of_heap_api(self):
        seeds = sorted((ROOT / "fuzz/heap_api/seeds").glob("workload-*.ops"))
        self.assertEqual(len(seeds), 5)
        for seed in seeds:
            text = seed.read_text()
            command = text.splitlines()[1].removeprefix("# ./assay ").split()
            self.assertEqual(self.run_tool(*command, status=0).stdout, text, seed)
            self.run_json("replay", str(seed), status=0)

    def test_refusals(self):
        for words, message in (
                (("nothing",), "unknown workload 'nothing' (here: trie_storm "),
                ((), "NAME"),
                (("larson", "--threads", "0"), "threads"),
                (("larson", "--threads", "1023"), "threads"),
                (("larson", "--rounds", "0"), "rounds"),
                (("larson", "--rounds", "100001"), "rounds"),
                (("larson", "--rounds", "-1"), "rounds"),
                (("larson", "--mode", "sideways"), "sideways"),
                (("larson", "-o", "nowhere/out"), "nowhere/out: cannot be written"),
                (("larson", "-o", str(self.folder)), "Is a directory")):
            self.assertIn(message, self.assert_refused("generate", *words))


if __name__ == "__main__":
    unittest.main()
