"""Three ranks in three network namespaces whose links fail: what each is told. Needs root and `ip netns`."""
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from hang_test import has_all, has_calls, is_ready
from program import HAWSER, clean_environment, hawser

NAME = f"hwl{os.getpid() % 10000}"
PEER_TIMEOUT = 3


def ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True)


def space(rank: int) -> str:
    return f"{NAME}-{rank}"


def address(rank: int) -> str:
    return f"10.77.0.{rank + 1}"


class Links(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, for network namespaces")
        try:
            ip("netns", "add", space(0))
        except (OSError, subprocess.CalledProcessError) as refused:
            self.skipTest(f"cannot make network namespaces: {refused}")
        self.addCleanup(self.take_down)
        ip("link", "add", NAME, "type", "bridge")
        ip("link", "set", NAME, "up")
        for rank in range(3):
            if rank > 0:
                ip("netns", "add", space(rank))
            ip("link", "add", f"{NAME}v{rank}", "type", "veth", "peer", "name", "e0", "netns", space(rank))
            ip("link", "set", f"{NAME}v{rank}", "master", NAME, "up")
            ip("-n", space(rank), "addr", "add", f"{address(rank)}/24", "dev", "e0")
            for device in ("e0", "lo"):
                ip("-n", space(rank), "link", "set", device, "up")
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def take_down(self):
        for rank in range(3):
            ip("link", "del", f"{NAME}v{rank}", check=False)  # else it outlives its namespace for a moment
            ip("netns", "del", space(rank), check=False)
        ip("link", "del", NAME, check=False)

    def start(self) -> list[subprocess.Popen]:
        """Ranks in the middle of their collectives; each has dumped calls at a signal."""
        ranks = []
        for rank in range(3):
            environment = clean_environment(HAWSER_DUMP_DIR=str(self.folder), RANK=str(rank), WORLD_SIZE="3",
                                            MASTER_ADDR=address(0), MASTER_PORT="29777", HAWSER_SECRET="of the test")
            ranks.append(subprocess.Popen(
                ["ip", "netns", "exec", space(rank), HAWSER, "bench", "all_reduce", "--min", "1MiB", "--max", "1MiB",
                 "--iters", "2000000", "--transport", "tcp", "--peer-timeout", f"{PEER_TIMEOUT}s"],
                text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment))
            self.addCleanup(ranks[-1].kill)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if all(each.poll() is None and is_ready(each.pid) for each in ranks):
                for each in ranks:
                    os.kill(each.pid, signal.SIGUSR2)
                if has_all(self.folder, [0, 1, 2]) and all(has_calls(self.folder, rank) for rank in range(3)):
                    break
            time.sleep(0.05)
        else:
            self.fail("the job did not start")
        for file in self.folder.glob("*.dump.json"):
            file.unlink()
        return ranks

    def told(self, ranks: list[subprocess.Popen]) -> tuple[list[str], float]:
        """What the ranks say at their end, and how long that took."""
        begin = time.monotonic()
        messages = [each.communicate(timeout=60)[1] for each in ranks]
        return messages, time.monotonic() - begin

    def expect_cut(self, ranks: list[subprocess.Popen], way: str) -> None:
        messages, took = self.told(ranks)
        for message in messages:
            self.assertIn("the link between rank 1 and rank 2 is cut, the store hears both", message)
        self.assertLess(took, 1.5 * PEER_TIMEOUT + 2)
        print(f"{way}: every rank was told of the cut link after {took:.1f} s (peer time-out {PEER_TIMEOUT} s)")
        found = json.loads(hawser("doctor", "hang", str(self.folder), "--format", "json").stdout)
        self.assertEqual((found["kind"], sorted(found["ranks"])), ("link", [1, 2]), found["sentence"])
        self.assertEqual(found["without_dump"], [])

    def test_a_host_that_is_gone(self):
        ranks = self.start()
        ip("link", "set", f"{NAME}v2", "down")
        messages, took = self.told(ranks)
        for message in messages[:2]:
            self.assertRegex(message, r"rank 2 failed \(no sign of life for 3s: its host does not answer either")
        self.assertIn("the store gave no sign of life", messages[2])
        self.assertLess(took, PEER_TIMEOUT + 2)
        print(f"host gone: told after {took:.1f} s (peer time-out {PEER_TIMEOUT} s)")

    def test_a_link_that_is_cut(self):
        ranks = self.start()
        ip("-n", space(1), "route", "add", "blackhole", f"{address(2)}/32")
        ip("-n", space(2), "route", "add", "blackhole", f"{address(1)}/32")
        self.expect_cut(ranks, "both ways")

    def test_a_link_that_is_cut_in_one_direction(self):
        ranks = self.start()
        ip("-n", space(1), "route", "add", "blackhole", f"{address(2)}/32")
        self.expect_cut(ranks, "one way")


if __name__ == "__main__":
    unittest.main()
