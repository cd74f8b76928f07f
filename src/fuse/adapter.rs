//! Kernel requests answered from the trees.
//!
//! The file never changes: everything the kernel learns it may keep for a day, so most requests never get here.
//!
//! Little is worked out that nobody asks for. The kernel wants attributes with the first part of every listing, whoever
//! reads it. Only those at hand and the first eight are given; the others are asked for by name if a program wants
//! them, and if it wants those of the eight, the kernel asks for the rest. Every size that the kernel was ever given
//! stays at hand, since a wrong one would cut its page cache short.
//!
//! `.ostfs/problems.txt` grows as problems are met, so it alone has no time-out in the kernel's cache.
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fuser::{
    AccessFlags, Errno, FileAttr, FileHandle, Filesystem, Generation, INodeNo, InitFlags,
    IoctlFlags, KernelConfig, LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyDirectory,
    ReplyDirectoryPlus, ReplyEmpty, ReplyEntry, ReplyIoctl, ReplyLseek, ReplyOpen, ReplyStatfs,
    ReplyXattr, Request,
};

use super::activity::Activity;
use super::ahead::Ahead;
use super::behaviour::Behaviour;
use super::errno::errno;
use super::ownership::{BLOCK, Ownership, file_type};
use super::panics;
use crate::error::Result;
use crate::tree::{Attr, Depth, Forest, Ino, Kind, XATTR_PREFIX};

/// The errno of getxattr(2) for an attribute that a file does not have.
const NO_SUCH_XATTR: Errno = Errno::ENODATA;
/// Inode numbers are never given to anything else, so one generation does.
const GENERATION: Generation = Generation(0);
/// Longest file name, in bytes.
const NAME_MAX: u32 = 255;
/// Read-ahead requests that may wait; the kernel's default is 12.
const MAX_BACKGROUND: u16 = 64;
/// Entries of the beginning of a directory whose attributes are worked out as it is listed. The kernel always asks for
/// attributes there, and goes on asking only if someone looks at them: if at these, the rest comes as well.
const EAGER_ENTRIES: usize = 8;

/// The filesystem that `fuser` calls, from several threads at once.
#[derive(Debug)]
pub(super) struct Adapter {
    /// There from the first request on.
    forest: Arc<OnceLock<Forest>>,
    ahead: Arc<Ahead>,
    ownership: Ownership,
    /// Names under which another file is listed than before.
    replaced: Sender<(INodeNo, String)>,
    behaviour: Behaviour,
    activity: Arc<Activity>,
}

/// A name as the log may show it.
struct Name<'a> {
    name: &'a OsStr,
    redact: bool,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.redact {
            true => f.write_str("(name)"),
            false => write!(f, "{:?}", self.name),
        }
    }
}

