"""Measures what a message costs, and shows it. Run by tools/bench, which has looked at the options."""
import argparse
import json
import os
import pathlib
import sys

import bench_doc
import bench_programs
import bench_record
import bench_tables
import budgets


def show_instructions(options):
    figures = bench_programs.instructions(options.include)
    if options.json:
        print(json.dumps({name: figures[name] for name in bench_record.BUDGETED}))
    elif not options.check:
        print(bench_tables.instructions(bench_record.setting(options.include), figures))
    if not options.check:
        return 0
    over = budgets.excesses("", budgets.load("instructions"), figures)
    print("\n".join(over) or "instructions: within the budgets", file=sys.stderr if options.json else sys.stdout)
    return 1 if over else 0


def check_writable(options):
    """Before a minute goes into what cannot be written."""
    if options.file and (options.file.is_dir() or not os.access(options.file.parent, os.W_OK)
                         or options.file.exists() and not os.access(options.file, os.W_OK)):
        raise bench_record.Refused(f"cannot write {options.file}")
    if options.plots:
        try:
            options.plots.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise bench_record.Refused(f"cannot make {options.plots}: {error.strerror}") from error
        if not os.access(options.plots, os.W_OK):
            raise bench_record.Refused(f"cannot write in {options.plots}")
    if options.write_doc:
        bench_doc.read()


def show_two_cores(options):
    setting = bench_record.setting(options.include)
    print(bench_tables.machine(setting), flush=True)
    print(bench_tables.two_cores({"two_cores": bench_programs.two_cores(options.include, options.seconds)}))
    return 0


def main(options):
    if options.instructions:
        return show_instructions(options)
    if not (options.file or options.plots or options.old or options.write_doc):
        return show_two_cores(options)
    check_writable(options)
    record = bench_record.load(options.old) if options.old else bench_record.measure(options.include, options.seconds)
    if options.check_doc:
        wrong = bench_doc.differences(record)
        print("\n".join(wrong) or f"{bench_doc.PAGE} and its plots are those of {options.old.name}")
        return 1 if wrong else 0
    if options.file:
        options.file.write_text(bench_record.text(record), encoding="utf-8")
    if options.plots:
        import bench_plots  # needs matplotlib, which is there only when plots are asked for
        bench_plots.draw(record, options.plots)
    if options.write_doc:
        bench_doc.write(record)
    print(bench_tables.machine(record))
    print(bench_tables.two_cores(record))
    return 0


def parse(arguments):
    parser = argparse.ArgumentParser(prog="tools/bench")
    for flag in ("--instructions", "--json", "--check", "--write-doc", "--check-doc"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--include", default="include")
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--file", type=pathlib.Path)
    parser.add_argument("--plots", type=pathlib.Path)
    parser.add_argument("--from", type=pathlib.Path, dest="old")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        sys.exit(main(parse(sys.argv[1:])))
    except bench_record.Refused as refused:
        print(f"tools/bench: {refused}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        print(f"tools/bench: {named}{error.strerror}", file=sys.stderr)
        sys.exit(2)
