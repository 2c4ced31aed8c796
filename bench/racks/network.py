"""The emulated network: a bridge per rack and rail, a shaped uplink from each to the pod's bridge or the core.

The switches live in the network namespace of the calling process, each node in its own.
"""
import json
import re
import subprocess
from pathlib import Path

import namespaces
from layout import CORE, Layout

QUEUE_BYTES = 64 << 20     # lossless, as InfiniBand is: the TCP windows bound the queue, not drops
LEAST_BURST = 80 << 10     # one 64 KiB packet of segmentation offload and slack
WINDOW_BYTES = 1 << 20


def bits_per_second(rate: str) -> float:
    found = re.fullmatch(r"([0-9.]+)([kmg]?)bit", rate)
    if not found:
        raise ValueError(f'cannot read the rate "{rate}": write 500mbit, 1gbit or none')
    return float(found[1]) * {"": 1, "k": 1e3, "m": 1e6, "g": 1e9}[found[2]]


def run(*command: str, text: str | None = None) -> str:
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def without_packet_filter() -> None:
    """Bridges of this namespace pass packets by the host's filter, which a switch does not have and which costs time."""
    for each in Path("/proc/sys/net/bridge").glob("bridge-nf-call-*"):
        each.write_text("0")


class Network:
    def __init__(self, layout: Layout):
        self.layout = layout
        self.holders: dict[str, int] = {}
        self.uplinks: list[tuple[str, str]] = []  # of the racks, (leaving, entering), rail by rail
        self.shaped: list[tuple[str, str, str]] = []  # (leaving, entering, rate), of the pods as well

    def build(self) -> None:
        without_packet_filter()
        for node in self.layout.hosts():
            self.holders[node.name] = namespaces.start_node(node.name)
        commands = ["link set lo up"]
        for rail in range(self.layout.rails):
            commands += self.switches(rail)
        run("ip", "-batch", "-", text="\n".join(commands) + "\n")
        for leaving, entering, rate in self.shaped:
            self.shape(leaving, rate)
            self.shape(entering, rate)
        for node in self.layout.hosts():
            self.configure(node)

    def switches(self, rail: int) -> list[str]:
        commands = [f"link add core{rail} type bridge", f"link set core{rail} up"]
        layout = self.layout
        if layout.has_aggregator:
            commands += [f"link add pcore_{rail} type veth peer name eth{rail} netns {self.holders[CORE.name]}",
                         f"link set pcore_{rail} master core{rail} up"]
        if layout.pods > 1:
            for pod in range(layout.pods):
                commands += self.bridge(f"pod{pod}_{rail}", f"core{rail}", f"q{pod}_{rail}", layout.pod_uplink)
        for rack, nodes in enumerate(layout.nodes):
            above = f"pod{layout.pod_of(rack)}_{rail}" if layout.pods > 1 else f"core{rail}"
            commands += self.bridge(f"rack{rack}_{rail}", above, f"u{rack}_{rail}", layout.uplink)
            self.uplinks.append((f"u{rack}_{rail}o", f"u{rack}_{rail}i"))
            for index in range(nodes):
                holder = self.holders[f"r{rack}n{index}"]
                port = f"p{rack}_{index}_{rail}"
                commands += [f"link add {port} type veth peer name eth{rail} netns {holder}",
                             f"link set {port} master rack{rack}_{rail} up"]
        return commands

    def bridge(self, name: str, above: str, uplink: str, rate: str) -> list[str]:
        """A switch and its uplink; what leaves goes through <uplink>o, what enters through <uplink>i."""
        self.shaped.append((f"{uplink}o", f"{uplink}i", rate))
        return [f"link add {name} type bridge", f"link set {name} up",
                f"link add {uplink}o type veth peer name {uplink}i",
                f"link set {uplink}o master {name} up", f"link set {uplink}i master {above} up"]

    @staticmethod
    def shape(device: str, rate: str) -> None:
        if rate == "none":
            return
        burst = max(LEAST_BURST, int(bits_per_second(rate) / 8 / 1000))  # or 1 ms of the rate
        run("tc", "qdisc", "replace", "dev", device, "root", "tbf", "rate", rate, "burst", str(burst), "limit",
            str(QUEUE_BYTES))

    def configure(self, node) -> None:
        commands = ["link set lo up"]
        for rail in range(self.layout.rails):
            commands += [f"addr add {node.address(rail)}/16 dev eth{rail}", f"link set eth{rail} up"]
        self.run_in(node.name, "ip", "-batch", "-", text="\n".join(commands) + "\n")
        settings = {"tcp_rmem": f"4096 131072 {WINDOW_BYTES}", "tcp_wmem": f"4096 65536 {WINDOW_BYTES}",
                    "tcp_slow_start_after_idle": "0", "tcp_no_metrics_save": "1"}
        script = "".join(f"echo '{value}' > /proc/sys/net/ipv4/{name}\n" for name, value in settings.items())
        self.run_in(node.name, "sh", "-e", text=script)

    def run_in(self, node: str, *command: str, text: str | None = None) -> str:
        done = subprocess.run(command, input=text, text=True, capture_output=True, check=False,
                              preexec_fn=lambda: namespaces.enter_node(self.holders[node]))
        if done.returncode != 0:
            raise OSError(f"{' '.join(command)} on {node} failed: {done.stderr.strip()}")
        return done.stdout

    def start_in(self, node: str, command: list[str], **options) -> subprocess.Popen:
        return subprocess.Popen(command, preexec_fn=lambda: namespaces.enter_node(self.holders[node]), **options)

    def uplink_bytes(self) -> list[dict[str, int]]:
        """Bytes and packets that have left and entered each rack, over all rails, headers included. A packet is what
        was sent at once, up to 64 KiB: segmentation is left to the receiver."""
        links = {each["ifname"]: each["stats64"]["tx"] for each in json.loads(run("ip", "-j", "-s", "link"))}
        totals = [{"out": 0, "in": 0, "out_packets": 0, "in_packets": 0} for _ in self.layout.nodes]
        for number, (leaving, entering) in enumerate(self.uplinks):
            rack = number % len(self.layout.nodes)
            for way, link in (("out", links[leaving]), ("in", links[entering])):
                totals[rack][way] += link["bytes"]
                totals[rack][f"{way}_packets"] += link["packets"]
        return totals

    def mount_hosts(self, folder: Path) -> None:
        """/etc/hosts with the nodes' names, for launchers; the caller's mount namespace must be private."""
        hosts = folder / "hosts"
        hosts.write_text(self.layout.hosts_file())
        run("mount", "--bind", str(hosts), "/etc/hosts")
