"""Silence is clean only when something was hunted, nothing failed and the canary was found."""

import unittest

from verdict import verdict_of


def state(**values):
    lane = {"programs": 10, "hangs": 0, "faults": 0, **values.pop("lane", {})}
    return {"spent": 60.0, "canary": {"found": True, "programs": 5}, "lanes": {"a": lane}, **values}


class VerdictTest(unittest.TestCase):
    def word(self, bugs=(), **values):
        return verdict_of(state(**values), bugs)[0]

    def test_clean(self):
        self.assertEqual(self.word(), "clean")
        self.assertEqual(self.word(bugs=[{"status": "known"}]), "clean")

    def test_what_was_found(self):
        self.assertEqual(self.word(bugs=[{"status": "new"}]), "violation")
        self.assertEqual(self.word(bugs=[{"status": "regressed"}], canary=None), "violation")

    def test_the_canary(self):
        self.assertEqual(self.word(canary=None), "unknown")
        self.assertEqual(self.word(canary={"found": False, "programs": 400, "asked": 400, "message": ""}), "failed")

    def test_a_canary_that_had_no_chance_is_no_proof_of_anything(self):
        word, sentence = verdict_of(state(canary={"found": False, "programs": 41941, "asked": 400000, "message": "0 of 1"}), [])
        self.assertEqual(word, "not proven")
        self.assertIn("41,941 of 400,000 programs", sentence)

    def test_nothing_ran(self):
        self.assertEqual(self.word(lane={"programs": 0}), "unknown")
        self.assertEqual(self.word(lanes={}), "unknown")

    def test_a_lane_that_hangs_or_fails(self):
        self.assertEqual(self.word(lane={"hangs": 1}), "failed")
        self.assertEqual(self.word(lane={"faults": 1}), "failed")


if __name__ == "__main__":
    unittest.main()
