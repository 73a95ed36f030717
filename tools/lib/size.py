"""Builds the images of benchmarks/size/ and says how large they are. Run by tools/size."""
import json
import pathlib
import re
import subprocess
import sys

import budgets

SOURCES = pathlib.Path("benchmarks/size")
BUILD = pathlib.Path("build/size")
TARGET = ["-mcpu=cortex-m4", "-mthumb"]
COMPILE = ["-std=c++20", "-Os", *TARGET, "-ffunction-sections", "-fdata-sections", "-fno-exceptions", "-fno-rtti",
           "-Wall", "-Wextra", "-Werror"]
# The C driver: g++ would want a libstdc++, of which nothing is used.
LINK = [*TARGET, "--specs=nano.specs", "--specs=nosys.specs", "-nostartfiles", "-Wl,--gc-sections"]
IMAGES = {"device": ["device", "table"], "driver": ["driver", "table"], "both": ["both", "table"], "empty": ["empty"]}
ROLES = ["device", "driver", "both"]
PARTS = {".text": "text", ".rodata": "rodata", ".exidx": "rodata", ".data": "data", ".bss": "bss"}

# (library, role): flash (text, rodata, data) with its share of libc, and RAM. The same application, compiler
# and options; OpenAMP v2026.04.0 without asserts and with only that role, rpmsg-lite v5.4.0 as it comes.
BESIDE = {
    "OpenAMP": {"device": (4444, 832), "driver": (5032, 844), "both": (5716, 1580)},
    "OpenAMP, LTO": {"device": (4040, 796), "driver": (4548, 812), "both": (5232, 1548)},
    "rpmsg-lite": {"device": (2448, 444), "driver": (2880, 492), "both": (3580, 788)},
    "rpmsg-lite, LTO, no assert": {"device": (1712, 440), "driver": (2096, 488), "both": (2664, 784)},
}


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"tools/size: {command[0]} failed:\n{done.stderr}")
    return done.stdout


def build(include):
    BUILD.mkdir(parents=True, exist_ok=True)
    objects = {}
    for source in ["start", "entry/cortex_m"] + sorted({name for names in IMAGES.values() for name in names}):
        objects[source] = str(BUILD / f"{pathlib.Path(source).name}.o")
        # Start-up comes before memcpy and its kind: its loops stay loops.
        extra = ["-fno-tree-loop-distribute-patterns"] if source == "start" else []
        run("arm-none-eabi-g++", *COMPILE, *extra, f"-I{include}", "-c", str(SOURCES / f"{source}.cpp"),
            "-o", objects[source])
    for image, names in IMAGES.items():
        run("arm-none-eabi-gcc", *LINK, "-T", str(SOURCES / "image.ld"), objects["start"],
            objects["entry/cortex_m"], *(objects[name] for name in names), "-o", str(BUILD / f"{image}.elf"), f"-Wl,-Map={BUILD / image}.map")


def sections(image):
    """Bytes of text, rodata, data and bss, and of them what libraries gave, from the linker's map."""
    size = dict.fromkeys([*PARTS.values(), "libc"], 0)
    text = (BUILD / f"{image}.map").read_text(encoding="utf-8").split("Linker script and memory map")[1]
    part = None
    # A name too long for its column has its figures on the next line.
    for line in re.sub(r"\n( ?\.\S+)\n +0x", r"\n\1 0x", text).splitlines():
        if heading := re.match(r"(\.\S+)(?:\s+0x[0-9a-f]+\s+(0x[0-9a-f]+))?", line):
            part = PARTS.get(heading[1])
            if part:
                size[part] += int(heading[2] or "0", 16)
        elif part and (piece := re.match(r" \S+\s+0x[0-9a-f]+\s+(0x[0-9a-f]+)\s+\S*\.a\(", line)):
            size[part] -= int(piece[1], 16)
            size["libc"] += int(piece[1], 16)
    return size


def measure():
    empty = sections("empty")
    return {role: {part: bytes_ - empty[part] for part, bytes_ in sections(role).items()} for role in ROLES}


def symbols(image, how_many):
    lines = run("arm-none-eabi-nm", "--print-size", "--size-sort", "--reverse-sort", "--demangle",
                str(BUILD / f"{image}.elf")).splitlines()
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


def show(sizes):
    compiler = run("arm-none-eabi-g++", "--version").splitlines()[0]
    print(f"Cortex-M4, {compiler}\n  {' '.join(COMPILE)}\n  {' '.join(LINK)}")
    print("The minimal echo image with name service (announce, bind, relink) less the same image without the\n"
          "library, in bytes; libc apart; without vrings, buffers and the resource table (88 in shared memory).")
    print(f"What the board states, else the defaults: {', '.join(board())}.\n")
    print(f"  {'':8}{'text':>6}{'rodata':>8}{'data':>6}{'bss':>6}{'libc':>6}{'flash':>9}{'RAM':>6}")
    for role, size in sizes.items():
        print(f"  {role:8}{size['text']:6}{size['rodata']:8}{size['data']:6}{size['bss']:6}{size['libc']:6}"
              f"{flash(size):9}{ram(size):6}")
    print("\nBeside the C libraries, flash with libc / RAM:\n")
    print(f"  {'':28}" + "".join(f"{role:>14}" for role in ROLES))
    ours = {role: (flash(size) + size["libc"], ram(size)) for role, size in sizes.items()}
    for name, row in {"this library": ours, **BESIDE}.items():
        print(f"  {name:28}" + "".join(f"{f'{row[role][0]} / {row[role][1]}':>14}" for role in ROLES))
    print("\nLargest symbols of the device's image:\n")
    for bytes_, name in symbols("device", 16):
        print(f"  {bytes_:6}  {name}")


def main(options):
    include = options[options.index("--include") + 1] if "--include" in options else "include"
    build(include)
    sizes = measure()
    if "--json" in options:
        print(json.dumps({"cortex-m4": sizes}))
    elif "--check" not in options:
        show(sizes)
    if "--check" in options:
        allowed = budgets.load("size")["cortex-m4"]
        over = [line for role in allowed for line in budgets.excesses(f"{role}: ", allowed[role], sizes[role])]
        print("\n".join(over) or "size: within the budgets", file=sys.stderr if "--json" in options else sys.stdout)
        return 1 if over else 0
    return 0


sys.exit(main(sys.argv[1:]))
