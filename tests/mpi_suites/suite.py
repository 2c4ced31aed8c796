#!/usr/bin/env python3
"""Runs MPICH's own tests (a folder test/mpi of its sources) bare and under libhawser-mpi.so in forced mode.

usage: suite.py --suite MPICH/test/mpi --library mpich|openmpi --preload LIB [--folder coll]... [--only NAME]...
                [--most-ranks 10] [--seconds 60] [--work DIR] [--log FILE]

Compiles the programs that the folders' testlist.in names, and those helpers that they link, with the library's compiler
wrapper; runs each with its ranks and arguments. A test that does not pass bare says nothing and is only counted. The log
has a line per run; tests that are in it are left out, so that a run can be resumed. Exit code 1 where a test passes bare
and not preloaded. See docs/mpi.md.
"""
import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PASSED = re.compile(r"^\s*No Errors\s*$", re.M | re.I)
# What the suite's configure would find on Linux.
CONFIGURED = """
#define HAVE_STDARG_H 1
#define HAVE_STRING_H 1
#define HAVE_UNISTD_H 1
#define HAVE_STDLIB_H 1
#define HAVE_STDINT_H 1
#define HAVE_INTTYPES_H 1
#define HAVE_SYS_TIME_H 1
#define HAVE_SYS_RESOURCE_H 1
#define HAVE_GETRUSAGE 1
#define HAVE_MPI_WIN_CREATE 1
#define HAVE_MPI_INIT_THREAD 1
#define HAVE_LONG_DOUBLE 1
#define HAVE_LONG_LONG 1
#define HAVE_FLOAT__COMPLEX 1
#define HAVE_DOUBLE__COMPLEX 1
#define HAVE_LONG_DOUBLE__COMPLEX 1
#define HAVE__BOOL 1
#define HAVE_INT8_T 1
#define HAVE_INT16_T 1
#define HAVE_INT32_T 1
#define HAVE_INT64_T 1
#define HAVE_UINT8_T 1
#define HAVE_UINT16_T 1
#define HAVE_UINT32_T 1
#define HAVE_UINT64_T 1
#define HAVE_MPI_TYPE_CREATE_F90_REAL 1
#define HAVE_COLL_ATTR 1
#define THREAD_PACKAGE_NAME THREAD_PACKAGE_POSIX
"""
LAUNCHERS = {
    "mpich": lambda ranks, env: ["mpirun.mpich", "-n", str(ranks), *(f for k, v in env.items() for f in ("-genv", k, v))],
    "openmpi": lambda ranks, env: ["mpirun.openmpi", "--oversubscribe", "-n", str(ranks),
                                   *(f for k, v in env.items() for f in ("-x", f"{k}={v}"))],
}


@dataclass
class Test:
    folder: str
    program: str
    ranks: int
    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    seconds: float = 0  # of its own; 0: the default

    @property
    def name(self) -> str:
        return " ".join([f"{self.folder}/{self.program}", str(self.ranks), *self.arguments])


def parse_testlist(folder: str, text: str) -> list[Test]:
    """The tests of a testlist; those that configure switches on (@...@) and folders to descend to are left out."""
    tests = []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if len(words) < 2 or not words[1].isdigit():
            continue
        test = Test(folder, words[0], int(words[1]))
        for word in words[2:]:
            key, _, value = word.partition("=")
            if key == "arg":
                test.arguments.append(value)
            elif key == "env":
                name, _, setting = value.partition("=")
                test.environment[name] = setting
            elif key == "timeLimit":
                test.seconds = float(value)
        if not test.program.startswith("@"):
            tests.append(test)
    return tests


def verdict(bare: str, preloaded: str) -> str:
    """What the two outcomes ("passed" or a reason) say together."""
    if bare != "passed":
        return "fails bare"
    return "passes" if preloaded == "passed" else "FAILS PRELOADED"


def outcome_of(code: int | None, text: str) -> str:
    if code is None:
        return "no end in time"
    if code != 0:
        return f"exit code {code}"
    return "passed" if PASSED.search(text) else "errors"


