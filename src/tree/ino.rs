//! Inode numbers: derived from node ids alone, so equal on every mount of the same file.
//!
//! The top four bits are the kind, then eight bits for which of several files it is, 20 bits of an index (the highest is
//! set for what was deleted), and the NID of a folder or message. What lies deeper (attachments of embedded messages,
//! links) has a hash of its path in place of index and NID, and a table of those seen. A tree knows its own file alone, as
//! number 0; `forest` sets the others.

use std::collections::HashMap;
use std::fmt;

use parking_lot::RwLock;

use crate::convert::ImportKind;
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

    fn new(kind: u64, index: u64, nid: NodeId) -> Ino {
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

const KIND_SHIFT: u32 = 60;
const FILE_SHIFT: u32 = 52;
const INDEX_SHIFT: u32 = 32;
const INDEX_MASK: u64 = (1 << (FILE_SHIFT - INDEX_SHIFT)) - 1;
/// Bit of an index that no number of the live tree has: what was deleted.
const DELETED: u64 = 1 << 19 << INDEX_SHIFT;
/// Attachments beyond this index are numbered as what lies deeper.
const MAX_INDEX: u64 = (DELETED >> INDEX_SHIFT) - 1;
const HASH_MASK: u64 = ((1 << FILE_SHIFT) - 1) & !DELETED;

const FOLDER: u64 = 0;
const MESSAGE: u64 = 1;
const ATTACHMENTS: u64 = 2;
const ATTACHMENT: u64 = 3;
const SPECIAL: u64 = 4;
const DEEP_DIRECTORY: u64 = 5;
const DEEP_FILE: u64 = 6;
const LINK: u64 = 7;
const LOST: u64 = 8;
const IMPORT: u64 = 9;
const IMPORT_FILE: u64 = 10;
const CHECKED_MESSAGE: u64 = 11;
const GATHERED: u64 = 12;
/// Indices of what is made of a message beside its file.
const TEXT: u64 = 1;
const CONVERSATION: u64 = 2;

/// A message of a folder, or one embedded in it: the way there by attachment numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessagePath {
    /// The message of a folder.
    pub nid: NodeId,
    /// Which attachment to enter at each level; empty for the message itself.
    pub attachments: Vec<u32>,
}

impl fmt::Display for MessagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {:#x}", self.nid.0)?;
        for index in &self.attachments {
            write!(f, ", attachment {}", index + 1)?;
        }
        Ok(())
    }
}

impl MessagePath {
    /// The message `nid` itself.
    pub fn top(nid: NodeId) -> Self {
        Self {
            nid,
            attachments: Vec::new(),
        }
    }

    /// The message that this one is embedded in, and the number of the attachment that it is; None for one of a folder.
    pub fn above(&self) -> Option<(Self, u32)> {
        let (index, above) = self.attachments.split_last()?;
        let above = Self {
            nid: self.nid,
            attachments: above.to_vec(),
        };
        Some((above, *index))
    }

    /// The message embedded in attachment `index` of this one.
    pub fn embedded(&self, index: u32) -> Self {
        let mut attachments = self.attachments.clone();
        attachments.push(index);
        Self {
            nid: self.nid,
            attachments,
        }
    }
}

/// The directories and files that are not in the source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Special {
    /// `lost+found`
    LostFound,
    /// `lost+found/deleted`, which a tree of its own lists
    Deleted,
    /// `.ostfs`
    Control,
    /// `.ostfs/info.json`
    Info,
    /// `.ostfs/problems.txt`
    Problems,
    /// `.ostfs/index.csv`
    Index,
    /// `.ostfs/categories.csv`
    Categories,
    /// `.ostfs/rules.txt`
    Rules,
    /// `.ostfs/import/Autocomplete.vcf`
    Autocomplete,
}

impl Special {
    /// Name of the directory of lost items.
    pub const LOST_FOUND: &str = "lost+found";
    /// Name of the directory of what was deleted, in it.
    pub const DELETED: &str = "deleted";
    /// Name of the directory about the file itself.
    pub const CONTROL: &str = ".ostfs";

