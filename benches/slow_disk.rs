//! A file on a slow disk: a filesystem with one file, whose reads are counted and take time as a disk has it. For
//! `scripts/bench cold` and for whoever wants to see how a program reads.
//!
//! `slow_disk FILE MOUNTPOINT SEEK BYTES LATENCY`: microseconds for a read that does not begin where the last one ended, bytes a second
//! (0 for any number), and microseconds that every read takes besides, while others are under way. MOUNTPOINT/counters has what
//! was read since it was read last: reads, jumps, bytes; MOUNTPOINT/log a line for each of these reads: offset and bytes, and whether it
//! was a jump. Ends when it is unmounted.
//!
//! The kernel forgets what it has of the file whenever it is opened, so each command finds a cold one.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use fuser::{
    Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    KernelConfig, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData, ReplyEntry, ReplyOpen,
    Request,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const ROOT: INodeNo = INodeNo(1);
const CONTENT: INodeNo = INodeNo(2);
const COUNTERS: INodeNo = INodeNo(3);
const LOG: INodeNo = INodeNo(4);
/// Reads under way at the same time, as many as a good disk or a NAS has.
const IN_FLIGHT: usize = 32;
/// Bytes that the counters and the log have at the most.
const TEXT_SIZE: u64 = 16 << 20;
/// Reads that begin this close behind the last one are no jump: several come at once, in any order.
const NEAR: u64 = 1 << 20;

struct SlowDisk {
    file: File,
    size: u64,
    seek: Duration,
    bytes_per_second: f64,
    latency: Duration,
    head: Mutex<Head>,
}

/// The head of the disk, and what it has done.
struct Head {
    free_at: Instant,
    position: u64,
    reads: u64,
    jumps: u64,
    bytes: u64,
    log: String,
}

impl SlowDisk {
    fn attributes(&self, ino: INodeNo) -> FileAttr {
        let size = match ino {
            CONTENT => self.size,
            COUNTERS | LOG => TEXT_SIZE,
            _ => 0,
        };
        FileAttr {
            ino,
            size,
            blocks: size.div_ceil(512),
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind: match ino {
                ROOT => FileType::Directory,
                _ => FileType::RegularFile,
            },
            perm: if ino == ROOT { 0o555 } else { 0o444 },
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }

    /// Lets as much time pass as a disk takes.
    fn wait(&self, offset: u64, length: u64) {
        let done = {
            let mut head = self.head.lock().expect("no thread panics with it");
            let is_jump = offset.abs_diff(head.position) > NEAR;
            let mut cost = if is_jump { self.seek } else { Duration::ZERO };
            if self.bytes_per_second > 0.0 {
                cost += Duration::from_secs_f64(length as f64 / self.bytes_per_second);
            }
            head.free_at = head.free_at.max(Instant::now()) + cost;
            head.position = offset + length;
            head.reads += 1;
            head.jumps += u64::from(is_jump);
            head.bytes += length;
            let jump = if is_jump { " jump" } else { "" };
            head.log += &format!("{offset} {length}{jump}\n");
            head.free_at + self.latency
        };
        thread::sleep(done.saturating_duration_since(Instant::now()));
    }

    fn counters(&self) -> Vec<u8> {
        let mut head = self.head.lock().expect("no thread panics with it");
        let text = format!("{} {} {}\n", head.reads, head.jumps, head.bytes);
        (head.reads, head.jumps, head.bytes) = (0, 0, 0);
        head.log.clear();
        text.into_bytes()
    }

    /// What was read since the counters were read.
    fn log(&self) -> Vec<u8> {
        let head = self.head.lock().expect("no thread panics with it");
        head.log.clone().into_bytes()
    }
}

impl Filesystem for SlowDisk {
    fn init(&mut self, _: &Request, kernel: &mut KernelConfig) -> io::Result<()> {
        kernel.set_max_background(IN_FLIGHT as u16).ok();
        kernel.set_max_readahead(4 << 20).ok();
        Ok(())
    }

    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let ino = match name.to_str() {
            Some("content") => CONTENT,
            Some("counters") => COUNTERS,
            Some("log") => LOG,
            _ => return reply.error(Errno::ENOENT),
        };
        reply.entry(&DAY, &self.attributes(ino), Generation(0));
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&DAY, &self.attributes(ino));
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let flags = match ino {
            COUNTERS | LOG => FopenFlags::FOPEN_DIRECT_IO,
            _ => FopenFlags::empty(),
        };
        reply.opened(FileHandle(0), flags);
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        if ino == LOG {
            let log = self.log();
            let start = log.len().min(offset as usize);
            return reply.data(&log[start..log.len().min(start + size as usize)]);
        }
        if ino == COUNTERS {
            let text = if offset == 0 {
                self.counters()
            } else {
                Vec::new()
            };
            return reply.data(&text);
        }
        self.wait(offset, u64::from(size));
        let mut buffer = vec![0; size as usize];
        match self.file.read_at(&mut buffer, offset) {
            Ok(read) => reply.data(&buffer[..read]),
            Err(_) => reply.error(Errno::EIO),
        }
    }
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, mountpoint, seek, bytes, latency] = arguments.as_slice() else {
        return Err(io::Error::other(
            "usage: slow_disk FILE MOUNTPOINT SEEK BYTES LATENCY",
        ));
    };
    let number = |text: &str| text.parse::<u64>().map_err(io::Error::other);
    let file = File::open(file)?;
    let disk = SlowDisk {
        size: file.metadata()?.len(),
        file,
        seek: Duration::from_micros(number(seek)?),
        bytes_per_second: number(bytes)? as f64,
        latency: Duration::from_micros(number(latency)?),
        head: Mutex::new(Head {
            free_at: Instant::now(),
            position: 0,
            reads: 0,
            jumps: 0,
            bytes: 0,
            log: String::new(),
        }),
    };
    let mut config = Config::default();
    config.mount_options = vec![MountOption::RO, MountOption::FSName("slow_disk".to_owned())];
    config.n_threads = Some(IN_FLIGHT);
    fuser::mount(disk, mountpoint, &config)
}
