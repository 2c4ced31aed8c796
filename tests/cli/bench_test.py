"""`hawser bench`: the three formats, local processes and torchrun's variables."""
import csv
import io
import json
import os
import shutil
import socket
import subprocess
import unittest

from program import HAWSER, clean_environment, hawser

HEADER = ("collective,bytes,count,type,op,root,algorithm,time_us,p10_us,p90_us,algbw_GBps,busbw_GBps,wrong")
QUICK = ("--min", "1KiB", "--max", "16KiB", "--iters", "3", "--warmup", "1")
KEYS = ["schema", "version", "host", "launcher", "mode", "ranks", "hierarchy", "fingerprint", "transports", "overrides",
        "in_place", "rewrites", "rows"]
ROW_KEYS = ["collective", "bytes", "count", "type", "op", "root", "algorithm", "segments", "predicted_seconds", "seconds",
            "p10_seconds", "p90_seconds", "iterations", "algbw_bytes_per_second", "busbw_bytes_per_second", "wrong"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Bench(unittest.TestCase):
    def expect_rows(self, text: str, ranks: int) -> list[dict]:
        self.assertEqual(text.splitlines()[0], HEADER)
        rows = list(csv.DictReader(io.StringIO(text)))
        for row in rows:
            self.assertEqual(row["wrong"], "0", row)
            times = [float(row[name]) for name in ("p10_us", "time_us", "p90_us")]
            self.assertEqual(times, sorted(times))
            self.assertGreater(times[0], 0)
            algbw = int(row["bytes"]) / float(row["time_us"]) * 1e-3
            self.assertAlmostEqual(float(row["algbw_GBps"]), algbw, delta=0.01 * algbw)
            factor = 1 if row["collective"] in ("broadcast", "reduce", "barrier") else (ranks - 1) / ranks
            factor *= 2 if row["collective"] == "all_reduce" else 1
            self.assertAlmostEqual(float(row["busbw_GBps"]), factor * algbw, delta=0.01 * algbw)
        return rows

    def test_csv_of_local_processes(self):
        done = hawser("bench", "all_reduce", "--local", "2", "--check", "--format", "csv", *QUICK)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rows = self.expect_rows(done.stdout, 2)
        self.assertEqual([row["bytes"] for row in rows], ["1024", "4096", "16384"])
        self.assertEqual({(row["type"], row["op"], row["root"]) for row in rows}, {("float32", "sum", "-1")})

    def test_every_collective(self):
        for collective in ("reduce_scatter", "all_gather", "all_to_all", "all_to_all_v", "broadcast", "reduce",
                           "gather", "scatter", "barrier"):
            done = hawser("bench", collective, "--local", "3", "--check", "--format", "csv", *QUICK)
            self.assertEqual((done.returncode, done.stderr), (0, ""), collective)
            self.assertEqual(len(self.expect_rows(done.stdout, 3)), 1 if collective == "barrier" else 3)

    def test_all_algorithms(self):
        done = hawser("bench", "all_reduce", "--local", "4", "--topology", "rack:2 gpu:2", "--algorithm", "all",
                      "--check", "--format", "csv", "--min", "1KiB", "--max", "1KiB", "--iters", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        names = [row["algorithm"] for row in self.expect_rows(done.stdout, 4)]
        self.assertEqual(len(names), len(set(names)))
        self.assertIn("ring", names)
        self.assertIn("hierarchical(ring,ring)", names)

    def test_json(self):
        done = hawser("bench", "broadcast", "--root", "1", "--local", "2", "--format", "json", "--in-place", *QUICK)
        found = json.loads(done.stdout)
        self.assertEqual(list(found), KEYS)
        self.assertEqual((found["schema"], found["ranks"], found["in_place"]), ("hawser.bench/1", 2, True))
        for row in found["rows"]:
            self.assertEqual(list(row), ROW_KEYS)
            self.assertEqual((row["op"], row["root"], row["wrong"], row["iterations"]), (None, 1, None, 3))

    def test_samples_and_a_rewritten_input(self):
        # The last iteration's result is checked: in place it is right only because the input was written anew.
        done = hawser("bench", "all_reduce", "--local", "2", "--format", "json", "--in-place", "--rewrite", "--samples",
                      "--check", *QUICK)
        found = json.loads(done.stdout)
        self.assertTrue(found["rewrites"])
        for row in found["rows"]:
            self.assertEqual(list(row), [*ROW_KEYS, "times_seconds"])
            self.assertEqual((row["wrong"], len(row["times_seconds"])), (0, 3))
            self.assertAlmostEqual(sorted(row["times_seconds"])[1], row["seconds"], delta=1e-12)

    def in_turn(self, *arguments: str) -> dict:
        done = hawser("bench", "all_reduce", "--local", "4", "--topology", "rack:2 gpu:2", "--check", "--samples",
                      "--format", "json", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = json.loads(done.stdout)
        self.assertEqual(list(found), [*KEYS, "left_out"])
        for row in found["rows"]:
            self.assertEqual(list(row), [*ROW_KEYS, "is_chosen", "times_seconds"])
            self.assertEqual((row["wrong"], row["iterations"]), (0, len(row["times_seconds"])))
        return found

    def test_algorithms_take_turns(self):
        sizes = ("--min", "1KiB", "--max", "16KiB", "--factor", "16", "--in-turn", "1s")
        found = self.in_turn(*sizes, "--algorithm", "all")
        for size in (1024, 16384):
            rows = [row for row in found["rows"] if row["bytes"] == size]
            self.assertEqual([row["is_chosen"] for row in rows], [True] + [False] * (len(rows) - 1))
            names = [row["algorithm"] for row in rows] + [each["algorithm"] for each in found["left_out"]
                                                           if each["bytes"] == size]
            self.assertEqual(len(names), len(set(names)))
            self.assertLessEqual({"ring", "one_shot", "hierarchical(ring,ring)"}, set(names))
            # The choice is never given up, and the fastest is not either.
            self.assertEqual(rows[0]["iterations"], max(row["iterations"] for row in rows))
            self.assertGreaterEqual(rows[0]["iterations"], 5)

    def test_named_algorithms_take_so_many_turns_beside_the_choice(self):
        named = ("ring", "hierarchical(ring,ring)")
        found = self.in_turn("--min", "1KiB", "--max", "1KiB", "--in-turn", "60s", "--iters", "2", "--algorithm", named[0],
                             "--algorithm", named[1])
        names = [row["algorithm"] for row in found["rows"]]
        self.assertTrue(found["rows"][0]["is_chosen"])
        self.assertLessEqual(set(named), set(names))
        self.assertLessEqual(len(names), 3)
        self.assertLessEqual({row["iterations"] for row in found["rows"]}, {1, 2})

    def test_no_time_leaves_all_but_the_first_out(self):
        found = self.in_turn("--min", "64KiB", "--max", "64KiB", "--in-turn", "1us", "--algorithm", "all")
        self.assertEqual([row["is_chosen"] for row in found["rows"]], [True, False, False, False])
        self.assertEqual(found["rows"][0]["iterations"], 5)
        self.assertGreater(len(found["left_out"]), 10)

    def test_refinement_chooses_before_each_size(self):
        done = hawser("bench", "all_reduce", "--local", "8", "--topology", "rank:8@1TB/s,1s", "--check", "--min", "4MiB",
                      "--max", "4MiB", "--refine", "400ms", "--format", "json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = json.loads(done.stdout)
        self.assertEqual([each for each in found["overrides"] if "--refine" in each],
                         ["choices are measured before each size (--refine 400ms)"])
        # By that topology one shot would be far the fastest; two shots reduce an eighth of the bytes.
        self.assertEqual([(row["algorithm"] == "one_shot" and row["segments"] == 1, row["wrong"])
                          for row in found["rows"]], [(False, 0)])

    def test_refinement_takes_turns_with_all(self):
        found = self.in_turn("--min", "64KiB", "--max", "64KiB", "--in-turn", "300ms", "--refine", "100ms",
                             "--algorithm", "all")
        self.assertTrue(found["rows"][0]["is_chosen"])

    def test_nothing_to_refine(self):
        for arguments, said in ((("--refine", "0s"), "no time"), (("--refine", "1s", "--algorithm", "ring"), "forces")):
            done = hawser("bench", "all_reduce", "--local", "2", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn(said, done.stderr)

    def test_nothing_to_take_turns_with(self):
        for arguments, said in ((("--in-turn", "1s"), "--algorithm"), (("--in-turn", "soon", "--algorithm", "all"), "soon"),
                                (("--algorithm", "all", "--algorithm", "ring"), "all"),
                                (("--in-turn", "0s", "--algorithm", "all"), "no time")):
            done = hawser("bench", "all_reduce", "--local", "2", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn(said, done.stderr)

    def test_text(self):
        done = hawser("bench", "all_gather", "--local", "2", *QUICK)
        header = [line for line in done.stdout.splitlines() if "redop" in line][0]
        self.assertEqual(header[1:].split(), ["size", "count", "type", "redop", "root", "time", "algbw", "busbw",
                                              "#wrong", "algorithm"])
        rows = [line.split() for line in done.stdout.splitlines() if not line.startswith("#")]
        self.assertEqual([row[0] for row in rows], ["1024", "4096", "16384"])
        self.assertEqual({row[8] for row in rows}, {"N/A"})
        self.assertIn("# transports  shared_memory (1 pair)", done.stdout)

    def test_torchrun_variables(self):
        port = str(free_port())
        processes = []
        for r in range(3):
            environment = clean_environment(RANK=str(r), WORLD_SIZE="3", LOCAL_RANK=str(r), MASTER_ADDR="127.0.0.1",
                                            MASTER_PORT=port, HAWSER_SECRET="test")
            processes.append(subprocess.Popen([HAWSER, "bench", "all_reduce", "--check", "--format", "csv", *QUICK],
                                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                              env=environment))
        outputs = [each.communicate(timeout=60) for each in processes]
        self.assertEqual([each.returncode for each in processes], [0, 0, 0], outputs)
        self.assertEqual(len(self.expect_rows(outputs[0][0], 3)), 3)
        self.assertEqual([out for out, _ in outputs[1:]], ["", ""], "only rank 0 prints")

    def test_mpirun(self):
        components = hawser("--version").stdout.split()
        linked = subprocess.run(["ldd", HAWSER], capture_output=True, text=True, check=False).stdout
        launcher = shutil.which("mpirun.openmpi" if "libmpi.so" in linked else "mpiexec.mpich")
        if "mpi" not in components or not launcher:
            self.skipTest("no MPI")
        allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                   "OMPI_MCA_rmaps_base_oversubscribe": "1"}
        for transport in ("auto", "mpi"):
            done = subprocess.run([launcher, "-n", "2", HAWSER, "bench", "all_reduce", "--check", "--format", "csv",
                                   "--transport", transport, *QUICK], capture_output=True, text=True, timeout=60,
                                  env=clean_environment(**allowed), check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(self.expect_rows(done.stdout, 2)), 3)


if __name__ == "__main__":
    unittest.main()