    /// Name of the directory in it with files to import.
    pub const IMPORT: &str = "import";
    /// Name of the file in that with everybody whom Outlook proposes.
    pub const AUTOCOMPLETE: &str = "Autocomplete.vcf";
    /// The files in the directory about the file itself, by their names.
    pub const FILES: [(&str, Special); 5] = [
        ("info.json", Special::Info),
        ("problems.txt", Special::Problems),
        ("index.csv", Special::Index),
        ("categories.csv", Special::Categories),
        ("rules.txt", Special::Rules),
    ];

    const ALL: [Special; 8] = [
        Special::LostFound,
        Special::Control,
        Special::Info,
        Special::Problems,
        Special::Index,
        Special::Categories,
        Special::Rules,
        Special::Autocomplete,
    ];
}

/// The directories of a Maildir.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MaildirPart {
    /// Messages that some program has seen: all of them.
    Cur,
    /// Messages that just arrived: none.
    New,
    /// Messages on their way: none.
    Tmp,
}

impl MaildirPart {
    /// Each of them, in the order of their index in an inode number; index 0 is the Maildir itself.
    pub const ALL: [MaildirPart; 3] = [MaildirPart::Cur, MaildirPart::New, MaildirPart::Tmp];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            MaildirPart::Cur => "cur",
            MaildirPart::New => "new",
            MaildirPart::Tmp => "tmp",
        }
    }
}

/// What an inode number stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Object {
    /// The root directory.
    Root,
    /// A folder or search folder.
    Folder(NodeId),
    /// A message of a folder as plain text.
    Text(NodeId),
    /// The conversation of a chat whose lowest message this is, as one file.
    Conversation(NodeId),
    /// The file of a message in a folder.
    Message(NodeId),
    /// The same once an attachment in it has turned out damaged: with a placeholder. A file of its own, so that no
    /// reader gets the beginning of the one and the end of the other.
    CheckedMessage(NodeId),
    /// The directory with the attachments of a message.
    Attachments(MessagePath),
    /// Attachment number `1` of a message, as a file.
    Attachment(MessagePath, u32),
    /// In search folder `0`, the link to message `1`.
    Link(NodeId, NodeId),
    /// The directory in `lost+found` for what a folder has lost.
    Lost(NodeId),
    /// A part of the Maildir of a folder.
    Maildir(NodeId, MaildirPart),
    /// A part of the Maildir of what no folder lists.
    LostMaildir(MaildirPart),
    /// In `.ostfs/import`, the directory for the subfolders of a folder.
    Import(NodeId),
    /// All items of one kind in a folder, as one file.
    ImportFile(NodeId, ImportKind),
    /// Something that is not in the source file.
    Special(Special),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Object::Root => write!(f, "root directory"),
            Object::Folder(nid) | Object::Maildir(nid, _) => write!(f, "folder {:#x}", nid.0),
            Object::Lost(nid) => write!(f, "lost items of folder {:#x}", nid.0),
            Object::Message(nid) | Object::CheckedMessage(nid) | Object::Text(nid) => {
                write!(f, "message {:#x}", nid.0)
            }
            Object::Conversation(nid) => write!(f, "conversation of message {:#x}", nid.0),
            Object::Attachments(path) => write!(f, "{path}"),
            Object::Attachment(path, index) => write!(f, "{path}, attachment {}", index + 1),
            Object::Link(folder, message) => {
                write!(
                    f,
                    "link in folder {:#x} to message {:#x}",
                    folder.0, message.0
                )
            }
            Object::Import(nid) => write!(f, "import files below folder {:#x}", nid.0),
            Object::ImportFile(nid, kind) => {
                write!(f, "{kind:?} import file of folder {:#x}", nid.0)
            }
            Object::LostMaildir(_) => write!(f, "lost items"),
            Object::Special(special) => write!(f, "{special:?}"),
        }
    }
}

impl Object {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Object::Root
            | Object::Import(_)
            | Object::Folder(_)
            | Object::Attachments(_)
            | Object::Lost(_)
            | Object::Maildir(..)
            | Object::LostMaildir(_)
            | Object::Special(Special::LostFound | Special::Deleted | Special::Control) => {
                Kind::Directory
            }
            Object::Message(_)
            | Object::CheckedMessage(_)
            | Object::Text(_)
            | Object::Conversation(_)
            | Object::Attachment(..)
            | Object::ImportFile(..)
            | Object::Special(_) => Kind::File,
            Object::Link(..) => Kind::Symlink,
        }
    }
}

