"""The processors that images are built for: compilers, options, packages. Used by tools/size and two suites."""
import dataclasses
import functools
import glob
import pathlib
import subprocess
import sys

ARM = ["gcc-arm-none-eabi", "libstdc++-arm-none-eabi-dev", "libnewlib-dev"]
# Debian has no C++ headers for riscv64-unknown-elf; those of arm-none-eabi are of the same compiler's version.
RISCV = ["gcc-riscv64-unknown-elf", "libstdc++-arm-none-eabi-dev", "libnewlib-dev"]
AARCH64 = ["g++-aarch64-linux-gnu"]

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Werror"]


@dataclasses.dataclass(frozen=True)
class Target:
    """One processor: what the compiler's name begins with, and what it is told."""
    name: str
    prefix: str
    options: tuple
    entry: str
    packages: tuple
    compile_only: tuple = ()
    clang: tuple = ()  # empty where the headers have not been seen to compile with it
    borrowed_headers: bool = False

    @property
    def gcc(self):
        return f"{self.prefix}gcc"

    @property
    def gxx(self):
        return f"{self.prefix}g++"

    def compiling(self):
        """Options of g++ beyond the language and the optimisation."""
        return [*self.options, *self.compile_only, *(borrowed() if self.borrowed_headers else ())]

    def compiling_clang(self):
        short_enums = ["-fshort-enums"] if self.prefix.startswith("arm-") else []  # as the ABI of g++ has it
        return [*self.clang, *short_enums, *borrowed()]

    @functools.lru_cache
    def libgcc(self):
        return run(self.gcc, *self.options, "-print-libgcc-file-name").strip()


def arm(name, *options, entry="cortex_m.cpp", clang=()):
    return Target(name, "arm-none-eabi-", (f"-mcpu={name}", *options), entry, tuple(ARM), clang=clang)


def riscv(name, abi, clang=()):
    return Target(name, "riscv64-unknown-elf-", (f"-march={name}", "-misa-spec=2.2", f"-mabi={abi}", "-mcmodel=medany"),
                  "riscv.S", tuple(RISCV), clang=clang, borrowed_headers=True)


TARGETS = {target.name: target for target in (
    arm("cortex-m0", "-mthumb", clang=("--target=thumbv6m-none-eabi", "-mcpu=cortex-m0")),
    arm("cortex-m3", "-mthumb"),
    arm("cortex-m4", "-mthumb"),
    arm("cortex-m7", "-mthumb"),
    arm("cortex-m33", "-mthumb", "-mfloat-abi=soft",
        clang=("--target=thumbv8m.main-none-eabi", "-mcpu=cortex-m33", "-mfloat-abi=soft")),
    arm("cortex-m55", "-mthumb", "-mfloat-abi=soft"),
    arm("cortex-r5", "-marm", "-mfloat-abi=soft", entry="cortex_r.S",
        clang=("--target=armv7r-none-eabi", "-mcpu=cortex-r5", "-mfloat-abi=soft")),
    # Debian's compiler is one for Linux: so no calls of its atomics, no relocation, no guards, no unwinding.
    Target("cortex-a53", "aarch64-linux-gnu-",
           ("-mcpu=cortex-a53", "-mgeneral-regs-only", "-mno-outline-atomics", "-mstrict-align"), "cortex_a.S",
           tuple(AARCH64), compile_only=("-fno-pic", "-fno-stack-protector", "-fno-asynchronous-unwind-tables")),
    riscv("rv32imc", "ilp32", clang=("--target=riscv32", "-march=rv32imc", "-mabi=ilp32")),
    riscv("rv32imac", "ilp32", clang=("--target=riscv32", "-march=rv32imac", "-mabi=ilp32")),
    riscv("rv64imac", "lp64"),
    riscv("rv64gc", "lp64d"),
)}


@functools.lru_cache
def borrowed():
    """Options for compilers that have no C++ headers: those of libstdc++-arm-none-eabi-dev and libnewlib-dev."""
    found = sorted(glob.glob("/usr/include/newlib/c++/*/array"))
    if not found:
        sys.exit("no C++ headers in /usr/include/newlib: libstdc++-arm-none-eabi-dev is missing")
    headers = pathlib.Path(found[-1]).parent
    return ("-nostdinc++", "-isystem", str(headers), "-isystem", str(headers / "arm-none-eabi/thumb/v8-m.main/nofp"),
            "-isystem", str(headers.parent.parent))


def run(*command, input=None):  # pylint: disable=redefined-builtin
    done = subprocess.run(command, capture_output=True, text=True, input=input)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    # targets.py NAME...: the packages that these take, or all.
    for wanted in sys.argv[1:]:
        if wanted not in TARGETS:
            print(f"unknown target '{wanted}' (there are: {', '.join(TARGETS)})", file=sys.stderr)
            sys.exit(2)
    print(*sorted({package for wanted in sys.argv[1:] or TARGETS for package in TARGETS[wanted].packages}))