thread_local! {
    /// Where reads are assembled: one buffer per thread, as large as its largest request (1 MiB at most on Linux).
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Adapter {
    pub(super) fn new(
        forest: Arc<OnceLock<Forest>>,
        ahead: Arc<Ahead>,
        ownership: Ownership,
        replaced: Sender<(INodeNo, String)>,
        behaviour: Behaviour,
        activity: Arc<Activity>,
    ) -> Self {
        Self {
            forest,
            ahead,
            ownership,
            replaced,
            behaviour,
            activity,
        }
    }

    /// Has the kernel forget the name of the file `ino` if a read has shown that another file takes its place.
    fn tell_of_replaced(&self, ino: INodeNo) {
        let Some(forest) = self.forest.get() else {
            return;
        };
        if forest.is_newly_replaced(Ino(ino.0))
            && let Some((directory, name)) = forest.place_of_replaced(Ino(ino.0))
        {
            self.replaced.send((INodeNo(directory.0), name)).ok();
        }
    }

    fn shown<'a>(&self, name: &'a OsStr) -> Name<'a> {
        Name {
            name,
            redact: self.behaviour.redact,
        }
    }

    /// Asks the trees about `ino`; `operation` is what the log calls the request. Every request goes through here: this
    /// is where errors become numbers and panics stop. What is wrong with the file, the tree notes itself.
    fn ask<T>(
        &self,
        operation: fmt::Arguments<'_>,
        ino: Ino,
        request: impl FnOnce(&Forest) -> Result<T>,
    ) -> std::result::Result<T, Errno> {
        self.activity.note();
        let answer = self.answer(ino, request);
        match &answer {
            Ok(_) => log::debug!("{operation} {:#x}", ino.0),
            Err(errno) => {
                let error = io::Error::from_raw_os_error(errno.code());
                log::debug!("{operation} {:#x}: {error}", ino.0);
            }
        }
        answer
    }

    fn answer<T>(
        &self,
        ino: Ino,
        request: impl FnOnce(&Forest) -> Result<T>,
    ) -> std::result::Result<T, Errno> {
        let forest = self.forest.get().ok_or(Errno::EIO)?;
        match panics::catch(|| request(forest)) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(errno(&error)),
            Err(panic) => {
                forest.note(ino, &format_args!("internal error: {panic}"));
                Err(Errno::EIO)
            }
        }
    }

    /// Tells those who work ahead that attributes of `directory` are listed from entry `first` on, and has what the next ones
    /// depend on read ahead from the disk. What fails there is asked for again, and fails there.
    fn read_ahead(&self, directory: Ino, first: usize) {
        let Some(entries) = self.ahead.listed(directory, first) else {
            return;
        };
        let read = |forest: &Forest| {
            let Ok(listing) = forest.directory_from(directory, first) else {
                return;
            };
            let entries = entries.map_while(|index| listing.entry(index));
            let files: Vec<Ino> = entries.map(|entry| entry.ino).collect();
            forest.read_ahead(&files, Depth::Sizes);
        };
        if let Some(forest) = self.forest.get() {
            panics::catch(|| read(forest)).ok();
        }
    }

    /// How long the kernel may keep what it learns of a name.
    fn time_to_live(&self, attr: &Attr) -> Duration {
        match attr.changing {
            true => Duration::ZERO,
            false => self.behaviour.keep,
        }
    }

    /// What `readdirplus` returns of an entry, and for how long that holds. "." and ".." are not looked at by the
    /// kernel; an entry that cannot be read is listed all the same and fails when it is asked for by name. One that is
    /// no work for now (`effort` is 0) is asked for by name as well, if anyone wants it.
    fn listed(&self, ino: Ino, kind: Kind, name: &str, effort: &mut usize) -> (FileAttr, Duration) {
        let attr = match name {
            "." | ".." => None,
            _ => self
                .ask(format_args!("attributes"), ino, |forest| {
                    if !forest.is_attr_at_hand(ino) {
                        let Some(left) = effort.checked_sub(1) else {
                            return Ok(None);
                        };
                        *effort = left;
                    }
                    forest.attr(ino).map(Some)
                })
                .ok()
                .flatten(),
        };
        attr.map_or_else(
            || {
                let attributes = self.ownership.without_size(ino, kind);
                (attributes, Duration::ZERO)
            },
            |attr| (self.ownership.attributes(&attr), self.time_to_live(&attr)),
        )
    }

    /// Calls `add(cookie, ino, kind, name)` for the entries of the directory `ino`, "." and ".." first, from the one that
    /// `offset` stands for on, until `add` reports that its buffer is full. A cookie is the position of the next entry.
    fn list(
        &self,
        operation: fmt::Arguments<'_>,
        ino: Ino,
        offset: u64,
        mut add: impl FnMut(u64, Ino, Kind, &str) -> bool,
    ) -> std::result::Result<(), Errno> {
        // Before the entries are "." and "..".
        let first = usize::try_from(offset.saturating_sub(2)).unwrap_or(usize::MAX);
        let directory = self.ask(operation, ino, |forest| forest.directory_from(ino, first))?;
        for position in offset..u64::MAX {
            let (ino, kind, name) = match position {
                0 => (ino, Kind::Directory, Cow::Borrowed(".")),
                1 => (directory.parent(), Kind::Directory, Cow::Borrowed("..")),
                _ => match usize::try_from(position - 2)
                    .ok()
                    .and_then(|index| directory.entry(index))
                {
                    Some(entry) => (entry.ino, entry.kind, entry.name),
                    None => break,
                },
            };
            if add(position + 1, ino, kind, &name) {
                break;
            }
        }
        Ok(())
    }
}

