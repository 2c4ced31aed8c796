"""bench/compare without any library: quantiles, bytes, limits, verdicts, commands and the files that are written."""
import csv
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "bench/compare"))
import launch  # noqa: E402
import libraries  # noqa: E402
import reductions  # noqa: E402
import report  # noqa: E402
from cases import KIB, MEASUREMENTS, MIB, PLACES, SHORT, TARGETS, Target, repetitions  # noqa: E402
from limits import bus_bandwidth, least_bytes, least_seconds  # noqa: E402
from samples import HEADER_BYTES, Result, gather, payload_per_operation, quantile  # noqa: E402
from verdicts import Figures, short_failures  # noqa: E402

KEY = ("4x4", "all_reduce", 16 * MIB)
GOODPUT = 59e6
LIMIT = 1.5 * 16 * MIB / GOODPUT


def result(library: str, seconds: float, key=KEY, **rest) -> Result:
    return Result(*key, library, [seconds], 1, **rest)


def figures(*results: Result, missing: dict | None = None) -> Figures:
    return Figures(list(results), {"4x4": GOODPUT}, missing or {})


class Samples(unittest.TestCase):
    def test_quantiles(self):
        values = [4.0, 1.0, 3.0, 2.0]
        self.assertEqual([quantile(values, share) for share in (0, 0.5, 1)], [1, 2.5, 4])
        self.assertAlmostEqual(quantile(values, 0.1), 1.3)
        self.assertEqual(quantile([7.0], 0.9), 7)
        with self.assertRaises(ValueError):
            quantile([], 0.5)

    @staticmethod
    def launched(operations: int, start: int, per_operation: int) -> dict:
        packets = 10 + 3 * operations
        moved = {"out": start + operations * per_operation + packets * HEADER_BYTES, "out_packets": packets,
                 "in": packets * HEADER_BYTES, "in_packets": packets}
        return {"operations": operations, "uplinks": [moved]}

    def test_payload_leaves_out_headers_acknowledgements_and_the_start_of_the_job(self):
        long, short = self.launched(8, 12345, 1000), self.launched(2, 12345, 1000)
        self.assertEqual(payload_per_operation(long, short), 1000)
        self.assertIsNone(payload_per_operation(short, short))

    def record(self, **rest) -> dict:
        return {"place": "4x4", "collective": "all_reduce", "bytes": 16 * MIB, "library": "gloo ring",
                "is_probe": False, "other_cores": 0.1, "wrong": 0, "times_seconds": [1.0, 2.0]} | self.launched(8, 5, 1000) | rest

    def test_rounds_are_put_together(self):
        found, = gather([self.record(), self.record(times_seconds=[6.0], other_cores=0.5),
                         self.record(is_probe=True, times_seconds=[99.0]) | self.launched(2, 5, 1000)])
        self.assertEqual((found.times, found.rounds, found.median, found.payload), ([1, 2, 6], 2, 2, 1000))
        self.assertEqual(max(found.other_cores), 0.5)

    def test_a_wrong_or_failed_launch_spoils_the_result(self):
        self.assertTrue(gather([self.record()])[0].is_valid)
        self.assertFalse(gather([self.record(), self.record(wrong=1)])[0].is_valid)
        failed, = gather([self.record(), {"problem": "killed"} | {k: v for k, v in self.record().items()
                                                                  if k != "times_seconds"}])
        self.assertFalse(failed.is_valid)
        self.assertEqual((failed.times, failed.problems), ([1, 2], ["killed"]))


