"""benchmarks/budgets.json: sums and differences of figures, and the most that each may be."""
import json
import pathlib
import re


def load(part):
    return json.loads(pathlib.Path("benchmarks/budgets.json").read_text(encoding="utf-8"))[part]


def value(terms, figures):
    """Of "text + rodata" or "copy_16_100_endpoints - copy_16"."""
    sign, total = 1, 0
    for word in re.findall(r"[+-]|\w+", terms):
        if word in "+-":
            sign = 1 if word == "+" else -1
        else:
            total += sign * figures[word]
    return round(total, 1)


def excesses(where, budgets, figures):
    """A line for each figure that is more than it may be."""
    return [f"{where}{terms} is {value(terms, figures)}, more than {most}"
            for terms, most in budgets.items() if value(terms, figures) > most]
