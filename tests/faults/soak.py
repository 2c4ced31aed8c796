"""Many mixed collectives, every result checked: do memory, descriptors or the time per call grow?"""
import json
import random
import statistics
from pathlib import Path

from kinds import Outcome, Setting, finish

POINTS = 40              # figures per soak
SETTLING = 0.3           # of the soak, before which pools and caches still fill
MOST_KIB_PER_MILLION = 512.0
LONG = 200_000           # calls; in fewer, plans are still being remembered (4,096 shapes at most), and only their bound is held
MOST_KIB_AT_ALL = 16 << 10
MOST_TIME_GROWTH = 0.25  # of the time per call, from the first third after settling to the last
MOST_SHORT_TIME_GROWTH = 3.0  # in fewer than LONG calls, a tenth of a second: what else runs on the machine may fill a third


def slope(xs: list[float], ys: list[float]) -> tuple[float, float]:
    """Least squares: the slope and its standard error."""
    mean_x, mean_y = statistics.fmean(xs), statistics.fmean(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / spread
    rest = sum((y - mean_y - rise * (x - mean_x)) ** 2 for x, y in zip(xs, ys))
    return rise, (rest / max(1, len(xs) - 2) / spread) ** 0.5


def judge(outcome: Outcome, job) -> None:
    """Fits each rank's figures after it has settled."""
    worst = 0.0
    for rank, process in enumerate(job.processes):
        figures = [each for each in process.events if each["event"] == "figures"]
        settled = figures[int(len(figures) * SETTLING):]
        if len(settled) < 6:
            outcome.problems.append(f"rank {rank} gave only {len(figures)} figures")
            continue
        rise, error = slope([each["calls"] / 1e6 for each in settled], [each["rss"] for each in settled])
        worst = max(worst, rise)
        grown = settled[-1]["rss"] - settled[0]["rss"]
        outcome.require(grown < MOST_KIB_AT_ALL, f"rank {rank}: memory grew by {grown} KiB")
        is_long = settled[-1]["calls"] >= LONG
        if is_long:
            outcome.require(rise - 2 * error < MOST_KIB_PER_MILLION,
                            f"rank {rank}: memory grows by {rise:.0f} +- {error:.0f} KiB per million calls")
        for name in ("files", "threads"):
            outcome.require(settled[0][name] == settled[-1][name], f"rank {rank}: {name} grew: {settled[-1][name]}")
        third = len(settled) // 3
        first, last = (statistics.median(each["seconds"] for each in part) for part in (settled[:third], settled[-third:]))
        growth = MOST_TIME_GROWTH if is_long else MOST_SHORT_TIME_GROWTH
        outcome.require(last < first * (1 + growth), f"rank {rank}: a call took {first * 1e6:.0f} us, then {last * 1e6:.0f}")
        outcome.facts.setdefault("us_per_call", [round(first * 1e6, 1), round(last * 1e6, 1)])
    outcome.facts["kib_per_million_calls"] = round(worst, 1)


def run(lab, worker: str, seed: int, calls: int, log: Path | None) -> int:
    """Four ranks on one host over shared memory and, for a tenth of the calls, over TCP. Exit code 1 on any growth."""
    code = 0
    for transport, share in (("shm", 1.0), ("tcp", 0.1)):
        setting = Setting(lab, worker, random.Random(f"{seed}/soak/{transport}"), 4, 4, 1, "launcher", transport)
        setting.most = 1024
        count = int(calls * share)
        outcome = Outcome(setting.facts() | {"calls": count})
        job = setting.job({"--calls": count, "--report": max(1, count // POINTS)})
        job.start()
        job.wait(lambda: all(each.is_closed for each in job.processes), 24 * 3600, "the soak")
        failed = job.said(job.processes)
        outcome.require(not failed, f"it failed: {failed[:1]}")
        judge(outcome, job)
        finish(outcome, job)
        made = {"kind": "soak", "index": 0, "seed": seed, **outcome.facts, "problems": outcome.problems}
        print("campaign: soak " + json.dumps(made), flush=True)
        if log:
            with open(log, "a") as file:
                file.write(json.dumps(made | {"how": "survived", "late": 0}) + "\n")
        code = max(code, 1 if outcome.problems else 0)
    return code
