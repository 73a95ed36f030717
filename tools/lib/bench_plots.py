"""The plots of docs/performance.md, as SVG files, from what tools/bench measured."""
import io
import os

os.environ.setdefault("MPLCONFIGDIR", os.path.abspath("build/matplotlib"))  # not in whoever's home
import matplotlib  # noqa: E402

matplotlib.use("svg")
from matplotlib import pyplot, ticker  # noqa: E402, after the back end is chosen

import bench_record

COLOURS = {"link": "#1f5fa8", "queue": "#c8641e", "raw": "#555555"}
CALLED = {"link": "rpmsg link", "queue": "plain queue", "raw": "raw ping-pong"}
STYLE = {
    "svg.hashsalt": "rpmsg", "svg.fonttype": "path", "font.size": 11, "axes.titlesize": 12, "axes.grid": True,
    "grid.color": "#dddddd", "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False,
    "legend.frameon": False, "figure.facecolor": "white", "lines.linewidth": 1.8, "lines.markersize": 5,
}


def subtitle(record):
    machine = record["machine"]
    version = record["compiler"].split()[-1]
    optimised = next((flag for flag in record["flags"] if flag.startswith("-O")), "")
    return (f"{machine['cpu']}, {machine['processors']} processors, {machine['kernel']}\n"
            f"g++ {version} {optimised}, commit {record['commit']}{'-dirty' if record['dirty'] else ''}, "
            f"{record['date'].split()[0]}")


def panels(record, title, number=2):
    figure, axes = pyplot.subplots(1, number, figsize=(5.2 * number if number > 1 else 7, 4.6), squeeze=False,
                                   layout="constrained")
    figure.suptitle(f"{title}\n", fontsize=14)
    figure.text(0.5, 0.925, subtitle(record), ha="center", va="top", fontsize=9, color="#555555")
    axes[0][0].get_figure().get_layout_engine().set(rect=(0, 0, 1, 0.93))
    return figure, axes[0]


def plain_numbers(axis, values):
    axis.set_major_locator(ticker.FixedLocator(values))
    axis.set_minor_locator(ticker.NullLocator())
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))


def line(axes, rows, at, value, **style):
    """Medians with p10 to p90 as a band. `value` of a ratio to raw may turn it upside down."""
    if not rows:
        return
    x = [row[at] for row in rows]
    middle, low, high = ([value(row, row["x_raw"][which]) for row in rows] for which in ("median", "p10", "p90"))
    axes.plot(x, middle, marker="o", **style)
    axes.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)


def latency(record):
    """Single round trips: how many took how long, and the tail."""
    figure, (density, tail) = panels(record, "Single round trips of 16 bytes, 256 buffers")
    for over in ("raw", "queue", "link"):
        wanted = {"over": over} if over == "raw" else {"over": over, "bytes": 16, "buffers": 256}
        row = bench_record.row(record, what="round trip", **wanted)
        if row is None or not row["singles_x_raw"]:
            continue
        counts = dict(row["singles_x_raw"])
        total = sum(counts.values())
        numbers = range(min(counts), max(counts) + 2)  # one more, so that steps end
        edges = [bench_record.bucket(record, number) for number in numbers]
        share = [100 * counts.get(number, 0) / total for number in numbers]
        style = {"color": COLOURS[over], "label": CALLED[over], "where": "post"}
        density.step(edges, share, **style)
        slower = [100 * sum(count for later, count in counts.items() if later >= number) / total for number in numbers]
        tail.step(edges[:-1], slower[:-1], **style)
    density.set(xscale="log", xlim=(0.5, 8), ylim=(0, None), ylabel="% of round trips, per step of 4.4 %",
                title="how many")
    plain_numbers(density.xaxis, [0.5, 1, 2, 4, 8])
    tail.set(xscale="log", yscale="log", xlim=(0.5, 128), ylabel="% of round trips that took longer", title="the tail")
    plain_numbers(tail.xaxis, [0.5, 1, 2, 4, 8, 16, 32, 64, 128])
    tail.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    for axes in (density, tail):
        axes.set_xlabel("round trip, multiples of the raw one around it")
        axes.legend()
    return figure


