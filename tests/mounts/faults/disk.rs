//! A filesystem with one file on a disk that fails as it is told to.

use std::ffi::OsStr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyEntry, ReplyOpen,
    Request, Session,
};
use parking_lot::RwLock;
use tempfile::TempDir;

/// What the disk does at the moment.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Reads that touch these bytes fail with EIO.
    pub bad: Option<Range<u64>>,
    /// So many reads of a thousand fail with EIO, some at a time, wherever they are.
    pub failing: u64,
    /// Reads return at most so many bytes.
    pub short: Option<usize>,
    /// Every second read is interrupted by a signal.
    pub interrupted: bool,
    /// How long each read takes.
    pub slow: Duration,
    /// What becomes of one read, by its number since the disk is there.
    pub one: Option<(u64, Fault)>,
}

/// What becomes of a single read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// EIO.
    Fails,
    /// Half of the bytes.
    Short,
    /// No byte, as if the file ended there.
    Empty,
    /// All bytes, late.
    Slow,
}

/// The disk, mounted; unmounted when dropped.
pub struct Disk {
    /// The file on it.
    pub file: PathBuf,
    faults: Arc<RwLock<Faults>>,
    reads: Arc<AtomicU64>,
    jumps: Arc<AtomicU64>,
    _session: BackgroundSession,
    _directory: TempDir,
}

impl Disk {
    /// A healthy disk with a copy of `file`, of which the kernel keeps nothing.
    pub fn with(file: &Path) -> Disk {
        Disk::new(file, FopenFlags::FOPEN_DIRECT_IO)
    }

    /// The same, of which the kernel keeps what it read until the file is opened again, as of other disks.
    pub fn cached(file: &Path) -> Disk {
        Disk::new(file, FopenFlags::empty())
    }

    fn new(file: &Path, flags: FopenFlags) -> Disk {
        let directory = TempDir::new().unwrap();
        let faults = Arc::new(RwLock::default());
        let [reads, jumps] = [Arc::default(), Arc::default()];
        let filesystem = OneFile {
            content: std::fs::read(file).unwrap(),
            faults: Arc::clone(&faults),
            reads: Arc::clone(&reads),
            jumps: Arc::clone(&jumps),
            position: AtomicU64::new(0),
            flags,
        };
        let mut config = Config::default();
        config.n_threads = Some(4);
        let session = Session::new(filesystem, directory.path(), &config).unwrap();
        Disk {
            file: directory.path().join(NAME),
            faults,
            reads,
            jumps,
            _session: session.spawn().unwrap(),
            _directory: directory,
        }
    }

    pub fn set(&self, faults: Faults) {
        *self.faults.write() = faults;
    }

    /// Reads of the disk so far.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Those of them that began more than [`NEAR`] from where the one before ended.
    pub fn jumps(&self) -> u64 {
        self.jumps.load(Ordering::Relaxed)
    }

    pub fn heal(&self) {
        self.set(Faults::default());
    }
}

const NAME: &str = "store.pst";
const FILE: INodeNo = INodeNo(2);
/// Reads that fail one after the other.
const RUN: u64 = 16;
/// How long a read takes that is slow by its number.
const LATE: Duration = Duration::from_millis(5);
/// Bytes that are near: several reads at once come in any order.
const NEAR: u64 = 1 << 20;
const TTL: Duration = Duration::from_secs(1);

struct OneFile {
    content: Vec<u8>,
    faults: Arc<RwLock<Faults>>,
    reads: Arc<AtomicU64>,
    jumps: Arc<AtomicU64>,
    /// Where the last read ended.
    position: AtomicU64,
    flags: FopenFlags,
}

impl OneFile {
    fn attributes(&self, ino: INodeNo) -> FileAttr {
        let is_file = ino == FILE;
        FileAttr {
            ino,
            size: if is_file {
                self.content.len() as u64
            } else {
                0
            },
            blocks: 1,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind: if is_file {
                FileType::RegularFile
            } else {
                FileType::Directory
            },
            perm: if is_file { 0o444 } else { 0o555 },
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            flags: 0,
            blksize: 4096,
        }
    }
}

impl Filesystem for OneFile {
    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        if name == NAME {
            reply.entry(&TTL, &self.attributes(FILE), Generation(0));
        } else {
            reply.error(Errno::ENOENT);
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&TTL, &self.attributes(ino));
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        // Without its cache, short reads and errors reach the reader as they are.
        reply.opened(FileHandle(0), self.flags);
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let faults = self.faults.read().clone();
        let number = self.reads.fetch_add(1, Ordering::Relaxed);
        let position = self
            .position
            .swap(offset + u64::from(size), Ordering::Relaxed);
        let is_jump = position.abs_diff(offset) > NEAR;
        self.jumps.fetch_add(u64::from(is_jump), Ordering::Relaxed);
        let fault = faults.one.filter(|(one, _)| *one == number);
        let fault = fault.map(|(_, fault)| fault);
        thread::sleep(match fault {
            Some(Fault::Slow) => LATE,
            _ => faults.slow,
        });
        if fault == Some(Fault::Fails) {
            return reply.error(Errno::EIO);
        }
        let end = offset + u64::from(size);
        let touches = |bad: &Range<u64>| bad.start < end && offset < bad.end;
        // Scattered by the golden ratio: no pattern of reads meets it. In runs, as the kernel asks again at once.
        let draw = (number / RUN).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        if faults.bad.as_ref().is_some_and(touches) || draw % 1000 < faults.failing {
            return reply.error(Errno::EIO);
        }
        if faults.interrupted && number.is_multiple_of(2) {
            return reply.error(Errno::EINTR);
        }
        let start = (offset as usize).min(self.content.len());
        let asked = size as usize;
        let length = match fault {
            Some(Fault::Short) => asked / 2,
            Some(Fault::Empty) => 0,
            _ => asked.min(faults.short.unwrap_or(usize::MAX)),
        };
        let rest = &self.content[start..];
        reply.data(&rest[..length.min(rest.len())]);
    }
}
