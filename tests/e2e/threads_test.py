"""Programs of several threads from outside: schedules of anyone's shared object, what is found replays and shrinks."""

import pathlib
import unittest

from tool import ToolTest, library

# t0 allocates, t1 does, t0 does again: only this order shows the fault of faulty_turns, and no text order is one.
TURNS = """assay 1
p5 = malloc(100) @t1
p0 = malloc(650)
p1 = malloc(24)
p2 = malloc(650)
free(p1)
p3 = malloc(650) @t1
free(p5) @t1
"""
SCHEDULED = TURNS + "preempt(t0, op 3) -> t1\n"


class SchedulesOfASharedObject(ToolTest):
    def test_explore_finds_the_order_and_the_file_replays(self):
        program = self.write("turns.ops", TURNS)
        answer = self.run_json("explore", program, "--subject", library("faulty_turns"), "--flavour", "dev", "--bound",
                               "1", status=1)
        entry = answer["files"][0]
        self.assertEqual((entry["violations"], entry["granularity"]), (1, "operation"))
        text = pathlib.Path(entry["output"]).read_text()
        self.assertIn("preempt(t0, op 3) -> t1", text)
        self.assertNotIn("access", text)
        replayed = self.run_json("replay", entry["output"], "--repeat", "5", status=1)["files"][0]
        self.assertEqual((replayed["times_seen"], replayed["times_run"]), (5, 5))
        self.assertIn("overlap", replayed["token"])

    def test_it_says_that_it_sees_operations_only(self):
        program = self.write("turns.ops", TURNS)
        done = self.run_tool("explore", program, "--subject", library("toy_malloc"), "--flavour", "dev", "--bound", "1",
                             status=0)
        self.assertIn("between operations only", done.stdout)
        self.assertIn("all there are", done.stdout)

    def test_each_order_alone_is_clean(self):
        program = self.write("turns.ops", TURNS)
        for mode in ("sequential", "schedule"):
            self.run_tool("replay", program, "--subject", library("faulty_turns"), "--mode", mode, status=0)

    def test_a_find_shrinks(self):
        noise = "".join(f"p{i} = malloc({i}) @t{i % 3}\n" for i in range(10, 30))
        program = self.write("long.ops", TURNS + noise + "preempt(t0, op 3) -> t1\npreempt(t1, op 7) -> t2\n")
        answer = self.run_json("minimize", program, "--subject", library("faulty_turns"), "--mode", "schedule",
                               "-o", "short.ops", status=0)
        text = (self.folder / "short.ops").read_text()
        self.assertEqual(text.count(" = malloc("), 3, answer)
        self.assertEqual(text.count("preempt"), 1, text)
        self.run_tool("replay", "short.ops", status=1)


class FreeThreads(ToolTest):
    def test_a_find_shrinks(self):
        # Whoever comes first, the third thread to allocate makes the second turn.
        lines = ["assay 1"]
        for i in range(60):
            lines.append(f"p{i} = malloc({650 if i % 20 == 10 else 40}) @t{i % 3}")
        program = self.write("free.ops", "\n".join(lines) + "\n")
        answer = self.run_json("minimize", program, "--subject", library("faulty_turns"), "--mode", "free", "-o",
                               "short.ops", status=0)
        text = (self.folder / "short.ops").read_text()
        self.assertEqual(text.count(" = malloc("), 3, f"{answer}\n{text}")
        self.assertIn("mode: free", text)


class Refusals(ToolTest):
    def refused(self, lines, *arguments, mode="schedule"):
        program = self.write("bad.ops", "assay 1\n" + lines)
        return self.assert_refused("replay", program, "--mode", mode, *arguments)

    def test_places_that_do_not_exist(self):
        body = "p0 = malloc(1)\np1..p2 = malloc(1) @t1\n"
        for event, words in (("preempt(t0, op 0) -> t2", "no thread t2"), ("preempt(t2, op 0) -> t1", "t2"),
                             ("preempt(t0, op 9) -> t1", "op 9"), ("preempt(t1, op 1[2]) -> t0", "2 members"),
                             ("preempt(t0, op 0) -> t0", "t0"), ("stale(t2, op 0, access 1, 1)", "t2"),
                             ("cas_fails(t0, op 7, access 1)", "op 7"),
                             ("preempt(t1, op 0) -> t0", "t1")):
            with self.subTest(event):
                message = self.refused(body + event + "\n")
                self.assertIn("bad.ops:4:", message)
                self.assertIn(words, message)

    def test_too_many_threads(self):
        lines = "".join(f"p{i} = malloc(1) @t{i}\n" for i in range(65))
        self.assertRegex(self.refused(lines), r"bad\.ops: .*at most 64")
        self.assertIn("at most 64", self.refused("p0 = malloc(1) @t1\nthread_exit() @t1\n" * 65))
        self.assertIn("1023", self.refused("p0 = malloc(1) @t1023\n", mode="free"))

    def test_accesses_of_a_shared_object(self):
        for event in ("preempt(t0, op 0, access 3) -> t1", "stale(t0, op 0, access 1, 1)",
                      "cas_fails(t0, op 0, access 1)"):
            with self.subTest(event):
                message = self.refused("p0 = malloc(1)\np1 = malloc(1) @t1\n" + event + "\n", "--subject",
                                       library("toy_malloc"))
                self.assertIn("does not tell of its accesses", message)


if __name__ == "__main__":
    unittest.main()
