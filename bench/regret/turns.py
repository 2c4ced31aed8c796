#!/usr/bin/env python3
"""One place: an emulated cluster on which hawser measures its links, and then all algorithms in turn.

usage: turns.py JOB.json RECORDS.jsonl      regret.py writes the former and reads the latter, one record per launch
"""
import json
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "racks"), str(HERE.parent / "compare")]
import racks  # noqa: E402
from places import LARGE  # noqa: E402
from session import OnPlace, run_on_place, wait_for  # noqa: E402

LAUNCH_SECONDS = 0.5  # of a job: starting, meeting, ending
LEAST_SECONDS = 0.1   # per size: with less, the choice and three rivals are all there is
PATIENT_SECONDS = 0.5  # where nothing may be left out, however busy the machine
LARGE_WEIGHT = 3      # a large size gets as much time as so many small ones
SLACK = 120           # seconds that a launch may take beyond its share before it is given up


class Turns(OnPlace):
    def __init__(self, *given):
        super().__init__(*given)
        self.end = time.monotonic() + self.job["seconds"]
        self.tuning: list[str] = []

    def run(self) -> None:
        if self.job["is_tuned"]:
            self.tune()
        parts = [tuple(size for size in run if (size >= LARGE) == is_large)
                 for is_large in (False, True) for run in self.job["runs"]]
        work = [(collective, sizes) for sizes in parts if sizes for collective in self.job["collectives"]]
        for number, (collective, sizes) in enumerate(work):
            self.measure(collective, sizes, work[number:])

    def tune(self) -> None:
        """The model's figures are those of this cluster; without them it has only what is built in."""
        file = self.folder / "tuning.json"
        limit = max(0.5, min(5.0, self.job["seconds"] / 10))
        output, problem = self.launch(["tune", "--time", f"{limit:.3g}s", "--output", str(file)], SLACK)
        self.write({"tuning": output} | ({"problem": f"hawser tune: {problem}"} if problem else {}))
        if not problem:
            self.tuning = ["--tuning", str(file)]

    @staticmethod
    def weight(sizes: tuple[int, ...]) -> float:
        return len(sizes) * (LARGE_WEIGHT if sizes[0] >= LARGE else 1)

    def measure(self, collective: str, sizes: tuple[int, ...], remaining: list) -> None:
        """What is left of the time is shared by what is left to do: whatever overruns costs the others."""
        left = self.end - time.monotonic() - LAUNCH_SECONDS * len(remaining)
        share = left * self.weight(sizes) / sum(self.weight(each) for _, each in remaining)
        each = share / len(sizes)
        if self.job["is_patient"]:
            each = max(each, PATIENT_SECONDS)
        elif each < LEAST_SECONDS:
            self.write({"collective": collective, "sizes": sizes, "problem": "no time was left for it (--time)"})
            return
        factor = sizes[1] // sizes[0] if len(sizes) > 1 else 2
        command = ["bench", collective, "--min", str(sizes[0]), "--max", str(sizes[-1]), "--factor", str(factor),
                   "--algorithm", "all", "--in-turn", f"{each:.3f}s", "--rewrite", "--samples", "--format", "json",
                   *self.tuning]
        command += ["--check"] if sizes[0] < LARGE else []
        command += ["--refine", self.job["refine"]] if self.job["refine"] else []
        output, problem = self.launch(command, each * len(sizes) + SLACK)
        found = {} if problem else self.read(output)
        self.write({"collective": collective, "sizes": sizes, "seconds_per_size": each} | found |
                   ({"problem": problem} if problem else {}))
        print(f"regret: {self.place.name}, {collective}, {sizes[0]} to {sizes[-1]} bytes: "
              f"{problem or 'done'}", file=sys.stderr, flush=True)

    @staticmethod
    def read(text: str) -> dict:
        try:
            found = json.loads(text)
            return {name: found[name] for name in ("version", "hierarchy", "fingerprint", "rows", "left_out")}
        except (ValueError, KeyError) as problem:
            return {"problem": f"cannot read the output ({problem}): {text[:200]}"}

    def launch(self, arguments: list[str], timeout: float) -> tuple[str, str]:
        """(what rank 0 printed, what went wrong or "")."""
        output, errors = self.folder / "output", self.folder / "errors"
        nodes = self.layout.ranks()
        with open(output, "w") as out, open(errors, "w") as err:
            started = [self.network.start_in(
                node.name, [self.job["hawser"], *arguments], env=racks.environment_of(rank, self.layout, self.folder),
                stdin=subprocess.DEVNULL, stderr=err, stdout=out if rank == 0 else subprocess.DEVNULL,
                start_new_session=True) for rank, node in enumerate(nodes)]
            problem = wait_for(started, timeout)
        if problem:
            problem += ": " + " | ".join(errors.read_text(errors="replace").splitlines()[-3:])
        return output.read_text(), problem


if __name__ == "__main__":
    sys.exit(run_on_place("regret", Turns))
