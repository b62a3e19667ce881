"""The fragmentation soak from outside: a leak is found, a sound allocator is steady."""

import os
import pathlib
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["ASSAY_BUILD"])
SOAK = BUILD / "bin" / "assay-fragmentation"
LEAKY = f"{BUILD / 'lib' / 'libleaky.so'}:leaky_"
EXAMPLE = pathlib.Path(__file__).with_name("example.csv")

# 8 MiB live, and 100 or 200 operations a second of the program's time. Where one free in so many forgets its block, resident
# memory (three times what is live, with libc) grows by about one percent an hour, and libc's heap wanders so much that it takes
# three days to be certain; the short run has a leak that is larger as the time is shorter.
DAYS, ONE_PERCENT = ["--hours", "72", "--live-mib", "8", "--rate", "200", "--fast"], "3500"
HOURS, MUCH = ["--hours", "3", "--live-mib", "8", "--rate", "100", "--fast"], "40"
FULL = bool(os.environ.get("ASSAY_FULL"))


class Fragmentation(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="assay-soak-")
        self.addCleanup(folder.cleanup)
        self.csv = pathlib.Path(folder.name) / "soak.csv"

    def soak(self, *words, status, environment=None):
        done = subprocess.run([SOAK, "-o", self.csv, *words], env=dict(os.environ, **(environment or {})), capture_output=True, text=True, timeout=580)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def assert_found(self, words, leak):
        done = self.soak(*words, "--subject", LEAKY, status=1, environment={"LEAK_ONE_IN": leak})
        self.assertIn("VIOLATION drift", done.stdout)
        # What was written says the same to who reads it later.
        self.assertIn("VIOLATION drift", self.soak("--judge", self.csv, status=1).stdout)

    def test_a_leak_is_found(self):
        self.assert_found(HOURS, MUCH)

    def test_the_same_without_the_leak_is_steady(self):
        self.assertIn("steady:", self.soak(*(DAYS if FULL else HOURS), "--subject", LEAKY, status=0).stdout)

    @unittest.skipUnless(FULL, "takes a minute")
    def test_a_leak_of_one_percent_an_hour_is_found(self):
        self.assert_found(DAYS, ONE_PERCENT)

    def test_the_example_of_the_documentation_is_steady(self):
        self.assertIn("steady:", self.soak("--judge", EXAMPLE, status=0).stdout)

    def test_a_short_one_has_no_verdict(self):
        self.assertIn("no verdict", self.soak("--hours", "0.1", "--live-mib", "8", "--rate", "100", "--fast", "--subject", "libc", status=0).stdout)

    def test_bad_input_is_refused_in_a_line(self):
        for words in (["--subject", "nothing"], ["--judge", __file__], ["--hours", "x"], ["-o", "/nowhere/x.csv"]):
            with self.subTest(words):
                done = self.soak(*words, status=2)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
