"""Starts the host program of tests/kernel and Linux as a user-mode program, and looks at how they end."""
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile
import threading

import kernel_record

BUILD = pathlib.Path("build/gcc/tests").absolute()
LOGS = pathlib.Path(os.environ.get("RPMSG_LOGS", "build/logs/kernel"))
LOOK_SECONDS = 0.005  # between two looks at a log
HOST_SECONDS = 20  # until the host listens, or ends when it is told to

# What the kernel says when something is wrong; a test names those lines that it expects.
WRONG = re.compile(r"\bBUG\b|WARNING|too big|no recipient|malformed|already exist|rpmsg_create_channel failed"
                   r"|timeout waiting|out of range|messages dropped|Oops|panic|failed with error"
                   r"|scheduling while atomic|guest: FAILED")


def boot(init, sockets, *words, linux="linux"):
    """The command that boots a guest with a program of ours as its first."""
    devices = [word for socket in sockets for word in ("--device", socket)]
    return ["tools/linux/boot", *(["--epollout"] if linux != "linux" else []), *devices, str(init), *words]


class Failed(Exception):
    """Why a test is none that passed."""


class Process:
    """A program whose lines are read while it runs; `on` has what is to be done at a line with a text.

    It writes to a file: into a pipe that is full user-mode Linux does not wait to write, it drops the line.
    """

    def __init__(self, command, log, on=None):
        self.lines, self.on, self.news = [], dict(on or {}), threading.Condition()
        self.ended = threading.Event()
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self.read, args=(open(log, encoding="utf-8", errors="replace"),))
        self.reader.start()

    def read(self, log):
        begun = ""
        with log:
            while True:
                last = self.ended.is_set()
                while line := log.readline():
                    begun += line
                    if begun.endswith("\n"):
                        self.take(begun.rstrip("\n"))
                        begun = ""
                if last:
                    break
                self.ended.wait(LOOK_SECONDS)
        if begun:
            self.take(begun)

    def take(self, line):
        with self.news:
            self.lines.append(line)
            self.news.notify_all()
        for text, react in self.on.items():
            if text in line:
                react()

    def await_line(self, text, seconds):
        with self.news:
            return self.news.wait_for(lambda: any(text in line for line in self.lines), seconds)

    def end(self, seconds):
        """Its status, or None when it had to be killed."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = None
        self.ended.set()
        self.reader.join()
        return status


class Test:
    """One test while it runs: its folder with the sockets, its logs, the programs it started."""

    def __init__(self, name, kernel, program="kernel_host_sanitized"):
        self.name, self.kernel, self.program = name, kernel, program
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rpmsg-kernel-"))
        self.log = LOGS / re.sub(r"[^A-Za-z0-9_.+-]", "_", name)
        self.started, self.said = [], []
        self.messages = 0

    def socket(self, number=0):
        return str(self.folder / f"socket{number}")

    def host(self, mode, *words, sockets=1):
        """Starts the host program and waits until it listens."""
        # Fixed addresses: the sanitizers' shadow memory has its place.
        command = ["setarch", platform.machine(), "-R", BUILD / self.program, mode, *map(self.socket, range(sockets)), *words]
        host = Process(command, f"{self.log}.host{len(self.started)}.log")
        self.started.append(host)
        if not host.await_line(f"{sockets - 1} = listens", HOST_SECONDS):
            raise Failed("the host does not listen: " + " ".join(host.lines[-1:]))
        return host

    def guest(self, mode, *, sockets=1, ring=256, dump=True, seconds=30, expects=(), may=(), on=None, linux="linux",
              **words):
        """Runs a guest to its end; the lines it said. `expects` are lines of WRONG that have to be there, `may` others."""
        debug = ["virtio_rpmsg_bus.dyndbg=+p", "loglevel=8"] if dump else ["loglevel=7"]
        command = boot(BUILD / "kernel_guest", map(self.socket, range(sockets)), "printk.devkmsg=on",
                       f"virtio_uml.ring={ring}", *debug, f"MODE={mode}", f"SECONDS={seconds}",
                       *(f"{name}={value}" for name, value in words.items()), linux=linux)
        guest = Process(command, f"{self.log}.guest{len(self.started)}.log", on)
        self.started.append(guest)
        status = guest.end(seconds + 20)
        self.said = guest.lines
        for line in guest.lines:
            if WRONG.search(line) and not any(re.search(known, line) for known in (*expects, *may)):
                raise Failed(f"the guest says: {line}")
        for known in expects:
            if not any(re.search(known, line) for line in guest.lines):
                raise Failed(f"the guest does not say: {known}")
        if status is None:
            raise Failed(f"the guest hangs: stopped after {seconds + 20} s")
        if status != 0 or not any("guest: done" in line for line in guest.lines):
            raise Failed(f"the guest ends with status {status}")
        return guest.lines

    def finish(self, host, faults=0):
        """Ends the host program; the lines it said."""
        host.process.terminate()
        status = host.end(HOST_SECONDS)
        if status is None:
            raise Failed("the host does not end")
        if status != 0:
            raise Failed(f"the host ends with status {status}")
        for line in host.lines:
            if " = faults " in line and line.split()[-1] != str(faults):
                raise Failed(f"the host says: {line}")
            if " = guests " in line and line.split()[-1] != "0":
                raise Failed(f"the host refused what the kernel asked: {line}")
        return host.lines

    def compare(self, guest_lines, host_lines, buses=1):
        """Both records, byte for byte."""
        why, count = kernel_record.compare(guest_lines, host_lines, buses)
        if why:
            raise Failed(why)
        if count == 0:
            raise Failed("no message was recorded")
        self.messages += count

    def close(self):
        for one in self.started:
            if one.process.poll() is None:
                one.process.kill()
            one.end(HOST_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)
