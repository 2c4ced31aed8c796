"""Linux namespaces without helpers that must be cleaned up: a node is a process, and ends with this program."""
import ctypes
import os
import signal
import socket
from pathlib import Path

NEWNS, NEWUTS, NEWIPC, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x40000000
KINDS = {"mnt": NEWNS, "uts": NEWUTS, "ipc": NEWIPC, "net": NEWNET}
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


def check(status: int, what: str) -> None:
    if status != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def die_with_parent() -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def mount_own() -> None:
    """A /dev/shm of the node's own, so that no library takes another node's ranks for neighbours, and a /sys that shows
    the node's own network interfaces."""
    check(libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None), "cannot make the mounts private")  # MS_REC|MS_PRIVATE
    check(libc.mount(b"tmpfs", b"/dev/shm", b"tmpfs", 0, b"mode=1777"), "cannot mount the node's /dev/shm")
    check(libc.mount(b"sysfs", b"/sys", b"sysfs", 0, None), "cannot mount the node's /sys")


def start_node(name: str) -> int:
    """Forks the process that holds a node's namespaces; returns its number once they are there."""
    ready, told = os.pipe()
    holder = os.fork()
    if holder == 0:
        try:
            os.close(ready)
            die_with_parent()
            check(libc.unshare(NEWNS | NEWUTS | NEWIPC | NEWNET), "cannot make the namespaces of a node")
            mount_own()
            socket.sethostname(name)
            os.write(told, b"1")
            os.close(told)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            while True:
                signal.pause()
        except OSError as problem:
            os.write(2, f"racks: node {name}: {problem}\n".encode())
        finally:
            os._exit(1)
    os.close(told)
    is_ready = os.read(ready, 1)
    os.close(ready)
    if not is_ready:
        raise OSError(f"the node {name} did not start")
    return holder


def enter_node(holder: int) -> None:
    """Makes the calling process one of the node's (use it between fork and exec)."""
    files = [(os.open(f"/proc/{holder}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC), flag) for kind, flag in KINDS.items()]
    working = Path.cwd()
    for file, flag in files:
        check(libc.setns(file, flag), "cannot enter the node")
    os.chdir(working)
    die_with_parent()
