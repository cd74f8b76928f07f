//! A disk to write to, of which one step fails by its number, or all from that on. All else goes to a directory below.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem,
    FopenFlags, Generation, INodeNo, LockOwner, OpenAccMode, OpenFlags, RenameFlags, ReplyAttr,
    ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs,
    ReplyWrite, Request, Session, TimeOrNow, WriteFlags,
};
use parking_lot::Mutex;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, renameat_with, utimensat};
use tempfile::TempDir;

/// What a program does to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Create,
    Write,
    /// Size, times, permissions.
    Attributes,
    Directory,
    Link,
    Rename,
    Remove,
    /// fsync of a file or a directory.
    Sync,
}

impl Step {
    pub const ALL: [Step; 8] = [
        Step::Create,
        Step::Write,
        Step::Attributes,
        Step::Directory,
        Step::Link,
        Step::Rename,
        Step::Remove,
        Step::Sync,
    ];
}

/// Which step fails.
#[derive(Debug, Clone, Copy)]
pub struct Failing {
    pub step: Step,
    /// How many of the kind go well before.
    pub after: u64,
    pub error: Errno,
    /// All of the kind that follow fail as well.
    pub lasts: bool,
}

/// The disk, mounted; unmounted when dropped.
pub struct Target {
    /// Where it is.
    pub path: PathBuf,
    state: Arc<Mutex<State>>,
    _session: BackgroundSession,
    _directories: [TempDir; 2],
}

#[derive(Default)]
struct State {
    failing: Option<Failing>,
    counts: HashMap<Step, u64>,
    /// The number of what is below, by its number there.
    numbers: HashMap<u64, u64>,
    paths: HashMap<u64, PathBuf>,
    files: HashMap<u64, Arc<File>>,
    /// The last number of a file, directory or handle.
    last: u64,
}

impl State {
    /// One that nothing had before.
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The number of what `metadata` is about. What is removed takes its number with it, as the kernel takes what has the number of
    /// a removed directory for that, in which nothing can be made; the directory below gives numbers again at once.
    fn number(&mut self, metadata: &fs::Metadata) -> u64 {
        match self.numbers.get(&metadata.ino()) {
            Some(number) => *number,
            None => {
                let number = self.next();
                self.numbers.insert(metadata.ino(), number);
                number
            }
        }
    }
}

impl Target {
    /// A healthy disk with nothing on it.
    pub fn new() -> Target {
        let directories = [TempDir::new().unwrap(), TempDir::new().unwrap()];
        let [below, above] = directories.each_ref().map(TempDir::path);
        let mut state = State::default();
        let root = state.number(&below.metadata().unwrap());
        assert_eq!(root, INodeNo::ROOT.0);
        state.paths.insert(root, below.to_path_buf());
        let state = Arc::new(Mutex::new(state));
        let filesystem = Passing {
            state: Arc::clone(&state),
        };
        let mut config = Config::default();
        config.n_threads = Some(2);
        let session = Session::new(filesystem, above, &config).unwrap();
        Target {
            path: above.to_path_buf(),
            state,
            _session: session.spawn().unwrap(),
            _directories: directories,
        }
    }

    /// Begins to count anew; what is told fails.
    pub fn set(&self, failing: Option<Failing>) {
        let mut state = self.state.lock();
        state.failing = failing;
        state.counts.clear();
    }

    /// How often `step` was done since.
    pub fn count(&self, step: Step) -> u64 {
        self.state.lock().counts.get(&step).copied().unwrap_or(0)
    }
}

const TTL: Duration = Duration::ZERO;
/// Blocks of the disk, all of them free, and bytes of one.
const BLOCKS: u64 = 1 << 30;
const BLOCK: u32 = 4096;
const LONGEST_NAME: u32 = 255;

struct Passing {
    state: Arc<Mutex<State>>,
}

type Done<T> = Result<T, Errno>;

impl Passing {
    /// Counts a step, and fails if it is to.
    fn step(&self, step: Step) -> Done<()> {
        let mut state = self.state.lock();
        let count = state.counts.entry(step).or_default();
        let before = *count;
        *count += 1;
        match state.failing.filter(|failing| failing.step == step) {
            Some(failing) if before == failing.after || failing.lasts && before > failing.after => {
                Err(failing.error)
            }
            _ => Ok(()),
        }
    }

    fn path(&self, ino: INodeNo) -> Done<PathBuf> {
        self.state
            .lock()
            .paths
            .get(&ino.0)
            .cloned()
            .ok_or(Errno::ENOENT)
    }

    fn child(&self, parent: INodeNo, name: &OsStr) -> Done<PathBuf> {
        Ok(self.path(parent)?.join(name))
    }

    fn file(&self, handle: FileHandle) -> Done<Arc<File>> {
        self.state
            .lock()
            .files
            .get(&handle.0)
            .cloned()
            .ok_or(Errno::EBADF)
    }

