"""The command line from outside: what it refuses, what it answers, what it survives."""

import os
import shutil
import subprocess
import unittest

from tool import BUILD, TOOL, ToolTest, library, worker

GOOD = "assay 1\np0 = malloc(24)\nfree(p0)\n"
# 600 to 699 bytes are what the faulty toy allocators are faulty for.
SHOWS_FAULT = """assay 1
p0 = malloc(640)
p1 = malloc(650)
p2 = calloc(10, 64)
p3 = posix_memalign(64, 660)
p4 = aligned_alloc(64, 640)
p5 = posix_memalign(3, 640)
p6 = malloc(18446744073709551615)
usable_size(p0)
p0 = realloc(p0, 6000)
free(p1)
p8 = calloc(10, 65)
p7 = malloc(640)
check_all()
"""


class Sweep(ToolTest):
    def test_every_call_fails_once_and_from_then_on(self):
        answer = self.run_json("sweep", self.write("good.ops", GOOD), status=0)
        self.assertEqual(answer["verdict"], "clean")
        self.assertEqual(answer["violations"], 0)
        self.assertEqual([row["how"] for row in answer["files"]], ["once", "persistent"])
        for row in answer["files"]:
            self.assertGreaterEqual(row["points"], 5)
            self.assertEqual(row["fired"], row["points"])
            self.assertEqual(row["null_enomem"] + row["unaffected"], row["fired"])
        self.assertEqual(answer["points"], sum(row["points"] for row in answer["files"]))
        self.assertGreater(answer["files"][1]["null_enomem"], answer["files"][0]["null_enomem"])


class Explore(ToolTest):
    def test_what_it_finds_is_a_program_that_replays(self):
        file = self.write("meets.ops", "assay 1\np0 = malloc(640)\np1 = malloc(650) @t1\ncheck_all()\n")
        answer = self.run_json("explore", file, "--subject", library("faulty_overlap"), "--flavour", BUILD.name, status=1)
        row = answer["files"][0]
        self.assertEqual(row["violations"], 1)
        again = self.run_json("replay", row["output"], status=1)["files"][0]
        self.assertEqual((again["oracle"], again["times_seen"]), ("overlap", again["times_run"]))
        kept = (self.folder / row["output"]).read_text()
        self.assertIn(f"\nexpect: {again['token']}\n", kept)


class Texts(ToolTest):
    def test_failures_that_never_come_are_left_out(self):
        text = "assay 1\np0 = malloc(1) (fail: mmap#1, munmap#3)\nfree(p0) (fail: mprotect#9+)\nend() (fail: mremap#1)\n"
        dead = self.write("dead.ops", text)
        self.run_tool("encode", dead, "-o", "noise", status=0)
        self.run_tool("replay", dead, "noise", "--texts", "kept", status=0)
        for name in ("dead.ops", "noise.ops"):
            kept = self.folder / "kept" / name
            self.assertEqual(kept.read_text(), "assay 1\np0 = malloc(1) (fail: mmap#1)\nfree(p0)\nend()\n")
            self.run_tool("replay", str(kept), status=0)


