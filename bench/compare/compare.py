#!/usr/bin/env python3
"""Hawser and its peers on the same emulated racks and in shared memory, in turn, in one run.

Builds nothing and installs nothing: the programs are those of the CMake build; a library that is missing is named and
left out. Writes records.jsonl (every launch), compare.csv, compare.json, compare.md and SVG plots; README.md says how to
read them.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import libraries
import machine
import plots
import reductions
import report
from cases import MEASUREMENTS, MIB, PLACES, SHORT, Measurement
from samples import gather
from verdicts import Figures, short_failures

HERE = Path(__file__).resolve().parent
SKIPPED = 77
SHORT_JOB = {"rounds": 2, "seconds_per_size": 45, "iterations": 3, "goodput_seconds": 1.5,
             "counts_bytes_of_peers": False}
FULL_JOB = {"rounds": 3, "seconds_per_size": 600, "iterations": 0, "goodput_seconds": 3.0,
            "counts_bytes_of_peers": True}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=HERE.parents[1] / "build/default", help="the CMake build")
    parser.add_argument("--hawser", type=Path, help="the program hawser (BUILD/bin/hawser)")
    parser.add_argument("--output", type=Path, default=Path("compare"), help="folder of the files that are written")
    parser.add_argument("--short", action="store_true",
                        help="16 MiB all-reduce on two places, under 3 minutes; fails where hawser does not win")
    parser.add_argument("--place", action="append", choices=sorted(PLACES), help="these places only")
    parser.add_argument("--library", action="append", help="these libraries only")
    parser.add_argument("--size", action="append", type=int, metavar="BYTES", help="these sizes only")
    parser.add_argument("--rounds", type=int, help="turns of each library at each size")
    parser.add_argument("--iterations", type=int, help="at most so many per launch")
    parser.add_argument("--again", action="store_true",
                        help="measure nothing; write the files from OUTPUT/records.jsonl")
    parser.add_argument("--timeout", type=float, default=180, help="seconds that one launch may take (180)")
    return parser.parse_args()


def chosen(arguments: argparse.Namespace) -> list[Measurement]:
    measurements = []
    for each in SHORT if arguments.short else MEASUREMENTS:
        sizes = tuple(size for size in each.sizes if not arguments.size or size in arguments.size)
        if sizes and (not arguments.place or each.place in arguments.place):
            measurements.append(Measurement(each.place, each.collective, sizes))
    if not measurements:
        raise ValueError("nothing is left to measure: no measurement has that place and size")
    return measurements


def job_of(arguments: argparse.Namespace, place: str, measurements: list[Measurement], names: list[str]) -> dict:
    job = dict(SHORT_JOB if arguments.short else FULL_JOB)
    job |= {name: value for name in ("rounds", "iterations") if (value := getattr(arguments, name)) is not None}
    return job | {
        "place": asdict(PLACES[place]), "libraries": names, "timeout": arguments.timeout, "count_bytes_from": MIB,
        "hawser": str(arguments.hawser), "programs": str(arguments.build.resolve() / "bin"),
        "cores": libraries.allowed_cores(),
        "measurements": [{"collective": each.collective, "sizes": each.sizes} for each in measurements
                         if each.place == place]}


def why_no_cluster() -> str:
    """Empty where this machine permits an emulated cluster."""
    command = [sys.executable, HERE.parent / "racks/racks.py", "--racks", "1", "--nodes", "1", "--", "true"]
    probe = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if probe.returncode == 0 else probe.stderr.strip() or f"racks.py ended with {probe.returncode}"


def why_no_room(measurements: list[Measurement]) -> dict[str, str]:
    """Places that cannot be measured here."""
    cores = len(libraries.allowed_cores())
    return {place.name: f"{place.ranks} pinned ranks need as many cores, and {cores} may be used"
            for place in (PLACES[each.place] for each in measurements) if place.is_pinned and place.ranks > cores}


def measure(arguments: argparse.Namespace, measurements: list[Measurement], names: list[str], records: Path) -> bool:
    """One session per place; what they write stays even where a later one fails. False where one has failed."""
    without_room = why_no_room(measurements)
    is_complete = True
    for place in dict.fromkeys(each.place for each in measurements):
        if place in without_room:
            print(f"compare: {place} is left out: {without_room[place]}", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory(prefix="hawser-compare-") as folder:
            job = Path(folder) / "job.json"
            job.write_text(json.dumps(job_of(arguments, place, measurements, names)))
            done = subprocess.run([sys.executable, HERE / "session.py", job, records.resolve()], check=False,
                                  stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            print(f"compare: {place} was given up (session.py ended with {done.returncode})", file=sys.stderr)
            is_complete = False
    return is_complete


def read_records(path: Path) -> tuple[dict, list[dict]]:
    """(the first line: machine, command and what is missing; the others)."""
    first, *rest = [json.loads(line) for line in path.read_text().splitlines()]
    return first, rest


def figures_of(records: list[dict], missing: dict[str, str]) -> Figures:
    """The limit of a place is the mean of what was measured before and after the libraries."""
    measured: dict[str, list[float]] = {}
    for record in records:
        if "goodput" in record:
            measured.setdefault(record["place"], []).append(record["goodput"])
    goodputs = {place: sum(values) / len(values) for place, values in measured.items()}
    return Figures(gather([record for record in records if "goodput" not in record]), goodputs, missing)


def write(folder: Path) -> Figures:
    """Everything from records.jsonl."""
    first, records = read_records(folder / "records.jsonl")
    figures = figures_of([record for record in records if "place" in record], first["missing"])
    sums = [row for record in records for row in record.get("reductions", [])]
    versions = {record["library"]: record["version"] for record in records if "version" in record}
    told = {"machine": first["machine"], "command": first["command"], "versions": versions, "reductions": sums}
    verdicts = report.judge_all(figures)
    report.write_csv(figures, folder / "compare.csv")
    report.write_json(figures, verdicts, told, folder / "compare.json")
    names, reason = plots.run(folder / "compare.json")
    if reason:
        print(f"compare: no plots: {reason}", file=sys.stderr)
    (folder / "compare.md").write_text(report.markdown(figures, verdicts, told, names))
    print(f"compare: wrote {folder / 'compare.md'}", file=sys.stderr)
    return figures


def end_short(figures: Figures) -> int:
    keys = [(each.place, each.collective, size) for each in SHORT for size in each.sizes]
    for key in keys:
        for result in figures.of(key):
            shown = f"{result.median * 1e3:8.4g} ms" if result.times else "  failed"
            print(f"{key[0]:6} {result.library:24} {shown}  {report.number(figures.fraction(result)):>5} of the limit  "
                  f"{report.number(figures.excess(result), 3)}")
    failures = short_failures(figures, keys)
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


def run(arguments: argparse.Namespace) -> int:
    measurements = chosen(arguments)
    names, missing = libraries.find(arguments.library, arguments.hawser, arguments.build.resolve() / "bin")
    for name, reason in missing.items():
        print(f"compare: {name} is left out: {reason}", file=sys.stderr)
    reason = why_no_cluster() or ("" if libraries.has_peer(names) else "no peer is there to compare with")
    if reason:
        print(f"SKIPPED: {reason}")
        return SKIPPED
    arguments.output.mkdir(parents=True, exist_ok=True)
    records = arguments.output / "records.jsonl"
    first = {"machine": machine.describe(), "command": machine.command(), "missing": missing}
    records.write_text(json.dumps(first) + "\n")
    is_complete = measure(arguments, measurements, names, records)
    if not arguments.short:
        with open(records, "a") as file:
            file.write(json.dumps({"reductions": reductions.measure(arguments.build / "bin/reduce_bench")}) + "\n")
    code = end_short(write(arguments.output)) if arguments.short else 0
    if code and is_complete:
        print("compare: once more, against accidents; all rounds count")
        is_complete = measure(arguments, measurements, names, records)
        code = end_short(write(arguments.output))
    if not arguments.short:
        write(arguments.output)
    return code if is_complete else 2


def run_program(name: str, arguments: argparse.Namespace, run, write) -> int:
    """run(arguments), or only write(folder) with --again; what goes wrong is told in a line that begins with `name`."""
    arguments.hawser = (arguments.hawser or arguments.build / "bin/hawser").resolve()
    try:
        if arguments.again:
            write(arguments.output)
            return 0
        return run(arguments)
    except (OSError, ValueError) as problem:
        print(f"{name}: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run_program("compare", parse(), run, write))
