"""Where the campaign's processes run: emulated hosts in namespaces (bench/racks), or this host where those are forbidden."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench/racks"))
import namespaces  # noqa: E402
from layout import Layout  # noqa: E402
from network import Network, run  # noqa: E402

INSIDE = "HAWSER_FAULTS_INSIDE"
MOST_HOSTS = 4
SHM_BYTES = 256 << 20
PREFIX = "hawser-"  # of the names that hawser makes in /dev/shm


def may_make_namespaces() -> bool:
    return subprocess.run(namespaces_command() + ["true"], capture_output=True, check=False).returncode == 0


def namespaces_command() -> list[str]:
    command = ["unshare", "--fork", "--pid", "--kill-child=SIGKILL", "--mount-proc", "--net", "--mount"]
    return command + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])


def enter() -> None:
    """Starts this program again in namespaces of its own: what it leaves behind ends with it."""
    os.environ[INSIDE] = "1"
    command = namespaces_command() + [sys.executable, *sys.argv]
    os.execvp(command[0], command)


class PlainLab:
    """This host alone. Names in /dev/shm may be other jobs', so only those that are new count."""
    hosts = 1

    def __init__(self):
        self.known = self.names(0)

    def address(self, _host: int) -> str:
        return "127.0.0.1"

    def start(self, _host: int, command: list[str], **options) -> subprocess.Popen:
        return subprocess.Popen(command, preexec_fn=namespaces.die_with_parent, **options)

    def names(self, _host: int) -> set[str]:
        return {name for name in os.listdir("/dev/shm") if name.startswith(PREFIX)}

    def leaked(self) -> list[str]:
        return sorted(self.names(0) - self.known)


class Lab:
    """Four hosts on one switch, each with its own /dev/shm, host name and network."""
    hosts = MOST_HOSTS

    def __init__(self):
        self.layout = Layout((MOST_HOSTS,), uplink="none")
        self.network = Network(self.layout)
        self.network.build()
        self.nodes = self.layout.hosts()
        for node in self.nodes:  # not half of the machine's memory, which a test that fills it would take
            self.network.run_in(node.name, "mount", "-o", f"remount,size={SHM_BYTES}", "/dev/shm")

    def address(self, host: int) -> str:
        return self.nodes[host].address()

    def holder(self, host: int) -> int:
        return self.network.holders[self.nodes[host].name]

    def start(self, host: int, command: list[str], **options) -> subprocess.Popen:
        return self.network.start_in(self.nodes[host].name, command, **options)

    def port(self, host: int) -> str:
        """The switch's end of the host's cable."""
        return f"p0_{host}_0"

    def set_link(self, host: int, is_up: bool) -> None:
        run("ip", "link", "set", self.port(host), "up" if is_up else "down")

    def cut_one_way(self, host: int, towards_host: bool) -> None:
        """Nothing passes in one direction any more: a queue that takes no packet."""
        block = ["root", "tbf", "rate", "8bit", "burst", "10", "limit", "1"]
        if towards_host:
            run("tc", "qdisc", "replace", "dev", self.port(host), *block)
        else:
            self.network.run_in(self.nodes[host].name, "tc", "qdisc", "replace", "dev", "eth0", *block)

    def heal(self, host: int) -> None:
        self.set_link(host, True)
        for in_host, device in ((False, self.port(host)), (True, "eth0")):
            command = ["tc", "qdisc", "del", "dev", device, "root"]
            try:
                self.network.run_in(self.nodes[host].name, *command) if in_host else run(*command)
            except OSError:  # there was none
                pass

    def shm(self, host: int) -> Path:
        return Path(f"/proc/{self.holder(host)}/root/dev/shm")

    def fill_shm(self, host: int, bytes_left: int) -> Path:
        """A file that leaves so many bytes of the host's /dev/shm."""
        facts = os.statvfs(self.shm(host))
        filler = self.shm(host) / "filler"
        with open(filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, facts.f_bavail * facts.f_frsize - bytes_left))
        return filler

    def names(self, host: int) -> set[str]:
        return {name for name in os.listdir(self.shm(host)) if name.startswith(PREFIX)}

    def leaked(self) -> list[str]:
        return sorted(f"{self.nodes[host].name}:{name}" for host in range(self.hosts) for name in self.names(host))
