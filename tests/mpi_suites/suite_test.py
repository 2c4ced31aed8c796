"""suite.py without an MPI library: testlists, verdicts, and a suite of shell scripts behind a compiler and a launcher."""
import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import suite

SUITE = Path(__file__).with_name("suite.py")


class Parts(unittest.TestCase):
    def test_testlists(self):
        tests = suite.parse_testlist("coll", "# opXXX\nallred 4 arg=-count=10 arg=-v\n@largetest@gather_big 8 mem=20.1\n\n"
                                             "ibarrier 2 timeLimit=30 env=A=b=c strict=false\nsub\n")
        self.assertEqual([each.name for each in tests], ["coll/allred 4 -count=10 -v", "coll/ibarrier 2"])
        self.assertEqual(tests[1].seconds, 30)
        self.assertEqual(tests[1].environment, {"A": "b=c"})

    def test_outcomes_and_verdicts(self):
        self.assertEqual(suite.outcome_of(0, " No Errors\n"), "passed")
        self.assertEqual(suite.outcome_of(0, "Found 3 errors\n"), "errors")
        self.assertEqual(suite.outcome_of(1, "No Errors\n"), "exit code 1")
        self.assertEqual(suite.outcome_of(None, ""), "no end in time")
        self.assertEqual(suite.verdict("errors", "passed"), "fails bare")
        self.assertEqual(suite.verdict("passed", "passed"), "passes")
        self.assertEqual(suite.verdict("passed", "errors"), "FAILS PRELOADED")


class Whole(unittest.TestCase):
    """A "compiler" that copies scripts, a "launcher" that runs them with what -x sets, and a library that some fear."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.script("bin/mpicc.openmpi", 'while [ $# -gt 0 ]; do case $1 in -o) out=$2; shift;; */util/*|*.o) ;; *.c) in=$1;; esac; '
                    'shift; done\ngrep -qs "does not compile" "$in" && { echo "error: as asked" >&2; exit 1; }\n'
                    'if [ "$in" ]; then cp "$in" "$out" && chmod +x "$out"; else touch "$out"; fi')
        self.script("bin/mpirun.openmpi", 'while [ $# -gt 0 ]; do case $1 in -n) shift;; -x) case $2 in LD_PRELOAD=*) export '
                    'PRELOADED=1;; esac; shift;; --*) ;; *) exec "$@";; esac; shift; done')
        for name in ("mtest_common", "dtypes", "mtest", "mtest_single"):
            self.script(f"suite/util/{name}.c", "")
        self.script("suite/coll/good.c", "echo ' No Errors'")
        self.script("suite/coll/afraid.c", '[ "$PRELOADED" ] && { echo " Found 1 errors"; exit 0; }; echo " No Errors"')
        self.script("suite/coll/hangs.c", '[ "$PRELOADED" ] && sleep 60; echo " No Errors"')
        self.script("suite/coll/bad.c", "exit 3")
        self.script("suite/coll/odd.c", "# does not compile")
        self.script("libhawser-mpi.so", "")

    def tearDown(self):
        self.folder.cleanup()

    def script(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("#!/bin/bash\n" + text + "\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def run_suite(self, testlist: str) -> subprocess.CompletedProcess:
        (self.root / "suite/coll/testlist.in").write_text(testlist)
        return subprocess.run([sys.executable, SUITE, "--suite", self.root / "suite", "--library", "openmpi", "--preload",
                               self.root / "libhawser-mpi.so", "--work", self.root / "work", "--seconds", "1"],
                              env={**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}"}, text=True, capture_output=True)

    def test_what_passes_bare_must_pass_preloaded(self):
        done = self.run_suite("good 4\nbad 2\nodd 2\nafraid 3\nhangs 2\n")
        self.assertEqual(done.returncode, 1, done.stderr)
        for line in ("coll/good 4: passes", "coll/bad 2: fails bare (exit code 3)", "coll/odd 2: not compiled (error: as asked)",
                     "coll/afraid 3: FAILS PRELOADED (errors)", "coll/hangs 2: FAILS PRELOADED (no end in time)",
                     "1 passes, 2 FAILS PRELOADED, 1 fails bare, 1 not compiled"):
            self.assertIn(line, done.stdout)

    def test_a_second_run_goes_on_where_the_first_stopped(self):
        self.assertEqual(self.run_suite("good 4\n").returncode, 0)
        again = self.run_suite("good 4\ngood 2\n")
        self.assertEqual(again.stdout.splitlines(), ["coll/good 2: passes",
                                                     "2 passes, 0 FAILS PRELOADED, 0 fails bare, 0 not compiled"])


if __name__ == "__main__":
    unittest.main()
