#!/usr/bin/env python3
"""One place of the comparison: an emulated cluster, its limit, and all libraries on it in turn, round by round.

usage: session.py JOB.json RECORDS.jsonl     compare.py writes the former and reads the latter, one record per launch
"""
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "racks"))
import goodput  # noqa: E402
import racks  # noqa: E402
from cases import Measurement, Place, repetitions  # noqa: E402
from launch import Work, command_of  # noqa: E402
from layout import Layout  # noqa: E402
from libraries import BY_NAME, IN_NETWORK, OWN  # noqa: E402

FOREIGN = ("HAWSER_", "SLURM_", "OMPI_", "PMIX_", "PMI_", "MPIR_", "UCX_", "UCC_", "RANK", "WORLD_SIZE", "MASTER_")


def busy_seconds() -> float:
    """Of all cores of the machine since it started, whoever used them."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _, _, interrupts, soft = (int(each) for each in fields[:7])
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class OnPlace:
    """Work on the cluster of one place, told to `records` as it goes."""
    def __init__(self, job: dict, records, network, layout: Layout, folder: Path):
        self.job = job
        self.records = records
        self.network = network
        self.layout = layout
        self.folder = folder
        self.place = Place(**job["place"])

    def write(self, record: dict) -> None:
        self.records.write(json.dumps({"place": self.place.name} | record) + "\n")
        self.records.flush()


class Session(OnPlace):
    def __init__(self, *given):
        super().__init__(*given)
        self.cores = tuple(self.job["cores"])
        self.holders = self.folder / "holders"
        self.holders.write_text("".join(f"{name} {process}\n" for name, process in self.network.holders.items()))

    def measure_limit(self) -> None:
        if len(self.layout.nodes) > 1 and self.layout.uplink != "none":
            found = goodput.measure(self.layout, self.network, self.job["goodput_seconds"])
            self.write({"goodput": found["median"], "goodput_of_racks": found["bytes_per_second"]})

    def run(self) -> None:
        self.measure_limit()
        for each in self.job["measurements"]:
            measurement = Measurement(self.place.name, each["collective"], tuple(each["sizes"]))
            for size in measurement.sizes:
                self.compare(measurement.collective, size)
        self.measure_limit()

    def compare(self, collective: str, size: int) -> None:
        """Round-robin over the libraries; each round begins with another, so that none always follows the same."""
        names = [name for name in self.job["libraries"] if not BY_NAME[name].why_not_on(self.place, collective)]
        begin, broken = time.monotonic(), set()
        for number in range(self.job["rounds"]):
            if number and time.monotonic() - begin > self.job["seconds_per_size"]:
                break
            first = number % len(names)
            for name in [*names[first:], *names[:first]]:
                if name not in broken and not self.record(name, collective, size, False):
                    broken.add(name)
        for name in names:
            if name not in broken and len(self.layout.nodes) > 1 and size >= self.job["count_bytes_from"]:
                if self.job["counts_bytes_of_peers"] or name in OWN:
                    self.record(name, collective, size, True)

    def record(self, name: str, collective: str, size: int, is_probe: bool) -> bool:
        """A probe is a launch with one iteration, for the bytes that an operation sends."""
        iterations, warmup = (1, 0) if is_probe else self.repetitions(size)
        with tempfile.TemporaryDirectory(dir=self.folder) as own:
            work = Work(self.place, collective, size, iterations, warmup, Path(self.job["hawser"]),
                        Path(self.job["programs"]), Path(own), self.cores)
            record = {"collective": collective, "bytes": size, "library": name, "is_probe": is_probe,
                      "operations": work.operations, "load": os.getloadavg()[0]}
            before, busy, used, begin = (self.network.uplink_bytes(), busy_seconds(), own_seconds(), time.monotonic())
            found = self.launch(name, work)
            took = time.monotonic() - begin
            other = (busy_seconds() - busy - (own_seconds() - used)) / took
            after = self.network.uplink_bytes()
        uplinks = [{way: late[way] - early[way] for way in late} for early, late in zip(before, after)]
        self.write(record | found | {"seconds": took, "other_cores": round(other, 2), "uplinks": uplinks})
        if not is_probe:
            self.tell(name, collective, size, found)
        return "problem" not in found

    def repetitions(self, size: int) -> tuple[int, int]:
        iterations, warmup = repetitions(size, self.place.is_pinned)
        return (min(iterations, self.job["iterations"]) if self.job["iterations"] else iterations), warmup

    def tell(self, name: str, collective: str, size: int, found: dict) -> None:
        times = sorted(found.get("times_seconds", []))
        shown = f"{times[len(times) // 2] * 1e3:.4g} ms" if times else found.get("problem", "")
        print(f"compare: {self.place.name}, {collective}, {size} bytes, {name}: {shown}", file=sys.stderr, flush=True)

    def sweep(self, kills: bool) -> None:
        """Ends what a launch has left on the nodes: this is the first process of its own process namespace, so that all
        others but those that hold the nodes are the launch's."""
        if kills and os.getpid() == 1:
            spared = {os.getpid(), *self.network.holders.values()}
            for process in (int(entry) for entry in os.listdir("/proc") if entry.isdigit()):
                if process not in spared:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    def launch(self, name: str, work: Work) -> dict:
        """{"times_seconds", "wrong", ...}, or {"problem"}."""
        is_in_network = name == IN_NETWORK
        ranks = [node.name for node in racks.processes_of(self.layout, is_in_network)]
        command = command_of(name, work, ranks)
        output = work.folder / "output"
        errors = work.folder / "errors"
        started = []
        with open(output, "w") as out, open(errors, "w") as err:
            for rank, each in enumerate(command.commands):
                told = racks.environment_of(rank, self.layout, self.folder, is_in_network)
                environment = {key: value for key, value in told.items()
                               if not command.is_launcher or not key.startswith(FOREIGN)}
                environment |= command.environment | {"HAWSER_RACKS_HOLDERS": str(self.holders)}
                started.append(self.network.start_in(
                    ranks[rank], each, env=environment, stdin=subprocess.DEVNULL, stderr=err,
                    stdout=out if rank == 0 else subprocess.DEVNULL, start_new_session=True))
            problem = wait_for(started, self.job["timeout"])
        self.sweep(bool(problem))
        found = read(output.read_text())
        # A launcher may fail while it ends the ranks (MPICH's does); the result was printed when all had theirs.
        if problem and ("problem" in found or not command.is_launcher):
            tail = " | ".join(errors.read_text(errors="replace").splitlines()[-3:])
            return {"problem": f"{problem}: {tail}"}
        return found


