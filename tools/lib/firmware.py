"""Builds the two-core images of examples/firmware and runs them in QEMU. Run by tools/suites/firmware.

  firmware.py [--update] [PAIR...]   each pair twice: with QEMU's threads, and with time counted in instructions
  firmware.py --demo                 only builds the firmware of tools/demo

A line in $RPMSG_TALLY for each run. With time in instructions every run is the same to the last one: the instructions
of an echo are compared with examples/firmware/instructions.json, and --update writes them there.
"""
import concurrent.futures
import json
import os
import pathlib
import struct
import subprocess
import sys

FIRMWARE = pathlib.Path("examples/firmware")
PINNED = FIRMWARE / "instructions.json"
BUILD = pathlib.Path("build/firmware")
LOGS = pathlib.Path(os.environ.get("RPMSG_LOGS", "build/logs/firmware"))
SECONDS = 60  # of a run: a hang is a failure, and a busy machine is none
CLOCK_TICKS = 1  # the A53 reads a clock that ticks every 16 instructions, and 1000 echoes may begin within a tick
FIGURE = "instructions of both cores for an echo of 16 bytes: "
WARNINGS = "-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror".split()
COMMON = ["-std=c++20", "-Os", "-g", "-fno-exceptions", "-fno-rtti", "-ffreestanding", "-fno-threadsafe-statics",
          "-ffunction-sections", "-fdata-sections", "-Iinclude"]
LINK = ["-nostartfiles", "-nodefaultlibs", "-Wl,--gc-sections"]
NO_RWX = "-Wl,--no-warn-rwx-segments"
M33 = ["arm-none-eabi-g++", "-mcpu=cortex-m33+nodsp", "-mthumb", "-mfloat-abi=soft"]
R5 = ["arm-none-eabi-g++", "-mcpu=cortex-r5", "-marm", "-mfloat-abi=soft"]
A53 = ["aarch64-linux-gnu-g++", "-mcpu=cortex-a53", "-mgeneral-regs-only", "-mno-outline-atomics", "-mstrict-align",
       "-fno-pic", "-no-pie", "-static", "-fno-stack-protector", "-Wl,--build-id=none"]
SEMIHOSTING = ["-display", "none", "-semihosting-config", "enable=on,target=native"]


def riscv(arch, abi):
    """g++ for RISC-V. Debian has no C++ headers for it: those of the same GCC for Arm do."""
    found = subprocess.run(["dpkg", "-L", "libstdc++-arm-none-eabi-dev"], capture_output=True, text=True, check=True)
    headers = next(pathlib.Path(line).parent for line in found.stdout.splitlines()
                   if line.endswith("/array") and not {"experimental", "debug", "tr1"} & set(line.split("/")))
    return ["riscv64-unknown-elf-g++", f"-march={arch}", f"-mabi={abi}", "-misa-spec=2.2", "-mcmodel=medany", "-nostdinc++",
            "-isystem", str(headers), "-isystem", str(headers / "arm-none-eabi/thumb/v8-m.main/nofp"),
            "-isystem", str(headers.parent.parent)]


def image(pair, name, compiler, folder, core, start, script, define=(), link=(), main=""):
    """Builds one core's image. The driver's is that of core 0; without another main file it is the application's."""
    out = BUILD / pair / f"{name}.elf"
    out.parent.mkdir(parents=True, exist_ok=True)
    helpers = out.with_suffix(".o")
    main = FIRMWARE / (main or ("app/driver_main.cpp" if core == 0 else "app/device_main.cpp"))
    flags = [*compiler, *COMMON, *WARNINGS, *define, f"-DCORE={core}", f"-I{FIRMWARE / folder}"]
    for command in (
            # Not to become calls of themselves.
            [*flags, "-fno-tree-loop-distribute-patterns", "-c", FIRMWARE / "support/freestanding.cpp", "-o", helpers],
            [*flags, *LINK, *link, "-T", FIRMWARE / folder / script, FIRMWARE / folder / start, main, helpers, "-lgcc",
             "-o", out]):
        subprocess.run([str(part) for part in command], check=True)
    return out


def mps2_an521(pair):
    mains = ("interrupts/driver.cpp", "interrupts/device.cpp") if pair.endswith("interrupts") else ("", "")

    def core(number, code, ram):
        return image(pair, f"core{number}", M33, "mps2_an521", number, "start.cpp", "link.ld", main=mains[number],
                     link=[NO_RWX, f"-Wl,--defsym=CODE_ORIGIN={code}", f"-Wl,--defsym=RAM_ORIGIN={ram}"])
    return ["qemu-system-arm", "-M", "mps2-an521", *SEMIHOSTING, "-serial", "null", "-monitor", "none",
            "-kernel", core(0, "0x10000000", "0x38000000"),
            "-device", f"loader,file={core(1, '0x10200000', '0x38100000')}"], ""


