#!/usr/bin/env python3
"""Counts a Catch2 run: catch2_tally.py NAME STATUS XML LOG.

Every test case is a check, and so is the program's end: one that dies is a failure whatever it had
passed before. Appends a line each to the file $RPMSG_TALLY, and prints what failed.
"""
import os
import sys
import xml.etree.ElementTree as ElementTree

name, status, xml, log = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]


def events():
    """What is in the report, as far as it got."""
    parser = ElementTree.XMLPullParser(["start", "end"])
    try:
        with open(xml, "rb") as file:
            parser.feed(file.read())
    except (OSError, ElementTree.ParseError):
        pass  # died on the way: main() sees it by the missing end
    try:
        yield from parser.read_events()
    except ElementTree.ParseError:
        pass


def text_of(element, tag):
    return (element.findtext(tag) or "").strip()


def complaints(element, path):
    """Every failed assertion below an element, with the sections that led to it."""
    for child in element:
        where = f"{child.get('filename')}:{child.get('line')}"
        if child.tag == "Section":
            yield from complaints(child, path + [child.get("name", "").strip()])
        elif child.tag == "Expression" and child.get("success") == "false":
            yield path, f"{where}: {child.get('type')}( {text_of(child, 'Original')} )"
            yield path, f"  with {text_of(child, 'Expanded')}"
            for extra in child:
                if extra.tag in ("Exception", "FatalErrorCondition"):
                    yield path, f"  {extra.tag}: {(extra.text or '').strip()}"
        elif child.tag in ("Failure", "Exception", "FatalErrorCondition"):
            yield path, f"{where}: {child.tag}: {(child.text or '').strip()}"
        elif child.tag == "Info":
            yield path, f"info: {(child.text or '').strip()}"


def main():
    passed, skipped, failed, running, ended = [], [], [], None, False
    for event, element in events():
        if event == "start" and element.tag == "TestCase":
            running = element.get("name")
        elif event == "end" and element.tag == "TestCase":
            running = None
            result = element.find("OverallResult")
            if result is None or result.get("success") != "true":
                failed.append(element.get("name"))
                print(f"  FAILED: {name}: {element.get('name')}")
                section = []
                for path, line in complaints(element, []):
                    if path != section:
                        section = path
                        print(f"    {' / '.join(path)}")
                    print(f"      {line}")
            elif result.get("skips", "0") != "0":
                skipped.append(element.get("name"))
            else:
                passed.append(element.get("name"))
        elif event == "end" and element.tag == "Catch":
            ended = True

    if not ended or (status != 0 and not failed):
        why = "ran for too long" if status == 124 else f"ended with status {status}"
        print(f"  FAILED: {name}: {why}" + (f" in: {running}" if running else ""))
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        if len(lines) > 80:
            lines = lines[:40] + ["..."] + lines[-40:]
        print("".join(f"    {line}\n" for line in lines), end="")
        print(f"    (all of it in {log})")
        failed.append(running or why)
    elif not passed and not failed:
        print(f"  FAILED: {name}: no test case ran")
        failed.append("no test case ran")

    with open(os.environ["RPMSG_TALLY"], "a", encoding="utf-8") as tally:
        for word, cases in (("pass", passed), ("fail", failed), ("skip", skipped)):
            for case in cases:
                print(word, f"{name}: {case}", sep="\t", file=tally)


main()
