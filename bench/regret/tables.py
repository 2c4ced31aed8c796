"""The files of a measurement of regret: a page of tables, CSV and JSON."""
import csv
import json
from pathlib import Path

import figures
from figures import Case, Measured

KIB, MIB = 1 << 10, 1 << 20
COLUMNS = ("place", "collective", "bytes", "algorithm", "is_chosen", "is_best", "median_us", "p10_us", "p90_us",
           "samples", "predicted_us", "regret", "gap")


def percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def plain(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def size_text(size: int) -> str:
    """Blocks of ragged counts make sizes that are not round."""
    unit, name = next(((unit, name) for unit, name in ((MIB, "MiB"), (KIB, "KiB")) if size % unit == 0 and size), (1, "B"))
    return f"{size // unit} {name}"


def row_of(case: Case, row: Measured) -> dict:
    """Regret and gap belong to the choice."""
    return {"place": case.place, "collective": case.collective, "bytes": case.bytes, "algorithm": row.algorithm,
            "is_chosen": row.is_chosen, "is_best": row is case.best, "median_us": row.median * 1e6,
            "p10_us": row.at(0.1) * 1e6, "p90_us": row.at(0.9) * 1e6, "samples": len(row.times),
            "predicted_us": row.predicted * 1e6, "regret": case.regret if row.is_chosen else None,
            "gap": case.gap if row.is_chosen else None}


def write_csv(cases: list[Case], path: Path) -> None:
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(row_of(case, row) for case in cases for row in case.rows)


def case_json(case: Case) -> dict:
    return {"place": case.place, "collective": case.collective, "bytes": case.bytes, "chosen": case.chosen.algorithm,
            "best": case.best.algorithm, "regret": case.regret, "gap": case.gap,
            "chosen_seconds": case.chosen.median, "best_seconds": case.best.median, "algorithms": len(case.rows),
            "left_out": case.left_out}


def write_json(cases: list[Case], told: dict, path: Path) -> None:
    """`told`: machine, command, version, problems."""
    out = {"schema": "hawser.regret/1"} | told
    out |= {"targets": figures.TARGETS, "all": figures.summary(cases), "groups": figures.groups(cases),
            "worst": [case_json(case) for case in figures.worst(cases)], "cases": [case_json(case) for case in cases],
            "rows": [row_of(case, row) | {"times_seconds": row.times} for case in cases for row in case.rows]}
    path.write_text(json.dumps(out, indent=1) + "\n")


def verdict(name: str, total: dict) -> tuple[float | None, str]:
    """(what was reached, in a word whether that suffices). Regret within the bar where the gap is not may be perfection or
    noise: a run with wide spreads cannot tell."""
    bar = figures.TARGETS[name]
    gap = None
    if name.endswith("regret"):
        value, gap = total[name.replace(" ", "_")], total[name.replace(" ", "_").replace("regret", "gap")]
    else:
        value = total["rank_correlation" if "correlation" in name else "median_error"]
    if value is None:
        return None, "not measured"
    if value < bar if "correlation" in name else value > bar:
        return value, "missed"
    return value, "reached" if gap is None or gap <= bar else f"not decided: the gap is {percent(gap)}, within the spread"


def target_lines(total: dict) -> list[str]:
    lines = ["| what | to reach | reached | verdict |", "|---|---|---|---|"]
    for name, bar in figures.TARGETS.items():
        is_least = "correlation" in name
        show = plain if is_least else percent
        value, word = verdict(name, total)
        lines.append(f"| {name} | {'at least' if is_least else 'at most'} {show(bar)} | {show(value)} | {word} |")
    return lines


def group_line(name: str, group: dict) -> str:
    cells = [percent(group[key]) for key in ("median_regret", "worst_regret", "median_gap", "worst_gap",
                                             "median_error_of_choices", "median_error")]
    return f"| {name} | {group['cases']} | {' | '.join(cells)} | {plain(group['rank_correlation'])} " \
           f"| {group['left_out']} |"


def group_lines(cases: list[Case]) -> list[str]:
    lines = ["| collective | layout | cases | regret, median | worst | gap, median | worst | error of choices | of all "
             "| rank correlation | left out |", "|" + "---|" * 11]
    lines += [group_line(f"{group['collective']} | {group['place']}", group) for group in figures.groups(cases)]
    return [*lines, group_line("all | all", figures.summary(cases))]


def time_text(row: Measured) -> str:
    return f"{row.median * 1e3:.4g} [{row.at(0.1) * 1e3:.3g}..{row.at(0.9) * 1e3:.3g}]"


def worst_lines(cases: list[Case]) -> list[str]:
    lines = ["| what | regret | gap | chosen | ms [p10..p90] | best | ms [p10..p90] |", "|" + "---|" * 7]
    return lines + [f"| {case.collective} {case.place}, {size_text(case.bytes)} | {percent(case.regret)} "
                    f"| {percent(case.gap)} | {case.chosen.algorithm} | {time_text(case.chosen)} "
                    f"| {case.best.algorithm} | {time_text(case.best)} |" for case in figures.worst(cases)]


def page(cases: list[Case], told: dict) -> str:
    lines = ["# What hawser's choice costs against the best of all its algorithms", "", f"    {told['command']}", ""]
    lines += [f"- {name}: {value}" for name, value in told["machine"].items()]
    lines += [f"- hawser {told['version']}; the model's figures: {told['figures']}"]
    lines += [f"- not measured: {problem}" for problem in told["problems"]]
    lines += ["", "gap: median time of the choice over that of the best, less one. regret: what of it lies beyond the two's "
              "p10-p90 spread.", "error: |predicted / measured - 1| from 64 KiB on; rank correlation (Spearman): predicted "
              "and measured times below 64 KiB.", "", *target_lines(figures.summary(cases)), "", *group_lines(cases), "",
              "## The worst ten", "", *worst_lines(cases)]
    return "\n".join(lines) + "\n"
