"""Several allocators compared: diff, its table, and a list of subjects that replays and minimises as one."""

import pathlib
import unittest

from tool import ToolTest, library, worker

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOUND = "assay 1\np0 = malloc(24)\np1 = calloc(3, 100)\np0 = realloc(p0, 900)\nfree(p1)\n"
# Impossible, so that a wrong errno shows, twice; what stands around it is not needed.
FAILS = SOUND + "p2 = malloc(18446744073709551615)\np3 = malloc(40)\np4 = calloc(2, 9223372036854775807)\n"


def cells(page):
    """The rows of the table by question: what each subject answers."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    head = [cell.strip().split(" (")[0] for cell in lines[0].split("|")[1:-1]]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]
    return {row[1]: dict(zip(head, row)) for row in rows}


class Diff(ToolTest):
    def test_sound_ones_agree(self):
        answer = self.run_json("diff", self.write("a.ops", SOUND), "--subjects", "ximalloc,libc", status=0)
        self.assertEqual((answer["divergences"], answer["permitted"], answer["files"]), (0, 0, []))

    def test_what_is_permitted_is_counted(self):
        file = self.write("a.ops", "assay 1\np0 = malloc(24)\np0 = realloc(p0, 0)\n")
        answer = self.run_json("diff", file, "--subjects", "ximalloc,libc", status=0)
        self.assertEqual((answer["divergences"], answer["permitted"]), (0, 1))

    def test_a_faulty_one_diverges(self):
        bad = library("faulty_errno")
        file = self.write("a.ops", FAILS)
        answer = self.run_json("diff", file, "--subjects", f"ximalloc,libc,{bad}", status=1)
        row = answer["files"][0]
        self.assertEqual((answer["divergences"], row["operation_index"], row["clause"]), (1, 4, "C23 7.24.3.6"))
        self.assertEqual(row["outcomes"]["libc"], "NULL, ENOMEM")
        self.assertNotEqual(row["outcomes"][bad], "NULL, ENOMEM")
        both = self.run_json("diff", file, "--subjects", f"libc,{bad}", "--keep-going", status=1)
        self.assertEqual([row["operation_index"] for row in both["files"]], [4, 6])

    def test_what_only_other_programs_brought_about_is_not_believed(self):
        # From the 3,000th allocation of a process on it hands out a block twice; one program makes ten.
        many = self.write("a.ops", "assay 1\np0..p9 = malloc(650)\nfree(p0..p9)\n")
        answer = self.run_json("diff", many, many, many, "--subjects", f"libc,{library('faulty_stateful')}", status=0)
        self.assertEqual((answer["divergences"], answer["files"]), (0, []))

    def test_what_is_known_is_passed(self):
        bad = library("faulty_errno")
        file = self.write("a.ops", FAILS)
        said = self.run_tool("diff", file, "--subjects", f"libc,{bad}", "--keep-going", status=1).stdout
        tokens = [line.split(": ", 1)[1] for line in said.splitlines() if line.startswith("DEDUP_TOKEN")]
        known = self.write("known", "".join(token + "\n" for token in tokens))
        answer = self.run_json("diff", file, "--subjects", f"libc,{bad}", "--known", known, status=0)
        self.assertEqual((answer["divergences"], answer["known"]), (0, 2))

    def test_a_list_replays_and_minimises_as_one_subject(self):
        subjects = f"ximalloc,libc,{library('faulty_errno')}"
        row = self.run_json("replay", self.write("a.ops", FAILS), "--subject", subjects, status=1)["files"][0]
        self.assertEqual((row["oracle"], row["operation_index"]), ("divergence", 4))
        small = self.folder / "small.ops"
        answer = self.run_json("minimize", self.write("a.ops", FAILS), "--subject", subjects, "-o", str(small), status=0)
        self.assertEqual((answer["operations_after"], answer["token"]), (1, row["token"]))
        self.assertIn("subject: " + subjects, small.read_text())
        self.run_tool("replay", str(small), status=1)

    def test_settings(self):
        file = self.write("a.ops", SOUND)
        self.run_tool("replay", file, "--subject", "ximalloc{purge_delay=0,retire_ticks=3}", status=0)
        if worker():
            self.run_tool("diff", file, "--subjects", "libc{MALLOC_ARENA_MAX=1},ximalloc,libc", status=0)

    def test_bad_input_is_one_line(self):
        file = self.write("a.ops", SOUND)
        for subjects in ("libc", "libc,libc", "libc,nosuch", "libc,ximalloc{", "libc,ximalloc{nosuch=1}",
                         "libc,ximalloc{purge_delay=x}", "libc,ximalloc{warnings=7}", f"libc,{library('no_free')}",
                         f"libc,{library('dies_at_load')}", f"libc,{library('prints_at_load')}"):
            self.assert_refused("diff", file, "--subjects", subjects)
        self.assert_refused("diff")
        self.assert_refused("diff", file, "--table")
        self.assert_refused("diff", file, "--mode", "free")
        self.assert_refused("diff", "--table", "--subjects", f"libc,{library('prints_at_load')}", "-o", "table.md")
        self.assertEqual(self.files_left(), ["a.ops"])

    def test_the_table_is_what_they_answer(self):
        page = cells((ROOT / "docs/conformance.md").read_text())
        self.assertGreaterEqual(len(page), 40)
        table = self.folder / "table.md"
        self.run_tool("diff", "--table", "--subjects", "ximalloc,libc", "-o", str(table), status=0, timeout=600)
        today = cells(table.read_text())
        self.assertEqual(page.keys(), today.keys())
        for question, row in today.items():
            # A sanitizer's allocator stands before parts of libc.
            if "reallocarray" in question and row["libc"] == "-":
                continue
            for subject in ("ximalloc", "libc"):
                self.assertEqual(page[question][subject], row[subject], f"{question} on {subject}")


if __name__ == "__main__":
    unittest.main()
