#!/usr/bin/env python3
"""Checks what may include what, and what the core does without.

  tools/check_layers.py [TREE]       checks a tree (this one); status 1 when something is wrong
  tools/check_layers.py --self-test  breaks each rule in a tree of its own and sees the rule fire
"""
import os
import pathlib
import re
import sys
import tempfile

# A header includes its own layer and those before it.
LAYERS = ["top", "wire", "policy", "vring", "virtio", "name_service", "bus", "all", "platform", "testing"]
TOP_FILES = {"config.hpp": "top", "result.hpp": "top", "rpmsg.hpp": "all"}
CORE = LAYERS[: LAYERS.index("platform")]
APART = {"platform", "testing"}  # no other layer includes these, nor they each other

TOP_LEVEL = {"meson.build", "meson_options.txt", "include", "tests", "benchmarks", "examples", "docs", "tools",
             "README.md", "LICENSE", "CHANGELOG.md", "build"}  # and dot-files; build/ is not committed

LONGEST = 330  # "about 300"
LONG_FOR_A_REASON = {
    # "rpmsg/folder/header.hpp": "why it may be longer",
}

MACROS = re.compile(r"^\s*#\s*(define|undef|if|ifdef|ifndef|elif|elifdef|else|endif|include_next)\b", re.M)
FENCE = re.compile(r"\b(?:atomic_thread_fence|atomic_signal_fence|__atomic_thread_fence|__sync_synchronize)\b")
BARRIER = re.compile(r"\b(?:dmb|dsb)\b")  # in assembly, which stands in strings
NOT_IN_THE_CORE = {
    "virtual": r"\bvirtual\b",
    "new": r"\bnew\b(?!\s*\()|\bnothrow\b",  # placement new takes no memory
    "delete": r"(?<!=)(?<!= )\bdelete\b",
    "strlen": r"\bstrlen\s*\(",
    "strcmp": r"\bstrcmp\s*\(",
    "memset": r"\bmemset\s*\(",
    "std::ranges": r"\bstd\s*::\s*ranges\b",
    "std::views": r"\bstd\s*::\s*views\b",
    "source_location": r"\bsource_location\b",
}

COMMENT_OR_STRING = re.compile(r"""
      (?P<number> \b[0-9](?:'?[0-9A-Za-z_.])*)  # its digit separators open no string
    | //[^\n]* | /\*.*?\*/
    | (?P<string> R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)" | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])+')
    """, re.S | re.X)


def without(text, kept):
    """The text without comments and strings but with what is kept, and as many lines as before."""
    return COMMENT_OR_STRING.sub(
        lambda match: match.group() if match.lastgroup in kept else re.sub(r"[^\n]", " ", match.group()), text)


def without_comments(text):
    return without(text, {"number", "string"})


def without_strings(text):
    return without(text, {"number"})


def layer_of(header):
    """The layer of a path below include/rpmsg, or None for one that has no place there."""
    folder, _, _ = header.partition("/")
    return TOP_FILES.get(header) if folder == header else folder if folder in LAYERS else None


def freestanding_headers(config):
    """The headers that the comment in config.hpp lists."""
    listed, listing = set(), False
    for line in config.splitlines():
        listing = listing or "Freestanding headers" in line
        if listing and not line.lstrip().startswith("//"):
            break
        if listing:
            listed.update(re.findall(r"<([a-z_]+)>", line))
    return listed


class Header:
    """One header and what is wrong with it."""

    def __init__(self, root, path, freestanding):
        self.name = path.relative_to(root).as_posix()  # below include/rpmsg
        self.root = root
        self.path = path
        self.layer = layer_of(self.name)
        self.freestanding = freestanding
        self.text = path.read_text(encoding="utf-8")
        self.complaints = []

    def complain(self, position, what):
        self.complaints.append(f"rpmsg/{self.name}:{self.text.count(chr(10), 0, position) + 1}: {what}")

    def check(self):
        if self.layer is None:
            self.complain(0, "is in no layer")
            return
        code = without_comments(self.text)
        self.check_length()
        self.check_includes(code)
        self.check_macros(code)
        self.check_fences(code)
        if self.layer in CORE:
            self.check_core(without_strings(self.text))

    def check_length(self):
        lines = len(self.text.splitlines())
        if lines > LONGEST and f"rpmsg/{self.name}" not in LONG_FOR_A_REASON:
            self.complain(len(self.text) - 1, f"{lines} lines: more than {LONGEST}")

    def check_includes(self, code):
        for include in re.finditer(r'^\s*#\s*include\s*(<rpmsg/|"|<)([^>"]+)[>"]', code, re.M):
            opened, named = include.groups()
            if opened == "<":
                if self.layer in CORE and self.freestanding and named not in self.freestanding:
                    self.complain(include.start(2), f"<{named}> is not among the freestanding headers of config.hpp")
                continue
            target = named if opened != '"' else os.path.relpath(
                os.path.normpath(self.path.parent / named), self.root)
            there = layer_of(pathlib.PurePath(target).as_posix())
            if there is None or not (self.root / target).is_file():
                self.complain(include.start(2), f"there is no rpmsg/{target}")
            elif there != self.layer and (there in APART or LAYERS.index(there) > LAYERS.index(self.layer)):
                self.complain(include.start(2), f"{self.layer} may not include {there} (rpmsg/{target})")

    def check_macros(self, code):
        if self.name != "config.hpp":
            for macro in MACROS.finditer(code):
                self.complain(macro.start(1), f"#{macro.group(1)} outside config.hpp")
        if not re.match(r"#pragma once\n", self.text):
            self.complain(0, "does not open with #pragma once")

    def check_fences(self, code):
        if self.name in ("config.hpp", "policy/coherence.hpp") or self.layer == "platform":
            return
        for pattern in (FENCE, BARRIER):
            for fence in pattern.finditer(code):
                self.complain(fence.start(), f"{fence.group()} outside policy/coherence.hpp")

    def check_core(self, code):
        for name, pattern in NOT_IN_THE_CORE.items():
            for use in re.finditer(pattern, code):
                if name == "delete" and re.search(r"=\s*$", code[: use.start()]):
                    continue  # a deleted function
                self.complain(use.start(), f"{name} in the core")