class Suite:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.compiler = f"mpicc.{options.library}"
        self.work = options.work / options.library
        self.include = self.work / "include"
        self.include.mkdir(parents=True, exist_ok=True)
        for name in ("mpitestconf.h", "dtpoolsconf.h", "mpithreadtest_conf.h", "mtest_mpix.h"):
            (self.include / name).write_text(CONFIGURED)
        self.helpers = self.compile_helpers()

    def compile(self, sources: list[Path], target: Path, *flags: str) -> str:
        """Empty, or why it cannot be compiled."""
        if target.exists():
            return ""
        target.parent.mkdir(parents=True, exist_ok=True)
        suite = self.options.suite
        folders = [f"-I{folder}" for folder in (self.include, suite / "include", suite / "dtpools/include", suite / "util")]
        done = subprocess.run([self.compiler, "-O1", "-w", "-DHAVE_CONFIG_H", *folders, *map(str, sources), "-o", str(target),
                               *flags], text=True, capture_output=True)
        lines = [line for line in done.stderr.splitlines() if "error" in line or "undefined" in line]
        return "" if done.returncode == 0 else (lines or ["?"])[0]

    def compile_helpers(self) -> list[Path]:
        objects = []
        for source in ("mtest_common", "dtypes", "mtest", "mtest_single"):
            target = self.work / f"util/{source}.o"
            why = self.compile([self.options.suite / f"util/{source}.c"], target, "-c")
            if why:
                sys.exit(f"suite: cannot compile util/{source}.c with {self.compiler} ({why})")
            objects.append(target)
        return objects

    def program_of(self, test: Test) -> tuple[Path, str]:
        target = self.work / test.folder / test.program
        source = self.options.suite / test.folder / f"{test.program}.c"
        flags = ["-lm", "-lpthread"]
        if not source.exists() and test.program.startswith("nb"):  # a blocking test through the non-blocking calls
            source = self.options.suite / test.folder / f"{test.program.removeprefix('nb')}.c"
            flags.append("-DUSE_MTEST_NBC")
        if not source.exists():
            return target, "no such source"
        return target, self.compile([source, *self.helpers], target, *flags)

    def run(self, test: Test, program: Path, preload: str) -> tuple[str, str]:
        """(the outcome, the output)"""
        environment = dict(test.environment)
        if preload:
            environment |= {"LD_PRELOAD": preload, "HAWSER_MPI": "force"}
        command = [*LAUNCHERS[self.options.library](test.ranks, environment), str(program), *test.arguments]
        process = subprocess.Popen(command, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   cwd=program.parent, start_new_session=True)
        try:
            text, _ = process.communicate(timeout=max(test.seconds, self.options.seconds))
            return outcome_of(process.returncode, text), text
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            subprocess.run(["pkill", "-9", "-f", str(program)])
            text, _ = process.communicate()
            return outcome_of(None, text), text

    def judge(self, test: Test) -> tuple[str, str]:
        """(the line for the log, the output of a run that failed only preloaded)"""
        program, why = self.program_of(test)
        if why:
            return f"{test.name}: not compiled ({why[-120:]})", ""
        bare, _ = self.run(test, program, "")
        if bare != "passed":
            return f"{test.name}: fails bare ({bare})", ""
        preloaded, text = self.run(test, program, str(self.options.preload.resolve()))
        said = verdict(bare, preloaded)
        return f"{test.name}: {said}" + (f" ({preloaded})" if preloaded != "passed" else ""), \
            text if preloaded != "passed" else ""


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--suite", type=Path, required=True)
    asked.add_argument("--library", choices=LAUNCHERS, required=True)
    asked.add_argument("--preload", type=Path, required=True)
    asked.add_argument("--folder", action="append")
    asked.add_argument("--only", action="append", default=[])
    asked.add_argument("--most-ranks", type=int, default=10)
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--work", type=Path, default=Path("mpi-suites"))
    asked.add_argument("--log", type=Path)
    options = asked.parse_args()
    options.suite, options.work = options.suite.resolve(), options.work.resolve()
    if not options.preload.is_file():
        sys.exit(f"suite: there is no {options.preload}; build the target hawser_mpi_{options.library}")
    suite, log = Suite(options), options.log or options.work / f"{options.library}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    lines = log.read_text().splitlines() if log.exists() else []
    known = {line.split(":")[0] for line in lines}
    for folder in options.folder or ["coll"]:
        for test in parse_testlist(folder, (options.suite / folder / "testlist.in").read_text()
                                   if (options.suite / folder / "testlist.in").exists()
                                   else (options.suite / folder / "testlist").read_text()):
            test.ranks = min(test.ranks, options.most_ranks)
            if test.name in known or (options.only and test.program not in options.only):
                continue
            known.add(test.name)
            line, text = suite.judge(test)
            lines.append(line)
            with log.open("a") as file:
                file.write(line + "\n")
            print(line, *([text[-3000:]] if text else []), sep="\n", flush=True)
    counts = {what: sum(f": {what}" in line for line in lines) for what in
              ("passes", "FAILS PRELOADED", "fails bare", "not compiled")}
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["FAILS PRELOADED"] else 0


if __name__ == "__main__":
    sys.exit(main())
