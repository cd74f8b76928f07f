//! What a catalogue says of an item: for the filters and the manifest of an export.

use super::ino::{Ino, MessagePath, Object};
use super::{Forest, Tree};
use crate::convert::{Moment, moment};
use crate::ltp::{FileTime, tags};
use crate::messaging::Message;
use crate::ndb::NodeId;

/// The facts by which items are chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// When an appointment takes place; of all else delivery, else submit, else creation time.
    pub moment: Option<Moment>,
    /// Start and end of an appointment, of a series those of all of it; one without an end goes on for ever.
    pub period: Option<(FileTime, Option<FileTime>)>,
    /// PidTagSubject, or the display name of a contact.
    pub subject: String,
    /// PidTagMessageClass.
    pub class: String,
}

/// Sender and recipients as header fields have them, decoded. Empty where there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// From.
    pub from: String,
    /// To.
    pub to: String,
}

/// Which part of an item a file or directory shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The item itself.
    Item,
    /// The item once more, as text to search in.
    Text,
    /// An attachment, or the directory of them.
    Attachment,
    /// A link to the item.
    Link,
}

impl Tree {
    /// The node of the item that `ino` shows or belongs to, and what it shows of it; None for folders and for what is
    /// not in the file.
    pub fn item(&self, ino: Ino) -> Option<(u32, Part)> {
        if let Some(deleted) = self.deleted_of(ino) {
            return deleted.item(ino);
        }
        let (nid, part) = match self.inodes.object(ino)? {
            Object::Message(nid) | Object::CheckedMessage(nid) => (nid, Part::Item),
            Object::Text(nid) => (nid, Part::Text),
            Object::Attachments(path) | Object::Attachment(path, _) => (path.nid, Part::Attachment),
            Object::Link(_, nid) => (nid, Part::Link),
            _ => return None,
        };
        Some((nid.0, part))
    }

    /// The message in the folder that `ino` shows or belongs to, if it can be opened.
    fn item_message(&self, ino: Ino) -> Option<Message> {
        let (nid, _) = self.item(ino)?;
        self.message(&MessagePath::top(NodeId(nid))).ok()
    }

    /// The facts about the item that `ino` shows or belongs to; None if it cannot be opened.
    pub fn summary(&self, ino: Ino) -> Option<Summary> {
        if let Some(deleted) = self.deleted_of(ino) {
            return deleted.summary(ino);
        }
        let message = self.item_message(ino)?;
        let string = |id: u16| message.properties().string(id).ok().flatten();
        let subject = message.subject().ok().flatten();
        let subject = subject.map(|subject| subject.text);
        Some(Summary {
            moment: Moment::of(&message),
            period: moment::appointment_period(&message),
            subject: subject
                .filter(|subject| !subject.is_empty())
                .or_else(|| string(tags::DISPLAY_NAME))
                .unwrap_or_default(),
            class: string(tags::MESSAGE_CLASS).unwrap_or_default(),
        })
    }

    /// Sender and recipients of the item that `ino` shows or belongs to.
    pub fn people(&self, ino: Ino) -> People {
        if let Some(deleted) = self.deleted_of(ino) {
            return deleted.people(ino);
        }
        let people = self
            .item_message(ino)
            .map(|message| self.converter.header(&message, ["From", "To"]));
        let [from, to] = people.unwrap_or_default().map(Option::unwrap_or_default);
        People { from, to }
    }

    /// What is wrong with the file `ino` of an item or an attachment, as far as reads have met it; nothing of other files.
    pub fn item_problems(&self, ino: Ino) -> Vec<String> {
        if let Some(deleted) = self.deleted_of(ino) {
            return deleted.item_problems(ino);
        }
        let file = match self.inodes.object(ino) {
            Some(Object::Message(nid)) => self.item_file(ino, nid),
            Some(Object::CheckedMessage(nid)) => self.checked_file(ino, nid),
            Some(Object::Attachment(path, index)) => {
                let problems = self.attachment_problems(ino, &path, index);
                return problems.unwrap_or_else(|error| vec![error.to_string()]);
            }
            _ => return Vec::new(),
        };
        match file {
            Ok(file) => file
                .rendition
                .problems()
                .list()
                .iter()
                .map(ToString::to_string)
                .collect(),
            Err(error) => vec![error.to_string()],
        }
    }

    /// How many items the folders that the tree shows list, without listing them.
    pub fn count_items(&self) -> u64 {
        let mut count = 0;
        let mut todo = vec![self.root];
        while let Some(folder) = todo.pop() {
            count += self
                .tables(folder)
                .iter()
                .map(|table| table.len() as u64)
                .sum::<u64>();
            let subfolders = self.list_subfolders(folder);
            todo.extend(subfolders.entries().filter_map(
                |entry| match self.inodes.object(entry.ino) {
                    Some(Object::Folder(nid)) => Some(nid),
                    _ => None,
                },
            ));
        }
        count
    }
}

impl Forest {
    /// As [`Tree::item`].
    pub fn item(&self, ino: Ino) -> Option<(u32, Part)> {
        self.at(ino).and_then(|(tree, ino)| tree.item(ino))
    }

    /// As [`Tree::summary`].
    pub fn summary(&self, ino: Ino) -> Option<Summary> {
        self.at(ino).and_then(|(tree, ino)| tree.summary(ino))
    }

    /// As [`Tree::people`].
    pub fn people(&self, ino: Ino) -> People {
        let people = self.at(ino).map(|(tree, ino)| tree.people(ino));
        people.unwrap_or_default()
    }

    /// As [`Tree::item_problems`].
    pub fn item_problems(&self, ino: Ino) -> Vec<String> {
        let problems = self.at(ino).map(|(tree, ino)| tree.item_problems(ino));
        problems.unwrap_or_default()
    }

    /// As [`Tree::count_items`], of all files together.
    pub fn count_items(&self) -> u64 {
        self.trees().iter().map(Tree::count_items).sum()
    }
}
