"""bench/regret without a cluster: regret, errors, rank correlation, the short form's demands and the files."""
import csv
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench"
sys.path[:0] = [str(BENCH / "regret"), str(BENCH / "compare")]
import figures  # noqa: E402
import regret  # noqa: E402
import tables  # noqa: E402
from figures import Case, Measured  # noqa: E402
from places import FULL, PLACES, SIZES  # noqa: E402

KIB = 1 << 10
STEADY = [1.0, 1.0, 1.0]


def case(*rows: Measured, size: int = 64 * KIB, **rest) -> Case:
    return Case("4x4", "all_reduce", size, list(rows), **rest)


def times(around: float) -> list[float]:
    return [around * (1 + each / 100) for each in (-5, -5, 0, 5, 5)]


class Regret(unittest.TestCase):
    def test_only_what_lies_beyond_the_spread_counts(self):
        best = Measured("ring", 1, times(1.0))
        for slower, expected in ((1.05, 0), (1.2, 1.2 * 0.95 - 1.05), (2.0, 2 * 0.95 - 1.05)):
            one = case(Measured("pat", 1, times(slower), True), best)
            self.assertIs(one.best, best)
            self.assertAlmostEqual(one.gap, slower - 1)
            self.assertAlmostEqual(one.regret, expected)

    def test_the_choice_is_not_held_against_itself_or_its_equals(self):
        choice = Measured("pat", 1, STEADY, True)
        one = case(Measured("ring", 1, STEADY), choice)
        self.assertIs(one.best, choice)
        self.assertEqual((one.regret, one.gap), (0, 0))

    def test_one_lucky_call_is_no_best(self):
        one = case(Measured("pat", 1, STEADY, True), Measured("ring", 1, [0.1]), Measured("tree", 1, [0.1, 0.1]))
        self.assertEqual((one.best.algorithm, one.regret), ("pat", 0))

    def test_the_worst_come_first(self):
        cases = [case(Measured("pat", 1, [slow] * 3, True), Measured("ring", 1, STEADY)) for slow in (1.1, 3, 2)]
        self.assertEqual([round(each.regret, 3) for each in figures.worst(cases, 2)], [2, 1])


class Model(unittest.TestCase):
    def test_errors_from_64_kib_and_order_below(self):
        small = case(*[Measured(str(t), t * 5, [t] * 3, t == 1) for t in (1.0, 2.0, 3.0)], size=KIB)
        large = case(Measured("a", 0.5, STEADY, True), Measured("b", 1.1, STEADY), Measured("c", 2, STEADY))
        found = figures.summary([small, large])
        self.assertAlmostEqual(found["median_error"], 0.5)
        self.assertAlmostEqual(found["median_error_of_choices"], 0.5)
        self.assertAlmostEqual(found["rank_correlation"], 1)
        self.assertIsNone(figures.summary([large])["rank_correlation"])
        self.assertIsNone(figures.summary([small])["median_error"])

    def test_rank_correlation(self):
        # Deviations of the ranks: -2, -1/2, -1/2, 1, 2 and -1, -2, 0, 2, 1.
        self.assertAlmostEqual(figures.rank_correlation([(1, 2), (2, 1), (2, 3), (4, 5), (5, 4)]), 7 / (9.5 * 10) ** 0.5)
        self.assertAlmostEqual(figures.rank_correlation([(1, 9), (2, 4), (3, 1)]), -1)
        self.assertIsNone(figures.rank_correlation([(1, 1), (1, 2), (1, 3)]))
        self.assertIsNone(figures.rank_correlation([(1, 1), (2, 2)]))


