"""docs/claims.md: every command in it is run and its figures are compared with those of the table; then the claims
themselves are held to what was found."""
import json
import re
import shlex
import unittest
from functools import cache

from program import SOURCE, hawser

PAGE = SOURCE / "docs/claims.md"
UNITS = {"": 1, "%": 1e-2, "MB": 1e6, "us": 1e-6, "ms": 1e-3, "TB/s": 1e12}
DIGITS = 0.02  # what rounding to three digits, and another compiler's last bit in a draw, may change


@cache
def simulate(command: str) -> dict:
    done = hawser(*shlex.split(command)[1:], "--format", "json")
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return json.loads(done.stdout)


def run_of(command: str) -> dict:
    return simulate(command)["algorithms"][0]


def seconds(command: str) -> float:
    """Of hashed flows, the mean of the draws."""
    run = run_of(command)
    return run["trials"]["mean"] if run["trials"] else run["simulated"]


def link(command: str, level: int) -> dict:
    """The busiest of a level; level 0 is the outermost one."""
    links = run_of(command)["links"]
    name = list(dict.fromkeys(each["level"] for each in links))[level]
    return max((each for each in links if each["level"] == name), key=lambda each: each["bytes"])


def rate_of_gpu(command: str) -> float:
    """Bytes/s that a GPU sends and receives together."""
    return 2 * link(command, -1)["bytes"] / seconds(command)


FIGURES = {
    "throughput": lambda command: simulate(command)["throughput"]["mean"],
    "slowest host": lambda command: simulate(command)["slowest_host"]["mean"],
    "time": seconds,
    "without collisions": lambda command: run_of(command)["trials"]["without_collisions"],
    "a GPU, both ways": rate_of_gpu,
    "all GPUs": lambda command: rate_of_gpu(command) * simulate(command)["ranks"],
    "uplink carries": lambda command: link(command, 0)["bytes"],
    "uplink busy": lambda command: link(command, 0)["busy"],
}


def value_of(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+) ?(\S*)", text).groups()
    return float(number) * UNITS[unit]


def tables() -> list[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """(heading, [(command, {column: figure})]) of every table of commands."""
    found, heading, columns = [], "", None
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            heading = line[3:]
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("| ") else []
        if cells[:1] == ["command"]:
            columns = cells[1:]
            found.append((heading, []))
        elif cells and columns:
            found[-1][1].append((cells[0].strip("`"), dict(zip(columns, cells[1:]))))
        elif not line.startswith("|"):
            columns = None
    return found


def commands(heading: str, *parts: str) -> list[str]:
    """Those under a heading that contain all the parts, in the page's order."""
    return [command for title, rows in tables() if title == heading for command, _ in rows
            if all(part in command for part in parts)]


class Claims(unittest.TestCase):
    def test_every_figure_of_the_page_is_what_its_command_gives(self):
        checked = 0
        for _, rows in tables():
            for command, shown in rows:
                for column, text in shown.items():
                    found = FIGURES[column](command)
                    self.assertAlmostEqual(found / value_of(text), 1, delta=DIGITS, msg=f"{command}: {column} {found}")
                    checked += 1
        self.assertGreater(checked, 50)

    def test_per_flow_hashing_wastes_a_third_and_adaptive_routing_little(self):
        one = [simulate(each)["throughput"]["mean"] for each in commands("Hashing flows onto a fabric", "--ecmp 1")]
        self.assertEqual(len(one), 2)
        for share in one:
            self.assertTrue(0.5 <= share <= 0.67, share)
        adaptive, = commands("Hashing flows onto a fabric", "--ecmp adaptive")
        self.assertEqual(simulate(adaptive)["throughput"]["mean"], 0.95)

    def test_more_queue_pairs_per_pair_spread_the_flows(self):
        ranges = {"rail_shift": ((0.63, 0.66), (0.88, 0.91), (0.95, 0.97), (0.99, 1)),
                  "random_permutation": ((0.50, 0.58), (0.80, 0.86), (0.90, 0.95), (0.98, 1))}
        for pattern, expected in ranges.items():
            for pairs, (least, most) in zip((1, 4, 8, 32), expected):
                command, = commands("Hashing flows onto a fabric", pattern, f"--ecmp {pairs}")
                found = simulate(command)["throughput"]["mean"]
                self.assertTrue(least <= found <= most, (command, found))

    def test_a_collective_waits_for_its_unluckiest_flow(self):
        one, *_, many = commands("A collective under hashing", "all_to_all")
        self.assertGreater(seconds(one), 1.15 * run_of(one)["trials"]["without_collisions"])
        self.assertLess(seconds(many), 1.02 * run_of(many)["trials"]["without_collisions"])

    def test_an_nvl72_moves_130_terabytes_per_second(self):
        wide, = commands("NVL72 and nodes of 8 GPUs", "all_to_all", "nvl72")
        self.assertTrue(0.95 * 1.8e12 <= rate_of_gpu(wide) <= 1.8e12)
        self.assertTrue(0.95 * 130e12 <= FIGURES["all GPUs"](wide) <= 130e12)
        self.assertEqual(simulate(wide)["ranks"], 72)

    def test_nodes_of_8_gpus_hold_an_all_to_all_up_most(self):
        times = {}
        for collective in ("all_to_all", "all_reduce"):
            wide, narrow = commands("NVL72 and nodes of 8 GPUs", collective)
            times[collective] = seconds(narrow) / seconds(wide)
        self.assertTrue(14 <= times["all_to_all"] <= 18, times)
        self.assertTrue(1.7 <= times["all_reduce"] <= 2.5, times)

    def test_an_all_to_all_feels_oversubscription_and_an_all_reduce_hardly(self):
        heading = "Oversubscription"
        exchange = [seconds(each) for each in commands(heading, "all_to_all")]
        reduction = [seconds(each) for each in commands(heading, "all_reduce")]
        self.assertEqual((len(exchange), len(reduction)), (5, 5))
        for fewer, more in zip(exchange[1:], exchange[2:]):
            self.assertTrue(1.5 <= more / fewer <= 2.1, exchange)
        self.assertGreater(exchange[-1], 6 * exchange[0])
        self.assertLess(reduction[3], 1.2 * reduction[0])
        self.assertLess(reduction[-1], 1.7 * reduction[0])

    def test_in_network_reduction_halves_the_bytes(self):
        for racks in (4, 16):
            among, through = (FIGURES["uplink carries"](each)
                              for each in commands("In-network reduction", f"rack:{racks}+reduces"))
            self.assertAlmostEqual(through / among, racks / (2 * (racks - 1)), delta=1e-6)


if __name__ == "__main__":
    unittest.main()
