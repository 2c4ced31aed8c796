"""What the figures say: fractions of the limit, ratios to the best peer, and whether each target is reached."""
from dataclasses import dataclass

from cases import PLACES, Target
from libraries import OWN
from limits import is_bounded, least_bytes, least_seconds
from samples import Result

MOST_SHORT_EXCESS = 1.05  # payload over an uplink as a multiple of the least, for the short form to pass


@dataclass(frozen=True)
class Verdict:
    """`reached`: None where it was not measured, for `reason`."""
    target: Target
    reached: float | None
    reason: str = ""
    seconds: float | None = None
    peer: Result | None = None

    @property
    def is_met(self) -> bool:
        return self.reached is not None and self.reached >= self.target.value

    @property
    def word(self) -> str:
        return "not measured" if self.reached is None else "reached" if self.is_met else "missed"


class Figures:
    """The results of a run. `goodputs`: of each place, bytes per second of an uplink, both ways at once."""

    def __init__(self, results: list[Result], goodputs: dict[str, float], missing: dict[str, str]):
        self.results = results
        self.goodputs = goodputs
        self.missing = missing

    def of(self, key: tuple[str, str, int]) -> list[Result]:
        return [result for result in self.results if result.key == key]

    def find(self, key: tuple[str, str, int], library: str) -> Result | None:
        return next((result for result in self.of(key) if result.library == library), None)

    def best_peer(self, key: tuple[str, str, int]) -> Result | None:
        """The fastest that is none of hawser's and whose data were right."""
        peers = [result for result in self.of(key) if result.library not in OWN and result.is_valid]
        return min(peers, key=lambda result: result.median, default=None)

    def limit(self, key: tuple[str, str, int]) -> float | None:
        place, collective, size = key
        return least_seconds(PLACES[place], collective, size, self.goodputs.get(place, 0))

    def fraction(self, result: Result) -> float | None:
        limit = self.limit(result.key)
        return limit / result.median if limit and result.times else None

    def ratio_to_best_peer(self, result: Result) -> float | None:
        """How many times faster than the best peer."""
        peer = self.best_peer(result.key)
        return peer.median / result.median if peer and result.times else None

    @staticmethod
    def excess(result: Result) -> float | None:
        """Payload over the busiest uplink as a multiple of the least."""
        if result.payload is None or not is_bounded(PLACES[result.place]):
            return None
        return result.payload / least_bytes(PLACES[result.place], result.collective, result.bytes)

    def judge(self, target: Target) -> Verdict:
        key = (target.place, target.collective, target.bytes)
        own, peer = self.find(key, target.library), self.best_peer(key)
        if own is None:
            return Verdict(target, None, self.missing.get(target.library, "left out of this run"), peer=peer)
        if own.wrong or own.problems or not own.times:
            reason = f"{own.wrong} wrong elements" if own.wrong else (own.problems or ["no sample"])[0]
            return Verdict(target, None, reason, peer=peer)
        value = self.ratio_to_best_peer(own) if target.kind == "speedup" else self.fraction(own)
        if value is None:
            what = "no peer of the run" if target.kind == "speedup" else "the limit was not measured"
            return Verdict(target, None, what, own.median, peer)
        return Verdict(target, value, "", own.median, peer)


def short_failures(figures: Figures, keys: list[tuple[str, str, int]], library: str = "hawser") -> list[str]:
    """Why the short form fails; empty where hawser beats every peer and sends hardly more than it must."""
    failures = []
    for key in keys:
        where = f"{key[0]}, {key[1]}, {key[2]} bytes"
        own, peer = figures.find(key, library), figures.best_peer(key)
        if own is None or not own.is_valid:
            problem = "was not measured" if own is None else f"{own.wrong} wrong, {'; '.join(own.problems)}"
            failures.append(f"{where}: {library}: {problem}")
            continue
        if peer is None:
            failures.append(f"{where}: no peer gave a right result")
        elif own.median >= peer.median:
            failures.append(f"{where}: {library} takes {own.median * 1e3:.4g} ms, "
                            f"{peer.library} {peer.median * 1e3:.4g} ms")
        excess = figures.excess(own)
        if excess is None:
            failures.append(f"{where}: the bytes over the uplinks were not counted")
        elif excess > MOST_SHORT_EXCESS:
            failures.append(f"{where}: {library} sends {excess:.3f} times the least over an uplink, "
                            f"more than {MOST_SHORT_EXCESS}")
    return failures
