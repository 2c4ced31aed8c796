"""Runs a test program on a host of a simulated InfiniBand fabric: simulate.py PROGRAM. 77 where a tool is absent.

ibsim simulates a fat tree, OpenSM gives out LIDs and brings the ports up; both and the program reach each other through
sockets whose name is private to this run."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time

LEAVES, SPINES, HOSTS_PER_LEAF = 4, 2, 4
TOOLS = {"ibsim": "ibsim-utils", "opensm": "opensm", "ibnetdiscover": "infiniband-diags", "iblinkinfo": "infiniband-diags"}
PRELOAD = ["/usr/lib/*/umad2sim/libumad2sim.so", "/usr/lib*/umad2sim/libumad2sim.so", "/usr/local/lib*/umad2sim/libumad2sim.so"]


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def guid(kind, number):
    return f"{kind}-{(0x20 if kind == 'H' else 0x10):08x}{number * 16:08x}"


def port(number, far, far_port, name):
    return f'[{number}]\t"{far}"[{far_port}]\t\t# "{name}" lid 1 4xQDR'


def network():
    """The fat tree as ibsim reads it: leaf l has hosts at ports 1, 2, ... and then a cable to each spine."""
    lines = []
    for leaf in range(LEAVES):
        lines.append(f'Switch\t36 "{guid("S", leaf)}"\t\t# "leaf{leaf}" base port 0 lid 1 lmc 0')
        for host in range(HOSTS_PER_LEAF):
            number = leaf * HOSTS_PER_LEAF + host
            lines.append(port(host + 1, guid("H", number), 1, f"node{number} mlx5_0"))
        for spine in range(SPINES):
            lines.append(port(HOSTS_PER_LEAF + 1 + spine, guid("S", LEAVES + spine), leaf + 1, f"spine{spine}"))
        lines.append("")
    for spine in range(SPINES):
        lines.append(f'Switch\t36 "{guid("S", LEAVES + spine)}"\t\t# "spine{spine}" base port 0 lid 1 lmc 0')
        for leaf in range(LEAVES):
            lines.append(port(leaf + 1, guid("S", leaf), HOSTS_PER_LEAF + 1 + spine, f"leaf{leaf}"))
        lines.append("")
    for number in range(LEAVES * HOSTS_PER_LEAF):
        lines.append(f'Ca\t1 "{guid("H", number)}"\t\t# "node{number} mlx5_0"')
        leaf, host = divmod(number, HOSTS_PER_LEAF)
        lines.append(f'[1]\t"{guid("S", leaf)}"[{host + 1}]\t\t# lid 1 lmc 0 "leaf{leaf}" lid 1 4xQDR')
        lines.append("")
    return "\n".join(lines) + "\n"


def wait_until_ready(simulator, log, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with open(log, errors="replace") as file:
            if "simulator ready" in file.read():
                return
        if simulator.poll() is not None:
            break
        time.sleep(0.05)
    with open(log, errors="replace") as file:
        sys.exit("ibsim does not start:\n" + file.read())


def run(command, environment, folder, output=None, seconds=40):
    """Runs a client of the simulator; its output is kept in a file or shown."""
    with open(os.path.join(folder, output), "w") if output else open(os.devnull) as file:
        result = subprocess.run(command, env=environment, cwd=folder, timeout=seconds, stdin=subprocess.DEVNULL,
                                stdout=file if output else None)
    if result.returncode != 0:
        sys.exit(f"{command[0]} ended with {result.returncode}")


def check(program, tools, preload, folder):
    network_file, log = os.path.join(folder, "network"), os.path.join(folder, "ibsim.log")
    with open(network_file, "w") as file:
        file.write(network())
    name = f"hawser-{os.getpid()}-{time.monotonic_ns()}"
    environment = dict(os.environ, IBSIM_SOCKNAME=name, OSM_CACHE_DIR=folder, OSM_TMP_DIR=folder)
    with open(log, "w") as output:  # it ends when its input does, so that stays open
        simulator = subprocess.Popen([tools["ibsim"], "-s", network_file], env=environment, cwd=folder,
                                     stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_ready(simulator, log, 20)
        client = dict(environment, LD_PRELOAD=preload, SIM_HOST=guid("H", 5))
        run([tools["opensm"], "-o", "-f", os.path.join(folder, "opensm.log")], client, folder, "opensm.out")
        run([tools["ibnetdiscover"]], client, folder, "ibnetdiscover.txt")
        run([tools["ibnetdiscover"], "-p"], client, folder, "ibnetdiscover_p.txt")
        run([tools["iblinkinfo"]], client, folder, "iblinkinfo.txt")
        run([tools["iblinkinfo"], "-l"], client, folder, "iblinkinfo_l.txt")
        client.update(HAWSER_FABRIC_FOLDER=folder, HAWSER_FABRIC=f"{LEAVES} {SPINES} {HOSTS_PER_LEAF}")
        run([program], client, folder)
    finally:
        simulator.kill()
        simulator.wait()


def main():
    program = os.path.abspath(sys.argv[1])
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    tools = {tool: shutil.which(tool, path=path) for tool in TOOLS}
    for tool, found in tools.items():
        if not found:
            skip(f"{tool} is absent; install {TOOLS[tool]}")
    preload = [file for pattern in PRELOAD for file in glob.glob(pattern)]
    if not preload:
        skip("libumad2sim.so is absent; install ibsim-utils")
    with tempfile.TemporaryDirectory(prefix="hawser-fabric-") as folder:
        check(program, tools, preload[0], folder)


if __name__ == "__main__":
    main()
