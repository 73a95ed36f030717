#!/usr/bin/env python3
"""Compares what `rpmsg --help` tells of with its manual and its completion.

    tool_help.py manual PROGRAM tools/rpmsg/rpmsg.1
    tool_help.py completion PROGRAM tools/rpmsg/rpmsg.bash

Prints each option that one has and the other has not; the status is then 1.
"""

import re
import subprocess
import sys

OPTION = re.compile(r"^  (?:-\w,)?(--[a-z-]+)", re.M)


def help_of(program, *command):
    return subprocess.run([program, *command, "--help"], check=True, capture_output=True, text=True).stdout


def commands_of(program):
    listed = re.findall(r"^  ([a-z]+) ", help_of(program).split("\nSubcommands:\n")[1], re.M)
    assert len(listed) > 3, listed
    return listed


def options_of(program, *command):
    return set(OPTION.findall(help_of(program, *command)))


def manual(program, path):
    """Each command's options stand under its own heading, or under the one of what several have in common."""
    wrong = []
    sections = {}
    for part in re.split(r"^\.S[sh] ", open(path).read(), flags=re.M)[1:]:
        title, _, body = part.partition("\n")
        sections[title] = {"-" + option for option in re.findall(r"^\.It Fl (-[a-z-]+)", body, re.M)}
    text = open(path).read()
    common = sections["Which way"]
    seen = {"--help"}
    for command in commands_of(program):
        if f".It Cm {command}\n" not in text:
            wrong.append(f"the manual does not tell of {command}")
        there = options_of(program, command) - {"--help"}
        own = sections.pop(f"Options of {command}", set())
        wrong += [f"the manual does not tell of {command} {o}" for o in sorted(there - own - common)]
        wrong += [f"the manual tells of {command} {o}, which is not there" for o in sorted(own - there)]
        seen |= there
    wrong += [f"the manual tells of {o}, which is not there" for o in sorted(common - seen)]
    wrong += [f"the manual has a section '{t}' of no command" for t in sections if t.startswith("Options of ")]
    return wrong


def complete(program, script, *words):
    """What bash offers for the last of the words."""
    line = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); ' \
        '_rpmsg "$1" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}" && printf "%s\\n" "${COMPREPLY[@]}"'
    out = subprocess.run(["bash", "-euc", line, "-", script, program, *words],
                         check=True, capture_output=True, text=True)
    if out.stderr:
        raise SystemExit(out.stderr)
    return set(out.stdout.split())


def completion(program, script):
    wrong = []

    def compare(words, expected):
        offered = complete(program, script, *words)
        if offered != expected:
            wrong.append(f"{' '.join(words)}: offered {sorted(offered)} instead of {sorted(expected)}")

    commands = commands_of(program)
    compare([""], set(commands))
    compare(["pi"], {"ping"})
    compare(["--"], options_of(program))
    for command in commands:
        compare([command, "--"], options_of(program, command))
    compare(["ping", "--cou"], {"--count"})
    compare(["ping", "--count", ""], set())
    compare(["ping", "name", "--link", "tools/rpmsg/rpmsg.b"], {"tools/rpmsg/rpmsg.bash"})
    compare(["serve", "tools/rpmsg/rpmsg.b"], {"tools/rpmsg/rpmsg.bash"})
    compare(["list", "--root", "tools/rpms"], {"tools/rpmsg"})
    if "true" not in complete(program, script, "serve", "socket", "--exec", "tru"):
        wrong.append("no commands are offered behind --exec")
    return wrong


def main():
    what, program, path = sys.argv[1:]
    wrong = {"manual": manual, "completion": completion}[what](program, path)
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
