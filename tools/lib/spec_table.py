"""Draws docs/spec.md: which clause of a specification is kept by which header, and tried by which test.
Run by tools/spec.

A tag is a line of its own: `/// @spec CLAUSES` in a header's docstring, `// @spec CLAUSES` right above a test, or
below the first line of a test in tests/fail. CLAUSES are one or more of these, with "; " between them:

  virtio 1.2, 2.7.6 "The Virtqueue Available Ring"
      a number and the title it has there. One header says the title; the others and the tests may leave it out.
  Linux include/linux/rpmsg/ns.h, struct rpmsg_ns_msg
      a file and what is in it: struct NAME, enum NAME, NAME() or NAME in capitals. Also OpenAMP, rpmsg-lite, Zephyr.

Number, or file and name, are what links a header to its tests.
"""
import os
import pathlib
import re
import sys
import tempfile
from typing import NamedTuple

TABLE = "docs/spec.md"
VIRTIO = re.compile(r'(virtio 1\.2), (\d+(?:\.\d+)*)(?: "([^"]+)")?')
SOURCE = re.compile(r"(Linux|OpenAMP|rpmsg-lite|Zephyr) ([\w./*-]+\.(?:[ch]|txt)), "
                    r"((?:struct|enum) \w+|\w+\(\)|[A-Z][A-Z0-9_]*(?: [A-Z]+)*)")
FORMS = "neither 'virtio 1.2, NUMBER \"TITLE\"' nor 'Linux|OpenAMP|rpmsg-lite|Zephyr FILE, NAME'"
TEST = re.compile(r'(?:TEST_CASE|TEMPLATE_(?:LIST_)?TEST_CASE(?:_SIG)?)\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
DOCUMENTS = {
    "virtio 1.2": "Virtual I/O Device (VIRTIO) Version 1.2, "
                  "[committee specification 01]"
                  "(https://docs.oasis-open.org/virtio/virtio/v1.2/cs01/virtio-v1.2-cs01.html).",
    "Linux": "RPMsg has no specification of its own. What comes nearest are the structures and constants of the\n"
             "kernel, and what its driver does with them: [Linux](https://git.kernel.org/) 6.12.",

    "OpenAMP": "[OpenAMP](https://github.com/OpenAMP/open-amp) at 23d4c5d.",
    "rpmsg-lite": "[rpmsg-lite](https://github.com/nxp-mcuxpresso/rpmsg-lite) at a300ec8.",
    "Zephyr": "[Zephyr](https://github.com/zephyrproject-rtos/zephyr), main of 2026.",
}
HEAD = """# From clause to header to test

Which clause of a specification is kept by which header, and which test tries it. `tools/spec` makes this page
from the `@spec` tags of the headers and the tests, and `tools/test docs` fails where a clause of a header has no
test, or a test names a clause that no header has. How a tag is written is said at the top of
[spec_table.py](../tools/lib/spec_table.py).

A test is listed where it tries what the clause says, not wherever code of that header runs. A clause that is not
here is not claimed: split rings only, no chains of descriptors, no indirect ones, and none of the transports of
the standard. What is done otherwise on purpose is in the [design notes](design-notes.md#on-the-wire).
"""


class Clause(NamedTuple):
    """The key that links a header to its tests; `order` sorts it within its document."""
    document: str
    order: tuple
    text: str

    def __str__(self):
        return f"{self.document}{',' if self.document == 'virtio 1.2' else ''} {self.text}"


class Tag(NamedTuple):
    clause: Clause
    title: str | None
    path: str
    line: int
    test: str | None  # None in a header

    @property
    def where(self):
        return f"{self.path}:{self.line}"


class Malformed(Exception):
    """A tag that cannot be read: for people, in one sentence."""


def clause_of(text):
    """(clause, title) of one clause as it stands in a tag."""
    if found := VIRTIO.fullmatch(text):
        document, number, title = found.groups()
        return Clause(document, tuple(int(part) for part in number.split(".")), number), title
    if found := SOURCE.fullmatch(text):
        document, path, name = found.groups()
        return Clause(document, (path, name), f"{path}, {name}"), None
    raise Malformed(f"'{text}' is {FORMS}")


def test_below(lines, number):
    """The name of the test that a comment in line `number` stands above."""
    for i in range(number, len(lines)):
        if not lines[i].lstrip().startswith("//"):
            found = TEST.match("\n".join(lines[i : i + 6]))
            if not found:
                break
            return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found.group(1))).replace('\\"', '"')
    raise Malformed("a test's tag stands right above a TEST_CASE")


