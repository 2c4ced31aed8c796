#!/usr/bin/env python3
"""Holds every include of include/hawser and src against the table "may include" of docs/architecture.md.

usage: layers.py [SOURCE_DIR]
"""
import re
import sys
import tempfile
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
FOREIGN = re.compile(r"^(uc[pst]/|u?mpi\.h|cuda|nccl|nvml|nlohmann/|cub/|thrust/)")
ROW = re.compile(r"^\|\s*((?:`\w+/`(?:,\s*)?)+)\s*\|[^|]*\|([^|]*)\|\s*$", re.M)


def read_table(source: Path) -> dict[str, set[str]]:
    """folder -> the folders that it may include; "all" means all stages but not the adapters after them."""
    table: dict[str, set[str]] = {}
    adapters: set[str] = set()
    for names, allowed in ROW.findall((source / "docs/architecture.md").read_text()):
        folders = re.findall(r"`(\w+)/`", names)
        if len(folders) > 1:
            adapters.update(folders)
        for folder in folders:
            table[folder] = set(re.findall(r"\w+", allowed))
    if "core" not in table or "communicator" not in table:
        sys.exit("layers: the table of docs/architecture.md was not found")
    stages = set(table) - adapters
    for folder, allowed in table.items():
        allowed.discard("nothing")
        if "all" in allowed:
            allowed |= stages
        allowed -= {"all"}
        allowed.add(folder)
        unknown = allowed - set(table)
        if unknown:
            sys.exit(f"layers: docs/architecture.md lets {folder} include {unknown}, which the table does not have")
    table["cli"] = set(table) | {"cli"}
    table["hawser"] = stages
    return table


def folder_of(path: Path, source: Path) -> str:
    """The stage that a file belongs to: include/hawser/<folder>/... or src/<folder>/...; include/hawser.h is that of c."""
    parts = path.relative_to(source).parts
    if parts == ("include", "hawser.h"):
        return "c"
    inner = parts[2:] if parts[0] == "include" else parts[1:]
    return inner[0] if len(inner) > 1 else "hawser"


def included_folder(name: str, path: Path, source: Path) -> str | None:
    """The stage of an included file, or None where it is none of hawser's."""
    for base in (source / "include", path.parent, source / "src"):
        target = (base / name).resolve()
        if target.is_file() and any(target.is_relative_to(source / d) for d in ("include", "src")):
            return folder_of(target, source)
    return name.split("/")[1] if name.startswith("hawser/") and name.count("/") > 1 else None


def violations(source: Path) -> list[str]:
    table = read_table(source)
    found = []
    for root in ("include/hawser", "src"):
        for path in sorted((source / root).rglob("*.[hc]pp")):
            own = folder_of(path, source)
            where = path.relative_to(source)
            if own not in table:
                found.append(f"{where}: the folder {own} is not in the table of docs/architecture.md")
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                target = included_folder(match[1], path, source)
                if target is not None and target not in table[own]:
                    found.append(f"{where}:{number}: {own} may not include {target} ({match[1]})")
                if root != "src" and own not in ("ucx", "mpi", "cuda", "nccl") and FOREIGN.match(match[1]):
                    found.append(f"{where}:{number}: a public header may not include {match[1]}")
    return found


def self_test(source: Path) -> None:
    """Plants wrong includes beside a right one in an empty tree, and sees that exactly the wrong ones are found."""
    planted = {
        "include/hawser/core/a.hpp": '#include "hawser/core/b.hpp"\n#include "hawser/topology/t.hpp"\n',
        "include/hawser/executor/x.hpp": '#include "hawser/schedule/s.hpp"\n#include <hawser/planner/p.hpp>\n',
        "include/hawser/communicator/c.hpp": '#include "hawser/planner/p.hpp"\n#include "hawser/ucx/u.hpp"\n',
        "include/hawser/transport/m.hpp": "#include <vector>\n#include <ucp/api/ucp.h>\n",
        "include/hawser/ucx/u.hpp": "#include <ucp/api/ucp.h>\n",
        "src/transport/t.cpp": '#include "hawser/transport/m.hpp"\n#include "../executor/private.hpp"\n',
        "src/executor/private.hpp": "#include <hawser.h>\n",
        "include/hawser.h": "",
        "src/c/c.cpp": "#include <hawser.h>\n",
        "src/lost/l.cpp": "",
    }
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder).resolve()
        (tree / "docs").mkdir()
        (tree / "docs/architecture.md").write_text((source / "docs/architecture.md").read_text())
        for name, text in planted.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(text)
        found = "\n".join(violations(tree))
    wanted = ["core may not include topology", "executor may not include planner", "communicator may not include ucx",
              "a public header may not include ucp/api/ucp.h", "transport may not include executor", "folder lost",
              "executor may not include c (hawser.h)"]
    missed = [text for text in wanted if text not in found]
    if missed or len(found.splitlines()) != len(wanted):
        sys.exit(f"layers: the self-test failed; not caught: {missed}; found:\n{found}")


def main() -> int:
    source = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    self_test(source)
    found = violations(source)
    print("\n".join(found) if found else "layers: every include is allowed, and the planted wrong ones were caught")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
