//! Attributes as the kernel wants them: what the trees know of a file, and whom it belongs to. stat(2)
#![forbid(unsafe_code)]

use std::time::UNIX_EPOCH;

use fuser::{FileAttr, FileType, INodeNo};

use crate::tree::{Attr, Ino, Kind};

/// Unit of `st_blksize` and of `statfs`, in bytes.
pub(super) const BLOCK: u32 = 4096;
/// Unit of `st_blocks`, in bytes.
const SECTOR: u64 = 512;
/// A size with which the kernel takes the name and number of an entry alone: it is no `loff_t`.
const INVALID_SIZE: u64 = u64::MAX;
/// Mode of symbolic links, as everywhere on Linux.
const SYMLINK_MODE: u16 = 0o777;

/// Whom the files belong to and what may be done with them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ownership {
    /// Owner of everything.
    pub(super) uid: u32,
    /// Group of everything.
    pub(super) gid: u32,
    /// Permission bits of files.
    pub(super) file_mode: u16,
    /// Permission bits of directories.
    pub(super) directory_mode: u16,
}

impl Ownership {
    /// Attributes of a file.
    pub(super) fn attributes(&self, attr: &Attr) -> FileAttr {
        FileAttr {
            ino: INodeNo(attr.ino.0),
            size: attr.size,
            blocks: attr.size.div_ceil(SECTOR),
            atime: attr.mtime,
            mtime: attr.mtime,
            ctime: attr.ctime,
            crtime: attr.btime,
            kind: file_type(attr.kind),
            perm: match attr.kind {
                Kind::Directory => self.directory_mode,
                Kind::File => self.file_mode,
                Kind::Symlink => SYMLINK_MODE,
            },
            nlink: attr.nlink,
            uid: self.uid,
            gid: self.gid,
            rdev: 0,
            blksize: BLOCK,
            flags: 0,
        }
    }

    /// Attributes with number and kind alone, for a name that there is not.
    pub(super) fn bare_attributes(&self, ino: Ino, kind: Kind) -> FileAttr {
        self.attributes(&Attr {
            ino,
            kind,
            size: 0,
            nlink: 1,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            btime: UNIX_EPOCH,
            changing: false,
        })
    }

    /// The same for what must be listed without the others. The kernel must not learn a size of it: for a moment it would show an
    /// empty file to others who read it already.
    pub(super) fn without_size(&self, ino: Ino, kind: Kind) -> FileAttr {
        FileAttr {
            size: INVALID_SIZE,
            ..self.bare_attributes(ino, kind)
        }
    }
}

/// The type of a directory entry.
pub(super) fn file_type(kind: Kind) -> FileType {
    match kind {
        Kind::Directory => FileType::Directory,
        Kind::File => FileType::RegularFile,
        Kind::Symlink => FileType::Symlink,
    }
}
