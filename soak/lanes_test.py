"""Which lane is next."""

import pathlib
import tempfile
import unittest

from lanes import EVENLY, SEARCH, SEEDED, Lane, lanes_of, next_lane, note_slice, shares


def record(**values):
    return dict({"seconds": 0.0, "gain": 0.0, "slices": 0}, **values)


LANES = [Lane("alloc_ops", "fuzz", "sequential"), Lane("mt_ops", "tsan", "free"), Lane("mt_ops", "sched", "schedule", "explore")]


class LanesTest(unittest.TestCase):
    def test_names_are_unique_and_say_the_search(self):
        self.assertEqual(LANES[0].name, "alloc_ops@fuzz-sequential")
        self.assertEqual(LANES[2].name, "mt_ops@sched-schedule-explore")

    def test_another_subject_has_a_corpus_of_its_own(self):
        self.assertEqual(LANES[0].corpus, "alloc_ops")
        self.assertEqual(Lane("alloc_ops", "release", "sequential", subject="/b/lib/libximalloc.so:xi_").corpus, "alloc_ops-libximalloc.so_xi_")

    def test_lanes_of_what_is_built(self):
        with tempfile.TemporaryDirectory() as name:
            build = pathlib.Path(name)
            for target in ("alloc_ops", "heap_api", "mt_ops", "differential"):
                (build / "fuzz" / "corpus" / target).mkdir(parents=True)
                for flavour in ("fuzz", "msan", "tsan", "fuzz-sched", "sched"):
                    (build / flavour / "bin").mkdir(parents=True, exist_ok=True)
                    for program in (target, "assay"):
                        (build / flavour / "bin" / program).touch()
            names = {lane.name for lane in lanes_of(build)}
        self.assertLessEqual({"alloc_ops@fuzz-sequential", "alloc_ops@msan-sequential", "heap_api@fuzz-sequential", "heap_api@msan-sequential", "heap_api@tsan-free",
                              "heap_api@fuzz-sched-schedule", "mt_ops@fuzz-free", "mt_ops@tsan-free", "mt_ops@sched-schedule-explore"}, names)
        self.assertFalse(names & {"mt_ops@msan-free", "alloc_ops@tsan-free"} or any(name.startswith("differential") for name in names))

    def test_shares_are_the_whole(self):
        state = {LANES[0].name: record(seconds=100, gain=4.0), LANES[1].name: record(seconds=100, gain=0.0)}
        parts = shares(LANES, state)
        self.assertAlmostEqual(sum(parts), 1.0)
        self.assertGreater(parts[0], parts[1])

    def test_nothing_starves(self):
        state = {lane.name: record(seconds=100) for lane in LANES}
        state[LANES[0].name]["gain"] = 1000.0
        for part in shares(LANES, state):
            self.assertGreaterEqual(part, min(SEARCH, EVENLY * (1 - SEARCH) / 2))

    def test_without_any_gain_engines_are_equal(self):
        state = {lane.name: record(seconds=100) for lane in LANES}
        parts = shares(LANES, state)
        self.assertEqual(parts[0], parts[1])
        self.assertAlmostEqual(sum(parts), 1.0)

    def test_searches_have_their_share_whatever_engines_find(self):
        lanes = [*LANES, Lane("mutants", "fuzz", "sequential", "mutants"), *(Lane(f"t{number}", "fuzz", "sequential") for number in range(20))]
        state = {lane.name: record(seconds=100, gain=5.0 if lane.hunter == "fuzz" else 0.0) for lane in lanes}
        parts = dict(zip((lane.name for lane in lanes), shares(lanes, state)))
        self.assertAlmostEqual(parts[LANES[2].name], SEARCH)
        self.assertAlmostEqual(parts["mutants@fuzz-sequential-mutants"], SEEDED)
        self.assertAlmostEqual(sum(parts.values()), 1.0)

    def test_one_that_never_ran_is_next(self):
        state = {LANES[0].name: record(seconds=100, gain=1.0), LANES[1].name: record(seconds=100, gain=1.0)}
        self.assertIs(next_lane(LANES, state, set()), LANES[2])

    def test_one_that_runs_is_not_started_again(self):
        self.assertIsNone(next_lane(LANES, {}, {lane.name for lane in LANES}))
        self.assertIs(next_lane(LANES, {}, {LANES[0].name, LANES[1].name}), LANES[2])

    def test_over_time_the_shares_come_about(self):
        state = {lane.name: record(seconds=10) for lane in LANES}
        state[LANES[0].name]["gain"] = 9.0
        state[LANES[1].name]["gain"] = 1.0
        wanted = dict(zip((lane.name for lane in LANES), shares(LANES, state)))
        for _ in range(3000):
            state[next_lane(LANES, state, set()).name]["seconds"] += 60
        total = sum(entry["seconds"] for entry in state.values())
        for name, part in wanted.items():
            self.assertAlmostEqual(state[name]["seconds"] / total, part, delta=0.02)

    def test_old_finds_fade(self):
        entry = record()
        note_slice(entry, 60, 600)
        first = entry["gain"]
        for _ in range(20):
            note_slice(entry, 60, 0)
        self.assertLess(entry["gain"], first / 3)
        self.assertEqual(entry["slices"], 21)


if __name__ == "__main__":
    unittest.main()
