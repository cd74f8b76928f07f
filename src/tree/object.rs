//! What an inode number stands for.

use std::fmt;

use super::ino::Kind;
use crate::convert::ImportKind;
use crate::ndb::NodeId;

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

    pub(super) const ALL: [Special; 8] = [
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
    /// The item that it is the file of, or a part of.
    pub fn item(&self) -> Option<NodeId> {
        match self {
            Object::Message(nid) | Object::CheckedMessage(nid) | Object::Text(nid) => Some(*nid),
            Object::Attachments(path) | Object::Attachment(path, _) => Some(path.nid),
            _ => None,
        }
    }

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
