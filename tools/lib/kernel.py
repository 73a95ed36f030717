"""Runs a Linux kernel against the host program of tests/kernel. Run by tools/suites/kernel.

  kernel.py FOLDER [TEXT...]   FOLDER is what tools/linux/kernel prints; only tests whose name has one of the texts

A line in $RPMSG_TALLY for each test. What was measured goes to stdout: doorbells and round trips are no tests.
"""
import concurrent.futures
import os
import pathlib
import re
import sys
import time

import kernel_guest
import kernel_tests

AT_ONCE = 2  # each is two processes that wait for each other
TAIL = 15    # lines of a log that are shown, without the kernel's dump, and how much of each
WIDTH = 160
DUMP = re.compile(r"rpmsg_virtio [TR]X: |virtio_rpmsg_bus virtio\d+: Received ")
FIGURES = re.compile(r"figures ([^,]+(?:, 200 under way)?), messages (\d+) kicks (\d+) calls (\d+) us ([\d.]+)")


def tally(result, name):
    if "RPMSG_TALLY" in os.environ:
        with open(os.environ["RPMSG_TALLY"], "a", encoding="utf-8") as to:
            to.write(f"{result}\t{name}\n")


def run(name, body, kernel, *program):
    """One test; how many messages were compared."""
    test = kernel_guest.Test(name, kernel, *program)
    try:
        body(test)
        tally("pass", name)
    except kernel_guest.Failed as failed:
        tally("fail", name)
        tails = ["".join(f"    {line[:WIDTH]}\n" for line in one.lines if not DUMP.search(line)) for one in test.started]
        tails = ["".join(tail.splitlines(keepends=True)[-TAIL:]) for tail in tails]
        print(f"  FAILED: {name}: {failed}\n" + "    --\n".join(tails) + f"    (all of it in {test.log}.*)", flush=True)
    finally:
        test.close()
    return test.messages


def figures(kernel):
    """Doorbells of a message (of a ping and its pong together) and the time it takes, as a table."""
    print(f"  {'doorbells of a message':<46}{'out of the guest':>18}{'into it':>10}{'us':>8}")
    for features, words in (("flags", ()), ("EVENT_IDX", ("event-idx",)), ("in-band", ("inband",))):
        name = f"doorbells and time, {features}"
        test = kernel_guest.Test(name, kernel, "kernel_host")
        try:
            host = test.host("counting", "--quiet", *(f"--{word}" for word in words))
            said = test.guest("figures", dump=False, seconds=60)
            test.finish(host)
            for line in said:
                if found := FIGURES.search(line):
                    count = int(found[2])
                    print(f"  {found[1]:<30}{features:<16}{int(found[3]) / count:>18.4f}{int(found[4]) / count:>10.4f}"
                          f"{float(found[5]):>8.1f}", flush=True)
            tally("pass", name)
        except kernel_guest.Failed as failed:
            tally("fail", name)
            print(f"  FAILED: {name}: {failed}")
        finally:
            test.close()


def main(arguments):
    if not arguments:
        print("kernel.py: FOLDER [TEXT...]", file=sys.stderr)
        return 2
    kernel, texts = pathlib.Path(arguments[0]), arguments[1:]
    kernel_guest.LOGS.mkdir(parents=True, exist_ok=True)

    def chosen(tests):
        return {name: body for name, body in tests.items() if not texts or any(text in name for text in texts)}

    start, messages = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(run, name, body, kernel) for name, body in chosen(kernel_tests.TESTS).items()]
        for one in running:
            messages += one.result()
    if messages:
        print(f"  {messages} messages are in the kernel's dump as they are in our record ({time.monotonic() - start:.0f} s)")
    for name, body in chosen(kernel_tests.ALONE).items():
        run(name, body, kernel, "kernel_host")
    if not texts or "figures" in texts:
        figures(kernel)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
