"""`hawser verify` on the machines that must pass, and what its output is like."""
import json
import unittest

from program import hawser

MACHINES = ("rack:1 gpu:1", "gpu:7", "rack:3 gpu:5", "rack:[8,8,5]", "pod:2 rack:3 gpu:4", "rack:16 gpu:8")


class Verify(unittest.TestCase):
    def test_every_algorithm_passes(self):
        for machine in MACHINES:
            with self.subTest(machine=machine):
                done = hawser("verify", "--algorithm", "all", "--topology", machine, timeout=250)
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertEqual(done.stderr, "", "progress belongs on a terminal")
                *lines, summary = done.stdout.splitlines()
                self.assertIn("all ok", summary)
                self.assertEqual(summary.split()[0], str(len(lines)))
                self.assertTrue(all(" ok " in line for line in lines))

    def test_json(self):
        done = hawser("verify", "broadcast", "--topology", "rack:2 gpu:2", "--root", "3", "--format", "json")
        found = json.loads(done.stdout)
        self.assertEqual(list(found), ["schema", "ranks", "scope", "algorithms"])
        self.assertEqual(found["schema"], "hawser.verify/1")
        self.assertEqual(found["ranks"], 4)
        for each in found["algorithms"]:
            self.assertEqual(list(each), ["collective", "algorithm", "ok", "calls", "seconds", "variant", "sampled",
                                          "violations", "not_verified"])
            self.assertTrue(each["ok"])
            self.assertEqual((each["collective"], each["calls"]), ("broadcast", 2))

    def test_many_ranks_are_sampled(self):
        done = hawser("verify", "all_reduce", "--algorithm", "hierarchical(circulant,recursive_doubling)",
                      "--topology", "rack:128 gpu:72", "--seed", "7")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"ok +sampled: [1-9]\d* ranks, [1-9]\d* messages")
        self.assertIn("seed 7), which is evidence and not proof", done.stdout)

    def test_one_algorithm_and_one_collective(self):
        done = hawser("verify", "all_reduce", "--algorithm", "hierarchical(ring,circulant)", "--topology",
                      "rack:3 gpu:2", "--in-place")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 2)
        ring = hawser("verify", "--algorithm", "ring", "--topology", "gpu:3", "--format", "json")
        collectives = {each["collective"] for each in json.loads(ring.stdout)["algorithms"]}
        self.assertEqual(collectives, {"all_reduce", "reduce_scatter", "all_gather"})


if __name__ == "__main__":
    unittest.main()
