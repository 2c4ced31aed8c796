"""Reductions against a += b by hand, from one run of reduce_bench: rates of the best instruction set of each."""
import json
import re
import subprocess
import sys
from pathlib import Path

NAME = re.compile(r"^(?P<hand>by_hand/)?(?P<type>\w+)/sum/(?P<set>\w+)/(?P<bytes>\d+)(/|$)")
TO_REACH = {"float32": 0.9, "bfloat16": 0.7, "float16": 0.7}  # of the byte rate of float32 by hand
OPTIONS = ("--benchmark_filter=^(by_hand/float32|float32|bfloat16|float16)/sum/", "--benchmark_format=json",
           "--benchmark_repetitions=5", "--benchmark_min_time=0.1", "--benchmark_enable_random_interleaving=true")


def median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def read(text: str) -> list[dict]:
    """`text`: Google Benchmark's JSON. One row per type and size; rates in bytes of one operand per second."""
    rates: dict[tuple[str, int], dict[str, list[float]]] = {}
    for each in json.loads(text)["benchmarks"]:
        found = NAME.match(each["name"])
        if each.get("run_type", "iteration") != "iteration" or not found:
            continue
        kind = "by hand" if found["hand"] else found["type"]
        sets = rates.setdefault((kind, int(found["bytes"])), {})
        sets.setdefault(found["set"], []).append(each["bytes_per_second"])
    best = {key: max(median(values) for values in sets.values()) for key, sets in rates.items()}
    return [{"type": kind, "bytes": size, "bytes_per_second": rate, "by_hand": best["by hand", size],
             "fraction": rate / best["by hand", size], "to_reach": TO_REACH[kind]}
            for (kind, size), rate in sorted(best.items()) if kind != "by hand" and ("by hand", size) in best]


def measure(program: Path) -> list[dict]:
    """Empty, with a line on stderr, where the program is missing or fails."""
    try:
        done = subprocess.run([program, *OPTIONS], capture_output=True, text=True, check=True)
        return read(done.stdout)
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as problem:
        print(f"compare: reductions are left out: {problem}; build the target reduce_bench", file=sys.stderr)
        return []


def markdown(rows: list[dict]) -> list[str]:
    if not rows:
        return []
    lines = ["## Reductions: sum, one thread, against a += b of float32 by hand", "",
             "| type | bytes of an operand | GB/s | by hand | to reach | reached | verdict |",
             "|---|---|---|---|---|---|---|"]
    for row in rows:
        word = "reached" if row["fraction"] >= row["to_reach"] else "missed"
        rates = f"{row['bytes_per_second'] * 1e-9:.1f} | {row['by_hand'] * 1e-9:.1f}"
        lines.append(f"| {row['type']} | {row['bytes']} | {rates} | {row['to_reach']} | {row['fraction']:.2f} | {word} |")
    return [*lines, ""]
