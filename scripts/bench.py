"""The measurements of scripts/bench: whole processes, wall and CPU seconds by the system's own accounting."""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OSTFS = os.path.join(ROOT, "target/release/ostfs")
FIXTURE = os.path.join(ROOT, "target/release/examples/fixture")
CORPUS = os.environ.get("OSTFS_CORPUS", os.path.join(ROOT, "../shared/corpus"))


def measure(command):
    """Wall seconds, CPU seconds and peak memory (MiB) of one process and what it waits for."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class Mount:
    """A fresh mount: the caches of ostfs are cold, the page cache of the source file is warm."""

    def __init__(self, file):
        self.path = tempfile.mkdtemp(prefix="ostfs-bench-")
        start = time.perf_counter()
        subprocess.run([OSTFS, "mount", file, self.path], check=True)
        self.seconds = time.perf_counter() - start
        pids = subprocess.run(["pgrep", "-f", f"^{OSTFS} mount .* {self.path}$"], capture_output=True, text=True)
        self.pid = int(pids.stdout.split()[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([OSTFS, "unmount", self.path], check=True)
        os.rmdir(self.path)

    def status(self):
        fields = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        peak = next(line for line in open(f"/proc/{self.pid}/status") if line.startswith("VmHWM"))
        return cpu, int(peak.split()[1]) / 1024


def through_mount(file, command):
    """The command over a fresh mount: its wall seconds, its CPU with the mount's, and the mount's peak memory."""
    with Mount(file) as mount:
        wall, cpu, _ = measure([part.replace("MOUNT", mount.path) for part in command])
        mount_cpu, peak = mount.status()
        return wall, cpu + mount_cpu, peak


def mounting(file):
    with Mount(file) as mount:
        cpu, peak = mount.status()
        return mount.seconds, cpu, peak


def into(command):
    """A command that writes into OUT, which is made anew for every run."""
    target = tempfile.mkdtemp(prefix="ostfs-bench-")
    try:
        return measure([part.replace("OUT", os.path.join(target, "out")) for part in command])
    finally:
        shutil.rmtree(target)


def copying(file):
    target = tempfile.mkdtemp(prefix="ostfs-bench-")
    try:
        return through_mount(file, ["cp", "-r", "MOUNT", os.path.join(target, "out")])
    finally:
        shutil.rmtree(target)


def readpst(file):
    target = tempfile.mkdtemp(prefix="ostfs-bench-")
    try:
        return measure(["readpst", "-e", "-D", "-j", "0", "-q", "-o", target, file])
    finally:
        shutil.rmtree(target)


def row(label, name, runs, action):
    samples = [action() for _ in range(runs)]
    wall, cpu, peak = (statistics.median(column) for column in zip(*samples))
    spread = f"{min(s[0] for s in samples):.3f} to {max(s[0] for s in samples):.3f}"
    print(f"| {label} | {name} | {wall:.3f} | {spread} | {cpu:.3f} | {peak:.1f} |", flush=True)
    return wall, cpu


def main():
    runs = int(sys.argv[1])
    work = sys.argv[2] or tempfile.mkdtemp(prefix="ostfs-bench-files-")
    files = {}
    for name, arguments in {
        "50,000 messages, one folder": ["many", "--messages", "50000", "--folders", "1", "--bytes", "500M"],
        "1 GB attachment": ["attachment", "--size", "1G"],
        "4 GB of mail": ["many", "--messages", "30000", "--folders", "20", "--bytes", "4G"],
    }.items():
        path = os.path.join(work, name.replace(" ", "-").replace(",", "") + ".pst")
        if not os.path.exists(path):
            subprocess.run([FIXTURE, arguments[0], path, *arguments[1:]], check=True, stdout=subprocess.DEVNULL)
        files[name] = path
    real = os.path.join(CORPUS, "files")
    if os.path.isdir(real):
        largest = max((os.path.join(real, name) for name in os.listdir(real)), key=os.path.getsize)
        files = {"largest real file": largest, "enron.pst": os.path.join(real, "enron.pst"), **files}
    else:
        print("no corpus of real files: generated ones alone\n")

    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    print(f"{cpu}, {os.cpu_count()} cores, Linux {platform.release()}, {time.strftime('%Y-%m-%d')}; medians of {runs}\n")
    print("| what | file | wall s | spread | CPU s | peak MiB |\n|---|---|---|---|---|---|")
    for name, file in files.items():
        megabytes = os.path.getsize(file) / 1e6
        label = f"{name} ({megabytes:,.0f} MB)"
        row("mount", label, runs, lambda: mounting(file))
        row("ls -lR", label, runs, lambda: through_mount(file, ["ls", "-lR", "MOUNT"]))
        if name == "4 GB of mail":
            continue
        row("cp -r", label, runs, lambda: copying(file))
        if name == "1 GB attachment":
            continue
        row("export", label, runs, lambda: into([OSTFS, "export", file, "OUT"]))
        # readpst writes attachments inside the mail alone, so that is what is compared.
        ours = row(
            "export -o attachments=eml", label, runs, lambda: into([OSTFS, "export", file, "OUT", "-o", "attachments=eml"])
        )
        theirs = row("readpst -e -D -j 0", label, runs, lambda: readpst(file))
        print(f"| export / readpst | {label} | {ours[0] / theirs[0]:.2f} | | {ours[1] / theirs[1]:.2f} | |")
    if not sys.argv[2]:
        shutil.rmtree(work)


main()
