"""Builds programs for one processor and runs them in QEMU. Used by tools/size and the suite on_target."""
import dataclasses
import os
import pathlib
import subprocess

from targets import TARGETS, run

SUPPORT = pathlib.Path("tests/target")
LIMIT = 30  # seconds; what takes longer hangs


@dataclasses.dataclass(frozen=True)
class Machine:
    """Where a machine of QEMU has memory for code and for data, and what starts it."""
    name: str
    target: str
    code: tuple
    ram: tuple
    entry: str = "cortex_m.S"
    start: str = "reset"
    emulator: str = "qemu-system-arm"
    loading: tuple = ("-kernel", "{}")
    monitor: str = ""  # what is said to the monitor before anything runs

    def command(self, image):
        return [self.emulator, *self.name.split(), "-display", "none", "-serial", "none",
                "-monitor", "stdio" if self.monitor else "none", "-semihosting-config", "enable=on,target=native",
                *(word.format(image) for word in self.loading)]

    @property
    def short_name(self):
        return self.name.split()[1]

    @property
    def processor(self):
        return TARGETS[self.target]


FLASH_AND_RAM = {"code": (0, 4 << 20), "ram": (0x2000_0000, 4 << 20)}
MACHINES = {machine.target: machine for machine in (
    Machine("-M microbit", "cortex-m0", code=(0, 256 << 10), ram=(0x2000_0000, 16 << 10)),
    Machine("-M mps2-an385", "cortex-m3", **FLASH_AND_RAM),
    Machine("-M mps2-an386", "cortex-m4", **FLASH_AND_RAM),
    Machine("-M mps2-an500", "cortex-m7", **FLASH_AND_RAM),
    Machine("-M mps2-an505", "cortex-m33", code=(0x1000_0000, 4 << 20), ram=(0x3800_0000, 2 << 20)),
    # One of the real-time processors of a ZynqMP, whose others never start. QEMU releases it only when asked to.
    Machine("-M xlnx-zcu102 -smp 5 -m 256M", "cortex-r5", code=(0x10_0000, 1 << 20), ram=(0x20_0000, 1 << 20),
            entry="cortex_r.S", start="entry", emulator="qemu-system-aarch64",
            loading=("-global", "xlnx-zynqmp.boot-cpu=rpu-cpu[0]", "-device", "loader,file={},cpu-num=4", "-S"),
            monitor="qom-set /machine/soc/rpu-cluster/rpu-cpu[0] start-powered-off false\nsystem_reset\ncont\n"),
)}


def link(machine, image, objects, *options):
    """Links objects with the start-up code of the machine, which finds main()."""
    target = machine.processor
    entry = image.with_name(f"entry.{target.name}.o")
    run(target.gcc, *target.options, "-c", str(SUPPORT / machine.entry), "-o", str(entry))
    places = [f"CODE_ORIGIN={machine.code[0]}", f"CODE_SIZE={machine.code[1]}", f"RAM_ORIGIN={machine.ram[0]}",
              f"RAM_SIZE={machine.ram[1]}"]
    run(target.gcc, *target.options, "-nostartfiles", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", f"-Wl,-e,{machine.start}",
        *(f"-Wl,--defsym={place}" for place in places), "-T", str(SUPPORT / "target.ld"), str(entry),
        *map(str, objects), *options, "-o", str(image))
    return image


def execute(machine, image, *options):
    """Runs an image: its exit status (124 when it hangs) and what it said, which QEMU has on stderr."""
    try:
        done = subprocess.run([*machine.command(image), *options], input=machine.monitor, capture_output=True,
                              text=True, timeout=LIMIT, env={**os.environ, "QEMU_AUDIO_DRV": "none"})
    except subprocess.TimeoutExpired as late:
        said = late.stderr or b""
        return 124, said.decode(errors="replace") if isinstance(said, bytes) else said
    return done.returncode, done.stderr
