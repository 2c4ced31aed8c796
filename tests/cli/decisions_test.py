"""Maps of decisions, decision files that are pinned, refused or ignored, and what explain says of them."""
import json
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path

from program import hawser

MACHINE = ("--topology", "rack:4@10GB/s,5us gpu:8@100GB/s,1us")
OTHER = ("--topology", "rack:2 gpu:2")


def plan(*arguments: str, **environment: str) -> dict:
    done = hawser("plan", *arguments, "--format", "json", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Decisions(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def map_of(self, *arguments: str) -> tuple[str, dict]:
        done = hawser("plan", "--map", *arguments, "--format", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        path = self.folder / f"{len(list(self.folder.iterdir()))}.json"
        path.write_text(done.stdout)
        return str(path), json.loads(done.stdout)

    def pinned(self, algorithm: str, **changes) -> str:
        path, table = self.map_of(*MACHINE, "all_reduce", "--min", "1MiB", "--max", "1MiB")
        table["decisions"][0]["algorithm"] = algorithm
        table.update(changes)
        Path(path).write_text(json.dumps(table))
        return path

    def test_map_says_what_plan_chooses(self):
        _, table = self.map_of(*MACHINE, "all_reduce", "all_to_all", "--min", "1KiB", "--max", "16MiB")
        self.assertEqual(table["schema"], "hawser.decisions/1")
        self.assertEqual({each["collective"] for each in table["decisions"]}, {"all_reduce", "all_to_all"})
        self.assertEqual(len(table["decisions"]), 2 * 15)
        for each in table["decisions"][::7]:
            made = plan(each["collective"], *MACHINE, "--bytes", str(each["least_bytes"]))
            self.assertEqual((made["algorithm"], made["segments"]), (each["algorithm"], each["segments"]))
            self.assertEqual(made["fingerprint"], table["fingerprint"])

    def test_map_of_all_collectives_as_text_and_svg(self):
        text = hawser("plan", "--map", *MACHINE).stdout
        for collective in ("all_reduce", "barrier", "scatter", "all_to_all_v"):
            self.assertIn("\n" + collective, text)
        self.assertIn("% of the bound", text)
        drawing = hawser("plan", "--map", *MACHINE, "--format", "svg").stdout
        root = xml.etree.ElementTree.fromstring(drawing)
        self.assertTrue(root.tag.endswith("svg"))
        _, table = self.map_of(*MACHINE)
        cells = [each for each in root.iter() if each.tag.endswith("title")]
        self.assertEqual(len(cells), len(table["decisions"]))
        for algorithm in {each["algorithm"] for each in table["decisions"]}:
            self.assertIn(algorithm, drawing)

    def test_a_pinned_decision_is_taken_and_told(self):
        path = self.pinned("ring")
        made = plan("all_reduce", *MACHINE, "--bytes", "1MiB", "--decisions", path)
        self.assertEqual(made["algorithm"], "ring")
        self.assertEqual(made["chosen_by"], f'decision file "{path}"')
        made = plan("all_reduce", *MACHINE, "--bytes", "1MiB", HAWSER_DECISIONS=path)
        self.assertEqual(made["algorithm"], "ring")
        made = plan("all_reduce", *MACHINE, "--bytes", "1MiB", "--decisions", path, "--algorithm", "one_shot")
        self.assertEqual(made["algorithm"], "one_shot")
        self.assertIn("comes before", made["notes"][0])
        explained = hawser("plan", "all_reduce", *MACHINE, "--bytes", "2MiB", "--decisions", path, "--explain").stdout
        self.assertIn("does not cover", explained)

    def test_one_for_another_machine(self):
        path = self.pinned("ring")
        refused = hawser("plan", "all_reduce", *OTHER, "--bytes", "1MiB", "--decisions", path)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("for another machine", refused.stderr)
        ignored = hawser("plan", "all_reduce", *OTHER, "--bytes", "1MiB", HAWSER_DECISIONS=path)
        self.assertEqual(ignored.returncode, 0)
        self.assertIn("is ignored", ignored.stderr)
        self.assertIn("by cost model", ignored.stdout)
        self.assertIn("override    decision file", ignored.stdout)

    def test_corrupt_files_are_refused(self):
        good = Path(self.pinned("ring")).read_text()
        for name, text, said in (("cut", good[: len(good) // 2], "parse error"), ("empty", "", "parse error"),
                                 ("kind", good.replace("decisions/1", "plan/1"), "schema"),
                                 ("magic", good.replace('"ring"', '"magic"'), "magic"),
                                 ("size", good.replace("1048576", "-1"), "least_bytes")):
            with self.subTest(name):
                path = self.folder / name
                path.write_text(text)
                for given in ({}, {"HAWSER_DECISIONS": str(path)}):
                    option = () if given else ("--decisions", str(path))
                    done = hawser("plan", "all_reduce", *MACHINE, "--bytes", "1MiB", *option, **given)
                    self.assertEqual(done.returncode, 2, done.stdout)
                    self.assertIn(str(path), done.stderr)
                    self.assertIn(said, done.stderr)
        self.assertEqual(hawser("plan", "all_reduce", *MACHINE, "--decisions", "/does/not/exist").returncode, 2)

    def test_diff_of_decision_files(self):
        first, second = self.pinned("ring"), self.pinned("one_shot")
        self.assertEqual(hawser("diff", first, first).returncode, 0)
        changed = hawser("diff", first, second, "--format", "json")
        self.assertEqual(changed.returncode, 1)
        paths = [each["path"] for each in json.loads(changed.stdout)["changes"]]
        self.assertEqual(paths, ["/decisions/all_reduce 1048576/algorithm"])
        one_plan = self.folder / "plan.json"
        one_plan.write_text(hawser("plan", "all_reduce", *MACHINE, "--format", "json").stdout)
        mixed = hawser("diff", first, str(one_plan))
        self.assertEqual(mixed.returncode, 2)
        self.assertIn("decision file", mixed.stderr)

    def test_a_job_uses_it(self):
        done = hawser("plan", "--map", "all_reduce", "--topology", "rack:1@8GB/s,0.5us gpu:2@8GB/s,0.5us", "--min", "1KiB",
                      "--max", "1KiB", "--format", "json")
        table = json.loads(done.stdout)
        table["decisions"][0]["algorithm"] = "recursive_doubling"
        path = self.folder / "job.json"
        path.write_text(json.dumps(table))
        done = hawser("run", "all_reduce", "--racks", "1", "--ranks-per-rack", "2", "--bytes", "1KiB", "--iters", "2",
                      "--decisions", str(path), "--format", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["plan"]["chosen_by"], f'decision file "{path}"')

    def test_explain_says_what_would_change_the_choice(self):
        made = plan("all_reduce", *MACHINE, "--bytes", "64KiB", "--explain")
        self.assertIn("rack bandwidth", {each["name"] for each in made["parameters"]})
        self.assertEqual({each["source"] for each in made["parameters"]}, {"file", "assumed", "built in"})
        larger = made["turning_points"]["larger"]
        there = plan("all_reduce", *MACHINE, "--bytes", str(larger["bytes"]))
        before = plan("all_reduce", *MACHINE, "--bytes", str(larger["bytes"] - 4))
        self.assertEqual((there["algorithm"], before["algorithm"]), (larger["algorithm"], made["algorithm"]))


if __name__ == "__main__":
    unittest.main()
