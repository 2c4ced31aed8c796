"""hawser tune: what it prints and writes, and who uses the file."""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from program import HAWSER, clean_environment, hawser

TWO_LEVELS = ("--topology", "rack:2 gpu:2")


class Tune(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "tuning.json"

    def tune(self, *arguments: str, ranks: int = 4) -> dict:
        done = hawser("tune", "--local", str(ranks), "--time", "1s", "--output", str(self.file), "--format", "json",
                      *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_device_prints_the_policies_and_measures_or_says_why_not(self):
        done = hawser("tune", "--device")
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()[:4]], ["arch", "sm_80", "sm_90", "sm_100"])
        self.assertIn("assumed", done.stdout)
        if done.returncode == 0:  # on a machine with a GPU
            self.assertIn("measured on ", done.stdout)
            return
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stdout, r"not measured: (no CUDA device \(.+\); run on|this hawser was built without CUDA)")

    def test_measures_every_level_and_writes_the_file(self):
        found = self.tune(*TWO_LEVELS)
        self.assertEqual(json.loads(self.file.read_text()), found["tuning"])
        self.assertEqual(sorted(self.file.parent.iterdir()), [self.file])  # no draft is left
        self.assertEqual([level["level"] for level in found["tuning"]["levels"]], ["rack", "gpu"])
        for level in found["tuning"]["levels"]:
            for figure in ("latency_seconds", "alone_bytes_per_second", "together_bytes_per_second"):
                self.assertLessEqual(level[figure]["p10"], level[figure]["p90"])
            self.assertLess(level["latency_seconds"]["median"], 0.1)
            self.assertGreater(level["together_bytes_per_second"]["median"], 1e6)
        self.assertEqual(found["tuning"]["levels"][0]["streams_per_unit"], 2)
        self.assertGreater(found["tuning"]["reduction_bytes_per_second"]["median"], 1e7)
        self.assertIsNone(found["racks"])

    def test_plan_uses_it_and_says_so(self):
        date = self.tune(*TWO_LEVELS)["tuning"]["date"]
        plan = ("plan", "all_reduce", *TWO_LEVELS, "--bytes", "1MiB")
        tuned = hawser(*plan, "--tuning", str(self.file))
        self.assertEqual(tuned.returncode, 0, tuned.stderr)
        self.assertIn(f"tuning file {self.file}, {date}", tuned.stdout)
        self.assertEqual(hawser(*plan, HAWSER_TUNING=str(self.file)).stdout, tuned.stdout)
        self.assertNotIn("tuning file", hawser(*plan).stdout)

    def test_of_another_machine(self):
        self.tune(*TWO_LEVELS)
        plan = ("plan", "all_reduce", "--topology", "rack:3 gpu:2", "--bytes", "1MiB")
        refused = hawser(*plan, "--tuning", str(self.file))
        self.assertEqual(refused.returncode, 2)
        self.assertIn("another machine", refused.stderr)
        ignored = hawser(*plan, HAWSER_TUNING=str(self.file))
        self.assertEqual(ignored.returncode, 0)
        self.assertIn("is not used", ignored.stderr)
        self.assertEqual(ignored.stdout, hawser(*plan).stdout)

    def test_bad_files(self):
        plan = ("plan", "all_reduce", *TWO_LEVELS, "--bytes", "1MiB", "--tuning", str(self.file))
        self.assertEqual(hawser(*plan).returncode, 2)  # missing
        for text in ("", "{", '{"schema": "hawser.plan/1"}'):
            self.file.write_text(text)
            done = hawser(*plan)
            self.assertEqual(done.returncode, 2)
            self.assertIn(str(self.file), done.stderr)
        bench = hawser("bench", "all_reduce", "--local", "2", "--max", "1KiB", "--iters", "1", "--tuning", str(self.file))
        self.assertEqual(bench.returncode, 2)
        self.assertIn(str(self.file), bench.stderr)

    def test_jobs_use_it_and_probe(self):
        self.tune(*TWO_LEVELS)
        bench = ("bench", "all_reduce", "--local", "4", "--max", "1KiB", "--iters", "1", "--format", "json", *TWO_LEVELS)
        plain = json.loads(hawser(*bench).stdout)
        for tuning in (str(self.file), "probe"):
            done = hawser(*bench, "--tuning", tuning)
            self.assertEqual(done.returncode, 0, done.stderr)
            found = json.loads(done.stdout)
            self.assertEqual(found["hierarchy"], plain["hierarchy"])
            self.assertNotEqual(found["fingerprint"], plain["fingerprint"])  # its links have other figures
        found = json.loads(hawser(*bench, HAWSER_TUNING=str(self.file)).stdout)
        self.assertIn(f"HAWSER_TUNING={self.file}", found["overrides"])

    def test_nothing_is_lost_where_it_cannot_be_written(self):
        done = hawser("tune", "--local", "2", "--time", "100ms", "--output", "/nowhere/tuning.json")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot be written", done.stderr)
        if os.path.exists("/dev/full"):  # a full disk: the output itself
            with open("/dev/full", "w") as full:
                done = subprocess.run([HAWSER, "tune", "--local", "1", "--time", "100ms"], stdout=full,
                                      stderr=subprocess.PIPE, text=True, env=clean_environment(), timeout=60, check=False)
            self.assertNotEqual(done.returncode, 0)

    def test_one_host_has_no_racks(self):
        found = self.tune("--infer", ranks=2)
        self.assertEqual(len(found["racks"]["hosts"]), 1)
        self.assertEqual(found["racks"]["pairs"], 0)


if __name__ == "__main__":
    unittest.main()
