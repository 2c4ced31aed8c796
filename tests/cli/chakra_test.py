"""`hawser simulate --export chakra:FILE`: the traces are read back by a decoder of protobuf's wire format that knows
nothing but the field numbers of Chakra's et_def.proto, and held against the GOAL export of the same schedules."""
import re
import tempfile
import unittest
from collections import Counter
from pathlib import Path

from program import hawser

COMPUTE, SEND, RECEIVE = 4, 5, 6
NODE = {1: "id", 2: "name", 3: "type", 4: "ctrl_deps", 5: "data_deps", 7: "duration_micros", 10: "attr"}
VALUES = {7: "int32_val", 9: "int64_val", 13: "uint64_val", 27: "bool_val"}


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not data[at - 1] & 0x80:
            return value, at


def fields(data: bytes) -> list[tuple[int, int | bytes]]:
    """(field number, value) of a message that has only varints and what stands behind its length."""
    found, at = [], 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            if at + value > len(data):
                raise ValueError("a field is longer than its message")
            value, at = data[at:at + value], at + value
        elif key & 7 != 0:
            raise ValueError(f"wire type {key & 7}")
        found.append((key >> 3, value))
    return found


def numbers(packed: bytes) -> list[int]:
    found, at = [], 0
    while at < len(packed):
        value, at = varint(packed, at)
        found.append(value)
    return found


def attribute(data: bytes) -> tuple[str, tuple[str, int]]:
    (one, name), (kind, value) = fields(data)
    assert one == 1
    return name.decode(), (VALUES[kind], value)


def node_of(data: bytes) -> dict:
    made = {"id": 0, "data_deps": [], "attr": {}, "duration_micros": 0}
    for number, value in fields(data):
        name = NODE[number]
        if name == "attr":
            key, held = attribute(value)
            made["attr"][key] = held
        elif name == "data_deps":
            made["data_deps"] += numbers(value)
        else:
            made[name] = value.decode() if isinstance(value, bytes) else value
    return made


def read(file: Path) -> tuple[str, list[dict]]:
    """(version, nodes) of one rank's trace."""
    data, at, messages = file.read_bytes(), 0, []
    while at < len(data):
        size, at = varint(data, at)
        messages.append(data[at:at + size])
        at += size
    assert at == len(data), "the last message is cut off"
    (number, version), = fields(messages[0])
    assert number == 1
    return version.decode(), [node_of(each) for each in messages[1:]]


def export(name: str, *call: str):
    return hawser("simulate", *call, "--export", name)


def is_built_in() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        return export(f"chakra:{folder}/x", "barrier", "--topology", "gpu:2").returncode == 0


