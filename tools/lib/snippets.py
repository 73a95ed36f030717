"""Snippets: pieces of tests/docs/*.cpp that a text shows, each written once.

In the source a snippet stands between `// snippet: NAME` and `// end`. A text shows it in a C++ block that opens with
`// tests/docs/FILE.cpp: NAME`; `tools/check_docs.py --write` writes what follows. Tables of names: each
tests/docs/*.toml lists, by heading of a document, the names that have a row there. A row opens with its names in
backticks and ends with a link to the heading under which its snippet is.
"""
import re
import textwrap
import tomllib

SOURCES = "tests/docs"
IN_SOURCE = re.compile(r"^ *// snippet: (\S+)\n(.*?)^ *// end\n", re.M | re.S)
SHOWN = re.compile(rf"^```cpp\n// ({SOURCES}/\S+\.cpp): (\S+)\n(.*?)^```", re.M | re.S)
HEADING = re.compile(r"^(#+) (.*)$", re.M)
LINK_TO_SNIPPET = re.compile(r"\]\(#([^)]+)\)\s*\|$")


def in_source(text):
    """{name: lines} of one source, without the indentation that they have in common."""
    return {name: textwrap.dedent(lines) for name, lines in IN_SOURCE.findall(text)}


def in_tree(tree):
    """{(file, name): lines} of all sources."""
    return {(path.relative_to(tree).as_posix(), name): lines for path in sorted((tree / SOURCES).glob("*.cpp"))
            for name, lines in in_source(path.read_text(encoding="utf-8")).items()}


def texts(tree):
    return sorted([*tree.glob("*.md"), *(tree / "docs").rglob("*.md")])


def write(tree):
    """Writes every snippet that is shown anew. @return The files that changed."""
    known, changed = in_tree(tree), []
    for path in texts(tree):
        before = path.read_text(encoding="utf-8")
        after = SHOWN.sub(lambda shown: f"```cpp\n// {shown[1]}: {shown[2]}\n"
                                        f"{known.get(shown.groups()[:2], shown[3])}```", before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(path)
    return changed


def check_shown(tree):
    """What is wrong with the snippets themselves: each is compiled, shown once, and shown as it is."""
    known = in_tree(tree)
    sources = sorted((tree / SOURCES).glob("*.cpp"))
    built = (tree / "tests/meson.build").read_text(encoding="utf-8") if sources else ""
    for path in sources:
        file, text = path.relative_to(tree).as_posix(), path.read_text(encoding="utf-8")
        if f"'{file.removeprefix('tests/')}'" not in built:
            yield f"{file}: is not built by tests/meson.build"
        names = [name for name, _ in IN_SOURCE.findall(text)]
        if len(names) != len(re.findall(r"^ *// snippet:", text, re.M)):
            yield f"{file}: a snippet without `// end`"
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{file}: has two snippets {name}"
    times = dict.fromkeys(known, 0)
    for path in texts(tree):
        for file, name, lines in SHOWN.findall(path.read_text(encoding="utf-8")):
            if (file, name) not in known:
                yield f"{path.name}: shows {file}: {name}, which does not exist"
                continue
            times[file, name] += 1
            if lines != known[file, name]:
                yield f"{path.name}: shows {file}: {name}, which says something else: tools/check_docs.py --write"
    for (file, name), shown in times.items():
        if shown != 1:
            yield f"{file}: its snippet {name} is shown {shown} times"


def sections(text):
    """{heading: (text up to the next heading of any depth)}"""
    found = list(HEADING.finditer(text))
    ends = [heading.start() for heading in found[1:]] + [len(text)]
    return {heading[2]: text[heading.end():end] for heading, end in zip(found, ends)}


def rows(text):
    """(names, anchor of the snippet or None) of each table row that opens with a name."""
    for line in text.splitlines():
        if not line.startswith("| `"):
            continue
        first = line.strip("|").split("|", 1)[0]
        link = LINK_TO_SNIPPET.search(line.rstrip())
        yield re.findall(r"`(?:struct )?([^`]+)`", first), link and link[1]


def check_names(tree, slug):
    """What is wrong with the tables of names. @param slug  What a heading can be linked by."""
    for path in sorted((tree / SOURCES).glob("*.toml")):
        wanted = tomllib.loads(path.read_text(encoding="utf-8"))
        document = tree / wanted.pop("document")
        found = sections(document.read_text(encoding="utf-8"))
        with_snippet = {slug(heading) for heading, text in found.items() if SHOWN.search(text)}
        for heading, names in wanted.items():
            table = list(rows(found.get(heading, "")))
            said = [name for row, _ in table for name in row]
            for name in names:
                if said.count(name) != 1:
                    yield f"{document.name}: {heading}: {name} has {said.count(name) or 'no'} row"
            for name in said:
                if name not in names:
                    yield f"{document.name}: {heading}: {name} is not in {path.relative_to(tree)}"
            for row, anchor in table:
                if anchor not in with_snippet:
                    yield f"{document.name}: {heading}: the row of {row[0]} has no snippet"


def check(tree, slug):
    yield from check_shown(tree)
    yield from check_names(tree, slug)
