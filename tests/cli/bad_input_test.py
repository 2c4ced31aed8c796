"""Every bad input gives exit code 2 and one message with problem, reason or suggestion; nothing hangs."""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from program import HAWSER, clean_environment, hawser

ON = ["--topology", "rack:2 gpu:2"]
RUN = ["--racks", "1", "--ranks-per-rack", "2"]

# arguments, and what the message must say
CASES = [
    ([], "no verb"),
    (["frobnicate"], "frobnicate"),
    (["--frobnicate"], "frobnicate"),
    (["plan"], "collective is required"),
    (["plan", "all_reduce"], "no topology"),
    (["plan", "all_reducer", *ON], "unknown collective"),
    (["plan", "all_reduce", "--topology", "rack4"], "rack4"),
    (["plan", "all_reduce", "--topology", "rack:0 gpu:2"], "count of 0"),
    (["plan", "all_reduce", "--topology", "rack:-1 gpu:2"], "negative"),
    (["plan", "all_reduce", "--topology", "rack:[8,8"], "bracket"),
    (["plan", "all_reduce", "--topology", "rack:2 rack:2"], "twice"),
    (["plan", "all_reduce", "--topology", "gpu:99999999999999999999"], "too large"),
    (["plan", "all_reduce", "--topology", "rack:2@fast gpu:2"], "bandwidth"),
    (["plan", "all_reduce", "--topology", "/does/not/exist.json"], "exist.json"),
    (["plan", "all_reduce", "--topology", "preset:frob"], "frob"),
    (["plan", "all_reduce", *ON, "--bytes", "12XB"], "unknown unit"),
    (["plan", "all_reduce", *ON, "--bytes", "many"], "no number"),
    (["plan", "all_reduce", *ON, "--bytes", "-5"], "not negative"),
    (["plan", "all_reduce", *ON, "--bytes", "1.5"], "whole number of bytes"),
    (["plan", "all_reduce", *ON, "--bytes", "1e30"], "too large"),
    (["plan", "all_reduce", *ON, "--bytes", "3"], "at least 4B"),
    (["plan", "all_to_all", *ON, "--bytes", "15"], "at least 16B"),
    (["plan", "all_reduce", *ON, "--type", "float31"], "unknown data type"),
    (["plan", "all_reduce", *ON, "--type", "user"], "unknown data type"),
    (["plan", "all_reduce", *ON, "--op", "mean"], "unknown operator"),
    (["plan", "all_reduce", *ON, "--op", "bit_and"], "integers only"),
    (["plan", "all_reduce", *ON, "--type", "int8", "--op", "premul_sum"], "not an integer"),
    (["plan", "broadcast", *ON, "--root", "4"], "not a rank"),
    (["plan", "broadcast", *ON, "--root", "-1"], "ranks begin at 0"),
    (["plan", "broadcast", *ON, "--root", "zero"], "root"),
    (["plan", "all_reduce", *ON, "--algorithm", "rings"], "unknown all_reduce algorithm"),
    (["plan", "all_reduce", *ON, "--algorithm", "hierarchical(ring"], "unknown"),
    (["plan", "all_reduce", *ON, "--algorithm", "hierarchical(ring,ring,ring)"], "levels"),
    (["plan", "gather", *ON, "--algorithm", "hierarchical(linear,linear)"], "no hierarchical form"),
    (["plan", "barrier", *ON, "--algorithm", "hierarchical(ring,dissemination)"], "cannot be an inner phase"),
    (["tune", "--gpu", "1"], "--device"),
    (["plan", "all_reduce", *ON, "--stats"], "--rank 0"),
    (["plan", "all_reduce", *ON, "--rank", "4", "--steps"], "no rank 4"),
    (["plan", "all_reduce", *ON, "--format", "yaml"], "unknown format"),
    (["plan", "all_reduce", *ON, "surplus"], "surplus"),
    (["plan", "all_reduce", "all_gather", *ON], "only one collective"),
    (["plan", "--map"], "no topology"),
    (["plan", "--map", "all_frob", *ON], "unknown collective"),
    (["plan", "--map", *ON, "--min", "2MiB", "--max", "1MiB"], "no size from"),
    (["plan", "--map", *ON, "--min", "0"], "no size from"),
    (["plan", "--map", *ON, "--format", "png"], "unknown format"),
    (["plan", "--map", "--topology", "rack:2@0GB/s gpu:2"], "bandwidth"),
    (["plan", "all_reduce", "--topology", "rack:2@0GB/s gpu:2"], "bandwidth"),
    (["plan", "all_reduce", *ON, "--decisions", "/does/not/exist.json"], "exist.json"),
    (["bench", "all_reduce", "--local", "2", "--decisions", "/does/not/exist.json"], "exist.json"),
    (["run", "all_reduce", *RUN, "--decisions", "/does/not/exist.json"], "exist.json"),
    (["topo"], "no topology"),
    (["topo", "rack:4:5"], "column"),
    (["verify", "--topology", "rack"], "rack"),
    (["verify", "all_frob", *ON], "unknown collective"),
    (["verify", *ON, "--algorithm", "frob"], "frob"),
    (["verify", "broadcast", *ON, "--root", "9"], "not a rank"),
    (["verify", "broadcast", *ON, "--root", "first"], "root"),
    (["run", "all_reduce"], "number of ranks"),
    (["run", "all_reduce", "--racks", "2"], "at least 1"),
    (["run", "all_reduce", "--racks", "-2", "--ranks-per-rack", "2"], "at least 1"),
    (["run", "all_reduce", "--racks", "1000", "--ranks-per-rack", "1000"], "at most"),
    (["run", "all_reduce", *RUN, *ON], "both given"),
    (["run", "all_reduce", *RUN, "--transport", "pigeon"], "unknown transport"),
    (["run", "all_reduce", *RUN, "--transport", "mpi"], "mpi"),
    (["run", "all_reduce", *RUN, "--algorithm", "rings"], "unknown all_reduce algorithm"),
    (["run", "all_reduce", *RUN, "--peer-timeout", "soon"], "time"),
    (["run", "all_reduce", *RUN, "--peer-timeout", "1us"], "too short"),
    (["run", "all_reduce", *RUN, "--iters", "-1"], "negative"),
    (["run", "reduce", *RUN, "--root", "2"], "not a rank"),
    (["bench", "all_reduce"], "not part of a job"),
    (["bench", "all_reduce", "--local", "-1"], "-1"),
    (["bench", "all_reduce", "--local", "100000"], "cannot start"),
    (["bench", "all_reduce", "--local", "2", "--min", "1MiB", "--max", "1KiB"], "larger"),
    (["bench", "all_reduce", "--local", "2", "--factor", "1"], "above 1"),
    (["bench", "all_reduce", "--local", "2", "--factor", "nan"], "above 1"),
    (["bench", "all_reduce", "--local", "2", "--warmup", "-3"], "negative"),
    (["bench", "broadcast", "--local", "2", "--root", "2"], "not a rank"),
    (["bench", "all_reduce", "--local", "2", "--algorithm", "rings", "--max", "1KiB"], "unknown all_reduce algorithm"),
    (["bench", "all_reduce", "--local", "2", "--topology", "gpu:3", "--max", "1KiB"], "does not fit"),
    (["diff", "/does/not/exist", "/does/not/exist"], "cannot read"),
    (["diff", "/dev/null", "/dev/null"], "cannot read"),
]

