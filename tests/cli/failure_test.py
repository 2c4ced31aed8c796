"""Processes that die: the others say so in time, and none survives."""
import os
import signal
import subprocess
import time
import unittest
from pathlib import Path

from program import HAWSER, clean_environment

PEER_TIMEOUT = 2
LONG = ("--racks", "1", "--ranks-per-rack", "4", "--bytes", "4MiB", "--iters", "1000000", "--peer-timeout",
        f"{PEER_TIMEOUT}s")


def workers_of(parent: int) -> dict[int, int]:
    """rank -> process, once all four run."""
    found = {}
    for process in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        try:
            environment = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        for entry in environment:
            if entry.startswith(b"RANK="):
                found[int(entry[5:])] = int(process)
    return found


def processor_time(process: int) -> int:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


class Failure(unittest.TestCase):
    def start(self, transport: str) -> tuple[subprocess.Popen, dict[int, int]]:
        program = subprocess.Popen([HAWSER, "run", "all_reduce", *LONG, "--transport", transport], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment())
        self.addCleanup(program.kill)
        deadline = time.monotonic() + 60
        # Every rank has worked for 0.2 s of processor time: the job is in the middle of its collectives.
        while time.monotonic() < deadline and program.poll() is None:
            workers = workers_of(program.pid)
            if len(workers) == 4 and all(processor_time(each) > 20 for each in workers.values()):
                return program, workers
            time.sleep(0.05)
        self.fail(f"the job did not start: {program.communicate(timeout=10)}")

    def expect_gone(self, workers: dict[int, int]) -> None:
        deadline = time.monotonic() + 10
        while any(Path(f"/proc/{each}/exe").exists() for each in workers.values()):
            self.assertLess(time.monotonic(), deadline, "a rank survived")
            time.sleep(0.05)

    def test_a_killed_rank_is_named(self):
        for transport in ("shm", "tcp"):
            with self.subTest(transport=transport):
                program, workers = self.start(transport)
                os.kill(workers[2], signal.SIGKILL)
                killed = time.monotonic()
                _, messages = program.communicate(timeout=60)
                self.assertLess(time.monotonic() - killed, PEER_TIMEOUT + 4)
                self.assertEqual(program.returncode, 1, messages)
                self.assertIn("rank 2 was killed by signal 9", messages)
                self.assertRegex(messages, r"rank [013]: .*rank 2 failed")
                self.expect_gone(workers)

    def test_a_stopped_rank_is_named(self):
        program, workers = self.start("shm")
        os.kill(workers[1], signal.SIGSTOP)
        stopped = time.monotonic()
        _, messages = program.communicate(timeout=60)
        self.assertLess(time.monotonic() - stopped, 2 * PEER_TIMEOUT + 6)
        self.assertEqual(program.returncode, 1, messages)
        self.assertRegex(messages, r"rank [023]: .*rank 1 failed")
        self.expect_gone(workers)

    def test_ranks_end_with_the_program(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(signal=number):
                program, workers = self.start("shm")
                program.send_signal(number)
                program.communicate(timeout=30)
                self.assertEqual(program.returncode, -number)
                self.expect_gone(workers)


if __name__ == "__main__":
    unittest.main()
