//! Items as a layout asks for them: what is known of each without its content.

use std::cell::Cell;
use std::sync::Arc;

use crate::convert::Title;
use crate::error::Result;
use crate::ltp::{FileTime, tags};
use crate::messaging::{
    ContentsRow, ContentsTable, ItemKind, MSGFLAG_HASATTACH, Message, MessageClass, Properties,
    State, Subject, TIMES,
};
use crate::ndb::NodeId;
use crate::tree::context::Context;
use crate::tree::folders::Folders;
use crate::tree::ino::Object;
use crate::tree::messages::Messages;
use crate::tree::template::Template;

/// What is said of a folder with items whose names are made of what damage may have changed.
const DOUBTFUL_NAMES: &str = "the names of some items are made of damaged properties; so an equal name of a sound item may have \
                              or lack the number of its node";

/// What is known of an item without its content.
pub(in crate::tree) struct Facts {
    pub kind: ItemKind,
    pub time: Option<FileTime>,
    /// The subject; the display name of a contact.
    pub title: String,
    pub flags: i32,
    pub state: State,
    pub from: String,
    pub to: String,
}

/// The items of one tree.
#[derive(Debug)]
pub(in crate::tree) struct Items {
    pub context: Arc<Context>,
    pub folders: Arc<Folders>,
    pub messages: Arc<Messages>,
}

impl Items {
    /// The tables whose rows the tree shows of folder `nid`, with the columns that the names want.
    pub fn tables(&self, nid: NodeId) -> Vec<ContentsTable> {
        let tables = self.folders.tables(nid);
        match self.names_people() {
            true => tables.into_iter().map(ContentsTable::with_people).collect(),
            false => tables,
        }
    }

    /// The file of message `nid`.
    pub fn file(&self, nid: NodeId) -> Object {
        match self.messages.replaced.has(nid) {
            true => Object::CheckedMessage(nid),
            false => Object::Message(nid),
        }
    }

    /// What the row tells. If the table has no flags, no time (of an item that is named by it, or of any if all are
    /// `dated`), or not the people that the names want, the message is asked.
    pub fn facts(&self, row: &ContentsRow, dated: bool) -> Facts {
        let title = |class: &str| Title::of(MessageClass::parse(class).kind);
        let by_date = dated || row.message_class.as_deref().map(title) != Some(Title::DisplayName);
        let time = row.delivery.or(row.submit);
        let people = self.names_people();
        let lacks_people = people && (row.from.is_none() || row.to.is_none());
        let incomplete = row.flags.is_none() || (by_date && time.is_none()) || lacks_people;
        let asked = match incomplete {
            true => Asked::of(Message::open(&self.context.store, row.nid).ok()),
            false => Asked::nobody(),
        };
        // What is left of one that has no row that tells, and no properties, are subnodes.
        let is_lost = incomplete && asked.message.is_none() && row.flags.is_none();
        let lost = is_lost.then(|| self.messages.with_row(row.nid));
        let class = row
            .message_class
            .clone()
            .or_else(|| asked.string(tags::MESSAGE_CLASS))
            .unwrap_or_default();
        let kind = MessageClass::parse(&class).kind;
        let display_name = || {
            let own = || {
                asked
                    .string(tags::DISPLAY_NAME)
                    .filter(|name| !name.is_empty())
            };
            (Title::of(kind) == Title::DisplayName)
                .then(|| row.display_name.clone().or_else(own))
                .flatten()
        };
        let subject = || {
            let left = || lost.as_ref()?.subject().ok().flatten();
            let own = || {
                asked
                    .string(tags::SUBJECT)
                    .map(Subject::parse)
                    .or_else(left)
            };
            row.subject.clone().or_else(own).map(|subject| subject.text)
        };
        let person = |known: &Option<String>, id: u16| {
            let wanted = || people.then(|| asked.string(id)).flatten();
            known.clone().or_else(wanted).unwrap_or_default()
        };
        let state = || {
            asked
                .message
                .is_some()
                .then(|| State::of(|id| asked.integer(id)))
        };
        let flags = row.flags.or_else(|| asked.integer(tags::MESSAGE_FLAGS));
        let facts = Facts {
            title: display_name().or_else(subject).unwrap_or_default(),
            time: time.or_else(|| asked.time()),
            flags: flags.unwrap_or_else(|| match &lost {
                Some(lost) if !lost.attachments().is_empty() => MSGFLAG_HASATTACH,
                _ => 0,
            }),
            state: state().unwrap_or(row.state),
            from: person(&row.from, tags::SENT_REPRESENTING_NAME),
            to: person(&row.to, tags::DISPLAY_TO),
            kind,
        };
        if asked.may_be_wrong.get() {
            // The same line for all of a folder: of equal names, all but one have the number of their node.
            let folder = self.context.parent_of(row.nid).unwrap_or_default();
            self.context.note(&Object::Folder(folder), DOUBTFUL_NAMES);
        }
        facts
    }

    /// Whether the names tell of sender or recipients, so that listings need those columns.
    fn names_people(&self) -> bool {
        let template = self.context.options.names.as_ref();
        template.is_some_and(Template::names_people)
    }
}

/// A message that is asked for what its row does not tell, if there is need.
struct Asked {
    message: Option<Message>,
    /// Whether damage may have changed an answer.
    may_be_wrong: Cell<bool>,
}

impl Asked {
    /// There is no need.
    fn nobody() -> Self {
        Self {
            message: None,
            may_be_wrong: Cell::new(false),
        }
    }

    /// `message`; None if it cannot be opened.
    fn of(message: Option<Message>) -> Self {
        Self {
            may_be_wrong: Cell::new(message.is_none()),
            message,
        }
    }

    /// What `read` gets of property `id`.
    fn ask<T>(&self, id: u16, read: impl Fn(&Properties) -> Result<Option<T>>) -> Option<T> {
        let properties = self.message.as_ref()?.properties();
        if properties.may_be_wrong(id) {
            self.may_be_wrong.set(true);
        }
        read(properties).ok().flatten()
    }

    fn string(&self, id: u16) -> Option<String> {
        self.ask(id, |own| own.start_of_string(id))
    }

    fn integer(&self, id: u16) -> Option<i32> {
        self.ask(id, |own| own.integer(id))
    }

    fn time(&self) -> Option<FileTime> {
        let mut times = TIMES.into_iter();
        times.find_map(|id| self.ask(id, |own| own.time(id)))
    }
}