    /// What is at `path`, under its number.
    fn known(&self, path: &Path) -> Done<FileAttr> {
        let metadata = path.symlink_metadata()?;
        let mut state = self.state.lock();
        let ino = state.number(&metadata);
        state.paths.insert(ino, path.to_path_buf());
        Ok(attributes(INodeNo(ino), &metadata))
    }

    /// Removes what is at `path`, and its number with it.
    fn remove(&self, path: &Path, remove: fn(&Path) -> io::Result<()>) -> Done<()> {
        self.step(Step::Remove)?;
        let below = path.symlink_metadata()?.ino();
        remove(path)?;
        self.state.lock().numbers.remove(&below);
        Ok(())
    }

    fn opened(&self, file: File) -> FileHandle {
        let mut state = self.state.lock();
        let handle = state.next();
        state.files.insert(handle, Arc::new(file));
        FileHandle(handle)
    }

    fn create(&self, path: &Path, mode: u32, flags: i32) -> Done<(FileAttr, FileHandle)> {
        self.step(Step::Create)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(mode);
        let file = match flags & libc::O_EXCL != 0 {
            true => options.create_new(true).open(path)?,
            false => options
                .create(true)
                .truncate(flags & libc::O_TRUNC != 0)
                .open(path)?,
        };
        Ok((self.known(path)?, self.opened(file)))
    }

    fn set(
        &self,
        path: &Path,
        mode: Option<u32>,
        size: Option<u64>,
        times: &Timestamps,
    ) -> Done<FileAttr> {
        self.step(Step::Attributes)?;
        if let Some(mode) = mode {
            fs::set_permissions(path, Permissions::from_mode(mode))?;
        }
        if let Some(size) = size {
            OpenOptions::new().write(true).open(path)?.set_len(size)?;
        }
        utimensat(CWD, path, times, AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from)?;
        self.known(path)
    }

    fn rename(&self, from: &Path, to: &Path, flags: RenameFlags) -> Done<()> {
        self.step(Step::Rename)?;
        let flags = rustix::fs::RenameFlags::from_bits_retain(flags.bits());
        let replaced = to.symlink_metadata().ok();
        renameat_with(CWD, from, CWD, to, flags).map_err(io::Error::from)?;
        if let Some(replaced) = replaced {
            self.state.lock().numbers.remove(&replaced.ino());
        }
        self.known(to).map(drop)
    }

    fn entries(&self, ino: INodeNo) -> Done<Vec<(INodeNo, FileType, std::ffi::OsString)>> {
        let path = self.path(ino)?;
        let mut entries = vec![
            (ino, FileType::Directory, ".".into()),
            (ino, FileType::Directory, "..".into()),
        ];
        for entry in fs::read_dir(&path)? {
            let entry = entry?;
            let attributes = self.known(&entry.path())?;
            entries.push((attributes.ino, attributes.kind, entry.file_name()));
        }
        Ok(entries)
    }
}

fn attributes(ino: INodeNo, metadata: &fs::Metadata) -> FileAttr {
    let kind = metadata.file_type();
    let time = |seconds: i64, nanoseconds: i64| match u64::try_from(seconds) {
        Ok(seconds) => UNIX_EPOCH + Duration::new(seconds, nanoseconds as u32),
        Err(_) => {
            UNIX_EPOCH - Duration::from_secs(seconds.unsigned_abs())
                + Duration::from_nanos(nanoseconds as u64)
        }
    };
    FileAttr {
        ino,
        size: metadata.size(),
        blocks: metadata.blocks(),
        atime: time(metadata.atime(), metadata.atime_nsec()),
        mtime: time(metadata.mtime(), metadata.mtime_nsec()),
        ctime: time(metadata.ctime(), metadata.ctime_nsec()),
        crtime: UNIX_EPOCH,
        kind: match () {
            () if kind.is_dir() => FileType::Directory,
            () if kind.is_symlink() => FileType::Symlink,
            () => FileType::RegularFile,
        },
        perm: (metadata.mode() & 0o7777) as u16,
        nlink: metadata.nlink() as u32,
        uid: metadata.uid(),
        gid: metadata.gid(),
        rdev: 0,
        flags: 0,
        blksize: BLOCK,
    }
}

fn timespec(time: Option<TimeOrNow>) -> Timespec {
    let time = match time {
        None => {
            return Timespec {
                tv_sec: 0,
                tv_nsec: UTIME_OMIT,
            };
        }
        Some(TimeOrNow::Now) => SystemTime::now(),
        Some(TimeOrNow::SpecificTime(time)) => time,
    };
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => Timespec {
            tv_sec: after.as_secs() as i64,
            tv_nsec: after.subsec_nanos().into(),
        },
        Err(before) => {
            let before = before.duration().as_nanos() as i64;
            const SECOND: i64 = 1_000_000_000;
            Timespec {
                tv_sec: (-before).div_euclid(SECOND),
                tv_nsec: (-before).rem_euclid(SECOND),
            }
        }
    }
}

