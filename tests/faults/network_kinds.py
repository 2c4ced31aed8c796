"""Faults of an emulated host: its cable, one direction of it, and its /dev/shm. They need namespaces."""
import random

from job import GRACE, PEER_TIMEOUT, RENDEZVOUS
from kinds import LATE_AT_START, Outcome, Setting, guarded

SHORT = PEER_TIMEOUT * 0.3  # a break that TCP's repetitions bridge within the peer time-out


def cut(lab, worker: str, rng: random.Random, strike, seconds: float, facts: dict) -> Outcome:
    """Strikes a host other than the store's for so long. What is short is survived; what is long is an error on every
    rank on both sides, within the time-out."""
    setting = Setting(lab, worker, rng, least=4, most=8, hosts=rng.randint(2, lab.hosts))
    host = rng.randrange(1, setting.hosts)
    outcome = Outcome(setting.facts() | {"host": host, "seconds": round(seconds, 2)} | facts)
    job = setting.job({"--milliseconds": 1500 + int(seconds * 1000)})

    def act():
        job.wait_ready()
        job.pause(rng.uniform(0, 0.3))
        strike(host)
        try:
            job.pause(seconds)
        finally:
            lab.heal(host)
        job.wait_ended(list(range(setting.ranks)), 20)
        failed = job.said(job.processes)
        outcome.how = "error" if failed else "survived"
        if seconds < SHORT:
            outcome.require(not failed, f"{seconds:.1f} s were not survived: {failed[:1]}")
        if seconds > PEER_TIMEOUT + GRACE or failed:
            outcome.require(len(failed) == setting.ranks, f"only {len(failed)} of {setting.ranks} ranks were told")
            lost = [r for r, place in enumerate(setting.places) if place == host]
            outcome.require(any(each["peer"] in lost for each in failed), f"no error names a rank of the host: {failed[:1]}")
    try:
        return guarded(outcome, job, act)
    finally:
        lab.heal(host)


def link_down(lab, worker: str, rng: random.Random) -> Outcome:
    """The cable of a host is pulled and put back after 0.2 to 6 s."""
    return cut(lab, worker, rng, lambda host: lab.set_link(host, False), rng.uniform(0.2, 6.0), {})


def one_way(lab, worker: str, rng: random.Random) -> Outcome:
    """One direction of a cable passes nothing for 0.2 to 6 s."""
    towards = rng.random() < 0.5
    return cut(lab, worker, rng, lambda host: lab.cut_one_way(host, towards), rng.uniform(0.2, 6.0),
               {"way": "to the host" if towards else "from the host"})


def full_shm(lab, worker: str, rng: random.Random) -> Outcome:
    """A host's /dev/shm has next to no room: TCP instead, or an error on every rank where only shared memory may be used."""
    setting = Setting(lab, worker, rng, most=8)
    room = rng.choice([0, 4096, 65536, 1 << 20])
    outcome = Outcome(setting.facts() | {"room": room})
    filler = lab.fill_shm(0, room)
    job = setting.job({"--milliseconds": 500})

    def act():
        job.wait_ended(list(range(setting.ranks)), RENDEZVOUS + LATE_AT_START)
        failed = job.said(job.processes)
        outcome.how = "error" if failed else "survived"
        if setting.transport != "shm":
            outcome.require(not failed, f"it has TCP, and still: {failed[:1]}")
        outcome.require(len(failed) in (0, setting.ranks), f"only {len(failed)} of {setting.ranks} ranks were told")
    try:
        return guarded(outcome, job, act)
    finally:
        filler.unlink()


NEED_LAB = {"link-down": link_down, "one-way-cut": one_way, "full-shm": full_shm}
