"""hawser simulate: its JSON, files, conditions and bad input."""
import json
import tempfile
import unittest
from pathlib import Path

from program import SOURCE, hawser

SMALL = ("--topology", "rack:3 gpu:4", "--bytes", "1MiB")


def simulate(*arguments: str) -> dict:
    done = hawser("simulate", *arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def gpus_on_a_reducing_switch() -> dict:
    """Three GPUs; the first node is none of them, and no switch."""
    nodes = [{"kind": kind, "name": name, "identities": [f"host/{name}" if kind == "host" else name], "attributes": {}, "tier": 0,
              "can_reduce": kind == "nvswitch"} for kind, name in
             (("host", "h"), ("gpu", "g0"), ("gpu", "g1"), ("gpu", "g2"), ("nvswitch", "s"))]
    edges = [{"a": i, "b": 4, "kind": "nvlink", "bandwidth": 450e9, "latency": 1e-6, "provenance": "file"} for i in (1, 2, 3)]
    return {"schema": "hawser.topology/1", "tells": ["gpus", "nvlink"], "nodes": nodes, "edges": edges, "findings": []}


def ring_with_a_broken_link() -> dict:
    """Four GPUs, three links."""
    nodes = [{"kind": "gpu", "name": f"g{i}", "identities": [f"g{i}"], "attributes": {}, "tier": 0, "can_reduce": False}
             for i in range(4)]
    edges = [{"a": i, "b": i + 1, "kind": "nvlink", "bandwidth": 50e9, "latency": 1e-6, "provenance": "file"}
             for i in range(3)]
    return {"schema": "hawser.topology/1", "tells": ["gpus", "nvlink"], "nodes": nodes, "edges": edges, "findings": []}


class Simulate(unittest.TestCase):
    def test_the_documented_keys(self):
        schema = json.loads((SOURCE / "docs/schema/simulate-1.json").read_text())
        made = simulate("all_reduce", *SMALL, "--ecmp", "2", "--trials", "3")
        self.assertEqual(list(made), schema["$defs"]["simulation"]["required"])
        algorithm = made["algorithms"][0]
        self.assertEqual(list(algorithm), schema["$defs"]["algorithm"]["required"])
        self.assertEqual(list(algorithm["links"][0]), schema["$defs"]["link"]["required"])
        self.assertEqual(list(algorithm["trials"]), schema["$defs"]["trials"]["required"])
        pattern = simulate("rail_shift", "--topology", "leaf:4 host:4", "--ecmp", "1")
        self.assertEqual(list(pattern), schema["$defs"]["pattern"]["required"])

    def test_all_algorithms_by_classes_and_by_ranks(self):
        classes = simulate("all_reduce", *SMALL, "--algorithm", "all")["algorithms"]
        single = simulate("all_reduce", *SMALL, "--algorithm", "all", "--full")["algorithms"]
        self.assertGreater(len(classes), 20)
        for one, other in zip(classes, single):
            self.assertEqual(other["classes"], 12)
            self.assertAlmostEqual(one["simulated"] / other["simulated"], 1, delta=1e-9, msg=one["algorithm"])

    def test_a_degraded_link_and_background_slow(self):
        call = ("all_to_all", "--topology", "rack:3 gpu:4", "--bytes", "64MiB")
        healthy = simulate(*call)["algorithms"][0]["simulated"]
        self.assertGreater(simulate(*call, "--fail", "rack:1=1/2")["algorithms"][0]["simulated"], 1.5 * healthy)
        self.assertGreater(simulate(*call, "--background", "rack=0.5")["algorithms"][0]["simulated"], 1.5 * healthy)

    def test_very_many_classes_are_simulated_coarsely_and_it_says_so(self):
        call = ("all_reduce", "--topology", "pod:4 rack:80 gpu:8", "--bytes", "1GiB", "--fail", "rack:5=7/8")
        coarse, exact = (simulate(*call, *more)["algorithms"][0] for more in ((), ("--exact", "--segments", "2")))
        self.assertGreater(coarse["classes"], 256)
        self.assertGreater(coarse["lag"], 0)
        self.assertLess(coarse["segments"], coarse["chosen_segments"])
        self.assertIn("--exact", hawser("simulate", *call).stdout)
        self.assertEqual((exact["lag"], exact["segments"]), (0, 2))
        lagging = simulate(*call, "--segments", "2")["algorithms"][0]
        self.assertAlmostEqual(lagging["simulated"] / exact["simulated"], 1, delta=0.05)

    def test_links_of_a_file_are_simulated(self):
        with tempfile.TemporaryDirectory() as folder:
            machine = Path(folder) / "ring.json"
            machine.write_text(json.dumps(ring_with_a_broken_link()))
            call = ("all_gather", "--topology", str(machine), "--bytes", "256MiB")
            made = simulate(*call, "--algorithm", "ring")["algorithms"][0]
            links = {each["ends"]: each for each in made["links"]}
            self.assertEqual(len(links), 6)
            self.assertEqual({each["level"] for each in links.values()}, {None})
            # Round the gap, the ring's last message goes back over all three links.
            for each in links.values():
                self.assertAlmostEqual(each["bytes"], 3 * 64 * 2**20, delta=1)
            self.assertIn("that the topology's file tells", hawser("simulate", *call).stdout)
            packed = simulate(*call, "--algorithm", "packed_trees")["algorithms"][0]
            self.assertGreater(packed["simulated"], 0)
            # Conditions are the hierarchy's: its links are simulated then.
            faulty = simulate(*call, "--algorithm", "ring", "--background", "0.5")["algorithms"][0]
            self.assertEqual({each["ends"] for each in faulty["links"]}, {None})
            refused = hawser("simulate", *call, "--algorithm", "packed_trees", "--export", f"goal:{folder}/goal")
            self.assertEqual(refused.returncode, 2)
            self.assertIn("choose another --algorithm", refused.stderr)

    def test_in_network_reduction_is_simulated_on_the_hierarchy_of_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            machine = Path(folder) / "switched.json"
            machine.write_text(json.dumps(gpus_on_a_reducing_switch()))
            call = ("all_reduce", "--topology", str(machine), "--bytes", "64MiB", "--algorithm")
            reduced, ring = (simulate(*call, name)["algorithms"][0] for name in ("in_network", "ring"))
            self.assertEqual({each["ends"] for each in reduced["links"]}, {None})
            self.assertNotIn(None, {each["ends"] for each in ring["links"]})
            self.assertGreater(reduced["simulated"], 0)
            self.assertNotIn("topology's file tells", hawser("simulate", *call, "in_network").stdout)

    def test_the_same_seed_gives_the_same_times(self):
        call = ("all_reduce", *SMALL, "--ecmp", "1", "--trials", "4", "--seed")
        first, again, other = (simulate(*call, seed)["algorithms"][0]["trials"] for seed in ("3", "3", "4"))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            trace, goal = Path(folder, "trace.json"), Path(folder, "ring.goal")
            simulate("all_reduce", *SMALL, "--algorithm", "ring", "--trace", str(trace), "--export", f"goal:{goal}")
            events = json.loads(trace.read_text())["traceEvents"]
            self.assertTrue(any(each["ph"] == "X" and each["name"].startswith("send") for each in events))
            self.assertTrue(goal.read_text().startswith("num_ranks 12\n"))

    def test_bad_input(self):
        for arguments, text in ((("--fail", "rack:9"), "0 to 2"), (("--fail", "rack:1"), "unreachable"),
                                (("--ecmp", "many"), "queue pairs"), (("--background", "1"), "leaves nothing"),
                                (("--export", "xml:x"), "GOAL"), (("--trials", "0"), "trials"),
                                (("--algorithm", "all", "--trace", "x"), "all algorithms")):
            done = hawser("simulate", "all_reduce", *SMALL, *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(text, done.stderr)
        done = hawser("simulate", "rail_shift", *SMALL)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--ecmp", done.stderr)


if __name__ == "__main__":
    unittest.main()
