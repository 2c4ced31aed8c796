#!/usr/bin/env python3
"""Prints the tests that were skipped and why, from what ctest --output-junit wrote.

usage: list_skipped.py PRESET FILE.xml
"""
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

SKIPPED = re.compile(r"^\[  SKIPPED \] ([^\s(]+) \(\d+ ms\)$", re.M)


def skipped_cases(output: str) -> list[str]:
    """GoogleTest prints "file:line: Skipped", the reason, and then "[  SKIPPED ] Suite.Case (0 ms)"."""
    found = []
    for block in output.split("[ RUN      ] ")[1:]:
        match = SKIPPED.search(block)
        if match:
            reason = block[: match.start()].splitlines()[1:]
            found.append(f"{match[1]}: " + " ".join(line for line in reason if line and not line.endswith(": Skipped")))
    return found


def main() -> int:
    preset, report = sys.argv[1], Path(sys.argv[2])
    if not report.is_file():
        print(f"{preset}: no tests ran")
        return 0
    lines = []
    for test in xml.parse(report).getroot().iter("testcase"):
        name, output = test.get("name"), test.findtext("system-out") or ""
        cases = skipped_cases(output)
        if test.find("skipped") is not None and not cases:
            lines.append(f"{name}: {(output.strip() or test.find('skipped').get('message')).splitlines()[-1]}")
        else:
            lines += [f"{name} {case}" for case in cases]
    for line in lines:
        print(f"{preset}: {line}")
    print(f"{preset}: {len(lines)} skipped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
