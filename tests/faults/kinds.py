"""The kinds of fault: each runs one job, strikes it, and says what was wrong with the way it ended (nothing, hopefully)."""
import random
import signal
import time
from dataclasses import dataclass, field

from job import GRACE, PEER_TIMEOUT, RENDEZVOUS, Hang, Job

ATTEMPTS = 4  # to inject a fault into a job
LATE_AT_START = 5.0  # beyond a rendezvous time-out: processes start slowly where there are many on few cores


@dataclass
class Outcome:
    facts: dict
    problems: list[str] = field(default_factory=list)
    late: float = 0.0   # seconds from the fault to the last survivor's error
    how: str = "error"  # or "survived", or "no fault" where none was injected

    def require(self, holds: bool, problem: str) -> None:
        if not holds:
            self.problems.append(problem)


class Setting:
    """What chance decides of a run: ranks, hosts, transport, sizes, who runs the store."""

    def __init__(self, lab, worker: str, rng: random.Random, least: int = 4, most: int = 16, hosts: int | None = None,
                 store: str | None = None, transport: str | None = None):
        self.lab, self.worker, self.rng = lab, worker, rng
        self.ranks = rng.randint(least, most)
        self.hosts = hosts or rng.randint(1, min(lab.hosts, self.ranks))
        self.transport = transport or rng.choice(["shm", "tcp"] if self.hosts == 1 else ["auto", "tcp"])
        self.store = store or rng.choice(["rank0", "launcher"])
        self.host_memory = rng.randint(0, 1)
        self.most = rng.choice([64, 4096, 65536, 262144])
        self.seed = rng.randrange(1 << 31)
        self.places = sorted(r % self.hosts for r in range(self.ranks))

    def facts(self) -> dict:
        return {"ranks": self.ranks, "hosts": self.hosts, "transport": self.transport, "store": self.store,
                "host_memory": self.host_memory, "most": self.most}

    def job(self, options: dict | None = None, **more) -> Job:
        given = {"--seed": self.seed, "--most": self.most, "--transport": self.transport,
                 "--host-memory": self.host_memory, **(options or {})}
        return Job(self.lab, self.worker, self.places, self.store, given, **more)


def check_ends(outcome: Outcome, job: Job, codes: list[int], but: int | None = None) -> None:
    """Nobody got a wrong result, lost a descriptor or crashed."""
    for rank, process in enumerate(job.processes):
        if rank == but:
            continue
        end = process.event("end")
        outcome.require(end is not None, f"rank {rank} ended without a word (exit {codes[rank]}): {process.text[-300:]}")
        if end:
            outcome.require(end["wrong"] == 0, f"rank {rank} got {end['wrong']} wrong elements")
            outcome.require(end["files"] == 0, f"rank {rank} leaked {end['files']} descriptors")
            outcome.require(codes[rank] == 0, f"rank {rank} exited with {codes[rank]}")
    for name in job.lab.leaked():
        outcome.problems.append(f"the name {name} was left in /dev/shm")


def check_named(outcome: Outcome, job: Job, victim: int, since: float, limit: float) -> None:
    """Every survivor was told in time, and told who."""
    for rank, process in enumerate(job.processes):
        if rank == victim:
            continue
        failed = process.event("failed")
        outcome.require(failed is not None, f"rank {rank} saw no error")
        if failed:
            outcome.late = max(outcome.late, failed["at"] - since)
            outcome.require(failed["at"] - since <= limit, f"rank {rank} was told after {failed['at'] - since:.1f} s")
            outcome.require(failed["peer"] == victim, f"rank {rank} names {failed['peer']}, not {victim}: {failed['what']}")


