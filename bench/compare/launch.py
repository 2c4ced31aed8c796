"""How each library is started on a place: its command, one per rank or one launcher for all, and its environment.

The settings make each library run as its authors mean it to on this kind of machine, and no better: yield where ranks
outnumber cores, poll where they do not, Ethernet between nodes, shared memory inside.
"""
from dataclasses import dataclass, field
from pathlib import Path

from cases import Place
from libraries import BUFFERS_OPTION, BY_NAME, IN_NETWORK, OWN, SHARED_BUFFERS

NODE_SHELL = Path(__file__).parent / "node_shell.sh"


@dataclass(frozen=True)
class Work:
    """One launch of one library. `folder` is the launch's own."""
    place: Place
    collective: str
    bytes: int
    iterations: int
    warmup: int
    hawser: Path
    programs: Path
    folder: Path
    cores: tuple[int, ...]

    @property
    def operations(self) -> int:
        """With the one that is checked; a constant more does not matter to differences."""
        return 1 + self.warmup + self.iterations

    @property
    def is_crowded(self) -> bool:
        return self.place.ranks > len(self.cores)


@dataclass(frozen=True)
class Command:
    """`ranks`: one command per rank; or, where `is_launcher`, one that starts them all from the first node."""
    commands: list[list[str]]
    is_launcher: bool = False
    environment: dict[str, str] = field(default_factory=dict)


def peer_options(work: Work, variant: str = "") -> list[str]:
    options = {"collective": work.collective, "bytes": work.bytes, "iterations": work.iterations,
               "warmup": work.warmup, "rewrite": 1, "variant": variant}
    return [f"{name}={value}" for name, value in options.items()]


def on_each_rank(work: Work, command: list[str], **environment: str) -> Command:
    def pinned(rank: int) -> list[str]:
        return ["taskset", "-c", str(work.cores[rank % len(work.cores)])] if work.place.is_pinned else []

    return Command([pinned(rank) + command for rank in range(work.place.ranks)], environment=environment)


def hawser(work: Work, name: str) -> Command:
    command = [str(work.hawser), "bench", work.collective, "--min", str(work.bytes), "--max", str(work.bytes),
               "--iters", str(work.iterations), "--warmup", str(work.warmup), "--check", "--rewrite", "--samples",
               "--format", "json"]
    if name == SHARED_BUFFERS:
        command.append(BUFFERS_OPTION)
    made = on_each_rank(work, command)
    if name == IN_NETWORK:
        made.commands.append([str(work.hawser), "aggregate"])
    return made


def hosts_file(work: Work, nodes: list[str], form: str) -> str:
    """`nodes` of the ranks, in their order: each once, with its number of ranks."""
    path = work.folder / "hosts"
    names = list(dict.fromkeys(nodes))
    path.write_text("".join(form.format(name, work.place.ranks_per_node) + "\n" for name in names))
    return str(path)


def open_mpi(work: Work, nodes: list[str], variant: str) -> list[str]:
    settings = {"plm_rsh_agent": str(NODE_SHELL), "pml": "ob1", "btl": "self,vader,tcp", "btl_tcp_if_include": "eth0",
                "oob_tcp_if_include": "eth0", "mpi_yield_when_idle": str(int(work.is_crowded))}
    if variant == "han":
        settings |= {"coll_han_priority": "100", "coll_adapt_priority": "50", "coll_han_allreduce_up_module": "1"}
    command = ["mpirun.openmpi", "--allow-run-as-root", "--hostfile", hosts_file(work, nodes, "{} slots={}"), "-np",
               str(work.place.ranks), "--map-by", "slot"]
    command += ["--bind-to", "core"] if work.place.is_pinned else ["--bind-to", "none", "--oversubscribe"]
    for name, value in settings.items():
        command += ["--mca", name, value]
    return [*command, str(work.programs / "compare_openmpi"), *peer_options(work)]


def mpich(work: Work, nodes: list[str]) -> list[str]:
    settings = {"UCX_TLS": "tcp,self,sm", "UCX_NET_DEVICES": "eth0", "UCX_WARN_UNUSED_ENV_VARS": "n"}
    if work.is_crowded:
        settings["LD_PRELOAD"] = str(work.programs / "libcompare_ucx_yield.so")
    command = ["mpiexec.hydra", "-launcher", "ssh", "-launcher-exec", str(NODE_SHELL), "-f",
               hosts_file(work, nodes, "{}:{}"), "-n", str(work.place.ranks), "-iface", "eth0", "-bind-to",
               "core" if work.place.is_pinned else "none"]
    for name, value in settings.items():
        command += ["-genv", name, value]
    return [*command, str(work.programs / "compare_mpich"), *peer_options(work)]


def command_of(name: str, work: Work, nodes: list[str]) -> Command:
    """`nodes`: the name of each rank's node."""
    variant = BY_NAME[name].variant
    if name in OWN:
        return hawser(work, name)
    if name.startswith("gloo"):
        meeting = work.folder / "gloo"
        meeting.mkdir()
        return on_each_rank(work, [str(work.programs / "compare_gloo"), str(meeting), *peer_options(work, variant)])
    if name == "MPICH":
        return Command([mpich(work, nodes)], is_launcher=True)
    # Without a remote shell of its own, Open MPI keeps its session folder in /tmp, which all nodes share.
    return Command([open_mpi(work, nodes, variant)], is_launcher=True,
                   environment={"OMPI_MCA_orte_tmpdir_base": str(work.folder)})
