#!/usr/bin/env python3
"""Checks what the models for chips are compiled to: every access, its width, its order.

  tools/lib/instructions.py [FILE...]    checks tests/instructions/*.cpp (or these); status 1 if one is not as expected
  tools/lib/instructions.py --self-test  gives wrong expectations and sees that they are refused

A file names its targets, `// TARGETS: cortex-m0 cortex-m4`. Above each of its extern "C" functions stands
`// EXPECT: dsb sy | str r\\d, .*`: regular expressions that its instructions match one by one, all of them. Those that
only compute, branch, or save registers on the stack are not counted. Each file is compiled with -Os and with -O2.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
ARM = ["arm-none-eabi-g++"]
RISCV = ["riscv64-unknown-elf-g++", "-misa-spec=2.2", "-mcmodel=medany"]
TARGETS = {
    **{core: ARM + ["-mthumb", f"-mcpu={core}"]
       for core in ("cortex-m0", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33")},
    "cortex-r5": ARM + ["-marm", "-mcpu=cortex-r5", "-mfloat-abi=soft"],
    "cortex-r5-thumb": ARM + ["-mthumb", "-mcpu=cortex-r5", "-mfloat-abi=soft"],
    "cortex-a53": ["aarch64-linux-gnu-g++", "-mcpu=cortex-a53", "-mgeneral-regs-only", "-mno-outline-atomics",
                   "-fno-pic"],
    "rv32imac": RISCV + ["-march=rv32imac", "-mabi=ilp32"],
    "rv64imac": RISCV + ["-march=rv64imac", "-mabi=lp64"],
}
FLAGS = ["-std=c++20", "-ffreestanding", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Wpedantic",
         "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Werror", f"-I{TOP}/include", "-c"]

# What computes, branches or keeps registers: not an access, a barrier or a mask.
BORING = re.compile(r"""
    (mov|mvn|add|sub|rsb|cmp|cmn|tst|and|orr|bic|eor|lsl|lsr|asr|uxt|sxt|ubfx|bfi|bfc|adr|li\b|lui|auipc|sll|srl|sra|slt
      |snez|seqz|not\b|neg|mv\b|or\b|ori|xor|bx|b\b|b[a-z]{2}\b|b\.|cb|tb|bl|j\b|jr|jal|ret|nop
      |it[te]*\b|csel|cset|c\.nop
      |beqz|bnez|bltu|bgeu|sext|zext|push|pop|stp|ldp|stm|ldm|call|tail|vpush|vpop)
  | (ldr|str)(\.w)?\s.*\[(sp|pc)\b  # registers that are saved, and constants
  | (ldr|str)\s.*\bsp\b | [ls][wd]\s.*\(sp\)
    """, re.X)


def borrowed_headers():
    """Debian has no C++ library for bare RISC-V: the headers of the same compiler for Arm will do."""
    said = subprocess.run([*TARGETS["cortex-m33"], "-x", "c++", "-v", "-E", os.devnull],
                          capture_output=True, text=True, check=True).stderr
    listed = said.partition("#include <...> search starts here:")[2].partition("End of search list")[0].split()
    return [flag for path in listed if "/c++/" in path or path.rstrip("/").endswith("include/newlib")
            for flag in ("-isystem", path)]


def disassembled(target, optimisation, source, folder):
    """{function: its instructions}."""
    command = TARGETS[target]
    borrowed = ["-nostdinc++", *borrowed_headers()] if command[0] == RISCV[0] else []
    binary = pathlib.Path(folder, "object.o")
    built = subprocess.run([*command, *FLAGS, *borrowed, optimisation, str(source), "-o", str(binary)],
                           capture_output=True, text=True, check=False)
    if built.returncode:
        raise RuntimeError(built.stderr.strip()[:2000])
    dump = command[0].replace("g++", "objdump")
    text = subprocess.run([dump, "-d", "--no-show-raw-insn", str(binary)],
                          capture_output=True, text=True, check=True).stdout
    functions, name = {}, ""
    for line in text.splitlines():
        if opened := re.match(r"[0-9a-f]+ <(\w+)>:", line):
            name = opened.group(1)
            functions[name] = []
        elif code := re.match(r"\s+[0-9a-f]+:\s+(.*)", line):
            plain = re.sub(r"\s*(;|@|//|#\s).*|\s*<.*", "", code.group(1))
            functions[name].append(re.sub(r",\s*", ", ", re.sub(r"\s+", " ", plain)).strip())
    return functions


def expectations(text):
    """(function, its expressions) of a file."""
    for expected, declared in re.findall(r"^// EXPECT: (.*)\n(.*)", text, re.M):
        yield re.search(r"(\w+)\(", declared).group(1), [one.strip() for one in expected.split(" | ")]


def complaint(expected, instructions):
    """What is wrong with a function, or None."""
    telling = [one for one in instructions if not BORING.match(one) and not one.startswith(".")]
    if len(telling) == len(expected) and all(map(re.fullmatch, expected, telling)):
        return None
    return f"expected {' | '.join(expected)}\n    but it is {' | '.join(telling)}"


def check(source):
    """Yields (name, complaint or None) for each function of a file, target and optimisation."""
    text = source.read_text(encoding="utf-8")
    wanted = dict(expectations(text))
    targets = re.search(r"^// TARGETS: (.*)", text, re.M).group(1).split()
    declared = text.count("// EXPECT:")
    with tempfile.TemporaryDirectory() as folder:
        for target in targets:
            for optimisation in ("-Os", "-O2"):
                name = f"{source.name} for {target} {optimisation}"
                try:
                    functions = disassembled(target, optimisation, source, folder)
                except RuntimeError as why:
                    yield name, str(why)
                    continue
                unexpected = sorted(set(functions) - set(wanted))
                as_expected = not unexpected and declared == len(wanted)
                yield name, None if as_expected else f"nothing is expected of {unexpected}"
                for function, expected in wanted.items():
                    yield f"{function} in {name}", complaint(expected, functions.get(function, []))


def report(sources):
    tally = open(os.environ["RPMSG_TALLY"], "a", encoding="utf-8") if "RPMSG_TALLY" in os.environ else None
    wrong = 0
    for source in sources:
        for name, why in check(source):
            if why:
                wrong += 1
                print(f"  {name}: {why}")
            if tally:
                print("fail" if why else "pass", f"instructions: {name}", sep="\t", file=tally)
    return wrong


SOURCE = """// TARGETS: cortex-m4
#include <rpmsg/platform/mmio.hpp>
using rpmsg::platform::mmio;
extern "C" {
// EXPECT: %s
void f(unsigned value) { %s }
}
"""
WRITES = "mmio::memory_before_write(); mmio::write(0x40000000, value);"
SOUND = (r"dsb sy | str r0, \[r3(, #0)?\]", WRITES)
BROKEN = [
    (r"str r0, \[r3(, #0)?\] | dsb sy", WRITES),  # another order
    (r"dsb sy | strb r0, \[r3(, #0)?\]", WRITES),  # another width
    (r"dsb sy", WRITES),  # one more
    (r"dsb sy | str r0, \[r3(, #0)?\] | isb sy", WRITES),  # one less
    (SOUND[0], WRITES + " } void g() { __asm__(\"wfi\");"),  # a function of which nothing is expected
    (SOUND[0], "gone();"),  # does not compile
]


def self_test():
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "a.cpp")
        for expected, body in [SOUND, *BROKEN]:
            source.write_text(SOURCE % (expected, body), encoding="utf-8")
            refused = any(why for _, why in check(source))
            if refused == ((expected, body) == SOUND):
                wrong += 1
                print(f"{'refused' if refused else 'not refused'}: {expected} of {body}")
    print(f"{len(BROKEN) + 1 - wrong} of {len(BROKEN) + 1} cases as expected")
    return wrong


def main(arguments):
    if arguments in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 0
    if arguments == ["--self-test"]:
        return 1 if self_test() else 0
    sources = [pathlib.Path(name) for name in arguments] or sorted((TOP / "tests" / "instructions").glob("*.cpp"))
    return 1 if report(sources) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
