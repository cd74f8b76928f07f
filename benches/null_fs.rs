//! A filesystem that does nothing: one directory with the names and sizes of a list, and zeros as content. What the
//! kernel and `fuser` cost without any decoding, for `scripts/bench` to compare with.
//!
//! `null_fs LIST MOUNTPOINT [BYTES]`, where each line of LIST is a size, a tab and a name; ends when it is unmounted. With
//! BYTES each open is answered, and files of so many bytes and more go past the kernel's page cache, for comparison: without,
//! the kernel opens files alone.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    AccessFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, InitFlags, KernelConfig, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData,
    ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyXattr, Request,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const GENERATION: Generation = Generation(0);
/// Inode of the first file; 1 is the root.
const FIRST_FILE: u64 = 2;
/// Largest read of the kernel.
static ZEROS: [u8; 1 << 20] = [0; 1 << 20];

struct NullFs {
    files: Vec<(String, u64)>,
    by_name: HashMap<String, usize>,
    /// Bytes from which on a file goes past the page cache; None if opens are not answered.
    direct_from: Option<u64>,
}

impl NullFs {
    fn attributes(&self, ino: u64) -> Option<FileAttr> {
        let (kind, size) = match ino {
            1 => (FileType::Directory, 0),
            _ => {
                let index = usize::try_from(ino.checked_sub(FIRST_FILE)?).ok()?;
                (FileType::RegularFile, self.files.get(index)?.1)
            }
        };
        Some(FileAttr {
            ino: INodeNo(ino),
            size,
            blocks: size.div_ceil(512),
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm: if ino == 1 { 0o500 } else { 0o400 },
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }

    /// Calls `add(cookie, ino, name)` for the entries from `offset` on until it says that its buffer is full.
    fn list(&self, offset: u64, mut add: impl FnMut(u64, u64, &str) -> bool) {
        let files = self.files.iter().enumerate();
        let files = files.map(|(index, (name, _))| (FIRST_FILE + index as u64, name.as_str()));
        let entries = [(1, "."), (1, "..")].into_iter().chain(files);
        for (position, (ino, name)) in entries.enumerate().skip(offset as usize) {
            if add(position as u64 + 1, ino, name) {
                return;
            }
        }
    }
}

impl Filesystem for NullFs {
    fn init(&mut self, _: &Request, kernel: &mut KernelConfig) -> io::Result<()> {
        let open = match self.direct_from {
            Some(_) => InitFlags::FUSE_DIRECT_IO_ALLOW_MMAP,
            None => InitFlags::FUSE_NO_OPEN_SUPPORT,
        };
        let wanted = InitFlags::FUSE_DO_READDIRPLUS
            | InitFlags::FUSE_READDIRPLUS_AUTO
            | InitFlags::FUSE_PARALLEL_DIROPS
            | InitFlags::FUSE_NO_OPENDIR_SUPPORT
            | open;
        kernel.add_capabilities(wanted & kernel.capabilities()).ok();
        kernel.set_max_background(64).ok();
        Ok(())
    }

    fn lookup(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = name.to_str().and_then(|name| self.by_name.get(name));
        match found.and_then(|index| self.attributes(FIRST_FILE + *index as u64)) {
            Some(attributes) => reply.entry(&DAY, &attributes, GENERATION),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(ino.0) {
            Some(attributes) => reply.attr(&DAY, &attributes),
            None => reply.error(Errno::ENOENT),
        }
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
        let left = self
            .attributes(ino.0)
            .map_or(0, |attributes| attributes.size.saturating_sub(offset));
        let count = (size as usize)
            .min(ZEROS.len())
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        reply.data(&ZEROS[..count]);
    }

    fn readdir(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        self.list(offset, |cookie, ino, name| {
            let kind = match ino {
                1 => FileType::Directory,
                _ => FileType::RegularFile,
            };
            reply.add(INodeNo(ino), cookie, kind, name)
        });
        reply.ok();
    }

    fn readdirplus(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        self.list(offset, |cookie, ino, name| {
            self.attributes(ino).is_none_or(|attributes| {
                reply.add(INodeNo(ino), cookie, name, &DAY, &attributes, GENERATION)
            })
        });
        reply.ok();
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let size = self
            .attributes(ino.0)
            .map_or(0, |attributes| attributes.size);
        match self.direct_from {
            Some(least) if size >= least => {
                reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
            }
            Some(_) => reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE),
            None => reply.error(Errno::ENOSYS),
        }
    }

    fn opendir(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.error(Errno::ENOSYS);
    }

    fn access(&self, _: &Request, _: INodeNo, _: AccessFlags, reply: ReplyEmpty) {
        reply.error(Errno::ENOSYS);
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.error(Errno::ENOSYS);
    }

    fn getxattr(&self, _: &Request, _: INodeNo, _: &OsStr, _: u32, reply: ReplyXattr) {
        reply.error(Errno::ENOSYS);
    }

    fn listxattr(&self, _: &Request, _: INodeNo, _: u32, reply: ReplyXattr) {
        reply.error(Errno::ENOSYS);
    }
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(list), Some(mountpoint)) = (arguments.next(), arguments.next()) else {
        return Err(io::Error::other("usage: null_fs LIST MOUNTPOINT [BYTES]"));
    };
    let direct_from = arguments
        .next()
        .and_then(|bytes| bytes.to_str()?.parse().ok());
    let mut files = Vec::new();
    let mut by_name = HashMap::new();
    for line in std::fs::read_to_string(list)?.lines() {
        let (size, name) = line.split_once('\t').unwrap_or(("0", line));
        by_name.insert(name.to_owned(), files.len());
        files.push((name.to_owned(), size.parse().map_err(io::Error::other)?));
    }
    let mut config = Config::default();
    config.mount_options = vec![MountOption::RO, MountOption::FSName("null_fs".to_owned())];
    // As many threads as ostfs has on the same machine.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    config.n_threads = Some(cores.clamp(2, 8));
    let filesystem = NullFs {
        files,
        by_name,
        direct_from,
    };
    fuser::mount(filesystem, mountpoint, &config)
}
