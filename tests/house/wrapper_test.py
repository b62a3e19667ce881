"""The wrapper `assay` in a copy of the tree where cmake and ninja are stand-ins that write down how they were called."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CMAKE = """#!/bin/sh
echo "cmake $*" >> "$CALLS"
mkdir -p "build/$2/bin" && : > "build/$2/build.ninja"
"""
# `ninja -t commands` prints what a build from nothing does; a real call makes a tool that says how it was started.
NINJA = """#!/bin/sh
case "$3" in -t) seq 200; exit 0;; esac
echo "ninja $*" >> "$CALLS"
echo "compiler chatter"; echo "compiler chatter" >&2
if [ -n "$BREAK_BUILD" ]; then echo "allocator/heap/free.cc:3:1: error: expected ';'"; exit 1; fi
seq 200 | sed 's/^/0\t0\t0\t/' > "$2/.ninja_log"
printf '#!/bin/sh\\necho "tool $ASSAY_COMMIT $*"\\nexit 1\\n' > "$2/bin/assay"
chmod +x "$2/bin/assay"
"""

# arguments, what the one line must say
REFUSED = [
    (["frobnicate"], "unknown subcommand 'frobnicate'"),
    (["minimise", "good.ops"], "unknown subcommand 'minimise'"),
    (["--frobnicate"], "unknown option '--frobnicate'"),
    (["fuzz", "--frobnicate"], "unknown option '--frobnicate'"),
    (["fuzz", "frobnicate"], "unknown fuzz target 'frobnicate'"),
    (["fuzz", "--seconds"], "--seconds needs a value"),
    (["fuzz", "--seconds", "ten"], "'ten' is not a whole number"),
    (["fuzz", "--seconds", "-5"], "'-5' is not a whole number"),
    (["fuzz", "--seconds", "0"], "'0' is not a whole number"),
    (["fuzz", "--seconds="], "'' is not a whole number"),
    (["fuzz", "--jobs", "1.5"], "'1.5' is not a whole number"),
    (["fuzz", "--seed", "18446744073709551616"], "is not a number from 0 to 2^64-1"),
    (["fuzz", "--seed", "0x"], "is not a number from 0 to 2^64-1"),
    (["fuzz", "--seed", "0x10000000000000000"], "is not a number from 0 to 2^64-1"),
    (["fuzz", "--engine", "honggfuzz"], "unknown engine 'honggfuzz'"),
    (["fuzz", "--flavour", "frobnicate"], "unknown flavour 'frobnicate'"),
    (["fuzz", "--mode", "frobnicate"], "unknown mode 'frobnicate'"),
    (["fuzz", "--known", "missing"], "missing: no such file"),
    (["fuzz", "--subject", "./missing.so"], "./missing.so: no such file"),
    (["fuzz", "--subject", "./missing.so:my_"], "./missing.so: no such file"),
    (["fuzz", "--subject", "./"], "is a directory"),
    (["fuzz", "--keep-going=1"], "--keep-going takes no value"),
    (["replay"], "nothing given"),
    (["replay", "missing.ops"], "missing.ops: no such file"),
    (["replay", "."], ".: is a directory"),
    (["replay", ""], "the name of a file is empty"),
    (["replay", "good.ops", "missing.ops"], "missing.ops: no such file"),
    (["replay", "good.ops", "--repeat", "0"], "'0' is not a whole number"),
    (["replay", "tsan.ops"], "unknown flavour 'frobnicate'"),
    (["minimize"], "nothing given"),
    (["minimize", "missing.ops"], "missing.ops: no such file"),
    (["minimize", "good.ops", "good.ops"], "unexpected 'good.ops'"),
    (["minimize", "good.ops", "-o", "nowhere/out"], "nowhere/out: its folder does not exist"),
    (["minimize", "good.ops", "--seconds", "0"], "'0' is not a whole number"),
    (["minimize", "tsan.ops"], "unknown flavour 'frobnicate'"),
    (["export-c", "missing.ops"], "missing.ops: no such file"),
    (["export-c", "good.ops", "-o", "."], ".: is a directory"),
    (["show"], "nothing given"),
    (["show", "good.ops", "good.ops"], "unexpected 'good.ops'"),
    (["encode", "good.ops"], "-o is missing"),
    (["encode", "good.ops", "-o", "."], ".: is a directory"),
    (["encode", "good.ops", "-o", "nowhere/out"], "nowhere/out: its folder does not exist"),
    (["encode", "good.ops", "-o", ""], "the name of the output is empty"),
    (["generate"], "nothing given"),
    (["generate", "frobnicate"], "unknown workload 'frobnicate' (here: trie_storm "),
    (["generate", "larson", "xring"], "unexpected 'xring'"),
    (["generate", "larson", "--threads", "1023"], "'1023' is not a whole number from 1 to 1022"),
    (["generate", "larson", "--rounds", "0"], "'0' is not a whole number from 1 to 100000"),
    (["generate", "larson", "-o", "nowhere/out"], "nowhere/out: its folder does not exist"),
    (["import", "good.ops"], "-o is missing"),
    (["import", "good.ops", "-o", "good.ops"], "good.ops: is not a directory"),
    (["import", "good.ops", "-o", "out", "--window", "x"], "'x' is not a whole number"),
    (["record"], "nothing given"),
    (["record", "--"], "nothing given"),
    (["record", "--", "no-such-program-here"], "no-such-program-here: no such program"),
    (["mutants", "--filter", "no-such-*"], "no mutant matches 'no-such-*'"),
    (["mutants", "--patch", "good.ops", "missing.patch"], "missing.patch: no such file"),
    (["test", "everything"], "unexpected 'everything'"),
    (["build"], "nothing given"),
    (["build", "frobnicate"], "unknown flavour 'frobnicate'"),
    (["help", "frobnicate"], "unknown subcommand 'frobnicate'"),
]


class Wrapper(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.tree = self.folder / "tree"
        shutil.copytree(ROOT / "scripts", self.tree / "scripts")
        shutil.copy(ROOT / "assay", self.tree)
        for name in ("mutants/canary.patch", "fuzz/alloc_ops/alloc_ops_fuzz.cc"):
            (self.tree / name).parent.mkdir(parents=True)
            (self.tree / name).touch()
        # The names of the workloads stand there.
        workloads = "harness/op/workloads/workload.cc"
        (self.tree / workloads).parent.mkdir(parents=True)
        shutil.copy(ROOT / workloads, self.tree / workloads)
        self.commands = self.folder / "commands"
        self.commands.mkdir()
        for name, text in (("cmake", CMAKE), ("ninja", NINJA)):
            (self.commands / name).write_text(text)
            (self.commands / name).chmod(0o755)
        # Nothing is missing, whatever this machine has.
        (self.folder / "no_packages").touch()
        self.work = self.folder / "work"
        self.work.mkdir()
        (self.work / "good.ops").write_text("assay 1\np0 = malloc(24)\n")
        (self.work / "tsan.ops").write_text("assay 1\nflavour: frobnicate\np0 = malloc(24)\n")
        (self.work / "mine.so").touch()
        self.calls_file = self.folder / "calls"

    def run_assay(self, *arguments, **extra):
        env = dict(os.environ, PATH=f"{self.commands}:{os.environ['PATH']}", CALLS=str(self.calls_file),
                   ASSAY_PACKAGES=str(self.folder / "no_packages")) | extra
        return subprocess.run([self.tree / "assay", *arguments], cwd=self.work, env=env, capture_output=True, text=True,
                              errors="replace", check=False)

    def calls(self):
        return self.calls_file.read_text() if self.calls_file.exists() else ""

    def test_bad_usage_is_one_line_and_builds_nothing(self):
        for arguments, message in REFUSED:
            with self.subTest(arguments=arguments):
                run = self.run_assay(*arguments)
                self.assertEqual(run.returncode, 2, run.stderr)
                self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
                self.assertIn(message, run.stderr)
                self.assertEqual(run.stdout, "")
                self.assertEqual(self.calls(), "")
                self.assertFalse((self.tree / "build").exists() and any((self.tree / "build").glob("*/bin/*")))

    def test_bad_usage_with_json_is_one_object(self):
        for arguments, message in REFUSED:
            if "--" in arguments:
                continue  # what follows it belongs to the recorded program
            with self.subTest(arguments=arguments):
                run = self.run_assay(arguments[0], "--json", *arguments[1:])
                self.assertEqual(run.returncode, 2)
                answer = json.loads(run.stdout)
                self.assertEqual(answer["verdict"], "error")
                self.assertIn(message.strip(), answer["message"])
                for key in ("subcommand", "commit", "flavour", "mode", "seconds"):
                    self.assertIn(key, answer)

    def test_a_file_name_is_quoted_in_json(self):
        run = self.run_assay("replay", "--json", 'a"b\\c\n\udcff')
        self.assertIn('a"b\\c\n', json.loads(run.stdout)["message"])
        self.assertEqual(len(run.stderr.splitlines()), 1)

    def test_no_arguments_and_help(self):
        self.assertEqual(self.run_assay().returncode, 2)
        for arguments in (["--help"], ["help"], ["help", "fuzz"], ["fuzz", "--help"], ["record", "-h"]):
            run = self.run_assay(*arguments)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            self.assertIn("usage: ./assay", run.stdout)
        self.assertEqual(self.calls(), "")

    def test_each_subcommand_has_a_row_of_help(self):
        listed = self.run_assay("--help").stdout
        for name in ("fuzz", "test", "replay", "show", "encode", "record", "import", "mutants", "bench", "subjects",
                     "doctor", "build"):
            self.assertRegex(listed, rf"(?m)^  {name} ")
            self.assertIn(f"usage: ./assay {name}", self.run_assay(name, "--help").stdout)

    def test_builds_then_becomes_the_tool(self):
        run = self.run_assay("replay", "good.ops", "--repeat", "3")
        self.assertEqual(run.returncode, 1, "the status is the tool's")
        self.assertEqual(run.stderr, "", "no build output on stderr")
        self.assertRegex(run.stdout, r"building fuzz: 200 steps, about \d+ min")
        self.assertTrue(run.stdout.endswith("replay good.ops --repeat 3\n"), run.stdout)
        self.assertIn("cmake --preset fuzz\n", self.calls())
        self.assertIn("compiler chatter", (self.tree / "work/logs/build-fuzz.log").read_text())

    def test_a_warm_build_says_nothing(self):
        self.run_assay("replay", "good.ops")
        self.assertNotIn("building", self.run_assay("replay", "good.ops").stdout)

    def test_with_json_stdout_is_the_tools_alone(self):
        run = self.run_assay("replay", "--json", "good.ops")
        self.assertEqual(len(run.stdout.splitlines()), 1)
        self.assertTrue(run.stdout.startswith("tool "))
        self.assertIn("building fuzz", run.stderr)

    def test_a_result_on_stdout_is_not_mixed_with_news(self):
        for arguments in (["show", "good.ops"], ["record", "--", "true"]):
            shutil.rmtree(self.tree / "build", ignore_errors=True)
            run = self.run_assay(*arguments)
            self.assertEqual(len(run.stdout.splitlines()), 1, run.stdout)
            self.assertIn("building release", run.stderr)

    def test_options_of_the_recorded_program_are_not_ours(self):
        run = self.run_assay("record", "-o", "t.trace", "--", "ls", "--json", "--frobnicate")
        self.assertIn("record -o t.trace -- ls --json --frobnicate", run.stdout)

    def test_the_header_names_the_flavour_and_an_option_beats_it(self):
        (self.work / "r.ops").write_text("# no program yet\n")
        (self.work / "r.ops").write_text("assay 1 # x\n# c\nmode: sequential\nflavour: release  # here\nfree(NULL)\n")
        self.run_assay("replay", "r.ops")
        self.assertIn("--preset release", self.calls())
        self.assertNotIn("--preset fuzz", self.calls())
        self.calls_file.unlink()
        self.run_assay("replay", "r.ops", "--flavour", "dev")
        self.assertIn("--preset dev", self.calls())
        self.assertNotIn("release", self.calls())

    def test_bytes_have_no_header(self):
        (self.work / "noise").write_bytes(b"flavour: release\n\x00\xff" * 10)
        self.run_assay("replay", "noise")
        self.assertNotIn("release", self.calls())

    def test_a_library_needs_the_worker_of_release(self):
        self.run_assay("fuzz", "--subject", "./mine.so:my_")
        self.assertIn("--preset release", self.calls())
        self.assertIn("--preset fuzz", self.calls())

    def test_what_does_not_build_is_one_line_with_the_compilers_words(self):
        run = self.run_assay("fuzz", BREAK_BUILD="1")
        self.assertEqual(run.returncode, 2)
        self.assertEqual(len(run.stderr.splitlines()), 1)
        self.assertIn("allocator/heap/free.cc:3:1: error: expected ';'", run.stderr)
        run = self.run_assay("fuzz", "--json", BREAK_BUILD="1")
        self.assertEqual(json.loads(run.stdout)["verdict"], "error")

    def test_a_failed_build_is_a_failed_test(self):
        run = self.run_assay("test", "--json", BREAK_BUILD="1")
        self.assertEqual(run.returncode, 1)
        answer = json.loads(run.stdout)
        # Flavour msan is tested where it is built, and not built for a test.
        self.assertEqual((answer["verdict"], answer["passed"], answer["skipped"]), ("violation", 0, 1))
        self.assertGreaterEqual(answer["failed"], 3)
        run = self.run_assay("test", BREAK_BUILD="1")
        self.assertIn("msan: skipped, that flavour is not built here", run.stdout)
        self.assertRegex(run.stdout.splitlines()[-1], r"^\d+ passed, \d+ failed, \d+ skipped$")

    def test_build_and_doctor(self):
        run = self.run_assay("build", "release", "cov", "--json")
        self.assertEqual(json.loads(run.stdout)["presets"], ["release", "cov"])
        release, cov = (line.split() for line in self.calls().splitlines() if line.startswith("ninja "))
        # What is shipped, and neither the tests nor everything, of which they are a third.
        for target in ("assay_tool", "ximalloc", "ximalloc_shared", "assay_worker", "assay_record", "bench_workload"):
            self.assertIn(target, release)
        self.assertEqual(cov[-1], "assay_tool")
        self.assertFalse({word for word in release + cov if word == "all" or word.endswith("_tests")})
        answer = json.loads(self.run_assay("doctor", "--json").stdout)
        self.assertEqual((answer["verdict"], answer["missing"]), ("clean", []))

    def test_what_is_optional_is_named_and_nothing_fails_without_it(self):
        # Commands of the test come first in the path, so that only what stands for them decides.
        for name in ("npm", "node", "chromium"):
            (self.commands / name).write_text("#!/bin/sh\n")
            (self.commands / name).chmod(0o755)
        self.assertEqual(json.loads(self.run_assay("doctor", "--json").stdout)["optional"], {"npm": True, "node": True, "chromium": True})
        self.assertRegex(self.run_assay("doctor").stdout, r"(?m)^npm +there \(optional: charts of ./assay report as HTML\)$")
        for name in ("npm", "node", "chromium"):
            (self.commands / name).unlink()
        needed = self.folder / "needed"
        needed.mkdir()
        for folder in os.environ["PATH"].split(os.pathsep):
            for command in Path(folder).glob("*"):
                link = needed / command.name
                if not link.is_symlink() and command.name not in ("npm", "node", "nodejs", "chromium", "chromium-browser", "google-chrome"):
                    link.symlink_to(command)
        run = self.run_assay("doctor", "--json", PATH=f"{self.commands}:{needed}")
        self.assertEqual((run.returncode, json.loads(run.stdout)["optional"]), (0, {"npm": False, "node": False, "chromium": False}), run.stderr)

    def test_a_missing_package_is_named(self):
        (self.folder / "no_packages").write_text("# none\nno-such-package-anywhere\n")
        run = self.run_assay("doctor", "--json")
        self.assertEqual(run.returncode, 1)
        self.assertEqual(json.loads(run.stdout)["missing"], ["no-such-package-anywhere"])
        (self.commands / "apt-get").write_text("#!/bin/sh\necho E: broken >&2; exit 100\n")
        (self.commands / "apt-get").chmod(0o755)
        run = self.run_assay("fuzz")
        self.assertEqual(run.returncode, 2)
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        self.assertIn("no-such-package-anywhere", run.stderr)
        self.assertEqual(self.calls(), "")

    def test_two_calls_do_not_build_one_folder_at_once(self):
        slow = self.commands / "ninja"
        slow.write_text(NINJA.replace('echo "ninja $*"', 'mkdir "$2/busy" || echo COLLISION >> "$CALLS"; sleep 1; '
                                      'rmdir "$2/busy"; echo "ninja $*"'))
        env = dict(os.environ, PATH=f"{self.commands}:{os.environ['PATH']}", CALLS=str(self.calls_file),
                   ASSAY_PACKAGES=str(self.folder / "no_packages"))
        running = [subprocess.Popen([self.tree / "assay", "build", "dev"], cwd=self.work, env=env,
                                    stdout=subprocess.DEVNULL) for _ in range(2)]
        self.assertEqual([process.wait() for process in running], [0, 0])
        self.assertNotIn("COLLISION", self.calls())
        self.assertEqual(self.calls().count("ninja"), 2)

    def test_flavours_are_the_presets(self):
        presets = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
        visible = [preset["name"] for preset in presets if not preset.get("hidden")]
        self.assertIn(f"flavours=({' '.join(visible)})", (ROOT / "scripts/cli/subcommands.sh").read_text())


if __name__ == "__main__":
    unittest.main()
