"""Samples of all rounds put together: quantiles, and payload per operation from the counters of the uplinks."""
import math
from dataclasses import dataclass, field

# Ethernet, IPv4 and TCP with timestamps. A packet of the counters is up to 64 KiB: they see it before segmentation.
HEADER_BYTES = 14 + 20 + 32


def quantile(values: list[float], share: float) -> float:
    """Linear between the two nearest order statistics, as `hawser bench` has it."""
    if not values:
        raise ValueError("there is no quantile of nothing")
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def payload(moved: dict[str, int], way: str) -> int:
    """Bytes less headers; an acknowledgement is nothing but a header."""
    return moved[way] - HEADER_BYTES * moved[f"{way}_packets"]


def payload_per_operation(long: dict, short: dict) -> float | None:
    """Payload of one operation over the busiest uplink, in its busier direction: the difference between two launches
    that differ in nothing but the number of operations, so that the job's start is not counted."""
    operations = long["operations"] - short["operations"]
    if operations <= 0 or not long["uplinks"]:
        return None
    return max((payload(after, way) - payload(before, way)) / operations
               for after, before in zip(long["uplinks"], short["uplinks"]) for way in ("out", "in"))


@dataclass
class Result:
    """One library on one place, collective and size, over all rounds. Seconds, bytes."""
    place: str
    collective: str
    bytes: int
    library: str
    times: list[float] = field(default_factory=list)
    rounds: int = 0
    wrong: int = 0
    problems: list[str] = field(default_factory=list)
    other_cores: list[float] = field(default_factory=list)
    payload: float | None = None

    @property
    def key(self) -> tuple[str, str, int]:
        return self.place, self.collective, self.bytes

    @property
    def is_valid(self) -> bool:
        return bool(self.times) and not self.wrong and not self.problems

    def at(self, share: float) -> float:
        return quantile(self.times, share)

    @property
    def median(self) -> float:
        return self.at(0.5)


def gather(records: list[dict]) -> list[Result]:
    """`records`: what session.py wrote, one per launch."""
    results: dict[tuple, Result] = {}
    launches: dict[tuple, dict[bool, dict]] = {}
    for record in records:
        key = (record["place"], record["collective"], record["bytes"], record["library"])
        result = results.setdefault(key, Result(*key))
        result.wrong += record.get("wrong") or 0
        if record.get("problem"):
            result.problems.append(record["problem"])
            continue
        launches.setdefault(key, {})[record["is_probe"]] = record
        if record["is_probe"]:
            continue
        result.times += record["times_seconds"]
        result.rounds += 1
        result.other_cores.append(record["other_cores"])
    for key, both in launches.items():
        if len(both) == 2:
            results[key].payload = payload_per_operation(both[False], both[True])
    return list(results.values())
