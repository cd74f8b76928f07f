//! The record of an item in a catalogue: for the filters and the manifest of an export.

use super::object::Object;
use crate::convert::{Moment, Particulars, Stretch, title, when};
use crate::ltp::tags;
use crate::messaging::{Message, MessageClass};
use crate::ndb::NodeId;

/// The facts by which items are chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// When an appointment or what a journal entry is about takes place; of all else delivery, else submit, else creation time.
    pub moment: Option<Moment>,
    /// The same from when to when, each instance of a series; empty for all else.
    pub stretches: Vec<Stretch>,
    /// What it is called: PidTagSubject, or the display name of a contact.
    pub subject: String,
    /// PidTagMessageClass.
    pub class: String,
}

/// All that a catalogue tells of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// The facts by which items are chosen.
    pub summary: Summary,
    /// Who, when, in which conversation.
    pub particulars: Particulars,
    /// Names of its attachments, pictures in its text among them.
    pub attachments: Vec<String>,
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

impl Part {
    /// The item that `object` shows or belongs to, and what it shows of it; None for folders and for what is not in the
    /// file.
    pub(super) fn of(object: &Object) -> Option<(NodeId, Self)> {
        match object {
            Object::Message(nid) | Object::CheckedMessage(nid) => Some((*nid, Self::Item)),
            Object::Text(nid) => Some((*nid, Self::Text)),
            Object::Attachments(path) | Object::Attachment(path, _) => {
                Some((path.nid, Self::Attachment))
            }
            Object::Link(_, nid) => Some((*nid, Self::Link)),
            // It is made of many items: a filter that asks for items takes these alone.
            Object::Conversation(_)
            | Object::Root
            | Object::Folder(_)
            | Object::Lost(_)
            | Object::Maildir(..)
            | Object::LostMaildir(_)
            | Object::Import(_)
            | Object::ImportFile(..)
            | Object::Special(_) => None,
        }
    }
}

impl Summary {
    /// The facts about `message`.
    pub(super) fn of(message: &Message) -> Self {
        let string = |id: u16| message.properties().string(id).ok().flatten();
        let class = string(tags::MESSAGE_CLASS).unwrap_or_default();
        let kind = MessageClass::parse(&class).kind;
        Self {
            moment: when::moment(message),
            stretches: when::stretches(message),
            subject: title(kind, message).unwrap_or_default(),
            class,
        }
    }
}