class Limits(unittest.TestCase):
    def test_bytes_over_the_busiest_uplink(self):
        for place, collective, expected in (("4x4", "all_reduce", 1.5), ("2x4 cyclic", "all_reduce", 1),
                                            ("3,2,4", "all_reduce", 4 / 3), ("4x4", "all_to_all", 3),
                                            ("3,2,4", "all_to_all", 4 * 5 / 9), ("4x1x4", "all_to_all", 3)):
            self.assertAlmostEqual(least_bytes(PLACES[place], collective, 900), 900 * expected, msg=place)

    def test_time_and_bus_bandwidth(self):
        self.assertAlmostEqual(least_seconds(PLACES["4x4"], "all_reduce", 16 * MIB, GOODPUT), 0.4265, places=3)
        self.assertIsNone(least_seconds(PLACES["shared memory"], "all_reduce", MIB, GOODPUT))
        self.assertAlmostEqual(bus_bandwidth("all_reduce", 4, 1000, 2), 750)
        self.assertAlmostEqual(bus_bandwidth("all_to_all", 4, 1000, 2), 375)


class Verdicts(unittest.TestCase):
    TARGET = Target("4x4", "all_reduce", 16 * MIB, "fraction", 0.98)

    def test_fraction_of_the_limit(self):
        for seconds, word in ((LIMIT / 0.99, "reached"), (LIMIT / 0.97, "missed")):
            verdict = figures(result("hawser", seconds)).judge(self.TARGET)
            self.assertEqual(verdict.word, word)
            self.assertAlmostEqual(verdict.reached, LIMIT / seconds)

    def test_speedup_is_over_the_best_valid_peer(self):
        target = Target(*KEY, "speedup", 3)
        wrong = result("MPICH", 0.1, wrong=3)
        verdict = figures(result("hawser", 1), wrong, result("Open MPI", 5), result("gloo ring", 4)).judge(target)
        self.assertEqual((verdict.reached, verdict.word, verdict.peer.library), (4, "reached", "gloo ring"))
        alone = figures(result("hawser", 1), wrong).judge(target)
        self.assertEqual((alone.word, alone.reason), ("not measured", "no peer of the run"))

    def test_what_was_not_measured_is_said(self):
        missing = figures(missing={"hawser": "not built"}).judge(self.TARGET)
        self.assertEqual((missing.word, missing.reason), ("not measured", "not built"))
        wrong = figures(result("hawser", 0.1, wrong=7)).judge(self.TARGET)
        self.assertEqual((wrong.word, wrong.reason), ("not measured", "7 wrong elements"))

    def test_the_short_form(self):
        least = 1.5 * 16 * MIB
        good, peer = result("hawser", 0.5, payload=1.04 * least), result("Open MPI", 0.6)
        self.assertEqual(short_failures(figures(good, peer), [KEY]), [])
        for results, said in (((result("hawser", 0.61, payload=least), peer), "takes"),
                              ((result("hawser", 0.5, payload=1.06 * least), peer), "1.060 times the least"),
                              ((result("hawser", 0.5), peer), "not counted"), ((good,), "no peer"),
                              ((peer,), "was not measured"), ((result("hawser", 0.5, wrong=1), peer), "1 wrong")):
            failures = short_failures(figures(*results), [KEY])
            self.assertEqual(len(failures), 1, failures)
            self.assertIn(said, failures[0])


