"""The files of a comparison: CSV, JSON and a Markdown page with targets, losses beside wins, and bytes."""
import csv
import json
from pathlib import Path

import reductions
from cases import PLACES, TARGETS
from limits import bus_bandwidth, is_bounded
from libraries import OWN
from samples import Result
from verdicts import Figures, Verdict

COLUMNS = ("place", "collective", "bytes", "library", "median_us", "p10_us", "p90_us", "samples", "rounds",
           "busbw_GBps", "limit_us", "fraction_of_limit", "times_faster_than_best_peer", "payload_bytes",
           "payload_over_least", "other_cores", "wrong", "problem")


def size_text(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def number(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def row_of(figures: Figures, result: Result) -> dict:
    """One library at one size. Missing figures are None."""
    row = {"place": result.place, "collective": result.collective, "bytes": result.bytes, "library": result.library,
           "samples": len(result.times), "rounds": result.rounds, "wrong": result.wrong,
           "problem": "; ".join(result.problems) or None, "fraction_of_limit": figures.fraction(result),
           "times_faster_than_best_peer": None if result.library not in OWN else figures.ratio_to_best_peer(result),
           "payload_bytes": result.payload, "payload_over_least": figures.excess(result),
           "other_cores": max(result.other_cores, default=None)}
    for name, share in (("median_us", 0.5), ("p10_us", 0.1), ("p90_us", 0.9)):
        row[name] = result.at(share) * 1e6 if result.times else None
    limit = figures.limit(result.key)
    row["limit_us"] = limit * 1e6 if limit else None
    ranks = PLACES[result.place].ranks
    row["busbw_GBps"] = (bus_bandwidth(result.collective, ranks, result.bytes, result.median) * 1e-9
                         if result.times else None)
    return {name: row[name] for name in COLUMNS}


def write_csv(figures: Figures, path: Path) -> None:
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(row_of(figures, result) for result in figures.results)


def verdict_row(verdict: Verdict) -> dict:
    target = verdict.target
    return {"place": target.place, "collective": target.collective, "bytes": target.bytes, "library": target.library,
            "kind": target.kind, "to_reach": target.value, "reached": verdict.reached, "verdict": verdict.word,
            "reason": verdict.reason or None, "best_peer": verdict.peer.library if verdict.peer else None}


def write_json(figures: Figures, verdicts: list[Verdict], told: dict, path: Path) -> None:
    """`told`: the machine, the command, the versions."""
    out = {"schema": "hawser.compare/1"} | told
    out["goodput_bytes_per_second"] = figures.goodputs
    out["missing"] = figures.missing
    out["targets"] = [verdict_row(verdict) for verdict in verdicts]
    out["rows"] = [row_of(figures, result) | {"times_seconds": result.times} for result in figures.results]
    path.write_text(json.dumps(out, indent=1) + "\n")


def verdict_lines(figures: Figures, verdicts: list[Verdict]) -> list[str]:
    units = {"fraction": " of the limit", "speedup": " times the best peer", "multiple": " times the ranks' limit"}
    lines = ["| what | best peer of the run | hawser | to reach | reached | verdict |", "|---|---|---|---|---|---|"]
    for verdict in verdicts:
        target, peer = verdict.target, verdict.peer
        best = ""
        if peer:
            fraction = number(figures.fraction(peer))
            best = f"{peer.library} {peer.median * 1e3:.4g} ms" + (f" ({fraction})" if fraction else "")
        own = f"{verdict.seconds * 1e3:.4g} ms" if verdict.seconds else ""
        word = verdict.word if verdict.word != "not measured" else f"not measured ({verdict.reason})"
        library = "" if target.library == "hawser" else f", {target.library.removeprefix('hawser ')}"
        lines.append(f"| {target.collective} {target.place}, {size_text(target.bytes)}{library} | {best} | {own} "
                     f"| {target.value:g}{units[target.kind]} | {number(verdict.reached)} | {word} |")
    return lines


def cell(figures: Figures, result: Result | None) -> str:
    if result is None:
        return ""
    if not result.times:
        return "failed"
    fraction = number(figures.fraction(result))
    shown = f"{result.median * 1e3:.4g}" + (f" ({fraction})" if fraction else "")
    shown += f" [{result.at(0.1) * 1e3:.3g}..{result.at(0.9) * 1e3:.3g}]"
    return shown + (" **WRONG**" if result.wrong else " **failed once**" if result.problems else "")


def table_lines(figures: Figures, place: str, collective: str) -> list[str]:
    """All libraries over all sizes of one place: losses beside wins."""
    here = [result for result in figures.results if (result.place, result.collective) == (place, collective)]
    sizes = sorted({result.bytes for result in here})
    libraries = list(dict.fromkeys(result.library for result in here))
    bounded = is_bounded(PLACES[place])
    lines = [f"### {collective}, {place}: median ms{' (fraction of the limit)' if bounded else ''} [p10..p90]", "",
             "| library | " + " | ".join(map(size_text, sizes)) + " |", "|" + "---|" * (len(sizes) + 1)]
    if bounded:
        limits = [figures.limit((place, collective, size)) for size in sizes]
        lines.append("| limit | " + " | ".join(f"{each * 1e3:.4g}" if each else "" for each in limits) + " |")
    for library in libraries:
        cells = [cell(figures, figures.find((place, collective, size), library)) for size in sizes]
        lines.append(f"| {library} | " + " | ".join(cells) + " |")
    for own in (each for each in OWN if each in libraries):
        found = [figures.find((place, collective, size), own) for size in sizes]
        ratios = [figures.ratio_to_best_peer(each) if each else None for each in found]
        lines.append(f"| **{own} against the best peer** | " +
                     " | ".join(f"**{number(each)} x**" if each else "" for each in ratios) + " |")
    return [*lines, ""]


def bytes_lines(figures: Figures) -> list[str]:
    counted = [(result, figures.excess(result)) for result in figures.results if figures.excess(result) is not None]
    if not counted:
        return ["Not counted in this run.", ""]
    lines = ["| what | library | payload per operation, busiest uplink | times the least |", "|---|---|---|---|"]
    lines += [f"| {result.collective} {result.place}, {size_text(result.bytes)} | {result.library} "
              f"| {result.payload:.0f} | {excess:.3f} |" for result, excess in counted]
    return [*lines, ""]


def markdown(figures: Figures, verdicts: list[Verdict], told: dict, plots: list[str]) -> str:
    lines = ["# hawser and its peers on one machine", "", f"    {told['command']}", ""]
    lines += [f"- {name}: {value}" for name, value in told["machine"].items()]
    lines += [f"- {name}: {value}" for name, value in told["versions"].items()]
    lines += [f"- left out: {name}: {reason}" for name, reason in figures.missing.items()]
    lines += [f"- limit, {place}: {rate * 1e-6:.2f} MB/s of payload per uplink, both ways at once, measured in this run"
              for place, rate in figures.goodputs.items()]
    lines += ["", "Times are medians over all iterations of all rounds, of the slowest rank; libraries took turns.",
              "Below 64 KiB a burst passes the emulated uplinks unshaped: ignore fractions there.", "",
              "## To reach, and reached", "", *verdict_lines(figures, verdicts), "",
              *reductions.markdown(told["reductions"]), "## Everything that was measured", ""]
    for place, collective in dict.fromkeys((result.place, result.collective) for result in figures.results):
        lines += table_lines(figures, place, collective)
    lines += ["## Payload over the busiest uplink", "", *bytes_lines(figures)]
    lines += [f"![{name}]({name})" for name in plots]
    return "\n".join(lines) + "\n"


def judge_all(figures: Figures) -> list[Verdict]:
    return [figures.judge(target) for target in TARGETS]
