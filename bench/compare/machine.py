"""What a figure depends on besides the libraries: the machine, the date, the command."""
import datetime
import os
import platform
import shlex
import sys
from pathlib import Path

from libraries import allowed_cores


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def describe() -> dict[str, str | int]:
    """For people; no host name."""
    return {"processor": processor(), "cores": len(allowed_cores()), "kernel": platform.release(),
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%MZ"),
            "load before": f"{os.getloadavg()[0]:.2f}"}


def command() -> str:
    """With paths as they were typed."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
