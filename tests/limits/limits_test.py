"""The allocator as it ships, in a process that may have little: address space (RLIMIT_AS), writable memory (RLIMIT_DATA,
which refuses what strict overcommit would, for one process), places in the table of mappings. The conformance tests pass
there, and real programs do on the preloaded library what they do without it.

usage: limits_test.py BUILD (a release build)

vm.overcommit_memory=2 itself is for a whole machine, on which no sanitizer would start any more: it is not set here. Where it
is set, these tests run under it as they are."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD = Path(sys.argv.pop()).resolve() if len(sys.argv) > 1 else Path("build/release").resolve()
TESTS = BUILD / "bin" / "conformance_tests"
LIBRARY = BUILD / "lib" / "libximalloc.so"
MIB = 1 << 20


def run(words, limits=(), environment=None, **options):
    """The finished process under the limits, words for prlimit(1)."""
    words = ["prlimit", *limits, *map(str, words)] if limits else [str(word) for word in words]
    return subprocess.run(words, capture_output=True, timeout=120, check=False, env={**os.environ, **(environment or {})},
                          **options)


class Conformance(unittest.TestCase):
    def passes(self, limits=(), environment=None):
        done = run([TESTS, "--gtest_filter=*/ximalloc_*", "--gtest_brief=1"], limits, environment)
        text = done.stdout.decode()
        self.assertEqual(done.returncode, 0, text + done.stderr.decode())
        self.assertRegex(text, "[1-9][0-9]+ tests? from")

    def test_address_space(self):
        for mib in (64, 256):
            with self.subTest(mib=mib):
                self.passes([f"--as={mib * MIB}"])

    def test_writable_memory(self):
        self.passes([f"--data={64 * MIB}"])

    def test_few_places_for_mappings(self):
        for left in (400, 20):
            with self.subTest(left=left):
                self.passes(environment={"ASSAY_MAPS_LEFT": str(left)})

    def test_the_limits_are_limits(self):
        for limits, environment in (([f"--as={24 * MIB}"], {}), ([f"--data={8 * MIB}"], {}),
                                    ([], {"ASSAY_MAPS_LEFT": "0"})):
            with self.subTest(limits=limits, environment=environment):
                self.assertNotEqual(run([TESTS, "--gtest_filter=*/ximalloc_*"], limits, environment).returncode, 0)


class RealPrograms(unittest.TestCase):
    """What they print is what they print without the library."""

    def same(self, words, limits):
        plain = run(words)
        under = run(["env", f"LD_PRELOAD={LIBRARY}", *words], limits)
        self.assertEqual(plain.returncode, 0)
        self.assertEqual((under.returncode, under.stdout), (0, plain.stdout), under.stderr.decode())

    def test_little_address_space(self):
        with tempfile.TemporaryDirectory(prefix="assay-limits-") as folder:
            lines = Path(folder) / "lines"
            lines.write_text("".join(f"{i * 2654435761 % 1000003:07d} line\n" for i in range(200_000)))
            for limit in (f"--as={64 * MIB}", f"--as={256 * MIB}", f"--data={64 * MIB}"):
                with self.subTest(limit=limit):
                    self.same(["sort", "-S", "8M", "-T", folder, "--parallel=2", lines], [limit])
                    self.same(["perl", "-e", "my %h; $h{$_ % 5000} .= 'x' for 1..200000; print scalar(%h), length($h{7})"], [limit])


if __name__ == "__main__":
    unittest.main()
