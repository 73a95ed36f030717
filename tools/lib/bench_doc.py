"""The tables of docs/performance.md, from what tools/bench measured. Each stands between two marks,
`<!-- measured: NAME -->` and `<!-- end -->`; the text around them is nobody's but the writer's."""
import math
import pathlib
import re

import bench_record
import bench_tables

PAGE = pathlib.Path("docs/performance.md")
PLOTS = pathlib.Path("docs/plots")
BLOCK = re.compile(r"(<!-- measured: ([a-z-]+) -->\n)(.*?)(<!-- end -->)", re.S)
MESSAGES = {
    "copy_16": "copied, 16 B", "copy_64": "copied, 64 B", "copy_256": "copied, 256 B", "copy_496": "copied, 496 B",
    "copy_16_to_driver": "copied, 16 B, to the driver", "nocopy_16": "written in place, 16 B",
    "echo_16": "echoed, 16 B, a round trip", "burst16_copy_16": "copied, 16 B, in bursts of 16",
    "burst16_copy_16_rung_once": "the same, in a `batch`", "copy_16_100_endpoints": "copied, 16 B, among 100 endpoints",
    "poll_of_nothing": "none: a poll that finds nothing",
}


def table(head, rows):
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [head, ["---"] * len(head), *rows])


def setting(record):
    machine, cores = record["machine"], record["two_cores"]
    return table(["", ""], [
        ["machine", f"{machine['cpu']}, {machine['processors']} processors, {machine['kernel']}, "
                    f"{machine['architecture']}"],
        ["compiler", record["compiler"]],
        ["flags", f"`{' '.join(record['flags'])}`, without LTO"],
        ["commit", record["commit"] + (", and changes that are not committed" if record["dirty"] else "")],
        ["when", f"{record['date']}, {cores['seconds']} seconds on processors "
                 f"{cores['processors'][0]} and {cores['processors'][1]}; "
                 f"the load when it began was {machine['load']:g}"],
        ["a raw round trip", f"{cores['raw']['ns']['median']:.0f} ns, p10 {cores['raw']['ns']['p10']:.0f}, "
                             f"p90 {cores['raw']['ns']['p90']:.0f}; reading the clock {cores['clock_ns']:.0f} ns"],
    ])


def short(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def of_raw(row):
    return f"{row['x_raw']['median']:.2f} ({row['x_raw']['p10']:.2f} to {row['x_raw']['p90']:.2f})" if row else "-"


def ratios(record):
    lines = []
    for row in bench_tables.in_order(record, "raw") + bench_tables.in_order(record, "link"):
        link = row if bench_record.said(row) else None
        queue = bench_tables.beside(record, row)
        lines.append(["raw, beside itself" if row["over"] == "raw" else bench_tables.name_of(row),
                      of_raw(link), of_raw(queue),
                      f"{link['x_raw']['median'] / queue['x_raw']['median']:.2f}" if link and queue else "-",
                      f"{link['ns']['median']:.0f}" if link else "-",
                      f"{row['kept']} of {row['kept'] + row['dropped']}"])
    return table(["", "link, × raw (p10 to p90)", "plain queue, × raw (p10 to p90)", "link / queue", "link, ns",
                  "windows kept"], lines)


def latency(record):
    lines = []
    for row in (row for over in bench_record.OVER for row in bench_tables.in_order(record, over)):
        if row["what"] != "round trip" or not bench_record.said(row) or row["buffers"] not in (1, 16, 256):
            continue
        singles = row["singles_x_raw"]
        lines.append(["raw" if row["over"] == "raw" else f"{row['over']}, {row['bytes']} B, {row['buffers']} buffers",
                      *(short(bench_record.quantile(record, singles, share)) for share in (0.5, 0.9, 0.99, 0.999)),
                      f"{sum(count for _, count in singles)}"])
    return table(["single round trips, × raw", "half took less than", "90 %", "99 %", "99.9 %", "timed"], lines)


def instructions(record):
    lines = []
    for name, called in MESSAGES.items():
        figure = record["instructions"]["per_message"].get(name)
        beside = [str(other) for other in bench_tables.BESIDE.get(name, ("", "", ""))]
        lines.append([called, "-" if figure is None else f"{figure:g}", *beside])
    return table(["message", "this library", "OpenAMP", "rpmsg-lite", "rpmsg-lite, its best build"], lines)


def endpoints(record):
    figures = record["instructions"]["worst_of_endpoints"]
    numbers = list(dict.fromkeys(number for of_slots in figures.values() for number in of_slots))
    lines = [[f"`address_slots` = {slots}", *(f"{of_slots.get(number, math.nan):g}" for number in numbers)]
             for slots, of_slots in figures.items()]
    return table(["endpoints", *numbers], lines)


BLOCKS = {"setting": setting, "ratios": ratios, "latency": latency, "instructions": instructions,
          "endpoints": endpoints}


def read():
    try:
        text = PAGE.read_text(encoding="utf-8")
    except OSError as error:
        raise bench_record.Refused(f"cannot read {PAGE}: {error.strerror}") from error
    marks = [name for _, name, _, _ in BLOCK.findall(text)]
    if sorted(marks) != sorted(BLOCKS):
        raise bench_record.Refused(f"{PAGE} has marks for {', '.join(marks) or 'no table'}, not {', '.join(BLOCKS)}")
    return text


def write(record):
    text = BLOCK.sub(lambda block: f"{block[1]}\n{BLOCKS[block[2]](record)}\n{block[4]}", read())
    PAGE.write_text(text, encoding="utf-8")


def differences(record):
    """A line for each table of the page, and each plot beside it, that is not of this record."""
    wrong = [f"{PAGE}: the table '{name}' is of other measurements" for _, name, inside, _ in BLOCK.findall(read())
             if inside != f"\n{BLOCKS[name](record)}\n"]
    shown = re.findall(r"\]\(plots/([\w-]+\.svg)\)", read())
    if not shown:
        wrong.append(f"{PAGE}: shows no plot")
    for name in shown:
        path = PLOTS / name
        if not path.is_file():
            wrong.append(f"{path}: missing")
        elif bench_record.digest(record) not in path.read_text(encoding="utf-8"):
            wrong.append(f"{path}: drawn from other measurements")
    return wrong
