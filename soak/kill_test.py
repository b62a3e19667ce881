"""A runner that is killed at any moment takes its children with it and loses no program of the corpus and no finding.

Hunts the allocator with the canary in it, so that there is something to find. Needs build/fuzz and takes minutes: behind ASSAY_FULL.
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from guard import processes_of

SOAK = pathlib.Path(__file__).resolve().parent
ROOT = SOAK.parent
SKIPPED = 77


class KillTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="assay-kill-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()

    def start(self, seconds):
        log = open(self.folder.parent / f"{self.folder.name}.log", "ab")
        self.addCleanup(log.close)
        return subprocess.Popen([sys.executable, SOAK / "runner.py", str(seconds), self.folder], stdout=log, stderr=log)

    def corpus(self):
        return {path.name for path in (self.folder / "corpus").glob("*/*")}

    def wait_for_corpus(self, least, seconds):
        end = time.monotonic() + seconds
        while len(self.corpus()) < least and time.monotonic() < end:
            time.sleep(0.2)
        self.assertGreaterEqual(len(self.corpus()), least)

    def test_killed_at_five_moments(self):
        lost = 0
        for number in range(5):
            runner = self.start(600)
            self.wait_for_corpus(1, 240)
            time.sleep(random.uniform(1, 20))
            seen = self.corpus()
            runner.send_signal(signal.SIGKILL)
            runner.wait()
            end = time.monotonic() + 10
            while processes_of(runner.pid) and time.monotonic() < end:
                time.sleep(0.05)
            self.assertEqual(processes_of(runner.pid), [], "a child outlived its runner")
            # The engine replaces a program by a shorter one that does the same: names go, their number does not.
            gone = max(0, len(seen) - len(self.corpus()))
            lost += gone
            print(f"kill {number + 1}: {len(self.corpus())} programs in the corpus, {gone} lost", flush=True)
            json.loads((self.folder / "campaign.json").read_text())
        self.assertEqual(lost, 0)
        # What was there is taken up by the next call.
        runner = self.start(20)
        self.addCleanup(runner.kill)
        time.sleep(15)
        runner.send_signal(signal.SIGTERM)
        self.assertIn(runner.wait(timeout=60), (0, 1))
        state = json.loads((self.folder / "campaign.json").read_text())
        self.assertTrue(state["now"]["ended"])
        self.assertEqual(processes_of(runner.pid), [])


if __name__ == "__main__":
    if not os.environ.get("ASSAY_FULL") or not (ROOT / "build" / "fuzz" / "bin" / "alloc_ops").exists():
        print("skipped: needs ASSAY_FULL and build/fuzz")
        sys.exit(SKIPPED)
    unittest.main()