class Chakra(unittest.TestCase):
    def traces(self, ranks: int, *call: str) -> tuple[list[list[dict]], list[str]]:
        """(the nodes of each rank, each rank's part of the GOAL text)."""
        with tempfile.TemporaryDirectory() as folder:
            for name in (f"chakra:{folder}/trace", f"goal:{folder}/goal"):
                done = export(name, *call)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(len(list(Path(folder).glob("trace.*.et"))), ranks)
            found = [read(Path(folder) / f"trace.{rank}.et") for rank in range(ranks)]
            goal = (Path(folder) / "goal").read_text().split("\nrank ")[1:]
        self.assertEqual({version for version, _ in found}, {"0.0.4"})
        return [nodes for _, nodes in found], goal

    def expect_equal(self, nodes: list[dict], goal: str):
        """The same steps, bytes, dependences and calculations as GOAL's text of the rank."""
        kinds = Counter(node["type"] for node in nodes)
        for kind, word in ((SEND, "send"), (RECEIVE, "recv"), (COMPUTE, "calc")):
            self.assertEqual(kinds[kind], len(re.findall(rf": {word} ", goal)))
        sizes = Counter(node["attr"]["comm_size"][1] for node in nodes if node["type"] == SEND)
        self.assertEqual(sizes, Counter(int(each) for each in re.findall(r": send (\d+)b", goal)))
        self.assertEqual(sum(len(node["data_deps"]) for node in nodes), goal.count(" requires "))
        times = [node["duration_micros"] for node in nodes if node["type"] == COMPUTE]
        for micros, nanos in zip(times, re.findall(r": calc (\d+)", goal)):
            self.assertLessEqual(abs(1000 * micros - int(nanos)), 501)

    def expect_to_finish(self, ranks: list[list[dict]]):
        """Every message has one sender and one receiver who agree on it, and following the dependences, all nodes run."""
        ends = {SEND: {}, RECEIVE: {}}
        for rank, nodes in enumerate(ranks):
            self.assertEqual(len({node["id"] for node in nodes}), len(nodes))
            for node in nodes:
                if node["type"] == COMPUTE:
                    continue
                attr = node["attr"]
                self.assertEqual({name: held[0] for name, held in attr.items()},
                                 {"is_cpu_op": "bool_val", "comm_src": "int32_val", "comm_dst": "int32_val",
                                  "comm_tag": "int32_val", "comm_size": "int64_val"})
                key = tuple(attr[name][1] for name in ("comm_src", "comm_dst", "comm_tag", "comm_size"))
                self.assertEqual(key[0] if node["type"] == SEND else key[1], rank)
                self.assertNotIn(key, ends[node["type"]])
                ends[node["type"]][key] = (rank, node["id"])
        self.assertEqual(set(ends[SEND]), set(ends[RECEIVE]))
        needs = {(rank, node["id"]): {(rank, before) for before in node["data_deps"]}
                 for rank, nodes in enumerate(ranks) for node in nodes}
        for key, receiver in ends[RECEIVE].items():
            needs[receiver].add(ends[SEND][key])
        while ready := {node for node, before in needs.items() if not before}:
            needs = {node: before - ready for node, before in needs.items() if node not in ready}
        self.assertEqual(needs, {})

    def test_traces_say_what_goal_says(self):
        for ranks, call in ((12, ("all_reduce", "--topology", "rack:3 gpu:4", "--bytes", "10MB")),
                            (7, ("all_gather", "--topology", "gpu:7", "--bytes", "7MB", "--algorithm", "circulant")),
                            (9, ("all_to_all", "--topology", "rack:[4,3,2]", "--bytes", "9MB")),
                            (8, ("reduce", "--topology", "gpu:8", "--bytes", "1MB", "--root", "3")),
                            (4, ("all_reduce", "--topology", "gpu:4", "--bytes", "1MB", "--algorithm", "multi_ring"))):
            traces, goal = self.traces(ranks, *call)
            for nodes, text in zip(traces, goal):
                self.expect_equal(nodes, text)
            self.expect_to_finish(traces)

    def test_a_chain_node_by_node(self):
        traces, _ = self.traces(3, "broadcast", "--topology", "gpu:3", "--bytes", "1000", "--algorithm", "chain")
        middle = [node for node in traces[1] if node["type"] != COMPUTE]
        self.assertEqual([(node["type"], node["name"]) for node in middle],
                         [(RECEIVE, "receive from 0"), (SEND, "send to 2")])
        self.assertIn(middle[0]["id"], middle[1]["data_deps"])
        self.assertEqual(middle[1]["attr"], {"is_cpu_op": ("bool_val", 0), "comm_src": ("int32_val", 1),
                                             "comm_dst": ("int32_val", 2), "comm_tag": ("int32_val", 0),
                                             "comm_size": ("int64_val", 1000)})

    def test_a_reduction_counts_elements_and_bytes(self):
        traces, _ = self.traces(2, "reduce", "--topology", "gpu:2", "--bytes", "4MB", "--algorithm", "binomial")
        sums = [node for node in traces[0] if node["name"] == "reduce"]
        self.assertEqual([(node["attr"]["num_ops"], node["attr"]["tensor_size"]) for node in sums],
                         [(("int64_val", 1_000_000), ("uint64_val", 4_000_000))])
        self.assertGreater(sums[0]["duration_micros"], 0)

    def test_what_cannot_be_written(self):
        for name, machine, said in (("chakra:", "gpu:2", "chakra:FILE"), ("chakra:x", "gpu:1025", "1024"),
                                    ("chakra:/nowhere/x", "gpu:2", "/nowhere/x.0.et")):
            done = export(name, "broadcast", "--topology", machine, "--bytes", "1KB")
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(said, done.stderr)


class WithoutProtobuf(unittest.TestCase):
    def test_the_reason_is_said(self):
        done = export("chakra:x", "broadcast", "--topology", "gpu:2", "--bytes", "1KB")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("protobuf", done.stderr)


if __name__ == "__main__":
    if is_built_in():
        del WithoutProtobuf
    else:
        print("SKIPPED: reading traces back, since this hawser was built without protobuf")
        del Chakra
    unittest.main()
