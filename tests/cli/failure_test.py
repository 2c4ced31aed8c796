"""Processes that die: the others say so in time, and none survives."""
import json
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

    def run_to_its_end(self, *options: str) -> subprocess.CompletedProcess:
        return subprocess.run([HAWSER, "run", *options, "--racks", "1", "--ranks-per-rack", "4", "--bytes", "256KiB",
                               "--iters", "3", "--peer-timeout", f"{PEER_TIMEOUT}s"], text=True, capture_output=True,
                              timeout=100, env=clean_environment(), check=False)

    def test_survivors_shrink_and_give_right_results(self):
        for collective, victim, transport in (("all_reduce", 2, "shm"), ("all_reduce", 0, "tcp"), ("broadcast", 0, "shm"),
                                              ("all_to_all", 3, "tcp")):
            with self.subTest(collective=collective, victim=victim, transport=transport):
                told = self.run_to_its_end(collective, "--kill", str(victim), "--shrink", "--transport", transport,
                                           "--format", "json")
                self.assertEqual(told.returncode, 0, told.stderr)
                report = json.loads(told.stdout)
                left = [each for each in range(4) if each != victim]
                self.assertEqual(report["recovery"]["old_ranks"], left)
                self.assertEqual([each["rank"] for each in report["recovery"]["lost"]], [victim])
                self.assertEqual((report["wrong"], report["plan"]["ranks"]), (0, 3))
                self.assertIn(f"rank {victim} was killed by signal 9", told.stderr)

    def test_a_recovery_is_told_in_words(self):
        told = self.run_to_its_end("all_reduce", "--kill", "1", "--shrink")
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertRegex(told.stdout, r"lost +rank 1: .*\n(.*\n)*shrunk +from 4 ranks to 3 in .*: the old ranks 0, 2, 3")
        self.assertIn("checked     ok", told.stdout)

    def test_a_kill_without_shrink_fails(self):
        told = self.run_to_its_end("all_reduce", "--kill", "1")
        self.assertEqual(told.returncode, 1, told.stdout)
        self.assertRegex(told.stderr, r"rank [023]: .*rank 1 failed")

    def test_what_cannot_be_killed(self):
        for options, problem in ((("--shrink",), "--shrink without --kill"), (("--kill", "4"), "cannot kill rank 4"),
                                 (("--kill", "1", "--transport", "in_process"), "threads of one process")):
            told = self.run_to_its_end("all_reduce", *options)
            self.assertEqual(told.returncode, 2, told.stderr)
            self.assertIn(problem, told.stderr)

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
