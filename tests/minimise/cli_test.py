"""`minimize` and `export-c` from end to end. usage: cli_test.py TOOL LIBRARY_FOLDER [unittest arguments]"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = LIBRARIES = None

# Breaks faulty_overlap at its last line but one; the middle is of no use.
FAILING = """assay 1
p0 = malloc(40)
p1..p40 = calloc(2, 20..90 seed 4)
free(p1..p40 half 3)
p50 = malloc(100) @t1
p50 = realloc(p50, 3000)
thread_exit() @t1
p60 = malloc(650)
check_all()
"""
CLEAN = "assay 1\np0 = malloc(1)\nfree(p0)\n"


class Cli(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)

    def tearDown(self):
        self.temporary.cleanup()

    def library(self, name):
        return str(LIBRARIES / f"lib{name}.so")

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def run_tool(self, *words):
        return subprocess.run([TOOL, *words], capture_output=True, text=True, timeout=400, check=False, cwd=ROOT)

    def answer(self, *words):
        result = self.run_tool(*words, "--json")
        self.assertEqual(result.stdout.count("\n{"), 0, result.stdout)
        return json.loads(result.stdout), result.returncode

    def check_refused(self, expected, *words):
        before = sorted(self.folder.rglob("*"))
        result = self.run_tool(*words)
        self.assertEqual(result.returncode, 2, result)
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertIn(expected, result.stderr)
        self.assertEqual(sorted(self.folder.rglob("*")), before)
        answer, status = self.answer(*words)
        self.assertEqual((answer["verdict"], status), ("error", 2))

    def minimised(self, artifact, library, *options):
        output = self.folder / "minimal.ops"
        answer, status = self.answer("minimize", artifact, "--subject", library, "-o", str(output), *options)
        self.assertEqual((answer["verdict"], status), ("clean", 0), answer)
        self.assertEqual(answer["output"], str(output))
        return answer, output.read_text()

    def test_any_violation_will_do_when_asked_for(self):
        library = self.library("faulty_crash")
        program = self.file("calloc.ops", "assay 1\np0 = malloc(40)\np1 = calloc(1, 650)\n")
        strict, text = self.minimised(program, library)
        self.assertTrue(strict["token"].startswith("crash-calloc-"), strict)
        self.assertIn(" = calloc(", text)
        loose, text = self.minimised(program, library, "--any")
        self.assertTrue(loose["token"].startswith("crash-malloc-"), loose)
        self.assertIn(f"expect: {loose['token']}\np0 = malloc(600)\n", text)

    def test_the_shortest_program_with_its_header(self):
        library = self.library("faulty_crash")
        answer, text = self.minimised(self.file("long.ops", FAILING), library)
        self.assertEqual((answer["operations_before"], answer["operations_after"]), (66, 1))
        self.assertTrue(answer["token"].startswith("crash-malloc-"))
        header = f"flavour: {answer['flavour']}\nmode: sequential\nsubject: {library}\nexpect: {answer['token']}\n"
        self.assertIn(header + "p0 = malloc(600)\n", text)
        self.assertEqual(text.splitlines()[0], "assay 1")
        again, status = self.answer("replay", str(self.folder / "minimal.ops"))
        self.assertEqual((again["files"][0]["token"], status), (answer["token"], 1))
        # What is minimal stays as it is.
        _, text_again = self.minimised(str(self.folder / "minimal.ops"), library)
        self.assertEqual(text_again, text)

    def test_text_goes_to_stdout(self):
        result = self.run_tool("minimize", self.file("long.ops", FAILING), "--subject", self.library("faulty_crash"))
        self.assertEqual(result.returncode, 0)
        self.assertTrue(result.stdout.startswith("assay 1\n# the allocator crashed"), result.stdout)
        self.assertTrue(result.stdout.endswith("p0 = malloc(600)\n"), result.stdout)
        self.assertIn("1 of 66 operations left", result.stderr)

    def test_bytes_are_an_artifact(self):
        bytes_file = self.folder / "crash-1234"
        self.assertEqual(self.run_tool("encode", self.file("long.ops", FAILING), "-o", str(bytes_file)).returncode, 0)
        answer, text = self.minimised(str(bytes_file), self.library("faulty_alignment"))
        self.assertEqual(answer["token"], "alignment-malloc--")
        self.assertTrue(text.endswith("p0 = malloc(600)\n"), text)

    def test_a_trace_is_an_artifact(self):
        trace = self.folder / "ls.trace"
        recorded = self.run_tool("record", "-o", str(trace), "--", "ls", "/usr/bin")
        self.assertEqual(recorded.returncode, 0, recorded.stderr)
        answer, text = self.minimised(str(trace), self.library("bank_realloc_tail"))
        self.assertEqual(answer["token"], "contents-realloc--")
        self.assertGreater(answer["operations_before"], 5)
        self.assertEqual(answer["operations_after"], 2, text)
        source = self.folder / "ls.c"
        exported, status = self.answer("export-c", str(trace), "--subject", self.library("bank_realloc_tail"), "-o", str(source))
        self.assertEqual(status, 0, exported)
        self.assertIn("VIOLATION contents", source.read_text())

    def test_what_shows_now_and_then_keeps_its_rate(self):
        text = "assay 1\np0..p5 = malloc(24)\np6 = malloc(300)\np7 = malloc(400)\nfree(p0..p5)\n"
        answer, text = self.minimised(self.file("flaky.ops", text), self.library("bank_flaky_overlap"))
        self.assertEqual(answer["token"], "overlap-malloc--")
        self.assertLessEqual(answer["operations_after"], 4, text)
        self.assertRegex(answer["message"], r"in \d+ of 40 runs \(before: \d+ of 40\)")

    def test_an_artifact_that_no_longer_fails(self):
        output = self.folder / "out"
        for subcommand, runs in (("minimize", 20), ("export-c", 5)):
            words = (subcommand, self.file("clean.ops", CLEAN), "--subject", "libc", "-o", str(output))
            answer, status = self.answer(*words)
            self.assertEqual((answer["verdict"], status, answer["output"]), ("clean", 0, ""))
            self.assertIn(f"no longer fails on libc: clean in {runs} of {runs} runs", answer["message"])
            self.assertFalse(output.exists())
            self.assertIn("no longer fails", self.run_tool(*words).stdout)

    def test_refusals(self):
        good = self.file("good.ops", FAILING)
        library = self.library("faulty_crash")
        missing = self.file("missing.ops", "assay 1\nsubject: ./nowhere.so\np0 = malloc(1)\n")
        broken = self.file("broken.ops", "assay 1\np0 = mallok(1)\n")
        for subcommand in ("minimize", "export-c"):
            self.check_refused("nowhere/out: cannot be written: No such file", subcommand, good, "-o", str(self.folder / "nowhere/out"))
            self.check_refused("cannot be written: Is a directory", subcommand, good, "-o", str(self.folder))
            self.check_refused("cannot be written", subcommand, good, "-o", "/proc/out.ops")
            self.check_refused("none: No such file or directory", subcommand, str(self.folder / "none"))
            self.check_refused("./nowhere.so", subcommand, missing)
            self.check_refused("broken.ops:2:6", subcommand, broken)
            self.check_refused("one subject at a time", subcommand, good, "--subject", "libc", "--subject", library)
            self.check_refused("flavour 'msan' has not been built", subcommand, good, "--flavour", "msan")
        self.check_refused("mode 'free': only what shows in mode sequential", "export-c", good, "--mode", "free")
        self.check_refused("cannot be seen through the plain malloc API", "export-c", self.footprint(), "-o",
                           str(self.folder / "x.c"))

    # A program after which the C library's neighbour has grown: no plain C file can tell.
    def footprint(self):
        text = f"assay 1\nsubject: {self.library('faulty_footprint')}\n" + "".join(
            f"p{i} = malloc(100000)\nfree(p{i})\n" for i in range(50))
        path = self.file("footprint.ops", text)
        answer, _ = self.answer("replay", path)
        if answer["files"][0]["oracle"] != "footprint":
            self.skipTest("no footprint oracle for shared objects")
        return path

    # Functions with a prefix are called by it, and the C library's own stay what they are.
    def test_a_subject_with_a_prefix(self):
        source, library, binary = self.folder / "my.c", self.folder / "libmy.so", self.folder / "out"
        source.write_text("""#include <stdlib.h>
