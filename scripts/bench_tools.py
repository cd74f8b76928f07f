"""What the sections of scripts/bench share: stores, mounts, processes and their accounting, tables."""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RELEASE = os.path.join(ROOT, "target/release")
OSTFS = os.path.join(RELEASE, "ostfs")
WALK = os.path.join(RELEASE, "examples/walk")
PEER_WALK = os.path.join(ROOT, "target/outlook_pst/release/outlook-pst-walk")
DROP_CACHES = "/proc/sys/vm/drop_caches"


def store(work, name, *arguments):
    """The generated store `name`, made on first use."""
    path = os.path.join(work, name + ".pst")
    if not os.path.exists(path):
        os.makedirs(work, exist_ok=True)
        print(f"writing {path}", file=sys.stderr)
        command, *options = arguments
        fixture = os.path.join(RELEASE, "examples/fixture")
        subprocess.run([fixture, command, path + ".new", *map(str, options)], check=True, stdout=subprocess.DEVNULL)
        os.rename(path + ".new", path)
    warm(path)
    return path


def warm(path):
    """Has the kernel read a file, so that it is in the page cache if that is large enough."""
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while file.readinto(buffer):
            pass


def cpu_of(pid):
    """CPU seconds of a process so far, to the nanosecond, with those of threads that have ended: clock_getcpuclockid(3)."""
    return time.clock_gettime(~pid << 3 | 2)


def forget_names():
    """Makes the kernel forget names and attributes, not the content of files."""
    os.sync()
    with open(DROP_CACHES, "w") as file:
        file.write("2\n")


class Used:
    """Wall and CPU seconds, the peak memory in MiB of whatever it was, and the part of the CPU that a client had."""

    def __init__(self, wall, cpu, peak=0.0, client=0.0):
        self.wall, self.cpu, self.peak, self.client = wall, cpu, peak, client


def run(command, **options):
    """One process and what it waits for, with its output thrown away."""
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
    start = time.perf_counter()
    process = subprocess.Popen(command, **options)
    with PeakWatch(process.pid) as watch:
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1 if command[0] == "grep" or "search" in command else 0):
        sys.exit(f"failed: {' '.join(command)}")
    return Used(wall, usage.ru_utime + usage.ru_stime, watch.peak)


def peak_of(pid):
    """Largest resident set of a process so far in MiB; 0 of one that has ended."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0) / 1024
    except OSError:
        return 0.0


class PeakWatch:
    """Reads the largest resident set of a process every 20 ms: `ru_maxrss` begins with that of this program."""

    def __init__(self, pid):
        self.pid, self.peak, self.ended = pid, 0.0, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.ended.wait(0.02):
            self.peak = max(self.peak, peak_of(self.pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


class Server:
    """A filesystem in a process of its own, mounted on a temporary directory while in use."""

    def __init__(self, command):
        self.path = tempfile.mkdtemp(prefix="ostfs-bench-")
        command = [part.replace("MOUNT", self.path) for part in command] if "MOUNT" in command else [*command, self.path]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while not os.path.ismount(self.path):
            if self.process.poll() is not None:
                sys.exit(f"failed: {' '.join(command)}")
            time.sleep(0.002)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["fusermount3", "-u", self.path], check=True)
        self.process.wait()
        os.rmdir(self.path)

    def cpu(self):
        """CPU seconds so far."""
        return cpu_of(self.process.pid)

    def peak(self):
        """Largest resident set so far in MiB."""
        return peak_of(self.process.pid)

    def measure(self, action):
        """`action` (a command in which MOUNT is the mount point, or a function of it), with the CPU of both sides."""
        before = self.cpu()
        if callable(action):
            start, own = time.perf_counter(), time.process_time()
            action(self.path)
            used = Used(time.perf_counter() - start, time.process_time() - own)
        else:
            used = run([part.replace("MOUNT", self.path) for part in action])
        return Used(used.wall, used.cpu + self.cpu() - before, self.peak(), used.cpu)


def ostfs(file, *prefix, options=()):
    """A fresh mount of `file`: the caches of ostfs are cold. `prefix` is a command that runs it."""
    return Server([*prefix, OSTFS, "mount", "-f", *options, file])


def null_fs(folder, work):
    """The filesystem that does nothing, with the names and sizes in `folder`."""
    return null_fs_of(work, [(entry.stat(follow_symlinks=False).st_size, entry.name) for entry in os.scandir(folder)])


def null_fs_of(work, files):
    """The filesystem that does nothing, with these sizes and names in one directory."""
    path = os.path.join(work, "null-list.txt")
    with open(path, "w") as out:
        out.writelines(f"{size}\t{name}\n" for size, name in files)
    return Server([os.path.join(RELEASE, "examples/null_fs"), path])


def slow_disk(file, seek, rate, latency):
    """A directory with `file` as `content` on a slow disk: microseconds a jump, bytes a second, microseconds a read."""
    return Server([os.path.join(RELEASE, "examples/slow_disk"), file, "MOUNT", str(seek), str(rate), str(latency)])


def median(samples, field="wall"):
    return statistics.median(getattr(sample, field) for sample in samples)


def spread(samples, scale=1.0, digits=2):
    walls = [sample.wall * scale for sample in samples]
    return f"{statistics.median(walls):,.{digits}f} ({min(walls):,.{digits}f}–{max(walls):,.{digits}f})"


class Report:
    """Tables in Markdown, printed as they come and kept for the file."""

    def __init__(self):
        self.lines = []

    def text(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def heading(self, line):
        self.text(f"\n## {line}\n")

    def table(self, *columns):
        self.text("| " + " | ".join(columns) + " |")
        self.text("|---" + "|---:" * (len(columns) - 1) + "|")

    def row(self, *cells):
        self.text("| " + " | ".join(map(str, cells)) + " |")


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}"
