"""Builds and runs the programs of benchmarks/. Run by tools/bench."""
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import budgets

BUILD = pathlib.Path("build/bench")
COMPILE = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow",
           "-Werror"]
IN_JSON = ["copy_16", "copy_496", "nocopy_16", "echo_16", "burst16_copy_16", "copy_16_100_endpoints"]
MESSAGES = {"burst16_copy_16": 16, "burst16_copy_16_rung_once": 16}  # in a step, where it is not one
STEPS = 2000

# In the same loop: OpenAMP v2026.04.0, generic, -O2 -DNDEBUG; rpmsg-lite v5.4.0 as it comes, and its best
# build (LTO, no assert, barriers that only the compiler sees).
BESIDE = {
    "copy_16": (837, 413, 261), "copy_64": (897, 414, 262), "copy_256": (1137, 432, 280),
    "copy_496": (1437, 479, 327), "copy_16_to_driver": (854, 417, 259), "nocopy_16": (746, 432, 245),
    "echo_16": (1698, 839, 527), "burst16_copy_16": (778, 356, 224), "copy_16_100_endpoints": (1827, 1007, 860),
}
SETUP = """Both roles in one thread over plain memory: 16 buffers of 512 bytes in each direction, one endpoint a side
with explicit addresses, sends that do not block, a receiver that counts, and a poll of the receiving side
after each step (burst16: after 16). 300 steps of warm-up, then {steps}; {steps} against {twice} agrees within
0.1. Board: doorbell one store to a mailbox, always_ring (nobody is asked, so no barrier); coherence smp;
address_map offset (one window, checked); inbound polled; else the defaults. (128 address_slots for the 100
endpoints, of which this is the worst.) echo: the receiver's result is the reply, copied."""


def run(*command, **options):
    done = subprocess.run(command, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"tools/bench: {command[0]} failed with status {done.returncode}:\n{done.stderr or ''}")
    return done.stdout


def build(name, include):
    BUILD.mkdir(parents=True, exist_ok=True)
    run("g++", *COMPILE, f"-I{include}", f"benchmarks/{name}.cpp", "-lfmt", "-pthread", "-o", str(BUILD / name),
        stderr=subprocess.PIPE)


def count(steps):
    """{name: instructions in `steps` steps}; the worst, where there are several of one name."""
    for old in BUILD.glob("callgrind.*"):
        old.unlink()
    names = run("valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*::measured(*",
                "--dump-before=*::dump_before(*", f"--callgrind-out-file={BUILD}/callgrind", BUILD / "instructions",
                str(steps), stdout=subprocess.PIPE, stderr=subprocess.PIPE).split()
    counted = {}
    for number, name in enumerate(names, 1):
        dump = (BUILD / f"callgrind.{number}").read_text(encoding="utf-8")
        counted[name] = max(counted.get(name, 0), int(re.search(r"^totals: (\d+)", dump, re.M)[1]))
    return counted


def instructions(include):
    """{name: instructions per message}."""
    build("instructions", include)
    once, twice = count(STEPS), count(2 * STEPS)
    figures = {}
    for name in once:
        messages = STEPS * MESSAGES.get(name, 1)
        per_message = (twice[name] - once[name]) / messages
        if abs(per_message - once[name] / messages) > 0.1:
            sys.exit(f"tools/bench: {name} does not repeat: {once[name]} for {STEPS} steps, {twice[name]} for twice")
        figures[name] = round(per_message, 1)
        if figures[name] == int(figures[name]):
            figures[name] = int(figures[name])
    return figures


def machine():
    cpus = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"^model name\s*: (.*)$", cpus, re.M)
    commit = shutil.which("git") and subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True,
                                                    text=True).stdout.strip()
    compiler = run("g++", "--version", stdout=subprocess.PIPE).splitlines()[0]
    return (f"machine   {model[1] if model else os.uname().machine}, {len(os.sched_getaffinity(0))} processors\n"
            f"compiler  {compiler}\nflags     {' '.join(COMPILE)} (no LTO)\ncommit    {commit or 'none'}\n")


def show(figures):
    print(machine())
    print(SETUP.format(steps=STEPS, twice=2 * STEPS))
    print(f"\nx86-64 instructions per message (echo: per round trip), beside the C libraries in the same loop:\n\n"
          f"  {'':27}{'this':>8}{'OpenAMP':>9}{'rpmsg-lite':>12}{'its best':>10}")
    for name, figure in figures.items():
        print(f"  {name:27}{figure:8}" + "".join(f"{other:>{width}}" for other, width in
                                                 itertools.zip_longest(BESIDE.get(name, ()), (9, 12, 10), fillvalue="")))


def main(options):
    include = options[options.index("--include") + 1] if "--include" in options else "include"
    if "--instructions" not in options:
        build("two_cores", include)
        print(machine(), flush=True)
        run(BUILD / "two_cores", options[options.index("--seconds") + 1])
        return 0
    figures = instructions(include)
    if "--json" in options:
        print(json.dumps({name: figures[name] for name in IN_JSON}))
    elif "--check" not in options:
        show(figures)
    if "--check" in options:
        over = budgets.excesses("", budgets.load("instructions"), figures)
        print("\n".join(over) or "instructions: within the budgets",
              file=sys.stderr if "--json" in options else sys.stdout)
        return 1 if over else 0
    return 0


sys.exit(main(sys.argv[1:]))
