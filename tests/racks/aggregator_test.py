"""In-network reduction on the emulated cluster: an aggregator at the core switch halves what the uplinks carry, results stay
right bit by bit, the planner finds it by itself, and a dead aggregator is named by the ranks."""
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from racks_test import RACKS, SKIPPED, SOURCE, racks, why_not

sys.path.insert(0, str(SOURCE / "bench/compare"))
from samples import payload  # noqa: E402

HAWSER = os.environ.get("HAWSER", "")
RACKS_COUNT, SIZE, CALLS = 4, 1 << 20, 8
CLUSTER = ("--racks", str(RACKS_COUNT), "--nodes", "1", "--ranks", "2")
COUNTED_BESIDE = 1 << 18  # bytes over an uplink that are no data: joining, barriers, the gathering of times


def aggregate(*options: str) -> tuple[str, str]:
    return "--aggregator", shlex.join([HAWSER, "aggregate", *options])


def bench(*options: str, algorithm: str = "", iterations: int = CALLS - 2) -> list[str]:
    """CALLS all-reduces of integers, where nothing else is said; the first one is checked."""
    command = [HAWSER, "bench", "all_reduce", "--type", "int64", "--min", str(SIZE), "--max", str(SIZE), "--iters",
               str(iterations), "--warmup", "1", "--check", "--format", "json", *options]
    return command + ["--algorithm", algorithm] if algorithm else command


class Aggregator(unittest.TestCase):
    def measure(self, *layout: str, algorithm: str = "") -> tuple[dict, int]:
        """The row of the bench, and payload bytes over the busiest uplink, either way."""
        with tempfile.TemporaryDirectory() as folder:
            counted = Path(folder) / "bytes.json"
            done = racks(*layout, "--bytes", str(counted), "--", *bench(algorithm=algorithm))
            self.assertEqual(done.returncode, 0, done.stderr)
            row, = json.loads(done.stdout)["rows"]
            self.assertEqual(row["wrong"], 0)
            moved = json.loads(counted.read_text())
            return row, max(payload(rack, way) for rack in moved for way in ("out", "in"))

    def test_the_uplinks_carry_the_data_once_each_way(self):
        _, among_ranks = self.measure(*CLUSTER, algorithm="hierarchical(direct,two_shot)")
        _, by_switch = self.measure(*CLUSTER, *aggregate(), algorithm="hierarchical(direct,in_network)")
        least = 2 * SIZE * (RACKS_COUNT - 1) // RACKS_COUNT * CALLS
        self.assertGreater(among_ranks, least)
        self.assertGreater(by_switch, SIZE * CALLS)
        self.assertLess(by_switch, 1.02 * SIZE * CALLS + COUNTED_BESIDE)

    def test_the_planner_chooses_it_where_there_is_one(self):
        chosen, _ = self.measure(*CLUSTER, *aggregate())
        self.assertIn("in_network", chosen["algorithm"])
        chosen, _ = self.measure("--racks", "2", "--nodes", "1")
        self.assertNotIn("in_network", chosen["algorithm"])

    def test_several_nodes_per_rack(self):
        self.measure("--nodes", "2,1,2", *aggregate("--level", "rack"), algorithm="hierarchical(direct,in_network)")

    def test_a_dead_aggregator_is_named(self):
        timeout = ("--peer-timeout", "2s")
        command = [sys.executable, RACKS, *CLUSTER, *aggregate(*timeout), "--",
                   *bench(*timeout, algorithm="hierarchical(direct,in_network)", iterations=1_000_000)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as program:
            self.addCleanup(program.kill)
            os.kill(self.busy_aggregator(program), signal.SIGKILL)
            _, said = program.communicate(timeout=60)
        self.assertEqual(program.returncode, 1, said)
        named = [line for line in said.splitlines() if "the aggregator of the switch over the outermost level" in line]
        self.assertEqual(len(named), 2 * RACKS_COUNT, said)

    def busy_aggregator(self, program: subprocess.Popen) -> int:
        """Its number, once it has worked for 0.2 s of processor time: in the middle of the collectives."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and program.poll() is None:
            for process in descendants(program.pid):
                try:
                    name, state = (Path(f"/proc/{process}/{file}").read_text() for file in ("cmdline", "stat"))
                except OSError:
                    continue
                fields = state.rsplit(")", 1)[1].split()
                if name.split("\0")[:2] == [HAWSER, "aggregate"] and int(fields[11]) + int(fields[12]) > 20:
                    return process
            time.sleep(0.05)
        self.fail("the aggregator never worked")


def descendants(process: int) -> list[int]:
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [each for child in children for each in (int(child), *descendants(int(child)))]


if __name__ == "__main__":
    if reason := why_not():
        print(f"SKIPPED: no emulated cluster on this machine: {reason}")
        sys.exit(SKIPPED)
    unittest.main()