static void *last;
void *my_malloc(size_t size) { return size == 650 && last != NULL ? last : (last = malloc(size)); }
void my_free(void *block) { free(block); }
""")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", str(source), "-o", str(library)], check=True)
        program = self.file("prefix.ops", "assay 1\np0 = malloc(700)\np1 = malloc(650)\n")
        out = self.folder / "out.c"
        answer, status = self.answer("export-c", program, "--subject", f"{library}:my_", "-o", str(out))
        self.assertEqual((answer["output"], status), (str(out), 0), answer)
        self.assertIn(f"LD_PRELOAD={library} ", out.read_text())
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-pthread", str(out), "-o", str(binary)], check=True)
        ran = subprocess.run([binary], check=False, capture_output=True, text=True,
                             env=dict(os.environ, LD_PRELOAD=str(library)))
        self.assertEqual((ran.returncode, ran.stderr),
                         (1, "FAILED at operation 1: a new block overlaps a live one\n"))

    def test_a_c_file_fails_under_the_fault_only(self):
        source, binary = self.folder / "out.c", self.folder / "out"
        library = self.library("faulty_contents")
        answer, status = self.answer("export-c", self.file("long.ops", FAILING), "--subject", library, "-o", str(source))
        self.assertEqual((answer["output"], status), (str(source), 0))
        words = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-pthread", str(source), "-o", str(binary)]
        self.assertEqual(subprocess.run(words, check=False).returncode, 0)
        self.assertEqual(subprocess.run([binary], check=False).returncode, 0)
        under_fault = subprocess.run([binary], check=False, capture_output=True, text=True,
                                     env=dict(os.environ, LD_PRELOAD=library))
        self.assertEqual(under_fault.returncode, 1)
        self.assertEqual(under_fault.stderr, "FAILED at operation 6: a live block lost its contents\n")

    def test_replays_in_fresh_processes_are_one(self):
        corpus = sorted((ROOT / "corpus" / "alloc_ops").glob("*.ops"))[::40]
        files = [str(path) for path in corpus] + [self.file("threads.ops", FAILING)]
        result = self.run_tool("replay", *files, "--repeat", "5")
        self.assertEqual(result.stdout.count(": 5 times\n"), len(files), result.stdout)
        # An allocator of random addresses, where sizes depend on them.
        result = self.run_tool("replay", files[-1], "--repeat", "5", "--subject", self.library("bank_null_again"))
        self.assertEqual(result.stdout.count(": 5 times\n"), 1, result.stdout)


if __name__ == "__main__":
    TOOL, LIBRARIES = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2]).resolve()
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
