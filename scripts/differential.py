"""Shows changed data files to ostfs and to other readers, and sorts what they find differently into kinds.
usage: differential.py --own PROGRAM --seconds S --seed N [--outlook-pst PROGRAM] FILE...
Exit code 1 if there is a kind that is not explained."""

import argparse
import collections
import hashlib
import json
import os
import random
import select
import shutil
import subprocess
import sys
import tempfile
import time

import differential_mutate as mutate

HERE = os.path.dirname(os.path.abspath(__file__))
# More than any reader needs for a file of this size, in seconds.
LIMIT = 30
# Larger files take too long to be looked at a thousand times.
LARGEST = 3 << 20
EXAMPLES = 3

# What may differ, with the reason; every other kind is a finding.
EXPLAINED = {
    "only ostfs opens it": "it scans what others give up",
    "only ostfs has an item": "found by a scan, or in a folder that the other does not reach",
    "only ostfs has a property": "the other stops at the first fault of a list",
    "only ostfs has an attachment": "the other stops at the first fault of a list",
    "another value, and ostfs says that it may be wrong": "it says so",
    "only the other has an item, and ostfs says what it cannot read": "it says so",
    "only the other has a property, and ostfs says that some are lost": "it says so",
    "only the other has an attachment, and ostfs says that some are lost": "it says so",
    "the other crashes or takes too long": "a fault of the other",
    "another value, and ostfs has that of the unchanged file": "it found an intact copy",
    "only the other has a property, and ostfs has all of the unchanged file": "it found an intact copy, the other took another block",
    "other attachments, and ostfs has those of the unchanged file": "it found an intact copy",
}
# Where the keys of a B-tree do not ascend, two nodes or blocks have one number, say, these are explained as well: [MS-PST] 2.2.2.7.7
# has no such tree, and who searches it meets another entry than who walks through it.
DISPUTED = ["another value", *(f"only the other has {what}" for what in ("an item", "a property", "an attachment"))]
DISORDERED = ", in a file with a B-tree that is not in order"


def reason(kind):
    """Why `kind` is no finding; None for a finding."""
    return "each reader takes another of two entries" if kind.endswith(DISORDERED) else EXPLAINED.get(kind)


