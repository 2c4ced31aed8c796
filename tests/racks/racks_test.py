"""The emulated cluster of bench/racks: what it tells the ranks, what hawser discovers on it, and that it leaves nothing."""
import glob
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

SOURCE = Path(__file__).parent.parent.parent
RACKS = SOURCE / "bench/racks/racks.py"
sys.path.insert(0, str(RACKS.parent))
from layout import Layout  # noqa: E402

SKIPPED = 77


def racks(*arguments: str, timeout: float = 120) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("HAWSER_", "SLURM_", "RANK", "WORLD_SIZE", "MASTER_"))}
    return subprocess.run([sys.executable, RACKS, *arguments], capture_output=True, text=True, timeout=timeout,
                          env=environment, stdin=subprocess.DEVNULL, check=False)


def why_not() -> str:
    try:
        probe = racks("--racks", "1", "--nodes", "1", "--", "true")
    except FileNotFoundError as missing:
        return str(missing)
    return "" if probe.returncode == 0 else probe.stderr.strip()


class Layouts(unittest.TestCase):
    def test_orders(self):
        names = {order: [node.name for node in Layout((2, 1), 2, order=order).ranks()]
                 for order in ("contiguous", "cyclic", "random:3")}
        self.assertEqual(names["contiguous"], ["r0n0", "r0n0", "r0n1", "r0n1", "r1n0", "r1n0"])
        self.assertEqual(names["cyclic"], ["r0n0", "r0n0", "r1n0", "r1n0", "r0n1", "r0n1"])
        self.assertEqual(sorted(names["random:3"]), sorted(names["contiguous"]))
        self.assertEqual(Layout((4,) * 4, order="random:3").ranks(), Layout((4,) * 4, order="random:3").ranks())

    def test_switches_are_published(self):
        self.assertEqual(Layout((1, 2, 1, 1), pods=2).topology_conf().splitlines(), [
            "SwitchName=rack0 Nodes=r0n0", "SwitchName=rack1 Nodes=r1n0,r1n1", "SwitchName=rack2 Nodes=r2n0",
            "SwitchName=rack3 Nodes=r3n0", "SwitchName=pod0 Switches=rack0,rack1",
            "SwitchName=pod1 Switches=rack2,rack3", "SwitchName=core Switches=pod0,pod1"])

    def test_bad_layouts(self):
        for arguments, reason in (({"nodes": (0,)}, "nodes"), ({"nodes": (1,), "rails": 0}, "rails"),
                                  ({"nodes": (1, 1), "pods": 3}, "pods")):
            with self.assertRaisesRegex(ValueError, reason):
                Layout(**arguments)
        with self.assertRaisesRegex(ValueError, "sideways"):
            Layout((1,), order="sideways").ranks()


class Cluster(unittest.TestCase):
    def bench(self, *layout: str) -> dict:
        """All-reduce of 1 MiB, checked; of the ranks, only rank 0 prints."""
        done = racks(*layout, "--", os.environ["HAWSER"], "bench", "all_reduce", "--min", "1MiB", "--max", "1MiB",
                     "--iters", "2", "--check", "--transport", "tcp", "--format", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_hawser_discovers_the_racks(self):
        for layout, hierarchy in ((("--racks", "2", "--nodes", "2"), "rack:2 node:2"),
                                  (("--nodes", "1,2", "--ranks", "2"), "rack:2 node:[1,2] rank:2"),
                                  (("--nodes", "2,2", "--order", "cyclic"), "rack:2 node:2, ranks out of order"),
                                  (("--nodes", "1,1,1,1", "--pods", "2"), "pod:2 node:2")):
            with self.subTest(layout=layout):
                found = self.bench(*layout)
                self.assertEqual(found["hierarchy"], hierarchy)
                self.assertEqual([row["wrong"] for row in found["rows"]], [0])

    def test_the_uplinks_are_shaped_and_counted(self):
        with tempfile.TemporaryDirectory() as folder:
            counted = Path(folder) / "bytes.json"
            begin = time.monotonic()
            self.bench("--nodes", "1,1", "--uplink", "50mbit", "--bytes", str(counted))
            took = time.monotonic() - begin
            least = 3 * (1 << 20)  # a warm-up or check and two iterations, 1 MiB each way
            for rack in json.loads(counted.read_text()):
                for way in ("out", "in"):
                    self.assertGreater(rack[way], least)
                    self.assertLess(rack[way] * 8 / took, 50e6 * 1.1)

    def test_names_ranks_and_rails(self):
        script = "echo $RANK $WORLD_SIZE $LOCAL_RANK $(hostname) $(ls /sys/class/net | grep -c eth) $(ls /dev/shm | wc -l)"
        done = racks("--nodes", "1,1", "--ranks", "2", "--rails", "2", "--", "sh", "-c", script)
        self.assertEqual(sorted(done.stdout.splitlines()),
                         ["0 4 0 r0n0 2 0", "1 4 1 r0n0 2 0", "2 4 0 r1n0 2 0", "3 4 1 r1n0 2 0"], done.stderr)

    def test_a_failing_rank_fails_the_command(self):
        done = racks("--nodes", "1,1", "--", "sh", "-c", "exit $RANK")
        self.assertEqual(done.returncode, 1)
        self.assertIn("rank 1 on r1n0 ended with 1", done.stderr)
        self.assertEqual(racks("--nodes", "1", "--timeout", "1", "--", "sleep", "60").returncode, 2)

    def test_nothing_is_left_even_after_a_kill(self):
        folders = set(glob.glob(tempfile.gettempdir() + "/hawser-racks-*"))
        with subprocess.Popen([sys.executable, RACKS, "--nodes", "1,1", "--", "sh", "-c", "echo up; exec sleep 1234"],
                              stdout=subprocess.PIPE, text=True) as program:
            self.assertEqual(program.stdout.readline(), "up\n")
            program.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 30
        while subprocess.run(["pgrep", "-f", "sleep 1234"], capture_output=True, check=False).returncode == 0:
            self.assertLess(time.monotonic(), deadline, "a rank survived")
            time.sleep(0.05)
        for folder in set(glob.glob(tempfile.gettempdir() + "/hawser-racks-*")) - folders:
            for file in Path(folder).iterdir():  # a killed program cannot remove its folder
                self.assertIn(file.name, ("hosts", "secret", "slurm.conf", "topology.conf", "cache"))
        links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
        self.assertNotIn("rack0_0", links)


if __name__ == "__main__":
    if reason := why_not():
        print(f"SKIPPED: no emulated cluster on this machine: {reason}")
        sys.exit(SKIPPED)
    unittest.main()
