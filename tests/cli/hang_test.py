"""hawser doctor hang over dumps of real ranks, and hawser trace over their traces."""
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from failure_test import workers_of
from program import HAWSER, clean_environment, hawser

LONG = ("all_reduce", "--racks", "1", "--ranks-per-rack", "4", "--bytes", "4MiB", "--iters", "1000000",
        "--peer-timeout", "2s")


def has_all(folder: Path, ranks: list[int]) -> bool:
    return all((folder / f"rank-{rank}.dump.json").exists() for rank in ranks)


def start_job(folder: Path, **extra: str) -> tuple[subprocess.Popen, dict[int, int]]:
    """Four ranks in the middle of their collectives: each has answered a signal with a dump that has calls in it."""
    program = subprocess.Popen([HAWSER, "run", *LONG], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=clean_environment(HAWSER_DUMP_DIR=str(folder), **extra))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and program.poll() is None:
        workers = workers_of(program.pid)
        ready = [rank for rank, process in workers.items() if is_ready(process)]
        if len(ready) == 4:
            for process in workers.values():
                os.kill(process, signal.SIGUSR2)
        if len(ready) == 4 and has_all(folder, [0, 1, 2, 3]) and all(has_calls(folder, rank) for rank in range(4)):
            return program, workers
        time.sleep(0.05)
    program.kill()
    raise AssertionError(f"the job did not start: {program.communicate(timeout=10)}")


def is_ready(process: int) -> bool:
    """It catches SIGUSR2."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (signal.SIGUSR2 - 1) & 1)
    return False


def has_calls(folder: Path, rank: int) -> bool:
    return len(json.loads((folder / f"rank-{rank}.dump.json").read_text())["calls"]) > 3


def blames(folder: Path, rank: int) -> int | None:
    return json.loads((folder / f"rank-{rank}.dump.json").read_text())["blamed"]


def leave_dumps(folder: Path, killed: int) -> str:
    """Runs a job until this rank is killed; the others leave dumps. Returns what the program said."""
    program, workers = start_job(folder)
    os.kill(workers[killed], signal.SIGKILL)
    _, messages = program.communicate(timeout=60)
    (folder / f"rank-{killed}.dump.json").unlink()  # what it wrote at a signal; the others have written again
    return messages


class Hang(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def test_a_killed_rank(self):
        leave_dumps(self.folder, killed=2)
        done = hawser("doctor", "hang", str(self.folder))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("There is no dump of rank 2", done.stdout.splitlines()[0])
        self.assertIn("killed or crashed", done.stdout.splitlines()[0])
        self.assertIn("3 of 4 ranks left a dump; there is none of rank 2", done.stdout)
        found = json.loads(hawser("doctor", "hang", str(self.folder), "--format", "json").stdout)
        self.assertEqual((found["kind"], found["ranks"], found["without_dump"]), ("missing", [2], [2]))

    def test_a_stopped_rank_that_goes_on(self):
        program, workers = start_job(self.folder)
        os.kill(workers[1], signal.SIGSTOP)
        deadline = time.monotonic() + 30
        while not all(blames(self.folder, rank) == 1 for rank in (0, 2, 3)):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        (self.folder / "rank-1.dump.json").unlink()  # what it wrote at a signal
        found = json.loads(hawser("doctor", "hang", str(self.folder), "--format", "json").stdout)
        self.assertEqual((found["kind"], found["ranks"]), ("missing", [1]))
        self.assertIn("its host answers, its process does not", found["sentence"])
        program.communicate(timeout=60)

    def test_what_cannot_be_read(self):
        for name, text, words in (("", "", "there is no dump"), ("rank-0.dump.json", "{", "parse error"),
                                  ("rank-0.dump.json", "{}", "schema"),
                                  ("rank-0.dump.json", '{"schema": "hawser.dump/2"}', "hawser.dump/1")):
            if name:
                (self.folder / name).write_text(text)
            done = hawser("doctor", "hang", str(self.folder))
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn(words, done.stderr)
            self.assertTrue(done.stderr.startswith("hawser: "), done.stderr)
        self.assertEqual(hawser("doctor", "hang", str(self.folder / "nowhere")).returncode, 2)
        self.assertEqual(hawser("doctor", "hang").returncode, 2)

    def test_nobody_waits(self):
        program, _ = start_job(self.folder)
        program.kill()
        program.communicate()
        # What was dumped between calls may have open ones; either way the program says so and names all ranks.
        done = hawser("doctor", "hang", str(self.folder))
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertIn("4 of 4 ranks left a dump", done.stdout)

    def test_traces(self):
        run = hawser("run", "all_reduce", "--racks", "1", "--ranks-per-rack", "2", "--bytes", "64KiB", "--iters", "5",
                     HAWSER_TRACE=str(self.folder))
        self.assertEqual(run.returncode, 0, run.stderr)
        merged = self.folder / "all.json"
        done = hawser("trace", "merge", str(self.folder), "--output", str(merged))
        self.assertEqual(done.returncode, 0, done.stderr)
        events = json.loads(merged.read_text())["traceEvents"]
        names = {each["pid"] for each in events if each["ph"] == "M"}
        self.assertEqual(names, {0, 1})
        calls = [each for each in events if each["ph"] == "X" and each["name"].startswith("all_reduce")]
        self.assertGreaterEqual(len(calls), 10)
        self.assertTrue(any(each["name"].startswith("send to 1") for each in events if each["pid"] == 0))
        rows = {}
        for each in sorted((each for each in events if each["ph"] == "X"), key=lambda each: each["ts"]):
            row = (each["pid"], each["tid"])
            self.assertGreaterEqual(each["ts"] + 0.5, rows.get(row, 0), "intervals of one row overlap")
            rows[row] = each["ts"] + each["dur"]
        (self.folder / "rank-0.trace.json").write_text("[]")
        done = hawser("trace", "merge", str(self.folder))
        self.assertEqual(done.returncode, 2)
        self.assertIn("traceEvents", done.stderr)


if __name__ == "__main__":
    unittest.main()
