"""A line for the campaign and one for each target, from the state alone."""

import pathlib
import unittest

from status import clock, status_lines


def lane(**values):
    return {"seconds": 60.0, "programs": 600, "edges": 100, "newest": 1000.0, "hangs": 0, "faults": 0, "rss_mib": 0, **values}


class StatusTest(unittest.TestCase):
    def lines(self, lanes, **now):
        state = {"spent": 3700.0, "canary": None, "lanes": lanes, "now": {"elapsed": 65.0, "budget": 600.0, "at": 1030.0, "running": {}, **now}}
        return list(status_lines(state, pathlib.Path("/nowhere")))

    def test_clock(self):
        self.assertEqual([clock(seconds) for seconds in (0, 59.9, 61, 3600, 86399)], ["0:00", "0:59", "1:01", "1:00:00", "23:59:59"])

    def test_lanes_of_a_target_are_one_line(self):
        lines = self.lines({"alloc_ops@fuzz-sequential": lane(), "alloc_ops@msan-sequential": lane(edges=120, hangs=2), "mt_ops@tsan-free": lane()})
        self.assertIn("campaign 1:05 / 10:00 (1:01:40 in all)", lines[0])
        self.assertIn("canary not hunted yet", lines[0])
        self.assertEqual(len(lines), 3)
        self.assertIn("alloc_ops: 2:00 of hunting, 1,200 programs, 10/s, 120 edges, newest 0:30 ago", lines[1])
        self.assertIn("hangs 2", lines[1])

    def test_what_runs_counts_at_once(self):
        lines = self.lines({"alloc_ops@fuzz-sequential": lane(rss_mib=77)},
                           running={"alloc_ops@fuzz-sequential": {"seconds": 40.0, "programs": 400, "edges": 130}})
        self.assertIn("1:40 of hunting, 1,000 programs, 10/s, 130 edges", lines[1])
        self.assertIn("77 MiB; now fuzz-sequential", lines[1])

    def test_what_guides_a_library_without_counters_are_no_edges(self):
        lines = self.lines({"alloc_ops@fuzz-sequential": lane(), "alloc_ops@release-sequential": lane(edges=5000, newest=1029.0)})
        self.assertIn("100 edges, newest 0:30 ago", lines[1])


if __name__ == "__main__":
    unittest.main()
