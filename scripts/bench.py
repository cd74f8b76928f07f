"""The measurements of scripts/bench. Each section is a table; ratios are of runs that took turns."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from bench_tools import (
    DROP_CACHES, OSTFS, PEER_WALK, ROOT, WALK, Report, Used, cpu_of, forget_names, machine, median, null_fs, null_fs_of, ostfs, run, slow_disk, spread, store,
)

#: Bytes that a message may take for ever, and the default of -o cache.
BYTES_A_MESSAGE, CACHE_MIB = 24, 64
MIB = 1 << 20
#: A hard disk: microseconds for a jump, bytes a second. And a disk behind a network: microseconds for a read.
SEEK_US, DISK_RATE, LATENCY_US = 3_333, 150_000_000, 10_000


class Bench:
    def __init__(self, options):
        self.quick, self.runs, self.work = options.quick, options.runs, os.path.abspath(options.work)
        if self.quick:
            self.work += "-quick"
        self.report = Report()

    def messages(self, full):
        return max(full // 50, 10) if self.quick else full

    def many(self, name, messages, folders, size):
        """A store of invented mail; `size` in bytes is what to aim for."""
        if self.quick:
            size //= 50
        return store(self.work, name, "many", "--messages", messages, "--folders", folders, "--bytes", size)

    def million(self):
        return self.many("million", self.messages(1_000_000), self.messages(1_000), 10 << 30)

    def million_in_one_folder(self):
        return self.many("million-in-one", self.messages(1_000_000), 1, 4 << 30)

    def folder_of_50000(self):
        return self.many("folder", self.messages(50_000), 1, 500 << 20)

    def mailbox(self):
        return self.many("mailbox", self.messages(15_000), 20, 1_700_000_000)

    def times(self, action):
        return [action() for _ in range(self.runs)]

    # Section 1

    def ready(self):
        """Mount ready, and the first message of a deep folder on stdout."""
        self.report.heading("A mount is there at once")
        self.report.text("From the start of `ostfs mount` until the shell has its prompt back, and until the first message of a")
        self.report.text("folder three levels deep was listed and read; milliseconds, caches of ostfs cold, page cache warm.\n")
        self.report.table("file", "bytes", "messages", "mounted, ms", "first message, ms", "CPU of ostfs, ms")
        small = self.many("thousand", 1_000, 4, 100 << 20)
        for name, file, messages in [("small", small, 1_000), ("large", self.million(), self.messages(1_000_000))]:
            with ostfs(file) as mount:
                folder = os.path.relpath(deep_folder(mount.path), mount.path)
            samples = self.times(lambda: first_message(file, folder))
            mounted = [sample[0] for sample in samples]
            read = [sample[1] for sample in samples]
            size = f"{os.path.getsize(file):,}"
            self.report.row(name, size, f"{messages:,}", spread(mounted, 1e3, 1), spread(read, 1e3, 1),
                            f"{median(read, 'cpu') * 1e3:.0f}")

    # Section 2

    def memory(self):
        """Resident set after reading all of a huge file."""
        self.report.heading("Memory")
        self.report.text(f"Peak resident set of the mount in MiB after each command, one after the other. The bound is -o cache ({CACHE_MIB} MiB)")
        self.report.text(f"and {BYTES_A_MESSAGE} bytes a message, and the largest listing (its names and {LISTING_BYTES} bytes an entry; {PACKED_BYTES} bytes an entry in all from {PACKED_FROM:,} entries on).\n")
        self.report.table("file", "bound", "mounted", "`find`", "`ls -lR`", "`grep -r`")
        total = self.messages(1_000_000)
        for name, file in [("1,000 a folder", self.million()), ("all in one folder", self.million_in_one_folder())]:
            with ostfs(file) as mount:
                peaks = [mount.peak()]
                for command in [["find"], ["ls", "-lR"], ["grep", "-rc", "no such words"]]:
                    print(" ".join(command), file=sys.stderr)
                    mount.measure([*command, "MOUNT"])
                    peaks.append(mount.peak())
                listing = largest_listing(mount.path)
            bound = CACHE_MIB + (BYTES_A_MESSAGE * total + listing) / MIB
            self.report.row(f"{total:,} messages, {name}", f"{bound:.1f}", *(f"{peak:.1f}" for peak in peaks))

    # Section 3

    def metadata(self):
        """Names and attributes of one folder."""
        count = self.messages(50_000)
        file = self.folder_of_50000()
        self.report.heading(f"Names and attributes: a folder of {count:,} messages")
        self.report.text("Entries a second. Cold: a fresh mount, all sizes worked out; on one core, client and mount share it. Warm: ostfs has")
        self.report.text("worked them out once, the kernel has forgotten them. The null filesystem has the same names and sizes and does nothing.")
        self.report.text("The last column is CPU of both sides, null ÷ ostfs, which other work on the machine hardly changes.\n")
        self.report.table("", "ostfs", "null filesystem", "rate, ostfs ÷ null", "CPU, null ÷ ostfs")
        for label, prefix in [("cold `ls -l`, one core", ["taskset", "-c", "0"]), ("cold `ls -l`", [])]:
            def cold():
                with ostfs(file, *prefix) as mount:
                    return mount.measure([*prefix, "ls", "-l", "MOUNT/Inbox"])
            samples = self.times(cold)
            self.report.row(label, rate(count, samples), "", "", f"{median(samples, 'cpu') / count * 1e6:.1f} µs an entry")
        if not os.access(DROP_CACHES, os.W_OK):
            self.report.text("\nNot measured: warm, since only root can make the kernel forget names.")
            return
        with ostfs(file) as mount:
            inbox = os.path.join(mount.path, "Inbox")
            names = os.listdir(inbox)
            with null_fs(inbox, self.work) as null:
                for label, action in [
                    ("warm `stat`, by name", lambda folder: [os.stat(f"{folder}/{name}") for name in names]),
                    ("warm readdirplus", lambda folder: [entry.stat() for entry in os.scandir(folder)]),
                    ("warm `ls -l`", None),
                ]:
                    ours, theirs = [], []
                    for _ in range(self.runs):
                        for server, folder, samples in [(mount, inbox, ours), (null, null.path, theirs)]:
                            forget_names()
                            os.stat(folder)
                            command = ["ls", "-l", folder] if action is None else lambda _: action(folder)
                            samples.append(server.measure(command))
                    self.compared(label, rate(len(names), ours), rate(len(names), theirs), ours, theirs)

    def compared(self, label, our_rate, their_rate, ours, theirs):
        self.report.row(label, our_rate, their_rate, f"{median(theirs) / median(ours):.2f}",
                        f"{median(theirs, 'cpu') / median(ours, 'cpu'):.2f}")

    # Section 4

    def reading(self):
        """Sequential reads of one large attachment."""
        size = self.messages(1 << 30)
        file = store(self.work, "attachment", "attachment", "--size", size)
        self.report.heading("Reading a large attachment")
        self.report.text("MB a second of `cat`, a fresh mount each time, source in the page cache; and the same from the null filesystem.\n")
        self.report.table("", "ostfs", "null filesystem", "rate, ostfs ÷ null", "CPU, null ÷ ostfs")
        for label, pattern in [("attachment", "Inbox/*/large.bin"), ("the `.eml` that carries it", "Inbox/*.eml")]:
            ours, theirs = [], []
            for _ in range(self.runs):
                with ostfs(file) as mount:
                    path = find_one(mount.path, pattern)
                    length = os.path.getsize(path)
                    with null_fs(os.path.dirname(path), self.work) as null:
                        theirs.append(null.measure(["cat", os.path.join(null.path, os.path.basename(path))]))
                    ours.append(mount.measure(["cat", path]))
            self.compared(label, rate(length / 1e6, ours), rate(length / 1e6, theirs), ours, theirs)

    # Section 5

    def export(self):
        """A whole mailbox to memory."""
        file = self.mailbox()
        size = os.path.getsize(file)
        self.report.heading("Export of a whole mailbox")
        self.report.text(f"{size / 1e9:.1f} GB, {self.messages(15_000):,} messages, written to tmpfs. Seconds, MiB of peak memory (of ostfs or readpst). readpst writes")
        self.report.text("attachments inside the mail alone, so `-o attachments=eml` is what compares with it.\n")
        self.report.table("", "wall", "CPU", "peak", "wall, readpst ÷ this", "CPU, readpst ÷ this")

        in_mail_alone = ["-o", "attachments=eml"]

        def copied(server):
            with server as mount, target() as out:
                return mount.measure(["cp", "-r", "MOUNT", os.path.join(out, "out")])

        def sizes(options):
            with ostfs(file, options=options) as mount:
                files = (os.path.join(path, name) for path, _, names in os.walk(mount.path) for name in names)
                return [(os.lstat(path).st_size, number) for number, path in enumerate(files)]

        def into(command):
            with target() as out:
                return run([part.replace("OUT", os.path.join(out, "out")) for part in command])

        def readpst():
            with target() as out:
                return run(["readpst", "-e", "-D", "-j", "0", "-q", "-o", out, file])

        actions = {
            "`readpst -e -D -j 0`": readpst,
            "`pffexport -m items`": lambda: into(["pffexport", "-q", "-m", "items", "-t", "OUT", file]),
            "`ostfs export -o attachments=eml`": lambda: into([OSTFS, "export", file, "OUT", "-o", "attachments=eml"]),
            "`ostfs export`": lambda: into([OSTFS, "export", file, "OUT"]),
            "`cp -r` from the mount, `-o attachments=eml`": lambda: copied(ostfs(file, options=in_mail_alone)),
            "`cp -r` of as many bytes from the null filesystem": lambda: copied(null_fs_of(self.work, in_mail)),
            "`cp -r` from the mount": lambda: copied(ostfs(file)),
            "`cp -r` of so many bytes from the null filesystem": lambda: copied(null_fs_of(self.work, in_both)),
            "`cp` of the file": lambda: into(["cp", file, "OUT"]),
        }
        in_mail, in_both = sizes(in_mail_alone), sizes([])
        samples = {label: [] for label in actions}
        for _ in range(self.runs):
            for label, action in actions.items():
                samples[label].append(action())
        self.beside(samples, next(iter(samples)))
        mib = [sum(size for size, _ in files) / MIB for files in (in_mail, in_both)]
        self.report.text(f"\nThe mount has {len(in_both):,} files and {mib[1]:,.0f} MiB, with `-o attachments=eml` {len(in_mail):,} and {mib[0]:,.0f} MiB.")

    # Section 6

    def cold(self):
        """Reads and seconds on a slow disk."""
        file = self.mailbox()
        self.report.heading("On a slow disk, nothing of the file in memory")
        self.report.text(f"{os.path.getsize(file) / 1e9:.1f} GB, {self.messages(15_000):,} messages, on a disk of `benches/slow_disk.rs`: one head, {SEEK_US / 1e3:.1f} ms for a jump and")
        self.report.text(f"{DISK_RATE / 1e6:.0f} MB a second; and one that takes {LATENCY_US / 1e3:.0f} ms for every read, 32 at a time. Jumps are reads that do not begin")
        self.report.text("where the last one ended.\n")
        for label, disk in [("One head", [SEEK_US, DISK_RATE, 0]), ("Latency", [0, 0, LATENCY_US])]:
            self.report.table(label, "seconds", "÷ `cat`", "reads", "jumps", "MB")
            with slow_disk(file, *disk) as server:
                source, counters = (os.path.join(server.path, name) for name in ("content", "counters"))

                def measured(command):
                    with open(counters) as before:
                        before.read()
                    with target() as out:
                        used = run([part.replace("OUT", os.path.join(out, "out")) for part in command])
                    with open(counters) as after:
                        return used, after.read().split()

                folder = largest_folder(file)
                commands = {
                    "`cat`": ["cat", source],
                    "`ostfs info`": [OSTFS, "info", source],
                    f"`ostfs ls -l {folder}`": [OSTFS, "ls", "-l", source, folder],
                    "`ostfs cat` of a message": [OSTFS, "cat", source, first_of(file, folder)],
                    "`ostfs index --no-hash`": [OSTFS, "index", "--no-hash", source],
                    "`ostfs export -o attachments=eml`": [OSTFS, "export", source, "OUT", "-o", "attachments=eml"],
                }
                yard = None
                for name, command in commands.items():
                    used, (reads, jumps, count) = measured(command)
                    yard = yard or used.wall
                    self.report.row(name, f"{used.wall:.1f}", f"{used.wall / yard:.2f}", f"{int(reads):,}", f"{int(jumps):,}", f"{int(count) / 1e6:,.0f}")
            self.report.text()

    def walk(self):
        """Everything is read, and nothing written."""
        file = self.mailbox()
        self.report.heading("Reading a whole mailbox, writing nothing")
        self.report.text(f"Every property, recipient, body and attachment of {self.messages(15_000):,} messages, one thread. Seconds, MiB of peak memory.\n")
        self.report.table("", "wall", "CPU", "peak", "wall, outlook-pst ÷ this", "CPU, outlook-pst ÷ this")
        commands = {"outlook-pst (`benches/outlook_pst`)": [PEER_WALK, file], "ostfs (`benches/walk.rs`)": [WALK, file]}
        samples = {label: [] for label in commands}
        for _ in range(self.runs):
            for label, command in commands.items():
                samples[label].append(run(command))
        self.beside(samples, next(iter(samples)))

    def beside(self, samples, yard):
        """A row for each program, with its ratio to `yard`."""
        yard = samples[yard]
        for label, own in samples.items():
            self.report.row(label, spread(own), f"{median(own, 'cpu'):.2f}", f"{median(own, 'peak'):.0f}",
                            f"{median(yard) / median(own):.1f}", f"{median(yard, 'cpu') / median(own, 'cpu'):.1f}")

    # Section 7

    def grep(self):
        """Searching a mailbox that the kernel has in its page cache."""
        file = self.mailbox()
        self.report.heading("Searching again")
        self.report.text("Seconds of `grep -rc` over the whole mailbox for words that are nowhere: the first pass, and later ones from the kernel's")
        self.report.text("page cache, beside the same tree on disk, in turns. Passes in which the kernel asked ostfs for something, since it had")
        self.report.text("dropped pages meanwhile, are told apart: they measure the machine's memory.\n")
        self.report.table("", "first pass", "later passes", "speed, ostfs ÷ disk", "CPU of ostfs in a pass")
        tree = os.path.join(self.work, "tree")
        if not os.path.isdir(tree):
            run([OSTFS, "export", file, tree])
        command = ["grep", "-rc", "no such words anywhere"]
        cached, asked = [], []
        with ostfs(file) as mount:
            first = mount.measure([*command, "MOUNT"])
            first_disk = run([*command, tree])
            for _ in range(self.runs * MOST_PASSES):
                ours, disk = mount.measure([*command, "MOUNT"]), run([*command, tree])
                own = ours.cpu - ours.client
                (cached if own < IDLE_CPU else asked).append((ours, disk, Used(0, own)))
                if len(cached) >= self.runs:
                    break
        kind = subprocess.run(["stat", "-f", "-c", "%T", tree], capture_output=True, text=True).stdout.strip()
        for label, passes in [("ostfs, not asked", cached), ("ostfs, asked again", asked)]:
            if passes:
                ours, disk, own = zip(*passes)
                self.report.row(f"{label}: {len(passes)} passes", f"{first.wall:.2f}", spread(ours), f"{median(disk) / median(ours):.2f}",
                                f"{median(own, 'cpu') * 1e3:.1f} ms")
                self.report.row(f"{kind} in these turns", f"{first_disk.wall:.2f}", spread(disk), "", "")

    # Section 8

    def search(self):
        """Queries, beside grep over a mount."""
        million, mailbox = self.million(), self.mailbox()
        count = self.messages(1_000_000)
        self.report.heading("Queries")
        self.report.text(f"Seconds of `ostfs search -c` over {count:,} messages, page cache warm, and over a mailbox of {self.messages(15_000):,},")
        self.report.text("there beside `grep -riw` over a fresh mount of it.\n")
        self.report.table("query", "messages", "wall", "CPU", "peak, MiB", "grep ÷ search")
        queries = ["subject:budget", "date:2015 has:attachment", "size:>1M is:unread", "from:adams"]
        for query in queries:
            used = self.times(lambda: run([OSTFS, "search", "-c", million, query]))
            self.report.row(f"`{query}`", f"{count:,}", spread(used), f"{median(used, 'cpu'):.2f}", f"{median(used, 'peak'):.0f}", "")
        for query, words in [("body:zzyzx", "zzyzx"), ('body:\"delivery dates\"', "delivery dates"), ("zzyzx", "zzyzx")]:
            ours, theirs = [], []
            for _ in range(self.runs):
                ours.append(run([OSTFS, "search", "-c", mailbox, query]))
                with ostfs(mailbox, options=["-o", "attachments=eml"]) as mount:
                    theirs.append(mount.measure(["grep", "-rilw", words, "MOUNT"]))
            self.report.row(f"`{query}`", f"{self.messages(15_000):,}", spread(ours), f"{median(ours, 'cpu'):.2f}", f"{median(ours, 'peak'):.0f}",
                            f"{median(theirs) / median(ours):.1f}")

    # Section 9

    def linear(self):
        """Cost by message as files grow."""
        self.report.heading("Cost grows with the number of messages, and with nothing else")
        self.report.text("One `find` and one `ls -lR` over a fresh mount: CPU of the mount by message, and its peak memory less that of an empty mount.\n")
        self.report.table("messages", "folders", "mounted, MiB", "`find`, µs a message", "`ls -lR`, µs a message", "peak, MiB", "bytes a message")
        most = self.messages(1_000_000)
        by_messages = [(count, max(count // 1_000, 1)) for count in (1_000, 10_000, 100_000, most) if count <= most]
        one_folder = [(count, 1) for count in (10, 1_000, 100_000, most) if count <= most]
        by_folders = [(10_000, count) for count in (10, 100, 1_000, 10_000)]
        for messages, folders in dict.fromkeys([*by_messages, *one_folder, *by_folders]):
            if (messages, folders) == (most, self.messages(1_000)):
                file = self.million()
            elif (messages, folders) == (most, 1):
                file = self.million_in_one_folder()
            else:
                file = store(self.work, f"linear-{messages}-{folders}", "many", "--messages", messages, "--folders", folders,
                             "--bytes", messages * 4_000)
            with ostfs(file) as mount:
                empty, costs = mount.peak(), []
                for command in (["find"], ["ls", "-lR"]):
                    before = mount.cpu()
                    mount.measure([*command, "MOUNT"])
                    costs.append((mount.cpu() - before) / messages * 1e6)
                peak = mount.peak()
            self.report.row(f"{messages:,}", f"{folders:,}", f"{empty:.1f}", *(f"{cost:.1f}" for cost in costs), f"{peak:.1f}",
                            f"{(peak - empty) * MIB / messages:,.0f}")


SECTIONS = [Bench.ready, Bench.memory, Bench.metadata, Bench.reading, Bench.export, Bench.cold, Bench.walk, Bench.grep, Bench.search, Bench.linear]

#: CPU seconds of a mount that answers nothing, and passes by which a sample may be late, for `grep`.
IDLE_CPU, MOST_PASSES = 0.005, 4

#: What an entry of a listing takes beside its name, in bytes: position, kind, inode number, slot of the index.
LISTING_BYTES = 28
#: Of a directory of so many entries the names are packed, and each takes about so many bytes in all.
PACKED_FROM, PACKED_BYTES = 65_536, 30


def rate(count, samples):
    rates = sorted(count / sample.wall for sample in samples)
    return f"{count / median(samples):,.0f} ({rates[0]:,.0f}–{rates[-1]:,.0f})"


def find_one(top, pattern):
    import glob

    return glob.glob(os.path.join(glob.escape(top), pattern))[0]


def target():
    """A temporary directory in memory."""
    return tempfile.TemporaryDirectory(prefix="ostfs-bench-", dir="/dev/shm")


def deep_folder(top):
    """The folder furthest down, the first one of these by name."""
    folders = []
    for path, names, _ in os.walk(top):
        names[:] = [name for name in names if not name.endswith(".attachments") and name != "lost+found"]
        folders.append(path)
    return max(sorted(folders), key=lambda path: path.count("/"))


def first_message(file, folder):
    """Mounts in the background as users do, and reads the first message of `folder`."""
    with tempfile.TemporaryDirectory(prefix="ostfs-bench-") as path:
        start = time.perf_counter()
        subprocess.run([OSTFS, "mount", file, path], check=True)
        mounted = time.perf_counter() - start
        with os.scandir(os.path.join(path, folder)) as entries:
            first = next(entry.path for entry in entries if entry.name.endswith(".eml"))
        with open(first, "rb") as message:
            assert message.read()
        read = time.perf_counter() - start
        cpu = background_cpu(path)
        subprocess.run([OSTFS, "unmount", path], check=True)
    return Used(mounted, cpu), Used(read, cpu)


def background_cpu(mountpoint):
    """CPU seconds of the mount that went into the background."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            arguments = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
            if arguments[:2] == [OSTFS.encode(), b"mount"] and mountpoint.encode() in arguments:
                return cpu_of(int(pid))
        except OSError:
            continue
    return 0.0


