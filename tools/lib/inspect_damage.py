#!/usr/bin/env python3
"""Damages recorded images, one thing at a time, and sees `rpmsg inspect` name it.

  tools/lib/inspect_damage.py PROGRAM DATA TALLY  one line a check in TALLY; status 1 when one failed

Offsets are those of the recording's set-up: table at 0, vdev entry at 0x14, rings at 0x80 and 0x180, and so on.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

from inspect_golden import Recording, fields, inspect, number

COLUMNS = 100


def le16(value):
    return value.to_bytes(2, "little")


def le32(value):
    return value.to_bytes(4, "little")


BASE = 0x3ED00000
TABLE = ("oa-11-table-any", "0")  # with room for more entries
ANNOUNCED = ("oa-02-bind-echo", "3")  # an announcement waits for the driver
WAITING = ("oa-02-bind-echo", "5")  # a message waits for the device, and all of vring 0 is lent

# Name, image, [(offset, bytes)], the kind that has to be told, and where.
DAMAGE = [
    ("the version of the table", WAITING, [(0x00, le32(2))], "table_version", "resource table"),
    ("the reserved words of the table", WAITING, [(0x08, le32(1))], "table_reserved", "resource table"),
    ("an offset that is no multiple of 4", WAITING, [(0x04, le32(2))], "entry_misaligned", "entry 1"),
    ("an entry outside", TABLE, [(0x04, le32(2)), (0x14, le32(0x10000))], "entry_outside", "entry 1"),
    ("an entry's reserved bytes", WAITING, [(0x2E, b"\1")], "entry_reserved", "entry 0"),
    ("three vrings", WAITING, [(0x2D, b"\3")], "ring_count", "entry 0"),
    ("a config space that is not there", WAITING, [(0x28, le32(0x10000))], "config_outside", "entry 0"),
    ("buffer sizes without a config space", WAITING, [(0x20, le32(3))], "config_short", "entry 0"),
    ("features that were not offered", WAITING, [(0x24, le32(5))], "features", "entry 0"),
    ("bits of the status", WAITING, [(0x2C, b"\x14")], "status", "status"),
    ("a ring's size of 6", WAITING, [(0x38, le32(6))], "ring_size", "vring 0"),
    ("a ring's size of 0", WAITING, [(0x4C, le32(0))], "ring_size", "vring 1"),
    ("a ring's alignment", WAITING, [(0x34, le32(24))], "ring_align", "vring 0"),
    ("a ring's address", WAITING, [(0x30, le32(BASE + 0x84))], "ring_misaligned", "vring 0"),
    ("a ring outside", WAITING, [(0x44, le32(BASE + 0x10000))], "ring_outside", "vring 1"),
    ("a ring that nobody placed", WAITING, [(0x44, le32(0xFFFFFFFF))], "ring_unplaced", "vring 1"),
    ("a ring's physical address", WAITING, [(0x54, le32(1))], "ring_physical", "entry 0"),
    ("rings that overlap", WAITING, [(0x44, le32(BASE + 0x80))], "overlap", "vring"),
    ("avail.flags", WAITING, [(0x100, le16(2))], "avail_flags", "vring 0"),
    ("used.flags", WAITING, [(0x220, le16(4))], "used_flags", "vring 1"),
    ("an avail index that jumped", WAITING, [(0x102, le16(100))], "index_jump", "vring 0"),
    ("a used index that jumped", WAITING, [(0x222, le16(3))], "index_jump", "vring 1"),
    ("an avail entry of no descriptor", WAITING, [(0x204, le16(9))], "avail_id", "vring 1"),
    ("a head that is lent twice", WAITING, [(0x106, le16(2))], "duplicate_head", "vring 0"),
    ("a used entry that was never lent", WAITING, [(0x222, le16(1)), (0x224, le32(5))], "used_not_lent", "vring 1"),
    ("a used entry of no descriptor", ANNOUNCED, [(0x124, le32(8))], "used_id", "vring 0"),
    ("a buffer given back twice", ANNOUNCED, [(0x122, le16(2))], "used_not_lent", "vring 0"),
    ("NEXT", WAITING, [(0x18C, le16(1))], "descriptor_flags", "vring 1, descriptor 0"),
    ("INDIRECT", WAITING, [(0x18C, le16(4))], "descriptor_flags", "vring 1, descriptor 0"),
    ("flags without meaning", WAITING, [(0x18C, le16(0x8000))], "descriptor_flags", "vring 1, descriptor 0"),
    ("a message that the device may write", WAITING, [(0x18C, le16(2))], "descriptor_flags", "vring 1, descriptor 0"),
    ("a buffer that the device may not write", WAITING, [(0x9C, le16(0))], "descriptor_flags", "vring 0, descriptor 1"),
    ("a buffer outside", WAITING, [(0x180, le32(BASE - 1))], "descriptor_outside", "vring 1, descriptor 0"),
    ("a buffer that reaches outside", WAITING, [(0x188, le32(0x10000))], "descriptor_outside", "vring 1, descriptor 0"),
    ("an address above 4 GiB", WAITING, [(0x184, le32(1))], "descriptor_outside", "vring 1, descriptor 0"),
    ("a buffer without room", WAITING, [(0x188, le32(8))], "descriptor_length", "vring 1, descriptor 0"),
    ("buffers that overlap", WAITING, [(0xA0, le32(BASE + 0x420))], "overlap", "vring 0, descriptor"),
    ("a buffer in a ring", WAITING, [(0xA0, le32(BASE + 0x90))], "overlap", "vring 0"),
    ("header.len", WAITING, [(0x68C, le16(200))], "header_length", "vring 1, descriptor 0"),
    ("header.flags", WAITING, [(0x68E, le16(1))], "header_flags", "vring 1, descriptor 0"),
    ("a message for nobody", WAITING, [(0x684, le32(0xFFFFFFFF))], "header_address", "vring 1, descriptor 0"),
    ("an announcement of 39 bytes", ANNOUNCED, [(0x28C, le16(39))], "announcement_length", "vring 0, descriptor 0"),
    ("a name without an end", ANNOUNCED, [(0x290, b"a" * 32)], "announcement_name", "vring 0, descriptor 0"),
    ("no name", ANNOUNCED, [(0x290, b"\0")], "announcement_name", "vring 0, descriptor 0"),
    ("an announcement of nobody", ANNOUNCED, [(0x2B0, le32(0xFFFFFFFF))], "announcement_address", "vring 0"),
    ("an announcement's flags", ANNOUNCED, [(0x2B4, le32(2))], "announcement_flags", "vring 0, descriptor 0"),
    ("used.len above the buffer", ANNOUNCED, [(0x128, le32(200))], "used_length", "vring 0, descriptor 0"),
    ("used.len below a header", ANNOUNCED, [(0x128, le32(8))], "used_length", "vring 0, descriptor 0"),
    ("header.len above used.len", ANNOUNCED, [(0x128, le32(40))], "header_length", "vring 0, descriptor 0"),
]


class Checks:
    def __init__(self, program, data, tally):
        self.program = program
        self.data = data
        self.tally = tally
        self.failed = 0

    def check(self, name, problems):
        """A check that passed if nothing is the matter."""
        self.tally.write(f"{'fail' if problems else 'pass'}\tinspect: {name}\n")
        self.failed += bool(problems)
        print("\n".join(f"{name}: {problem}" for problem in problems) or f"{name}: as it should be")

    def recording(self, name):
        return Recording(self.data / f"{name}.txt")

    def image(self, name, step):
        recording = self.recording(name)
        return recording, next(one["image"] for one in recording.steps if one["step"] == step)

    def text(self, image, options):
        """What it says to people."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(image)
            file.flush()
            return subprocess.run([self.program, "inspect", file.name, *options], capture_output=True, text=True,
                                  check=False)


