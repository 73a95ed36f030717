"""Runs the mutants of tests/mutants.toml. Run by tools/mutate."""
import concurrent.futures
import dataclasses
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ElementTree

LIST = pathlib.Path("tests/mutants.toml")
HEADERS = pathlib.Path("include/rpmsg")
TESTS = pathlib.Path("tests")
BUILD = pathlib.Path("build/mutate")
COMPILE = ["g++", "-std=c++20", "-O0", "-w", "-D_GLIBCXX_ASSERTIONS"]  # an array's bounds are bounds, too
LONGEST = 20  # seconds more than ten times what the tests take without a mutant
# What runs on has no end, but memory and disk have one.
LIMITS = ["prlimit", f"--as={4 << 30}", f"--fsize={64 << 20}", "--core=0"]
KEYS = {"find", "replace", "breaks", "tests", "equivalent"}


class Mistake(Exception):
    """In the list, or in the tests before anything was changed: for people, in one sentence."""


@dataclasses.dataclass
class Mutant:
    header: str
    find: list
    replace: list
    breaks: str
    tests: list
    equivalent: str

    def mistakes(self):
        """What does not fit the headers and tests, in sentences."""
        where = f"{LIST}: {self.header}: \"{self.breaks}\""
        if len(self.find) != len(self.replace):
            yield f"{where} has {len(self.find)} places to find and {len(self.replace)} replacements"
        if bool(self.tests) == bool(self.equivalent):
            yield f"{where} names no test, or names one and says that none can tell"
        for test in self.tests:
            if not (TESTS / test).is_file():
                yield f"{where} names tests/{test}, which does not exist"
        if not (HEADERS / self.header).is_file():
            yield f"{where}: there is no such header"
            return
        original = (HEADERS / self.header).read_text(encoding="utf-8")
        times = {find: len(re.findall(pattern(find), original)) for find in self.find}
        for find, found in times.items():
            if found != 1:
                yield (f"{where}: `{' '.join(find.split())}` occurs {found} times in the header, not once: "
                       "the list must follow the code")
        if set(times.values()) == {1} and self.applied_to(original) == original:
            yield f"{where} changes nothing"

    def applied_to(self, text):
        for find, replace in zip(self.find, self.replace):
            text = re.sub(pattern(find), lambda _: replace, text, count=1)
        return text


def pattern(find):
    """White space stands for any."""
    return r"\s+".join(re.escape(word) for word in find.split())


def load():
    try:
        headers = tomllib.loads(LIST.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"{LIST}: {error}") from error
    mutants = []
    for header, entries in headers.items():
        for entry in entries:
            if not {"find", "replace", "breaks"} <= entry.keys() <= KEYS:
                raise Mistake(f"{LIST}: {header}: an entry has {', '.join(sorted(entry))}")
            places = [[entry[key]] if isinstance(entry[key], str) else entry[key] for key in ("find", "replace")]
            equivalent = " ".join(entry.get("equivalent", "").split())
            tests = [] if equivalent else entry.get("tests", [pathlib.Path(header).with_suffix(".cpp").as_posix()])
            mutants.append(Mutant(header, *places, entry["breaks"], tests, equivalent))
    return mutants


# Building and running one test program

def run(*command, **options):
    return subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors="replace", **options)


def must(*command):
    done = run(*command)
    if done.returncode != 0:
        raise Mistake(f"{command[0]} failed:\n{done.stdout}")


def prepare(directories):
    """What all test programs have in common, compiled once; and the headers of each job."""
    main, catch = BUILD / "main.o", BUILD / "precompiled.hpp"
    stamp, wanted = BUILD / "common", " ".join(COMPILE + run("g++", "--version").stdout.splitlines()[:1])
    sources = [TESTS / "support" / name for name in ("main.cpp", "precompiled.hpp", "catch.hpp")]
    newest = max(source.stat().st_mtime for source in sources)
    if not stamp.is_file() or stamp.stat().st_mtime < newest or stamp.read_text(encoding="utf-8") != wanted:
        must(*COMPILE, "-c", str(sources[0]), "-o", str(main))
        must(*COMPILE, "-x", "c++-header", str(sources[1]), "-o", f"{catch}.gch")
        stamp.write_text(wanted, encoding="utf-8")
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree("include", directory / "include")


