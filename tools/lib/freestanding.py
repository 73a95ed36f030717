"""Builds the images of benchmarks/size/ for every target, and refuses what firmware does not have.

  freestanding.py              all targets, -Os and -O2; each is a check, added to $RPMSG_TALLY
  freestanding.py TARGET...    these
  freestanding.py --self-test  breaks each rule in a source of its own and sees it fire
"""
import concurrent.futures
import os
import pathlib
import re
import sys

from targets import STRICT, TARGETS, run

SOURCES = pathlib.Path("benchmarks/size")
BUILD = pathlib.Path("build/freestanding")
# The image with both roles has the code of the other two.
IMAGES = {"-Os": ["device", "driver", "both"], "-O2": ["both"]}
LANGUAGE = ["-std=c++20", "-ffreestanding", "-fno-exceptions", "-fno-rtti", "-ffunction-sections", "-fdata-sections"]
LINK = ["-nostdlib", "-nostartfiles", "-static", "-Wl,--gc-sections", "-Wl,--build-id=none",
        "-Wl,-z,noexecstack", "-Wl,--no-warn-rwx-segments", "-Wl,--fatal-warnings"]

# What may not be wanted by an object, nor be in an image.
REFUSED = {
    "operator new": r"_Zn[wa]",
    "operator delete": r"_Zd[la]",
    "__cxa_*": r"__cxa_",
    "__aeabi_atexit": r"__aeabi_atexit$",
    "__dso_handle": r"__dso_handle$",
    "atexit": r"_*(at_?(quick_)?exit|on_exit)$",
    "_Unwind*": r"_Unwind_|__aeabi_unwind_|__gxx_personality",
    "abort": r"abort$",
    "__atomic_*": r"__atomic_|__aarch64_(cas|swp|ld)",
    "__sync_*": r"__sync_",
    "__throw*": r"_ZSt\d+__throw_",
}
# What else an object may not want.
STANDARD_LIBRARY = re.compile(r"_Z(N[KVRO]*)?S[tabsiod]")
MEMORY = re.compile(r"(memcpy|memmove|memset|memcmp|strlen|__aeabi_mem(cpy|move|set|clr)[48]?)$")
# Of our own: memory.cpp, start.cpp and entry/ want these, and the images what the linker script places.
OWN = {"main", "reset", "fault", "stack_top", "data_load", "data_begin", "data_end", "bss_begin", "bss_end",
       "__global_pointer$", "resource_table", "doorbell_register", "buffers"}
# Every writable object that the sources of the images define.
OWN_OBJECTS = re.compile(r"\(anonymous namespace\)::(bus|echo|device|driver|device_echo|driver_echo)$")
START_UP = re.compile(r"\.(preinit_array|init_array|fini_array|ctors|dtors)\b")


def refused(symbol):
    return [f"{rule}: {symbol}" for rule, pattern in REFUSED.items() if re.match(pattern, symbol)]


def in_libgcc(target):
    listed = run(f"{target.prefix}nm", "-P", "--defined-only", target.libgcc())
    return {line.split()[0] for line in listed.splitlines() if len(line.split()) > 1}


def object_faults(target, path, libgcc):
    """What an object wants that it may not."""
    faults = []
    for line in run(f"{target.prefix}nm", "-P", "--undefined-only", str(path)).splitlines():
        symbol = line.split()[0]
        if of_rules := refused(symbol):
            faults += of_rules
        elif STANDARD_LIBRARY.match(symbol):
            faults.append(f"std::…: {symbol}")
        elif not (MEMORY.match(symbol) or symbol in OWN or symbol in libgcc):
            faults.append(f"anything else: {symbol}")
    if START_UP.search(run(f"{target.prefix}objdump", "-h", str(path))):
        faults.append("dynamic initialisation: a constructor runs before main()")
    return [f"{path.name}: {fault}" for fault in faults]