def check_shrunk(outcome: Outcome, job: Job, victim: int) -> None:
    """All survivors have shrunk to a communicator of themselves that gives right results."""
    survivors = [process for rank, process in enumerate(job.processes) if rank != victim]
    right = 0
    for each in survivors:
        shrunk, failed = each.event("shrunk"), each.event("not_shrunk")
        outcome.require(shrunk is not None, f"{each.name} did not shrink: {failed and failed['what']}")
        if shrunk:
            outcome.require(shrunk["size"] == len(survivors), f"{each.name} shrank to {shrunk['size']} ranks")
            outcome.require(shrunk["wrong"] == 0, f"{each.name} got wrong results after shrinking")
            right += shrunk["size"] == len(survivors) and shrunk["wrong"] == 0
    outcome.facts["shrunk"] = right == len(survivors)
    outcome.facts["shrink_took"] = max((each.event("shrunk") or {"took": 0})["took"] for each in survivors)


def finish(outcome: Outcome, job: Job, but: int | None = None) -> Outcome:
    check_ends(outcome, job, job.close(), but)
    return outcome


def guarded(outcome: Outcome, job: Job, act, but: int | None = None) -> Outcome:
    """Runs the job; a hang is an outcome. Whatever happens, nothing is left running."""
    try:
        job.start()
        act()
    except Hang as hang:
        outcome.problems.append(f"hang: {hang}; left: {job.stacks()}")
    return finish(outcome, job, but)


def kill(lab, worker: str, rng: random.Random) -> Outcome:
    """kill -9 of a random rank at a random moment of a random collective."""
    setting = Setting(lab, worker, rng)
    victim = rng.randrange(setting.ranks)
    outcome = Outcome(setting.facts() | {"victim": victim})
    job = setting.job({"--shrink": 1})

    def act():
        job.wait_ready()
        job.pause(rng.uniform(0, 0.3))
        since = job.kill(victim)
        survivors = [r for r in range(setting.ranks) if r != victim]
        job.wait(lambda: all(job.processes[r].event("failed") or job.processes[r].is_closed for r in survivors),
                 PEER_TIMEOUT + GRACE, "the survivors' errors")
        job.wait_ended(survivors, 2 * (PEER_TIMEOUT + GRACE))
        check_named(outcome, job, victim, since, PEER_TIMEOUT + GRACE)
        check_shrunk(outcome, job, victim)
    return guarded(outcome, job, act, victim)


def stop(lab, worker: str, rng: random.Random) -> Outcome:
    """SIGSTOP for 0.5 to 5 s: a short one is survived, a long one is a failure that names the rank, also to itself."""
    setting = Setting(lab, worker, rng, most=8)
    victim, pause = rng.randrange(setting.ranks), rng.uniform(0.5, 5.0)
    outcome = Outcome(setting.facts() | {"victim": victim, "seconds": round(pause, 2)})
    job = setting.job({"--milliseconds": 1500 + int(pause * 1000)})
    is_short, is_long = pause < PEER_TIMEOUT * 0.5, pause > PEER_TIMEOUT + GRACE

    def act():
        job.wait_ready()
        job.pause(rng.uniform(0, 0.3))
        since = job.signal(victim, signal.SIGSTOP)
        job.pause(pause)
        job.signal(victim, signal.SIGCONT)
        job.wait_ended(list(range(setting.ranks)), 20)
        failed = job.said(job.processes)
        outcome.how = "error" if failed else "survived"
        if is_short:
            outcome.require(not failed, f"{pause:.1f} s were not survived: {failed[:1]}")
        if is_long:
            check_named(outcome, job, victim, since, PEER_TIMEOUT + GRACE)
            outcome.require(job.processes[victim].event("failed") is not None, "the stopped rank does not know")
        elif failed:
            outcome.require(len(failed) == setting.ranks, f"only {len(failed)} of {setting.ranks} ranks were told")
    return guarded(outcome, job, act)


def check_corrupted(outcome: Outcome, job: Job) -> None:
    """Every injected corruption was found by its receiver, or the call that it fell into never returned there."""
    found = unread = 0
    for sender, process in enumerate(job.processes):
        for fault in process.all_events("injected"):
            receiver = job.processes[fault["to"]]
            failed, end = receiver.event("failed"), receiver.event("end")
            if failed and failed["code"] == "corrupted data" and f"from rank {sender} to rank {fault['to']} " in failed["what"]:
                found += 1
            else:
                unread += 1
                outcome.require(end is not None and end["completed"] <= fault["in_call"],
                                f"rank {fault['to']} took a wrong message of rank {sender} for right: it completed "
                                f"{end and end['completed']} calls, the message was of call {fault['in_call']}")
    outcome.facts |= {"injected": found + unread, "found": found, "unread": unread}
    outcome.require(not found + unread or found, "no injected corruption was found by anybody")


