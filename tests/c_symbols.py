#!/usr/bin/env python3
"""Every function that hawser.h declares is a visible symbol of the library and is named in docs/c.md; the library shows
no other one that begins so, and no C one that does not.

usage: c_symbols.py SOURCE_DIR NM LIBRARY     the library is the archive or the shared object of hawser::runtime
"""
import re
import subprocess
import sys
from pathlib import Path


def declared(header: str) -> set[str]:
    return set(re.findall(r"^HAWSER_API [\w *]*?\b(hawser_\w+)\(", header, re.M))


def defined(nm: str, library: str) -> tuple[set[str], set[str]]:
    """The C functions that are defined for others: those of hawser's name, and the rest."""
    dynamic = ["-D"] if ".so" in Path(library).name else []
    listing = subprocess.run([nm, *dynamic, "--defined-only", "--extern-only", library], text=True, capture_output=True,
                             check=True).stdout
    names = set(re.findall(r"^[0-9a-f]+ T (\w+)$", listing, re.M))
    ours = {name for name in names if name.startswith("hawser_")}
    return ours, {name for name in names - ours if not name.startswith("_")}


def base(name: str) -> str:
    """The table of docs/c.md names a collective once for its three forms."""
    return re.sub(r"_(async|plan)$", "", name)


def main() -> int:
    source, nm, library = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    header = declared((source / "include/hawser.h").read_text())
    ours, others = defined(nm, library)
    page = (source / "docs/c.md").read_text()
    named = set(re.findall(r"`(hawser_\w+)", page))
    wrong = [f"{name} is declared and not defined" for name in sorted(header - ours)]
    wrong += [f"{name} is defined and not declared" for name in sorted(ours - header)]
    wrong += [f"{name} is a C function of another name" for name in sorted(others)]
    wrong += [f"{name} is not in docs/c.md" for name in sorted(header - named) if base(name) not in named]
    types = set(re.findall(r"\bhawser_\w+", (source / "include/hawser.h").read_text()))
    wrong += [f"docs/c.md names {name}, which there is not" for name in sorted(named - types)]
    print("\n".join(wrong))
    print(f"c_symbols: {len(header)} functions, {len(wrong)} things wrong")
    return 1 if wrong or len(header) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