/// Turns objects into numbers and back. Only what lies deep or is a link takes memory.
#[derive(Debug, Default)]
pub struct Inodes {
    deep: RwLock<HashMap<u64, Object>>,
    /// Set in all of its numbers: 0 or [`DELETED`].
    mark: u64,
}

impl Inodes {
    /// Numbers for what was deleted: none of them is one of the live tree.
    pub fn of_deleted() -> Self {
        Self {
            mark: DELETED,
            ..Self::default()
        }
    }

    /// Whether it was made by [`Inodes::of_deleted`].
    pub(super) fn is_of_deleted(&self) -> bool {
        self.mark != 0
    }

    /// The number of `object`.
    pub fn number(&self, object: &Object) -> Ino {
        match object {
            Object::Root => Ino::ROOT,
            Object::Special(Special::Deleted) => Ino::DELETED,
            object => Ino(self.bare_number(object).0 | self.mark),
        }
    }

    fn bare_number(&self, object: &Object) -> Ino {
        match object {
            Object::Root => Ino::ROOT,
            Object::Folder(nid) => Ino::new(FOLDER, 0, *nid),
            Object::Maildir(nid, part) => Ino::new(FOLDER, *part as u64 + 1, *nid),
            Object::LostMaildir(part) => Ino::new(LOST, *part as u64 + 1, NodeId(0)),
            Object::Message(nid) => Ino::new(MESSAGE, 0, *nid),
            Object::Text(nid) => Ino::new(MESSAGE, TEXT, *nid),
            Object::Conversation(nid) => Ino::new(MESSAGE, CONVERSATION, *nid),
            Object::CheckedMessage(nid) => Ino::new(CHECKED_MESSAGE, 0, *nid),
            Object::Import(nid) => Ino::new(IMPORT, 0, *nid),
            Object::ImportFile(nid, kind) => Ino::new(IMPORT_FILE, *kind as u64, *nid),
            Object::Lost(nid) => Ino::new(LOST, 0, *nid),
            Object::Special(special) => {
                let index = Special::ALL.iter().position(|other| other == special);
                Ino::new(SPECIAL, index.unwrap_or(0) as u64, NodeId(0))
            }
            Object::Attachments(path) if path.attachments.is_empty() => {
                Ino::new(ATTACHMENTS, 0, path.nid)
            }
            Object::Attachment(path, index)
                if path.attachments.is_empty() && u64::from(*index) <= MAX_INDEX =>
            {
                Ino::new(ATTACHMENT, u64::from(*index), path.nid)
            }
            Object::Attachments(path) => self.intern(DEEP_DIRECTORY, object, path_words(path)),
            Object::Attachment(path, index) => {
                self.intern(DEEP_FILE, object, path_words(path).chain([*index]))
            }
            Object::Link(folder, message) => {
                self.intern(LINK, object, [folder.0, message.0].into_iter())
            }
        }
    }

    /// What `ino` stands for; None for numbers that were never handed out.
    pub fn object(&self, ino: Ino) -> Option<Object> {
        if ino == Ino::ROOT {
            return Some(Object::Root);
        }
        if ino == Ino::DELETED && !self.is_of_deleted() {
            return Some(Object::Special(Special::Deleted));
        }
        if ino.0 & DELETED != self.mark {
            return None;
        }
        let ino = Ino(ino.0 & !self.mark);
        let nid = NodeId((ino.0 & u64::from(u32::MAX)) as u32);
        let index = ino.0 >> INDEX_SHIFT & INDEX_MASK;
        match ino.0 >> KIND_SHIFT {
            FOLDER => match index.checked_sub(1) {
                None => Some(Object::Folder(nid)),
                Some(part) => Some(Object::Maildir(nid, *MaildirPart::ALL.get(part as usize)?)),
            },
            MESSAGE => match index {
                0 => Some(Object::Message(nid)),
                TEXT => Some(Object::Text(nid)),
                CONVERSATION => Some(Object::Conversation(nid)),
                _ => None,
            },
            CHECKED_MESSAGE => Some(Object::CheckedMessage(nid)),
            IMPORT => Some(Object::Import(nid)),
            IMPORT_FILE => {
                let kind = ImportKind::ALL.get(index as usize)?;
                Some(Object::ImportFile(nid, *kind))
            }
            LOST => match index.checked_sub(1) {
                None => Some(Object::Lost(nid)),
                Some(part) => Some(Object::LostMaildir(*MaildirPart::ALL.get(part as usize)?)),
            },
            ATTACHMENTS => Some(Object::Attachments(MessagePath::top(nid))),
            ATTACHMENT => Some(Object::Attachment(MessagePath::top(nid), index as u32)),
            SPECIAL => Special::ALL
                .get(index as usize)
                .copied()
                .map(Object::Special),
            _ => self.deep.read().get(&ino.0).cloned(),
        }
    }