def corrupt(lab, worker: str, rng: random.Random) -> Outcome:
    """1 % of the messages corrupted, checksums on: found at once, everywhere, and no wrong result. A job of few messages
    may meet no fault: then the same is tried with another seed."""
    for attempt in range(1, ATTEMPTS + 1):
        outcome = corrupt_once(lab, worker, rng)
        outcome.facts["attempts"] = attempt
        if outcome.problems or outcome.facts.get("injected"):
            return outcome
    outcome.how = "no fault"
    return outcome


def corrupt_once(lab, worker: str, rng: random.Random) -> Outcome:
    setting = Setting(lab, worker, rng, most=8)
    outcome = Outcome(setting.facts())
    faults = f"corrupt:0.01,seed:{rng.randrange(1 << 31)}"
    job = setting.job({"--milliseconds": 2000}, variables={"HAWSER_CHECKSUMS": 1, "HAWSER_FAULTS": faults})

    def act():
        job.wait(lambda: all(each.is_closed for each in job.processes), 60, "the ranks' ends")
        failed = job.said(job.processes)
        outcome.how = "error" if failed else "survived"
        check_corrupted(outcome, job)
        if failed:
            outcome.require(len(failed) == setting.ranks, f"only {len(failed)} of {setting.ranks} ranks were told")
            outcome.require(any("was changed on the way" in each["what"] for each in failed), f"{failed[0]['what']}")
            moments = [each["at"] for each in failed]
            outcome.late = max(moments) - min(moments)
    return guarded(outcome, job, act)


def store_killed(lab, worker: str, rng: random.Random) -> Outcome:
    """The launcher's store dies before or after the rendezvous: every rank is told."""
    setting = Setting(lab, worker, rng, most=8, store="launcher")
    is_late = rng.random() < 0.5
    outcome = Outcome(setting.facts() | {"moment": "after" if is_late else "before"})
    job = setting.job()

    def act():
        if is_late:
            job.wait_ready()
            job.pause(rng.uniform(0, 0.3))
        else:
            job.pause(rng.uniform(0, 0.1))
        job.server.popen.kill()
        since = time.monotonic()
        limit = PEER_TIMEOUT + GRACE if is_late else RENDEZVOUS + LATE_AT_START
        job.wait_ended(list(range(setting.ranks)), limit)
        for rank, process in enumerate(job.processes):
            failed = process.event("failed")
            outcome.require(failed is not None, f"rank {rank} saw no error")
            if failed:
                outcome.late = max(outcome.late, failed["at"] - since)
                outcome.require("store" in failed["what"], f"rank {rank}: {failed['what']}")
    return guarded(outcome, job, act)


def no_descriptors(lab, worker: str, rng: random.Random) -> Outcome:
    """One rank may open few files: it works, or every rank gets an error in time."""
    setting = Setting(lab, worker, rng, most=8)
    poor, files = rng.randrange(setting.ranks), rng.randint(5, 40)
    outcome = Outcome(setting.facts() | {"victim": poor, "files": files})
    job = setting.job({"--milliseconds": 500},
                      prefix=lambda rank: ["prlimit", f"--nofile={files}"] if rank == poor else [])

    def act():
        job.wait_ended(list(range(setting.ranks)), 2 * RENDEZVOUS + LATE_AT_START)
        failed = job.said(job.processes)
        outcome.how = "error" if failed else "survived"
        outcome.require(len(failed) in (0, setting.ranks), f"only {len(failed)} of {setting.ranks} ranks were told")
    return guarded(outcome, job, act)


ALWAYS = {"kill": kill, "stop": stop, "corrupt": corrupt, "store-killed": store_killed,
          "no-descriptors": no_descriptors}
