#!/usr/bin/env python3
"""What the kind "corrupt" concludes from what the ranks of a job have said: a corruption that went through is seen."""
import random
import sys
import unittest
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parent))
import kinds  # noqa: E402
import table  # noqa: E402
from job import Process  # noqa: E402


def rank(*events: dict) -> Process:
    made = Process("rank", SimpleNamespace())
    made.events = list(events)
    return made


def injected(to: int, in_call: int) -> dict:
    return {"event": "injected", "kind": "corrupt", "to": to, "bytes": 8, "in_call": in_call}


def failed(code: str, what: str) -> dict:
    return {"event": "failed", "code": code, "what": what, "at": 1.0}


FOUND = failed("corrupted data", "all_reduce failed (a message from rank 0 to rank 1 was changed on the way)")


def judged(*ranks: Process) -> kinds.Outcome:
    outcome = kinds.Outcome({})
    kinds.check_corrupted(outcome, SimpleNamespace(processes=list(ranks)))
    return outcome


class Corrupt(unittest.TestCase):
    def test_found_by_its_receiver(self):
        outcome = judged(rank(injected(1, 7), {"event": "end", "completed": 7}), rank(FOUND, {"event": "end", "completed": 7}))
        self.assertEqual((outcome.facts["injected"], outcome.facts["found"], outcome.problems), (1, 1, []))

    def test_in_nobody_s_payload(self):
        outcome = judged(rank(injected(1, 7), injected(2, 7), {"event": "end", "completed": 7}),
                         rank(FOUND, {"event": "end", "completed": 7}), rank({"event": "end", "completed": 7}))
        self.assertEqual((outcome.facts["unread"], outcome.problems), (1, []))

    def test_taken_for_right(self):
        outcome = judged(rank(injected(1, 7), injected(2, 7), {"event": "end", "completed": 9}),
                         rank(FOUND, {"event": "end", "completed": 7}), rank({"event": "end", "completed": 8}))
        self.assertEqual(len(outcome.problems), 1)
        self.assertEqual(table.counts([{"problems": outcome.problems}])["wrong"], 1)

    def test_survived_in_spite_of_a_fault(self):
        outcome = judged(rank(injected(1, 7), {"event": "end", "completed": 9}), rank({"event": "end", "completed": 9}))
        self.assertEqual(len(outcome.problems), 2)

    def test_without_a_fault_other_seeds_are_tried(self):
        def once(_lab, _worker, rng):
            draws.append(rng.random())
            return kinds.Outcome({"injected": int(len(draws) == struck_at)}, how="survived")
        whole, kinds.corrupt_once = kinds.corrupt_once, once
        try:
            for struck_at, how, attempts in ((2, "survived", 2), (99, "no fault", kinds.ATTEMPTS)):
                draws = []
                outcome = kinds.corrupt(None, "", random.Random(1))
                self.assertEqual((outcome.how, outcome.facts["attempts"]), (how, attempts))
                self.assertEqual(len(set(draws)), attempts)
        finally:
            kinds.corrupt_once = whole


if __name__ == "__main__":
    unittest.main()
