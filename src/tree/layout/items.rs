//! Items as a layout asks for them: what is known of each without its content.
//!
//! A flag is a hint: PidTagMessageFlags may lack MSGFLAG_HASATTACH. So a listing asks the list of subnodes as well, in
//! large files only for large messages; with `attachments=dir` for all of them.
//! Documents are opened for their names, which their attachments alone have; few folders have any.

use std::cell::Cell;
use std::sync::Arc;

use crate::convert::{Document, Moment, Title, title, when};
use crate::error::Result;
use crate::ltp::tags;
use crate::messaging::{
    ContentsRow, ContentsTable, ItemKind, MSGFLAG_HASATTACH, Message, MessageClass, Properties,
    State, TIMES, lists_attachments,
};
use crate::ndb::{NodeId, partly};
use crate::tree::context::Context;
use crate::tree::conversations::Conversations;
use crate::tree::folders::Folders;
use crate::tree::messages::Messages;
use crate::tree::object::Object;
use crate::tree::options::Attachments;
use crate::tree::template::Template;

/// What is said of a folder with items whose names are made of what damage may have changed.
const DOUBTFUL_NAMES: &str = "the names of some items are made of damaged properties; so an equal name of a sound item may have \
                              or lack the number of its node";

/// Bytes of a file in which each message can be asked for its attachments, whatever its flag states: any disk reads it in a
/// second.
const SMALL_FILE: u64 = 32 << 20;
/// PidTagMessageSize of a message that is asked in any file, in bytes.
const LARGE_MESSAGE: i32 = 64 << 10;

/// What is known of an item without its content.
pub(in crate::tree) struct Facts {
    pub kind: ItemKind,
    /// Whether it is a message of a chat.
    pub is_chat: bool,
    pub moment: Option<Moment>,
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
    pub conversations: Arc<Conversations>,
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

    /// The fields of the row. If the table has no flags, no name of the item, no time (of an item that is named by it, or of
    /// any if all are `dated`), or not the people or the state that the names want, the message is asked.
    pub fn facts(&self, row: &ContentsRow, dated: bool) -> Facts {
        let kind_of = |class: &str| MessageClass::parse(class).kind;
        let kind_of_row = row.message_class.as_deref().map(kind_of);
        let title_of_row = kind_of_row.map(Title::of);
        let by_date = dated || title_of_row != Some(Title::DisplayName);
        let lacks_name = match title_of_row {
            Some(Title::DisplayName) => row.display_name.is_none(),
            Some(Title::DateAndSubject) | None => row.subject.is_none(),
        };
        let time = row
            .delivery
            .or(row.submit)
            .filter(|_| !kind_of_row.is_some_and(ItemKind::takes_place));
        let people = self.names_people();
        let lacks_people = people && (row.from.is_none() || row.to.is_none());
        let lacks_time = by_date && time.is_none();
        let lacks_facts = row.flags.is_none() || lacks_name || lacks_time;
        let incomplete = lacks_facts || lacks_people || row.lacks_state;
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
        let MessageClass { kind, is_chat, .. } = MessageClass::parse(&class);
        let subject = || row.subject.clone().map(|subject| subject.text);
        let left = || Some(lost.as_ref()?.subject().ok()??.text);
        let title = match Title::of(kind) {
            Title::DisplayName => {
                let known = row.display_name.clone();
                let own = || asked.title(kind, tags::DISPLAY_NAME);
                known.or_else(own).or_else(subject)
            }
            Title::DateAndSubject => subject().or_else(|| asked.title(kind, tags::SUBJECT)),
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
            title: title.or_else(left).unwrap_or_default(),
            moment: time.map(Moment::Time).or_else(|| asked.moment(row)),
            flags: flags.unwrap_or_else(|| match &lost {
                Some(lost) if !lost.attachments().is_empty() => MSGFLAG_HASATTACH,
                _ => 0,
            }),
            state: row.state.or(state().unwrap_or_default()),
            from: person(&row.from, tags::SENT_REPRESENTING_NAME),
            to: person(&row.to, tags::DISPLAY_TO),
            kind,
            is_chat,
        };
        if asked.may_be_wrong.get() {
            self.doubt_names(row);
        }
        facts
    }

    /// The file that the item of `row` is, if it is a document: its message alone tells.
    pub fn document(&self, row: &ContentsRow, kind: ItemKind) -> Option<Document> {
        if kind != ItemKind::Document {
            return None;
        }
        let Ok(message) = Message::open(&self.context.store, row.nid) else {
            self.doubt_names(row);
            return None;
        };
        let document = self.context.converter.document(&message);
        if !message.problems().is_empty() {
            self.doubt_names(row);
        }
        document
    }

    /// Notes that the name of the item of `row` may be made of what damage has changed.
    fn doubt_names(&self, row: &ContentsRow) {
        // The same line for all of a folder: of equal names, all but one have the number of their node.
        let folder = self.context.parent_of(row.nid).unwrap_or_default();
        self.context.note(&Object::Folder(folder), DOUBTFUL_NAMES);
    }

    /// Whether the message of `row`, with these PidTagMessageFlags, has attachments. Some writers do not set the flag, so
    /// where it is missing the list of subnodes is asked: one small read. In a large file that is spared small messages,
    /// unless their attachments are nowhere but in the directory.
    pub fn has_attachments(&self, row: &ContentsRow, flags: i32) -> bool {
        let Context { store, options, .. } = &*self.context;
        let is_said = flags & MSGFLAG_HASATTACH != 0 || row.has_attachments;
        let is_asked = row.size.is_none_or(|size| size >= LARGE_MESSAGE)
            || options.attachments == Attachments::Dir
            || store.ndb().source().len() <= SMALL_FILE;
        let is_listed = || is_asked && partly(|| lists_attachments(store, row.nid));
        (is_said || is_listed()) && !self.are_in_calendar(row)
    }

    /// Whether all attachments of the message of `row` are changed instances of a series, which are in its calendar.
    fn are_in_calendar(&self, row: &ContentsRow) -> bool {
        let class = row.message_class.as_deref().unwrap_or_default();
        let is_appointment = MessageClass::parse(class).kind == ItemKind::Appointment;
        let message = || Message::open(&self.context.store, row.nid);
        is_appointment
            && message()
                .is_ok_and(|message| self.context.converter.attachments(&message).is_empty())
    }

    /// Whether the names contain sender or recipients, so that listings need those columns.
    fn names_people(&self) -> bool {
        let template = self.context.options.names.as_ref();
        template.is_some_and(Template::names_people)
    }
}

/// A message that is asked for what its row lacks, if there is need.
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

    /// What the item of a `kind` is called, by property `id` above all.
    fn title(&self, kind: ItemKind, id: u16) -> Option<String> {
        let message = self.message.as_ref()?;
        if message.properties().may_be_wrong(id) {
            self.may_be_wrong.set(true);
        }
        title(kind, message)
    }

    fn integer(&self, id: u16) -> Option<i32> {
        self.ask(id, |own| own.integer(id))
    }

    /// When the item is; the time of `row`, if the message has nothing better.
    fn moment(&self, row: &ContentsRow) -> Option<Moment> {
        let message = self.message.as_ref();
        if let Some(moment) = message.and_then(when::takes_place) {
            if message.is_some_and(when::is_doubtful) {
                self.may_be_wrong.set(true);
            }
            return Some(moment);
        }
        let own = |id: u16| self.ask(id, |own| own.time(id));
        let time = row.delivery.or(row.submit);
        time.or_else(|| TIMES.into_iter().find_map(own))
            .map(Moment::Time)
    }
}
