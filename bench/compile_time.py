#!/usr/bin/env python3
"""What including hawser costs a translation unit: seconds of the compiler, and lines after the preprocessor.

usage: compile_time.py [--compiler g++] [--repeat 3] [--option -I...]... [FILE.cpp...]

Without files: an empty one, one that includes <hawser/hawser.hpp> alone, and examples/hello_threads.cpp. The least of
several runs counts: other work on the machine only adds to it.
"""
import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
MODES = (("check", ("-fsyntax-only",)), ("object", ("-O2", "-c", "-o", "/dev/null")))


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)} failed: {done.stderr.strip()[:500]}")
    return done.stdout


def processor_seconds(command: list[str]) -> float:
    """Of the compiler and what it starts; unlike wall clock, hardly disturbed by other work."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(compiler: list[str], file: Path, repeat: int) -> dict[str, float]:
    lines = run([*compiler, "-E", str(file)]).splitlines()
    found = {"lines": float(sum(1 for line in lines if line.strip() and not line.startswith("#")))}
    for name, mode in MODES:
        found[name] = min(processor_seconds([*compiler, *mode, str(file)]) for _ in range(repeat))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--option", action="append", default=[], help="for the compiler, such as --option=-DNDEBUG")
    parser.add_argument("file", nargs="*", type=Path)
    arguments = parser.parse_args()
    compiler = [arguments.compiler, "-std=c++20", f"-I{SOURCE / 'include'}", *arguments.option]
    print(f"{'file':32} {'check (s)':>10} {'object (s)':>11} {'lines':>9}")
    with tempfile.TemporaryDirectory() as folder:
        empty, header = Path(folder) / "empty.cpp", Path(folder) / "hawser.hpp alone.cpp"
        empty.write_text("")
        header.write_text("#include <hawser/hawser.hpp>\n")
        try:
            for file in arguments.file or (empty, header, SOURCE / "examples/hello_threads.cpp"):
                found = measure(compiler, file, max(1, arguments.repeat))
                times = f"{found['check']:10.2f} {found['object']:11.2f}"
                print(f"{file.stem:32} {times} {found['lines']:9.0f}", flush=True)
        except OSError as problem:
            print(f"compile_time: {problem}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
