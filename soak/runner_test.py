"""The runner from its start to its verdict, with stand-ins for the tools: what it keeps, what it refuses, and a disk that fills up."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

import runner as runner_module
from campaign import Campaign
from findings import Findings
from guard import processes_of

SOAK = pathlib.Path(__file__).resolve().parent


class Runner(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="assay-runner-", ignore_cleanup_errors=True)
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name).resolve()
        self.folder, self.plan, self.builds = self.scratch / "campaign", self.scratch / "plan", self.scratch / "build"
        self.plan.mkdir()
        (self.builds / "fuzz" / "corpus" / "alloc_ops").mkdir(parents=True)
        programs = self.builds / "fuzz" / "bin"
        programs.mkdir()
        for name in ("assay", "alloc_ops"):
            shutil.copy(SOAK / "testing" / "stand_in.py", programs / name)

    def plan_for(self, *names):
        for name in names:
            (self.plan / name).touch()

    def start(self, seconds, **environment):
        log = open(self.scratch / "log", "ab")
        self.addCleanup(log.close)
        runner = subprocess.Popen([sys.executable, SOAK / "runner.py", str(seconds), self.folder], stdout=log, stderr=log,
                                  env=dict(os.environ, ASSAY_BUILDS=str(self.builds), PLAN=str(self.plan), ASSAY_SOAK_SPACE="1048576", **environment))
        self.addCleanup(runner.wait)
        self.addCleanup(runner.kill)
        return runner

    def said(self):
        return (self.scratch / "log").read_text(encoding="utf-8")

    def finish(self, runner, status):
        self.assertEqual(runner.wait(timeout=240), status, self.said())

    def wait_until(self, holds, what, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds():
                return
            time.sleep(0.05)
        self.fail(f"{what}\n{self.said()}")

    def state(self):
        return json.loads((self.folder / "campaign.json").read_text(encoding="utf-8"))


class RunnerTest(Runner):
    def test_silence_is_clean_when_the_canary_was_found(self):
        self.finish(self.start(3), 0)
        self.assertIn("VERDICT clean", self.said())
        self.assertGreater(self.state()["lanes"]["alloc_ops@fuzz-sequential"]["programs"], 0)

    def test_something_is_hunted_whatever_else_takes_long(self):
        self.plan_for("slow")
        runner = self.start(30)
        self.wait_until(lambda: list(self.folder.glob("corpus/*/*")), "nothing is hunted")
        self.assertIn("canary not hunted yet", self.said())
        runner.send_signal(signal.SIGTERM)
        self.finish(runner, 1)

    def test_a_canary_that_survives_fails_the_campaign(self):
        self.plan_for("survives")
        self.finish(self.start(3), 1)
        self.assertIn("VERDICT failed: the canary was not found", self.said())
        self.assertGreaterEqual(self.state()["canary"]["programs"], runner_module.CANARY_PROGRAMS)
        self.assertGreater(self.said().count("canary: MISSED"), 1, "it was not looked for again")

    def test_a_canary_that_had_no_time_proves_nothing(self):
        self.plan_for("survives", "busy")
        self.finish(self.start(3), 1)
        self.assertRegex(self.said(), r"VERDICT not proven: the canary had 10 of \d\d\d,000 programs")

    def test_a_canary_that_is_found_at_the_second_look_will_do(self):
        self.plan_for("survives")
        runner = self.start(8)
        self.wait_until(lambda: "canary: MISSED" in self.said(), "no canary")
        (self.plan / "survives").unlink()
        self.finish(runner, 0)

    def test_an_engine_that_dies_fails_the_campaign(self):
        self.plan_for("die")
        self.finish(self.start(3), 1)
        self.assertRegex(self.said(), "VERDICT (failed|unknown)")
        # Not again and again at once.
        self.assertEqual(self.said().count("killed by the plan"), 1)

    def test_a_find_is_kept_and_made_short(self):
        self.plan_for("finds")
        self.finish(self.start(4), 1)
        row, = Findings(self.folder).all()
        self.assertEqual((row["token"], row["status"], row["operations"]), ("contents-realloc--", "new", 2))
        short = self.folder / row["minimised"]
        self.assertTrue((self.folder / row["program"]).exists() and short.exists() and short.with_suffix(".plain").exists())
        self.assertEqual((row["symptom"], row["shape"]), ("contents-resize--", "allocate"))

    def test_the_second_runner_in_a_folder_is_refused_and_the_first_goes_on(self):
        first = self.start(4)
        self.wait_until(lambda: (self.folder / "campaign.json").exists(), "no campaign began")
        before = self.said()
        second = self.start(4)
        self.finish(second, 2)
        self.assertRegex(self.said().removeprefix(before), r"soak: .*a campaign is running here already \(process \d+\)\n")
        self.finish(first, 0)

    def test_what_a_killed_runner_had_not_noted_is_taken_up(self):
        self.plan_for("finds")
        for _ in range(5):
            runner = self.start(60)
            self.wait_until(lambda: list(self.folder.glob("corpus/*/*")), "no corpus")
            time.sleep(random.uniform(0, 1.5))
            runner.send_signal(signal.SIGKILL)
            runner.wait()
            self.wait_until(lambda pid=runner.pid: not processes_of(pid), "a child outlived its runner")
        # As if it had been killed between what the tool wrote and what the runner notes.
        (self.folder / "findings").mkdir(exist_ok=True)
        (self.folder / "findings" / "alloc_ops-crash-free-x.ops").write_text("assay 1\np0 = malloc(1)\n")
        (self.folder / "findings" / "kept").mkdir(exist_ok=True)
        (self.folder / "findings" / "kept" / "7-lane.ops").write_text("assay 1\np0 = malloc(2)\n")
        self.finish(self.start(4), 1)
        texts = {(self.folder / program).read_text(encoding="utf-8") for program in Findings(self.folder).programs()}
        self.assertLessEqual({"assay 1\np0 = malloc(1)\n", "assay 1\np0 = malloc(2)\n"}, texts)


class FullDiskTest(Runner):
    """On a disk of 4 MiB, which takes root to make."""

    def setUp(self):
        super().setUp()
        self.folder.mkdir()
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "assay", self.folder], capture_output=True, check=False).returncode:
            self.skipTest("a small disk cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.folder], check=False)

    def fill(self):
        with open(self.folder / "filler", "ab", buffering=0) as stream:
            try:
                while True:
                    stream.write(b"x" * 4096)
            except OSError:
                pass

    def test_one_that_is_full_from_the_start_is_refused_in_a_line(self):
        self.fill()
        runner = self.start(60)
        self.finish(runner, 2)
        self.assertRegex(self.said(), r"^soak: .*: No space left on device\n$")

    def test_what_cannot_be_written_now_is_written_later(self):
        campaign = Campaign(self.folder)
        self.addCleanup(campaign.close)
        with mock.patch.dict(os.environ, ASSAY_BUILDS=str(self.builds), ASSAY_SOAK_SPACE="1048576"):
            runner = runner_module.Runner(60, campaign, Findings(self.folder))
        find = self.scratch / "find.ops"
        find.write_text("assay 1\n" + "p0 = malloc(1)\n" * 1000, encoding="utf-8")
        self.fill()
        runner.keep("lane", "crash-free-x", "crash", find, 3, 3)
        self.assertEqual((len(runner.unkept), runner.findings.all(), list(self.folder.glob("findings/kept/*"))), (1, [], []))
        self.assertTrue(runner.space.missing)
        (self.folder / "filler").unlink()
        runner.keep_waiting()
        self.assertEqual(runner.unkept, [])
        self.assertEqual((self.folder / runner.findings.all()[0]["program"]).read_bytes(), find.read_bytes())

    def test_a_find_on_a_full_disk_is_not_lost(self):
        self.plan_for("finds")
        runner = self.start(60)
        self.wait_until(lambda: list(self.folder.glob("corpus/*/*")), "no corpus")
        self.assertTrue((self.folder / "reserve").exists())
        self.fill()
        self.wait_until(lambda: not (self.folder / "reserve").exists(), "the reserve was not given up")
        self.fill()
        self.wait_until(lambda: "no space left" in self.said(), "nothing was said of it")
        time.sleep(2)
        self.assertIsNone(runner.poll(), self.said())
        (self.folder / "filler").unlink()
        self.wait_until(lambda: (self.folder / "findings.sqlite").exists() and Findings(self.folder).all(), "the find is lost")
        # A find that was kept without room for its row is taken up without a token, until it is replayed.
        self.wait_until(lambda: Findings(self.folder).all()[0]["token"], "the find has no token")
        self.wait_until((self.folder / "reserve").exists, "no new reserve")
        runner.send_signal(signal.SIGTERM)
        self.finish(runner, 1)
        self.assertEqual(Findings(self.folder).all()[0]["token"], "contents-realloc--")
        self.assertTrue(self.state()["now"]["ended"])


if __name__ == "__main__":
    unittest.main()