def host_an521(pair):
    """A process, which starts QEMU beside it."""
    program = BUILD / pair / "process"
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["g++", "-std=c++20", "-O2", *WARNINGS, "-Iinclude", f"-I{FIRMWARE / 'host_an521'}", "-DCORE=0",
                    str(FIRMWARE / "app/driver_main.cpp"), "-o", str(program)], check=True)
    image(pair, "firmware", M33, "host_an521", 1, "start.cpp", "link.ld", link=[NO_RWX])
    return [program], ""


def demo_image():
    """The demo's device as firmware, which tools/demo firmware runs."""
    return image("demo", "firmware", M33, "host_an521", 1, "start.cpp", "link.ld", link=[NO_RWX], main="demo/device.cpp")


def riscv_virt(pair):
    bits = pair[-2:]
    compiler = riscv(f"rv{bits}imac", {"32": "ilp32", "64": "lp64"}[bits])
    harts = [image(pair, f"hart{number}", compiler, "riscv_virt", number, "start.cpp", "link.ld",
                   link=[f"-Wl,--defsym=CODE_ORIGIN={origin}"])
             for number, origin in enumerate(("0x80000000", "0x80200000"))]
    loaders = [part for number, hart in enumerate(harts) for part in ("-device", f"loader,file={hart},cpu-num={number}")]
    return [f"qemu-system-riscv{bits}", "-M", "virt", "-smp", "2", "-m", "16M", "-bios", "none", *SEMIHOSTING,
            "-serial", "null", "-monitor", "none", *loaders], ""


def zcu102(pair, broken=0):
    polls = pair.endswith("polls")
    define = [f"-DPOLLS={int(polls)}", f"-DBROKEN={broken}"]
    a53 = image(pair, "a53", A53, "zcu102", 0, "start_a53.cpp", "a53.ld", define, ["-nostdlib", NO_RWX])
    r5 = image(pair, "r5", R5, "zcu102", 1, "start_r5.cpp", "r5.ld", define, [NO_RWX])
    # QEMU does not connect the IPI's lines by itself: its monitor does, before the processors start.
    wires = "cont\n" if polls else (FIRMWARE / "zcu102/wire.hmp").read_text(encoding="utf-8")
    return ["qemu-system-aarch64", "-M", "xlnx-zcu102", "-smp", "5", "-m", "1G", *SEMIHOSTING, "-S", "-monitor", "stdio",
            "-serial", "null", "-device", f"loader,file={a53},cpu-num=0", "-device", f"loader,file={r5}"], wires


PAIRS = {"mps2-an521": mps2_an521, "mps2-an521-interrupts": mps2_an521, "zcu102": zcu102, "zcu102-polls": zcu102, "riscv-virt-32": riscv_virt,
         "riscv-virt-64": riscv_virt, "host-an521": host_an521}


# Tables that a driver must not start: what the image is built with, and what the driver says.
BROKEN = {
    "no device": "no entry is a virtio device with the id of RPMsg, 7",
    "ring of 24": "a vring's size is 0, no power of two, or more than the driver can have",
    "ring elsewhere": "a vring asks for an address outside the memory set aside for it",
}


def tally(kind, name, why=""):
    if "RPMSG_TALLY" in os.environ:
        with open(os.environ["RPMSG_TALLY"], "a", encoding="utf-8") as lines:
            lines.write(f"{kind}\t{name}\n")
    if kind == "fail":
        print(f"  FAILED: {name}{': ' if why else ''}{why}")


def check_tables(pair):
    """The table in the device's image, by the rules of Linux's loader and by its own ones: not by our code."""
    elf = BUILD / pair / {"mps2-an521": "core1.elf", "mps2-an521-interrupts": "core1.elf", "zcu102": "r5.elf", "zcu102-polls": "r5.elf",
                          "host-an521": "firmware.elf"}.get(pair, "hart1.elf")
    raw = BUILD / pair / "table.bin"
    subprocess.run(["objcopy", "-I", "elf32-little" if pair != "riscv-virt-64" else "elf64-little", "-O", "binary",
                    "--only-section=.resource_table", str(elf), str(raw)], check=True)
    table = raw.read_bytes()
    wrong = broken_rule(table)
    tally("fail" if wrong else "pass", f"{pair}: the table in the image is as Linux wants it", wrong)


