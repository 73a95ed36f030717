"""What tools/bench measured, as one object: where and with what, and every figure. --json writes it."""
import datetime
import hashlib
import json
import math
import os
import pathlib
import re
import shutil
import subprocess

import bench_programs

FEWEST_WINDOWS = 6  # below that a row says nothing
QUANTILES = {"p10": float, "median": float, "p90": float}
HISTOGRAM = [[int, float]]
ROW = {"what": str, "over": str, "bytes": int, "buffers": int, "buffer_size": int, "kept": int, "dropped": int,
       "x_raw": QUANTILES, "ns": QUANTILES}
OF_ROUND_TRIP = {"p99_ns": float, "singles_x_raw": HISTOGRAM}
OVER = ("raw", "queue", "link")
MEASURED = {("round trip", "raw"), ("round trip", "queue"), ("round trip", "link"), ("stream", "queue"),
            ("stream", "link")}
BUDGETED = ["copy_16", "copy_496", "nocopy_16", "echo_16", "burst16_copy_16", "copy_16_100_endpoints"]
SHAPE = {
    "date": str, "commit": str, "dirty": bool,
    "machine": {"cpu": str, "architecture": str, "processors": int, "kernel": str, "load": float},
    "compiler": str, "flags": [str],
    "two_cores": {
        "processors": [int], "seconds": int, "clock_ns": float, "buckets_in_octave": int,
        "raw": {"ns": QUANTILES, "windows_ns": HISTOGRAM}, "rows": [ROW],
    },
    "instructions": {"per_message": {name: float for name in BUDGETED}, "worst_of_endpoints": {str: {str: float}}},
}


class Refused(Exception):
    """A sentence for whoever called; the status is 2."""


def commit_and_dirty():
    """Of what is measured; "none" where there is no git."""
    def git(*arguments):
        return subprocess.run(["git", *arguments], capture_output=True, text=True).stdout.strip()
    if not shutil.which("git") or not git("rev-parse", "HEAD"):
        return "none", False
    changed = git("status", "--porcelain", "--", "include", "benchmarks", "tools")
    return git("rev-parse", "--short=12", "HEAD"), bool(changed)


def setting(include="include"):
    cpus = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"^model name\s*: (.*)$", cpus, re.M)
    system = os.uname()
    commit, dirty = commit_and_dirty()
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit if include == "include" else "other headers", "dirty": dirty,
        "machine": {"cpu": model[1] if model else system.machine, "architecture": system.machine,
                    "processors": len(os.sched_getaffinity(0)), "kernel": f"{system.sysname} {system.release}",
                    "load": round(os.getloadavg()[0], 1)},
        "compiler": bench_programs.compiler(), "flags": bench_programs.COMPILE,
    }


def measure(include, seconds):
    """All of it; takes `seconds` and about half a minute."""
    where = setting(include)
    counted = {"per_message": bench_programs.instructions(include),
               "worst_of_endpoints": bench_programs.instructions_by_endpoints()}
    return where | {"two_cores": bench_programs.two_cores(include, seconds), "instructions": counted}


def check_shape(value, shape, where):
    """Refuses what is not as SHAPE has it; more than that may be there."""
    if isinstance(shape, dict) and isinstance(value, dict):
        for key, inner in shape.items():
            if key is str:
                for name in value:
                    check_shape(value[name], inner, f"{where}.{name}")
            elif key not in value:
                raise Refused(f"{where} has no '{key}'")
            else:
                check_shape(value[key], inner, f"{where}.{key}")
    elif isinstance(shape, list) and isinstance(value, list):
        if len(shape) > 1 and len(value) != len(shape):
            raise Refused(f"{where} does not have {len(shape)} members")
        for number, item in enumerate(value):
            check_shape(item, shape[number if len(shape) > 1 else 0], f"{where}[{number}]")
    else:
        wanted = (int, float) if shape is float else shape if isinstance(shape, type) else type(shape)
        if not isinstance(value, wanted) or (isinstance(value, bool) and shape is not bool):
            raise Refused(f"{where} is not of the kind that --json writes")
        if isinstance(value, float) and not math.isfinite(value):
            raise Refused(f"{where} is no number")


def check_record(record, name):
    check_shape(record, SHAPE, name)
    for number, row in enumerate(record["two_cores"]["rows"]):
        if (row["what"], row["over"]) not in MEASURED:
            raise Refused(f"{name}.two_cores.rows[{number}] is a {row['what']} over a {row['over']}")
        if row["what"] == "round trip":
            check_shape(row, OF_ROUND_TRIP, f"{name}.two_cores.rows[{number}]")
            if any(abs(bucket) > 10000 or count < 0 for bucket, count in row["singles_x_raw"]):
                raise Refused(f"{name}.two_cores.rows[{number}].singles_x_raw has an impossible bucket")
        if said(row) and min(row["x_raw"].values()) <= 0:
            raise Refused(f"{name}.two_cores.rows[{number}].x_raw is not above 0")
    for what, over in MEASURED - {(row["what"], row["over"]) for row in record["two_cores"]["rows"]}:
        raise Refused(f"{name}.two_cores.rows has no {what} over a {over}")
    for slots, figures in record["instructions"]["worst_of_endpoints"].items():
        if not all(number.isascii() and number.isdigit() for number in [slots, *figures]):
            raise Refused(f"{name}.instructions.worst_of_endpoints is not by numbers")
    if len(record["two_cores"]["processors"]) != 2:
        raise Refused(f"{name}.two_cores.processors are not two")
    if record["two_cores"]["buckets_in_octave"] < 1:
        raise Refused(f"{name}.two_cores.buckets_in_octave is not a number from 1")


def load(path):
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise Refused(f"{path} is no JSON: {error}") from error
    check_record(record, path.name)
    return record


def text(record):
    """As JSON, a row of figures in a line."""
    def lines(value, indent):
        inner = indent + " "
        if isinstance(value, dict) and any(isinstance(member, (dict, list)) for member in value.values()):
            members = [f"{inner}{json.dumps(key)}: {lines(member, inner)}" for key, member in value.items()]
            return "{\n" + ",\n".join(members) + f"\n{indent}}}"
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return "[\n" + ",\n".join(inner + json.dumps(member) for member in value) + f"\n{indent}]"
        return json.dumps(value)
    return lines(record, "") + "\n"


def digest(record):
    """What a plot says of where it is from."""
    return "sha256 " + hashlib.sha256(text(record).encode()).hexdigest()


def said(row):
    """Whether enough of its windows were kept."""
    return row["kept"] >= FEWEST_WINDOWS


def rows(record, **wanted):
    """Those rows that are as wanted and say something, by payload and ring size."""
    found = [row for row in record["two_cores"]["rows"]
             if said(row) and all(row[key] == value for key, value in wanted.items())]
    return sorted(found, key=lambda row: (row["bytes"], row["buffers"]))


def row(record, **wanted):
    """The one row that is as wanted, or None."""
    found = rows(record, **wanted)
    return found[0] if found else None


def bucket(record, number):
    """The lower edge of a histogram's bucket."""
    return 2 ** (number / record["two_cores"]["buckets_in_octave"])


def quantile(record, histogram, share):
    """Of a histogram: the middle of the bucket that it falls into."""
    left = share * sum(count for _, count in histogram)
    for number, count in sorted(histogram):
        left -= count
        if left <= 0:
            return bucket(record, number + 0.5)
    return math.nan
