//! From objects to inode numbers and back.

use std::collections::HashMap;

use parking_lot::RwLock;

use super::ino::{
    ATTACHMENT, ATTACHMENTS, CHECKED_MESSAGE, CONVERSATION, DEEP_DIRECTORY, DEEP_FILE, DELETED,
    FOLDER, HASH_MASK, IMPORT, IMPORT_FILE, INDEX_MASK, INDEX_SHIFT, Ino, KIND_SHIFT, LINK, LOST,
    MAX_INDEX, MESSAGE, SPECIAL, TEXT,
};
use super::object::{MaildirPart, MessagePath, Object, Special};
use crate::convert::ImportKind;
use crate::ndb::NodeId;

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
