"""Runs the assay tool of a build folder, for the end-to-end tests."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["ASSAY_BUILD"])
TOOL = BUILD / "bin" / "assay"
LIBRARIES = BUILD / "lib"


def worker():
    """The plain worker executable: of this build, or of the release flavour when this one is sanitized."""
    for path in (os.environ.get("ASSAY_WORKER"), BUILD / "bin/assay-worker", BUILD.parent / "release/bin/assay-worker"):
        if path and os.access(path, os.X_OK):
            return str(path)
    return None


def library(name):
    return str(LIBRARIES / f"lib{name}.so")


class ToolTest(unittest.TestCase):
    """Each test has a folder of its own, which is also the root of work/."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="assay-e2e-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, contents):
        path = self.folder / name
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        return str(path)

    def run_tool(self, *arguments, status=None, timeout=120, environment=None):
        """The finished process; `status` is what its exit status must be."""
        env = dict(os.environ, ASSAY_ROOT=str(self.folder), **(environment or {}))
        done = subprocess.run([TOOL, *arguments], cwd=self.folder, env=env, timeout=timeout, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, errors="replace")
        if status is not None:
            self.assertEqual(done.returncode, status, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def run_json(self, *arguments, status=None, **options):
        """The one object on stdout."""
        done = self.run_tool(*arguments, "--json", status=status, **options)
        answer = json.loads(done.stdout)
        for key in ("verdict", "message", "subcommand", "commit", "flavour", "mode", "seconds"):
            self.assertIn(key, answer)
        return answer

    def files_left(self):
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def assert_refused(self, *arguments):
        """Exit status 2, one line on stderr that begins with our name, nothing on stdout, nothing written."""
        before = self.files_left()
        done = self.run_tool(*arguments, status=2)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith("assay: "), lines[0])
        self.assertEqual(done.stdout, "")
        answer = self.run_json(*arguments, status=2)
        self.assertEqual(answer["verdict"], "error")
        self.assertEqual("assay: " + answer["message"], lines[0])
        self.assertEqual(self.files_left(), before)
        return lines[0]
