#!/usr/bin/env python3
"""SVG plots of a comparison: bus bandwidth over size with the limit drawn in, and latency over size.

usage: plots.py compare.json     writes beside it, and prints the names of the files; needs matplotlib
"""
import json
import subprocess
import sys
from pathlib import Path

PYTHONS = (sys.executable, "/usr/bin/python3")  # a distribution's matplotlib belongs to the latter


def run(path: Path) -> tuple[list[str], str]:
    """(names of the files, why there are none), by the first Python that has matplotlib."""
    for python in PYTHONS:
        try:
            done = subprocess.run([python, __file__, path], capture_output=True, text=True, check=False)
        except OSError:
            continue
        if done.returncode == 0:
            return done.stdout.splitlines(), ""
        if "No module named" not in done.stderr:
            return [], done.stderr.strip()
    return [], "matplotlib is not installed; as root: apt-get install python3-matplotlib"


def size_text(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def draw_libraries(rows: list[dict], rate, latency) -> None:
    for library in dict.fromkeys(row["library"] for row in rows):
        found = sorted((row for row in rows if row["library"] == library), key=lambda row: row["bytes"])
        is_own = library.startswith("hawser")
        style = {"label": library, "marker": "o", "linewidth": 2.5 if is_own else 1.2, "markersize": 4}
        at = [row["bytes"] for row in found]
        rate.plot(at, [row["busbw_GBps"] for row in found], **style)
        line, = latency.plot(at, [row["median_us"] for row in found], **style)
        latency.fill_between(at, [row["p10_us"] for row in found], [row["p90_us"] for row in found],
                             color=line.get_color(), alpha=0.15, linewidth=0)


def draw_limit(rows: list[dict], rate, latency) -> None:
    limits = {row["bytes"]: (row["busbw_GBps"] / row["fraction_of_limit"], row["limit_us"]) for row in rows
              if row["limit_us"]}
    style = {"color": "black", "linestyle": "--", "label": "limit of the uplinks"}
    if limits:
        rate.plot(sorted(limits), [limits[size][0] for size in sorted(limits)], **style)
        latency.plot(sorted(limits), [limits[size][1] for size in sorted(limits)], **style)


def draw(pyplot, rows: list[dict], title: str, path: Path) -> None:
    """Two diagrams beside each other."""
    figure, (rate, latency) = pyplot.subplots(1, 2, figsize=(13, 5))
    draw_libraries(rows, rate, latency)
    draw_limit(rows, rate, latency)
    sizes = sorted({row["bytes"] for row in rows})
    for axis, name in ((rate, "bus bandwidth (GB/s)"), (latency, "median and p10 to p90 (us)")):
        axis.set_xscale("log", base=2)
        axis.set_xticks(sizes, [size_text(size) for size in sizes], rotation=45)
        axis.set_xlabel("size")
        axis.set_ylabel(name)
        axis.grid(alpha=0.3)
    latency.set_yscale("log")
    rate.set_ylim(bottom=0)
    rate.legend(fontsize=8)
    figure.suptitle(title, fontsize=8)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def main() -> int:
    import matplotlib  # noqa: PLC0415 (the rest of the comparison does without)
    matplotlib.use("svg")
    from matplotlib import pyplot  # noqa: PLC0415

    path = Path(sys.argv[1])
    told = json.loads(path.read_text())
    machine = told["machine"]
    rows = [row for row in told["rows"] if row["median_us"] is not None]
    for place, collective in dict.fromkeys((row["place"], row["collective"]) for row in rows):
        here = [row for row in rows if (row["place"], row["collective"]) == (place, collective)]
        title = (f"{collective}, {place}\n{machine['processor']}, {machine['cores']} cores, {machine['kernel']}, "
                 f"{machine['date']}\n{told['command']}")
        name = f"{collective}-{place}.svg".replace(" ", "_").replace(",", "_")
        draw(pyplot, here, title, path.parent / name)
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