class Cases(unittest.TestCase):
    def test_every_target_is_measured(self):
        measured = {(each.place, each.collective, size) for each in (*MEASUREMENTS, *SHORT) for size in each.sizes}
        for target in TARGETS:
            self.assertIn((target.place, target.collective, target.bytes), measured)
            self.assertIn(target.library, libraries.BY_NAME)

    def test_repetitions_fall_with_the_size(self):
        for is_pinned in (False, True):
            counts = [repetitions(size, is_pinned)[0] for size in (KIB, 64 * KIB, MIB, 16 * MIB, 64 * MIB)]
            self.assertEqual(counts, sorted(counts, reverse=True))
            self.assertGreaterEqual(counts[-1], 3)

    def test_unknown_and_missing_libraries_are_named(self):
        nowhere = Path("/nowhere")
        with self.assertRaisesRegex(ValueError, "smoke"):
            libraries.find(["smoke signals"], nowhere, nowhere)
        found, missing = libraries.find(None, nowhere, nowhere)
        self.assertEqual((found, set(missing)), ([], set(libraries.BY_NAME)))
        self.assertTrue(all(missing.values()))

    def test_commands(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, place, cores, expected, other in (
                    ("Open MPI", "2x1x4", (0, 1), "mpi_yield_when_idle 1", "coll_han_priority"),
                    ("Open MPI HAN+adapt", "2x1x4", (0, 1), "coll_han_priority 100", "--bind-to core"),
                    ("MPICH", "2x1x4", (0, 1), "libcompare_ucx_yield.so", "-bind-to core"),
                    ("MPICH", "shared memory", (0, 1), "-bind-to core", "libcompare_ucx_yield.so"),
                    ("hawser", "shared memory", (4, 5), "taskset -c 5", "--host-memory"),
                    ("hawser shared buffers", "shared memory", (4, 5), "--host-memory", "--local")):
                work = launch.Work(PLACES[place], "all_reduce", KIB, 5, 2, Path("hawser"), Path("bin"), Path(folder),
                                   cores)
                made = launch.command_of(name, work, ["r0n0"] * 4 + ["r1n0"] * 4)
                text = " ".join(made.commands[-1])
                self.assertIn(expected, text, name)
                self.assertNotIn(other, text, name)
                self.assertEqual(len(made.commands), 1 if made.is_launcher else PLACES[place].ranks)
                if (name, place) == ("MPICH", "2x1x4"):
                    self.assertEqual((Path(folder) / "hosts").read_text(), "r0n0:4\nr1n0:4\n")


class Reductions(unittest.TestCase):
    @staticmethod
    def run_of(name: str, rate: float, kind: str = "iteration") -> dict:
        return {"name": name, "run_type": kind, "bytes_per_second": rate}

    def test_the_best_sets_are_compared_by_their_medians(self):
        runs = [self.run_of("by_hand/float32/sum/avx2/8192", rate) for rate in (90, 100, 900)]
        runs += [self.run_of("by_hand/float32/sum/plain/8192", 20), self.run_of("by_hand/memcpy/8192", 5000),
                 self.run_of("float32/sum/sse2/8192", 50), self.run_of("float32/sum/avx2/8192", 95),
                 self.run_of("float32/sum/avx2/8192_median", 9999, "aggregate"),
                 self.run_of("bfloat16/sum/avx2/8192", 60), self.run_of("float16/sum/avx2/64", 60)]
        rows = reductions.read(json.dumps({"benchmarks": runs}))
        self.assertEqual([(row["type"], row["fraction"]) for row in rows], [("bfloat16", 0.6), ("float32", 0.95)])
        text = "\n".join(reductions.markdown(rows))
        self.assertIn("| 0.9 | 0.95 | reached |", text)
        self.assertIn("| 0.7 | 0.60 | missed |", text)


class Files(unittest.TestCase):
    def test_csv_json_and_markdown(self):
        told = {"machine": {"processor": "P"}, "command": "compare.py --short", "versions": {"MPICH": "4"},
                "reductions": []}
        made = figures(result("hawser", 2 * LIMIT, payload=1.5 * 16 * MIB), result("MPICH", LIMIT),
                       missing={"UCC": "not installed"})
        verdicts = report.judge_all(made)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            report.write_csv(made, folder / "a.csv")
            report.write_json(made, verdicts, told, folder / "a.json")
            with open(folder / "a.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            found = json.loads((folder / "a.json").read_text())
        self.assertEqual([float(row["fraction_of_limit"]) for row in rows], [0.5, 1])
        self.assertEqual(float(rows[0]["times_faster_than_best_peer"]), 0.5)
        self.assertEqual(found["rows"][0]["payload_over_least"], 1)
        self.assertEqual(len(found["targets"]), len(TARGETS))
        text = report.markdown(made, verdicts, told, ["a.svg"])
        for expected in ("all_reduce 4x4, 16 MiB | MPICH", "| missed |", "**0.50 x**", "left out: UCC: not installed",
                         "| 1.000 |", "compare.py --short", "![a.svg](a.svg)"):
            self.assertIn(expected, text)


if __name__ == "__main__":
    unittest.main()
