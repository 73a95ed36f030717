#!/usr/bin/env python3
"""Checks what the texts name, and that what is public has a docstring.

  tools/check_docs.py [TREE]       checks a tree (this one) after `doxygen docs/Doxyfile`; status 1 when
                                   something is wrong
  tools/check_docs.py --write [TREE]  writes the snippets that the texts show anew (lib/snippets.py)
  tools/check_docs.py --self-test  breaks each rule in a tree of its own and sees the rule fire

Links: a relative link in a .md file names a file, and its #anchor a heading. Examples: whatever is called
like one (01_hello_loopback) is in examples/. Programs: C++ that opens with `// examples/NAME.cpp` stands in
that file, line for line; the first one in the README is such a quotation. Snippets: what stands between markers in
tests/docs/*.cpp is shown in one text, as it is, and each name of tests/docs/*.toml has a row with one. Docstrings:
every class, concept, enumeration and function of a namespace has one, and every public member function of the classes
that users hold in their hands. A policy's model needs none on its members: the concept that it satisfies documents
them.
"""
import os
import pathlib
import re
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from lib import snippets

HELD_BY_USERS = {"bus", "basic_bus", "endpoint", "basic_endpoint", "observer", "basic_observer", "message", "rx_buffer",
                 "tx_buffer", "immortal"}
AS_IN_THE_STANDARD_LIBRARY = {"begin", "end", "data", "size", "empty", "value", "has_value", "error"}
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)", re.M)
EXAMPLE = re.compile(r"(?<![\w])(\d\d_[a-z][a-z0-9_]+)\b")
FENCED = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
PROGRAM = re.compile(r"^```cpp\n(.*?)^```", re.M | re.S)
QUOTATION = re.compile(r"// (examples/\S+)\n")


