"""The campaign's table, in Markdown: how many runs of each kind, how they ended, and what was wrong."""

COLUMNS = ("fault", "runs", "no fault", "survived", "error everywhere", "shrunk, right", "hangs", "wrong results", "leaks",
           "other problems", "told after, median", "at most")


def counts(runs: list[dict]) -> dict[str, int]:
    """Runs by what was wrong with them; one may count several times."""
    kinds = {"hang": 0, "wrong": 0, "leak": 0, "other": 0}
    for run in runs:
        found = set()
        for problem in run["problems"]:
            found.add("hang" if problem.startswith("hang") else "wrong" if "wrong" in problem else
                      "leak" if "leaked" in problem or "was left" in problem else "other")
        for each in found:
            kinds[each] += 1
    return kinds


def row(kind: str, runs: list[dict]) -> list[str]:
    wrong = counts(runs)
    late = sorted(run["late"] for run in runs if run["how"] == "error" and run["late"] > 0)
    told = [f"{late[len(late) // 2]:.2f} s", f"{late[-1]:.2f} s"] if late else ["", ""]
    clean = [run for run in runs if not run["problems"]]
    shrunk = [run["shrunk"] for run in runs if "shrunk" in run]
    unstruck = sum(run["how"] == "no fault" for run in runs)
    return [kind, str(len(runs)), str(unstruck or ""), str(sum(run["how"] == "survived" for run in clean)),
            str(sum(run["how"] == "error" for run in clean)), str(sum(shrunk)) if shrunk else "", str(wrong["hang"]),
            str(wrong["wrong"]), str(wrong["leak"]), str(wrong["other"]), *told]


def text(runs: list[dict]) -> str:
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for kind in dict.fromkeys(run["kind"] for run in runs):
        lines.append("| " + " | ".join(row(kind, [run for run in runs if run["kind"] == kind])) + " |")
    return "\n".join(lines)
