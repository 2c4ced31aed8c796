"""Starts the program hawser in a clean environment."""
import os
import subprocess
from pathlib import Path

HAWSER = os.environ["HAWSER"]
SOURCE = Path(os.environ.get("HAWSER_SOURCE", Path(__file__).parent.parent.parent))
LAUNCHERS = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_", "HAWSER_", "OMPI_", "PMI", "PMIX_", "SLURM_", "MPI_")


def clean_environment(**extra: str) -> dict[str, str]:
    """This environment without what a launcher or the user set, HAWSER_* included."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHERS)}
    return kept | extra


def hawser(*arguments: str, timeout: float = 60, **extra: str) -> subprocess.CompletedProcess:
    return subprocess.run([HAWSER, *arguments], text=True, capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=timeout, env=clean_environment(**extra), check=False)
