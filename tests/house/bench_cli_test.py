"""`assay bench`: its keys, its refusals. Needs the release flavour; exit 77 without."""
import json
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "build/release/bin/assay"
PROGRAM = ROOT / "build/release/bin/bench_workload"
KEYS = {"name", "allocator", "runs", "seconds_median", "seconds_p25", "seconds_p75", "cpu_seconds_median",
        "peak_rss_kib_median", "minor_faults", "system_calls", "instructions"}


def bench(*arguments):
    run = subprocess.run([TOOL, "bench", "--json", *arguments], capture_output=True, text=True, check=False, timeout=250)
    return run.returncode, json.loads(run.stdout)


class Bench(unittest.TestCase):
    def test_each_workload_on_each_allocator_is_a_row(self):
        status, answer = bench("pairs-16", "mixed", "--against", "ximalloc,libc", "--runs", "2")
        self.assertEqual(status, 0, answer)
        rows = answer["workloads"]
        self.assertEqual([(row["name"], row["allocator"]) for row in rows],
                         [("pairs-16", "ximalloc"), ("pairs-16", "libc"), ("mixed", "ximalloc"), ("mixed", "libc")])
        for row in rows:
            self.assertLessEqual(KEYS, set(row))
            self.assertEqual(row["runs"], 2)
            self.assertLessEqual(row["seconds_p25"], row["seconds_median"])
            self.assertLessEqual(row["seconds_median"], row["seconds_p75"])
            self.assertGreater(row["peak_rss_kib_median"], 500)

    def test_workloads_of_threads_run_and_are_not_counted(self):
        names = ["swiss_cheese", "larson-4", "xmalloc-4", "cache_scratch-4", "mstress-8", "cow_trie-4",
                 "bulk_two_phase-4", "trie_storm-1000"]
        status, answer = bench(*names, "--against", "ximalloc", "--runs", "1", "--instructions")
        self.assertEqual(status, 0, answer)
        self.assertEqual([row["name"] for row in answer["workloads"]], names)
        for row in answer["workloads"]:
            self.assertIsNone(row["instructions"])
            self.assertGreater(row["system_calls"], 5)
            self.assertGreater(row["cpu_seconds_median"], 0)

    def test_the_program_refuses_what_it_does_not_know(self):
        for words in ([], ["pairs-16"], ["pairs-", "5"], ["pairs-0", "5"], ["mixed-4", "5"], ["xmalloc-1", "5"],
                      ["trie_storm-1025", "5"], ["larson-4", "many"]):
            run = subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 2, words)
            self.assertIn("usage: bench_workload NAME OPERATIONS", run.stderr)

    def test_what_is_not_here_is_refused(self):
        for arguments, message in ((["frobnicate"], "unknown workload 'frobnicate'"),
                                   (["pairs-16", "--against", "frobnicate"], "'frobnicate' is not installed"),
                                   (["pairs-16", "--against", "./missing.so"], "./missing.so: no such library")):
            status, answer = bench(*arguments)
            self.assertEqual((status, answer["verdict"]), (2, "error"))
            self.assertIn(message, answer["message"])

    def test_what_the_loader_ignores_is_not_measured(self):
        status, answer = bench("pairs-16", "--runs", "1", "--against", str(ROOT / "README.md"))
        self.assertEqual(status, 2)
        self.assertIn("README.md: is no library that can be preloaded", answer["message"])

    def test_real_programs_run_under_each_allocator(self):
        def run(*arguments):
            return subprocess.run([sys.executable, ROOT / "bench/real_programs.py", *arguments], capture_output=True,
                                  text=True, check=False)
        answer = run("--only", "perl", "--runs", "1", "--scale", "1", "--json")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        figures = json.loads(answer.stdout)["perl"]["allocators"]
        self.assertLessEqual({"ximalloc", "libc", "mimalloc", "jemalloc"}, set(figures))
        for row in figures.values():
            self.assertGreater(row["cpu_seconds"], 0)
            # Perl alone, and not the interpreter of this test.
            self.assertTrue(3 < row["peak_mib"] < 40, row)
        answer = run("--only", "frobnicate")
        self.assertEqual((answer.returncode, answer.stderr.count("\n")), (2, 1))


if __name__ == "__main__":
    if not TOOL.exists() or not PROGRAM.exists():
        print(f"{TOOL} is not there")
        sys.exit(77)
    unittest.main()