def wait_for(started: list[subprocess.Popen], timeout: float) -> str:
    """Empty where all end well; the others are killed when one fails or time is over."""
    end = time.monotonic() + timeout
    problem = ""
    for rank, process in enumerate(started):
        try:
            code = process.wait(0 if problem else max(0.0, end - time.monotonic()))
            problem = problem or (f"process {rank} ended with {code}" if code else "")
        except subprocess.TimeoutExpired:
            problem = problem or f"not done after {timeout:.0f} s"
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return problem


def read(text: str) -> dict:
    """`hawser bench` prints a table with one row, the peers a line."""
    try:
        found = json.loads(text)
        row = found["rows"][0] if "rows" in found else found
        version = f"hawser {found['version']}" if "rows" in found else found["library"]
        told = {"times_seconds": row["times_seconds"], "wrong": row["wrong"], "version": version}
        return told | ({"algorithm": row["algorithm"]} if "algorithm" in row else {})
    except (ValueError, KeyError, IndexError) as problem:
        return {"problem": f"cannot read the output ({problem}): {text[:200]}"}


def run_on_place(name: str, work: type[OnPlace]) -> int:
    """What the process of one place does: builds the cluster of the job in argv[1] and runs the work on it, which writes
    to argv[2]. `name` is the program's in messages."""
    job = json.loads(Path(sys.argv[1]).read_text())
    if racks.INSIDE not in os.environ:
        for name in [name for name in os.environ if name.startswith(FOREIGN)]:
            del os.environ[name]
        racks.enter_namespaces()
    place = Place(**job["place"])
    layout = Layout(tuple(place.nodes), place.ranks_per_node, place.uplink, order=place.order,
                    has_aggregator=IN_NETWORK in job.get("libraries", ()))
    try:
        with racks.cluster(layout) as (network, folder), open(sys.argv[2], "a") as records:
            work(job, records, network, layout, folder).run()
    except (OSError, ValueError, subprocess.SubprocessError) as problem:
        print(f"{name}: {place.name}: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(run_on_place("compare", Session))
