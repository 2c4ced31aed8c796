"""What every verb writes as JSON fits its published schema (docs/schema/), checked by python3-jsonschema."""
import json
import tempfile
import unittest
from pathlib import Path

from jsonschema import Draft202012Validator, RefResolver

from hang_test import leave_dumps
from program import SOURCE, hawser

SCHEMAS = {path.name: json.loads(path.read_text()) for path in (SOURCE / "docs/schema").glob("*.json")}
BY_ID = {schema["$id"]: schema for schema in SCHEMAS.values() if "$id" in schema}
TOPOLOGY = ("--topology", "pod:2 rack:[2,1] gpu:[2,2,1]")


class Schemas(unittest.TestCase):
    def check(self, name: str, *arguments: str, codes=(0,)) -> str:
        done = hawser(*arguments)
        self.assertIn(done.returncode, codes, done.stderr)
        schema = SCHEMAS[name]
        Draft202012Validator.check_schema(schema)
        validator = Draft202012Validator(schema, resolver=RefResolver.from_schema(schema, store=BY_ID))
        problems = [f"{each.json_path}: {each.message}" for each in validator.iter_errors(json.loads(done.stdout))]
        self.assertEqual(problems, [])
        return done.stdout

    def test_plan_and_diff(self):
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for number, size in enumerate(("1KiB", "16MiB")):
                files.append(Path(folder) / f"{number}.json")
                files[-1].write_text(self.check("plan-1.json", "plan", "all_reduce", *TOPOLOGY, "--bytes", size, "--rank",
                                                "1", "--steps", "--stats", "--format", "json"))
            self.check("diff-1.json", "diff", *map(str, files), "--format", "json", codes=(1,))

    def test_decisions_and_explained_plans(self):
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for number, most in enumerate(("1MiB", "2MiB")):
                files.append(Path(folder) / f"{number}.json")
                files[-1].write_text(self.check("decisions-1.json", "plan", "--map", *TOPOLOGY, "--max", most,
                                                "--format", "json"))
            self.check("diff-1.json", "diff", *map(str, files), "--format", "json", codes=(1,))
        self.check("plan-1.json", "plan", "all_reduce", *TOPOLOGY, "--bytes", "1MiB", "--explain", "--format", "json")

    def test_verify(self):
        self.check("verify-1.json", "verify", "all_gather", *TOPOLOGY, "--format", "json")
        self.check("verify-1.json", "verify", "all_reduce", "--algorithm", "recursive_doubling", "--topology",
                   "gpu:1024", "--format", "json")

    def test_run_and_bench(self):
        self.check("run-1.json", "run", "all_reduce", "--racks", "2", "--ranks-per-rack", "1", "--bytes", "1KiB",
                   "--format", "json")
        self.check("bench-1.json", "bench", "reduce", "--local", "2", "--min", "1KiB", "--max", "4KiB", "--iters", "3",
                   "--check", "--format", "json")
        self.check("bench-1.json", "bench", "reduce", "--local", "2", "--min", "1KiB", "--max", "1KiB", "--in-turn",
                   "1us", "--algorithm", "all", "--samples", "--format", "json")

    def test_dumps_and_hangs(self):
        with tempfile.TemporaryDirectory() as folder:
            leave_dumps(Path(folder), killed=1)
            files = sorted(Path(folder).glob("*.dump.json"))
            self.assertEqual(len(files), 3)
            for file in files:
                problems = list(Draft202012Validator(SCHEMAS["dump-1.json"]).iter_errors(json.loads(file.read_text())))
                self.assertEqual(problems, [])
            self.check("hang-1.json", "doctor", "hang", folder, "--format", "json", codes=(1,))

    def test_tune(self):
        with tempfile.TemporaryDirectory() as folder:
            self.check("tune-1.json", "tune", "--local", "2", "--time", "100ms", "--infer", "--output",
                       str(Path(folder) / "t.json"), "--format", "json")

    def test_topologies(self):
        self.check("place-1.json", "place", *TOPOLOGY, "--order", "cyclic", "--format", "json", codes=(0, 1))
        self.check("hierarchy-1.json", "topo", TOPOLOGY[1], "--hierarchy", "--format", "json")
        self.check("summary-1.json", "topo", "auto", "--summary", "--format", "json", codes=(0, 1))
        self.check("topology-1.json", "topo", "auto", "--format", "json", codes=(0, 1))
        self.check("doctor-1.json", "doctor", "--format", "json", codes=(0, 1))


if __name__ == "__main__":
    unittest.main()
