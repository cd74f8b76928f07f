//! Inode numbers: derived from node ids alone, so equal on every mount of the same file.
//!
//! The top four bits are the kind, then eight bits for which of several files it is, 20 bits of an index (the highest is
//! set for what was deleted), and the NID of a folder or message. What lies deeper (attachments of embedded messages,
//! links) has a hash of its path in place of index and NID, and a table of those seen (`inodes`). A tree knows its own file alone, as
//! number 0; `forest` sets the others.

use crate::ndb::NodeId;

/// Inode number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ino(pub u64);

impl Ino {
    /// The root directory; FUSE demands 1.
    pub const ROOT: Ino = Ino(1);

    /// The number of the file of message `nid` in its folder.
    pub fn of_message(nid: NodeId) -> Self {
        Self::new(MESSAGE, 0, nid)
    }

    /// The node of the folder or message that has this number, or to which it belongs; None for what is not in the file, and
    /// for what lies within embedded messages.
    pub fn node(self) -> Option<NodeId> {
        match self.0 >> KIND_SHIFT {
            _ if self == Self::ROOT => None,
            SPECIAL | DEEP_DIRECTORY | DEEP_FILE | LINK | GATHERED => None,
            _ => Some(NodeId((self.0 & u64::from(u32::MAX)) as u32)),
        }
    }

    /// Whether it is a directory in `lost+found` for what a folder that is not lost itself has lost.
    pub fn is_of_lost(self) -> bool {
        self.0 >> KIND_SHIFT == LOST
    }

    /// `lost+found/deleted`: `lost+found` among the numbers of [`Inodes::of_deleted`].
    pub(super) const DELETED: Ino = Ino(SPECIAL << KIND_SHIFT | DELETED);

    /// Which of several files it is of.
    pub fn file(self) -> u8 {
        self.split().0
    }

    /// The message that has this number in its folder, as [`Ino::of_message`] gives it; None for one that was deleted.
    pub fn message(self) -> Option<NodeId> {
        let (_, own) = self.split();
        let nid = own.node()?;
        (own == Self::of_message(nid)).then_some(nid)
    }

    /// The number of what takes the place of the file of a message in its folder, and the message, if this is the number of one.
    pub(super) fn replacement(self) -> Option<(Ino, NodeId)> {
        let nid = self
            .node()
            .filter(|nid| self == self.message_beside(*nid))?;
        let kind = (MESSAGE ^ CHECKED_MESSAGE) << KIND_SHIFT;
        Some((Ino(self.0 ^ kind), nid))
    }

    /// The number of the file of message `nid`, in the tree that this number is of.
    pub(super) fn message_beside(self, nid: NodeId) -> Ino {
        Ino(Self::of_message(nid).0 | self.0 & DELETED)
    }

    /// Whether it was given by [`Inodes::of_deleted`].
    pub(super) fn is_deleted(self) -> bool {
        self != Self::ROOT && self.0 & DELETED != 0
    }

    pub(super) fn new(kind: u64, index: u64, nid: NodeId) -> Ino {
        Ino(kind << KIND_SHIFT | (index & INDEX_MASK) << INDEX_SHIFT | u64::from(nid.0))
    }

    /// This number of a tree as one of file number `file`.
    pub(super) fn of_file(self, file: u8) -> Ino {
        Ino(self.0 | u64::from(file) << FILE_SHIFT)
    }

    /// The number of a directory of links or of a link in one: `bits` tell which, as `gathered/entry` has them.
    pub(super) fn of_gathered(bits: u64) -> Ino {
        Ino(GATHERED << KIND_SHIFT | bits & HASH_MASK)
    }

    /// The bits of such a number of a tree; None for all others.
    pub(super) fn gathered(self) -> Option<u64> {
        (self.0 >> KIND_SHIFT == GATHERED).then_some(self.0 & HASH_MASK)
    }

    /// The number of the file, and the number within its tree.
    pub(super) fn split(self) -> (u8, Ino) {
        let file = u64::from(u8::MAX) << FILE_SHIFT;
        ((self.0 >> FILE_SHIFT) as u8, Ino(self.0 & !file))
    }
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

pub(super) const KIND_SHIFT: u32 = 60;
pub(super) const FILE_SHIFT: u32 = 52;
pub(super) const INDEX_SHIFT: u32 = 32;
pub(super) const INDEX_MASK: u64 = (1 << (FILE_SHIFT - INDEX_SHIFT)) - 1;
/// Bit of an index that no number of the live tree has: what was deleted.
pub(super) const DELETED: u64 = 1 << 19 << INDEX_SHIFT;
/// Attachments beyond this index are numbered as what lies deeper.
pub(super) const MAX_INDEX: u64 = (DELETED >> INDEX_SHIFT) - 1;
pub(super) const HASH_MASK: u64 = ((1 << FILE_SHIFT) - 1) & !DELETED;

pub(super) const FOLDER: u64 = 0;
pub(super) const MESSAGE: u64 = 1;
pub(super) const ATTACHMENTS: u64 = 2;
pub(super) const ATTACHMENT: u64 = 3;
pub(super) const SPECIAL: u64 = 4;
pub(super) const DEEP_DIRECTORY: u64 = 5;
pub(super) const DEEP_FILE: u64 = 6;
pub(super) const LINK: u64 = 7;
pub(super) const LOST: u64 = 8;
pub(super) const IMPORT: u64 = 9;
pub(super) const IMPORT_FILE: u64 = 10;
pub(super) const CHECKED_MESSAGE: u64 = 11;
pub(super) const GATHERED: u64 = 12;
/// Indices of what is made of a message beside its file.
pub(super) const TEXT: u64 = 1;
pub(super) const CONVERSATION: u64 = 2;
