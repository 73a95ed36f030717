#!/usr/bin/env python3
"""Counts a `ninja -k 0 ALIAS` run: ninja_tally.py STATUS LOG QUERY.

QUERY is what `ninja -t query ALIAS` says; every input of the alias is a check. Appends a line each to
the file $RPMSG_TALLY, and prints what the failing commands said.
"""
import os
import re
import sys

status, log, query = int(sys.argv[1]), sys.argv[2], sys.argv[3]
SHOWN = 5  # failures printed in full

with open(query, encoding="utf-8") as file:
    inputs = file.read().partition("input: ")[2].partition("outputs:")[0].splitlines()[1:]
targets = [line.strip().lstrip("| ") for line in inputs if line.strip()]

with open(log, encoding="utf-8", errors="replace") as file:
    text = file.read()
failed = {}
for block in re.split(r"^(?=\[\d+/\d+\] |FAILED: |ninja: )", text, flags=re.M):
    if block.startswith("FAILED: "):
        head, _, said = block.partition("\n")
        failed[head.removeprefix("FAILED: ").split()[0]] = said.partition("\n")[2]  # less the command

died = status != 0 and not failed
with open(os.environ["RPMSG_TALLY"], "a", encoding="utf-8") as tally:
    if died or not targets:
        print("fail", f"ninja (status {status})", sep="\t", file=tally)
        print("  FAILED: ninja, status", status, "\n   ", "\n    ".join(text.splitlines()[-20:]))
    for target in () if died else sorted({*targets, *failed}):
        print("fail" if target in failed else "pass", os.path.basename(target), sep="\t", file=tally)

for number, (target, said) in enumerate(failed.items()):
    print(f"  FAILED: {os.path.basename(target)}")
    if number < SHOWN:
        print("".join(f"    {line}\n" for line in said.splitlines()[:25]), end="")
if failed:
    print(f"    (all of it in {log})")
