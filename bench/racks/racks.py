#!/usr/bin/env python3
"""An emulated cluster for one command: racks of nodes with a shaped uplink each, on this machine.

usage: racks.py [options] -- COMMAND [ARGUMENT...]     runs COMMAND once per rank, each on its node
       racks.py [options] --once -- COMMAND...         runs it once, on the first node (a launcher such as mpirun)
       racks.py [options] --goodput                    measures what the uplinks carry, both ways at once

Every rank gets RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT, HAWSER_SECRET_FILE and a SLURM_CONF that tells the
racks. All of it lives in namespaces of this process: whatever ends it ends the cluster, and nothing is left behind.
Needs Linux, iproute2 and either root or user namespaces.
"""
import argparse
import contextlib
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import goodput
from layout import CORE, Layout
from network import Network

INSIDE = "HAWSER_RACKS_INSIDE"
PORT = 29500


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--racks", type=int, default=2, help="racks, where --nodes is one number (2)")
    parser.add_argument("--nodes", default="2", help="nodes of each rack: 4, or 3,2,4 for ragged racks (2)")
    parser.add_argument("--ranks", type=int, default=1, help="ranks of each node (1)")
    parser.add_argument("--uplink", default="500mbit", help="rate of a rack's uplink, each way, per rail; or none")
    parser.add_argument("--rails", type=int, default=1, help="uplinks of each rack, one interface per node each (1)")
    parser.add_argument("--pods", type=int, default=1, help="pods that the racks are spread over (1: no second tier)")
    parser.add_argument("--pod-uplink", default="none", help="rate of a pod's uplink, each way")
    parser.add_argument("--order", default="contiguous", help="of the ranks: contiguous, cyclic or random[:SEED]")
    parser.add_argument("--once", action="store_true", help="run COMMAND once, on the first rank's node")
    parser.add_argument("--goodput", action="store_true", help="measure the uplinks instead of running a command")
    parser.add_argument("--bytes", type=Path, metavar="FILE", help="write each uplink's bytes during COMMAND as JSON")
    parser.add_argument("--aggregator", metavar="COMMAND", help="run this as the job's last process, on a host at the "
                        "core switch: an aggregator of in-network reduction (\"hawser aggregate --transport tcp\")")
    parser.add_argument("--timeout", type=float, default=600, help="seconds that COMMAND may take (600)")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if arguments.command[:1] == ["--"]:
        del arguments.command[0]
    if bool(arguments.command) == arguments.goodput:
        parser.error("give either a command after -- or --goodput")
    return arguments


def layout_of(arguments: argparse.Namespace) -> Layout:
    counts = tuple(int(each) for each in arguments.nodes.split(","))
    if len(counts) == 1:
        counts *= arguments.racks
    made = Layout(counts, arguments.ranks, arguments.uplink, arguments.rails, arguments.pods, arguments.pod_uplink,
                  arguments.order, bool(arguments.aggregator))
    made.ranks()  # an unknown order is an error before anything is built
    return made


def enter_namespaces() -> None:
    """Starts this program again as the first process of its own process, network and mount namespaces."""
    command = ["unshare", "--fork", "--pid", "--kill-child=SIGKILL", "--mount-proc", "--net", "--mount"]
    if os.geteuid() != 0:
        command += ["--user", "--map-root-user"]
    os.environ[INSIDE] = "1"
    os.execvp(command[0], [*command, sys.executable, *sys.argv])


def processes_of(layout: Layout, with_aggregator: bool) -> list:
    """The host of each process of a job: the ranks, then the aggregator."""
    return layout.ranks() + [CORE] * with_aggregator


def environment_of(rank: int, layout: Layout, folder: Path, with_aggregator: bool = False) -> dict[str, str]:
    ranks = processes_of(layout, with_aggregator)
    node = ranks[rank]
    return os.environ | {
        "RANK": str(rank), "WORLD_SIZE": str(len(ranks)), "LOCAL_RANK": str(ranks[:rank].count(node)),
        "MASTER_ADDR": ranks[0].address(), "MASTER_PORT": str(PORT), "HAWSER_SECRET_FILE": str(folder / "secret"),
        "SLURM_CONF": str(folder / "slurm.conf"), "HAWSER_CACHE_DIR": str(folder / "cache")}


def run_ranks(arguments: argparse.Namespace, layout: Layout, network: Network, folder: Path) -> int:
    wanted = layout.ranks()[:1] if arguments.once else processes_of(layout, layout.has_aggregator)
    aggregator = shlex.split(arguments.aggregator or "")
    started = [network.start_in(node.name, aggregator if node is CORE else arguments.command,
                                env=environment_of(rank, layout, folder, layout.has_aggregator))
               for rank, node in enumerate(wanted)]
    signal.alarm(max(1, int(arguments.timeout)))
    codes = [process.wait() for process in started]
    signal.alarm(0)
    for rank, code in enumerate(codes):
        if code:
            print(f"racks: rank {rank} on {wanted[rank].name} ended with {code}", file=sys.stderr)
    return 1 if any(codes) else 0


def expired(*_) -> None:
    raise TimeoutError("the command did not end in time (--timeout)")


@contextlib.contextmanager
def cluster(layout: Layout):
    """(network, folder of settings) of a cluster that is there; the caller is in namespaces of its own."""
    with tempfile.TemporaryDirectory(prefix="hawser-racks-") as name:
        folder = Path(name)
        layout.write_slurm(folder)
        secret = folder / "secret"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(16))
        network = Network(layout)
        network.mount_hosts(folder)
        network.build()
        yield network, folder


def run(arguments: argparse.Namespace, layout: Layout) -> int:
    signal.signal(signal.SIGALRM, expired)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with cluster(layout) as (network, folder):
        if arguments.goodput:
            print(json.dumps(goodput.measure(layout, network)))
            return 0
        before = network.uplink_bytes()
        code = run_ranks(arguments, layout, network, folder)
        if arguments.bytes:
            moved = [{way: after[way] - earlier[way] for way in after}
                     for earlier, after in zip(before, network.uplink_bytes())]
            arguments.bytes.write_text(json.dumps(moved) + "\n")
        return code


def main() -> int:
    try:
        arguments = parse()
        layout = layout_of(arguments)
        if INSIDE not in os.environ:
            enter_namespaces()
        return run(arguments, layout)
    except (OSError, ValueError, TimeoutError, subprocess.SubprocessError) as problem:
        print(f"racks: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