class Refusals(ToolTest):
    def test_bad_input(self):
        good = self.write("good.ops", GOOD)
        unreadable = [
            (["replay", "missing.ops"], "missing.ops"),
            (["sweep", "missing.ops"], "missing.ops"),
            (["sweep", good, "--how", "twice"], "twice"),
            (["replay", self.write("errno.ops", "assay 1\np0 = malloc(1) (fail: mmap#1=ENOSUCH)\n")], "ENOSUCH"),
            (["replay", self.write("never.ops", "assay 1\np0 = malloc(1) (fail: munmap#3)\n")], "munmap#3 never comes"),
            (["replay", good, good, "--texts", "kept"], "two programs would become"),
            (["replay", good, "--texts", good], "good.ops"),
            (["show", str(self.folder)], "irectory"),
            (["encode", str(self.folder), "-o", "out"], "irectory"),
            (["replay", self.write("syntax.ops", "assay 1\np0 = malloc(24\n")], "syntax.ops:2:"),
            (["show", self.write("unknown.ops", "assay 1\np0 = mallok(24)\n")], "mallok"),
            (["replay", self.write("newer.ops", "assay 99\np0 = malloc(24)\n")], "99"),
            (["replay", self.write("newer.trace", "assay-trace 99\n")], "99"),
            (["replay", self.write("cut.trace", b"assay-trace 1\n\x01\x02\x03")], "cut.trace"),
            (["show", self.write("number.ops", "assay 1\np0 = malloc(18446744073709551616)\n")], "number.ops:2:"),
            (["encode", good, "-o", "/nonexistent/out"], "/nonexistent/out"),
            (["encode", good], "output"),
            (["encode", self.write("large.ops", "assay 1\np0..p9999 = malloc(8)\n"), "-o", "out"], ""),
            (["replay", good, "--subject", "nosuch"], "nosuch"),
            (["replay", good, "--subject", "./missing.so"], "missing.so"),
            (["replay", good, "--subject", self.write("text.so", "no library")], "text.so"),
            (["replay", good, "--subject", library("no_malloc")], "malloc"),
            (["replay", good, "--subject", library("dies_at_load")], "dies_at_load"),
            (["replay", good, "--repeat", "0"], "repeat"),
            (["replay", good, "--repeat", "many"], "repeat"),
            (["replay", good, "--seed", "-1"], "seed"),
            (["replay", good, "--mode", "sideways"], "sideways"),
            (["replay", good, "--flavour", "vanilla"], "vanilla"),
            (["replay"], "FILE"),
            (["frobnicate"], "frobnicate"),
            (["replay", good, "--frobnicate"], "frobnicate"),
            (["fuzz", "nosuch"], "nosuch"),
            (["fuzz", "--engine", "afl"], "afl"),
            (["fuzz", "--engine", "steam"], "steam"),
            (["fuzz", "--seconds", "0"], "seconds"),
            (["fuzz", "--seconds", "ten"], "seconds"),
            (["fuzz", "--jobs", "-1"], "jobs"),
            (["fuzz", "--known", "missing.txt"], "missing.txt"),
            (["fuzz", "--subject", "nosuch"], "nosuch"),
        ]
        for arguments, part in unreadable:
            with self.subTest(arguments):
                self.assertIn(part, self.assert_refused(*arguments))

    def test_nothing_runs_when_one_of_several_is_refused(self):
        good = self.write("good.ops", GOOD)
        done = self.run_tool("replay", good, "missing.ops", status=2)
        self.assertEqual(done.stdout, "")

    def test_unwritable_standard_output(self):
        good = self.write("good.ops", GOOD)
        with open("/dev/full", "w") as full:
            done = subprocess.run([TOOL, "show", good], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(len(done.stderr.splitlines()), 1)


class Forms(ToolTest):
    def test_text_to_bytes_to_text(self):
        source = self.write("good.ops", GOOD)
        self.run_tool("encode", source, "-o", "good.bin", status=0)
        self.assertEqual(self.run_tool("show", "good.bin", status=0).stdout, GOOD)
        self.assertEqual(self.run_json("show", "good.bin", status=0)["output"], GOOD)

    def test_any_bytes_are_a_program(self):
        for name, contents in (("empty", b""), ("zero", bytes(1000)), ("noise", os.urandom(10_000_000))):
            with self.subTest(name):
                file = self.write(name, contents)
                answer = self.run_json("replay", file, status=0)
                self.assertEqual(answer["files"][0]["verdict"], "clean")
                self.run_tool("show", file, status=0)

    def test_encode_replaces_whole_files_only(self):
        source = self.write("good.ops", GOOD)
        out = self.write("out", b"before")
        self.run_tool("encode", self.write("bad.ops", "assay 1\nnonsense\n"), "-o", out, status=2)
        self.assertEqual((self.folder / "out").read_bytes(), b"before")
        self.run_tool("encode", source, "-o", out, status=0)
        self.assertNotEqual((self.folder / "out").read_bytes(), b"before")
        self.assertEqual(self.files_left(), ["bad.ops", "good.ops", "out"])


class Replay(ToolTest):
    def test_clean_on_all(self):
        file = self.write("shows_fault.ops", SHOWS_FAULT)
        subjects = ["ximalloc", "libc", library("toy_malloc")]
        arguments = [word for subject in subjects for word in ("--subject", subject)]
        answer = self.run_json("replay", file, *arguments, status=0)
        self.assertEqual([entry["subject"] for entry in answer["files"]], subjects)
        for entry in answer["files"]:
            self.assertEqual((entry["verdict"], entry["token"], entry["times_run"]), ("clean", "", 1))
            self.assertGreater(entry["operations"], 8)

    def test_each_fault_is_named(self):
        file = self.write("shows_fault.ops", SHOWS_FAULT)
        for fault, oracle in (("overlap", "overlap"), ("alignment", "alignment"), ("zeroing", "zeroing"),
                              ("realloc_tail", "contents"), ("null", "null_errno"), ("crash", "crash"),
                              ("abort", "abort"), ("exit", "exit"), ("usable_small", "usable_size")):
            with self.subTest(fault):
                answer = self.run_json("replay", file, "--subject", library("faulty_" + fault), status=1)
                entry = answer["files"][0]
                self.assertEqual(entry["oracle"], oracle)
                self.assertTrue(entry["token"].startswith(oracle + "-"), entry["token"])

    def test_hang_is_ended(self):
        file = self.write("shows_fault.ops", SHOWS_FAULT)
        answer = self.run_json("replay", file, "--subject", library("faulty_hang"), status=1)
        self.assertEqual(answer["files"][0]["oracle"], "hang")
        self.assertEqual(answer["files"][0]["operation_index"], 0)

    def test_report(self):
        file = self.write("shows_fault.ops", SHOWS_FAULT)
        done = self.run_tool("replay", file, "--subject", library("faulty_crash"), status=1)
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].startswith("VIOLATION crash: "), lines[0])
        self.assertTrue(any(line.startswith("DEDUP_TOKEN: crash-malloc-") for line in lines), done.stdout)
        self.assertIn(f"./assay replay {file} --subject {library('faulty_crash')}", done.stdout)

    def test_repeat_counts_runs(self):
        file = self.write("shows_fault.ops", SHOWS_FAULT)
        entry = self.run_json("replay", file, "--repeat", "4", status=0)["files"][0]
        self.assertEqual((entry["times_run"], entry["times_seen"]), (4, 0))
        entry = self.run_json("replay", file, "--repeat", "4", "--subject", library("faulty_overlap"), status=1)["files"][0]
        self.assertEqual((entry["times_run"], entry["times_seen"]), (4, 4))

    def test_a_run_that_ends_in_a_crash_has_a_trace(self):
        hashes = set()
        for first in (10, 20, 10):
            program = self.write("crash.ops", f"assay 1\np0..p{first} = malloc(100)\np100 = malloc(640)\n")
            hashes.add(self.run_json("replay", program, "--subject", library("faulty_crash"))["files"][0]["trace_hash"])
        self.assertEqual(len(hashes), 2)

    @unittest.skipUnless(shutil.which("gdb"), "no gdb")
    def test_gdb_stops_before_the_guilty_operation(self):
        program = self.write("three.ops", "assay 1\np0 = malloc(10)\np1..p3 = malloc(640)\nfree(p0)\n")
        for mode in ("sequential", "free"):
            done = self.run_tool("replay", program, "--subject", library("faulty_overlap"), "--mode", mode, "--gdb")
            self.assertRegex(done.stdout, r"Breakpoint 1, (0x[0-9a-f]+ in )?assay_breakpoint")
            self.assertRegex(done.stderr, r"op 0: p0 = malloc\(10\)\nop 1(\[0\])?: p1 = malloc\(640\)\n")
            self.assertNotIn("free", done.stderr)

    def test_header_lines(self):
        fault = library("faulty_overlap")
        body = SHOWS_FAULT.split("\n", 1)[1]
        token = self.run_json("replay", self.write("a.ops", SHOWS_FAULT), "--subject", fault)["files"][0]["token"]
        with_subject = self.write("b.ops", f"assay 1\nsubject: {fault}\n{body}")
        self.run_tool("replay", with_subject, status=1)
        self.run_tool("replay", with_subject, "--subject", "ximalloc", status=0)
        self.run_tool("replay", self.write("c.ops", f"assay 1\nexpect: clean\n{body}"), status=0)
        unmet = self.run_tool("replay", self.write("d.ops", f"assay 1\nexpect: {token}\n{body}"), status=1)
        self.assertIn(f"expected {token}, saw clean", unmet.stdout)
        met = self.run_tool("replay", self.write("e.ops", f"assay 1\nsubject: {fault}\nexpect: {token}\n{body}"), status=1)
        self.assertNotIn("expected " + token, met.stdout)

    def test_flavour_that_is_not_built(self):
        file = self.write("tsan.ops", "assay 1\nflavour: tsan\np0 = malloc(1)\n")
        # A tool that has no other flavour beside it, whatever has been built where this one is.
        alone = self.folder / "build" / "alone" / "bin" / "assay"
        alone.parent.mkdir(parents=True)
        shutil.copy2(TOOL, alone)
        done = subprocess.run([alone, "replay", file], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, r"\A[^\n]*\./assay build tsan[^\n]*\n\Z")

    @unittest.skipUnless(worker(), "no plain worker executable")
    def test_preloaded_subject(self):
        file = self.write("shows_fault.ops", SHOWS_FAULT)
        environment = {"ASSAY_WORKER": worker()}
        clean = self.run_json("replay", file, "--subject", library("toy_preload"), status=0, environment=environment)
        self.assertGreater(clean["files"][0]["operations"], 8)
        caught = self.run_json("replay", file, "--subject", library("faulty_preload"), status=1, environment=environment)
        self.assertEqual(caught["files"][0]["oracle"], "overlap")


class Subjects(ToolTest):
    def test_listed(self):
        rows = {row["name"]: row for row in self.run_json("subjects", status=0)["subjects"]}
        self.assertTrue(rows["ximalloc"]["available"])
        self.assertTrue(rows["libc"]["available"])
        self.assertIn("reset", rows["ximalloc"]["capabilities"])
        self.assertNotIn("reset", rows["libc"]["capabilities"])


if __name__ == "__main__":
    unittest.main()