def damage(checks):
    for name, (scenario, step), writes, kind, where in DAMAGE:
        recording, image = checks.image(scenario, step)
        broken = bytearray(image)
        for at, data in writes:
            broken[at:at + len(data)] = data
        assert broken != image and len(broken) == len(image)
        problems = []
        code, before = inspect(checks.program, image, recording.options())
        if code != 0 or before["faults"]:
            problems.append(f"status {code} before the damage")
        code, told = inspect(checks.program, bytes(broken), recording.options())
        if code != 1:
            problems.append(f"status {code}")
        if not any(fault["kind"] == kind and where in fault["where"] for fault in told["faults"]):
            problems.append(f"no {kind} in {where}, but {told['faults']}")
        said = checks.text(bytes(broken), recording.options())
        if where not in said.stdout.split("break", 1)[-1]:
            problems.append("people are not told")
        problems += [f"a line of {len(line)} columns: {line}" for line in said.stdout.splitlines()
                     if len(line) > COLUMNS]
        if "\x1b" in said.stdout:
            problems.append("colours in a file")
        checks.check(f"damaged: {name}", problems)


def truncation(checks):
    """Every length of file: never a signal, and never a clean bill for rings that are cut."""
    recording, image = checks.image(*WAITING)
    problems = []
    for length in range(1, 0x680, 37):
        done = checks.text(image[:length], recording.options())
        if done.returncode not in ((1, 2) if length < 88 else (1,)):
            problems.append(f"status {done.returncode} at {length} bytes: {done.stderr}")
    checks.check("a file that was cut", problems)


def search(checks):
    recording, image = checks.image(*WAITING)
    junk = bytes(range(256)) * 5
    _, straight = inspect(checks.program, image, recording.options())
    _, told = inspect(checks.program, junk + image + junk, ["--base", hex(BASE - len(junk))])
    problems = []
    if not told["table"]["searched"] or told["table"]["offset"] != len(junk):
        problems.append(f"table: {told['table']}")
    if [ring["lent"] for ring in told["rings"]] != [ring["lent"] for ring in straight["rings"]]:
        problems.append("other rings")
    _, told = inspect(checks.program, junk + image + junk, ["--base", hex(BASE - len(junk)), "--at", hex(len(junk))])
    if told["table"]["searched"]:
        problems.append("searched where it was said")
    checks.check("a table somewhere in the file is found, and where is said", problems)