def build(directory, test):
    """None, or what the compiler said."""
    program = directory / "tests"
    done = run(*COMPILE, f"-I{BUILD}", "-include", "precompiled.hpp", f"-I{directory}/include", f"-I{TESTS}",
               "-c", str(TESTS / test), "-o", f"{program}.o")
    if done.returncode == 0:
        done = run("g++", f"{program}.o", str(BUILD / "main.o"), "-pthread", "-o", str(program))
    return None if done.returncode == 0 else done.stdout


def failing_case(xml):
    """The name of the first test case that failed, or was running at the end; and whether the program got there."""
    parser = ElementTree.XMLPullParser(["start", "end"])
    case, ended = None, False
    try:
        parser.feed(xml.read_bytes())
        for event, element in parser.read_events():
            if event == "start" and element.tag == "TestCase":
                case = element.get("name")
            elif event == "end" and element.tag == "TestCase":
                if element.find("OverallResult[@success='true']") is None:
                    return case, True
                case = None
            elif event == "end" and element.tag == "Catch":
                ended = True
    except (OSError, ElementTree.ParseError):
        pass  # died on the way
    return case, ended


def notices(directory, test, seconds):
    """None when all tests pass, or which one did not and how."""
    xml = directory / "tests.xml"
    xml.unlink(missing_ok=True)
    try:
        done = run(*LIMITS, str(directory / "tests"), "--abort", "--rng-seed", "1", "--reporter", "xml",
                   "--out", str(xml), timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"{failing_case(xml)[0] or test}, which does not end"
    if done.returncode == 0:
        return None
    case, ended = failing_case(xml)
    return (case or test) + ("" if ended else ", in which the program dies")


# The run

def baseline(directory, test):
    """How many seconds a mutant may take."""
    if said := build(directory, test):
        raise Mistake(f"tests/{test} does not compile without a mutant:\n{said}")
    start = time.monotonic()
    if case := notices(directory, test, 600):
        raise Mistake(f"tests/{test} fails without a mutant: {case}")
    return LONGEST + 10 * (time.monotonic() - start)


def try_mutant(directory, mutant, seconds):
    """("noticed", by which test case), ("survived", which tests), ("error", what the compiler said)."""
    header = directory / "include/rpmsg" / mutant.header
    original = header.read_text(encoding="utf-8")
    header.write_text(mutant.applied_to(original), encoding="utf-8")
    try:
        for test in mutant.tests:
            if said := build(directory, test):
                first = re.search(r"^.*\berror: .*$", said, re.M)
                return "error", f"tests/{test}: {first[0] if first else said}"
            if case := notices(directory, test, seconds[test]):
                return "noticed", (case, test)
    finally:
        header.write_text(original, encoding="utf-8")
    return "survived", ", ".join(mutant.tests)


def each(jobs, function, items):
    """Calls function(directory, item) for each, `jobs` at a time, and yields (item, result) as they are done."""
    free = queue.SimpleQueue()
    for job in range(jobs):
        free.put(BUILD / f"job{job}")

    def one(item):
        directory = free.get()
        try:
            return function(directory, item)
        finally:
            free.put(directory)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(one, item): item for item in items}
        try:
            for future in concurrent.futures.as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def run_all(mutants, jobs):
    """One (verdict, detail) for each."""
    BUILD.mkdir(parents=True, exist_ok=True)
    prepare([BUILD / f"job{job}" for job in range(jobs)])
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    seconds = dict(each(jobs, baseline, tests))
    print(f"{len(tests)} test programs pass without a mutant", flush=True)

    verdicts = [("equivalent", mutant.equivalent) for mutant in mutants]
    to_run = [number for number, mutant in enumerate(mutants) if not mutant.equivalent]
    for done, (number, verdict) in enumerate(
            each(jobs, lambda directory, number: try_mutant(directory, mutants[number], seconds), to_run), 1):
        verdicts[number] = verdict
        word, detail = verdict
        said = {"noticed": lambda: f"noticed by {detail[0]}", "survived": lambda: f"SURVIVED {detail}",
                "error": lambda: f"does not compile: {detail}"}[word]()
        print(f"[{done}/{len(to_run)}] {mutants[number].header}: {mutants[number].breaks}: {said}", flush=True)
    return verdicts