ENVIRONMENT = [
    ({"HAWSER_PEER_TIMEOUT": "soon"}, "soon"),
    ({"HAWSER_TOPOLOGY": "rack4"}, "rack4"),
    ({"HAWSER_FAULTS": "melt:1"}, "melt"),
    ({"HAWSER_CHECKSUMS": "yes"}, "HAWSER_CHECKSUMS"),
    ({"RANK": "0"}, "WORLD_SIZE"),
    ({"RANK": "2", "WORLD_SIZE": "2"}, "RANK=2"),
    ({"WORLD_SIZE": "2"}, "RANK"),
    ({"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "70000"}, "MASTER_PORT"),
    ({"HAWSER_SECRET_FILE": "/does/not/exist"}, "secret"),
]


class BadInput(unittest.TestCase):
    def expect(self, done, says: str) -> None:
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("hawser: "), done.stderr)
        self.assertIn(says, done.stderr)
        self.assertRegex(done.stderr, r"\(.+\)|;|is not a whole number", "neither reason nor suggestion")
        self.assertEqual(done.stderr.count("\n"), 1, "the mistake is told once: " + done.stderr)
        self.assertNotIn("unexpected failure", done.stderr)

    def test_arguments(self):
        self.assertGreaterEqual(len(CASES), 30)
        for arguments, says in CASES:
            with self.subTest(arguments=arguments):
                self.expect(hawser(*arguments, timeout=30), says)

    def test_environment(self):
        for extra, says in ENVIRONMENT:
            with self.subTest(extra=extra):
                self.expect(hawser("bench", "all_reduce", "--max", "1KiB", "--local", "2", timeout=30, **extra), says)

    def test_broken_files(self):
        with tempfile.TemporaryDirectory() as folder:
            for text in ("", "{", "[]", '{"schema": "hawser.plan/2"}', '{"schema": "hawser.hierarchy/1"}', "\0\xff"):
                path = Path(folder, "input.json")
                path.write_text(text)
                with self.subTest(text=text):
                    self.expect(hawser("topo", str(path)), "input.json")
                    self.expect(hawser("diff", str(path), str(path)), "input.json")
            self.expect(hawser("topo", folder), os.path.basename(folder))

    def test_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        done = hawser_to_full("plan", "all_reduce", *ON)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write the output", done.stderr)


def hawser_to_full(*arguments: str) -> subprocess.CompletedProcess:
    with open("/dev/full", "w", encoding="ascii") as full:
        return subprocess.run([HAWSER, *arguments], text=True, stdout=full, stderr=subprocess.PIPE, timeout=60,
                              env=clean_environment(), check=False)


if __name__ == "__main__":
    unittest.main()
