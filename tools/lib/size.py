"""Builds the images of benchmarks/size/ and says how large they are. Run by tools/size."""
import concurrent.futures
import json
import os
import pathlib
import re
import sys

import budgets
import on_target
from targets import TARGETS, run

SOURCES = pathlib.Path("benchmarks/size")
BUILD = pathlib.Path("build/size")
LANGUAGE = ["-std=c++20", "-Os"]
COMMON = ["-ffunction-sections", "-fdata-sections", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Werror"]
IMAGES = {"device": ["device", "table"], "driver": ["driver", "table"], "both": ["both", "table"], "empty": ["empty"]}
ROLES = ["device", "driver", "both"]
PARTS = {".text": "text", ".rodata": "rodata", ".exidx": "rodata", ".data": "data", ".bss": "bss"}
DETAILED = "cortex-m4"  # the one with the budgets, and with the C libraries beside it

# (library, role): flash (text, rodata, data) with its share of libc, and RAM. The same application, compiler
# and options; OpenAMP v2026.04.0 without asserts and with only that role, rpmsg-lite v5.4.0 as it comes.
BESIDE = {
    "OpenAMP": {"device": (4444, 832), "driver": (5032, 844), "both": (5716, 1580)},
    "OpenAMP, LTO": {"device": (4040, 796), "driver": (4548, 812), "both": (5232, 1548)},
    "rpmsg-lite": {"device": (2448, 444), "driver": (2880, 492), "both": (3580, 788)},
    "rpmsg-lite, LTO, no assert": {"device": (1712, 440), "driver": (2096, 488), "both": (2664, 784)},
}


def compiling(target):
    return [*LANGUAGE, *target.compiling(), *COMMON]


def linking(target):
    # The C driver: g++ would want a libstdc++, of which nothing is used.
    libc = ["--specs=nano.specs", "--specs=nosys.specs"] if has_libc(target) else ["-nodefaultlibs", "-static"]
    return [*target.options, *libc, "-nostartfiles", "-Wl,--gc-sections"]


def has_libc(target):
    """Whether Debian has a small one; else memory.cpp is what the image has of it."""
    return target.prefix == "arm-none-eabi-"


def compiled(target, source, include):
    # Start-up comes before memcpy and its kind: its loops stay loops.
    extra = ["-fno-tree-loop-distribute-patterns"] if source in ("start", "memory") else []
    made = BUILD / target.name / f"{source}.o"
    made.parent.mkdir(parents=True, exist_ok=True)
    run(target.gxx, *compiling(target), *extra, f"-I{include}", "-Itests", "-c", str(SOURCES / f"{source}.cpp"),
        "-o", str(made))
    return str(made)


def build(target, include):
    """The images of a target, and what they take: role -> bytes of each part."""
    names = ["start", *sorted({name for names in IMAGES.values() for name in names})]
    objects = {name: compiled(target, name, include) for name in names}
    where = BUILD / target.name
    entry = where / "entry.o"
    run(target.gxx, *(compiling(target) if target.entry.endswith(".cpp") else target.options), "-c",
        str(SOURCES / "entry" / target.entry), "-o", str(entry))
    library = [] if has_libc(target) else [compiled(target, "memory", include), "-lgcc", "-Wl,--build-id=none"]
    for image, of_image in IMAGES.items():
        run(target.gcc, *linking(target), "-Wl,--no-warn-rwx-segments", "-T", str(SOURCES / "image.ld"), str(entry),
            objects["start"], *(objects[name] for name in of_image), *library, "-o", str(where / f"{image}.elf"),
            f"-Wl,-Map={where / image}.map")
    empty = sections(where / "empty.map")
    return {role: {part: bytes_ - empty[part] for part, bytes_ in sections(where / f"{role}.map").items()}
            for role in ROLES}


def sections(path):
    """Bytes of text, rodata, data and bss, and of them what libraries gave, from the linker's map."""
    size = dict.fromkeys([*PARTS.values(), "libc"], 0)
    text = path.read_text(encoding="utf-8").split("Linker script and memory map")[1]
    part = None
    # A name too long for its column has its figures on the next line.
    for line in re.sub(r"\n( ?\.\S+)\n +0x", r"\n\1 0x", text).splitlines():
        if heading := re.match(r"(\.\S+)(?:\s+0x[0-9a-f]+\s+(0x[0-9a-f]+))?", line):
            part = PARTS.get(heading[1])
            if part:
                size[part] += int(heading[2] or "0", 16)
        elif part and (piece := re.match(r" \S+\s+0x[0-9a-f]+\s+(0x[0-9a-f]+)\s+\S*(?:\.a\(|/memory\.o)", line)):
            size[part] -= int(piece[1], 16)
            size["libc"] += int(piece[1], 16)
    return size


def measure(names, include):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {name: pool.submit(build, TARGETS[name], include) for name in names}
        return {name: job.result() for name, job in jobs.items()}


def symbols(target, image, how_many):
    lines = run(f"{target.prefix}nm", "--print-size", "--size-sort", "--reverse-sort", "--demangle",
                str(BUILD / target.name / f"{image}.elf")).splitlines()
    for line in lines[:how_many]:
        _, size, _, name = line.split(" ", 3)
        depth, short = 0, ""
        for character in name:  # without template arguments and parameters
            depth -= character in ">)"
            short += character if depth == 0 and character not in ">)" else ""
            depth += character in "<("
        yield int(size, 16), re.sub(r"[<(]", "", short).replace("rpmsg::", "")


def board():
    """What the measured board states, from its source."""
    body = re.search(r"^struct board .*?^};", (SOURCES / "board.hpp").read_text(encoding="utf-8"), re.M | re.S)[0]
    named = re.findall(r"^ +(?:struct|using|static constexpr .*?) ?(\w+)(?: :| =|\{\})", body, re.M)
    return [name for name in named if name != "board"]


def flash(size):
    return size["text"] + size["rodata"] + size["data"]


def ram(size):
    return size["data"] + size["bss"]


def show(measured):
    print("The minimal echo image with name service (announce, bind, relink) less the same image without the\n"
          "library, in bytes; libc apart; without vrings, buffers and the resource table (88 in shared memory).")
    print(f"What the board states, else the defaults: {', '.join(board())}.\n")
    for compiler in sorted({TARGETS[name].gxx for name in measured}):
        print(f"  {run(compiler, '--version').splitlines()[0]}")
    for name in measured:
        target = TARGETS[name]
        print(f"  {name}: {' '.join(target.options)}")
    print(f"  compiled with {' '.join(LANGUAGE + COMMON)}")
    print("  libc: newlib-nano on Arm, benchmarks/size/memory.cpp elsewhere; and libgcc\n")
    print(f"  {'':12}{'':8}{'text':>6}{'rodata':>8}{'data':>6}{'bss':>6}{'libc':>6}{'flash':>9}{'RAM':>6}")
    for name, sizes in measured.items():
        for role, size in sizes.items():
            print(f"  {name if role == ROLES[0] else '':12}{role:8}{size['text']:6}{size['rodata']:8}{size['data']:6}"
                  f"{size['bss']:6}{size['libc']:6}{flash(size):9}{ram(size):6}")


def show_details(target, sizes):
    print(f"\n{target.name} beside the C libraries, flash with libc / RAM:\n")
    print(f"  {'':28}" + "".join(f"{role:>14}" for role in ROLES))
    ours = {role: (flash(size) + size["libc"], ram(size)) for role, size in sizes.items()}
    for name, row in {"this library": ours, **BESIDE}.items():
        print(f"  {name:28}" + "".join(f"{f'{row[role][0]} / {row[role][1]}':>14}" for role in ROLES))
    print(f"\nLargest symbols of the device's image on {target.name}:\n")
    for bytes_, name in symbols(target, "device", 16):
        print(f"  {bytes_:6}  {name}")


def run_on_target(program, include, *options):
    """Runs a program of benchmarks/size/ on an emulated Cortex-M4: (role, operation, numbers) of each line."""
    machine = on_target.MACHINES[DETAILED]
    target = machine.processor
    objects = [compiled(target, source, include) for source in (program, "table", "start")]
    shared = {"resource_table": 0x2001_0000, "buffers": 0x2001_2000, "doorbell_register": 0x2002_0000}
    image = on_target.link(machine, BUILD / target.name / f"{program}.elf", objects, "--specs=nano.specs",
                           "--specs=nosys.specs", f"-Wl,--section-start=.resource_table={shared['resource_table']:#x}",
                           *(f"-Wl,--defsym={name}={at}" for name, at in shared.items() if name != "resource_table"))
    status, said = on_target.execute(machine, image, *options)
    if status != 0:
        raise RuntimeError(f"{image} ended with status {status} in QEMU, and said:\n{said}")
    for line in said.splitlines():
        role, operation, *numbers = line.split()
        yield role, operation, [int(number) for number in numbers]


def show_stack(include):
    print("\nStack on Cortex-M4, painted and read back in QEMU (mps2-an386): bytes below the caller's, with what "
          "the call saves;\nthe board of the table above, receivers that only count or echo, 16 bytes of payload.\n")
    print(f"  {'':12}{'device':>8}{'driver':>8}")
    found = {}
    for role, operation, (bytes_,) in run_on_target("stack", include):
        found.setdefault(operation, {})[role] = bytes_
    for operation, of_roles in found.items():
        print(f"  {operation:12}{of_roles['device']:8}{of_roles['driver']:8}")
    print("\nLongest time with interrupts masked on Cortex-M4, in instructions, where policy::interrupt_mask is the "
          "exclusion:\ncounted by the mask itself in QEMU with -icount shift=10, its own instructions apart; and how "
          "often it masked.\n")
    for role, operation, (longest, times) in run_on_target("masked", include, "-icount", "shift=10"):
        print(f"  {role} {operation:14}{longest:8}{times:6} times")


def main(options):
    def values_of(option):
        return [value for before, value in zip(options, options[1:]) if before == option]

    include = (values_of("--include") or ["include"])[0]
    allowed = budgets.load("size")
    names = values_of("--target") or list(allowed if "--check" in options else TARGETS)
    if "--stack" in options:
        show_stack(include)
        return 0
    measured = measure(names, include)
    if "--json" in options:
        print(json.dumps(measured))
    elif "--check" not in options:
        show(measured)
        if DETAILED in measured:
            show_details(TARGETS[DETAILED], measured[DETAILED])
        if "--target" not in options:
            show_stack(include)
    if "--check" in options:
        over = [line for name in names for role, most in allowed.get(name, {}).items()
                for line in budgets.excesses(f"{name} {role}: ", most, measured[name][role])]
        print("\n".join(over) or "size: within the budgets", file=sys.stderr if "--json" in options else sys.stdout)
        return 1 if over else 0
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except RuntimeError as error:
        sys.exit(f"tools/size: {error}")
