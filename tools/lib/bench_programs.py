"""Builds and runs the programs of benchmarks/."""
import json
import pathlib
import re
import subprocess
import sys

BUILD = pathlib.Path("build/bench")
COMPILE = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow",
           "-Werror"]
MESSAGES = {"burst16_copy_16": 16, "burst16_copy_16_rung_once": 16}  # in a step, where it is not one
STEPS = 2000
STEPS_AMONG_ENDPOINTS = 320  # to each of them: a multiple of the 16 buffers


def run(*command, **options):
    done = subprocess.run(command, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"tools/bench: {command[0]} failed with status {done.returncode}:\n{done.stderr or ''}")
    return done.stdout


def build(name, include):
    BUILD.mkdir(parents=True, exist_ok=True)
    run("g++", *COMPILE, f"-I{include}", f"benchmarks/{name}.cpp", "-lfmt", "-pthread", "-o", str(BUILD / name),
        stderr=subprocess.PIPE)


def compiler():
    return run("g++", "--version", stdout=subprocess.PIPE).splitlines()[0]


def two_cores(include, seconds):
    """What benchmarks/two_cores.cpp prints."""
    build("two_cores", include)
    return json.loads(run(BUILD / "two_cores", str(seconds), stdout=subprocess.PIPE))


def count(steps, *mode):
    """{name: instructions in `steps` steps}; the worst, where there are several of one name."""
    for old in BUILD.glob("callgrind.*"):
        old.unlink()
    names = run("valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*::measured(*",
                "--dump-before=*::dump_before(*", f"--callgrind-out-file={BUILD}/callgrind", BUILD / "instructions",
                str(steps), *mode, stdout=subprocess.PIPE, stderr=subprocess.PIPE).split()
    counted = {}
    for number, name in enumerate(names, 1):
        dump = (BUILD / f"callgrind.{number}").read_text(encoding="utf-8")
        counted[name] = max(counted.get(name, 0), int(re.search(r"^totals: (\d+)", dump, re.M)[1]))
    return counted


def per_message(steps, *mode):
    once, twice = count(steps, *mode), count(2 * steps, *mode)
    figures = {}
    for name in once:
        messages = steps * MESSAGES.get(name, 1)
        figure = (twice[name] - once[name]) / messages
        if abs(figure - once[name] / messages) > 0.1:
            sys.exit(f"tools/bench: {name} does not repeat: {once[name]} for {steps} steps, {twice[name]} for twice")
        figures[name] = round(figure, 1)
        if figures[name] == int(figures[name]):
            figures[name] = int(figures[name])
    return figures


def instructions(include):
    """{name: instructions per message}."""
    build("instructions", include)
    return per_message(STEPS)


def instructions_by_endpoints():
    """{address_slots: {number of endpoints: instructions per message to the worst of them}}, once they are built."""
    figures = {}
    for name, figure in per_message(STEPS_AMONG_ENDPOINTS, "endpoints").items():
        slots, number = re.fullmatch(r"slots_(\d+)/(\d+)", name).groups()
        figures.setdefault(slots, {})[number] = figure
    return figures
