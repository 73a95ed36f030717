"""The tests with a Linux kernel as the peer: see tools/lib/kernel.py, which runs them."""
import itertools
import os
import re
import signal

from kernel_guest import Failed

TESTS = {}
GONE = r"no recipient"  # who closes while answers are under way
# What user mode says when the process behind a device is gone; none of it is RPMsg's.
DEVICE_GONE = (r"WARNING: .* at arch/um/drivers/virtio_uml\.c",)
ECHOES = 40  # of the guest's exchange
MESSAGES = int(os.environ.get("RPMSG_KERNEL_MESSAGES", "1000000"))
SOAK_SECONDS = 120


def test(name, *arguments):
    def keep(function):
        TESTS[name] = lambda run: function(run, *arguments)
        return function
    return keep


def both_said(run, host, guest, buses=1, **options):
    """One host program, one guest, and both records compared; what the guest and what the host said."""
    served = run.host(*host, sockets=buses)
    said = run.guest(guest, sockets=buses, **options)
    heard = run.finish(served)
    run.compare(said, heard, buses)
    return said, heard


def conversation(*arguments, **options):
    """The same; what the host said."""
    return both_said(*arguments, **options)[1]


def payload_sizes(lines, way):
    return [len(line.split()[4]) // 2 if len(line.split()) > 4 else 0 for line in lines if line.split()[1] == way]


def wants(good, what):
    if not good:
        raise Failed(what)


# What the device may offer, each in all combinations.
FEATURES = ("event-idx", "legacy", "inband", "no-reply-ack")
for chosen in itertools.chain.from_iterable(itertools.combinations(FEATURES, n) for n in range(len(FEATURES) + 1)):
    for ring in (256, 16):
        @test(f"an exchange with {', '.join(chosen) or 'the usual features'}, rings of {ring}", chosen, ring)
        def exchange(run, words, size):
            said, heard = both_said(run, ["echo", *(f"--{word}" for word in words), "rpmsg-raw"], "exchange", ring=size)
            bits = re.search("features ([01]+)", next(line for line in said if "guest: features" in line))[1]
            agreed = {number for number, bit in enumerate(bits) if bit == "1"} - {30}  # 30 is the protocol's own
            wanted = {0} | ({29} if "event-idx" in words else set()) | (set() if "legacy" in words else {32})
            wants(agreed == wanted, f"features {agreed} were agreed on, not {wanted}")
            requests = next(int(line.split()[-1]) for line in heard if " = requests " in line)
            wants((requests > ECHOES) == ("inband" in words), f"{requests} requests: each kick is one, or none is")


@test("rpmsg_client_sample says hello a hundred times, and goodbye")
def client_sample(run):
    heard = conversation(run, ["echo", "rpmsg-client-sample"], "sample", MODULE=run.kernel / "rpmsg_client_sample.ko")
    hellos = [line for line in heard if line.endswith(b"hello world!".hex())]
    wants(len(hellos) == 200 and payload_sizes(heard, "<") == [12] * 100, f"{len(hellos)} hellos both ways")


@test("rpmsg-raw: messages of 0 to 496 bytes, and 497 refused on both sides")
def sizes(run):
    heard = conversation(run, ["echo", "rpmsg-raw"], "sizes", expects=[rf"too big \({size}\)" for size in (497, 512, 1000)])
    wants(payload_sizes(heard, "<") == [0, 1, 15, 16, 17, 495, 496, 0, 496], "the sizes that were sent came")
    wants("0 = longest 496" in heard, "the longest payload is 496")
    wants("0 = 497: too_long" in heard, "497 are too long for the host as well")


@test("rpmsg-tty: a line of 1000 bytes arrives as 496, 496 and 8")
def tty(run):
    heard = conversation(run, ["echo", "rpmsg-tty"], "tty")
    wants(payload_sizes(heard, "<") == [496, 496, 8], f"the sizes are {payload_sizes(heard, '<')}")


@test("endpoints made by /dev/rpmsg_ctrl0: opened, closed, destroyed, their addresses used again")
def endpoints(run):
    conversation(run, ["echo"], "endpoints")


@test("channels that the guest makes and releases are announced to us and withdrawn")
def ours(run):
    heard = conversation(run, ["channels"], "ours", expects=("already exist",), may=("rpmsg_create_channel failed",))
    news = [line for line in heard if "rpmsg-raw 700" in line]
    wants(news == ["0 = announced rpmsg-raw 700", "0 = withdrawn rpmsg-raw 700"] * 3, f"the news are {news}")


@test("channels that we open and close come and go in the guest")
def theirs(run):
    conversation(run, ["channels"], "theirs")


for word, ring in itertools.product(((), ("event-idx",), ("inband",)), (256, 16)):
    @test(f"unbind and bind in the middle of traffic, five times ({', '.join((*word, f'rings of {ring}'))})", word, ring)
    def rebind(run, words, size):
        heard = conversation(run, ["old-handles", *(f"--{one}" for one in words)], "rebind", ring=size, may=(GONE,),
                             ROUNDS=5)
        links = [line.split()[-1] for line in heard if " = link " in line]
        wants(links.count("up") == 6 and links.count("lost") == 6, f"the link was {', '.join(links)}")
        wants(sum(line.startswith("0 = unbound") for line in heard) == 6, "the endpoint is unbound each time")
        stale = [line for line in heard if " = old send: " in line]
        wants(stale == ["0 = old send: stale"] * 5, f"buffers of an old link: {stale}")
        wants(not any("has changed" in line for line in heard), "a buffer that is kept was given back")


@test("our process is killed: readers and writers get errors, and the guest lives; started again, it has new guests")
def killed(run):
    host = run.host("echo", "rpmsg-raw")
    run.guest("survive", on={"guest: kill the host": host.process.kill}, may=(GONE, *DEVICE_GONE))
    wants(host.end(20) == -signal.SIGKILL, "the host was killed")
    conversation(run, ["echo", "rpmsg-raw"], "exchange")


@test("one process serves three guests on one socket, one after another")
def guests(run):
    host = run.host("old-handles")
    said = [run.guest("exchange") for _ in range(2)] + [run.guest("rebind", may=(GONE,), ROUNDS=1)]
    heard = run.finish(host)
    run.compare(list(itertools.chain(*said)), heard)
    wants(sum(line == "0 = link up" for line in heard) == 4, "four links")


@test("two buses at once, with other features each")
def two(run):
    conversation(run, ["two", "rpmsg-raw"], "exchange", buses=2, BUSES=2)


for word in ((), ("event-idx",)):
    for linux in ("linux", "linux-epollout"):
        @test(f"rings of 16 whose buffers we keep: writers wait and are woken at once ({' '.join((linux, *word))})",
              linux, word)
        def blocked(run, kernel, words):
            host = run.host("holding", *(f"--{one}" for one in words))
            said = run.guest("blocked", ring=16, linux=kernel,
                             on={"guest: release": lambda: host.process.send_signal(signal.SIGUSR1)})
            heard = run.finish(host)
            run.compare(said, heard)
            most = max(int(line.split()[-1]) for line in heard if "releases one of" in line)
            wants(most == 16, f"the host had {most} buffers at most, not all 16")


def soak(run, words):
    host = run.host("soak", "--quiet", *(f"--{one}" for one in words))
    said = run.guest("soak", dump=False, seconds=4 * SOAK_SECONDS, MESSAGES=MESSAGES)
    heard = run.finish(host)
    told = next((line for line in heard if " = heard " in line), "nothing")
    wants(told.startswith(f"0 = heard {MESSAGES} sent {MESSAGES} wrong 0 "), f"the host says: {told}")
    seconds = float(next(re.search(r"each way in ([\d.]+) s", line)[1] for line in said if "guest: soak" in line))
    print(f"  {MESSAGES} messages each way{' with ' + words[0] if words else ''}: {seconds:.0f} s in the guest")
    if (load := os.getloadavg()[0]) > os.cpu_count() + 1:
        print(f"  others use this machine too (load {load:.1f}): no limit")
    else:
        wants(seconds <= SOAK_SECONDS, f"{seconds:.0f} s in the guest, and {SOAK_SECONDS} at most")


# Those that measure time: alone, and in this order.
ALONE = {f"{MESSAGES} messages of random size each way, 200 under way: all there, in order, unaltered{with_}":
         lambda run, words=words: soak(run, words) for with_, words in (("", ()), (", with event-idx", ("event-idx",)))}

# What the host does wrong in its tenth answer, and how the failure has to begin.
NOTICED = {
    "altered": "the guest says: .*others",
    "lost": "the guest says: .*no message in",
    "stranger": "the guest says: .*no recipient",
    "unheard": "virtio0 from_guest: message 9",
    "unsaid": "virtio0 to_guest: message 9",
    "death": r"the guest says: .*virtio_uml\.c",
}
for what, how in NOTICED.items():
    @test(f"the harness notices: {what}", what, how)
    def notices(run, word, wanted):
        try:
            conversation(run, ["wrong", f"--{word}"], "exchange")
        except Failed as failed:
            wants(re.match(wanted, str(failed)), f"it says: {failed}")
        else:
            raise Failed("it notices nothing")


@test("the harness notices: a guest that panics, one that hangs, one without a device")
def notices_ends(run):
    host = run.host("echo", "rpmsg-raw")
    for mode, words, wanted in (("sizes", {"init": "/nothing"}, "the guest says: .*panic"),
                                ("hang", {"seconds": 1}, "the guest says: .*hangs")):
        try:
            run.guest(mode, **words)
        except Failed as failed:
            wants(re.match(wanted, str(failed)), f"it says of {mode}: {failed}")
        else:
            raise Failed(f"it notices nothing of {mode}")
    run.finish(host)
    try:
        run.guest("exchange", may=("failed with error",))
    except Failed as failed:
        wants(re.match("the guest says: .*waited for a node", str(failed)), f"it says: {failed}")
    else:
        raise Failed("it does not notice that there is no device")