/// Answers with what was done, or with its error.
macro_rules! answer {
    ($reply:ident, $done:expr, $value:pat => $say:expr) => {
        match $done {
            Ok($value) => $say,
            Err(error) => $reply.error(error),
        }
    };
}

impl Filesystem for Passing {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.child(parent, name).and_then(|path| self.known(&path));
        answer!(reply, found, attributes => reply.entry(&TTL, &attributes, Generation(0)));
    }

    fn getattr(&self, _: &Request, ino: INodeNo, handle: Option<FileHandle>, reply: ReplyAttr) {
        // A file that was removed is known by its handle alone.
        let open = handle.and_then(|handle| self.file(handle).ok());
        let found = match open {
            Some(file) => file.metadata().map_err(Errno::from),
            None => self.path(ino).and_then(|path| Ok(path.symlink_metadata()?)),
        };
        let attributes = found.map(|metadata| attributes(ino, &metadata));
        answer!(reply, attributes, attributes => reply.attr(&TTL, &attributes));
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        accessed: Option<TimeOrNow>,
        modified: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let times = Timestamps {
            last_access: timespec(accessed),
            last_modification: timespec(modified),
        };
        let set = self
            .path(ino)
            .and_then(|path| self.set(&path, mode, size, &times));
        answer!(reply, set, attributes => reply.attr(&TTL, &FileAttr { ino, ..attributes }));
    }

    fn readlink(&self, _: &Request, ino: INodeNo, reply: ReplyData) {
        let target = self.path(ino).and_then(|path| Ok(fs::read_link(path)?));
        answer!(reply, target, target => reply.data(target.as_os_str().as_encoded_bytes()));
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, reply: ReplyEntry) {
        let made = self.step(Step::Directory).and_then(|()| {
            let path = self.child(parent, name)?;
            fs::create_dir(&path)?;
            self.known(&path)
        });
        answer!(reply, made, attributes => reply.entry(&TTL, &attributes, Generation(0)));
    }

    fn symlink(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        target: &Path,
        reply: ReplyEntry,
    ) {
        let made = self.step(Step::Link).and_then(|()| {
            let path = self.child(parent, name)?;
            symlink(target, &path)?;
            self.known(&path)
        });
        answer!(reply, made, attributes => reply.entry(&TTL, &attributes, Generation(0)));
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let path = self.child(parent, name);
        let removed = path.and_then(|path| self.remove(&path, |path| fs::remove_file(path)));
        answer!(reply, removed, () => reply.ok());
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let path = self.child(parent, name);
        let removed = path.and_then(|path| self.remove(&path, |path| fs::remove_dir(path)));
        answer!(reply, removed, () => reply.ok());
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let from = self.child(parent, name);
        let to = self.child(new_parent, new_name);
        let renamed = from.and_then(|from| self.rename(&from, &to?, flags));
        answer!(reply, renamed, () => reply.ok());
    }

    fn open(&self, _: &Request, ino: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        let writes = flags.acc_mode() != OpenAccMode::O_RDONLY;
        let open = |path| OpenOptions::new().read(true).write(writes).open(path);
        let opened = self.path(ino).and_then(|path| Ok(self.opened(open(path)?)));
        answer!(reply, opened, handle => reply.opened(handle, FopenFlags::FOPEN_DIRECT_IO));
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        flags: i32,
        reply: ReplyCreate,
    ) {
        let path = self.child(parent, name);
        let created = path.and_then(|path| self.create(&path, mode & !umask, flags));
        answer!(reply, created, (attributes, handle) => {
            reply.created(&TTL, &attributes, Generation(0), handle, FopenFlags::FOPEN_DIRECT_IO)
        });
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let mut bytes = vec![0; size as usize];
        let read = self
            .file(handle)
            .and_then(|file| Ok(file.read_at(&mut bytes, offset)?));
        answer!(reply, read, count => reply.data(&bytes[..count]));
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = self
            .step(Step::Write)
            .and_then(|()| Ok(self.file(handle)?.write_all_at(data, offset)?));
        answer!(reply, written, () => reply.written(data.len() as u32));
    }

    fn release(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.state.lock().files.remove(&handle.0);
        reply.ok();
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer!(reply, self.step(Step::Sync), () => reply.ok());
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer!(reply, self.step(Step::Sync), () => reply.ok());
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let entries = match self.entries(ino) {
            Ok(entries) => entries,
            Err(error) => return reply.error(error),
        };
        for (number, (ino, kind, name)) in (1..).zip(entries).skip(offset as usize) {
            if reply.add(ino, number, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(
            BLOCKS,
            BLOCKS,
            BLOCKS,
            BLOCKS,
            BLOCKS,
            BLOCK,
            LONGEST_NAME,
            BLOCK,
        );
    }
}
