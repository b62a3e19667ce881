"""The committed programs whose system calls are made to fail one by one, and the places of the allocator that make them.

With ASSAY_FULL=1 all programs are swept, else a few short ones that reach each place."""

import os
import re
import unittest
from pathlib import Path

from tool import ToolTest, library, worker

ROOT = Path(__file__).resolve().parents[2]
SWEPT = ROOT / "corpus" / "regress" / "sweep"
QUICK = ("every_place", "first_call", "first_call_of_thread", "exit_empty_handed", "unmap", "purge_twice",
         "heap_arena_committed", "heap_discard")
PAGE = ROOT / "docs" / "system_calls.md"

# The system calls in os/, but for the seam that stands in their place. A call that hands its caller's place on is none.
MADE = re.compile(r"\b(?:call_(\w+)|(give_back)|seam_refuses)\((.*)")
CALL_OF_KIND = {"kKeyCreate": "key_create", "kGetrandom": "getrandom"}
# A wish to the kernel, of no consequence, that the seam is not asked about.
WISHES = ("mbind",)


def places_in_source():
    """(file, line, call) of each."""
    found = set()
    for path in sorted((ROOT / "allocator" / "os").glob("*.cc")):
        if path.name in ("seam.cc", "region.cc") or path.name.endswith("_test.cc"):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            made = MADE.search(line.split("//")[0])
            if made is None or "CallSite::here()" in line or ", site)" in line:
                continue
            kind = re.search(r"Call::(k\w+)", made[3])
            if made[1] in WISHES:
                continue
            call = (made[1] or "").removesuffix("_huge") or ("munmap" if made[2] else CALL_OF_KIND[kind[1]])
            found.add((path.name, number, call))
    return found


def function_at(file, number):
    """The function that the line stands in."""
    lines = (ROOT / "allocator" / "os" / file).read_text().splitlines()[:number]
    for line in reversed(lines):
        begins = re.match(r"[a-z].*?(\w+)\(", line)
        if begins:
            return begins[1]
    return ""


def documented():
    """(file, function, call) of each row of the page's table."""
    rows = re.findall(r"^\| `(\w+\.cc)` \| `(\w+)` \| `?(\w+)`? \|", PAGE.read_text(), re.M)
    return set(rows)


class SweptCorpus(ToolTest):
    def test_no_failure_does_harm_and_each_place_has_failed(self):
        full = os.environ.get("ASSAY_FULL") == "1"
        files = sorted(SWEPT.glob("*.ops")) if full else [SWEPT / f"{name}.ops" for name in QUICK]
        answer = self.run_json("sweep", *map(str, files), timeout=3600 if full else 300)
        self.assertEqual(answer["verdict"], "clean", [row for row in answer["files"] if row["violations"]])
        self.assertEqual(len(answer["files"]), 2 * len(files))
        for row in answer["files"]:
            self.assertEqual(row["fired"], row["points"], row)
            self.assertEqual(row["null_enomem"] + row["unaffected"], row["fired"], row)
        places = places_in_source()
        for how in ("once", "persistent"):
            rows = [row for row in answer["sites"] if row["how"] == how]
            self.assertEqual({(row["source_file"], row["line"], row["call"]) for row in rows if row["fired"]}, places, how)
        self.assertEqual(sum(row["points"] for row in answer["sites"]), answer["points"])

    def test_the_page_lists_each_place(self):
        in_source = {(file, function_at(file, number), call) for file, number, call in places_in_source()}
        self.assertEqual(documented(), in_source)


# Blocks of several kinds, on two threads.
VARIED = """assay 1
p0 = malloc(900000)
p1 = malloc(24)
p2 = calloc(1, 300000)
p1 = realloc(p1, 2000000)
free(p0)
p3 = malloc(5000)
p4 = aligned_alloc(4096, 8192)
"""