def payload(record):
    """Streams against the size of a payload."""
    figure, (messages, volume) = panels(record, "Stream against payload size, 256 buffers")
    for over in ("link", "queue"):
        for size, dashes in ((512, "-"), (4096, "--")):
            rows = bench_record.rows(record, what="stream", over=over, buffers=256, buffer_size=size)
            style = {"color": COLOURS[over], "linestyle": dashes, "label": f"{CALLED[over]}, buffers of {size} B"}
            line(messages, rows, "bytes", lambda row, ratio: 1 / ratio, **style)
            line(volume, rows, "bytes", lambda row, ratio: row["bytes"] / ratio / 1000, **style)
    messages.set(ylim=(0, None), ylabel="messages per raw round trip", title="messages (higher is better)")
    volume.set(ylim=(0, None), ylabel="kB of payload per raw round trip", title="bytes (higher is better)")
    for axes in (messages, volume):
        axes.set(xscale="log", xlabel="payload, bytes")
        plain_numbers(axes.xaxis, [16, 64, 256, 1008, 4080])
    messages.legend(fontsize=9)
    return figure


def ring_size(record):
    """Round trips and streams against the number of buffers."""
    figure, (trips, streams) = panels(record, "Against ring size, payload of 16 bytes")
    for over in ("link", "queue"):
        style = {"color": COLOURS[over], "label": CALLED[over]}
        wanted = {"over": over, "bytes": 16, "buffer_size": 512}
        of_trips = bench_record.rows(record, what="round trip", **wanted)
        of_streams = bench_record.rows(record, what="stream", **wanted)
        line(trips, of_trips, "buffers", lambda row, ratio: ratio, **style)
        line(streams, of_streams, "buffers", lambda row, ratio: 1 / ratio, **style)
    trips.set(ylim=(0, None), ylabel="multiples of a raw round trip", title="round trip (lower is better)")
    streams.set(ylim=(0, None), ylabel="messages per raw round trip", title="stream (higher is better)")
    for axes in (trips, streams):
        axes.set(xscale="log", xlabel="buffers in each direction")
        plain_numbers(axes.xaxis, [2, 4, 16, 64, 256])
        axes.legend(loc="lower right")
    return figure


def endpoints(record):
    """Instructions for a message to the worst of many endpoints."""
    figure, (axes,) = panels(record, "A message of 16 bytes to the worst of many endpoints", 1)
    for (slots, figures), dashes in zip(record["instructions"]["worst_of_endpoints"].items(), ("-", "--", ":")):
        axes.plot([int(number) for number in figures], list(figures.values()), marker="o", color=COLOURS["link"],
                  linestyle=dashes, label=f"board::address_slots = {slots}")
    axes.set(xscale="log", xlabel="endpoints of the receiver", ylabel="instructions per message")
    axes.set_ylim(0, 1.15 * axes.get_ylim()[1])
    plain_numbers(axes.xaxis, [1, 10, 100, 1000])
    axes.legend(loc="lower right")
    return figure


PLOTS = {"latency": latency, "payload": payload, "ring-size": ring_size, "endpoints": endpoints}


def draw(record, directory):
    """One SVG file each; the same record makes the same bytes."""
    with matplotlib.rc_context(STYLE):
        for name, plot in PLOTS.items():
            figure, drawn = plot(record), io.StringIO()
            figure.savefig(drawn, format="svg", metadata={"Date": None, "Source": bench_record.digest(record)})
            pyplot.close(figure)
            text = "\n".join(stripped.rstrip() for stripped in drawn.getvalue().splitlines())
            (directory / f"{name}.svg").write_text(text + "\n", encoding="utf-8")
