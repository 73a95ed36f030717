"""Runs char_bus in a guest, against our own remote processor: the traps of /dev/rpmsg*, a test each.

  char_device_tests.py BUILD [TEXT...]   in BUILD are tests/kernel_char_guest, tests/kernel_char_host and
                                         examples/16_char_device; only tests whose name has one of the texts

A line in $RPMSG_TALLY for each test. A guest that says BUG, WARNING or the like fails its test.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import kernel_guest

SECONDS = 40  # a test takes less than 5

# What it shows: the mode, and perhaps the ring's size, what the kernel says on the way, and the time it may take.
TESTS = {
    "messages of 0 to 496 bytes are whole, longer ones errc::too_long": ("sizes", {}),
    "EMSGSIZE teaches the longest payload": ("learns", {"expects": r"message is too big"}),
    "buffers in place and messages that are held": ("in_place", {}),
    "one file for one's own epoll": ("own_epoll", {}),
    "no room: errc::full, deadlines kept, no 15 seconds": ("full", {"ring": 16}),
    "on_tx_ready": ("tx_ready", {"ring": 16}),
    "results of receivers wait for room": ("replies", {"ring": 16}),
    "signals end and prolong nothing": ("signals", {"ring": 16}),
    "what nobody reads waits in the kernel, in order": ("slow_reader", {}),
    "a channel without a driver is bound by name, withdrawn, bound again": ("by_name", {}),
    "rpmsg-raw has one opener, and its node stays": ("raw", {}),
    "a node that is there, by its number": ("node", {}),
    "channels of ours are announced and withdrawn": ("announces", {}),
    "a channel of a program that was killed is taken over": ("leftover", {}),
    "a name of 31 characters": ("long_name", {}),
    "nodes that were made are destroyed": ("leaves_nothing", {}),
    "an address that another has": ("same_address", {"expects": r"idr_alloc failed", "may": r"failed with error -12"}),
    "four programs make nodes at once, and none gets another's": ("two_programs", {}),
    "an address that Linux chose is not known": ("hidden_address", {}),
    "a sender that Linux does not name": ("unbound", {}),
    "a program that is there before its device, and before udev": ("late", {}),
    "the link is lost and comes back, without the program's doing": ("restart", {"may": r"no recipient"}),
    "the remote processor dies": ("killed", {"may": r"WARNING|vu_|virtio"}),
    "examples/16_char_device": ("example", {}),
    "round trips": ("ping", {}),
}
# Each with the kernel that says when there is room to send, and with the one that does not.
BOTH = {"full", "tx_ready", "replies", "signals", "restart"}


def tally(result, name):
    if "RPMSG_TALLY" in os.environ:
        with open(os.environ["RPMSG_TALLY"], "a", encoding="utf-8") as to:
            to.write(f"{result}\t{name}\n")


def command(linux, build, folder, mode, ring):
    return kernel_guest.boot(build / "tests/kernel_char_guest", [f"{folder}/socket"], "printk.devkmsg=on",
                             f"virtio_uml.ring={ring}", "loglevel=7", f"MODE={mode}",
                             f"PROGRAM={build / 'examples/16_char_device'}",
                             *(["SAYS=1"] if linux != "linux" else []), linux=linux)


def run(linux, build, mode, ring=256, expects=None, may=None):
    """Why it is none that passed, or "", and what the guest said."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rpmsg-char-"))
    host = subprocess.Popen([build / "tests/kernel_char_host", folder / "socket"], stdout=subprocess.PIPE)
    try:
        if host.stdout.readline() != b"listens\n":
            return "the host does not listen", ""
        done = subprocess.run(command(linux, build, folder, mode, ring), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=SECONDS)
        said = done.stdout.decode(errors="replace")
        for line in said.splitlines():
            allowed = [known for known in (expects, may) if known]
            if kernel_guest.WRONG.search(line) and not any(re.search(known, line) for known in allowed):
                return f"the guest says: {line}", said
        if done.returncode != 0:
            return f"the guest ends with status {done.returncode}", said
        if expects and not re.search(expects, said):
            return f"the guest does not say: {expects}", said
        if host.poll() not in (None, 0):
            return f"the host ends with status {host.returncode}", said
        return "", said
    except subprocess.TimeoutExpired as late:
        return f"the guest hangs: stopped after {SECONDS} s", (late.stdout or b"").decode(errors="replace")
    finally:
        host.kill()
        host.wait()
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments):
    if not arguments:
        print("char_device_tests.py: BUILD [TEXT...]", file=sys.stderr)
        return 2
    build, texts = pathlib.Path(arguments[0]).absolute(), arguments[1:]
    failed = 0
    for name, (mode, options) in TESTS.items():
        for linux in ("linux", "linux-epollout") if mode in BOTH else ("linux",):
            full = f"/dev/rpmsg: {name}" + (" (Linux says when there is room)" if linux != "linux" else "")
            if texts and not any(text in full or text == mode for text in texts):
                continue
            start = time.monotonic()
            why, said = run(linux, build, mode, **options)
            tally("fail" if why else "pass", full)
            if why:
                failed += 1
                tail = "".join(f"    {line}\n" for line in said.splitlines()[-15:])
                print(f"  FAILED: {full}: {why}\n{tail}", end="", flush=True)
            elif os.environ.get("RPMSG_VERBOSE"):
                print(f"  {time.monotonic() - start:4.1f} s  {full}", flush=True)
            for line in re.findall(r"guest: (round trip .*)", said):
                print(f"  /dev/rpmsg: {line}, send() to receiver", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
