"""`assay fuzz --engine afl` from outside: the same summary, findings and corpus as with libFuzzer."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import unittest

from tool import BUILD, TOOL, ToolTest, library


def without_seeds(folder):
    """A tool beside a target that has no seeds: what it finds, afl-fuzz has found with our mutation."""
    for part in ("bin", "lib"):
        (folder / part).mkdir()
    for name in ("assay", "alloc_ops"):
        shutil.copy2(BUILD / "bin" / name, folder / "bin" / name)
    shutil.copy2(library("alloc_ops_mutator"), folder / "lib")
    return folder / "bin" / "assay"


def processes_that_name(word):
    return [path.parent.name for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")
            if path.exists() and str(word).encode() in path.read_bytes()]


def shared_memory():
    return len(pathlib.Path("/proc/sysvipc/shm").read_text().splitlines())


class Afl(ToolTest):
    def hunt(self, *arguments, seconds="15", status=None, **options):
        return self.run_json("fuzz", "alloc_ops", "--engine", "afl", "--seconds", seconds, "--seed", "1", *arguments, status=status, **options)

    def assert_replays(self, finding):
        text = pathlib.Path(finding["text"])
        self.assertIn("expect: " + finding["token"], text.read_text())
        self.assertTrue(pathlib.Path(finding["file"]).is_file())
        self.assertEqual(self.run_json("replay", str(text), status=1)["files"][0]["token"], finding["token"])

    def test_our_own_is_clean_stable_and_resumes(self):
        row = self.hunt(seconds="30", status=0)["targets"][0]
        self.assertEqual((row["name"], row["subject"], row["engine"], row["violations"]), ("alloc_ops", "ximalloc", "afl", 0))
        self.assertGreaterEqual(row["allocator_counters"], 600)
        self.assertGreater(row["allocator_counters_hit"], 300)
        self.assertGreaterEqual(row["stability"], 99.0)
        corpus = self.folder / "work" / "corpus" / "alloc_ops"
        kept = sorted(corpus.iterdir())
        self.assertGreater(len(kept), 3)
        self.assertTrue(all(path.name.startswith("afl-") for path in kept))
        # The next hunt begins with them, and keeps none twice.
        again = self.hunt(seconds="15", status=0)["targets"][0]
        self.assertGreaterEqual(again["corpus_files"], len(kept))
        self.assertGreater(again["programs"], len(kept))

    def test_schedules_are_stable(self):
        row = self.run_json("fuzz", "mt_ops", "--flavour", "afl", "--seconds", "25", status=0)["targets"][0]
        self.assertEqual((row["engine"], row["mode"], row["violations"]), ("afl", "schedule", 0))
        self.assertGreaterEqual(row["stability"], 99.0)

    def test_fault_in_a_seed_is_caught_and_replays(self):
        answer = self.hunt("--subject", library("faulty_crash"), status=1)
        self.assertEqual(len(answer["findings"]), 1)
        self.assertEqual(answer["findings"][0]["oracle"], "crash")
        self.assert_replays(answer["findings"][0])

    def test_fault_is_hunted_down_without_seeds(self):
        tool = without_seeds(self.folder)
        env = dict(os.environ, ASSAY_ROOT=str(self.folder))
        words = [tool, "fuzz", "alloc_ops", "--engine", "afl", "--seconds", "60", "--seed", "1", "--subject", library("faulty_overlap")]
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("VIOLATION overlap", done.stdout)
        kept = next((self.folder / "work" / "findings").glob("*.ops"))
        self.run_tool("replay", str(kept), status=1)
        self.assertTrue((self.folder / "work" / "corpus").is_dir())

    def test_find_that_needs_its_past(self):
        # Overlaps from the 3,000th allocation of a process on: no single program shows it.
        finding = self.hunt("--subject", library("faulty_stateful"), seconds="60", status=1, timeout=300)["findings"][0]
        self.assertEqual((finding["oracle"], finding["times_seen"]), ("overlap", 3))
        self.assert_replays(finding)

    def test_find_of_the_engine_that_needs_its_past(self):
        # The process that ran the programs before it is gone when the next one starts: what it has left must not be overwritten.
        builds = self.folder / "build"
        (builds / "afl").mkdir(parents=True)
        (builds / "release").symlink_to(BUILD.parent / "release")
        tool = without_seeds(builds / "afl")
        done = subprocess.run([tool, "fuzz", "alloc_ops", "--engine", "afl", "--seconds", "60", "--seed", "1", "--subject", library("faulty_stateful"), "--json"],
                              cwd=self.folder, env=dict(os.environ, ASSAY_ROOT=str(self.folder)), capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        finding = json.loads(done.stdout)["findings"][0]
        self.assertEqual((finding["oracle"], finding["times_seen"]), ("overlap", 3))
        self.assertIn("kept with it, and so seen in 3 of 3 fresh processes.", done.stderr)

    def test_known_token_does_not_count(self):
        fault = library("faulty_alignment")
        tokens = {finding["token"] for finding in self.hunt("--subject", fault, "--keep-going", seconds="10", status=1)["findings"]}
        known = self.write("known.txt", "\n".join(tokens) + "\n")
        again = self.hunt("--subject", fault, "--keep-going", "--known", known, seconds="10")
        self.assertFalse(tokens & {finding["token"] for finding in again["findings"]})

    def test_a_killed_driver_leaves_nothing(self):
        before = shared_memory()
        env = dict(os.environ, ASSAY_ROOT=str(self.folder))
        running = subprocess.Popen([TOOL, "fuzz", "alloc_ops", "--engine", "afl", "--jobs", "2", "--seconds", "100"], env=env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while len(processes_that_name("job1")) < 1 and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(3)
        self.assertTrue(processes_that_name(self.folder))
        running.send_signal(signal.SIGKILL)
        running.wait()
        deadline = time.monotonic() + 10
        while (processes_that_name(self.folder) or shared_memory() > before) and time.monotonic() < deadline:
            time.sleep(0.2)
        self.assertFalse(processes_that_name(self.folder))
        self.assertLessEqual(shared_memory(), before)

    def test_refuses_what_does_not_fit(self):
        self.assertIn("does not run flavour fuzz", self.assert_refused("fuzz", "--engine", "afl", "--flavour", "fuzz"))
        self.assertIn("does not run flavour afl", self.assert_refused("fuzz", "--engine", "libfuzzer"))
        for target, words in (("floor_fuzz", "it was not instrumented"), ("foreign_fuzz", "only allocator/ may have them")):
            with self.subTest(target):
                done = subprocess.run([BUILD / "bin" / target, "-1"], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
