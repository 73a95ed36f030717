"""What was said on the wire, three times: the kernel's hex dump, the host program's record, and the specification.

The host's record (tests/kernel/host/recorder.hpp) has addresses and payloads as its endpoints saw them. Headers and
announcements are made here of what the design says they are, and all is compared byte for byte with what the kernel
dumped (virtio_rpmsg_bus.dyndbg=+p).
"""
import dataclasses
import re
import struct

NAME_SERVICE = 53
HEADED = re.compile(r" virtio(\d+)[^ ]*: (TX )?From:? 0x")
DUMPED = re.compile(r"rpmsg_virtio [TR]X: (.{1,47})")
ONLINE = re.compile(r"virtio_rpmsg_bus virtio(\d+): rpmsg host is online")


@dataclasses.dataclass
class Epoch:
    """What went over one bus from one link-up to the next, as whole messages, in order of their sending."""
    from_guest: list = dataclasses.field(default_factory=list)
    to_guest: list = dataclasses.field(default_factory=list)
    news_from_guest: list = dataclasses.field(default_factory=list)
    news_to_guest: list = dataclasses.field(default_factory=list)

    def add(self, message, from_guest):
        news = struct.unpack_from("<I", message, 4)[0] == NAME_SERVICE
        stream = ("news_" if news else "") + ("from_guest" if from_guest else "to_guest")
        getattr(self, stream).append(message)


def whole(source, destination, payload):
    return struct.pack("<IIIHH", source, destination, 0, len(payload), 0) + payload


def news(name, address, went):
    return whole(address, NAME_SERVICE, struct.pack("<32sII", name.encode(), address, went))


def of_kernel(lines, buses):
    """The epochs of each bus, as the kernel's log has them. An epoch begins when the bus is probed: see the marks."""
    epochs = [[Epoch()] for _ in range(buses)]
    bus, from_guest, message = 0, False, None

    def finish():
        if message:
            epochs[bus][-1].add(bytes(message), from_guest)

    for line in lines:
        if begins := HEADED.search(line):
            finish()
            bus, from_guest, message = int(begins[1]), bool(begins[2]), bytearray()
        elif (dumped := DUMPED.search(line)) and message is not None:
            message += bytes.fromhex(dumped[1].split("  ")[0])
        elif online := ONLINE.search(line):
            finish()
            message = None
            epochs[int(online[1])].append(Epoch())
    finish()
    return [[epoch for epoch in each if epoch != Epoch()] for each in epochs]


def of_host(lines, buses):
    """The same, as the host program wrote it down."""
    epochs = [[] for _ in range(buses)]
    opened, up = [{} for _ in range(buses)], [False] * buses
    for line in lines:
        number, kind, *words = line.split()
        bus = int(number)
        if kind in "<>":
            payload = bytes.fromhex(words[2]) if len(words) > 2 else b""
            epochs[bus][-1].add(whole(int(words[0]), int(words[1]), payload), kind == "<")
        elif words[:2] == ["link", "up"]:
            epochs[bus].append(Epoch())
            epochs[bus][-1].news_to_guest += [news(name, at, 0) for at, name in opened[bus].items()]
            up[bus] = True
        elif words[0] == "link":
            up[bus] = False
        elif words[0] == "open":
            opened[bus][int(words[2])] = words[1]
            if up[bus]:
                epochs[bus][-1].news_to_guest.append(news(words[1], int(words[2]), 0))
        elif words[0] == "close":
            name = opened[bus].pop(int(words[1]))
            if up[bus]:
                epochs[bus][-1].news_to_guest.append(news(name, int(words[1]), 1))
        elif words[0] in ("announced", "withdrawn"):
            epochs[bus][-1].news_from_guest.append(news(words[1], int(words[2]), words[0] == "withdrawn"))
    return epochs


def shown(message):
    return f"{len(message)} bytes {message[:24].hex(' ')}..."


def differ(what, sent, heard, cut):
    """Why two lists of messages are not the same, or nothing. `cut`: the last of what was sent may be unheard."""
    for at, (one, other) in enumerate(zip(sent, heard)):
        if one != other:
            return f"{what}: message {at} is not the same: {shown(one)} was sent, {shown(other)} heard"
    if len(heard) > len(sent) or (len(heard) < len(sent) and not cut):
        return f"{what}: {len(sent)} messages were sent and {len(heard)} heard"
    return ""


def compare(kernel_lines, host_lines, buses=1):
    """Why the two records are not of the same conversation, or nothing; and how many messages there were."""
    count = 0
    for bus, (kernel, host) in enumerate(zip(of_kernel(kernel_lines, buses), of_host(host_lines, buses))):
        if len(kernel) != len(host):
            return f"virtio{bus}: {len(kernel)} links of the kernel, {len(host)} of the host", count
        for at, (theirs, ours) in enumerate(zip(kernel, host)):
            cut = at + 1 != len(kernel)  # a link that was ended in the middle of traffic
            for name in ("from_guest", "news_from_guest"):
                if why := differ(f"virtio{bus} {name}", getattr(theirs, name), getattr(ours, name), cut):
                    return why, count
            for name in ("to_guest", "news_to_guest"):
                if why := differ(f"virtio{bus} {name}", getattr(ours, name), getattr(theirs, name), cut):
                    return why, count
            count += sum(len(getattr(theirs, field.name)) for field in dataclasses.fields(theirs))
    return "", count
