#!/usr/bin/env python3
"""Every public class, concept, enumeration and function of include has a `///` line of its own or of its group.

A group is a run of declarations of functions without a blank line between them and without bodies of several lines;
its first one says what holds for all. Exempt are constructors and destructors, operators, overrides, `= default`,
`= delete`, private members, namespaces `detail`, specialisations, and accessors: one line, no parameters, `noexcept`,
a `return` and nothing else.

usage: docstrings.py [SOURCE_DIR]
"""
import re
import sys
from pathlib import Path

WORD = re.compile(r"[A-Za-z_]\w*")
TYPE = re.compile(r"^(?:template\s*<.*?>\s*)?(?:requires\b.*?\s)?(class|struct|enum(?:\s+class)?|union)\s+"
                  r"(?:alignas\([^)]*\)\s*)?([A-Za-z_]\w*)(?!\w*\s*<)", re.S)
CONCEPT = re.compile(r"^template\s*<.*>\s*concept\s+([A-Za-z_]\w*)", re.S)
NOT_A_FUNCTION = re.compile(r"^(?:using|typedef|friend|static_assert|namespace|extern|#|inline\s+namespace)\b")
ACCESSOR = re.compile(r"\w+\(\) const noexcept \{ return [^;]+; \}$")


class declaration:
    """One declaration at the level of a namespace or class."""

    def __init__(self, text: str, body: str, first: int, last: int):
        self.text, self.body, self.first, self.last = text, body, first, last


def without_comments(source: str) -> str:
    """The same text with comments, strings, character literals and preprocessor lines blanked; lines stay in place."""
    def blank(match: re.Match) -> str:
        return re.sub(r"[^\n]", " ", match[0])
    source = re.sub(r'//[^\n]*|/\*.*?\*/|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, source,
                    flags=re.S)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, source, flags=re.M)


def end_of_braces(text: str, at: int) -> int:
    """The place after the brace that closes the one at `at`."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return i + 1
    return len(text)


def declarations(text: str, begin: int, end: int):
    """The declarations between two places, and the access labels as plain strings."""
    at = begin
    while at < end:
        if text[at].isspace() or text[at] == ";":
            at += 1
            continue
        label = re.compile(r"(public|private|protected)\s*:(?!:)").match(text, at, end)
        if label:
            yield label[1]
            at = label.end()
            continue
        start, parens = at, 0
        while at < end and not (parens == 0 and text[at] in ";{"):
            parens += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        head, body = text[start:at], ""
        # `{` after a member's name in a constructor's list of initialisers, or of a variable, is no body
        while at < end and text[at] == "{":
            stop = end_of_braces(text, at)
            body = text[at:stop]
            at = stop
            more = re.compile(r"\s*(?:,\s*\w+\s*(?:\([^{;]*?\))?\s*)?(?=\{)").match(text, at, end)
            if not more or not re.search(r"\)\s*(?:noexcept\s*)?:\s", head):
                break
            at = more.end()
        yield declaration(head.strip(), body, text.count("\n", 0, start), text.count("\n", 0, max(start, at - 1)))


def function_name(text: str) -> str | None:
    """The name of a declared function; nothing for what is none or exempt."""
    if NOT_A_FUNCTION.match(text) or re.search(r"\boperator\b|\boverride\b|=\s*(?:default|delete)\s*$", text):
        return None
    bare = text
    while re.match(r"template\s*<", bare):  # its parameters are balanced but for operators, which none has
        depth, i = 0, bare.index("<")
        while i < len(bare):
            depth += {"<": 1, ">": -1}.get(bare[i], 0)
            i += 1
            if depth == 0:
                break
        bare = bare[i:].lstrip()
    bare = re.sub(r"\[\[.*?\]\]|\brequires\s+[\w:]+<[^()]*>|\bexplicit\s*\([^)]*\)|\bdecltype\s*\([^)]*\)|"
                  r"\bnoexcept\s*\([^)]*\)|\balignas\s*\([^)]*\)", " ", bare, flags=re.S)
    while re.search(r"<[^<>]*>", bare):  # std::function<void(int)> is no function
        bare = re.sub(r"<[^<>]*>", " ", bare)
    opening = bare.find("(")
    if opening < 0 or "=" in bare[:opening] or "~" in bare[:opening]:
        return None
    words = WORD.findall(bare[:opening])
    is_member_defined_outside = re.search(r"::\s*\w+\s*$", bare[:opening]) is not None
    return words[-1] if len(words) > 1 and not is_member_defined_outside else None  # one word: a constructor


def is_accessor(each: declaration) -> bool:
    return each.first == each.last and ACCESSOR.search(f"{each.text} {each.body}") is not None


def as_declared(each: declaration) -> str:
    """The same for a function's declaration and its definition, which has no default arguments."""
    return re.sub(r"\s*=\s*[^,()]+(?=[,)])|\binline\b|\s", "", each.text)


