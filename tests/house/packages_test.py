"""scripts/packages.txt names what the tree uses, and what is installed needs no network."""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAP = ROOT / "scripts/bootstrap.sh"


def packages():
    lines = (ROOT / "scripts/packages.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


class Packages(unittest.TestCase):
    def test_each_name_stands_once_in_order(self):
        self.assertEqual(packages(), sorted(set(packages())))

    def test_what_the_design_names_is_there(self):
        named = """clang-19 lld-19 llvm-19 libclang-rt-19-dev libfuzzer-19-dev afl++ libmimalloc-dev libjemalloc-dev
                   libgoogle-perftools-dev libgtest-dev libgmock-dev libbenchmark-dev libcli11-dev nlohmann-json3-dev
                   libfmt-dev libsqlite3-dev""".split()
        self.assertEqual([name for name in named if name not in packages()], [])

    def test_with_all_installed_it_starts_no_other_program_of_apt(self):
        with tempfile.TemporaryDirectory() as folder:
            marker = Path(folder) / "called"
            for name in ("apt-get", "sudo"):
                stand_in = Path(folder) / name
                stand_in.write_text(f"#!/bin/sh\ntouch {marker}\nexit 1\n")
                stand_in.chmod(0o755)
            env = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}")
            run = subprocess.run([BOOTSTRAP], env=env, capture_output=True, text=True, check=False)
            self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))
            self.assertFalse(marker.exists())

    def test_what_is_missing_is_found_and_asked_for(self):
        with tempfile.TemporaryDirectory() as folder:
            asked = Path(folder) / "asked"
            (Path(folder) / "list").write_text("bash\nno-such-package-anywhere   # a remark\n")
            for name in ("apt-get", "sudo"):
                stand_in = Path(folder) / name
                stand_in.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n')
                stand_in.chmod(0o755)
            env = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}", ASSAY_PACKAGES=f"{folder}/list")
            run = subprocess.run([BOOTSTRAP, "--missing"], env=env, capture_output=True, text=True, check=False)
            self.assertEqual(run.stdout, "no-such-package-anywhere\n")
            run = subprocess.run([BOOTSTRAP], env=env, capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn("no-such-package-anywhere", asked.read_text())
            self.assertNotIn("bash", asked.read_text())


if __name__ == "__main__":
    unittest.main()
