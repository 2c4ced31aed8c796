#!/usr/bin/env python3
"""The size budget: median file <= 120 lines, 95th percentile <= 400 lines, no function over 50 lines.

usage: size_budget.py [SOURCE_DIR]     exit code 77 (skipped) where universal-ctags is missing
"""
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDERS = ("include", "src", "kernels", "examples", "bench", "tests")
SUFFIXES = (".hpp", ".cpp", ".h", ".cu", ".cuh", ".inc", ".py")
MEDIAN, TAIL, FUNCTION = 120, 400, 50


def lines_of(path: Path) -> int:
    return len(path.read_text(errors="replace").splitlines())


def percentile95(lengths: list[int]) -> int:
    return sorted(lengths)[max(0, -(-95 * len(lengths) // 100) - 1)]


def functions(ctags: str, files: list[Path]) -> list[tuple[int, str, Path, int]]:
    """(length, name, file, first line) of every function."""
    command = [ctags, "--output-format=json", "--fields=+neK", "--languages=C++,C,Python,CUDA", "--kinds-C++=f",
               "--kinds-C=f", "--kinds-CUDA=f", "--kinds-Python=fm", "--langmap=C++:+.h", "-L", "-", "-f", "-"]
    listing = subprocess.run(command, input="\n".join(map(str, files)), text=True, capture_output=True, check=True)
    tags = [json.loads(line) for line in listing.stdout.splitlines()]
    return [(tag["end"] - tag["line"] + 1, tag["name"], Path(tag["path"]), tag["line"]) for tag in tags if "end" in tag]


def check_files(files: list[Path], source: Path) -> list[str]:
    lengths = {path: lines_of(path) for path in files}
    median, tail = statistics.median(lengths.values()), percentile95(list(lengths.values()))
    print(f"files: {len(files)}, median {median:g} lines (budget {MEDIAN}), 95th percentile {tail} (budget {TAIL})")
    largest = sorted(files, key=lambda path: -lengths[path])
    wrong = []
    if median > MEDIAN:
        wrong.append(f"the median file has {median:g} lines")
    if tail > TAIL:
        wrong += [f"{path.relative_to(source)}: {lengths[path]} lines" for path in largest if lengths[path] > TAIL]
    return wrong


def check_functions(ctags: str, files: list[Path], source: Path) -> list[str]:
    found = functions(ctags, files)
    print(f"functions: {len(found)}, longest {max(found)[0] if found else 0} lines (budget {FUNCTION})")
    return [f"{path.relative_to(source)}:{line}: {name} has {length} lines"
            for length, name, path, line in sorted(found, reverse=True, key=lambda entry: entry[0])
            if length > FUNCTION]


def self_test(ctags: str) -> None:
    """A function one line too long is seen, one within the budget is not."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.cpp"
        body = "  ++x;\n"
        path.write_text(f"template <class T>\nauto longer(T x) -> T {{\n{body * (FUNCTION - 1)}}}\n"
                        f"int fits(int x) {{\n{body * (FUNCTION - 2)}}}\n")
        long = [name for length, name, _, _ in functions(ctags, [path]) if length > FUNCTION]
        if long != ["longer"]:
            sys.exit(f"size_budget: the self-test failed: {long}")


def main() -> int:
    source = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    ctags = shutil.which("ctags-universal") or shutil.which("ctags")
    if not ctags or "+json" not in subprocess.run([ctags, "--version"], text=True, capture_output=True).stdout:
        print("skipped: universal-ctags (with JSON) is not installed")
        return 77
    self_test(ctags)
    files = [path for folder in FOLDERS for path in sorted((source / folder).rglob("*")) if path.suffix in SUFFIXES]
    wrong = check_files(files, source) + check_functions(ctags, files, source)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