class scan:
    """What is missing in one header."""

    def __init__(self, source: str):
        self.lines, self.text = source.splitlines(), without_comments(source)
        self.missing: list[tuple[int, str]] = []
        self.documented: set[str] = set()  # as declared, so that a definition further down needs no second docstring

    def has_docstring(self, each: declaration) -> bool:
        above = self.lines[each.first - 1].strip() if each.first else ""
        return above.startswith("///") or "///<" in self.lines[each.first]

    def scope(self, begin: int, end: int, class_name: str | None, is_public: bool) -> None:
        group_ends = -2  # the last line of a documented group that may go on
        for each in declarations(self.text, begin, end):
            if isinstance(each, str):
                is_public, group_ends = each == "public", -2
                continue
            space = re.match(r"(?:inline\s+)?namespace\s*([\w:]*)|extern\s*()$", each.text)  # extern "C" has lost its "C"
            kind, concept = TYPE.match(each.text), CONCEPT.match(each.text)
            name = kind[2] if kind and each.body else concept[1] if concept else function_name(each.text)
            if space:
                if "detail" not in (space[1] or "").split("::"):
                    self.inside(each, None, True)
            elif is_public and name and name != class_name:
                in_group = not kind and not concept and each.first == group_ends + 1
                if as_declared(each) in self.documented:
                    continue
                if self.has_docstring(each) or in_group:
                    self.documented.add(as_declared(each))
                    group_ends = each.last if not kind and each.last - each.first < 4 else -2
                elif not is_accessor(each):
                    self.missing.append((each.first + 1, name))
            if kind and each.body and is_public and not kind[1].startswith("enum"):
                self.inside(each, kind[2], kind[1] != "class")

    def inside(self, each: declaration, class_name: str | None, is_public: bool) -> None:
        opening = sum(len(line) + 1 for line in self.text.split("\n")[:each.first])
        opening = self.text.index(each.body, opening)
        self.scope(opening + 1, opening + len(each.body) - 1, class_name, is_public)


def check_text(source: str) -> scan:
    found = scan(source)
    found.scope(0, len(found.text), None, True)
    return found


def self_test() -> None:
    """Of a planted header, exactly what lacks a docstring is found."""
    planted = """namespace hawser {
namespace detail {
struct hidden {};
}
struct bare_struct;  // a declaration only
struct bare_struct { int function_like(int x); };
/// Has one.
class covered {
 public:
  covered();
  int size() const noexcept { return size_; }
  int bare_member(int x) const { return x; }
  /// Of a group.
  int first(int x);

  int bare_after_gap(int x);
  std::function<int(int)> callback;
  bool operator==(const covered&) const = default;

 private:
  int hidden(int x);
};
enum class bare_enum { a, b };
template <class T>
concept bare_concept = requires(T t) { t.x(); };
inline int value{3};
/// Has one.
inline int declared(int x = 3);
inline int declared(int x) { return "}"[0] + x; }
template <class T, int N = 3>
auto bare_template(T x) -> decltype(x) {
  return x;
}
int covered::first(int x) { return x; }
}
extern "C" {
/// Has one.
API int covered_in_c(void);

API int bare_in_c(struct bare_struct *x);
}
"""
    wanted = ["bare_struct", "function_like", "bare_member", "bare_after_gap", "bare_enum", "bare_concept",
              "bare_template", "bare_in_c"]
    found = [name for _, name in sorted(check_text(planted).missing)]
    if found != wanted:
        sys.exit(f"docstrings: the self-test failed: found {found}, expected {wanted}")


def main() -> int:
    source = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    self_test()
    wrong, documented = [], 0
    for path in [source / "include/hawser.h", *sorted((source / "include/hawser").rglob("*.hpp"))]:
        found = check_text(path.read_text())
        documented += len(found.documented)
        wrong += [f"{path.relative_to(source)}:{line}: {name} has no docstring" for line, name in found.missing]
    print("\n".join(wrong))
    print(f"docstrings: {documented} found, {len(wrong)} missing")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
