"""One job of the campaign: its processes, what they say, and what became of them."""
import json
import os
import secrets
import selectors
import shutil
import signal
import subprocess
import sys
import time

PEER_TIMEOUT = 3.0  # seconds
GRACE = 1.0         # beyond it, to count as a hang
RENDEZVOUS = 10.0
START_LIMIT = 60.0  # of a job on a busy machine


class Hang(Exception):
    pass


class Process:
    def __init__(self, name: str, popen: subprocess.Popen):
        self.name = name
        self.popen = popen
        self.events: list[dict] = []
        self.rest = b""
        self.is_closed = False

    def event(self, name: str) -> dict | None:
        return next((each for each in self.events if each["event"] == name), None)

    def all_events(self, name: str) -> list[dict]:
        return [each for each in self.events if each["event"] == name]

    def take(self) -> None:
        """Reads what it says now; lines that a kill cut off are dropped."""
        while True:
            try:
                piece = os.read(self.popen.stdout.fileno(), 65536)
            except BlockingIOError:
                return
            if not piece:
                self.is_closed = True
                return
            *lines, self.rest = (self.rest + piece).split(b"\n")
            self.events += [json.loads(line) for line in lines]


class Job:
    """`places[r]`: the host of rank r. `store`: "rank0" runs it, or "launcher" is a process of its own on host 0."""

    def __init__(self, lab, worker: str, places: list[int], store: str = "rank0", options: dict | None = None,
                 variables: dict | None = None, prefix=lambda rank: []):
        self.lab, self.worker, self.places, self.store = lab, worker, places, store
        self.options = {"--peer-timeout": int(PEER_TIMEOUT * 1000), "--rendezvous-timeout": int(RENDEZVOUS * 1000),
                        **(options or {})}
        self.variables = {"HAWSER_SECRET": secrets.token_hex(16), **(variables or {})}
        self.prefix = prefix
        self.selector = selectors.DefaultSelector()
        self.processes: list[Process] = []  # by rank; then the store, if it is its own
        self.server: Process | None = None

    def environment(self, extra: dict) -> dict:
        names = ("HAWSER_", "SLURM_", "RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_", "OMPI_", "PMI")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(names)}
        return plain | {name: str(value) for name, value in (self.variables | extra).items()}

    def arguments(self, options: dict) -> list[str]:
        return [str(each) for pair in options.items() for each in pair]

    def launch(self, name: str, host: int, command: list[str], extra: dict) -> Process:
        started = Process(name, self.lab.start(host, command, env=self.environment(extra), stdin=subprocess.PIPE,
                                               stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        os.set_blocking(started.popen.stdout.fileno(), False)
        self.selector.register(started.popen.stdout, selectors.EVENT_READ, started)
        return started

    def start_store(self) -> dict:
        address = self.lab.address(self.places[0])
        if self.store == "rank0":  # below the ports that the system gives out itself
            return {"MASTER_ADDR": address, "MASTER_PORT": 20000 + secrets.randbelow(12000)}
        self.server = self.launch("store", self.places[0], [self.worker, "--serve", str(len(self.places)), "--address",
                                                            address, "--peer-timeout",
                                                            str(self.options["--peer-timeout"])], {})
        self.wait(lambda: self.server.event("port"), START_LIMIT, "the store")
        return {"HAWSER_STORE": f"{address}:{self.server.event('port')['port']}"}

    def start(self) -> None:
        place = self.start_store()
        for rank, host in enumerate(self.places):
            extra = place | {"RANK": rank, "WORLD_SIZE": len(self.places),
                             "LOCAL_RANK": self.places[:rank].count(host)}
            command = self.prefix(rank) + [self.worker, *self.arguments(self.options)]
            self.processes.append(self.launch(f"rank {rank}", host, command, extra))

    def wait(self, condition, seconds: float, what: str) -> None:
        """Until the condition holds. Raises Hang after so long."""
        deadline = time.monotonic() + seconds
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                raise Hang(f"{what}: not within {seconds:.1f} s")
            for key, _ in self.selector.select(left):
                key.data.take()
                if key.data.is_closed:
                    self.selector.unregister(key.fileobj)

    def pause(self, seconds: float) -> None:
        """Lets so much time pass, but no longer than any rank is still there."""
        try:
            self.wait(lambda: all(each.is_closed for each in self.processes), seconds, "")
        except Hang:
            pass

    def wait_ready(self) -> None:
        self.wait(lambda: all(each.event("ready") or each.event("failed") or each.is_closed for each in self.processes),
                  START_LIMIT, "the start")
        missing = [each.name for each in self.processes if not each.event("ready")]
        if missing:
            raise Hang(f"the job did not start: {', '.join(missing)}: {self.said(self.processes)}")

    def wait_ended(self, ranks: list[int], seconds: float) -> None:
        self.wait(lambda: all(self.processes[r].is_closed for r in ranks), seconds, f"the end of ranks {ranks}")

    def said(self, processes) -> list[dict]:
        return [each.event("failed") for each in processes if each.event("failed")]

    def kill(self, rank: int) -> float:
        """Returns when (CLOCK_MONOTONIC, as the workers' events have it)."""
        self.processes[rank].popen.send_signal(signal.SIGKILL)
        return time.monotonic()

    def signal(self, rank: int, number: int) -> float:
        self.processes[rank].popen.send_signal(number)
        return time.monotonic()

    def stacks(self) -> str:
        """Who is left, and, where gdb is installed, where it waits (on stderr)."""
        left = [each for each in self.processes if not each.is_closed]
        for each in left if shutil.which("gdb") else []:
            told = subprocess.run(["gdb", "-p", str(each.popen.pid), "-batch", "-ex", "thread apply all bt 12"],
                                  capture_output=True, text=True, timeout=60, check=False).stdout
            frames = [line for line in told.splitlines() if line.startswith(("#", "Thread"))]
            print(f"{each.name} waits in\n" + "\n".join(frames), file=sys.stderr)
        return ", ".join(f"{each.name}: {each.events[-1:]}" for each in left)

    def close(self) -> list[int]:
        """Ends what is left; the exit codes of the ranks."""
        for each in [*self.processes, *([self.server] if self.server else [])]:
            each.popen.stdin.close()
        for each in self.processes:
            if not each.is_closed:
                each.popen.kill()
        if self.server:
            self.server.popen.kill()
        everybody = [*self.processes, *([self.server] if self.server else [])]
        codes = [each.popen.wait() for each in everybody]
        for each in everybody:
            self.stderr_of(each)
            each.popen.stdout.close()
        self.selector.close()
        return codes[:len(self.processes)]

    @staticmethod
    def stderr_of(process: Process) -> None:
        process.text = process.popen.stderr.read().decode(errors="replace")
        process.popen.stderr.close()
