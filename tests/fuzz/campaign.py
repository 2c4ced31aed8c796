#!/usr/bin/env python3
"""Fuzzes each kind of input for a given processor time, several at once, and goes on where it was stopped.

usage: campaign.py [--build build/fuzz] [--seconds 600] [--jobs N] [--log FILE] [KIND ...]

KIND is the name of a test without "fuzz.": a kind of topology file, hawser-dump, wire_store, ... Processor time, not
wall-clock time, so that a busy machine makes it longer and not weaker; what a kind was given before counts, also by a
fuzzer built since. Needs the preset fuzz built. The log gets a line per kind that is done; kinds that are in it already
are left out. Exit code 1 after a finding.
"""
import argparse
import concurrent.futures
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

ROUND_SECONDS = 60  # wall-clock time of one run of the fuzzer; what it finds interesting is kept between runs
INPUT_TIMEOUT = 300  # wall-clock seconds for one input, generous where processors are shared
STATISTIC = re.compile(r"stat::(\w+):\s+(\d+)")


def kinds_of(build: Path) -> list[str]:
    listing = subprocess.run(["ctest", "--test-dir", build, "-N", "-L", "fuzz"], text=True, capture_output=True, check=True)
    return re.findall(r"fuzz\.([\w-]+)", listing.stdout)


def run_once(fuzzer: Path, folder: Path, corpora: list[Path], kind: str) -> tuple[float, dict[str, int], str]:
    """(processor seconds, libFuzzer's statistics, the log where there was a finding)"""
    command = [fuzzer, f"-max_total_time={ROUND_SECONDS}", f"-timeout={INPUT_TIMEOUT}", "-rss_limit_mb=1024",
               "-max_len=65536", "-print_final_stats=1", f"-artifact_prefix={folder}/found/", *corpora]
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, "HAWSER_FUZZ_KIND": kind}, text=True,
                               errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    finding = "" if process.returncode == 0 else text[-4000:]
    return used.ru_utime + used.ru_stime, {name: int(value) for name, value in STATISTIC.findall(text)}, finding


def harness_of(kind: str, binaries: Path) -> tuple[Path, str, Path]:
    """(the fuzzer, the kind as it knows it, the folder of the inputs to start from)"""
    tests = Path(__file__).resolve().parent.parent
    if kind == "hawser-dump":
        return binaries / "dump_fuzzer", kind, tests / "fuzz/seeds/hawser-dump"
    if kind.startswith("wire_"):
        return binaries / "wire_fuzzer", kind.removeprefix("wire_"), tests / "fuzz/wire" / kind.removeprefix("wire_")
    return binaries / "source_fuzzer", kind, tests / "data" / kind


def fuzz(kind: str, binaries: Path, seconds: float) -> tuple[str, str]:
    """(the line for the log, the finding or nothing)"""
    folder = binaries.parent / "campaign" / kind
    for name in ("corpus", "found"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    fuzzer, known_as, fixtures = harness_of(kind, binaries)
    corpora = [folder / "corpus"] + [fixtures] * fixtures.is_dir()
    record = folder / "spent.json"
    spent = json.loads(record.read_text()) if record.exists() else {"seconds": 0.0, "runs": 0, "peak": 0}
    while spent["seconds"] < seconds:
        used, statistics, finding = run_once(fuzzer, folder, corpora, known_as)
        spent["seconds"] += used
        spent["runs"] += statistics.get("number_of_executed_units", 0)
        spent["peak"] = max(spent["peak"], statistics.get("peak_rss_mb", 0))
        if finding:
            return f"{kind}: a finding after {spent['seconds']:.0f} s of processor time, in {folder}/found", finding
        record.write_text(json.dumps(spent))
    inputs = len(list((folder / "corpus").iterdir()))
    return (f"{kind}: {spent['seconds']:.0f} s of processor time, {spent['runs']} runs, corpus {inputs}, "
            f"peak {spent['peak']} MiB, no finding"), ""


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("kinds", nargs="*", metavar="KIND")
    asked.add_argument("--build", type=Path, default=Path("build/fuzz"))
    asked.add_argument("--seconds", type=float, default=600)
    asked.add_argument("--jobs", type=int, default=os.cpu_count())
    asked.add_argument("--log", type=Path, default=Path("fuzz-campaign.txt"))
    options = asked.parse_args()
    binaries = (options.build / "bin").resolve()
    if not (binaries / "source_fuzzer").is_file():
        sys.exit(f"campaign: there is no {binaries}/source_fuzzer; build it: cmake --preset fuzz && cmake --build --preset fuzz")
    done = set(re.findall(r"^([\w-]+): .*no finding$", options.log.read_text(), re.M)) if options.log.exists() else set()
    wanted = [kind for kind in options.kinds or kinds_of(options.build) if kind not in done]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    failed = False
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        pending = [pool.submit(fuzz, kind, binaries, options.seconds) for kind in wanted]
        for each in concurrent.futures.as_completed(pending):
            line, finding = each.result()
            failed = failed or bool(finding)
            with options.log.open("a") as log:
                log.write(line + "\n")
            print(line, *([finding] if finding else []), sep="\n", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
