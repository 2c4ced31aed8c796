"""Regret and the model's errors, out of what `hawser bench --in-turn` measured."""
from dataclasses import dataclass, field

from samples import quantile

LEAST_SAMPLES = 3      # a rival that was given up earlier was far slower
FROM_BYTES = 64 << 10  # from here on the model is held to its times, below to their order
TARGETS = {"median regret": 0.05, "worst regret": 0.15, "median error from 64 KiB": 0.15,
           "rank correlation below 64 KiB": 0.9}


@dataclass
class Measured:
    """One algorithm. Seconds."""
    algorithm: str
    predicted: float
    times: list[float]
    is_chosen: bool = False

    def at(self, share: float) -> float:
        return quantile(self.times, share)

    @property
    def median(self) -> float:
        return self.at(0.5)

    @property
    def error(self) -> float:
        return abs(self.predicted / self.median - 1)


@dataclass
class Case:
    """One place, collective and size: the choice and its rivals. `left_out`: rivals that time was not left for."""
    place: str
    collective: str
    bytes: int
    rows: list[Measured] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    wrong: int = 0

    @property
    def key(self) -> tuple[str, str, int]:
        return self.place, self.collective, self.bytes

    @property
    def chosen(self) -> Measured:
        return next(row for row in self.rows if row.is_chosen)

    @property
    def best(self) -> Measured:
        """By the median; the choice itself where none is faster."""
        rivals = [row for row in self.rows if row.is_chosen or len(row.times) >= LEAST_SAMPLES]
        return min(rivals, key=lambda row: (row.median, not row.is_chosen))

    @property
    def gap(self) -> float:
        """How much longer the choice takes than the best, by their medians: noise included."""
        return self.chosen.median / self.best.median - 1

    @property
    def regret(self) -> float:
        """What lies beyond the spread of the two: from the best's p90 to the choice's p10, over the best's median."""
        if self.best is self.chosen:
            return 0.0
        return max(0.0, self.chosen.at(0.1) - self.best.at(0.9)) / self.best.median


def cases_of(records: list[dict]) -> list[Case]:
    """`records`: what turns.py wrote, one per launch; those that failed have a "problem" and no rows."""
    cases: dict[tuple, Case] = {}
    for record in records:
        for row in record.get("rows", []):
            key = (record["place"], row["collective"], row["bytes"])
            case = cases.setdefault(key, Case(*key))
            case.rows.append(Measured(row["algorithm"], row["predicted_seconds"], row["times_seconds"],
                                      row["is_chosen"]))
            case.wrong += row["wrong"] or 0
        for each in record.get("left_out", []):
            cases[record["place"], record["collective"], each["bytes"]].left_out.append(each["algorithm"])
    return list(cases.values())


def ranks_of(values: list[float]) -> list[float]:
    """Equal values share the mean of their ranks."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    begin = 0
    while begin < len(order):
        end = begin
        while end + 1 < len(order) and values[order[end + 1]] == values[order[begin]]:
            end += 1
        for each in order[begin:end + 1]:
            ranks[each] = (begin + end) / 2
        begin = end + 1
    return ranks


def rank_correlation(pairs: list[tuple[float, float]]) -> float | None:
    """Spearman's; None where one side is all the same, or there are fewer than three pairs."""
    if len(pairs) < 3:
        return None
    a, b = (ranks_of([pair[side] for pair in pairs]) for side in (0, 1))
    mean = (len(pairs) - 1) / 2
    products = [sum((x - mean) * (y - mean) for x, y in zip(one, other)) for one, other in ((a, b), (a, a), (b, b))]
    return products[0] / (products[1] * products[2]) ** 0.5 if products[1] and products[2] else None


def median(values: list[float]) -> float | None:
    return quantile(values, 0.5) if values else None


def summary(cases: list[Case]) -> dict:
    """Figures over some cases; None where nothing gives one. Fractions, not percent."""
    large = [row for case in cases if case.bytes >= FROM_BYTES for row in case.rows]
    small = [row for case in cases if case.bytes < FROM_BYTES for row in case.rows]
    return {"cases": len(cases), "median_regret": median([case.regret for case in cases]),
            "worst_regret": max((case.regret for case in cases), default=None),
            "median_gap": median([case.gap for case in cases]),
            "worst_gap": max((case.gap for case in cases), default=None),
            "median_error_of_choices": median([row.error for row in large if row.is_chosen]),
            "median_error": median([row.error for row in large]),
            "rank_correlation": rank_correlation([(row.predicted, row.median) for row in small]),
            "left_out": sum(len(case.left_out) for case in cases)}


def groups(cases: list[Case]) -> list[dict]:
    """A summary per collective and layout, in the order of the measurements."""
    keys = dict.fromkeys((case.collective, case.place) for case in cases)
    return [{"collective": collective, "place": place} |
            summary([case for case in cases if (case.collective, case.place) == (collective, place)])
            for collective, place in keys]


def worst(cases: list[Case], number: int = 10) -> list[Case]:
    return sorted(cases, key=lambda case: (case.regret, case.gap), reverse=True)[:number]


def mechanics_failures(cases: list[Case], expected: list[tuple[str, str, int]]) -> list[str]:
    """What the short form holds a run to; no figure is among it, since a busy machine gives any."""
    found = {case.key: case for case in cases}
    failures = [f"{key} was not measured" for key in expected if key not in found]
    for case in cases:
        choices = [row for row in case.rows if row.is_chosen]
        if len(choices) != 1:
            failures.append(f"{case.key} has {len(choices)} choices")
        elif len(choices[0].times) < LEAST_SAMPLES:
            failures.append(f"{case.key} has {len(choices[0].times)} samples of the choice")
        if len(case.rows) < 2:
            failures.append(f"{case.key} has no rival")
        if case.wrong:
            failures.append(f"{case.key} has {case.wrong} wrong elements")
    return failures
