"""Builds all mutants at once, each behind a number in the environment, and tells which of them no test notices.

cargo-mutants lists the mutants. In a copy of the project each function that has some becomes a match on OSTFS_MUTANT, with
one arm for each mutant and the function as it was as the last one. So everything is built once, not once for each mutant.
A mutant that does not build is left out, and counted. Each test is run without any mutant first: it tells which of these functions
it reaches, so a mutant is tried by the tests alone that reach it. One that nobody can notice is named in scripts/mutants.toml, with the reason.
"""
import argparse
import collections
import concurrent.futures
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

# Groups of tests that have to notice what is changed in a folder of src, the quick ones first; all are preceded by the unit tests.
GROUPS = {
    "ndb": ["damage", "commands", "hostile"],
    "ltp": ["damage", "commands", "hostile"],
    "messaging": ["damage", "commands", "items", "costs"],
    "salvage": ["damage", "commands"],
    "check": ["commands"],
    "convert": ["items"],
    "convert/content_hash": ["compare"],
    "tree": ["damage", "mounts"],
    "export": ["commands"],
    "pst": ["pst"],
    "sandbox": ["sandbox"],
    "fuse": ["mounts"],
    "cli": ["commands"],
}
# With a mutant the tests may take so many times as long as without, and so many seconds more; without one, a test so many seconds.
PATIENCE, SPARE, LONGEST = 3, 20, 300
EQUIVALENTS = Path("scripts/mutants.toml")
# What cargo-mutants makes up as values of types that it does not know. Most of it does not build, and each round of that costs a build.
MADE_UP = ("Default::default()", "Range::", "leak(", "iter::", "::from")
UNITS = "unit tests"
TOO_LONG, DIES = "takes too long", "dies"
# How often mutants that do not build are taken out and the rest is built again.
BUILDS = 6
SWITCH = """
#[allow(missing_docs, unsafe_code)]
pub(crate) mod mutant {
    use std::os::fd::FromRawFd;
    use std::sync::atomic::{AtomicBool, Ordering};

    static REACHED: [AtomicBool; FUNCTIONS] = [const { AtomicBool::new(false) }; FUNCTIONS];

    fn variable(name: &str) -> u32 {
        std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn number(function: usize) -> u32 {
        static NUMBER: std::sync::OnceLock<(u32, u32)> = std::sync::OnceLock::new();
        let (number, reached) = *NUMBER.get_or_init(|| (variable("OSTFS_MUTANT"), variable("OSTFS_REACHED")));
        if reached != 0 && !REACHED[function].swap(true, Ordering::Relaxed) {
            // In the sandbox no file can be opened, so this one is open before.
            let file = std::mem::ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(reached as i32) });
            std::io::Write::write_all(&mut &*file, format!("{function}\\n").as_bytes()).ok();
        }
        number
    }
}
"""


def listed(arguments):
    """The mutants as cargo-mutants lists them, numbered."""
    command = ["cargo", "mutants", "--list", "--json", *arguments]
    mutants = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    for number, mutant in enumerate(mutants, 1):
        mutant["number"] = number
    return mutants


def identity(mutant):
    """What a mutant is known by when lines move: its file, what is done, and the line where it is done."""
    line = Path(mutant["file"]).read_text().splitlines()[mutant["span"]["start"]["line"] - 1]
    return mutant["file"], re.sub(r"^\S+: ", "", mutant["name"]), line.strip()


def equivalents():
    """The mutants that do what the code does, and each time why. One whose line is no longer there is an error."""
    entries = tomllib.loads(EQUIVALENTS.read_text()).get("equivalent", [])
    for entry in entries:
        lines = [line.strip() for line in Path(entry["file"]).read_text().splitlines()]
        if entry["line"] not in lines or not entry["reason"]:
            sys.exit(f"{EQUIVALENTS}: {entry['file']} has no line {entry['line']}, or there is no reason")
    return {(entry["file"], entry["mutation"], entry["line"]) for entry in entries}


def fair(mutants, count, seed):
    """`count` of them, as many of each folder as of any other, the folders by turns. The same ones for the same seed."""
    folders = collections.defaultdict(list)
    for mutant in mutants:
        folders[folder(mutant)].append(mutant)
    for of_folder in folders.values():
        random.Random(seed).shuffle(of_folder)
    turns = itertools.zip_longest(*folders.values())
    return [mutant for turn in turns for mutant in turn if mutant][:count]


