"""gate.py [ENGINE-SANITIZER…]: executes OSS-Fuzz's contract without docker. Builds each variant by build.sh with the
flags that OSS-Fuzz gives, moves $OUT, and holds what lies there to what OSS-Fuzz asks of it: it needs no library that
the runners lack, reaches 100 edges from its seeds, ends a run of four inputs with status 0, and writes below /tmp only."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VARIANTS = ("libfuzzer-address", "libfuzzer-undefined", "libfuzzer-memory", "afl-address")
TARGETS = ("alloc_ops", "heap_api", "mt_ops", "differential")
LEAST_EDGES = 100
# What the runners have; everything else must be in the target.
BASE_LIBRARIES = re.compile(r"^(linux-vdso|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+|resolv)|ld-linux-x86-64)\.so")
BASE_FLAGS = "-O1 -fno-omit-frame-pointer -gline-tables-only -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION"
SANITIZER_FLAGS = {
    "address": "-fsanitize=address -fsanitize-address-use-after-scope",
    "undefined": "-fsanitize=array-bounds,bool,builtin,enum,integer-divide-by-zero,null,object-size,return,returns-nonnull-attribute,shift,"
                 "signed-integer-overflow,unreachable,vla-bound,vptr -fno-sanitize-recover=array-bounds,bool,builtin,enum,integer-divide-by-zero,"
                 "null,object-size,return,returns-nonnull-attribute,shift,signed-integer-overflow,unreachable,vla-bound,vptr",
    "memory": "-fsanitize=memory -fsanitize-memory-track-origins",
}
ENGINES = {"libfuzzer": "-fsanitize=fuzzer", "afl": "/usr/lib/afl/libAFLDriver.a"}
AFL_ENVIRONMENT = {"AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_NO_AFFINITY": "1"}


def build(variant, out):
    engine, sanitizer = variant.split("-")
    flags = f"{BASE_FLAGS} {SANITIZER_FLAGS[sanitizer]} -fsanitize=fuzzer-no-link"
    environment = dict(os.environ, OUT=str(out), SRC="/nowhere", WORK=os.environ.get("ASSAY_GATE_WORK", str(ROOT / "build" / "oss-fuzz")), CC="clang-19", CXX="clang++-19",
                       CFLAGS=flags, CXXFLAGS=flags, LIB_FUZZING_ENGINE=ENGINES[engine], FUZZING_ENGINE=engine, SANITIZER=sanitizer)
    done = subprocess.run([ROOT / "scripts" / "oss-fuzz" / "build.sh"], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{variant}: build.sh: {(done.stdout + done.stderr)[-3000:]}")


def written_files(trace):
    """The files that a process asked to write, by strace's account; relative ones lie below the folder it ran in."""
    files = set()
    for line in trace.splitlines():
        match = re.search(r'\b(open|openat|creat|mkdir|mkdirat|rename|renameat2?|unlink|unlinkat)\((?:AT_FDCWD, )?"([^"]*)"(.*)', line)
        if not match or " = -1 " in line:
            continue
        call, name, rest = match.groups()
        if call in ("open", "openat") and not re.search(r"O_(WRONLY|RDWR|CREAT)", rest):
            continue
        files.add(name)
    return files


class Gate(unittest.TestCase):
    variants = VARIANTS

    def test_contract(self):
        for variant in self.variants:
            with self.subTest(variant), tempfile.TemporaryDirectory(prefix="assay-gate-", dir="/tmp") as folder:
                folder = pathlib.Path(folder)
                build(variant, folder / "out")
                out = folder / "elsewhere" / "moved"
                out.parent.mkdir()
                shutil.move(folder / "out", out)
                for target in TARGETS:
                    with self.subTest(target):
                        self.check_files(out, target)
                        edges = (self.check_afl if variant.startswith("afl") else self.check_libfuzzer)(folder, out, target)
                        print(f"{variant} {target}: {edges} edges, runs moved, writes below /tmp only")

    def check_files(self, out, target):
        with zipfile.ZipFile(out / f"{target}_seed_corpus.zip") as seeds:
            self.assertGreater(len(seeds.namelist()), 5)
        self.assertGreater(len((out / f"{target}.dict").read_text().splitlines()), 20)
        self.assertIn("[libfuzzer]", (out / f"{target}.options").read_text())
        needed = subprocess.run(["ldd", out / target], capture_output=True, text=True, check=True).stdout
        foreign = [line for line in needed.splitlines() if not BASE_LIBRARIES.match(pathlib.Path(line.split()[0]).name)]
        self.assertEqual(foreign, [])

    def seeds(self, folder, out, target):
        place = folder / "seeds" / target
        with zipfile.ZipFile(out / f"{target}_seed_corpus.zip") as seeds:
            seeds.extractall(place)
        return place

    def traced(self, words, cwd, **environment):
        """Runs the words with all that they write on record; nothing may lie outside of /tmp."""
        trace = cwd / "trace"
        done = subprocess.run(["strace", "-f", "-qq", "-e", "trace=%file", "-o", trace, *words], cwd=cwd, env=dict(os.environ, **environment),
                              capture_output=True, text=True, errors="replace", timeout=600, check=False)
        outside = {name for name in written_files(trace.read_text(errors="replace"))
                   if name.startswith("/") and not name.startswith(("/tmp/", "/dev/", "/proc/"))}
        self.assertEqual(outside, set())
        return done

    def check_libfuzzer(self, folder, out, target):
        done = self.traced([out / target, "-runs=4", "-seed=1337"], folder)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        options = ["-runs=0", f"-dict={out / target}.dict"]
        done = subprocess.run([out / target, *options, self.seeds(folder, out, target)], capture_output=True, text=True, errors="replace", timeout=600, check=False)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        edges = max(int(word) for word in re.findall(r"\bcov: (\d+)", done.stderr))
        self.assertGreaterEqual(edges, LEAST_EDGES)
        return edges

    def check_afl(self, folder, out, target):
        seeds = self.seeds(folder, out, target)
        first = sorted(seeds.iterdir())[:4]
        done = self.traced([out / target, *first], folder)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        environment = dict(os.environ, **AFL_ENVIRONMENT, AFL_CUSTOM_MUTATOR_LIBRARY=str(out / f"lib{target}_mutator.so"), AFL_CUSTOM_MUTATOR_ONLY="1")
        words = ["afl-fuzz", "-i", seeds, "-o", folder / f"afl-{target}", "-t", "15000", "-G", "512", "-s", "1337", "-E", "2000", "--", out / target]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, errors="replace", timeout=600, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:])
        stats = dict(line.split(":", 1) for line in (folder / f"afl-{target}" / "default" / "fuzzer_stats").read_text().splitlines())
        stats = {key.strip(): value.strip() for key, value in stats.items()}
        self.assertEqual(stats["saved_crashes"], "0")
        self.assertGreaterEqual(int(stats["edges_found"]), LEAST_EDGES)
        return int(stats["edges_found"])


if __name__ == "__main__":
    chosen = tuple(sys.argv[1:])
    if set(chosen) - set(VARIANTS):
        sys.exit(f"gate.py: unknown variant (here: {' '.join(VARIANTS)})")
    Gate.variants = chosen or VARIANTS
    unittest.main(argv=sys.argv[:1])
