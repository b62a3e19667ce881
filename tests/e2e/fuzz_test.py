"""`assay fuzz` from outside: sound allocators stay clean, faulty ones are caught, and what is kept replays."""

import os
import pathlib
import signal
import subprocess
import time
import unittest

from tool import BUILD, TOOL, ToolTest, library, worker


class Fuzz(ToolTest):
    def hunt(self, *arguments, seconds="30", status=None, **options):
        return self.run_json("fuzz", "alloc_ops", "--seconds", seconds, "--seed", "1", *arguments, status=status, **options)

    def hunt_for(self, oracle, fault, **options):
        """The finding of that oracle: others may be as true, since the child of a fork meets the fault, too."""
        answer = self.hunt("--subject", library(fault), "--keep-going", seconds="10", status=1, **options)
        self.assertEqual(answer["verdict"], "violation")
        by_oracle = {finding["oracle"]: finding for finding in answer["findings"]}
        self.assertIn(oracle, by_oracle)
        return by_oracle[oracle]

    def assert_replays(self, finding):
        text = pathlib.Path(finding["text"])
        self.assertTrue(text.is_file())
        self.assertTrue(pathlib.Path(finding["file"]).is_file())
        self.assertIn("expect: " + finding["token"], text.read_text())
        # No option: the header says what it needs.
        entry = self.run_json("replay", str(text), status=1)["files"][0]
        self.assertEqual(entry["token"], finding["token"])

    def test_our_own_is_clean_and_resumes(self):
        first = self.hunt(seconds="6", status=0)
        self.assertEqual(first["findings"], [])
        row = first["targets"][0]
        self.assertEqual((row["name"], row["subject"], row["engine"], row["violations"]),
                         ("alloc_ops", "ximalloc", "libfuzzer", 0))
        self.assertGreater(row["programs"], 500)
        self.assertGreaterEqual(row["allocator_counters"], 600)
        self.assertGreater(row["allocator_counters_hit"], 300)
        self.assertGreater(row["mean_operations"], 5)
        self.assertGreater(row["mix"]["malloc"], 0)
        kept = row["corpus_files"]
        self.assertGreater(kept, 20)
        self.assertGreaterEqual(self.hunt(seconds="4", status=0)["targets"][0]["corpus_files"], kept)

    def test_threads_that_run_at_once_are_clean(self):
        row = self.run_json("fuzz", "mt_ops", "--seconds", "5", "--seed", "1", status=0)["targets"][0]
        self.assertEqual((row["name"], row["mode"], row["violations"]), ("mt_ops", "free", 0))
        self.assertGreater(row["programs"], 100)
        self.assertGreater(row["allocator_counters_hit"], 300)

    def test_heaps_and_arenas_are_clean(self):
        row = self.run_json("fuzz", "heap_api", "--seconds", "6", "--seed", "1", status=0)["targets"][0]
        self.assertEqual((row["name"], row["mode"], row["violations"]), ("heap_api", "sequential", 0))
        self.assertGreater(row["programs"], 100)
        self.assertGreater(row["allocator_counters_hit"], 400)
        for operation in ("heap_new", "heap_malloc", "heap_destroy", "heap_delete", "manage_os_memory_ex", "option_set"):
            self.assertGreater(row["mix"].get(operation, 0), 0, operation)

    def test_faulty_one_is_caught_and_replays(self):
        finding = self.hunt_for("overlap", "faulty_overlap")
        self.assertEqual((finding["times_seen"], finding["times_run"]), (3, 3))
        self.assert_replays(finding)
        report = self.run_tool("fuzz", "alloc_ops", "--seconds", "20", "--subject", library("faulty_overlap"), status=1).stdout
        command = next(line for line in report.splitlines() if line.startswith("replay:")).split("./assay ", 1)[1]
        self.run_tool(*command.split(), status=1)

    def test_crash_is_caught_and_replays(self):
        self.assert_replays(self.hunt_for("crash", "faulty_crash"))

    def test_first_find_ends_the_hunt(self):
        answer = self.hunt("--subject", library("faulty_overlap"), seconds="60", status=1, timeout=40)
        self.assertEqual(len(answer["findings"]), 1)

    def test_find_that_needs_its_past(self):
        # Overlaps from the 3,000th allocation of a process on: no single program shows it.
        finding = self.hunt("--subject", library("faulty_stateful"), status=1, timeout=300)["findings"][0]
        self.assertEqual(finding["oracle"], "overlap")
        self.assertEqual(finding["times_seen"], 3)
        self.assert_replays(finding)

    @unittest.skipUnless(worker(), "no plain worker executable")
    def test_preloaded_one_is_caught(self):
        environment = {"ASSAY_WORKER": worker()}
        self.hunt_for("overlap", "faulty_preload", environment=environment)

    def test_sound_library_is_clean_and_guided(self):
        row = self.hunt("--subject", library("toy_malloc"), seconds="6", status=0)["targets"][0]
        self.assertEqual(row["allocator_counters_hit"], 0)
        self.assertGreater(row["edges"], 100)
        self.assertGreater(row["corpus_files"], 20)

    def test_known_token_does_not_count(self):
        fault = library("faulty_alignment")
        first = self.hunt("--subject", fault, "--keep-going", seconds="5", status=1)
        tokens = [finding["token"] for finding in first["findings"]]
        self.assertEqual(len(tokens), len(set(tokens)))
        known = self.write("known.txt", "\n".join(tokens) + "\n")
        again = self.hunt("--subject", fault, "--keep-going", "--known", known, seconds="5")
        self.assertFalse(set(tokens) & {finding["token"] for finding in again["findings"]})

    def test_interrupt_gives_the_summary_and_leaves_no_child(self):
        env = dict(os.environ, ASSAY_ROOT=str(self.folder))
        running = subprocess.Popen([TOOL, "fuzz", "--seconds", "100"], env=env, stdout=subprocess.PIPE, text=True)
        time.sleep(4)
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=30)
        self.assertEqual(running.returncode, 0)
        self.assertIn("programs in", out)
        commands = [path.read_bytes() for path in pathlib.Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        self.assertFalse([line for line in commands if str(self.folder).encode() in line])

    def test_refuses_what_would_lead_it_astray(self):
        for target, words in (("floor_fuzz", "it was not instrumented"), ("foreign_fuzz", "only allocator/ may have them")):
            with self.subTest(target):
                done = subprocess.run([BUILD / "bin" / target, "-runs=1"], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