    /// A number from the hash of `words`. Two paths with the same 52 bits would be astronomical bad luck; the second
    /// one then takes the next number.
    fn intern(&self, kind: u64, object: &Object, words: impl Iterator<Item = u32>) -> Ino {
        let mut hash = fnv1a(words) & HASH_MASK;
        loop {
            let number = kind << KIND_SHIFT | hash;
            if let Some(present) = self.deep.read().get(&number) {
                if present == object {
                    return Ino(number);
                }
                hash = (hash + 1) & HASH_MASK;
                continue;
            }
            self.deep
                .write()
                .entry(number)
                .or_insert_with(|| object.clone());
        }
    }
}

fn path_words(path: &MessagePath) -> impl Iterator<Item = u32> + '_ {
    std::iter::once(path.nid.0).chain(path.attachments.iter().copied())
}

/// FNV-1a, 64 bits: stable across versions and machines, which the standard library's hasher does not promise.
fn fnv1a(words: impl Iterator<Item = u32>) -> u64 {
    const OFFSET_BASIS: u64 = 0xCBF2_9CE4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01B3;
    words
        .flat_map(u32::to_le_bytes)
        .fold(OFFSET_BASIS, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(PRIME)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_comes_back_from_its_number_and_two_tables_agree() {
        let (first, second) = (Inodes::default(), Inodes::default());
        let message = NodeId(0x20_0024);
        let path = MessagePath::top(message);
        let deep = path.embedded(3).embedded(1);
        let objects = [
            Object::Root,
            Object::Folder(NodeId::ROOT_FOLDER),
            Object::Message(message),
            Object::Text(message),
            Object::Attachments(path.clone()),
            Object::Attachment(path.clone(), 0),
            Object::Attachment(path, 7),
            Object::Attachments(deep.clone()),
            Object::Attachment(deep, 2),
            Object::Link(NodeId(0x8_0023), message),
            Object::Lost(NodeId(0x8022)),
            Object::Folder(NodeId(0x8022)),
            Object::Maildir(NodeId(0x8022), MaildirPart::Cur),
            Object::Maildir(NodeId(0x8022), MaildirPart::Tmp),
            Object::LostMaildir(MaildirPart::Cur),
            Object::Special(Special::LostFound),
            Object::Special(Special::Problems),
        ];
        let numbers: std::collections::HashSet<Ino> =
            objects.iter().map(|object| first.number(object)).collect();
        assert_eq!(numbers.len(), objects.len());
        for object in objects.iter().rev() {
            let number = second.number(object);
            assert_eq!(number, first.number(object));
            assert_eq!(first.object(number).as_ref(), Some(object));
            assert_eq!(
                number.is_of_lost(),
                matches!(object, Object::Lost(_) | Object::LostMaildir(_))
            );
        }
        assert_eq!(first.object(Ino(DEEP_FILE << KIND_SHIFT | 99)), None);
        let file = first.number(&Object::Message(message));
        assert_eq!(
            (file, file.node()),
            (Ino::of_message(message), Some(message))
        );
        assert_eq!(Ino::ROOT.node(), None);
    }

    #[test]
    fn the_same_object_of_every_file_has_a_number_of_its_own() {
        let inodes = Inodes::default();
        let deep = MessagePath::top(NodeId(0x20_0024)).embedded(3);
        for object in [
            Object::Root,
            Object::Message(NodeId(u32::MAX)),
            Object::Attachment(MessagePath::top(NodeId(0x20_0024)), INDEX_MASK as u32),
            Object::Attachments(deep),
        ] {
            let number = inodes.number(&object);
            assert_eq!(number.split(), (0, number));
            for file in [1, 2, u8::MAX] {
                assert_eq!(number.of_file(file).split(), (file, number));
            }
        }
    }
}
