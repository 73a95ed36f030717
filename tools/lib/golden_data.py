#!/usr/bin/env python3
"""Packs recorded memory images into the text files of tests/data.

  tools/lib/golden_data.py RECORDINGS OUT  writes OUT/SCENARIO.txt for each scenario in RECORDINGS, and wire.txt
  tools/lib/golden_data.py --check RECORDINGS DATA  unpacks DATA and compares: every image, every kept line

A packed scenario is its manifest without the lines that are words for people, and with its images inside:
`image=` holds what differs from the image before it in the file, as OFFSET:HEX pieces, or OFFSET:HEX*COUNT for one
byte repeated; `-` when nothing differs. Before the first image all bytes are the `fill` byte.
"""
import pathlib
import re
import sys

FOR_PEOPLE = {"call", "title", "note", "garbage", "format", "pool.split"}
RUN = re.compile(rb"(.)\1{23,}", re.S)  # as many equal bytes are shorter as a piece of their own
GAP = 4  # so many equal bytes between two differences are cheaper to repeat than a new piece


def manifest_lines(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals:
            yield key, value


def kept(path):
    return [(key, value) for key, value in manifest_lines(path) if key not in FOR_PEOPLE]


def pieces(before, after):
    """What differs, as (offset, bytes)."""
    found = []
    for at, (old, new) in enumerate(zip(before, after)):
        if old == new:
            continue
        if found and at - (found[-1][0] + len(found[-1][1])) <= GAP:
            start = found[-1][0]
            found[-1] = (start, after[start:at + 1])
        else:
            found.append((at, after[at:at + 1]))
    return found


def spelt(at, data):
    """Pieces as text, long runs of one byte apart."""
    end = 0
    for run in RUN.finditer(data):
        if run.start() != end:
            yield f"{at + end:#x}:{data[end:run.start()].hex()}"
        yield f"{at + run.start():#x}:{data[run.start()]:02x}*{run.end() - run.start()}"
        end = run.end()
    if end != len(data):
        yield f"{at + end:#x}:{data[end:].hex()}"


def pack(path):
    lines = kept(path)
    setup = dict(lines)
    image = bytes([int(setup["fill"], 0)]) * int(setup["image.size"], 0)
    out = []
    for key, value in lines:
        if key == "image":
            new = (path.parent / value).read_bytes()
            assert len(new) == len(image), path
            value = " ".join(text for piece in pieces(image, new) for text in spelt(*piece)) or "-"
            image = new
        if key == "step" and out:
            out.append("")
        out.append(f"{key}={value}")
    return "\n".join(out) + "\n"


def unpacked(path):
    """The lines of a packed scenario, each image whole."""
    lines = list(manifest_lines(path))
    setup = dict(lines)
    image = bytearray([int(setup["fill"], 0)]) * int(setup["image.size"], 0)
    for key, value in lines:
        if key == "image":
            for piece in value.split() if value != "-" else []:
                at, _, data = piece.partition(":")
                data, _, count = data.partition("*")
                data = bytes.fromhex(data) * int(count or 1)
                image[int(at, 0):int(at, 0) + len(data)] = data
            yield key, bytes(image)
        else:
            yield key, value


def scenarios(recordings):
    return sorted(recordings.glob("*/manifest.txt"))


def write(recordings, out):
    out.mkdir(parents=True, exist_ok=True)
    for path in scenarios(recordings):
        (out / f"{path.parent.name}.txt").write_text(pack(path), encoding="utf-8")
    (out / "wire.txt").write_bytes((recordings / "wire.txt").read_bytes())


def check(recordings, data):
    wrong = []
    for path in scenarios(recordings):
        wanted = [(key, (path.parent / value).read_bytes() if key == "image" else value) for key, value in kept(path)]
        if list(unpacked(data / f"{path.parent.name}.txt")) != wanted:
            wrong.append(path.parent.name)
    if (data / "wire.txt").read_bytes() != (recordings / "wire.txt").read_bytes():
        wrong.append("wire.txt")
    print("\n".join(f"differs: {name}" for name in wrong) or f"{len(scenarios(recordings))} scenarios agree")
    return 1 if wrong else 0


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "--check":
        return check(pathlib.Path(arguments[1]), pathlib.Path(arguments[2]))
    if len(arguments) == 2:
        write(pathlib.Path(arguments[0]), pathlib.Path(arguments[1]))
        return 0
    print(__doc__.strip(), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