def check_headers(tree):
    """Yields (name, complaints) for each header."""
    root = tree / "include" / "rpmsg"
    config = root / "config.hpp"
    freestanding = freestanding_headers(config.read_text(encoding="utf-8")) if config.is_file() else set()
    yield "rpmsg/config.hpp lists the freestanding headers", \
        [] if freestanding else ["rpmsg/config.hpp: no comment lists the 'Freestanding headers'"]
    for path in sorted(root.rglob("*.hpp")):
        header = Header(root, path, freestanding)
        header.check()
        yield f"rpmsg/{header.name}", header.complaints


def check_tree(tree):
    """Yields (name, complaints) for what is in the wrong place, or built by nobody."""
    stray = [entry for entry in sorted(os.listdir(tree)) if entry not in TOP_LEVEL and not entry.startswith(".")]
    yield "top level", [f"{entry}: does not belong in the top directory" for entry in stray]

    for folder, files in (("tests", "**/*.cpp"), ("examples", "*.cpp"), ("benchmarks", "*.cpp")):
        build = tree / folder / "meson.build"
        listed = build.read_text(encoding="utf-8") if build.is_file() else ""
        unlisted = []
        for path in sorted((tree / folder).glob(files)):
            name = path.relative_to(tree / folder).as_posix()
            if name.startswith(("fail/", "instructions/", "support/")):
                continue  # found by themselves, or listed where they are used
            if f"'{name}'" not in listed and f"'{name.removesuffix('.cpp')}'" not in listed:
                unlisted.append(f"{folder}/{name}: not listed in {folder}/meson.build")
        yield f"{folder}/meson.build lists every file", unlisted


def check(tree):
    yield from check_headers(tree)
    yield from check_tree(tree)


def report(tree):
    tally = open(os.environ["RPMSG_TALLY"], "a", encoding="utf-8") if "RPMSG_TALLY" in os.environ else None
    wrong = 0
    for name, complaints in check(tree):
        wrong += len(complaints)
        for complaint in complaints:
            print(f"  {complaint}")
        if tally:
            print("fail" if complaints else "pass", f"layers: {name}", sep="\t", file=tally)
    return wrong