def offset(lines, place):
    """Of a line and column, both from 1, in characters."""
    return sum(len(line) for line in lines[: place["line"] - 1]) + place["column"] - 1


def body(text, start, end, name):
    """Where the body of the function `name` is, which is from `start` to `end`, without its braces."""
    found = re.compile(r"\bfn\s+" + re.escape(name.split("::")[-1]) + r"\b").search(text, start, end)
    if not found or re.search(r"\bconst\s+(unsafe\s+)?$", text[start : found.start()]):
        return None
    depth = 0
    for at in range(found.end(), end):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[at], 0)
        if text[at] == "{" and depth == 0:
            return at + 1, text.rindex("}", at, end)
    return None


class Copy:
    """The project with all mutants in it."""

    def __init__(self, root, target):
        self.root, self.target, self.out = root, target, root / "target/mutants/tree"
        shutil.rmtree(self.out, ignore_errors=True)
        names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True, stdout=subprocess.PIPE).stdout
        for name in filter(None, names.decode().split("\0")):
            if (root / name).is_file():
                (self.out / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, self.out / name)
        self.arms, self.functions = {}, 0

    def write(self, mutants):
        """Writes the files with `mutants`, and notes in which lines each is."""
        files = collections.defaultdict(lambda: collections.defaultdict(list))
        for mutant in mutants:
            if mutant["function"]:
                span = mutant["function"]["span"]
                files[mutant["file"]][(span["start"]["line"], span["end"]["line"])].append(mutant)
        # A file whose last mutant did not build is to be as it was.
        for file in self.arms:
            (self.out / file).write_text((self.root / file).read_text())
        self.arms, self.functions = {}, 0
        for file, functions in files.items():
            self.arms[file] = self.write_file(file, functions)
        lib = self.root / "src/lib.rs"
        if "src/lib.rs" not in files:
            switch = SWITCH.replace("FUNCTIONS", str(self.functions or 1))
            (self.out / "src/lib.rs").write_text(lib.read_text() + switch)

    def write_file(self, file, functions):
        text = (self.root / file).read_text()
        lines = text.splitlines(keepends=True)
        out, at, arms = "", 0, []
        for _, mutants in sorted(functions.items()):
            function = mutants[0]["function"]
            start, end = (offset(lines, function["span"][side]) for side in ("start", "end"))
            inner = body(text, start, end, function["function_name"])
            # A function within another one is left out.
            if inner is None or start < at:
                continue
            first, last = inner
            out += text[at:first]
            begin = out.count("\n") + 1
            number = self.functions
            self.functions += 1
            out += f"\nmatch crate::mutant::number({number}) {{\n"
            own = []
            for mutant in mutants:
                one, two = (offset(lines, mutant["span"][side]) for side in ("start", "end"))
                if one < first or two > last:
                    continue
                line = out.count("\n") + 1
                changed = text[first:one] + mutant["replacement"] + text[two:last]
                out += f"{mutant['number']} => {{{changed}}}\n"
                own.append((line, out.count("\n"), mutant["number"]))
                mutant["reached_as"] = number
            out += "_ => {" + text[first:last] + "}\n}\n"
            arms.append((begin, out.count("\n") + 1, own))
            at = last
        (self.out / file).write_text(out + text[at:])
        return arms

    def there(self):
        return {number for arms in self.arms.values() for _, _, own in arms for _, _, number in own}

    def guilty(self, file, line):
        """The mutants that an error in `line` of `file` is about."""
        for begin, end, own in self.arms.get(file, []):
            if begin <= line <= end:
                one = {number for first, last, number in own if first <= line <= last}
                return one or {number for _, _, number in own}
        return set()

    def build(self, groups):
        """The test binaries by group, or the mutants that keep them from being built."""
        command = ["cargo", "test", "--no-run", "--message-format=json", "--lib"]
        command += [part for group in groups for part in ("--test", group)]
        # Nobody steps through mutants, and without lines they are built and linked faster.
        environment = os.environ | {"CARGO_TARGET_DIR": str(self.target), "CARGO_PROFILE_TEST_DEBUG": "0"}
        run = subprocess.run(command, cwd=self.out, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        binaries, guilty, errors = {}, set(), []
        for line in run.stdout.splitlines():
            message = json.loads(line)
            if message["reason"] == "compiler-artifact" and message.get("executable") and message["profile"]["test"]:
                is_lib = "lib" in message["target"]["kind"]
                binaries[UNITS if is_lib else message["target"]["name"]] = message["executable"]
            if message["reason"] == "compiler-message" and message["message"]["level"] == "error":
                errors.append(message["message"]["rendered"])
                for span in message["message"]["spans"]:
                    guilty |= self.guilty(span["file_name"], span["line_start"])
        if run.returncode and not guilty:
            sys.exit("the project does not build, for another reason than its mutants:\n" + "".join(errors))
        return binaries, guilty


class Tests:
    """Runs those tests with one mutant that reach its function, until the first one that fails."""

    def __init__(self, root, copy, binaries, jobs):
        self.root, self.copy, self.binaries = root, copy, binaries
        # By function and group: the tests that reach it, with the seconds that each takes by itself.
        self.reach = collections.defaultdict(dict)
        names = [(group, name) for group in binaries for name in self.names(group)]
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda name: self.look(*name), names))
        print(f"{len(names)} tests reach {len({function for function, _ in self.reach})} functions", flush=True)

    def names(self, group):
        run = subprocess.run([self.binaries[group], "--list"], cwd=self.copy.out, check=True, stdout=subprocess.PIPE, text=True)
        return re.findall(r"^(\S+): test$", run.stdout, re.MULTILINE)

    def look(self, group, name):
        """Which functions a test reaches, and how long it takes, without any mutant."""
        start = time.monotonic()
        with tempfile.TemporaryFile("a+") as reached:
            failed = self.first_failure(group, 0, LONGEST, [name], reached)
            reached.seek(0)
            functions = {int(line) for line in reached.read().split()}
        seconds = time.monotonic() - start
        if failed:
            # Such as one whose program is not here; it would notice every mutant.
            print(f"left out, as it fails without any mutant: {group}: {name}: {failed}", flush=True)
            return
        for function in functions:
            self.reach[function, group][name] = seconds

    def noticed(self, mutant, groups):
        """Which test of `groups` notices it."""
        for group in groups:
            tests = self.reach.get((mutant["reached_as"], group))
            if tests:
                limit = sum(tests.values()) * PATIENCE + SPARE
                if failed := self.first_failure(group, mutant["number"], limit, sorted(tests)):
                    return f"{group}: {failed}"
        return None

    def is_reached(self, mutant):
        return any((mutant["reached_as"], group) in self.reach for group in [UNITS, *groups(mutant)])

    def first_failure(self, group, number, limit, which, reached=None):
        place = self.root / "target/mutants/scratch"
        place.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.mkdtemp(dir=place)
        environment = os.environ | {"OSTFS_MUTANT": str(number), "TMPDIR": scratch, "RUST_BACKTRACE": "0"}
        environment.setdefault("OSTFS_CORPUS", str(self.root / "../shared/corpus"))
        if reached:
            environment["OSTFS_REACHED"] = str(reached.fileno())
        process = subprocess.Popen(
            ["timeout", "--kill-after=5", str(limit), self.binaries[group], "--exact", *which],
            cwd=self.copy.out,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
            pass_fds=[reached.fileno()] if reached else [],
        )
        failed = None
        for line in process.stdout:
            found = re.match(r"test (\S+) .*\.\.\. FAILED", line)
            if found:
                failed = found.group(1)
                break
        if failed is None and process.wait():
            failed = TOO_LONG if process.returncode in (124, 137) else DIES
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        self.clean_up(scratch)
        return failed

    def clean_up(self, scratch):
        """Ends the mounts of tests that were killed."""
        for line in Path("/proc/self/mounts").read_text().splitlines():
            place = line.split(" ")[1]
            if place.startswith(scratch):
                subprocess.run(["fusermount3", "-uzq", place], check=False)
        shutil.rmtree(scratch, ignore_errors=True)


