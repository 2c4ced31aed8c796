"""What is decided for well-known machines, compared with what was committed: a change of a decision is seen in review.

HAWSER_GOLDEN=write writes tests/golden/ anew.
"""
import json
import os
import unittest

from program import SOURCE, hawser

FOLDER = SOURCE / "tests/golden"
MACHINES = {
    "dgx_h100": "preset:dgx-h100",
    "gb200_nvl72": "preset:gb200-nvl72",
    "two_racks": "rack:2@50GB/s,5us gpu:8@450GB/s,1us",
    "ragged": "rack:[8,8,5]@25GB/s,10us",
    "pods": "pod:4@100GB/s,10us rack:4@50GB/s,5us gpu:8@450GB/s,1us",
}
COLLECTIVES = ("all_reduce", "reduce_scatter", "all_gather", "all_to_all", "broadcast")
SIZES = ("1KiB", "64KiB", "1MiB", "16MiB", "256MiB")


def decisions(topology: str) -> dict:
    """Per collective and size: algorithm and segments. Predicted times are left out: they change with every figure."""
    table = {}
    for collective in COLLECTIVES:
        for size in SIZES:
            done = hawser("plan", collective, "--topology", topology, "--bytes", size, "--format", "json")
            assert done.returncode == 0, done.stderr
            plan = json.loads(done.stdout)
            table.setdefault(collective, {})[size] = f"{plan['algorithm']}, {plan['segments']} segments"
    return table


class Golden(unittest.TestCase):
    def test_decisions(self):
        for name, topology in MACHINES.items():
            file = FOLDER / f"{name}.json"
            now = {"topology": topology, "decisions": decisions(topology)}
            if os.environ.get("HAWSER_GOLDEN") == "write":
                FOLDER.mkdir(exist_ok=True)
                file.write_text(json.dumps(now, indent=2) + "\n")
            with self.subTest(machine=name):
                self.assertEqual(now, json.loads(file.read_text()), "HAWSER_GOLDEN=write accepts the new decisions")


if __name__ == "__main__":
    unittest.main()