def summary(verdicts):
    words = [word for word, _ in verdicts]
    return ", ".join(f"{words.count(word)} {word}" for word in ("noticed", "survived", "equivalent"))


def page(mutants, verdicts, commit, minutes):
    """The report as Markdown."""
    def cell(text):
        return text.replace("|", r"\|").replace("<", "&lt;")

    def verdict(word, detail):
        if word == "noticed":
            return f"{cell(detail[0])} ([{detail[1]}](../tests/{detail[1]}))"
        words = {"survived": "**survived** ", "error": "**does not compile** ", "equivalent": "equivalent: "}
        return words[word] + cell(detail)

    compiler = run("g++", "--version").stdout.splitlines()[0]
    lines = [
        "# Mutation run", "",
        "What `tools/mutate` made of the core, one change at a time, and the test that noticed. The changes are in",
        "[tests/mutants.toml](../tests/mutants.toml); this page is written by",
        "`tools/mutate --report docs/mutation-run.md`.", "",
        f"Result: {summary(verdicts)}. Commit {commit}, {compiler}, {minutes} minutes.", "",
        "| header | what was changed | what noticed |", "| --- | --- | --- |"]
    lines += [f"| {mutant.header} | {cell(mutant.breaks)} | {verdict(*result)} |"
              for mutant, result in zip(mutants, verdicts)]
    return "\n".join(lines) + "\n"


def show(mutants):
    for mutant in mutants:
        by = f"equivalent: {mutant.equivalent}" if mutant.equivalent else f"for {', '.join(mutant.tests)}"
        print(f"{mutant.header}: {mutant.breaks} ({by})")
    equivalent = sum(bool(mutant.equivalent) for mutant in mutants)
    print(f"{len(mutants) - equivalent} mutants and {equivalent} that are equivalent")


def main(options):
    only = options.get("--only", "")
    mutants = [mutant for mutant in load() if only in mutant.header or only in mutant.breaks]
    if not mutants:
        raise Mistake(f"no mutant's header or description contains '{only}'")
    if mistakes := [mistake for mutant in mutants for mistake in mutant.mistakes()]:
        raise Mistake("\n".join(mistakes))  # the list is right, or nothing is run
    if "--list" in options:
        show(mutants)
        return 0

    start = time.monotonic()
    commit = run("git", "describe", "--always", "--dirty").stdout.strip() if shutil.which("git") else "unknown"
    verdicts = run_all(mutants, int(options["--jobs"]))
    if "--report" in options:
        pathlib.Path(options["--report"]).write_text(
            page(mutants, verdicts, commit, round((time.monotonic() - start) / 60)), encoding="utf-8")
    errors = [mutant for mutant, (word, _) in zip(mutants, verdicts) if word == "error"]
    if errors:
        print(f"{len(errors)} do not compile, which proves nothing: mend {LIST}")
    print(summary(verdicts))
    return 1 if errors or any(word == "survived" for word, _ in verdicts) else 0


try:
    sys.exit(main(dict(option.partition("=")[::2] for option in sys.argv[1:])))
except Mistake as mistake:
    sys.exit(f"tools/mutate: {mistake}")