/// Answers with `value`, or with its length if that is what a `size` of 0 asks for.
fn reply_xattr(value: &[u8], size: u32, reply: ReplyXattr) {
    match u32::try_from(value.len()) {
        Ok(length) if size == 0 => reply.size(length),
        Ok(length) if length <= size => reply.data(value),
        _ => reply.error(Errno::ERANGE),
    }
}

impl Filesystem for Adapter {
    fn init(&mut self, _: &Request, kernel: &mut KernelConfig) -> io::Result<()> {
        let wanted = InitFlags::FUSE_DO_READDIRPLUS
            | InitFlags::FUSE_READDIRPLUS_AUTO
            | InitFlags::FUSE_PARALLEL_DIROPS
            | InitFlags::FUSE_CACHE_SYMLINKS
            | InitFlags::FUSE_NO_OPEN_SUPPORT
            | InitFlags::FUSE_NO_OPENDIR_SUPPORT;
        // All or nothing, so ask only for what this kernel has; each of them is a matter of speed alone.
        let available = wanted & kernel.capabilities();
        if kernel.add_capabilities(available).is_err()
            || kernel.set_max_background(MAX_BACKGROUND).is_err()
        {
            log::debug!("the kernel did not take {available:?}");
        }
        Ok(())
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let parent = Ino(parent.0);
        let shown = self.shown(name);
        let operation = format_args!("lookup {shown} in");
        let found = self.ask(operation, parent, |forest| {
            let Some(ino) = forest.lookup(parent, name)? else {
                return Ok(None);
            };
            let at_hand = forest.is_attr_at_hand(ino);
            let attr = forest.attr(ino)?;
            if attr.kind == Kind::File {
                self.ahead.looked_up(parent, at_hand);
            }
            Ok(Some(attr))
        });
        match found {
            Ok(Some(attr)) => reply.entry(
                &self.time_to_live(&attr),
                &self.ownership.attributes(&attr),
                GENERATION,
            ),
            // Inode 0 is "no such name", and the kernel remembers it.
            Ok(None) => reply.entry(
                &self.behaviour.keep,
                &self.ownership.bare_attributes(Ino(0), Kind::File),
                GENERATION,
            ),
            Err(errno) => reply.error(errno),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.ask(format_args!("getattr"), Ino(ino.0), |forest| {
            forest.attr(Ino(ino.0))
        }) {
            Ok(attr) => reply.attr(&self.time_to_live(&attr), &self.ownership.attributes(&attr)),
            Err(errno) => reply.error(errno),
        }
    }

    fn readlink(&self, _: &Request, ino: INodeNo, reply: ReplyData) {
        match self.ask(format_args!("readlink"), Ino(ino.0), |forest| {
            forest.read_link(Ino(ino.0))
        }) {
            Ok(target) => reply.data(target.as_bytes()),
            Err(errno) => reply.error(errno),
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
        let size = size as usize;
        if let Some(ready) = self.ahead.read(Ino(ino.0), offset, size) {
            // A request like every other, for the log and for who waits until there are none.
            let operation = format_args!("read {size} bytes at {offset} of");
            self.ask(operation, Ino(ino.0), |_| Ok(())).ok();
            reply.data(ready.bytes());
            return self.tell_of_replaced(ino);
        }
        BUFFER.with_borrow_mut(|buffer| {
            buffer.resize(size.max(buffer.len()), 0);
            let wanted = buffer.get_mut(..size).unwrap_or_default();
            let operation = format_args!("read {size} bytes at {offset} of");
            match self.ask(operation, Ino(ino.0), |forest| {
                forest.read_at(Ino(ino.0), offset, wanted)
            }) {
                Ok(read) => reply.data(buffer.get(..read.min(size)).unwrap_or_default()),
                Err(errno) => reply.error(errno),
            }
        });
        self.tell_of_replaced(ino);
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let add = |cookie, ino: Ino, kind, name: &str| {
            reply.add(INodeNo(ino.0), cookie, file_type(kind), name)
        };
        match self.list(format_args!("readdir"), Ino(ino.0), offset, add) {
            Ok(()) => reply.ok(),
            Err(errno) => reply.error(errno),
        }
    }

    fn readdirplus(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        let mut effort = match offset {
            0 => EAGER_ENTRIES,
            _ => {
                let first = usize::try_from(offset).unwrap_or(usize::MAX);
                self.read_ahead(Ino(ino.0), first);
                usize::MAX
            }
        };
        let add = |cookie, ino, kind, name: &str| {
            let (attributes, ttl) = self.listed(ino, kind, name, &mut effort);
            reply.add(attributes.ino, cookie, name, &ttl, &attributes, GENERATION)
        };
        match self.list(format_args!("readdirplus"), Ino(ino.0), offset, add) {
            Ok(()) => reply.ok(),
            Err(errno) => reply.error(errno),
        }
    }

    fn getxattr(&self, _: &Request, ino: INodeNo, name: &OsStr, size: u32, reply: ReplyXattr) {
        if !self.behaviour.xattr {
            return reply.error(Errno::ENOSYS);
        }
        // Programs ask for security labels and access lists of every file that they list.
        let Some(name) = name.to_str().filter(|name| name.starts_with(XATTR_PREFIX)) else {
            return reply.error(NO_SUCH_XATTR);
        };
        let operation = format_args!("getxattr {name} of");
        match self.ask(operation, Ino(ino.0), |forest| forest.xattrs(Ino(ino.0))) {
            Ok(xattrs) => match xattrs.iter().find(|(own, _)| *own == name) {
                Some((_, value)) => reply_xattr(value.as_bytes(), size, reply),
                None => reply.error(NO_SUCH_XATTR),
            },
            Err(errno) => reply.error(errno),
        }
    }

    fn listxattr(&self, _: &Request, ino: INodeNo, size: u32, reply: ReplyXattr) {
        if !self.behaviour.xattr {
            return reply.error(Errno::ENOSYS);
        }
        let operation = format_args!("listxattr");
        match self.ask(operation, Ino(ino.0), |forest| forest.xattrs(Ino(ino.0))) {
            Ok(xattrs) => {
                let names: String = xattrs.iter().map(|(name, _)| format!("{name}\0")).collect();
                reply_xattr(names.as_bytes(), size, reply);
            }
            Err(errno) => reply.error(errno),
        }
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        // Not a use: desktops ask for the figures of every mount again and again.
        match self.answer(Ino::ROOT, |forest| Ok(forest.statistics())) {
            Ok(figures) => {
                let blocks = figures.bytes.div_ceil(u64::from(BLOCK));
                reply.statfs(blocks, 0, 0, figures.files, 0, BLOCK, NAME_MAX, BLOCK);
            }
            Err(errno) => reply.error(errno),
        }
    }

    // What follows is refused once: the kernel takes ENOSYS as "never ask again", and as success for `open`,
    // `opendir`, `access` and `flush`. Open files need no state of ours. The defaults of `fuser` would log or differ.

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.error(Errno::ENOSYS);
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

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        reply.error(Errno::ENOSYS);
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        reply.error(Errno::ENOSYS);
    }

    fn lseek(&self, _: &Request, _: INodeNo, _: FileHandle, _: i64, _: i32, reply: ReplyLseek) {
        reply.error(Errno::ENOSYS);
    }

    fn ioctl(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: IoctlFlags,
        _: u32,
        _: &[u8],
        _: u32,
        reply: ReplyIoctl,
    ) {
        reply.error(Errno::ENOSYS);
    }
}