@unittest.skipIf(worker() is None, "the plain worker is not built: ./assay build release")
class AnyonesAllocator(ToolTest):
    """Subjects without a seam: the kernel catches their calls."""

    def sweep(self, subject, text=VARIED, **options):
        environment = {"ASSAY_WORKER": worker()}
        return self.run_json("sweep", self.write("a.ops", text), "--subject", subject, environment=environment, **options)

    def test_libc_answers_null_or_goes_on(self):
        answer = self.sweep("libc", status=0)
        self.assertGreater(answer["points"], 10)
        self.assertEqual(answer["fired"], answer["points"])
        # It falls back from brk to mmap, and the other way round.
        self.assertGreater(sum(row["unaffected"] for row in answer["files"]), 0)

    def test_a_sound_one_is_clean(self):
        answer = self.sweep(library("toy_malloc"), status=0)
        self.assertGreater(sum(row["null_enomem"] for row in answer["files"]), 0)

    def test_one_that_ignores_a_failure_is_caught_and_its_find_replays(self):
        answer = self.sweep(library("faulty_ignores_mmap"), status=1)
        self.assertGreater(answer["violations"], 0)
        row = next(row for row in answer["files"] if row["violations"])
        text = Path(row["output"]).read_text()
        self.assertRegex(text, r"\(fail: mmap#1\+?\)")
        self.run_tool("replay", row["output"], status=1, environment={"ASSAY_WORKER": worker()})

    def test_one_that_unmaps_a_live_block_is_seen_at_the_call(self):
        file = self.write("a.ops", "assay 1\np0 = malloc(100)\np1 = malloc(650)\nfree(p1)\n")
        row = self.run_json("replay", file, "--subject", library("faulty_unmaps_live"), status=1,
                            environment={"ASSAY_WORKER": worker()})["files"][0]
        self.assertEqual((row["oracle"], row["operation_index"]), ("seam", 1))

    def test_a_failure_in_a_program_is_one_for_libc_too(self):
        large = "assay 1\np0 = malloc(90000000) (fail: mmap#1{})\nfree(p0)\n"
        worked = {"environment": {"ASSAY_WORKER": worker()}}
        for plan, skipped in (("+, brk#1+", 1), ("+=EAGAIN, brk#1+", 1), ("", 0)):
            file = self.write("a.ops", large.format(plan))
            row = self.run_json("replay", file, "--subject", "libc", status=0, **worked)["files"][0]
            self.assertEqual((row["verdict"], row["skipped"]), ("clean", skipped), plan)
        never = self.write("b.ops", "assay 1\np0 = malloc(24)\nfree(p0) (fail: munmap#3)\n")
        refused = self.run_tool("replay", never, "--subject", "libc", status=2, **worked)
        self.assertIn("munmap#3 never comes", refused.stderr)

    def test_only_the_plain_worker_fails_calls_of_a_subject_without_a_seam(self):
        # Any other process of ours may be sanitized. A worker that does nothing shows who was asked.
        nobody = {"environment": {"ASSAY_WORKER": "/bin/true"}}
        fails = self.write("a.ops", "assay 1\np0 = malloc(90000000) (fail: mmap#1)\n")
        self.assertIn("/bin/true", self.run_tool("replay", fails, "--subject", "libc", status=3, **nobody).stderr)
        sound = self.write("b.ops", "assay 1\np0 = malloc(90000000)\n")
        self.run_tool("replay", sound, "--subject", "libc", status=0, **nobody)

    def test_what_the_harness_needs_for_a_call_is_not_made_to_fail(self):
        # The text that strdup copies is the harness's own; it is there before the first call that fails.
        file = self.write("a.ops", "assay 1\np0 = malloc(90000000) (fail: mmap#1+, brk#1+)\np1 = strdup(719)\n")
        row = self.run_json("replay", file, "--subject", "libc", status=0,
                            environment={"ASSAY_WORKER": worker()})["files"][0]
        self.assertEqual(row["verdict"], "clean")

    def test_a_list_is_refused(self):
        self.assertIn("one subject at a time", self.sweep("libc,jemalloc", status=2)["message"])


if __name__ == "__main__":
    unittest.main()
