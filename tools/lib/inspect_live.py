#!/usr/bin/env python3
"""Has `rpmsg inspect` look at two processes that talk, and at what they leave.

  tools/lib/inspect_live.py PROGRAM TRAFFIC TALLY  one line a check in TALLY; status 1 when one failed
"""
import json
import subprocess
import sys

LOOKS = 100


def look(program, where):
    done = subprocess.run([program, "inspect", "--json", where], capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.returncode in (0, 1) else {"stderr": done.stderr}


def while_it_runs(program, where):
    """Problems of looks at a moving link, and what there was to see."""
    problems = []
    torn = sound = messages = 0
    seen = set()
    for _ in range(LOOKS):
        code, told = look(program, where)
        if "stderr" in told:
            return [f"status {code}: {told['stderr']}"], ""
        table = told["table"]
        if not told["live"] or table["offset"] != 0 or table["searched"] or told["status"] & 4 == 0:
            problems.append(f"not the link: {table}, status {told['status']}, live {told['live']}")
        if [ring["num"] for ring in told["rings"]] != [64, 64]:
            problems.append("other rings")
        if not told["torn"] and (code != 0 or told["faults"]):
            problems.append(f"a whole picture breaks the spec: {told['faults']}")
        torn += told["torn"]
        sound += not told["faults"]
        messages += len(told["messages"])
        seen.add(told["rings"][1]["avail"]["idx"])
    if len(seen) < LOOKS // 10:  # the same one over and over would be a copy that is old
        problems.append(f"the link stood still: {len(seen)} indices in {LOOKS} looks")
    if sound < LOOKS * 9 // 10:
        problems.append(f"only {sound} of {LOOKS} pictures were free of contradictions")
    return problems, f"{LOOKS} looks, {torn} torn, {sound} without contradiction, {messages} messages seen"


def at_rest(program, where):
    code, told = look(program, where)
    lent = [bytes.fromhex(one["data"]) for one in told["messages"] if one["ring"] == 1]
    problems = []
    if code != 0 or told["torn"] or not told["live"]:
        problems.append(f"status {code}, torn {told['torn']}, live {told['live']}, {told['faults']}")
    if lent != [b"one", b"two", b"three"]:
        problems.append(f"messages: {lent}")
    if told["rings"][1]["with_device"] != 3 or told["rings"][0]["with_device"] != 64:
        problems.append(f"with the device: {[ring['with_device'] for ring in told['rings']]}")
    return problems


def main(arguments):
    if len(arguments) != 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    program, traffic, tally = arguments
    failed = False
    with open(tally, "a", encoding="utf-8") as lines, \
            subprocess.Popen([traffic], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as link:
        def check(name, problems):
            print("\n".join(f"{name}: {problem}" for problem in problems) or f"{name}: as it should be")
            lines.write(f"{'fail' if problems else 'pass'}\tinspect: {name}\n")
            return bool(problems)

        where = link.stdout.readline().strip()
        problems, seen = while_it_runs(program, where)
        print(seen)
        failed |= check("live memory by PID:FD while messages flow", problems)
        link.stdin.write("\n")
        link.stdin.flush()
        print(link.stdout.readline().strip())
        failed |= check("live memory at rest: what nobody took", at_rest(program, where))
        link.stdin.close()
        failed |= check("the processes were not disturbed", [] if link.wait(30) == 0 else ["they failed"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