def folder(mutant):
    """The folder of src, or a file that has no folder, without its ending."""
    return Path(mutant["file"]).parts[1].removesuffix(".rs")


def groups(mutant):
    """Those of the file, or of the innermost of its folders that has some."""
    file = Path(mutant["file"]).with_suffix("").relative_to("src")
    return next((GROUPS[str(place)] for place in [file, *file.parents] if str(place) in GROUPS), None)


def is_tried(mutant):
    if groups(mutant) is None or any(part in mutant["replacement"] for part in MADE_UP):
        return False
    # Two arms with a closure each have two types, which no name of a trait makes one.
    return not mutant["function"] or "impl " not in mutant["function"]["return_type"]


def main():
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    parser.add_argument("what", nargs="*", help="files of src, or a branch; then what differs from it [main]")
    parser.add_argument("--sample", type=int, metavar="N", help="so many of the mutants, of each folder alike")
    parser.add_argument("--seed", type=int, default=0, help="which ones the sample has, and their order [0]")
    parser.add_argument("--units", action="store_true", help="the unit tests of the folder of each alone: a second each")
    parser.add_argument("--jobs", type=int, default=1, help="so many mutants at a time [1]")
    parser.add_argument("--minutes", type=float, help="end after so long, and name what was not tried")
    options = parser.parse_args()
    root = Path.cwd()
    arguments = [part for file in options.what for part in ("--file", file)]
    if not all(Path(name).is_file() for name in options.what) or not options.what:
        base = options.what[0] if options.what else "main"
        difference = root / "target/mutants/branch.diff"
        difference.parent.mkdir(parents=True, exist_ok=True)
        command = ["git", "diff", "--merge-base", base, "--", "src"]
        difference.write_bytes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        arguments = ["--in-diff", str(difference)]
    known = equivalents()
    mutants = [mutant for mutant in listed(arguments) if is_tried(mutant) and identity(mutant) not in known]
    mutants = fair(mutants, options.sample or len(mutants), options.seed)
    if not mutants:
        return print("no mutants")
    needed = set() if options.units else {group for mutant in mutants for group in groups(mutant)}
    # Of its own: a build of the project meanwhile would put the program without mutants in the place of that with them.
    target = root / "target/mutants/target"
    copy, built = Copy(root, target), mutants
    for _ in range(BUILDS):
        copy.write(built)
        binaries, guilty = copy.build(sorted(needed))
        built = [mutant for mutant in built if mutant["number"] not in guilty]
        if not guilty:
            break
        print(f"{len(guilty)} do not build", flush=True)
    else:
        sys.exit("after so many tries some mutants still do not build")
    there = copy.there()
    built = [mutant for mutant in built if mutant["number"] in there]
    print(f"{len(built)} of {len(mutants)} mutants are built", flush=True)
    tests = Tests(root, copy, binaries, options.jobs)
    end = time.monotonic() + options.minutes * 60 if options.minutes else None
    left, survived = list(built), []
    # First what is quick, of all: the long tests are for what that leaves.
    for is_last in (False, True)[: 1 if options.units else 2]:

        def tried(mutant):
            """Whether there was time for it; what noticed it."""
            if end and time.monotonic() > end:
                return False, None
            noticed = tests.noticed(mutant, groups(mutant) if is_last else [UNITS])
            if noticed:
                print(f"noticed  {mutant['name']} by {noticed}", flush=True)
            elif is_last:
                print(f"SURVIVED {mutant['name']}{'' if tests.is_reached(mutant) else ' (no test reaches it)'}", flush=True)
            return True, noticed

        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            results = list(zip(left, pool.map(tried, left)))
        survived += [mutant for mutant, (in_time, noticed) in results if is_last and in_time and not noticed]
        left = [mutant for mutant, (in_time, noticed) in results if not noticed and not (is_last and in_time)]
    report(built, left, survived)


def report(built, left, survived):
    """How many were noticed, by folder; of those that were not, what scripts/mutants.toml would know them by."""
    counts = [collections.Counter(map(folder, mutants)) for mutants in (built, left, survived)]
    for name in sorted(counts[0]):
        of_all, of_left, of_survived = (count[name] for count in counts)
        noticed = of_all - of_left - of_survived
        print(f"{name}: {of_all} mutants, {noticed} noticed, {of_survived} survived, {of_left} not tried by all tests")
    for mutant in survived:
        _, _, line = identity(mutant)
        print(f"    {mutant['name']}\n        {line}")
    sys.exit(1 if survived else 0)


if __name__ == "__main__":
    main()