def image_faults(target, path):
    """What is in an image that may not be."""
    faults = []
    for line in run(f"{target.prefix}nm", "-P", str(path)).splitlines():
        faults += refused(line.split()[0])
    # 20000000 l     O .bss  00000040 name
    for line in run(f"{target.prefix}objdump", "-t", "-C", str(path)).splitlines():
        found = re.match(r"[0-9a-f]+ .{7} (\.(?:data|bss)\S*)\s+([0-9a-f]+) (?:\.hidden )?(.*)", line)
        if found and int(found[2], 16) != 0 and not OWN_OBJECTS.match(found[3]):
            faults.append(f"a writable global: {found[3]}")
    return [f"{path.name}: {fault}" for fault in faults]


def link(target, image, *objects, options=()):
    run(target.gcc, *target.options, *LINK, *options, "-T", str(SOURCES / "image.ld"), *map(str, objects), "-lgcc",
        "-o", str(image))
    return image


class Support:
    """What every image of a target has: start-up, the memory functions, the resource table."""

    def __init__(self, target):
        self.libgcc = in_libgcc(target)
        where = BUILD / target.name
        where.mkdir(parents=True, exist_ok=True)
        options = [*LANGUAGE, *target.compiling(), *STRICT, "-Os", "-fno-tree-loop-distribute-patterns", "-Iinclude"]
        entry = SOURCES / "entry" / target.entry
        self.objects = [where / "entry.o"]
        run(target.gxx, *(options if entry.suffix == ".cpp" else target.options), "-c", str(entry), "-o",
            str(self.objects[0]))
        for name in ["start", "table", "memory", *(["memory_aeabi"] if target.prefix.startswith("arm-") else [])]:
            self.objects.append(where / f"{name}.o")
            run(target.gxx, *options, "-c", str(SOURCES / f"{name}.cpp"), "-o", str(self.objects[-1]))
        self.faults = [fault for path in self.objects for fault in object_faults(target, path, self.libgcc)]


def faults_of_images(target, level, clang, support):
    """Compiles and links the images of one target at one level."""
    where = BUILD / target.name / (("clang" if clang else "gcc") + level)
    where.mkdir(parents=True, exist_ok=True)
    options = [*LANGUAGE, level, *STRICT, "-Iinclude"]
    if clang:
        # A freestanding main() is a function like others to clang++, with a name of C++.
        compiler, linking = ["clang++", *target.compiling_clang(), *options], ["-Wl,--defsym=main=_Z4mainv"]
        images = ["both"]
    else:
        compiler, linking, images = [target.gxx, *target.compiling(), *options], [], IMAGES[level]
    if len(images) > 1:  # half of a compilation is reading the headers
        common = where / "common.hpp"
        common.write_text("#include <rpmsg/rpmsg.hpp>\n", encoding="utf-8")
        run(*compiler, "-x", "c++-header", str(common), "-o", f"{common}.gch")
        compiler += ["-Winvalid-pch", "-include", str(common)]
    faults = list(support.faults)
    for name in images:
        made = where / f"{name}.o"
        run(*compiler, "-c", str(SOURCES / f"{name}.cpp"), "-o", str(made))
        faults += object_faults(target, made, support.libgcc)
        if not faults:
            image = link(target, where / f"{name}.elf", made, *support.objects, options=linking)
            faults += image_faults(target, image)
    return faults


def tally(passed, name):
    if "RPMSG_TALLY" in os.environ:
        with open(os.environ["RPMSG_TALLY"], "a", encoding="utf-8") as file:
            file.write(f"{'pass' if passed else 'fail'}\t{name}\n")


def check(names):
    good = True
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        supports = {name: pool.submit(Support, TARGETS[name]) for name in names}
        checks = {}
        for name in names:
            for clang in [False, True] if TARGETS[name].clang else [False]:
                for level in IMAGES:
                    job = pool.submit(lambda *it: faults_of_images(*it[:3], supports[it[0].name].result()),
                                      TARGETS[name], level, clang)
                    checks[f"freestanding {name} {'clang++' if clang else 'g++'} {level}"] = job
        for label, job in checks.items():
            try:
                faults = job.result()
            except RuntimeError as error:
                faults = str(error).splitlines()[:20]
            tally(not faults, label)
            good &= not faults
            if faults:
                print("\n".join([f"  FAILED: {label}", *(f"    {fault}" for fault in faults)]))
    return good