CONFIG = "#pragma once\n// Freestanding headers\n//   <array> <atomic>\n//   <cstdint>\n#if 1\n#define X\n#endif\n"
# What each rule must say, and a header that breaks it: (path below include/rpmsg, what follows the guard).
BROKEN = [
    ("is in no layer", "queue/ring.hpp", ""),
    ("is in no layer", "stray.hpp", ""),
    ("wire may not include vring", "wire/a.hpp", "#include <rpmsg/vring/split.hpp>\n"),
    ("wire may not include vring", "wire/a.hpp", '#include "../vring/split.hpp"\n'),
    ("name_service may not include bus", "name_service/a.hpp", "#include <rpmsg/bus/bus.hpp>\n"),
    ("bus may not include all", "bus/a.hpp", "#include <rpmsg/rpmsg.hpp>\n"),
    ("all may not include platform", "rpmsg.hpp", "#include <rpmsg/platform/model.hpp>\n"),
    ("testing may not include platform", "testing/a.hpp", "#include <rpmsg/platform/model.hpp>\n"),
    ("platform may not include testing", "platform/a.hpp", "#include <rpmsg/testing/double.hpp>\n"),
    ("there is no rpmsg/wire/gone.hpp", "wire/a.hpp", "#include <rpmsg/wire/gone.hpp>\n"),
    ("<string> is not among the freestanding", "bus/a.hpp", "#include <string>\n"),
    ("<string.h> is not among the freestanding", "bus/a.hpp", "#include <string.h>\n"),
    ("331 lines", "wire/a.hpp", "//\n" * 330),
    ("#define outside config.hpp", "testing/a.hpp", "#define A 1\n"),
    ("#ifdef outside config.hpp", "platform/a.hpp", "# ifdef A\n# endif\n"),
    ("does not open with #pragma once", "wire/a.hpp", None),
    ("atomic_thread_fence outside", "vring/a.hpp", "std::atomic_thread_fence(std::memory_order_seq_cst);\n"),
    ("atomic_signal_fence outside", "testing/a.hpp", "std::atomic_signal_fence(std::memory_order_seq_cst);\n"),
    ("dmb outside", "bus/a.hpp", 'asm volatile("dmb sy");\n'),
    ("dsb outside", "policy/a.hpp", 'asm volatile("dsb st" ::: "memory");\n'),
    ("virtual in the core", "policy/a.hpp", "struct a { virtual void f(); };\n"),
    ("new in the core", "bus/a.hpp", "auto a = new int;\n"),
    ("new in the core", "bus/a.hpp", "auto a = new (std::nothrow) int;\n"),
    ("delete in the core", "bus/a.hpp", "void f(int* a) { delete a; }\n"),
    ("strlen in the core", "wire/a.hpp", "auto a = std::strlen(b);\n"),
    ("strcmp in the core", "wire/a.hpp", "auto a = strcmp (b, c);\n"),
    ("memset in the core", "wire/a.hpp", "std::memset(b, 0, 4);\n"),
    ("std::ranges in the core", "bus/a.hpp", "std::ranges::fill(b, 0);\n"),
    ("std::views in the core", "bus/a.hpp", "auto a = b | std::views::reverse;\n"),
    ("source_location in the core", "bus/a.hpp", "auto a = std::source_location::current();\n"),
]
SOUND = [
    ("wire/a.hpp", "#include <cstdint>\n#include <rpmsg/result.hpp>\n#include \"b.hpp\"\n"),
    ("wire/b.hpp", "struct a { a(const a&) = delete; void operator=(const a&) =delete; };\n"),
    ("policy/coherence.hpp", 'asm("dmb sy"); std::atomic_thread_fence(std::memory_order_seq_cst);\n'),
    ("policy/a.hpp", '// #define a virtual new dmb\n/* new\n#if 1 */ auto a = "virtual new delete // std::ranges";\n'),
    ("bus/a.hpp", "auto a = ::new (place) int; int new_size = 0xFFFF'FFFF, virtuals = '\\'';  // peer's new\n"),
    ("platform/a.hpp", "#include <vector>\n#include <rpmsg/rpmsg.hpp>\nstruct a { virtual ~a(); };\n"),
    ("testing/a.hpp", "#include <deque>\n#include <rpmsg/bus/bus.hpp>\nauto a = new int;\n"),
    ("rpmsg.hpp", "#include <rpmsg/bus/bus.hpp>\n#include <rpmsg/config.hpp>\n"),
    ("wire/long.hpp", "//\n" * 299),
]
PLAIN = ["result.hpp", "vring/split.hpp", "bus/bus.hpp", "rpmsg.hpp", "platform/model.hpp", "testing/double.hpp"]


def self_test():
    def complaints_about(files):
        with tempfile.TemporaryDirectory() as folder:
            tree = pathlib.Path(folder)
            for name, text in files.items():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                (tree / name).write_text(text, encoding="utf-8")
            return [complaint for _, complaints in check(tree) for complaint in complaints]

    base = {f"include/rpmsg/{name}": "#pragma once\n" for name in PLAIN} | {"include/rpmsg/config.hpp": CONFIG}
    cases = [(expected, {f"include/rpmsg/{path}": "" if body is None else f"#pragma once\n{body}"})
             for expected, path, body in BROKEN]
    cases += [
        ("no comment lists the 'Freestanding", {"include/rpmsg/config.hpp": "#pragma once\n"}),
        ("does not belong in the top directory", {"notes.txt": ""}),
        ("tests/wire/a.cpp: not listed", {"tests/wire/a.cpp": "", "tests/meson.build": "'wire/b.cpp'"}),
        ("examples/01_a.cpp: not listed", {"examples/01_a.cpp": "", "examples/meson.build": "'02_b'"}),
    ]
    wrong = 0
    for expected, files in cases:
        said = complaints_about(base | files)
        if not any(expected in line for line in said):
            wrong += 1
            print(f"expected {expected!r} of {sorted(files)}, got {said}")
    said = complaints_about(
        base | {f"include/rpmsg/{path}": f"#pragma once\n{body}" for path, body in SOUND}
        | {"tests/wire/a.cpp": "", "tests/fail/a.cpp": "", "tests/meson.build": "'wire/a.cpp',",
           "examples/01_a.cpp": "", "examples/meson.build": "'01_a',", ".gitignore": "", "README.md": ""})
    if said:
        wrong += 1
        print(f"a sound tree is refused: {said}")
    print(f"{len(cases) + 1 - wrong} of {len(cases) + 1} cases as expected")
    return wrong


def main(arguments):
    if arguments in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if arguments == ["--self-test"]:
        return 1 if self_test() else 0
    if len(arguments) > 1 or (arguments and not pathlib.Path(arguments[0], "include", "rpmsg").is_dir()):
        print("check_layers.py: takes at most one argument: --self-test, or a tree with include/rpmsg", file=sys.stderr)
        return 2
    tree = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parent.parent
    return 1 if report(tree) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
