#!/usr/bin/env python3
"""Runs jobs and strikes them: kills, stops, cuts, corruption, full disks. Prints a table; exit code 1 where anything was wrong.

usage: campaign.py WORKER [--kinds kill=1000,stop=200,...] [--seed N] [--log FILE] [--seconds S]
The seed is printed, and run i of a kind depends on the seed, the kind and i alone: --only KIND:I repeats one. With --log each
run is a line of JSON, and runs that the file has are not made again. Soaks: --soak N makes N calls and fits slopes.
"""
import argparse
import json
import os
import random
import secrets
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import lab as labs  # noqa: E402
import soak  # noqa: E402
import table  # noqa: E402
from kinds import ALWAYS  # noqa: E402
from network_kinds import NEED_LAB  # noqa: E402

KINDS = ALWAYS | NEED_LAB
SKIPPED = 77


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worker", help="the program faults_worker")
    parser.add_argument("--kinds", default="kill=1000," + ",".join(f"{each}=200" for each in KINDS if each != "kill"),
                        help="KIND=RUNS, ...; kinds: " + ", ".join(KINDS))
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no run after so long")
    parser.add_argument("--only", help="KIND:INDEX, one run, with its whole story")
    parser.add_argument("--plain", action="store_true", help="this host alone, even where namespaces are allowed")
    parser.add_argument("--soak", type=int, default=0, metavar="CALLS")
    arguments = parser.parse_args()
    arguments.wanted = {}
    for part in filter(None, arguments.kinds.split(",")):
        kind, _, runs = part.partition("=")
        if kind not in KINDS or not runs.isdigit():
            parser.error(f'cannot read "{part}" of --kinds: write KIND=RUNS with one of {", ".join(KINDS)}')
        arguments.wanted[kind] = int(runs)
    return arguments


def known_runs(log: Path | None) -> list[dict]:
    if log is None or not log.exists():
        return []
    return [json.loads(line) for line in log.read_text().splitlines() if line.strip()]


def run_one(kind: str, index: int, seed: int, lab, worker: str) -> dict:
    began = time.monotonic()
    outcome = KINDS[kind](lab, worker, random.Random(f"{seed}/{kind}/{index}"))
    return {"kind": kind, "index": index, "seed": seed, "how": outcome.how, "late": round(outcome.late, 3),
            "took": round(time.monotonic() - began, 2), **outcome.facts, "problems": outcome.problems}


def plan(arguments: argparse.Namespace, seed: int, runs: list[dict], lab) -> list[tuple[str, int]]:
    """What is still to be made, the kinds in turn, so that a campaign that is cut short has some of each."""
    done = {(each["kind"], each["index"]) for each in runs if each["seed"] == seed}
    left = []
    for kind, count in arguments.wanted.items():
        if kind in NEED_LAB and isinstance(lab, labs.PlainLab):
            print(f"campaign: {kind} is left out: no namespaces here", file=sys.stderr)
            continue
        left += [((index + 0.5) / count, kind, index) for index in range(count) if (kind, index) not in done]
    return [(kind, index) for _, kind, index in sorted(left)]


def make_runs(arguments: argparse.Namespace, seed: int, lab) -> list[dict]:
    runs = known_runs(arguments.log)
    end = time.monotonic() + arguments.seconds
    for kind, index in plan(arguments, seed, runs, lab):
        if time.monotonic() > end:
            break
        made = run_one(kind, index, seed, lab, arguments.worker)
        runs.append(made)
        if arguments.log:
            with open(arguments.log, "a") as log:
                log.write(json.dumps(made) + "\n")
        for problem in made["problems"]:
            print(f"campaign: {kind}:{index}: {problem}", file=sys.stderr, flush=True)
    return [each for each in runs if each["seed"] == seed and each["kind"] in arguments.wanted]


def main() -> int:
    arguments = parse()
    is_plain = arguments.plain or not labs.may_make_namespaces()
    if not is_plain and labs.INSIDE not in os.environ:
        labs.enter()
    seed = arguments.seed if arguments.seed is not None else next(
        (each["seed"] for each in known_runs(arguments.log)), secrets.randbelow(1 << 31))
    print(f"campaign: seed {seed}, {'this host alone' if is_plain else 'emulated hosts'}", flush=True)
    lab = labs.PlainLab() if is_plain else labs.Lab()
    if arguments.only:
        kind, _, index = arguments.only.partition(":")
        made = run_one(kind, int(index), seed, lab, arguments.worker)
        print(json.dumps(made, indent=1))
        return 1 if made["problems"] else 0
    code = 0
    if arguments.soak:
        code = soak.run(lab, arguments.worker, seed, arguments.soak, arguments.log)
    if arguments.wanted:
        runs = make_runs(arguments, seed, lab)
        print(table.text(runs))
        code = max(code, 1 if any(each["problems"] for each in runs) else 0)
    return code


if __name__ == "__main__":
    sys.exit(main())
