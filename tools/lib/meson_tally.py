#!/usr/bin/env python3
"""Counts a `meson test` run: meson_tally.py STATUS JSONLOG LOG.

Every test is a check. Appends a line each to the file $RPMSG_TALLY, and prints what failed.
"""
import json
import os
import sys

status, report, log = int(sys.argv[1]), sys.argv[2], sys.argv[3]
words = {"OK": "pass", "EXPECTEDFAIL": "pass", "SKIP": "skip"}  # anything else failed

try:
    with open(report, encoding="utf-8") as file:
        tests = [json.loads(line) for line in file]
except OSError:
    tests = []

with open(os.environ["RPMSG_TALLY"], "a", encoding="utf-8") as tally:
    failed = 0
    for test in tests:
        word, name = words.get(test["result"], "fail"), test["name"].rpartition(" / ")[2]
        print(word, name, sep="\t", file=tally)
        if word == "fail":
            failed += 1
            print(f"  FAILED: {name}: {test['result']}")
            said = (test.get("stdout", "") + test.get("stderr", "")).splitlines()
            print("".join(f"    {line}\n" for line in said[-40:]), end="")
    if not tests or (status != 0 and not failed):
        print("fail", f"meson test (status {status})", sep="\t", file=tally)
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        print(f"  FAILED: meson test, status {status}")
        print("".join(f"    {line}\n" for line in lines[-60:]), end="")