def largest_folder(file):
    """The path of the folder with most messages."""
    folders = json.loads(subprocess.run([OSTFS, "info", "--json", file], capture_output=True, check=True).stdout)["folders"]
    return max(folders, key=lambda folder: folder["found"])["path"]


def first_of(file, folder):
    """The path of a message of `folder`."""
    names = subprocess.run([OSTFS, "ls", file, folder], capture_output=True, check=True, text=True).stdout.splitlines()
    return next(f"{folder}/{name}" for name in names if name.endswith(".eml"))


def largest_listing(top):
    """Bytes of the largest listing."""
    largest = 0
    for entry in os.scandir(top):
        if entry.is_dir():
            names = [len(name.name.encode()) for name in os.scandir(entry.path)]
            is_packed = len(names) >= PACKED_FROM
            text = sum(names) + LISTING_BYTES * len(names)
            largest = max(largest, PACKED_BYTES * len(names) if is_packed else text)
    return largest


def main():
    names = [section.__name__ for section in SECTIONS]
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--quick", action="store_true", help="files of a fiftieth; prints only")
    parser.add_argument("--runs", type=int, default=5, help="samples of each measurement")
    parser.add_argument("--work", default=os.path.join(ROOT, "target/bench"), help="where the files stay")
    parser.add_argument("--out", help="the file to write; BENCHMARKS.md when all sections are measured in full")
    parser.add_argument("sections", nargs="*", choices=[[], *names], metavar="SECTION", help=", ".join(names))
    options = parser.parse_args()
    bench = Bench(options)
    before = os.getloadavg()[0]
    bench.report.text("# Benchmarks\n")
    bench.report.text(f"`scripts/bench {' '.join(sys.argv[1:])}`".replace(" `", "`") + f" on {time.strftime('%Y-%m-%d')}: {machine()}.")
    bench.report.text(f"Medians of {bench.runs} runs, lowest and highest in brackets. Load average of the machine before the run: {before:.1f} (it has other work to do if that is not near 0).")
    for section in SECTIONS:
        if not options.sections or section.__name__ in options.sections:
            section(bench)
    out = options.out
    if not out and not options.quick and not options.sections:
        out = os.path.join(ROOT, "BENCHMARKS.md")
    if out:
        with open(out, "w") as file:
            file.write("\n".join(bench.report.lines) + "\n")


main()