def broken_rule(table):
    """The first rule that a table breaks, or nothing."""
    if len(table) < 16:
        return "no header"
    version, entries, *reserved = struct.unpack_from("<4I", table)
    if version != 1 or any(reserved):
        return "version or reserved words"
    if len(table) < 16 + 4 * entries:
        return "offsets outside"
    devices = 0
    for at in struct.unpack_from(f"<{entries}I", table, 16):
        if at % 4 or at + 28 > len(table):
            return "an entry outside"
        kind, device, _, _, accepted, config, status, rings, zeros = struct.unpack_from("<6I2BH", table, at)
        if kind != 3 or device != 7:
            continue
        devices += 1
        if rings != 2 or zeros or accepted or status or at + 28 + 20 * rings + config > len(table):
            return "the device's entry"
        for ring in range(rings):
            address, align, count, _, physical = struct.unpack_from("<5I", table, at + 28 + 20 * ring)
            if not count or count & (count - 1) or count > 256 or not align or align & (align - 1) or physical:
                return f"vring {ring}"
            if address != 0xFFFFFFFF and address % align:
                return f"vring {ring}'s address"
    return "" if devices == 2 else f"{devices} devices, not 2"


def refuse_broken():
    """A driver does not start a core whose table it cannot use, and says why."""
    for number, (what, reason) in enumerate(BROKEN.items(), 1):
        machine, monitor = zcu102(f"broken/{number}", number)
        said, wrong = run(machine, monitor, False)
        good = wrong == "ends with status 1" and said.splitlines()[-1] == reason
        tally("pass" if good else "fail", f"zcu102: a table with {what} is refused", said[-200:])


def run(machine, monitor, counted):
    """What an image said, and why it is not good."""
    command = [str(part) for part in machine]
    options = ["-icount", "shift=0"] if counted else []
    environment = {**os.environ, "QEMU_AUDIO_DRV": "none"}
    if len(command) == 1:  # a process, which starts QEMU
        environment |= {"FIRMWARE_IMAGE": str(machine[0].with_name("firmware.elf")), "FIRMWARE_OPTIONS": " ".join(options)}
    else:
        command += options
    try:
        ended = subprocess.run(command, input=monitor, capture_output=True, text=True, timeout=SECONDS, env=environment)
    except subprocess.TimeoutExpired as hang:
        said = hang.stderr or b""
        return said.decode() if isinstance(said, bytes) else said, f"hangs: nothing more in {SECONDS} s"
    return ended.stderr, "" if ended.returncode == 0 else f"ends with status {ended.returncode}"


def try_pair(name, pinned, update):
    """Builds a pair and runs it both ways; the figures that are new go into `pinned`."""
    try:
        machine, monitor = PAIRS[name](name)
    except subprocess.CalledProcessError as failed:
        tally("fail", f"{name}: builds", f"{failed.cmd[0]} ends with status {failed.returncode}")
        return
    tally("pass", f"{name}: builds")
    check_tables(name)
    for counted in (False, True):
        check = f"{name}: {'time in instructions' if counted else 'threads'}"
        said, wrong = run(machine, monitor, counted)
        (LOGS / f"{check.replace(': ', '_').replace(' ', '_')}.log").write_text(said, encoding="utf-8")
        tally("fail" if wrong else "pass", check, wrong)
        if wrong:
            print("".join(f"    {line}\n" for line in said.splitlines()[-12:]), end="")
            continue
        if counted and FIGURE in said:  # a process counts none
            figure = next(int(line[len(FIGURE):]) for line in said.splitlines() if line.startswith(FIGURE))
            print(f"  {name}: {figure} instructions for an echo, of both cores")
            if update:
                pinned[name] = figure
            elif abs(pinned.get(name, 0) - figure) > CLOCK_TICKS:
                tally("fail", f"{name}: instructions as pinned", f"{figure}, and {PINNED} says {pinned.get(name)}: "
                      "say why in the commit that writes it anew (tools/lib/firmware.py --update)")
            else:
                tally("pass", f"{name}: instructions as pinned")


def main(arguments):
    if arguments == ["--demo"]:
        demo_image()
        return 0
    update = "--update" in arguments
    names = [name for name in arguments if name != "--update"] or list(PAIRS)
    if unknown := [name for name in names if name not in PAIRS]:
        print(f"firmware.py: {unknown[0]} is none of {', '.join(PAIRS)}", file=sys.stderr)
        return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    pinned = json.loads(PINNED.read_text(encoding="utf-8")) if PINNED.exists() else {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tried = [pool.submit(try_pair, name, pinned, update) for name in names]
        if "zcu102" in names:
            tried.append(pool.submit(refuse_broken))
        for one in tried:
            one.result()
    if update:
        PINNED.write_text(json.dumps(dict(sorted(pinned.items())), indent=4) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
