"""Builds tests/target/ for each processor that QEMU has alone on a board, and runs it there. Run by the suite on_target.

  target_tests.py              all machines; each is a check, added to $RPMSG_TALLY
  target_tests.py TARGET...    these
  target_tests.py --self-test  a wrong check, a fault, a lockup and a hang are failures
"""
import concurrent.futures
import os
import pathlib
import re
import sys

import on_target
from targets import STRICT, run

SOURCES = pathlib.Path("tests/target")
BUILD = pathlib.Path("build/on_target")
TESTS = ["main", "wire", "layout", "vring", "bus"]
OPTIONS = ["-std=c++20", "-Os", "-ffreestanding", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
           "-ffunction-sections", "-fdata-sections", *STRICT, "-Iinclude", "-Itests"]


def compiled(target, source, name=None):
    made = BUILD / target.name / f"{name or source.stem}.o"
    made.parent.mkdir(parents=True, exist_ok=True)
    extra = ["-fno-tree-loop-distribute-patterns"] if source.stem in ("memory", "start") else []
    run(target.gxx, *target.compiling(), *OPTIONS, *extra, "-c", str(source), "-o", str(made))
    return made


def linked(machine, name, objects):
    target = machine.processor
    support = [compiled(target, pathlib.Path(f"benchmarks/size/{name}.cpp")) for name in ("start", "memory")]
    return on_target.link(machine, BUILD / target.name / f"{name}.elf", [*objects, *support], "-nodefaultlibs", "-lgcc")


def failure(status, said):
    """Why a run is none that passed, or nothing. A program has to say that it came to its end."""
    last = (said.splitlines() or [""])[-1]
    if status == 124:
        return f"hangs: stopped after {on_target.LIMIT} s"
    if status != 0:
        return f"ended with status {status}"
    if not re.fullmatch(r"[1-9]\d* passed, 0 failed", last):
        return "did not come to its end"
    return None


def test(machine):
    objects = [compiled(machine.processor, SOURCES / f"{name}.cpp") for name in TESTS]
    status, said = on_target.execute(machine, linked(machine, "tests", objects))
    return failure(status, said), said


def check(names):
    good = True
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, job in {name: pool.submit(test, on_target.MACHINES[name]) for name in names}.items():
            try:
                why, said = job.result()
            except RuntimeError as error:
                why, said = "was not built", "\n".join(str(error).splitlines()[:20])
            count = (said.splitlines() or [""])[-1].split(",")[0]
            label = f"on_target {name} ({on_target.MACHINES[name].short_name})" + ("" if why else f": {count}")
            if "RPMSG_TALLY" in os.environ:
                with open(os.environ["RPMSG_TALLY"], "a", encoding="utf-8") as tally:
                    tally.write(f"{'fail' if why else 'pass'}\t{label}\n")
            print(f"  {'FAILED: ' if why else ''}{label}{f': {why}' if why else ''}")
            if why:
                print("\n".join(f"    {line}" for line in said.splitlines()[-20:]))
                good = False
    return good


# What has to be noticed: the program, and what is said of it.
BAD = {
    "a check that fails": ('CHECK(1 + 1 == 3);', "ended with status 1"),
    "a fault": ("*reinterpret_cast<volatile int*>(0xF000'0000) = 1;", "ended with status 1"),
    "a lockup": ('asm volatile("cpsid i\\n\\tcpsid f\\n\\tudf #0");', "ended with status"),
    "a hang": ("for (;;) asm volatile(\"wfi\");", "hangs"),
    "an early end": ("target::finish(0);", "did not come to its end"),
}


def self_test():
    machine = on_target.MACHINES["cortex-m3"]
    on_target.LIMIT = 3
    silent = 0
    for what, (code, wanted) in BAD.items():
        source = BUILD / "self_test.cpp"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text('#include "target/check.hpp"\nint main()\n{\n    ' + code + "\n"
                          '    target::say("1 passed, 0 failed\\n");\n    target::finish(target::failed == 0 ? 0 : 1);\n}\n',
                          encoding="utf-8")
        status, said = on_target.execute(machine, linked(machine, "self_test", [compiled(machine.processor, source)]))
        found = failure(status, said)
        if found is None or not found.startswith(wanted):
            print(f"on_target: {what} is not noticed: {found}, {said}")
            silent += 1
    return silent


def main(arguments):
    if arguments == ["--self-test"]:
        return 1 if self_test() else 0
    return 0 if check(arguments or list(on_target.MACHINES)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
