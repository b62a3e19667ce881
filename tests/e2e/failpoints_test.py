"""libassay_failpoints.so, preloaded into programs that know nothing of it, and one that marks where counting begins."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from tool import library

SHIM = library("assay_failpoints")
MARKED = r"""
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
__attribute__((weak)) void assay_failpoints_begin(void);
__attribute__((weak)) void assay_failpoints_end(void);
static int maps(void) {
  return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}
int main(void) {
  int got = maps();
  if (assay_failpoints_begin) assay_failpoints_begin();
  got = got << 1 | maps();
  got = got << 1 | maps();
  if (assay_failpoints_end) assay_failpoints_end();
  got = got << 1 | maps();
  printf("%d\n", got);
  return 0;
}
"""


@unittest.skipUnless(os.access(SHIM, os.R_OK), "libassay_failpoints.so is not built here")
class Preloaded(unittest.TestCase):
    def run_with(self, plan, *command, start="start"):
        environment = dict(os.environ, LD_PRELOAD=SHIM, ASSAY_FAILPOINTS=plan, ASSAY_FAILPOINTS_FROM=start)
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def marked(self):
        folder = tempfile.TemporaryDirectory(prefix="assay-shim-")
        self.addCleanup(folder.cleanup)
        source = pathlib.Path(folder.name, "marked.c")
        source.write_text(MARKED, encoding="utf-8")
        program = str(source.with_suffix(""))
        subprocess.run(["cc", "-o", program, str(source)], check=True)
        return program

    def test_calls_are_counted_from_the_marker_to_its_end(self):
        program = self.marked()
        for plan, answer in (("mmap#1", "11"), ("mmap#2", "13"), ("mmap#3", "15"), ("mmap#1+", "9"), ("munmap#1", "15")):
            done = self.run_with(plan, program, start="marker")
            self.assertEqual((done.returncode, done.stdout.strip()), (0, answer), (plan, done.stderr))
        self.assertIn("assay_failpoints: mmap 2, did not come: munmap#1", done.stderr)

    def test_a_program_that_knows_nothing_of_it(self):
        sound = self.run_with("mremap#60000", "sort", "/etc/passwd")
        self.assertEqual(sound.returncode, 0, sound.stderr)
        self.assertRegex(sound.stderr, r"assay_failpoints:.* mmap \d+.*did not come: mremap#60000")
        broken = self.run_with("mmap#1+, brk#1+", "sort", "/etc/passwd")
        self.assertEqual(broken.returncode, 2, broken.stderr)
        self.assertIn("memory exhausted", broken.stderr)

    def test_what_is_wrong_is_said_in_one_line(self):
        for plan, start, words in (
            ("mmmap#1", "start", "unknown call 'mmmap'"),
            ("thread_create#1", "start", "no system call"),
            ("mmap#1", "end", "neither start nor marker"),
            (", ".join(["mmap#1"] * 17), "start", "more than 16"),
        ):
            done = self.run_with(plan, "true", start=start)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
