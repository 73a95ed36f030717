"""The figures of tools/bench as tables for a terminal."""
import itertools

import bench_programs
import bench_record

# In the same loop: OpenAMP v2026.04.0, generic, -O2 -DNDEBUG; rpmsg-lite v5.4.0 as it comes, and its best
# build (LTO, no assert, barriers that only the compiler sees).
BESIDE = {
    "copy_16": (837, 413, 261), "copy_64": (897, 414, 262), "copy_256": (1137, 432, 280),
    "copy_496": (1437, 479, 327), "copy_16_to_driver": (854, 417, 259), "nocopy_16": (746, 432, 245),
    "echo_16": (1698, 839, 527), "burst16_copy_16": (778, 356, 224), "copy_16_100_endpoints": (1827, 1007, 860),
}
SETUP = """Both roles in one thread over plain memory: 16 buffers of 512 bytes in each direction, one endpoint a side
with explicit addresses, sends that do not block, a receiver that counts, and a poll of the receiving side
after each step (burst16: after 16). 300 steps of warm-up, then {steps}; {steps} against {twice} agrees within
0.1. Board: doorbell one store to a mailbox, always_ring (nobody is asked, so no barrier); coherence smp;
address_map offset (one window, checked); inbound polled; else the defaults. (128 address_slots for the 100
endpoints, of which this is the worst.) echo: the receiver's result is the reply, copied."""


def machine(setting):
    """The first lines of whatever tools/bench prints."""
    machine = setting["machine"]
    return (f"machine   {machine['cpu']}, {machine['processors']} processors\n"
            f"compiler  {setting['compiler']}\nflags     {' '.join(setting['flags'])} (no LTO)\n"
            f"commit    {setting['commit']}{'-dirty' if setting['dirty'] else ''}\n")


def instructions(setting, figures):
    lines = [machine(setting), SETUP.format(steps=bench_programs.STEPS, twice=2 * bench_programs.STEPS),
             "\nx86-64 instructions per message (echo: per round trip), beside the C libraries in the same loop:\n",
             f"  {'':27}{'this':>8}{'OpenAMP':>9}{'rpmsg-lite':>12}{'its best':>10}"]
    for name, figure in figures.items():
        others = itertools.zip_longest(BESIDE.get(name, ()), (9, 12, 10), fillvalue="")
        lines.append(f"  {name:27}{figure:8}" + "".join(f"{other:>{width}}" for other, width in others))
    return "\n".join(lines)


def name_of(row):
    larger = "" if row["buffer_size"] == 512 else f" of {row['buffer_size']}"
    return f"{row['what']}, {row['bytes']} B, {row['buffers']} buffers{larger}"


def in_order(record, over):
    """All rows over that, as they are listed."""
    return sorted((row for row in record["two_cores"]["rows"] if row["over"] == over),
                  key=lambda row: (row["what"], row["buffer_size"], row["bytes"], -row["buffers"]))


def beside(record, row):
    """What the plain queue took for the same as a row of the link; None where it does not say."""
    return bench_record.row(record, over="queue",
                            **{key: row[key] for key in ("what", "bytes", "buffers", "buffer_size")})


def span(values):
    return f"{values['p10']:.2f} .. {values['p90']:.2f}"


def two_cores(record):
    """A row of the link in a line, with what the plain queue took for the same."""
    cores = record["two_cores"]
    raw = cores["raw"]["ns"]
    lines = [f"raw round trip: {raw['p10']:.0f} / {raw['median']:.0f} / {raw['p90']:.0f} ns (p10 / median / p90), "
             f"processors {cores['processors'][0]} and {cores['processors'][1]}\n",
             f"{'':35}{'x raw':>7}  {'p10 .. p90':13}{'ns':>8}{'p99 ns':>9}{'Mmsg/s':>9}{'windows kept':>15}"
             f"{'plain queue, x raw':>20}"]
    for row in in_order(record, "link"):
        kept = f"{row['kept']} of {row['kept'] + row['dropped']}"
        if not bench_record.said(row):
            lines.append(f"{name_of(row):35}{'-':>7}  {'too few windows were kept':39}{kept:>15}")
            continue
        queue = beside(record, row)
        same = f"{queue['x_raw']['median']:.2f}" if queue else "-"
        ns = row["ns"]["median"]
        p99, rate = (f"{row['p99_ns']:.0f}", "") if row["what"] == "round trip" else ("", f"{1000 / ns:.1f}")
        lines.append(f"{name_of(row):35}{row['x_raw']['median']:7.2f}  {span(row['x_raw']):13}{ns:8.0f}{p99:>9}"
                     f"{rate:>9}{kept:>15}{same:>20}")
    return "\n".join(lines)
