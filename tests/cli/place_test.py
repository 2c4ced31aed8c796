"""Advice on rank orders: its JSON, the lists that other programs read, and bad input."""
import json
import tempfile
import unittest
from pathlib import Path

from program import SOURCE, hawser

HOSTED = {"schema": "hawser.hierarchy/1", "host_level": "node", "hosts": ["n1", "n2", "n10"],
          "levels": [{"name": "node", "units": 3, "bandwidth": 50e9, "latency": 5e-6, "provenance": "file",
                      "reduces_in_network": False},
                     {"name": "gpu", "units": 2, "bandwidth": 450e9, "latency": 1e-6, "provenance": "file",
                      "reduces_in_network": False}]}


def place(*arguments: str) -> dict:
    done = hawser("place", *arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Place(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.hosted = Path(self.folder.name, "hosted.json")
        self.hosted.write_text(json.dumps(HOSTED))

    def test_the_documented_keys(self):
        schema = json.loads((SOURCE / "docs/schema/place-1.json").read_text())
        made = place("--topology", "pod:2 rack:[2,3] gpu:[2,2,1,3,2]", "--order", "random:7")
        self.assertEqual(list(made), list(schema["properties"]))
        self.assertEqual(list(made), schema["required"])
        for pattern in ("ring", "recursive_doubling"):
            self.assertEqual(list(made[pattern]), list(schema["$defs"]["comparison"]["properties"]))
            self.assertEqual(list(made[pattern]["present"]["levels"][0]), list(schema["$defs"]["load"]["properties"]))
        self.assertEqual(sorted(made["order"]), list(range(10)))
        self.assertEqual([made["keys"][old] for old in made["order"]], list(range(10)))
        self.assertIsNone(made["hosts"])

    def test_a_block_order_is_kept_and_a_cyclic_one_is_not(self):
        block = place("--topology", "rack:4 gpu:8", "--order", "block")
        self.assertTrue(block["keep"])
        self.assertEqual(block["order"], list(range(32)))
        self.assertEqual(block["ring"]["slowdown"], 1)
        cyclic = place("--topology", "rack:4 gpu:8", "--order", "cyclic", "--bytes", "1GiB")
        self.assertFalse(cyclic["keep"])
        self.assertEqual(cyclic["order"][:9], [0, 4, 8, 12, 16, 20, 24, 28, 1])
        present, advised = (cyclic["ring"][order]["levels"][0] for order in ("present", "advised"))
        self.assertEqual((present["crossing"], present["busiest"]), (32, 8))
        self.assertEqual((advised["crossing"], advised["busiest"]), (4, 1))
        self.assertAlmostEqual(cyclic["ring"]["slowdown"], 8, delta=0.2)

    def test_a_listed_order_is_the_rank_of_each_position(self):
        made = place("--topology", "rack:2 gpu:4", "--order", "0,2,4,6,1,3,5,7")
        self.assertEqual(made["order"], [0, 2, 4, 6, 1, 3, 5, 7])
        self.assertTrue(place("--topology", "rack:2 gpu:4", "--order", "4-7,0-3")["keep"])

    def test_the_same_seed_gives_the_same_order(self):
        first, again, other = (place("--topology", "rack:8 gpu:8", "--order", f"random:{seed}") for seed in (1, 1, 2))
        self.assertEqual(first, again)
        self.assertNotEqual(first["order"], other["order"])

    def test_lists_for_other_programs(self):
        arguments = ("place", "--topology", str(self.hosted), "--order", "cyclic", "--emit")
        self.assertEqual(hawser(*arguments, "order").stdout, "0,3,1,4,2,5\n")
        self.assertEqual(hawser(*arguments, "keys").stdout, "0,2,4,1,3,5\n")
        self.assertEqual(hawser(*arguments, "hostfile").stdout, "n1\nn1\nn2\nn2\nn10\nn10\n")
        self.assertEqual(hawser(*arguments, "rankfile").stdout,
                         "rank 0=n1 slot=0\nrank 1=n1 slot=1\nrank 2=n2 slot=0\nrank 3=n2 slot=1\n"
                         "rank 4=n10 slot=0\nrank 5=n10 slot=1\n")

    def test_slurm_needs_a_host_file_where_its_own_order_is_another(self):
        self.assertEqual(place("--topology", str(self.hosted), "--order", "cyclic")["slurm_distribution"], "block")
        self.hosted.write_text(json.dumps(HOSTED | {"hosts": ["n2", "n1", "n10"]}))
        made = place("--topology", str(self.hosted), "--order", "cyclic")
        self.assertEqual(made["slurm_distribution"], "arbitrary")
        self.assertEqual(made["hosts"], ["n2", "n2", "n1", "n1", "n10", "n10"])

    def test_text(self):
        kept = hawser("place", "--topology", "rack:4 gpu:8").stdout
        self.assertIn("keep the present order", kept)
        text = hawser("place", "--topology", "rack:4 gpu:8", "--order", "cyclic").stdout
        for part in ("32 ranks", "rack", "busiest", "0,4,8,12,16,20,24,28,1,5,9,13,17,21,25,29,... (32 in all)",
                     "MPI_Comm_split", "--distribution=block"):
            self.assertIn(part, text)

    def test_topology_from_the_environment(self):
        self.assertIn("6 ranks", hawser("place", HAWSER_TOPOLOGY="gpu:6").stdout)

    def test_100000_ranks(self):
        made = place("--topology", "rack:1250 gpu:80", "--order", "cyclic")
        self.assertEqual(made["ring"]["advised"]["levels"][0]["crossing"], 1250)

    def test_bad_input(self):
        on = ("--topology", "rack:2 gpu:4")
        for arguments, message in (((), "no topology"), ((*on, "--order", "frob"), "cannot read the order"),
                                   ((*on, "--order", "0-3"), "4 of the 8"), ((*on, "--order", "0-7,0"), "more than"),
                                   ((*on, "--order", "0,0,1,2,3,4,5,6"), "twice"), ((*on, "--order", "0-8"), "0 to 7"),
                                   ((*on, "--order", "0-4000000000"), "no rank"), ((*on, "--order", "3-0"), "no rank"),
                                   ((*on, "--order", "random:x"), "seed"), ((*on, "--bytes", "12XB"), "unknown unit"),
                                   ((*on, "--emit", "frob"), "rankfile"), ((*on, "--emit", "hostfile"), "no hosts"),
                                   ((*on, "--format", "yaml"), "yaml"),
                                   (("--topology", "rack:100000 gpu:20000"), "at most")):
            done = hawser("place", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertIn(message, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