class Reader:
    """A process that answers a line with the path of a file by a line of JSON."""

    def __init__(self, name, command):
        self.name, self.command, self.process = name, command, None

    def ask(self, path):
        """What it finds; a text where it crashes or takes too long."""
        if self.process is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            self.process = subprocess.Popen(self.command, **pipes)
        try:
            self.process.stdin.write(path.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return self.ended("has ended")
        # The answer is one write of one line, and nobody else writes.
        if not select.select([self.process.stdout], [], [], LIMIT)[0]:
            return self.ended(f"takes more than {LIMIT} s")
        line = self.process.stdout.readline()
        return json.loads(line) if line.endswith(b"\n") else self.ended("crashes")

    def ended(self, how):
        process, self.process = self.process, None
        process.kill()
        return f"{how} ({process.wait()})"


def pypff_worker():
    """Answers as the program of ostfs does, by pypff."""
    for path in sys.stdin:
        print(json.dumps(of_pypff(path.rstrip("\n"))), flush=True)


def digits(data):
    return hashlib.sha256(data).hexdigest()[:16]


def value_of(kind, data):
    """As many bytes as the type has, and of a truth value whether it is one."""
    if kind == 0x0B:
        return bytes([any(data[:1])])
    return data[: {0x02: 2, 0x03: 4, 0x04: 4, 0x0A: 4}.get(kind, len(data))]


def of_pypff(path):
    import pypff

    found = {"error": None, "items": {}}
    file = pypff.file()
    try:
        file.open(path)
        todo = [file.get_root_folder()]
    except Exception as error:
        return {"error": str(error), "items": {}}
    while todo:
        folder = todo.pop()
        for number in tries(lambda: folder.number_of_sub_folders):
            for child in tried(lambda: folder.get_sub_folder(number)):
                todo.append(child)
        for number in tries(lambda: folder.number_of_sub_messages):
            for message in tried(lambda: folder.get_sub_message(number)):
                for nid in tried(lambda: message.identifier):
                    found["items"][str(nid)] = item_of_pypff(message)
    return found


def tried(ask):
    """What is asked for, as a list; an empty one if it cannot be had."""
    try:
        value = ask()
    except Exception:
        return []
    return [] if value is None else [value]


def tries(ask):
    return (number for count in tried(ask) for number in range(count))


def item_of_pypff(message):
    item = {"properties": {}, "attachments": []}
    for number in tries(lambda: message.number_of_record_sets):
        for records in tried(lambda: message.get_record_set(number)):
            for place in tries(lambda: records.number_of_entries):
                for entry in tried(lambda: records.get_entry(place)):
                    for tag, kind, data in tried(lambda: (entry.entry_type, entry.value_type, entry.data)):
                        if tag is not None and tag < 0x8000 and data is not None:
                            # All of them, where a list has a property twice.
                            values = item["properties"].setdefault(f"{tag:04x}{kind:04x}", [])
                            values.append(digits(value_of(kind, data)))
    for number in tries(lambda: message.number_of_attachments):
        for attachment in tried(lambda: message.get_attachment(number)):
            for size in tried(attachment.get_size):
                for data in tried(lambda: attachment.read_buffer(size) if size else None):
                    item["attachments"].append(digits(data))
    return item


def compare(own, other, original):
    """The kinds of differences between what ostfs finds and what another reader does, each with a place; `original` is what
    ostfs finds in the unchanged file."""
    if isinstance(own, str):
        yield "ostfs crashes or takes too long", own
        return
    if isinstance(other, str):
        yield "the other crashes or takes too long", other
        return
    if own["error"] or other["error"]:
        if not own["error"]:
            yield "only ostfs opens it", other["error"]
        elif not other["error"] and other["items"]:
            yield "only the other opens it", own["error"]
        return
    for nid in own["items"].keys() - other["items"].keys():
        yield "only ostfs has an item", nid
    for nid, theirs in other["items"].items():
        ours = own["items"].get(nid)
        if ours is None:
            told = ", and ostfs says what it cannot read" if own["problems"] else ""
            yield "only the other has an item" + told, nid
            continue
        was = original["items"].get(nid, {"properties": {}, "attachments": []})
        yield from compare_items(nid, ours, theirs, was)


def compare_items(nid, ours, theirs, was):
    told = ours["told"]
    some_are_lost = ", and ostfs says that some are lost" if told else ""
    is_as_it_was = ours["properties"] == was["properties"]
    lack = ", and ostfs has all of the unchanged file" if is_as_it_was else some_are_lost
    for tag, values in theirs["properties"].items():
        place = f"{nid}, property {tag}"
        if tag not in ours["properties"]:
            yield "only the other has a property" + lack, place
        elif ours["properties"][tag] in values:
            continue
        elif was["properties"].get(tag) == ours["properties"][tag]:
            yield "another value, and ostfs has that of the unchanged file", place
        else:
            yield "another value" + (", and ostfs says that it may be wrong" if told else ""), place
    if ours["properties"].keys() - theirs["properties"].keys():
        yield "only ostfs has a property", nid
    if set(ours["attachments"]) == set(was["attachments"]) != set(theirs["attachments"]):
        yield "other attachments, and ostfs has those of the unchanged file", nid
        return
    for _ in set(theirs["attachments"]) - set(ours["attachments"]):
        yield "only the other has an attachment" + some_are_lost, nid
    for _ in set(ours["attachments"]) - set(theirs["attachments"]):
        yield "only ostfs has an attachment", nid


def listed(command, path, node_of):
    """The nodes, or the number, of items that a program prints a line for; None if it fails."""
    try:
        done = subprocess.run([*command, path], capture_output=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        return None
    return [node for line in done.stdout.splitlines() for node in node_of(line)]


def of_outlook_pst(line):
    # FOLDER/0xNODE SIZE ATTACHMENTS
    yield str(int(line.rsplit(b"/", 1)[1].split()[0], 16))


def of_lspst(line):
    if not line.startswith(b"Folder"):
        yield line


def compare_lists(own, outlook_pst, path):
    """The same by readers that tell no properties."""
    if isinstance(own, str) or own["error"]:
        return
    told = ", and ostfs says what it cannot read" if own["problems"] else ""
    if outlook_pst:
        for nid in set(listed([outlook_pst], path, of_outlook_pst) or []) - own["items"].keys():
            yield "outlook-pst", "only the other has an item" + told, nid
    if shutil.which("lspst"):
        count = len(listed(["lspst"], path, of_lspst) or [])
        if count > len(own["items"]):
            yield "readpst", "only the other has an item" + told, f"{count} items"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--own", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--outlook-pst")
    parser.add_argument("--keep", default="target/differential")
    parser.add_argument("files", nargs="+")
    return parser.parse_args()


def images(files):
    for name in files:
        if os.path.getsize(name) <= LARGEST:
            with open(name, "rb") as file:
                data = file.read()
            try:
                image = mutate.Image(data)
            except (ValueError, IndexError, mutate.struct.error):
                continue
            if image.pages and image.leaves and image.blocks:
                yield os.path.basename(name), image


class Unchanged:
    """What both find in a source as it is. Where they differ there, they may differ in each file that is made of it: of each
    kind of attachment, say, they do not show the same."""

    def __init__(self, image, own, others, path):
        with open(path, "wb") as file:
            file.write(image.data)
        self.own = own.ask(path)
        # Whether it is what it was says nothing here.
        self.differences = {reader.name: set(compare(self.own, reader.ask(path), {"items": {}})) for reader in others}


class Sums:
    """How often each kind was met, by reader and kind, and the first files of each."""

    def __init__(self, keep):
        self.keep, self.counts, self.examples = keep, collections.Counter(), collections.defaultdict(list)

    def add(self, reader, kind, place, path, name):
        if kind in DISPUTED and not mutate.is_in_order(path):
            kind += DISORDERED
        key = (reader, kind)
        self.counts[key] += 1
        names = self.examples[key]
        if not reason(kind) and len(names) < EXAMPLES and all(name != kept for kept, _ in names):
            os.makedirs(self.keep, exist_ok=True)
            shutil.copy(path, os.path.join(self.keep, name))
            names.append((name, place))

    def tell(self):
        """Prints all kinds; returns whether one is not explained."""
        for (reader, kind), count in sorted(self.counts.items()):
            print(f"{count:>9}  {reader}: {kind}: {reason(kind) or 'NOT EXPLAINED'}")
            for name, place in self.examples[reader, kind]:
                print(f"           {self.keep}/{name}: {place}")
        return any(not reason(kind) for _, kind in self.counts)


def main():
    asked = arguments()
    sources = list(images(asked.files))
    own = Reader("ostfs", [asked.own])
    others = [Reader("pypff", [sys.executable, os.path.join(HERE, "differential.py"), "--worker"])]
    sums, unchanged, files = Sums(asked.keep), {}, 0
    end = time.monotonic() + asked.seconds
    with tempfile.TemporaryDirectory() as scratch:
        while time.monotonic() < end:
            seed = asked.seed + files
            draw = random.Random(seed)
            name, image = draw.choice(sources)
            path = os.path.join(scratch, "changed.pst")
            if name not in unchanged:
                unchanged[name] = Unchanged(image, own, others, path)
            was = unchanged[name]
            mutation = draw.choice(mutate.MUTATIONS)
            changed = f"{seed}-{mutation.__name__}-{name}"
            with open(path, "wb") as file:
                file.write(mutation(draw, image))
            ours = own.ask(path)
            for reader in others:
                differences = compare(ours, reader.ask(path), was.own)
                for kind, place in set(differences) - was.differences[reader.name]:
                    sums.add(reader.name, kind, place, path, changed)
            for reader, kind, place in compare_lists(ours, asked.outlook_pst, path):
                sums.add(reader, kind, place, path, changed)
            files += 1
    print(f"{files} files from seed {asked.seed}, of {len(sources)} sources")
    sys.exit(sums.tell())


if __name__ == "__main__":
    pypff_worker() if sys.argv[1:] == ["--worker"] else main()
