"""`hawser run`: every collective between real processes, checked; types, operators, transports, algorithms."""
import json
import unittest

from program import hawser

COLLECTIVES = ("all_reduce", "reduce_scatter", "all_gather", "all_to_all", "all_to_all_v", "broadcast", "reduce",
               "gather", "scatter", "barrier")
SHAPES = ((1, 1), (1, 2), (1, 3), (1, 5), (2, 2))
KEYS = ["schema", "plan", "transports", "overrides", "in_place", "wrong", "iterations", "seconds", "p10_seconds",
        "p90_seconds", "algbw_bytes_per_second", "busbw_bytes_per_second"]


class Run(unittest.TestCase):
    def run_checked(self, collective: str, racks: int, ranks: int, *more: str, size: str = "10000") -> dict:
        done = hawser("run", collective, "--racks", str(racks), "--ranks-per-rack", str(ranks), "--bytes", size,
                      "--iters", "2", "--format", "json", *more)
        self.assertEqual(done.returncode, 0, (collective, racks, ranks, more, done.stdout[-500:], done.stderr))
        self.assertEqual(done.stderr, "")
        found = json.loads(done.stdout)
        self.assertEqual(list(found), KEYS)
        self.assertEqual((found["schema"], found["wrong"], found["iterations"]), ("hawser.run/1", 0, 2))
        self.assertEqual(found["plan"]["ranks"], racks * ranks)
        return found

    def test_every_collective_and_shape(self):
        for collective in COLLECTIVES:
            for racks, ranks in SHAPES:
                for more in ([], ["--in-place"]):
                    with self.subTest(collective=collective, racks=racks, ranks=ranks, more=more):
                        self.run_checked(collective, racks, ranks, *more)

    def test_roots(self):
        for collective in ("broadcast", "reduce", "gather", "scatter"):
            self.run_checked(collective, 1, 3, "--root", "2")

    def test_types_and_operators(self):
        for kind, op in (("int8", "sum"), ("uint64", "prod"), ("int32", "avg"), ("uint16", "bit_xor"),
                         ("int16", "logical_and"), ("float16", "sum"), ("bfloat16", "prod"), ("float64", "avg"),
                         ("float64", "premul_sum"), ("float8_e4m3", "sum"), ("float8_e5m2", "max")):
            with self.subTest(type=kind, op=op):
                self.run_checked("all_reduce", 1, 3, "--type", kind, "--op", op)
                self.run_checked("reduce_scatter", 2, 2, "--type", kind, "--op", op)

    def test_transports(self):
        names = [("shm", "shared_memory"), ("tcp", "tcp"), ("in_process", "in_process")]
        if "ucx" in hawser("--version").stdout.split():
            names.append(("ucx", "ucx"))
        for transport, name in names:
            found = self.run_checked("all_to_all", 2, 2, "--transport", transport)
            self.assertEqual(found["transports"], {name: 6})

    def test_integers_have_one_result_whatever_the_algorithm(self):
        for algorithm in ("ring", "recursive_doubling", "hierarchical(ring,circulant)"):
            found = self.run_checked("all_reduce", 2, 2, "--type", "int32", "--algorithm", algorithm)
            self.assertEqual(found["plan"]["algorithm"], algorithm)

    def test_no_data(self):
        for collective in COLLECTIVES:
            self.run_checked(collective, 1, 3, size="0")

    def test_text(self):
        done = hawser("run", "all_reduce", "--racks", "2", "--ranks-per-rack", "2", "--bytes", "64KiB", "--iters", "3",
                      "--explain")
        self.assertEqual(done.returncode, 0, done.stderr)
        for part in ("hierarchy   rack:2 gpu:2", "chosen ", "* ", "of the chosen", "transports  ", "checked     ok",
                     "predicted ", "measured ", "algbw ", "busbw "):
            self.assertIn(part, done.stdout)

    def test_overrides_are_reported(self):
        done = hawser("run", "barrier", "--iters", "1", HAWSER_TOPOLOGY="gpu:2", HAWSER_PEER_TIMEOUT="5s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("override    HAWSER_PEER_TIMEOUT=5000ms", done.stdout)


if __name__ == "__main__":
    unittest.main()