class Records(unittest.TestCase):
    ROW = {"collective": "broadcast", "bytes": 1024, "algorithm": "linear", "predicted_seconds": 1e-3,
           "times_seconds": [1e-3] * 3, "is_chosen": True, "wrong": None}

    def record(self) -> dict:
        rival = self.ROW | {"algorithm": "chain", "is_chosen": False, "times_seconds": [5e-4] * 3, "wrong": 2}
        return {"place": "2x4", "collective": "broadcast", "rows": [self.ROW, rival],
                "left_out": [{"bytes": 1024, "algorithm": "bine"}]}

    def test_cases_out_of_launches(self):
        failed = {"place": "2x4", "collective": "all_gather", "sizes": [1024, 4096], "problem": "killed"}
        one, = figures.cases_of([self.record(), failed, {"place": "2x4", "tuning": ""}])
        self.assertEqual((one.key, one.wrong, one.left_out), (("2x4", "broadcast", 1024), 2, ["bine"]))
        self.assertEqual((one.chosen.algorithm, one.best.algorithm, one.gap), ("linear", "chain", 1))
        self.assertEqual(regret.problem_text(failed), "all_gather on 2x4, 1024 to 4096 bytes: killed")

    def test_what_the_short_form_demands(self):
        key = ("2x4", "broadcast", 1024)
        good = figures.cases_of([self.record()])
        good[0].wrong = 0
        self.assertEqual(figures.mechanics_failures(good, [key]), [])
        self.assertEqual(len(figures.mechanics_failures(good, [key, ("2x4", "broadcast", 4096)])), 1)
        for spoil, said in ((lambda one: one.rows.pop(), "no rival"), (lambda one: one.rows[0].times.pop(), "2 samples"),
                            (lambda one: setattr(one.rows[1], "is_chosen", True), "2 choices"),
                            (lambda one: setattr(one, "wrong", 7), "7 wrong")):
            one, = figures.cases_of([self.record()])
            one.wrong = 0
            one.rows[0].times = list(one.rows[0].times)
            spoil(one)
            failures = figures.mechanics_failures([one], [key])
            self.assertEqual(len(failures), 1, failures)
            self.assertIn(said, failures[0])

    def test_files(self):
        told = {"machine": {"processor": "P"}, "command": "regret.py --short", "version": "1", "figures": "built in",
                "problems": ["all_gather on 2x4: killed"]}
        cases = figures.cases_of([self.record()])
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            tables.write_csv(cases, folder / "a.csv")
            tables.write_json(cases, told, folder / "a.json")
            with open(folder / "a.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            found = json.loads((folder / "a.json").read_text())
        self.assertEqual([(row["algorithm"], row["is_chosen"], row["is_best"], row["regret"]) for row in rows],
                         [("linear", "True", "False", "1.0"), ("chain", "False", "True", "")])
        self.assertEqual((found["all"]["worst_regret"], found["cases"][0]["left_out"]), (1, ["bine"]))
        self.assertEqual((found["worst"][0]["best"], found["groups"][0]["place"]), ("chain", "2x4"))
        text = tables.page(cases, told)
        for expected in ("| worst regret | at most 15.0 % | 100.0 % | missed |", "regret.py --short", "processor: P",
                         "| median error from 64 KiB | at most 15.0 % |  | not measured |", "not measured: all_gather on 2x4",
                         "| broadcast 2x4, 1 KiB | 100.0 % | 100.0 % | linear | 1 [1..1] | chain | 0.5 [0.5..0.5] |"):
            self.assertIn(expected, text)


class Verdicts(unittest.TestCase):
    TOTAL = {"median_regret": 0.0, "worst_regret": 0.2, "median_gap": 0.04, "worst_gap": 0.5, "median_error": None,
             "rank_correlation": 0.95}

    def test_words(self):
        self.assertEqual(tables.verdict("median regret", self.TOTAL), (0, "reached"))
        self.assertEqual(tables.verdict("worst regret", self.TOTAL)[1], "missed")
        self.assertEqual(tables.verdict("median error from 64 KiB", self.TOTAL), (None, "not measured"))
        self.assertEqual(tables.verdict("rank correlation below 64 KiB", self.TOTAL)[1], "reached")
        worse = self.TOTAL | {"rank_correlation": 0.5, "median_gap": 0.3}
        self.assertEqual(tables.verdict("rank correlation below 64 KiB", worse)[1], "missed")
        self.assertEqual(tables.verdict("median regret", worse)[1], "not decided: the gap is 30.0 %, within the spread")

    def test_sizes(self):
        self.assertEqual([tables.size_text(size) for size in (1008, 1024, 65520, 3 << 20)],
                         ["1008 B", "1 KiB", "65520 B", "3 MiB"])


class Work(unittest.TestCase):
    def test_the_places_of_the_full_form(self):
        self.assertLessEqual({"2x4", "3x3", "4x4", "3,2,4", "2x4 cyclic", "4x1x4"}, set(FULL))
        self.assertLessEqual(set(FULL), set(PLACES))
        self.assertEqual((SIZES[0], SIZES[-1]), (KIB, 64 << 20))

    def test_sizes_of_one_launch_grow_by_one_factor(self):
        self.assertEqual(regret.runs_of(SIZES), [SIZES])
        self.assertEqual(regret.runs_of((1024, 65536, 65537, 131074)), [(1024, 65536), (65537, 131074)])
        self.assertEqual(regret.runs_of((1000, 1500, 1500)), [(1000,), (1500,)])

    def test_bad_input(self):
        for arguments, said in ((("--hawser", "/nowhere/hawser"), "has not been built"), (("--time", "0"), "--time"),
                                (("--again", "--output", "/nowhere"), "records.jsonl"), (("--place", "moon"), "moon")):
            done = subprocess.run([sys.executable, "-B", BENCH / "regret/regret.py", *arguments], text=True,
                                  capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
