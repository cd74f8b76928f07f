"""Builds all mutants at once, each behind a number in the environment, and tells which of them no test notices.

cargo-mutants lists the mutants. In a copy of the project each function that has some becomes a match on OSTFS_MUTANT, with
one arm for each mutant and the function as it was as the last one. So everything is built once, not once for each mutant.
A mutant that does not build is left out, and counted.
"""
import argparse
import collections
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

# Groups of tests that have to notice what is changed in a folder of src, the quick ones first; all are preceded by the unit tests.
GROUPS = {
    "ndb": ["damage", "hostile"],
    "ltp": ["hostile", "damage"],
    "messaging": ["damage", "items"],
    "salvage": ["damage"],
    "check": ["commands"],
    "convert": ["items"],
    "tree": ["damage", "mounts"],
    "export": ["commands"],
    "pst": ["pst"],
    "sandbox": ["sandbox"],
    "fuse": ["mounts"],
    "cli": ["commands"],
}
# A mutant may take so many times as long as the tests of the whole crate, and so many seconds more.
PATIENCE, SPARE = 3, 20
# How often mutants that do not build are taken out and the rest is built again.
BUILDS = 6
SWITCH = """
#[allow(missing_docs)]
pub(crate) mod mutant {
    pub(crate) fn number() -> u32 {
        static NUMBER: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
        *NUMBER.get_or_init(|| {
            let number = std::env::var("OSTFS_MUTANT").ok();
            number.and_then(|number| number.parse().ok()).unwrap_or(0)
        })
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
        names = subprocess.run(["git", "ls-files", "-z"], check=True, stdout=subprocess.PIPE).stdout
        for name in filter(None, names.decode().split("\0")):
            if (root / name).is_file():
                (self.out / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, self.out / name)
        self.arms = {}

    def write(self, mutants):
        """Writes the files with `mutants`, and notes in which lines each is."""
        files = collections.defaultdict(lambda: collections.defaultdict(list))
        for mutant in mutants:
            if mutant["function"]:
                span = mutant["function"]["span"]
                files[mutant["file"]][(span["start"]["line"], span["end"]["line"])].append(mutant)
        self.arms = {}
        for file, functions in files.items():
            self.arms[file] = self.write_file(file, functions)
        lib = self.root / "src/lib.rs"
        if "src/lib.rs" not in files:
            (self.out / "src/lib.rs").write_text(lib.read_text() + SWITCH)

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
            out += "\nmatch crate::mutant::number() {\n"
            own = []
            for mutant in mutants:
                one, two = (offset(lines, mutant["span"][side]) for side in ("start", "end"))
                if one < first or two > last:
                    continue
                line = out.count("\n") + 1
                changed = text[first:one] + mutant["replacement"] + text[two:last]
                out += f"{mutant['number']} => {{{changed}}}\n"
                own.append((line, out.count("\n"), mutant["number"]))
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
        environment = os.environ | {"CARGO_TARGET_DIR": str(self.target)}
        run = subprocess.run(command, cwd=self.out, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        binaries, guilty = {}, set()
        for line in run.stdout.splitlines():
            message = json.loads(line)
            if message["reason"] == "compiler-artifact" and message.get("executable") and message["profile"]["test"]:
                is_lib = "lib" in message["target"]["kind"]
                binaries["unit tests" if is_lib else message["target"]["name"]] = message["executable"]
            if message["reason"] == "compiler-message" and message["message"]["level"] == "error":
                for span in message["message"]["spans"]:
                    guilty |= self.guilty(span["file_name"], span["line_start"])
        if run.returncode and not guilty:
            sys.exit("the project does not build, for another reason than its mutants: cargo test --no-run")
        return binaries, guilty


class Tests:
    """Runs test binaries with one mutant, until the first test that fails."""

    def __init__(self, root, copy, binaries):
        self.root, self.copy, self.binaries = root, copy, binaries
        self.limits = {}

    def baseline(self):
        for group in self.binaries:
            start = time.monotonic()
            failed = self.first_failure(group, 0, None)
            if failed:
                sys.exit(f"{group}: without any mutant: {failed}")
            self.limits[group] = (time.monotonic() - start) * PATIENCE + SPARE

    def noticed(self, number, groups):
        for group in ["unit tests", *groups]:
            failed = self.first_failure(group, number, self.limits[group])
            if failed:
                return f"{group}: {failed}"
        return None

    def first_failure(self, group, number, limit):
        scratch = self.root / "target/mutants/scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"OSTFS_MUTANT": str(number), "TMPDIR": str(scratch), "RUST_BACKTRACE": "0"}
        environment.setdefault("OSTFS_CORPUS", str(self.root / "../shared/corpus"))
        process = subprocess.Popen(
            ["timeout", "--kill-after=5", str(limit or 0), self.binaries[group]],
            cwd=self.copy.out,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        failed = None
        for line in process.stdout:
            found = re.match(r"test (\S+) .*\.\.\. FAILED", line)
            if found:
                failed = found.group(1)
                break
        if failed is None and process.wait():
            failed = "takes too long" if process.returncode in (124, 137) else "dies"
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
            if place.startswith(str(scratch)):
                subprocess.run(["fusermount3", "-uzq", place], check=False)
        shutil.rmtree(scratch, ignore_errors=True)


def folder(mutant):
    return Path(mutant["file"]).parts[1]


def main():
    parser = argparse.ArgumentParser(prog="scripts/mutants", description=__doc__)
    parser.add_argument("what", nargs="*", help="files of src, or a branch; then what differs from it [main]")
    parser.add_argument("--sample", type=int, metavar="N", help="so many of the mutants, the same ones each time")
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
    mutants = [mutant for mutant in listed(arguments) if folder(mutant) in GROUPS]
    if options.sample and options.sample < len(mutants):
        chosen = random.Random(0).sample(mutants, options.sample)
        mutants = sorted(chosen, key=lambda mutant: mutant["number"])
    if not mutants:
        return print("no mutants")
    needed = {group for mutant in mutants for group in GROUPS[folder(mutant)]}
    target = Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
    copy, built = Copy(root, target), mutants
    for _ in range(BUILDS):
        copy.write(built)
        binaries, guilty = copy.build(sorted(needed))
        built = [mutant for mutant in built if mutant["number"] not in guilty]
        if not guilty:
            break
    else:
        sys.exit("after so many tries some mutants still do not build")
    there = copy.there()
    built = [mutant for mutant in built if mutant["number"] in there]
    print(f"{len(built)} of {len(mutants)} mutants are built", flush=True)
    tests = Tests(root, copy, binaries)
    tests.baseline()
    end = time.monotonic() + options.minutes * 60 if options.minutes else None
    survived, tried = [], 0
    for mutant in built:
        if end and time.monotonic() > end:
            break
        tried += 1
        noticed = tests.noticed(mutant["number"], GROUPS[folder(mutant)])
        print(f"{'noticed ' if noticed else 'SURVIVED'} {mutant['name']}{' by ' + noticed if noticed else ''}", flush=True)
        survived += [] if noticed else [mutant["name"]]
    print(f"{tried} of {len(built)} tried, {len(survived)} survived")
    for name in survived:
        print(f"    {name}")
    sys.exit(1 if survived else 0)


if __name__ == "__main__":
    main()
