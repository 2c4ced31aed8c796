#!/usr/bin/env python3
"""Runs public MPI test suites bare and under libhawser-mpi.so in forced mode.

usage: suites.py c|fortran MPICH/test/mpi [--folder coll]... [--most-ranks N] OPTIONS   what testlists name, with their ranks
       suites.py mpi4py MPI4PY/test [--only test_cco_buf]... [--ranks 1,3] OPTIONS      the test files, with each of --ranks
OPTIONS: --library openmpi|mpich --preload LIB [--jobs 1] [--time-out 60] [--work DIR] [--log FILE] [--python P]

The log has a line per test; what is in it is not run again. A test fails where the preloaded run complains of something that
the bare one does not, ends otherwise, or runs fewer cases. Exit code 1 where one fails. See docs/mpi.md.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from mpich_programs import CPrograms, FortranPrograms, read_testlist

# Seconds that a launcher has to end its ranks by itself.
GRACE = 10
# No collectives, or processes that libhawser-mpi.so leaves to the MPI library: spawned ones.
MPI4PY_LEFT_OUT = {"test_spawn", "test_dynproc", "test_doc", "test_io", "test_file"}


@dataclass(frozen=True)
class Test:
    name: str
    ranks: int
    command: tuple[str, ...]
    folder: Path
    environment: tuple[tuple[str, str], ...] = ()
    seconds: float = 0  # that it asks for


@dataclass(frozen=True)
class Outcome:
    """What a run complained of, how many cases it ran over all ranks, and whether it came to its end."""
    complaints: frozenset[str]
    cases: int = 1
    ended: bool = True
    served: int = 0  # calls of rank 0 that hawser took


def read_output(kind: str, code: int | None, text: str) -> Outcome:
    if code is None:
        return Outcome(frozenset(["no end in time"]), 0, False)
    if kind != "mpi4py":
        passed = code == 0 and re.search(r"^\s*No Errors\s*$", text, re.M | re.I)
        return Outcome(frozenset([] if passed else [f"exit code {code}, no \"No Errors\""]))
    complaints = set(re.findall(r"(?:ERROR|FAIL): test\w* \([\w.]+\)", text))
    if code != 0 and not complaints:
        complaints.add(f"exit code {code}")
    cases = sum(map(int, re.findall(r"Ran (\d+) tests?", text)))
    return Outcome(frozenset(complaints), cases, cases > 0)


def verdict(bare: Outcome, preloaded: Outcome) -> tuple[str, str]:
    """(what the two say together, why)"""
    if not bare.ended or (bare.complaints and bare.cases <= 1):
        return "fails bare", ", ".join(sorted(bare.complaints))
    new = preloaded.complaints - bare.complaints
    if new:
        return "FAILS PRELOADED", ", ".join(sorted(new))
    if not preloaded.ended or preloaded.cases < bare.cases:
        return "FAILS PRELOADED", f"{preloaded.cases} cases instead of {bare.cases}"
    known = f"; {len(bare.complaints)} complaints as bare" if bare.complaints else ""
    return "passes", f"{bare.cases} cases, {preloaded.served} calls served{known}"


def descendants(process: int) -> list[int]:
    """Of a process that this one started, so that no other's ranks are ended with its own."""
    below = []
    for child in subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], text=True, capture_output=True).stdout.split():
        below += [int(child), *descendants(int(child))]
    return below


def end(process: subprocess.Popen) -> str:
    ranks = descendants(process.pid)
    process.terminate()
    try:
        return process.communicate(timeout=GRACE)[0]
    except subprocess.TimeoutExpired:
        for each in [process.pid, *ranks]:
            try:
                os.kill(each, 9)
            except ProcessLookupError:
                pass
        return process.communicate()[0]


def served_calls(report: Path) -> int:
    """Of rank 0; none where the program wrote no report, being ended early."""
    if not report.exists():
        return 0
    return sum(line["by_hawser"] for line in json.loads(report.read_text())["collectives"])


