"""What an emulated cluster is made of: racks of nodes, their names and addresses, and the order of the ranks on them."""
import random
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Node:
    rack: int
    index: int  # within the rack

    @property
    def name(self) -> str:
        return f"r{self.rack}n{self.index}"

    def address(self, rail: int = 0) -> str:
        return f"10.{77 + rail}.{self.rack}.{10 + self.index}"


class CoreNode(Node):
    """A host at the core switch itself."""

    @property
    def name(self) -> str:
        return "core"


CORE = CoreNode(rack=254, index=0)


@dataclass(frozen=True)
class Layout:
    """`nodes[i]`: nodes of rack i. Rates are tc's ("500mbit"); "none" is not shaped."""
    nodes: tuple[int, ...]
    ranks_per_node: int = 1
    uplink: str = "500mbit"
    rails: int = 1
    pods: int = 1
    pod_uplink: str = "none"
    order: str = "contiguous"
    has_aggregator: bool = False  # a host at the core switch, without an uplink of its own
    all_nodes: list[Node] = field(init=False, default_factory=list)

    def __post_init__(self):
        if not 1 <= len(self.nodes) <= 250 or not all(1 <= each <= 240 for each in self.nodes):
            raise ValueError(f"cannot build racks of {list(self.nodes)} nodes: 1 to 250 racks of 1 to 240 nodes fit")
        if self.ranks_per_node < 1 or not 1 <= self.rails <= 8:
            raise ValueError("every node needs at least one rank, and 1 to 8 rails fit")
        if not 1 <= self.pods <= len(self.nodes):
            raise ValueError(f"cannot spread {len(self.nodes)} racks over {self.pods} pods")
        self.all_nodes.extend(Node(rack, index) for rack, count in enumerate(self.nodes) for index in range(count))

    def pod_of(self, rack: int) -> int:
        return rack * self.pods // len(self.nodes)

    def ranks(self) -> list[Node]:
        """The node of each rank. Cyclic deals nodes out over the racks in turn, as a scheduler may; random takes a
        seed ("random:7"). The ranks of one node stay together."""
        nodes = list(self.all_nodes)
        kind, _, seed = self.order.partition(":")
        if kind == "cyclic":
            nodes.sort(key=lambda node: (node.index, node.rack))
        elif kind == "random":
            random.Random(int(seed or 1)).shuffle(nodes)
        elif kind != "contiguous":
            raise ValueError(f'unknown order "{self.order}": contiguous, cyclic or random[:SEED]')
        return [node for node in nodes for _ in range(self.ranks_per_node)]

    def topology_conf(self) -> str:
        """Slurm's topology.conf of topology/tree, from which discovery learns the racks."""
        def join(prefix: str, numbers) -> str:
            return ",".join(f"{prefix}{number}" for number in numbers)

        lines = [f"SwitchName=rack{rack} Nodes={join(f'r{rack}n', range(count))}"
                 for rack, count in enumerate(self.nodes)]
        if self.pods > 1:
            for pod in range(self.pods):
                racks = [rack for rack in range(len(self.nodes)) if self.pod_of(rack) == pod]
                lines.append(f"SwitchName=pod{pod} Switches={join('rack', racks)}")
            lines.append(f"SwitchName=core Switches={join('pod', range(self.pods))}")
        elif len(self.nodes) > 1:
            lines.append(f"SwitchName=core Switches={join('rack', range(len(self.nodes)))}")
        return "\n".join(lines) + "\n"

    def write_slurm(self, folder: Path) -> Path:
        """Writes slurm.conf and topology.conf; the path of the former is SLURM_CONF."""
        (folder / "topology.conf").write_text(self.topology_conf())
        conf = folder / "slurm.conf"
        conf.write_text("ClusterName=emulated\nTopologyPlugin=topology/tree\n")
        return conf

    def hosts(self) -> list[Node]:
        """The nodes, and the aggregator's host where there is one."""
        return self.all_nodes + [CORE] * self.has_aggregator

    def hosts_file(self) -> str:
        return "127.0.0.1 localhost\n" + "".join(f"{node.address()} {node.name}\n" for node in self.hosts())
