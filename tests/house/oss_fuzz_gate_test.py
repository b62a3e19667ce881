"""scripts/oss-fuzz/gate.py: a target that breaks one of OSS-Fuzz's rules does not pass. Stand-ins, a few lines of C each, take the
targets' place; ends with status 77 where there is no strace."""
import contextlib
import importlib.util
import io
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = importlib.util.spec_from_file_location("gate", ROOT / "scripts" / "oss-fuzz" / "gate.py")
gate = importlib.util.module_from_spec(PLACE)
PLACE.loader.exec_module(gate)

STAND_IN = r"""
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char** argv) {
  int short_run = argc > 1 && strcmp(argv[1], "-runs=4") == 0;
#ifdef WRITES
  FILE* file = fopen(WRITES, "w");
  if (file != NULL) fclose(file);
  unlink(WRITES);
#endif
#ifdef NEEDS
  if (access(NEEDS, R_OK) != 0) return 3;
#endif
  fprintf(stderr, "#2 INITED cov: 12 ft: 3\n#9 DONE cov: %d ft: 9\n", EDGES);
  return short_run ? SHORT_RUN : 0;
}
"""


class GateTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "stand_in.c").write_text(STAND_IN)
        for name in ("build", "TARGETS"):
            self.addCleanup(setattr, gate, name, getattr(gate, name))
        self.addCleanup(setattr, gate.Gate, "variants", gate.Gate.variants)
        gate.TARGETS = ("stand_in",)
        gate.Gate.variants = ("libfuzzer-address",)

    def objections(self, *flags, edges=250, short_run=0, seeds=6):
        """What the gate says about such a target."""
        def build(_, out):
            out.mkdir()
            subprocess.run(["clang-19", f"-DEDGES={edges}", f"-DSHORT_RUN={short_run}", f'-DOUT="{out}"', self.folder / "stand_in.c", *flags, "-o", out / "stand_in"],
                           check=True)
            with zipfile.ZipFile(out / "stand_in_seed_corpus.zip", "w") as corpus:
                for number in range(seeds):
                    corpus.writestr(f"seed{number}", "x")
            (out / "stand_in.dict").write_text('word="x"\n' * 30)
            (out / "stand_in.options").write_text("[libfuzzer]\n")

        gate.build = build
        result = unittest.TestResult()
        with contextlib.redirect_stdout(io.StringIO()):
            gate.Gate("test_contract").run(result)
        self.assertEqual(result.errors, [])
        return "".join(text for _, text in result.failures)

    def test_a_sound_target_passes(self):
        self.assertEqual(self.objections('-DWRITES="crash-here"'), "")

    def test_too_few_edges(self):
        self.assertIn("99 not greater than or equal to 100", self.objections(edges=99))

    def test_the_short_run_ends_badly(self):
        self.assertIn("1 != 0", self.objections(short_run=1))

    def test_it_needs_what_was_beside_it_where_it_was_built(self):
        self.assertIn("3 != 0", self.objections('-DNEEDS=OUT "/stand_in.options"'))

    def test_it_writes_elsewhere(self):
        self.assertIn("/var/tmp/assay-gate-test", self.objections('-DWRITES="/var/tmp/assay-gate-test"'))

    def test_it_needs_a_library_that_runners_lack(self):
        library = self.folder / "libforeign.so"
        subprocess.run(["clang-19", "-shared", "-x", "c", "/dev/null", "-o", library], check=True)
        self.assertIn("libforeign.so", self.objections("-Wl,--no-as-needed", library))

    def test_it_has_hardly_a_seed(self):
        self.assertIn("5 not greater than 5", self.objections(seeds=5))


if __name__ == "__main__":
    if shutil.which("strace") is None:
        print("there is no strace here")
        sys.exit(77)
    unittest.main()
