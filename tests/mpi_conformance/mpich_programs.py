"""MPICH's tests (a folder test/mpi of its sources): what their testlists ask for, and their programs compiled without its configure."""
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

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


@dataclass
class Entry:
    """A line of a testlist."""
    program: str
    ranks: int
    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    seconds: float = 0  # of its own; 0: it says none


def parse_testlist(text: str) -> list[Entry]:
    """Without what configure switches on (@...@) and folders to descend to."""
    entries = []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if len(words) < 2 or not words[1].isdigit() or words[0].startswith("@"):
            continue
        entry = Entry(words[0], int(words[1]))
        for word in words[2:]:
            key, _, value = word.partition("=")
            if key == "arg":
                entry.arguments.append(value)
            elif key == "env":
                name, _, setting = value.partition("=")
                entry.environment[name] = setting
            elif key == "timeLimit":
                entry.seconds = float(value)
        entries.append(entry)
    return entries


def read_testlist(folder: Path) -> list[Entry]:
    file = next((folder / name for name in ("testlist", "testlist.in") if (folder / name).exists()), None)
    if file is None:
        raise SystemExit(f"suites: there is no testlist in {folder}; give --folder with one that has")
    return parse_testlist(file.read_text())


def compile_program(command: list[str], target: Path) -> str:
    """Empty, or why it cannot be compiled."""
    target.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([*command, "-o", str(target)], text=True, capture_output=True)
    lines = [line for line in done.stderr.splitlines() if "rror" in line or "undefined" in line]
    return "" if done.returncode == 0 else (lines or ["?"])[0][-160:]


class FortranPrograms:
    folders = ["f77/coll", "f77/comm", "f77/pt2pt", "f08/coll"]

    def __init__(self, suite: Path, library: str, work: Path):
        self.suite, self.compiler, self.work = suite, f"mpifort.{library}", work

    def make(self, folder: str, program: str) -> tuple[Path, str]:
        """(the program, why it cannot be compiled)"""
        ending, helper = ("f90", "mtest_f08.f90") if folder.startswith("f08") else ("f", "mtest_f77.f")
        target = self.work / folder / program
        return target, compile_program([self.compiler, "-w", "-O1", "-fallow-argument-mismatch", "-J", str(target.parent),
                                        str(self.suite / "util" / helper), str(self.suite / folder / f"{program}.{ending}")],
                                       target)


class CPrograms:
    folders = ["coll"]

    def __init__(self, suite: Path, library: str, work: Path):
        self.suite, self.work = suite, work
        include = work / "include"
        include.mkdir(parents=True, exist_ok=True)
        for name in ("mpitestconf.h", "dtpoolsconf.h", "mpithreadtest_conf.h", "mtest_mpix.h"):
            (include / name).write_text(CONFIGURED)
        self.compiler = [f"mpicc.{library}", "-O1", "-w", "-include", "stdint.h", "-DHAVE_CONFIG_H",
                         *(f"-I{each}" for each in (include, suite / "include", suite / "dtpools/include", suite / "util"))]
        self.helpers = []
        for source in ("mtest_common", "dtypes", "mtest", "mtest_single"):
            self.helpers.append(str(work / f"util/{source}.o"))
            why = compile_program([*self.compiler, "-c", str(suite / f"util/{source}.c")], Path(self.helpers[-1]))
            if why:
                raise SystemExit(f"suites: cannot compile util/{source}.c ({why}); is {suite} a folder test/mpi of MPICH?")

    def make(self, folder: str, program: str) -> tuple[Path, str]:
        """(the program, why it cannot be compiled)"""
        target, flags = self.work / folder / program, ["-lm", "-lpthread"]
        source = self.suite / folder / f"{program}.c"
        if not source.exists() and program.startswith("nb"):  # a blocking test through the non-blocking calls
            source, flags = source.with_name(f"{program.removeprefix('nb')}.c"), ["-DUSE_MTEST_NBC", *flags]
        return target, compile_program([*self.compiler, str(source), *self.helpers, *flags], target)
