"""The patches under mutants/ apply, say what must catch them, and are explained in mutants/README.md."""
import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATCHES = sorted((ROOT / "mutants").glob("*.patch"))
HEADER = re.compile(r"^# Expect: [a-z_]+(@[a-z-]+)? (fuzz|sweep|explore|test) [a-z_]+(\|[a-z_]+)* within=[1-9][0-9]*$")
COMPARED = re.compile(r"^# Compared: [a-z_]+(\|[a-z_]+)* within=[1-9][0-9]*$")


class Mutants(unittest.TestCase):
    def test_there_is_the_canary_and_more(self):
        self.assertIn("canary", [patch.stem for patch in PATCHES])
        self.assertGreaterEqual(len(PATCHES), 7)

    def test_each_patch_applies(self):
        for patch in PATCHES:
            with self.subTest(patch=patch.name):
                run = subprocess.run(["patch", "-p1", "--dry-run", "--batch", "--forward", "-d", ROOT, "-i", patch],
                                     capture_output=True, text=True, check=False)
                self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_each_patch_says_what_must_catch_it(self):
        for patch in PATCHES:
            with self.subTest(patch=patch.name):
                headers = [line for line in patch.read_text().splitlines() if line.startswith("# Expect:")]
                self.assertEqual(len(headers), 1)
                self.assertRegex(headers[0], HEADER)

    def test_ten_say_what_comparing_is_to_see(self):
        lines = [line for patch in PATCHES for line in patch.read_text().splitlines() if line.startswith("# Compared:")]
        self.assertEqual(len(lines), 10)
        for line in lines:
            self.assertRegex(line, COMPARED)

    def test_each_patch_changes_the_allocator_only(self):
        for patch in PATCHES:
            files = re.findall(r"^\+\+\+ b/(\S+)", patch.read_text(), re.M)
            self.assertTrue(files, patch.name)
            for file in files:
                self.assertTrue(file.startswith("allocator/"), f"{patch.name}: {file}")

    def test_the_readme_lists_each_patch_and_no_other(self):
        listed = set(re.findall(r"^\| `([a-z0-9_]+)` \|", (ROOT / "mutants/README.md").read_text(), re.M))
        self.assertEqual(listed, {patch.stem for patch in PATCHES})


if __name__ == "__main__":
    unittest.main()