# For each rule a source that has to be refused by it; the image is linked where the objects are fine.
BAD = {
    "operator new": "int* f() { return new int; }",
    "operator delete": "void f(int* p) { delete p; }",
    "__cxa_*": "struct s { s(); virtual void f() = 0; }; s::s() {}",
    "__aeabi_atexit": "struct s { ~s(); }; s x;",
    "__dso_handle": "struct s { ~s(); }; s x;",
    "atexit": 'extern "C" int atexit(void (*)()); void f() { atexit(f); }',
    "_Unwind*": 'extern "C" void _Unwind_Resume(void*); void f() { _Unwind_Resume(nullptr); }',
    "abort": "#include <optional>\nint f(std::optional<int> i) { return i.value(); }",
    "__atomic_*": "#include <atomic>\nint f(std::atomic<int>& i) { return ++i; }",
    "__sync_*": "int f(int* i) { return __sync_fetch_and_add(i, 1); }",
    "__throw*": "#include <array>\nint f(std::array<int, 3> a, unsigned i) { return a.at(i); }",
    "std::…": "#include <chrono>\nauto f() { return std::chrono::steady_clock::now(); }",
    "anything else": 'extern "C" int puts(const char*); void f() { puts("hello"); }',
    "dynamic initialisation": "int f(); int x = f();",
    "a writable global": "namespace rpmsg { inline int calls = 0; }\nint main() { return ++rpmsg::calls; }",
    # Whoever brings it along, it is there.
    "operator delete, in the image": """
        [[gnu::noinline]] void operator delete(void* at) noexcept { asm volatile("" :: "r"(at)); }
        [[gnu::noinline]] void operator delete(void* at, decltype(sizeof 0)) noexcept { asm volatile("" :: "r"(at)); }
        int main() { int* p = nullptr; asm volatile("" : "+r"(p)); delete p; }""",
    "a writable global, in a function": "int* f() { static int x = 1; return &x; }\nint main() { return ++*f(); }",
    "a writable global, unnamed": "namespace { int volatile x; }\nint main() { return ++x; }",
}
GOOD = """#include <cstring>
struct big { char bytes[300]; };
void copy(big& to, const big& from) { to = from; }
int divide(int a, int b) { return a / b + static_cast<int>(std::strlen(reinterpret_cast<const char*>(&a))); }
int main() { }"""


def self_test():
    """The number of rules that did not fire, or fired on what is fine."""
    target = TARGETS["cortex-m0"]  # has no atomic instructions and no division
    support = Support(target)
    silent = len(support.faults)

    def faults_of(source):
        made = BUILD / "self_test.o"
        run(target.gxx, *LANGUAGE, *target.compiling(), "-Os", "-x", "c++", "-c", "-", "-o", str(made), input=source)
        faults = object_faults(target, made, support.libgcc)
        if not faults:
            faults = image_faults(target, link(target, BUILD / "self_test.elf", made, *support.objects))
        return faults

    for rule, source in BAD.items():
        wanted = rule.split(",")[0]
        found = faults_of(source)
        if not any(f": {wanted}: " in fault for fault in found):
            print(f"freestanding: the rule '{rule}' did not fire; there were: {found}")
            silent += 1
    for fault in faults_of(GOOD):
        print(f"freestanding: a good source was refused: {fault}")
        silent += 1
    return silent


def main(arguments):
    if arguments == ["--self-test"]:
        return 1 if self_test() else 0
    unknown = [name for name in arguments if name not in TARGETS]
    if unknown:
        print(f"freestanding.py: unknown target '{unknown[0]}' (there are: {', '.join(TARGETS)})", file=sys.stderr)
        return 2
    return 0 if check(arguments or list(TARGETS)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