def unsaid_dialect(checks):
    recording, image = checks.image("rl-02-announce-echo-a16", "6")
    options = recording.options()
    code, told = inspect(checks.program, image, options)
    problems = [] if code == 0 and told["rings"][1]["prefilled"] else [f"with --dialect: {code}"]
    del options[options.index("--dialect"):options.index("--dialect") + 2]
    code, told = inspect(checks.program, image, options)
    if code != 1 or not any("--dialect rpmsg-lite" in fault["what"] for fault in told["faults"]):
        problems.append(f"without: {code}, {told['faults']}")
    checks.check("a used ring that rpmsg-lite filled is a fault only where nobody said so", problems)


def status_byte(checks):
    """Rings at known places, with Zephyr's status byte in front of them."""
    recording, image = checks.image("rl-02-announce-echo-a16", "6")
    options = ["--base", hex(BASE - 16), *recording.options()[2:], "--status", hex(BASE - 16)]
    problems = []
    for byte, is_used in ((4, True), (0, False)):
        code, told = inspect(checks.program, bytes([byte]) + bytes(15) + image, options)
        is_judged = not any(note["kind"] == "not_live" for note in told["notes"])
        if code != 0 or told["status"] != byte or is_judged != is_used:
            problems.append(f"status {byte}: {code}, {told['status']}, {told['notes']}")
    checks.check("a status byte is read where it is said to be", problems)


def wire(checks):
    """The single messages that were written down: those that wait in an image are told as they are."""
    problems = []
    seen = 0
    vector = {}
    for line in [*(checks.data / "wire.txt").read_text(encoding="utf-8").splitlines(), ""]:
        key, _, value = line.partition("=")
        vector[key] = value
        if line or "announce" not in vector or not vector["from"].count(" step "):
            vector = vector if line else {}
            continue
        scenario, _, step = vector["from"].partition(" step ")
        try:
            recording, image = checks.image(scenario, step)
        except (FileNotFoundError, StopIteration):
            image = None
        if image is not None:
            _, told = inspect(checks.program, image, recording.options())
            wanted = fields(vector["announce"])
            wanted = (wanted["name"], number(wanted["addr"]), number(wanted["flags"]))
            heard = [one["announcement"] for one in told["messages"] if one["announcement"]]
            heard = [(one["name"], one["address"], one["flags"]) for one in heard]
            if wanted not in heard:
                problems.append(f"{vector['vector']}: {wanted} is not among {heard}")
            seen += 1
        vector = {}
    if seen < 5:
        problems.append(f"only {seen} were looked at")
    checks.check("announcements are told as they were written down", problems)


def bad_input(checks):
    recording, image = checks.image(*WAITING)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "image")
        file.write_bytes(image)
        empty = pathlib.Path(folder, "empty")
        empty.touch()
        zeros = pathlib.Path(folder, "zeros")
        zeros.write_bytes(bytes(4096))
        reader, writer = os.pipe()
        for name, arguments in {
            "no argument": [],
            "no such file": [f"{folder}/nothing"],
            "a folder": [folder],
            "an empty file": [empty],
            "an offset outside": [file, "--at", "0x100000"],
            "no such process": ["4194305:0"],
            "no such file descriptor": [f"{os.getpid()}:1000"],
            "a pipe": [f"{os.getpid()}:{reader}"],
            "no table and no rings": [zeros],
            "a ring without the other": [file, "--ring-to-driver", "0x80"],
            "rings and --at": [file, "--at", "0", "--ring-to-driver", "0", "--ring-to-device", "64", "--num", "4",
                               "--align", "4"],
            "a status byte outside": [file, *"--ring-to-driver 0 --ring-to-device 64 --num 4 --align 4".split(),
                                      "--status", "0xffffffff"],
            "a third device": [file, *recording.options(), "--device", "2"],
            "no number": [file, "--base", "here"],
            "no dialect": [file, "--dialect", "latin"],
        }.items():
            done = subprocess.run([checks.program, "inspect", *map(str, arguments)], capture_output=True, text=True,
                                  check=False)
            lines = done.stderr.splitlines()
            is_good = done.returncode == 2 and done.stdout == "" and len(lines) == 1
            checks.check(f"bad input: {name}", [] if is_good else [f"status {done.returncode}: {done.stderr}"])
        os.close(reader)
        os.close(writer)


def main(arguments):
    if len(arguments) != 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    with open(arguments[2], "a", encoding="utf-8") as tally:
        checks = Checks(arguments[0], pathlib.Path(arguments[1]), tally)
        for group in (damage, truncation, search, unsaid_dialect, status_byte, wire, bad_input):
            group(checks)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
