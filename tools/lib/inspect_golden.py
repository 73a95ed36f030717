#!/usr/bin/env python3
"""Compares what `rpmsg inspect --json` says of recorded images with what the recordings say.

  tools/lib/inspect_golden.py PROGRAM DATA TALLY  one line a scenario in TALLY; status 1 when something differs

What is in an image is worked out here from the steps alone (who sent, posted and returned what, and in which order),
without a look at the image: nothing of the analysis that is tested is used.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

from golden_data import unpacked

NAME_SERVICE = 0x35
ANY = 0xFFFFFFFF
DRIVER_OK = 4


def fields(value):
    """`name:value` words as a dictionary; numbers stay text."""
    return dict(word.split(":", 1) for word in value.split() if ":" in word)


def number(text):
    return int(text, 0)


def payload(text):
    return "" if text == "-" else text


class Ring:
    """What the recorded calls did to one ring."""

    def __init__(self):
        self.owner = {}  # descriptor -> "device" or "used"
        self.lent = []  # in the order in which they were made available
        self.back = []  # in the order in which they were given back
        self.position = {}  # descriptor -> how many had been lent before it
        self.count = 0
        self.sent = {}  # descriptor -> the fields of the message in it
        self.prefilled = set()

    def lend(self, name):
        self.owner[name] = "device"
        self.position[name] = self.count
        self.count += 1
        if name in self.back:
            self.back.remove(name)
        self.lent.append(name)
        self.prefilled.discard(name)

    def give_back(self, name, prefilled=False):
        self.owner[name] = "used"
        if name in self.lent:
            self.lent.remove(name)
        self.back.append(name)
        if prefilled:
            self.prefilled.add(name)


class Recording:
    """A scenario, step by step: what must be seen in each image."""

    def __init__(self, path):
        self.name = path.stem
        self.setup = {}
        self.steps = []
        image = None
        for key, value in unpacked(path):
            if key == "step":
                self.steps.append({"step": value, "lines": [], "image": None})
            elif not self.steps:
                self.setup[key] = value
            elif key == "image":
                self.steps[-1]["image"] = image = value
            else:
                self.steps[-1]["lines"].append((key, value))
        self.is_table = self.setup.get("table.off", "none") != "none"
        self.is_lite_driver = "rpmsg-lite" in self.setup["recorder.driver"]

    def get(self, key):
        return number(self.setup[key])

    def options(self):
        options = ["--base", self.setup["base.pa"]]
        if self.is_lite_driver:
            options += ["--dialect", "rpmsg-lite"]
        elif self.setup.get("layout") == "lite":
            options += ["--layout", "rpmsg-lite"]
        if not self.is_table:
            options += ["--ring-to-driver", self.setup["vring0.pa"], "--ring-to-device", self.setup["vring1.pa"],
                        "--num", self.setup["num"], "--align", self.setup["align"]]
        return options

    def play(self):
        """Yields each step with an image, the rings after it, and whether the steps told everything."""
        rings = [Ring(), Ring()]
        is_told = True
        status = 0
        for step in self.steps:
            lines = step["lines"]
            actor = dict(lines).get("actor")
            do = dict(lines).get("do", "")
            if do == "start" and actor == "driver":
                rings, status = [Ring(), Ring()], DRIVER_OK
            if do == "stop":
                status = 0
            if do.startswith("bulk"):
                is_told = False
            for key, value in lines:
                f = fields(value)
                if key == "posted":
                    rings[0].lend(number(f["id"]))
                elif key == "sent" and f["ring"] == "0":
                    rings[0].give_back(number(f["id"]))
                    rings[0].sent[number(f["id"])] = f
                elif key == "sent":
                    rings[1].lend(number(f["id"]))
                    rings[1].sent[number(f["id"])] = f
                elif key == "returned":
                    rings[1].give_back(number(f["id"]), "prefilled" in f)
            if step["image"] is not None:
                yield step, rings, is_told, status


class Differences:
    def __init__(self, where):
        self.where = where
        self.found = []

    def same(self, what, expected, got):
        if expected != got:
            self.found.append(f"{self.where}: {what}: recorded {expected}, told {got}")


def inspect(program, image, options):
    with tempfile.NamedTemporaryFile() as file:
        file.write(image)
        file.flush()
        done = subprocess.run([program, "inspect", "--json", file.name, *options], capture_output=True, text=True,
                              check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    return done.returncode, json.loads(done.stdout)


def announcement(data):
    """(name, is terminated, news, address) by the written format of 40 bytes."""
    raw = bytes.fromhex(data)
    name, _, rest = raw[:32].partition(b"\0")
    is_terminated = len(name) < 32
    flags = int.from_bytes(raw[36:40], "little")
    return name.decode("latin-1"), is_terminated, "went" if flags & 1 else "came", int.from_bytes(raw[32:36], "little")


def compare_message(d, message, sent, with_reserved):
    for key in ("src", "dst", "len", "flags") + (("reserved",) if with_reserved else ()):
        d.same(f"message in {message['ring']}.{message['descriptor']}: {key}", number(sent[key]), message[key])
    d.same("its bytes", payload(sent["data"]), message["data"])
    d.same("where it is", number(sent["at"]), message["offset"])
    if number(sent["dst"]) != NAME_SERVICE:
        return d.same("announcement", None, message["announcement"])
    name, _, news, address = announcement(sent["data"])
    told = message["announcement"]
    return d.same("announcement", (name, news, address), (told["name"], told["news"], told["address"]))


def compare_ring(d, recording, which, ring, told, state, is_told):
    for part in ("avail", "used"):
        d.same(f"{part}.idx", number(state[f"{part}_idx"]), told[part]["idx"])
        d.same(f"{part}.flags", number(state[f"{part}_flags"]), told[part]["flags"])
    for key, place in (("num", "num"), ("align", "align"), ("offset", f"vring{which}.off")):
        d.same(key, recording.get(place), told[key])
    d.same("avail", recording.get(f"vring{which}.avail"), told["avail"]["offset"])
    d.same("used", recording.get(f"vring{which}.used"), told["used"]["offset"])
    if not is_told:
        return
    d.same("with the device", len(ring.lent), told["with_device"])
    d.same("lent, in order", ring.lent, told["lent"])
    d.same("back, in order", ring.back, told["back"])
    d.same("prefilled", sorted(ring.prefilled),
           [i for i, one in enumerate(told["descriptors"]) if one["prefilled"] and one["owner"] == "used"])


def compare_steps(d, recording, step, rings, is_told, told):
    """The rings, the messages, and who has taken what."""
    lines = dict(step["lines"])
    for which, ring in enumerate(rings):
        at = Differences(f"{d.where}, vring {which}")
        compare_ring(at, recording, which, ring, told["rings"][which], fields(lines[f"vring{which}"]), is_told)
        d.found += at.found
    pending = [fields(value) for key, value in step["lines"] if key == "pending"]
    for which in (0, 1):
        messages = [one for one in told["messages"] if one["ring"] == which]
        waiting = [one for one in pending if one["ring"] == str(which)]
        # What is read and kept comes before what is not read: the last ones are those that wait.
        tail = messages[len(messages) - len(waiting):]
        d.same(f"waiting in vring {which}", [number(one["id"]) for one in waiting],
               [one["descriptor"] for one in tail])
        for one, message in zip(waiting, tail):
            sent = dict(rings[which].sent.get(number(one["id"]), {}), **one)
            if "flags" in sent:
                compare_message(d, message, sent, with_reserved="reserved" in sent)
        for message in messages if is_told else []:
            compare_message(d, message, rings[which].sent[message["descriptor"]], with_reserved=False)
        if not is_told or "private.device" not in lines:
            continue
        read = number(fields(lines["private.device"])[f"vring{which}_avail_seen"])
        for name, one in enumerate(told["rings"][which]["descriptors"]):
            if one["owner"] == "taken" and rings[which].position[name] >= read:
                d.found.append(f"{d.where}: descriptor {name} of vring {which} is said to be taken, and was not")


def expected_faults(recording, rings, status, is_told, told):
    """Kinds of what the recorded libraries themselves did against the rules."""
    kinds = []
    if recording.name == "oa-11-table-any" and status & DRIVER_OK:
        kinds += ["ring_unplaced"] * 2  # OpenAMP leaves the addresses that it chose to itself
    if recording.name == "oa-11-table-generic" and status & DRIVER_OK:
        kinds += ["ring_outside"] * 2  # the image is the table, and ends with it
    if not is_told or "num" not in recording.setup:
        return kinds
    for message in told["messages"]:
        sent = rings[message["ring"]].sent[message["descriptor"]]
        if number(sent["dst"]) == NAME_SERVICE and not announcement(sent["data"])[1]:
            kinds.append("announcement_name")  # rpmsg-lite sends 32 characters
    return kinds


def compare_table(d, recording, image, told):
    def word(at):
        return int.from_bytes(image[at:at + 4], "little")

    entry = told["table"]["entries"][0]
    d.same("table", recording.get("table.off"), told["table"]["offset"])
    d.same("vdev entry", recording.get("status.off") - 24, entry["offset"])
    d.same("its kind", ("vdev", 7), (entry["kind"], entry["id"]))
    d.same("status", image[recording.get("status.off")], told["status"])
    d.same("accepted", word(recording.get("gfeatures.off")), told["accepted"])
    d.same("offered", recording.get("features"), told["offered"])
    ids = fields(recording.setup["ids"])
    if recording.name.startswith("oa-"):  # those of rpmsg-lite number its own doorbells
        d.same("notify ids", [number(ids["vring0"]), number(ids["vring1"])],
               [ring["notifyid"] for ring in entry["vrings"]])
    for which, ring in enumerate(entry["vrings"]):
        at = recording.get("vdev.off") + 28 + 20 * which if "vdev.off" in recording.setup else None
        place = number(recording.setup.get(f"vring{which}.pa", "0")) or word(at)
        d.same(f"da of vring {which}", place, ring["da"])


def compare(program, recording):
    """What differs, and how many images were looked at."""
    differences = []
    images = 0
    uncertain = 0
    for step, rings, is_told, status in recording.play():
        images += 1
        d = Differences(f"{recording.name} step {step['step']}")
        code, told = inspect(program, step["image"], recording.options())
        if recording.is_table:
            compare_table(d, recording, step["image"], told)
            if "status" in told:
                status = told["status"]
        is_laid_out = any(key == "vring0" for key, _ in step["lines"])
        if is_laid_out and status_allows(recording, status):
            compare_steps(d, recording, step, rings, is_told, told)
        uncertain += sum(not ring.get("certain", True) for ring in told["rings"])
        wanted = expected_faults(recording, rings, status, is_told, told)
        d.same("what breaks the spec", sorted(wanted), sorted(fault["kind"] for fault in told["faults"]))
        d.same("status of the program", 1 if wanted else 0, code)
        differences += d.found
    return differences, images, uncertain


def status_allows(recording, status):
    return not recording.is_table or bool(status & DRIVER_OK)


def main(arguments):
    if len(arguments) != 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    program, data, tally = arguments[0], pathlib.Path(arguments[1]), arguments[2]
    failed = False
    with open(tally, "a", encoding="utf-8") as lines:
        for path in sorted(data.glob("*.txt")):
            if path.name == "wire.txt":
                continue
            differences, images, uncertain = compare(program, Recording(path))
            print("\n".join(differences) or f"{path.stem}: {images} images agree, {uncertain} rings not certain")
            lines.write(f"{'fail' if differences else 'pass'}\tinspect tells what was recorded: {path.stem}\n")
            failed = failed or bool(differences)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
