"""suites.py without an MPI library: verdicts, and suites of shell scripts behind a compiler and a launcher."""
import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from mpich_programs import parse_testlist
from suites import Outcome, read_output, verdict

RUNNER = Path(__file__).with_name("suites.py")


def outcome(*complaints: str, cases: int = 9, ended: bool = True) -> Outcome:
    return Outcome(frozenset(complaints), cases, ended)


class Verdicts(unittest.TestCase):
    def said(self, bare: Outcome, preloaded: Outcome) -> str:
        return verdict(bare, preloaded)[0]

    def test_only_what_is_new_counts(self):
        self.assertEqual(self.said(outcome(), outcome()), "passes")
        self.assertEqual(self.said(outcome("FAIL: a"), outcome("FAIL: a")), "passes")
        self.assertEqual(self.said(outcome("FAIL: a"), outcome()), "passes")
        self.assertEqual(self.said(outcome("FAIL: a"), outcome("FAIL: a", "ERROR: b")), "FAILS PRELOADED")
        self.assertEqual(self.said(outcome(), outcome("FAIL: a")), "FAILS PRELOADED")

    def test_a_run_cut_short_fails(self):
        self.assertEqual(self.said(outcome(), outcome(cases=8)), "FAILS PRELOADED")
        self.assertEqual(self.said(outcome("FAIL: a"), outcome(cases=0, ended=False)), "FAILS PRELOADED")

    def test_what_fails_bare_says_nothing(self):
        self.assertEqual(self.said(outcome("no end in time", cases=0, ended=False), outcome()), "fails bare")
        self.assertEqual(self.said(outcome("exit code 1", cases=1), outcome(cases=1)), "fails bare")

    def test_outputs(self):
        self.assertFalse(read_output("fortran", 0, "  No Errors\n").complaints)
        self.assertTrue(read_output("fortran", 1, "  No Errors\n").complaints)
        self.assertTrue(read_output("fortran", 0, " Found 2 errors\n").complaints)
        self.assertFalse(read_output("fortran", None, " No Errors\n").ended)
        two_ranks = read_output("mpi4py", 1, "FAIL: test_sum (test_op.Self)\n--\nRan 12 tests in 1s\nRan 12 tests in 1s\n\nOK\n")
        self.assertEqual((two_ranks.complaints, two_ranks.cases), (frozenset(["FAIL: test_sum (test_op.Self)"]), 24))
        self.assertEqual(read_output("mpi4py", 139, "Segmentation fault\n").complaints, frozenset(["exit code 139"]))


class Testlists(unittest.TestCase):
    def test_arguments_variables_and_times(self):
        entries = parse_testlist("# opXXX\nallred 4 arg=-count=10 arg=-v\n@largetest@gather_big 8 mem=20.1\n\n"
                                 "ibarrier 2 timeLimit=30 env=A=b=c strict=false\nsub\n")
        self.assertEqual([(each.program, each.ranks, each.arguments) for each in entries],
                         [("allred", 4, ["-count=10", "-v"]), ("ibarrier", 2, [])])
        self.assertEqual((entries[1].seconds, entries[1].environment), (30, {"A": "b=c"}))


class Whole(unittest.TestCase):
    """A "compiler" that copies scripts, a "launcher" that runs them, and a "library" that writes a report of 7 calls."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)
        self.script("bin/mpifort.openmpi", 'while [ $# -gt 0 ]; do case $1 in -o) out=$2; shift;; *util*) ;; *.f) in=$1;; esac; '
                    'shift; done\ngrep -q "does not compile" "$in" && { echo "Error: as asked" >&2; exit 1; }; cp "$in" "$out"')
        self.script("bin/mpicc.openmpi", 'while [ $# -gt 0 ]; do case $1 in -o) out=$2; shift;; */util/*|*.o) ;; *.c) in=$1;; esac; '
                    'shift; done\nif [ "$in" ]; then cp "$in" "$out"; else touch "$out"; fi')
        # The preloaded file does not exist for the loader's purposes: the launcher tells the scripts by a variable.
        self.script("bin/mpirun.openmpi", 'while [ "$1" != env ]; do shift; done; shift\nwhile [[ $1 == *=* ]]; do '
                    'case $1 in LD_PRELOAD=*) export LOADED=1;; HAWSER_MPI_REPORT=*) report=${1#*=};; *) export "$1";; esac; shift; done\n'
                    '[ "$report" ] && [ -s "$LIBRARY" ] && echo \'{"collectives": [{"by_hawser": 7}]}\' > "$report"\nexec "$@"')
        self.script("lib.so", "# not empty: serves")
        for name, text in {"good": 'echo " No Errors"', "bad": "exit 3", "odd": "# does not compile",
                           "afraid": '[ "$LOADED" ] && exit 4; echo " No Errors"',
                           "hangs": '[ "$LOADED" ] && exec sleep 60; echo " No Errors"'}.items():
            self.script(f"suite/f77/coll/{name}.f", text)

    def script(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("#!/bin/bash\n" + text + "\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def run_suite(self, testlist: str, kind: str = "fortran", folder: str = "f77/coll") -> subprocess.CompletedProcess:
        (self.root / "suite" / folder / "testlist").write_text(testlist)
        environment = {**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}", "LIBRARY": str(self.root / "lib.so")}
        return subprocess.run([sys.executable, RUNNER, kind, self.root / "suite", "--library", "openmpi", "--preload",
                               self.root / "lib.so", "--folder", folder, "--work", self.root / "work", "--time-out", "2",
                               "--jobs", "2"], env=environment, text=True, capture_output=True)

    def test_what_passes_bare_must_pass_preloaded(self):
        done = self.run_suite("good 4\nbad 2\n# none 2\nodd 2\nafraid 3\nhangs 2\n")
        self.assertEqual(done.returncode, 1, done.stderr)
        for line in ("f77/coll/good 4: passes (1 cases, 7 calls served)", "f77/coll/bad 2: fails bare (exit code 3",
                     "f77/coll/odd 2: not compiled (Error: as asked)", "f77/coll/afraid 3: FAILS PRELOADED (exit code 4",
                     "f77/coll/hangs 2: FAILS PRELOADED (no end in time)",
                     "1 passes, 2 FAILS PRELOADED, 1 fails bare, 1 not compiled; 7 calls served by hawser"):
            self.assertIn(line, done.stdout)

    def test_programs_in_c_with_arguments_and_through_non_blocking_calls(self):
        self.script("suite/coll/alltoall.c", '[ "$1" = -v ] || [ $# = 0 ] && [ "$A" = "${1:+b}" ] && echo " No Errors"')
        done = self.run_suite("alltoall 4 arg=-v env=A=b\nnballtoall 2\nnone 2\n", "c", "coll")
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        for line in ("coll/alltoall -v 4: passes", "coll/nballtoall 2: passes", "coll/none 2: not compiled"):
            self.assertIn(line, done.stdout)

    def test_a_second_run_goes_on_where_the_first_stopped(self):
        self.assertEqual(self.run_suite("good 4\n").returncode, 0)
        again = self.run_suite("good 4\ngood 2\n")
        self.assertEqual(again.stdout.splitlines()[0], "f77/coll/good 2: passes (1 cases, 7 calls served)")
        self.assertIn("2 passes, 0 FAILS PRELOADED", again.stdout)

    def test_a_library_that_serves_nothing_shows_nothing(self):
        (self.root / "lib.so").write_text("")
        done = self.run_suite("good 4\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("hawser served no call", done.stdout)


if __name__ == "__main__":
    unittest.main()