def read(tree, path):
    """Yields each tag of a file, and a complaint for each that is malformed."""
    name = path.relative_to(tree).as_posix()
    is_test = name.startswith("tests/")
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        if "@spec" not in line:
            continue
        try:
            found = re.fullmatch(r"\s*// @spec (\S.*)" if is_test else r"\s*/// @spec +(\S.*)", line)
            if not found:
                raise Malformed(f"it is a line of its own, '{'//' if is_test else '///'} @spec CLAUSES'")
            test = None
            if name.startswith("tests/fail/"):
                if not lines[0].startswith("// EXPECT: "):
                    raise Malformed("a test that must not compile opens with '// EXPECT: '")
                test = "does not compile: " + lines[0].removeprefix("// EXPECT: ")
            elif is_test:
                test = test_below(lines, number)
            clauses = [clause_of(text) for text in found.group(1).split("; ")]
        except Malformed as why:
            yield f"{name}:{number}: malformed @spec tag: {why}"
            continue
        for clause, title in clauses:
            yield Tag(clause, title, name, number, test)


def titles_of(tags):
    """The title of each clause, and what is wrong with them."""
    titles, first, complaints = {}, {}, []
    for tag in (tag for tag in tags if tag.title is not None):
        known = first.setdefault(tag.clause, tag)
        titles.setdefault(tag.clause, tag.title)
        if known.title != tag.title:
            complaints.append(f'{tag.where}: {tag.clause} is "{tag.title}" here and "{known.title}" in {known.where}')
    for tag in tags:
        if tag.test is None and tag.clause.document == "virtio 1.2" and tag.clause not in titles:
            titles[tag.clause] = "?"
            complaints.append(f"{tag.where}: {tag.clause} has no title")
    return titles, complaints


def plain(text):
    return re.sub(r"([\\|<>*`\[\]@#])", r"\\\1", text)


def unique(things):
    return list(dict.fromkeys(things))


def draw(headers, tests, titles):
    """The page."""
    page = [HEAD]
    for document, about in DOCUMENTS.items():
        clauses = sorted({tag.clause for tag in headers if tag.clause.document == document}, key=lambda c: c.order)
        if not clauses:
            continue
        page.append(f"## {document}\n\n{about}\n\n| clause | header | test |\n| --- | --- | --- |")
        for clause in clauses:
            if clause in titles:
                said = f"{clause.text} {plain(titles[clause])}"
            else:
                said = "`{}`<br>`{}`".format(*clause.order)
            tagged = unique(f"[{tag.path.removeprefix('include/rpmsg/')}](../{tag.path})"
                            for tag in headers if tag.clause == clause)
            tried = unique(f"[{tag.path.removeprefix('tests/')}](../{tag.path}): {plain(tag.test)}"
                           for tag in tests if tag.clause == clause)
            page.append(f"| {said} | {'<br>'.join(tagged)} | {'<br>'.join(tried) or 'none'} |")
        page.append("")
    return "\n".join(page)


