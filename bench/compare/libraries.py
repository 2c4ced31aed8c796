"""The libraries that are compared, which of them this machine has, and what to install for the others."""
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cases import Place

HAWSER = "hawser"
SHARED_BUFFERS = "hawser shared buffers"
IN_NETWORK = "hawser in-network"
OWN = (HAWSER, SHARED_BUFFERS, IN_NETWORK)
BUFFERS_OPTION = "--host-memory"  # of `hawser bench`


@dataclass(frozen=True)
class Library:
    """`programs`: in the build's bin folder; `tools`: found through PATH; `variant`: an algorithm of the program."""
    name: str
    programs: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    packages: str = ""
    variant: str = ""

    def why_not_on(self, place: Place, collective: str) -> str:
        """Empty where the library can do it."""
        if self.name == SHARED_BUFFERS and not place.is_pinned:
            return "measured in shared memory only"
        if self.name == IN_NETWORK and (collective != "all_reduce" or len(place.nodes) < 2):
            return "reduces over uplinks only"
        if "HAN" in self.name and (place.ranks_per_node == 1 or collective != "all_reduce"):
            return "HAN is an all-reduce of several ranks per node"
        if self.name.startswith("gloo") and collective == "all_to_all" and self.variant == "ring":
            return "gloo has one all-to-all"
        return ""


OPENMPI, MPICH = ("compare_openmpi",), ("compare_mpich", "libcompare_ucx_yield.so")
LIBRARIES = (
    Library(HAWSER),
    Library(SHARED_BUFFERS),
    Library(IN_NETWORK),
    Library("Open MPI", OPENMPI, ("mpirun.openmpi",), "openmpi-bin libopenmpi-dev"),
    Library("Open MPI HAN+adapt", OPENMPI, ("mpirun.openmpi",), "openmpi-bin libopenmpi-dev", "han"),
    Library("MPICH", MPICH, ("mpiexec.hydra",), "mpich libmpich-dev"),
    Library("gloo halving-doubling", ("compare_gloo",), (), "libgloo-dev", "halving_doubling"),
    Library("gloo ring", ("compare_gloo",), (), "libgloo-dev", "ring"),
    Library("UCC"),
)
BY_NAME = {library.name: library for library in LIBRARIES}


def why_missing(library: Library, hawser: Path, programs: Path) -> str:
    """Empty where the library can be run; else what is missing and how to get it."""
    if library.name in OWN:
        return why_own_missing(library, hawser)
    if library.name == "UCC":
        return "Debian has no UCC, and this version of the comparison no program for it"
    for tool in library.tools:
        if not shutil.which(tool):
            return f"{tool} is not installed; as root: apt-get install {library.packages}"
    for program in library.programs:
        if not (programs / program).exists():
            return (f"{programs / program} has not been built; it needs {library.packages} when CMake is run, "
                    "and the target of that name")
    return ""


def why_own_missing(library: Library, hawser: Path) -> str:
    if not hawser.exists():
        return f"{hawser} has not been built; build the target hawser_program, or give --hawser"
    if library.name == HAWSER:
        return ""
    if library.name == IN_NETWORK:
        known = subprocess.run([hawser, "aggregate", "--help"], capture_output=True, check=False).returncode == 0
        return "" if known else "this hawser has no aggregator of in-network reduction"
    told = subprocess.run([hawser, "bench", "--help"], capture_output=True, text=True, check=False).stdout
    return "" if BUFFERS_OPTION in told else f"this hawser bench has no {BUFFERS_OPTION}"


def find(wanted: list[str] | None, hawser: Path, programs: Path) -> tuple[list[str], dict[str, str]]:
    """(names of the libraries to run, reason of each that is left out). Throws ValueError for an unknown name."""
    for name in wanted or ():
        if name not in BY_NAME:
            raise ValueError(f'unknown library "{name}": use {", ".join(BY_NAME)}')
    found, missing = [], {}
    for library in LIBRARIES:
        if wanted and library.name not in wanted:
            continue
        reason = why_missing(library, hawser, programs)
        if reason:
            missing[library.name] = reason
        else:
            found.append(library.name)
    return found, missing


def has_peer(names: list[str]) -> bool:
    return any(name not in OWN for name in names)


def allowed_cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))
