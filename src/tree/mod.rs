//! The read-only tree: directories, names, attributes and `read_at`, as a plain library.
//!
//! Knows `convert` and `messaging`; knows nothing of FUSE. The mount, `export` and the tests all use it.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use crate::error::{Error, Result};

/// Inode number: derived from node ids alone, so equal on every mount of the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ino(pub u64);

impl Ino {
    /// The root directory; FUSE demands 1.
    pub const ROOT: Ino = Ino(1);
}

/// What kind of directory entry something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Symlink,
}

/// Attributes of an inode; owner and mode belong to the mount, not to the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attr {
    /// Its number.
    pub ino: Ino,
    /// Its kind.
    pub kind: Kind,
    /// Exact size in bytes of a file or link target; 0 for a directory.
    pub size: u64,
    /// Directories: 2 + subdirectories; else 1.
    pub nlink: u32,
    /// Time of the message (delivery, else submit, else creation).
    pub mtime: SystemTime,
    /// Last modification in Outlook.
    pub ctime: SystemTime,
    /// Creation in Outlook.
    pub btime: SystemTime,
}

/// One entry of a [`Directory`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Name, valid UTF-8, never "." or "..", at most 255 bytes, without '/' and NUL.
    pub name: &'a str,
    /// Inode number.
    pub ino: Ino,
    /// Kind.
    pub kind: Kind,
}

/// The names in one directory, in a fixed order.
#[derive(Debug)]
pub struct Directory {
    parent: Ino,
    entries: Vec<(String, Ino, Kind)>,
}

impl Directory {
    /// The directory that holds this one (the root's is the root).
    pub fn parent(&self) -> Ino {
        self.parent
    }
    /// Number of entries, without "." and "..".
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    /// Entry number `index`, or None past the end.
    pub fn entry(&self, index: usize) -> Option<Entry<'_>> {
        self.entries.get(index).map(|(name, ino, kind)| Entry {
            name,
            ino: *ino,
            kind: *kind,
        })
    }
}

/// Where attachments are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attachments {
    /// Inside the `.eml` and in the `.attachments` directory.
    #[default]
    Both,
    /// Only inside the `.eml`.
    Eml,
    /// Only in the `.attachments` directory.
    Dir,
}

/// What the user may choose about the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `-o attachments=both|eml|dir`.
    pub attachments: Attachments,
    /// `-o all`: from the real root, with search folders and hidden items.
    pub all: bool,
    /// `-o cache=SIZE`: bound of all caches together, in bytes.
    pub cache: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            attachments: Attachments::default(),
            all: false,
            cache: 64 << 20,
        }
    }
}

/// Figures for `statfs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Size of the source file in bytes.
    pub bytes: u64,
    /// Items in the file, as far as that is known without a walk.
    pub files: u64,
}

/// An opened Outlook data file as a tree. `Send + Sync`; every call may come from any thread.
#[derive(Debug)]
pub struct Tree {}

impl Tree {
    /// Opens `path`, checks that it is a readable Outlook data file; reads nothing that grows with the file.
    pub fn open(_path: &Path, _options: &Options) -> Result<Self> {
        Err(Error::NotFound)
    }
    /// The inode that `parent` lists under `name`; None when there is none.
    pub fn lookup(&self, _parent: Ino, _name: &OsStr) -> Result<Option<Ino>> {
        Err(Error::NotFound)
    }
    /// Attributes of `ino`; may open the message to learn its size, never reads an attachment.
    pub fn attr(&self, _ino: Ino) -> Result<Attr> {
        Err(Error::NotFound)
    }
    /// The listing of the directory `ino`.
    pub fn directory(&self, _ino: Ino) -> Result<Arc<Directory>> {
        Err(Error::NotFound)
    }
    /// Fills `buf` from byte `offset` of the file `ino`; returns the bytes written, fewer than asked only at its end.
    pub fn read_at(&self, _ino: Ino, _offset: u64, _buf: &mut [u8]) -> Result<usize> {
        Err(Error::NotFound)
    }
    /// Target of the symbolic link `ino`.
    pub fn read_link(&self, _ino: Ino) -> Result<String> {
        Err(Error::NotFound)
    }
    /// Figures for `statfs`.
    pub fn statistics(&self) -> Statistics {
        Statistics { bytes: 0, files: 0 }
    }
}