def slug(heading):
    """What a heading can be linked by."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(text):
    """What the headings of a Markdown text can be linked by."""
    found = set(re.findall(r'<a (?:name|id)="([^"]+)"', text))
    for heading in re.findall(r"^#+\s+(.*?)\s*#*$", FENCED.sub("", text), re.M):
        link = slug(heading)
        found.add(link if link not in found else f"{link}-1")
    return found


def unindented(text):
    return "\n" + "\n".join(line.strip() for line in text.strip().splitlines()) + "\n"


def check_programs(tree, path, text):
    """What is wrong with the C++ that a text quotes."""
    programs = PROGRAM.findall(text)
    if path == tree / "README.md" and programs and not QUOTATION.match(programs[0]):
        yield "its first program is not quoted from an example"
    for program in programs:
        quotation = QUOTATION.match(program)
        if not quotation:
            continue
        source = tree / quotation.group(1)
        if not source.is_file():
            yield f"quotes {quotation.group(1)}, which does not exist"
        elif unindented(program[quotation.end():]) not in unindented(source.read_text(encoding="utf-8")):
            yield f"quotes {quotation.group(1)}, which says something else"


def check_text(tree, path):
    """What is wrong with the links, examples and programs of one Markdown file."""
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"`[^`\n]*`", "", FENCED.sub("", text))
    for link in (first or second for first, second in LINK.findall(prose)):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue  # elsewhere
        named, _, anchor = link.partition("#")
        target = path if not named else path.parent / named
        if not target.exists():
            yield f"links to {link}, which does not exist"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
            yield f"links to {link}, but no heading there is called so"
    for example in sorted(set(EXAMPLE.findall(text))):
        if not (tree / "examples" / f"{example}.cpp").is_file() and not (tree / "examples" / example).is_dir():
            yield f"names the example {example}, which does not exist"
    yield from check_programs(tree, path, text)


def has_docstring(element):
    return any("".join(element.find(tag).itertext()).strip()
               for tag in ("briefdescription", "detaileddescription") if element.find(tag) is not None)


def undocumented(xml):
    """(header, what) for what is public and has no docstring."""
    kinds = ("class", "struct", "union", "concept", "namespace")
    compounds = [compound for path in sorted(xml.glob("*.xml"))
                 for compound in ElementTree.parse(path).iter("compounddef") if compound.get("kind") in kinds]
    scopes = {compound.findtext("compoundname") for compound in compounds if compound.get("kind") != "namespace"}
    for compound in compounds:
        name, kind = compound.findtext("compoundname"), compound.get("kind")
        scope, _, own = name.rpartition("::")
        if not (kind == "namespace" or "<" in name or scope in scopes or has_docstring(compound)):
            yield compound.find("location").get("file"), f"{kind} {name}"
        wanted = ("function", "enum") if kind == "namespace" else ("function",) if own in HELD_BY_USERS else ()
        members = list(compound.iter("memberdef"))
        said = {member.findtext("name") for member in members if has_docstring(member)}  # for every overload
        for member in members:
            called = member.findtext("name")
            plain = (called.startswith(("operator", "~")) or called in AS_IN_THE_STANDARD_LIBRARY
                     or called == own or f"{name}::{called}" in scopes)  # constructors, deduction guides
            if member.get("kind") in wanted and member.get("prot") == "public" and not (plain or called in said):
                yield member.find("location").get("file"), f"{member.get('kind')} {name}::{called}"


def check(tree):
    """Yields (name, complaints) for each text and each header."""
    for path in sorted([*tree.glob("*.md"), *(tree / "docs").rglob("*.md")]):
        name = path.relative_to(tree).as_posix()
        yield f"links, examples and programs of {name}", [f"{name}: {what}" for what in check_text(tree, path)]
    yield "snippets, and the tables of names", list(snippets.check(tree, slug))

    xml = tree / "build" / "docs" / "xml"
    if not xml.is_dir():
        yield "docstrings", ["build/docs/xml: missing; run doxygen docs/Doxyfile first"]
        return
    lacking = {path.relative_to(tree).as_posix(): [] for path in sorted((tree / "include").rglob("*.hpp"))}
    for header, what in undocumented(xml):
        lacking.setdefault(header, []).append(f"{header}: {what} has no docstring")
    for header, complaints in lacking.items():
        yield f"docstrings of {header}", complaints


def report(tree):
    tally = open(os.environ["RPMSG_TALLY"], "a", encoding="utf-8") if "RPMSG_TALLY" in os.environ else None
    wrong = 0
    for name, complaints in check(tree):
        wrong += len(complaints)
        for complaint in complaints:
            print(f"  {complaint}")
        if tally:
            print("fail" if complaints else "pass", name, sep="\t", file=tally)
    return wrong


# What each rule must say, and the README.md that breaks it.
BROKEN = [
    ("links to docs/gone.md, which does not exist", "[a](docs/gone.md)"),
    ("links to docs/gone.md, which does not exist", "[a]: docs/gone.md\n"),
    ("links to picture.svg, which does not exist", "![a](picture.svg)"),
    ("links to docs/a.md#nowhere, but no heading", "[a](docs/a.md#nowhere)"),
    ("links to #nowhere, but no heading", "[a](#nowhere)"),
    ("names the example 02_gone, which does not exist", "Run `build/examples/02_gone`."),
    ("its first program is not quoted", "```cpp\nint main() {}\n```\n"),
    ("quotes examples/gone.cpp, which does not exist", "```cpp\n// examples/gone.cpp\nint main() {}\n```\n"),
    ("quotes examples/01_here.cpp, which says something else",
     "```cpp\n// examples/01_here.cpp\nint main() {}\nint a;\n```\n"),
    ("quotes examples/01_here.cpp, which says something else", "```cpp\n// examples/01_here.cpp\nint main\n```\n"),
]
SOUND = "[a](docs/a.md) [b](docs/a.md#two-words-and-code) [c](#top) `01_here` <https://example.org> " \
        "[d](https://example.org/x) `[e](gone.md)` 2024_01\n```\n[f](gone.md)\n```\n\n# Top\n" \
        "```cpp\n// examples/01_here.cpp\nint main() {}\n```\n```cpp\nint b;\n```\n"
COMPOUND = """<doxygen><compounddef kind="{kind}" prot="public"><compoundname>{name}</compoundname>
<memberdef kind="function" prot="{prot}"><name>{member}</name><briefdescription>{said}</briefdescription>
<location file="{file}"/></memberdef>
<briefdescription>{brief}</briefdescription><location file="{file}"/></compounddef></doxygen>"""
PUBLIC = {"kind": "class", "name": "rpmsg::bus", "prot": "public", "member": "poll", "said": "Polls.",
          "file": "include/rpmsg/bus/bus.hpp", "brief": "The bus."}
UNSAID = [
    ("class rpmsg::bus has no docstring", {"brief": ""}),
    ("concept rpmsg::bus has no docstring", {"kind": "concept", "brief": ""}),
    ("function rpmsg::bus::poll has no docstring", {"said": ""}),
    ("function rpmsg::poll has no docstring", {"kind": "namespace", "name": "rpmsg", "said": ""}),
]
# The files of a tree with a snippet and a table of names, and what is said when one of them is another.
SHOWN = "```cpp\n// tests/docs/a.cpp: one-thing\nint a;\n```\n"
SNIPPETS = {
    "tests/docs/a.cpp": "void f()\n{\n    // snippet: one-thing\n    int a;\n    // end\n}\n",
    "tests/docs/a.toml": 'document = "docs/from.md"\n"Calls" = ["c_call", "c_type", "c_type.member"]\n',
    "tests/meson.build": "unit_tests = files('docs/a.cpp')\n",
    "docs/from.md": "# Calls\n| C | here | see |\n| --- | --- | --- |\n"
                    "| `c_call`, `c_type.member` | `f` | [1](#one-thing) |\n"
                    "| `struct c_type` | no | [1](#one-thing) |\n"
                    "## One thing\n" + SHOWN,
}
UNSHOWN = [
    ("a.cpp: is not built by tests/meson.build", "tests/meson.build", "docs/a.cpp", "docs/b.cpp"),
    ("a.cpp: a snippet without `// end`", "tests/docs/a.cpp", "    // end\n", ""),
    ("a.cpp: has two snippets one-thing", "tests/docs/a.cpp", "    // end\n",
     "    // end\n// snippet: one-thing\n// end\n"),
    ("a.cpp: its snippet more is shown 0 times", "tests/docs/a.cpp", "    // end\n",
     "    // end\n// snippet: more\n// end\n"),
    ("a.cpp: its snippet one-thing is shown 2 times", "docs/from.md", SHOWN, SHOWN + SHOWN),
    ("shows tests/docs/a.cpp: one-thing, which says something else", "tests/docs/a.cpp", "int a;", "int b;"),
    ("shows tests/docs/a.cpp: gone, which does not exist", "docs/from.md", ": one-thing", ": gone"),
    ("Calls: c_type has no row", "docs/from.md", "| `struct c_type`", "| c_type"),
    ("Calls: c_type has 2 row", "docs/from.md", "`c_call`", "`c_call`, `c_type`"),
    ("Calls: c_other is not in tests/docs/a.toml", "docs/from.md", "`c_call`", "`c_call`, `c_other`"),
    ("Calls: the row of c_call has no snippet", "docs/from.md", "`f` | [1](#one-thing)", "`f` | "),
    ("Calls: the row of c_call has no snippet", "docs/from.md", "`f` | [1](#one-thing)", "`f` | [1](#calls)"),
    ("Calls: c_call has no row", "docs/from.md", "# Calls", "# Called"),
]
SAID = [{}, {"said": "", "prot": "private"}, {"said": "", "member": "operator="}, {"said": "", "member": "bus"},
        {"said": "", "name": "rpmsg::policy::no_doorbell", "file": "include/rpmsg/policy/doorbell.hpp"}]


def self_test():
    def complaints_about(readme, files=(), **compound):
        with tempfile.TemporaryDirectory() as folder:
            tree = pathlib.Path(folder)
            values = PUBLIC | compound
            for name, text in {
                "README.md": readme,
                "docs/a.md": "# A\n\n## Two words and `code`\n",
                "examples/01_here.cpp": "// Here.\nint main() {}\nint b;\n",
                values["file"]: "",
                "build/docs/xml/class_a.xml": COMPOUND.format(**values),
                **dict(files),
            }.items():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                (tree / name).write_text(text, encoding="utf-8")
            return [complaint for _, complaints in check(tree) for complaint in complaints]

    wrong = 0
    cases = [(expected, complaints_about(readme)) for expected, readme in BROKEN]
    cases += [(expected, complaints_about("", **compound)) for expected, compound in UNSAID]
    cases += [(None, complaints_about(SOUND, **compound)) for compound in SAID]
    for expected, name, before, after in [(None, "docs/from.md", "", ""), *UNSHOWN]:
        files = SNIPPETS | {name: SNIPPETS[name].replace(before, after, 1)}
        cases.append((expected, complaints_about("", files)))
    for expected, said in cases:
        if said if expected is None else not any(expected in line for line in said):
            wrong += 1
            print(f"expected {expected!r}, got {said}")
    print(f"{len(cases) - wrong} of {len(cases)} cases as expected")
    return wrong


def main(arguments):
    if arguments in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if arguments == ["--self-test"]:
        return 1 if self_test() else 0
    writes = arguments[:1] == ["--write"]
    trees = arguments[1:] if writes else arguments
    if len(trees) > 1 or (trees and not pathlib.Path(trees[0]).is_dir()):
        print("check_docs.py: takes --self-test, or at most one tree, or --write and at most one tree", file=sys.stderr)
        return 2
    tree = pathlib.Path(trees[0]) if trees else pathlib.Path(__file__).resolve().parent.parent
    if writes:
        for path in snippets.write(tree):
            print(f"wrote {path.relative_to(tree)}")
        return 0
    return 1 if report(tree) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