def judge(tree):
    """The page, and complaints by the rule that is broken."""
    files = [path for folder in ("include", "tests") for path in sorted((tree / folder).rglob("*.[ch]pp"))]
    found = [what for path in files for what in read(tree, path)]
    malformed = [what for what in found if isinstance(what, str)]
    tags = [what for what in found if isinstance(what, Tag)]
    headers = [tag for tag in tags if tag.test is None]
    tests = [tag for tag in tags if tag.test is not None]
    titles, disagreements = titles_of(tags)
    of_headers, of_tests = {tag.clause for tag in headers}, {tag.clause for tag in tests}
    page = draw(headers, tests, titles)
    table = tree / TABLE
    same = table.is_file() and table.read_text(encoding="utf-8") == page
    return page, {
        "each @spec tag is well formed": malformed + disagreements,
        "each clause of a header has a test": unique(
            f"{tag.where}: {tag.clause} has no test" for tag in headers if tag.clause not in of_tests),
        "each clause of a test is that of a header": unique(
            f"{tag.where}: no header has {tag.clause}" for tag in tests if tag.clause not in of_headers),
        f"{TABLE} is what tools/spec writes": [] if same else [f"{TABLE}: not what the tags say; run tools/spec"],
    }


def report(rules):
    tally = open(os.environ["RPMSG_TALLY"], "a", encoding="utf-8") if "RPMSG_TALLY" in os.environ else None
    for rule, complaints in rules.items():
        for complaint in complaints:
            print(f"  {complaint}")
        if tally:
            print("fail" if complaints else "pass", f"spec: {rule}", sep="\t", file=tally)
    return sum(len(complaints) for complaints in rules.values())


HEADER = '/// A ring.\n/// @spec virtio 1.2, 2.7.6 "The Ring"; Linux include/a.h, struct a\nstruct ring;\n'
TEST_FILE = '// @spec virtio 1.2, 2.7.6; Linux include/a.h, struct a\nTEST_CASE("a ring is\\"\\n"\n    " a ring")\n'
# What each rule must say, and the header and test that break it.
BROKEN = [
    ("include/rpmsg/a.hpp:2: malformed @spec tag: 'virtio 1.2 2.7.6' is neither",
     "/// A.\n/// @spec virtio 1.2 2.7.6\n", ""),
    ("include/rpmsg/a.hpp:1: malformed @spec tag: 'virtio 1.1, 2.6' is neither", "/// @spec virtio 1.1, 2.6\n", ""),
    ("a.hpp:1: malformed @spec tag: '2.3' is neither", '/// @spec virtio 1.2, 2.7.6 "The Ring"; 2.3\n', ""),
    ("'virtio 1.2, 2.7.6 \"\"' is neither", '/// @spec virtio 1.2, 2.7.6 ""\n', ""),
    ("'virtio 1.2, 2.7.6 The Ring' is neither", "/// @spec virtio 1.2, 2.7.6 The Ring\n", ""),
    ("'Linux include/a.h' is neither", "/// @spec Linux include/a.h\n", ""),
    ("'Linux include/a.h, the ring' is neither", "/// @spec Linux include/a.h, the ring\n", ""),
    ("'Minix include/a.h, struct a' is neither", "/// @spec Minix include/a.h, struct a\n", ""),
    ("a.hpp:1: malformed @spec tag: it is a line of its own", "/// Brief. @spec virtio 1.2, 2.7.6\n", ""),
    ("a.hpp:1: malformed @spec tag: it is a line of its own", "// @spec virtio 1.2, 2.7.6\n", ""),
    ("a.hpp:1: malformed @spec tag: it is a line of its own", "/// @spec\n", ""),
    ("tests/a.cpp:1: malformed @spec tag: it is a line of its own", HEADER, "/// @spec virtio 1.2, 2.7.6\n"),
    ("a.cpp:1: malformed @spec tag: a test's tag stands right above", HEADER, "// @spec virtio 1.2, 2.7.6\nint a;\n"),
    ("a.cpp:1: malformed @spec tag: a test's tag stands right above", HEADER, "// @spec virtio 1.2, 2.7.6\n"),
    ("a.cpp:1: malformed @spec tag: a test's tag stands right above", HEADER,
     '// @spec virtio 1.2, 2.7.6\n\nTEST_CASE("a")\n'),
    ("a.hpp:1: virtio 1.2, 2.7.6 has no title", "/// @spec virtio 1.2, 2.7.6\n", TEST_FILE),
    ("a.cpp:1: virtio 1.2, 2.7.6 is \"A Ring\" here and \"The Ring\" in include/rpmsg/a.hpp:2", HEADER,
     '// @spec virtio 1.2, 2.7.6 "A Ring"\nTEST_CASE("a")\n'),
    ("a.hpp:2: virtio 1.2, 2.7.6 has no test", HEADER, '// @spec Linux include/a.h, struct a\nTEST_CASE("a")\n'),
    ("a.hpp:2: Linux include/a.h, struct a has no test", HEADER, '// @spec virtio 1.2, 2.7.6\nTEST_CASE("a")\n'),
    ("a.cpp:1: no header has virtio 1.2, 2.7", HEADER, '// @spec virtio 1.2, 2.7\nTEST_CASE("a")\n'),
]


