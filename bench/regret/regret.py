#!/usr/bin/env python3
"""Selection regret: hawser's choice against the best of all registered algorithms, in turn, on emulated racks.

Each place is one cluster; on it the links are measured (hawser tune), and then each collective's algorithms take turns at
every size (hawser bench --in-turn). Writes records.jsonl (every launch), regret.csv, regret.json and regret.md; README.md
says how to read them.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parent / "compare"))
import figures  # noqa: E402
import machine  # noqa: E402
import tables  # noqa: E402
from compare import SKIPPED, read_records, run_program, why_no_cluster  # noqa: E402
from places import COLLECTIVES, FULL, PLACES, SHORT, SIZES  # noqa: E402

CLUSTER_SECONDS = 1.5  # building and ending one


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=HERE.parents[1] / "build/default", help="the CMake build")
    parser.add_argument("--hawser", type=Path, help="the program hawser (BUILD/bin/hawser)")
    parser.add_argument("--output", type=Path, default=Path("regret"), help="folder of the files that are written")
    parser.add_argument("--time", type=float, default=3600, metavar="SECONDS",
                        help="for everything; less time leaves out what is predicted to be slow (3600)")
    parser.add_argument("--place", action="append", choices=sorted(PLACES), help="these places only")
    parser.add_argument("--collective", action="append", choices=COLLECTIVES, help="these collectives only")
    parser.add_argument("--size", action="append", type=int, metavar="BYTES", help="these sizes only")
    parser.add_argument("--untuned", action="store_true", help="predict with the built-in figures, not measured ones")
    parser.add_argument("--refine", metavar="TIME", default="",
                        help="let the communicator measure for so long before each size, and judge what it then chooses")
    parser.add_argument("--short", action="store_true",
                        help="a few cases in a few seconds; fails where one is missing or wrong, whatever the figures")
    parser.add_argument("--again", action="store_true",
                        help="measure nothing; write the files from OUTPUT/records.jsonl")
    arguments = parser.parse_args()
    if not arguments.time > 0:
        parser.error("--time must be above 0")
    if min(arguments.size or [1]) < 1:
        parser.error("--size must be above 0")
    return arguments


def work_of(arguments: argparse.Namespace) -> dict:
    """{"places", "collectives", "sizes", "time"}."""
    whole = {"places": FULL, "collectives": COLLECTIVES, "sizes": SIZES, "time": arguments.time}
    work = dict(SHORT) if arguments.short else whole
    for name, wanted in (("places", arguments.place), ("collectives", arguments.collective)):
        work[name] = tuple(wanted or work[name])
    work["sizes"] = tuple(sorted(arguments.size or work["sizes"]))
    return work


def runs_of(sizes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Sizes that one launch measures are each as many times the one before."""
    runs: list[list[int]] = []
    for size in dict.fromkeys(sizes):
        run = runs[-1] if runs else []
        if not run or (len(run) > 1 and size * run[0] != run[-1] * run[1]) or size % run[-1]:
            runs.append([size])
        else:
            run.append(size)
    return [tuple(run) for run in runs]


def measure(arguments: argparse.Namespace, work: dict, records: Path) -> bool:
    """A place after the other; what is left of the time is shared by those that are left. False where one has failed."""
    end, is_complete = time.monotonic() + work["time"], True
    for number, place in enumerate(work["places"]):
        left = end - time.monotonic()
        share = left / (len(work["places"]) - number) - CLUSTER_SECONDS
        job = {"place": asdict(PLACES[place]), "collectives": work["collectives"], "runs": runs_of(work["sizes"]),
               "seconds": share, "hawser": str(arguments.hawser), "is_tuned": not arguments.untuned,
               "is_patient": arguments.short, "refine": arguments.refine}
        with tempfile.TemporaryDirectory(prefix="hawser-regret-") as folder:
            file = Path(folder) / "job.json"
            file.write_text(json.dumps(job))
            done = subprocess.run([sys.executable, "-B", HERE / "turns.py", file, records.resolve()], check=False,
                                  stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            print(f"regret: {place} was given up (turns.py ended with {done.returncode})", file=sys.stderr)
            is_complete = False
    return is_complete


def problem_text(record: dict) -> str:
    what = record.get("collective", "tuning")
    sizes = f", {record['sizes'][0]} to {record['sizes'][-1]} bytes" if record.get("sizes") else ""
    return f"{what} on {record['place']}{sizes}: {record['problem']}"


def write(folder: Path) -> list[figures.Case]:
    """Everything from records.jsonl."""
    first, records = read_records(folder / "records.jsonl")
    cases = figures.cases_of(records)
    told = {"machine": first["machine"], "command": first["command"], "figures": first["figures"],
            "version": next((record["version"] for record in records if "version" in record), "unknown"),
            "problems": [problem_text(record) for record in records if record.get("problem")]}
    tables.write_csv(cases, folder / "regret.csv")
    tables.write_json(cases, told, folder / "regret.json")
    (folder / "regret.md").write_text(tables.page(cases, told))
    return cases


def run(arguments: argparse.Namespace) -> int:
    if not arguments.hawser.exists():
        raise ValueError(f"{arguments.hawser} has not been built; build the target hawser_program, or give --hawser")
    reason = why_no_cluster()
    if reason:
        print(f"SKIPPED: {reason}")
        return SKIPPED
    work = work_of(arguments)
    arguments.output.mkdir(parents=True, exist_ok=True)
    records = arguments.output / "records.jsonl"
    first = {"machine": machine.describe(), "command": machine.command(),
             "figures": ("built in" if arguments.untuned else "hawser tune on each place") +
                        (f", choices refined for {arguments.refine} a size" if arguments.refine else "")}
    records.write_text(json.dumps(first) + "\n")
    is_complete = measure(arguments, work, records)
    cases = write(arguments.output)
    print((arguments.output / "regret.md").read_text())
    if not arguments.short:
        return 0 if is_complete and cases else 2
    expected = [(place, collective, size) for place in work["places"] for collective in work["collectives"]
                for size in work["sizes"]]
    failures = figures.mechanics_failures(cases, expected)
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures or not is_complete else 0


if __name__ == "__main__":
    sys.exit(run_program("regret", parse(), run, write))
