"""`assay mutants --patch` refuses what it cannot build before it hunts anything. Needs the fuzz flavour; exit 77 without."""
import fcntl
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "build/fuzz/bin/assay"
FILE = "allocator/api/realloc.cc"
FIRST_LINE = (ROOT / FILE).read_text().splitlines()[0]
# The hunted programs were compiled with it, and are not compiled again.
HEADER = "allocator/include/ximalloc.h"
HEADER_FIRST_LINE = (ROOT / HEADER).read_text().splitlines()[0]


def patch_of(file, old, new):
    return f"--- a/{file}\n+++ b/{file}\n@@ -1 +1,2 @@\n-{old}\n+{new}\n+{old}\n"


REFUSED = [
    ("not a patch at all\n", "no patch on allocator/"),
    (patch_of("tools/main.cc", "x", "y"), "not in allocator/"),
    (patch_of(FILE, "a line that is not there", "y"), "does not apply to allocator/"),
    (patch_of(FILE, FIRST_LINE, "this is no C++;"), "does not build: "),
    (patch_of(HEADER, HEADER_FIRST_LINE, ""), "changes a header that the harness includes"),
    ("# Expect: alloc_ops fuzz colour within=3\n" + patch_of(FILE, FIRST_LINE, ""), "unknown oracle 'colour'"),
]


class Refusals(unittest.TestCase):
    def test_each_is_one_line_and_status_2(self):
        for number, (text, message) in enumerate(REFUSED):
            with self.subTest(message=message), tempfile.TemporaryDirectory() as folder:
                patch = Path(folder) / f"house_test_{number}.patch"
                patch.write_text(text)
                run = subprocess.run([TOOL, "mutants", "--json", "--patch", patch], capture_output=True, text=True,
                                     check=False, timeout=250)
                self.assertEqual(run.returncode, 2, run.stderr)
                answer = json.loads(run.stdout)
                self.assertEqual(answer["verdict"], "error")
                self.assertIn(message, answer["message"])
                self.assertEqual(len([line for line in run.stderr.splitlines() if line.startswith("assay:")]), 1)

    def test_what_does_not_say_so_is_not_compared(self):
        run = subprocess.run([TOOL, "mutants", "--compare", "--filter", "canary"], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual((run.returncode, run.stderr), (2, "assay: --compare: no such patch has a line '# Compared: …'\n"))

    def test_who_comes_second_waits(self):
        with open(ROOT / "build" / "mutants.lock", "w", encoding="utf-8") as first, tempfile.TemporaryDirectory() as folder:
            fcntl.flock(first, fcntl.LOCK_EX)
            patch = Path(folder) / "house_test_lock.patch"
            patch.write_text(REFUSED[2][0])
            with subprocess.Popen([TOOL, "mutants", "--patch", patch], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as second:
                self.assertIn("waiting for its end", second.stderr.readline())
                self.assertIsNone(second.poll())
                fcntl.flock(first, fcntl.LOCK_UN)
                self.assertIn(REFUSED[2][1], second.stderr.read())


if __name__ == "__main__":
    if not TOOL.exists():
        print(f"{TOOL} is not there")
        sys.exit(77)
    unittest.main()