def self_test():
    def tree_with(folder, **files):
        for name, text in files.items():
            path = pathlib.Path(folder) / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return pathlib.Path(folder)

    def complaints_about(tree):
        return [complaint for complaints in judge(tree)[1].values() for complaint in complaints]

    wrong = 0

    def expect(expected, said):
        nonlocal wrong
        if said if expected is None else not any(expected in line for line in said):
            wrong += 1
            print(f"expected {expected!r}, got {said}")

    for expected, header, test in BROKEN:
        with tempfile.TemporaryDirectory() as folder:
            expect(expected, complaints_about(tree_with(
                folder, include__rpmsg__a_dot_hpp=header, tests__a_dot_cpp=test)))
    with tempfile.TemporaryDirectory() as folder:
        tree = tree_with(folder, include__rpmsg__a_dot_hpp=HEADER + '/// @spec   virtio 1.2, 2.7.10 "Later"\n',
                         tests__a_dot_cpp=TEST_FILE,
                         tests__fail__b_dot_cpp="// EXPECT: no <ring>\n// @spec virtio 1.2, 2.7.10\n")
        expect("docs/spec.md: not what the tags say", complaints_about(tree))
        (tree / "docs").mkdir()
        (tree / TABLE).write_text(judge(tree)[0], encoding="utf-8")
        expect(None, complaints_about(tree))
        page = (tree / TABLE).read_text(encoding="utf-8")
        rows = [line for line in page.splitlines() if line.startswith("| ") and "---" not in line]
        drawn = [
            "| clause | header | test |",
            '| 2.7.6 The Ring | [a.hpp](../include/rpmsg/a.hpp) | [a.cpp](../tests/a.cpp): a ring is"\\\\n a ring |',
            "| 2.7.10 Later | [a.hpp](../include/rpmsg/a.hpp) | "
            "[fail/b.cpp](../tests/fail/b.cpp): does not compile: no \\<ring\\> |",
            "| clause | header | test |",
            "| `include/a.h`<br>`struct a` | [a.hpp](../include/rpmsg/a.hpp) | "
            '[a.cpp](../tests/a.cpp): a ring is"\\\\n a ring |',
        ]
        expect(None, [] if rows == drawn else rows)
        (tree / TABLE).write_text(page.replace("Later", "Sooner"), encoding="utf-8")
        expect("docs/spec.md: not what the tags say", complaints_about(tree))
        (tree / "tests/fail/b.cpp").write_text("// @spec virtio 1.2, 2.7.10\n", encoding="utf-8")
        expect("tests/fail/b.cpp:1: malformed @spec tag: a test that must not compile", complaints_about(tree))
    cases = len(BROKEN) + 5
    print(f"{cases - wrong} of {cases} cases as expected")
    return wrong


def main(option):
    if option == "--self-test":
        return 1 if self_test() else 0
    tree = pathlib.Path(__file__).resolve().parent.parent.parent
    if option != "--check":
        page = judge(tree)[0]
        (tree / TABLE).write_text(page, encoding="utf-8")
    return 1 if report(judge(tree)[1]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