def run(test: Test, options: argparse.Namespace, preloaded: bool) -> Outcome:
    report = options.work / f"{re.sub(r'[/ ]', '.', test.name)}.{test.ranks}.json"
    report.unlink(missing_ok=True)
    variables = {"LD_PRELOAD": str(options.preload), "HAWSER_MPI": "force", "HAWSER_MPI_REPORT": str(report)} if preloaded else {}
    variables |= dict(test.environment)
    command = [f"mpirun.{options.library}", *(["--oversubscribe"] if options.library == "openmpi" else []), "-n", str(test.ranks),
               "env", *(f"{key}={value}" for key, value in variables.items()), *test.command]
    process = subprocess.Popen(command, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL, cwd=test.folder)
    try:
        text, _ = process.communicate(timeout=max(options.time_out, test.seconds))
        code = process.returncode
    except subprocess.TimeoutExpired:
        text, code = end(process), None
    (options.work / f"{report.stem}.{'preloaded' if preloaded else 'bare'}.txt").write_text(text)
    seen = read_output(options.kind, code, text)
    return Outcome(seen.complaints, seen.cases, seen.ended, served_calls(report))


def find_tests(options: argparse.Namespace):
    """Tests, and lines for the log of those that cannot be made."""
    if options.kind == "mpi4py":
        for file in sorted(options.source.glob("test_*.py")):
            if file.stem not in MPI4PY_LEFT_OUT and (not options.only or file.stem in options.only):
                for ranks in options.ranks:
                    yield Test(file.stem, ranks, (options.python, file.name, "-q"), options.source)
        return
    programs = (CPrograms if options.kind == "c" else FortranPrograms)(options.source, options.library, options.work)
    for folder in options.folder or programs.folders:
        for entry in read_testlist(options.source / folder):
            if options.only and entry.program not in options.only:
                continue
            name, ranks = " ".join([f"{folder}/{entry.program}", *entry.arguments]), min(entry.ranks, options.most_ranks)
            program, why = programs.make(folder, entry.program)
            yield f"{name} {ranks}: not compiled ({why})" if why else Test(
                name, ranks, (str(program), *entry.arguments), program.parent, tuple(entry.environment.items()), entry.seconds)


def judge(test, options: argparse.Namespace) -> str:
    if isinstance(test, str):
        return test
    bare = run(test, options, False)
    preloaded = run(test, options, True) if bare.ended else bare
    said, why = verdict(bare, preloaded)
    return f"{test.name} {test.ranks}: {said} ({why})"


def read_options() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("kind", choices=["c", "fortran", "mpi4py"])
    asked.add_argument("source", type=Path)
    asked.add_argument("--library", choices=["openmpi", "mpich"], required=True)
    asked.add_argument("--preload", type=Path, required=True)
    asked.add_argument("--folder", action="append")
    asked.add_argument("--only", action="append")
    asked.add_argument("--ranks", type=lambda text: [int(each) for each in text.split(",")], default=[1, 3])
    asked.add_argument("--most-ranks", type=int, default=1000)
    asked.add_argument("--jobs", type=int, default=1)
    asked.add_argument("--time-out", type=float, default=60)
    asked.add_argument("--work", type=Path, default=Path("mpi-suites"))
    asked.add_argument("--log", type=Path)
    asked.add_argument("--python", default="/usr/bin/python3")
    options = asked.parse_args()
    if not options.preload.is_file():
        sys.exit(f"suites: there is no {options.preload}; build hawser_mpi_profile_{options.library}")
    options.source, options.preload = options.source.resolve(), options.preload.resolve()
    options.work = options.work.resolve() / options.library
    options.work.mkdir(parents=True, exist_ok=True)
    options.log = options.log or options.work / f"{options.kind}.log"
    return options


def main() -> int:
    options = read_options()
    lines = options.log.read_text().splitlines() if options.log.exists() else []
    known = {line.split(":")[0] for line in lines}
    tests = []
    for test in find_tests(options):
        name = test.split(":")[0] if isinstance(test, str) else f"{test.name} {test.ranks}"
        if name not in known:
            tests.append(test)
            known.add(name)  # --most-ranks makes some equal
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool, options.log.open("a") as log:
        for line in pool.map(lambda test: judge(test, options), tests):
            lines.append(line)
            print(line, flush=True)
            print(line, file=log, flush=True)
    counts = {what: sum(f": {what}" in line for line in lines) for what in ("passes", "FAILS PRELOADED", "fails bare", "not compiled")}
    served = sum(map(int, re.findall(r", (\d+) calls served", "\n".join(lines))))
    print(", ".join(f"{count} {what}" for what, count in counts.items()) + f"; {served} calls served by hawser")
    if not served:  # nothing has been shown
        print(f"suites: hawser served no call ({options.preload} is not for {options.library}, nothing passes bare, or no "
              "test has collectives); see the outputs in " + str(options.work))
        return 1
    return 1 if counts["FAILS PRELOADED"] else 0


if __name__ == "__main__":
    sys.exit(main())
