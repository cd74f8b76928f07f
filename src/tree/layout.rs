//! Layouts: which files an item gives and what they are called. The one place that decides it; folders, `lost+found`
//! and links only add what it says.

use std::cell::Cell;
use std::sync::LazyLock;

use super::Tree;
use super::ino::{MessagePath, Object};
use super::maildir;
use super::name::{self, ATTACHMENTS_SUFFIX};
use super::options::Attachments;
use super::template::{Template, Values};
use crate::convert::{ItemFormat, Moment, Title, moment};
use crate::error::Result;
use crate::ltp::tags;
use crate::messaging::{
    ContentsRow, ItemKind, MSGFLAG_HASATTACH, Message, MessageClass, Properties, State, Subject,
    TIMES,
};

/// What is said of a folder with items whose names are made of what damage may have changed.
const DOUBTFUL_NAMES: &str = "the names of some items are made of damaged properties; so an equal name of a sound item may have \
                              or lack the number of its node";

/// Names unless the user wants others; contacts have theirs.
static USUAL_NAMES: LazyLock<Template> = LazyLock::new(Template::default);

/// What an item gives: a file, and what lies beside it.
pub(super) struct Shown {
    /// What all names of the item begin with.
    pub(super) stem: String,
    /// How each name ends, and what is under it. The first is the item itself.
    pub(super) files: Vec<(String, Object)>,
}

impl Shown {
    /// How the names end.
    pub(super) fn endings(&self) -> Vec<&str> {
        self.files
            .iter()
            .map(|(ending, _)| ending.as_str())
            .collect()
    }
}

/// What is known of an item without its content.
struct Facts {
    kind: ItemKind,
    moment: Option<Moment>,
    /// The subject; the display name of a contact.
    title: String,
    flags: i32,
    state: State,
    from: String,
    to: String,
}

impl Tree {
    /// What the item of `row` gives.
    pub(super) fn show(&self, row: &ContentsRow) -> Shown {
        let facts = self.facts(row);
        let file = if self.is_damaged(row.nid) {
            Object::CheckedMessage(row.nid)
        } else {
            Object::Message(row.nid)
        };
        if self.is_maildir() {
            return Shown {
                stem: maildir::stem(facts.moment.map(Moment::start), row.nid),
                files: vec![(maildir::info(facts.flags, facts.state), file)],
            };
        }
        let format = self.converter.format(facts.kind);
        let mut files = vec![(format.extension().to_owned(), file)];
        if self.options.text && format != ItemFormat::Text {
            let text = ItemFormat::Text.extension();
            files.push((text.to_owned(), Object::Text(row.nid)));
        }
        // All attachments of a series may be changed instances, which are in its calendar.
        let may_have = || facts.kind != ItemKind::Appointment || self.has_attachments(row.nid);
        if facts.flags & MSGFLAG_HASATTACH != 0
            && self.options.attachments != Attachments::Eml
            && may_have()
        {
            let directory = Object::Attachments(MessagePath::top(row.nid));
            files.push((ATTACHMENTS_SUFFIX.to_owned(), directory));
        }
        Shown {
            stem: self.stem(row, &facts),
            files,
        }
    }

    fn stem(&self, row: &ContentsRow, facts: &Facts) -> String {
        let template = match &self.options.names {
            Some(template) => template,
            None if Title::of(facts.kind) == Title::DisplayName => {
                return name::contact_stem(&facts.title);
            }
            None => &USUAL_NAMES,
        };
        let values = Values {
            nid: row.nid,
            moment: facts.moment,
            subject: name::subject(&facts.title),
            from: &facts.from,
            to: &facts.to,
        };
        name::item_stem(&template.fill(&values, &self.options.zone))
    }

    /// What the row tells. If the table has no flags, no time, or not the people that the names want, the message is
    /// asked.
    fn facts(&self, row: &ContentsRow) -> Facts {
        let kind_of_row = row
            .message_class
            .as_deref()
            .map(|class| MessageClass::parse(class).kind);
        let by_date = self.options.names.is_some()
            || self.is_maildir()
            || kind_of_row.map(Title::of) != Some(Title::DisplayName);
        // When an appointment takes place, its message alone tells.
        let time = row
            .delivery
            .or(row.submit)
            .filter(|_| kind_of_row != Some(ItemKind::Appointment));
        let people = self.names_people();
        let lacks_people = people && (row.from.is_none() || row.to.is_none());
        let incomplete = row.flags.is_none() || (by_date && time.is_none()) || lacks_people;
        let asked = match incomplete {
            true => Asked::of(Message::open(&self.store, row.nid).ok()),
            false => Asked::nobody(),
        };
        // What is left of one that has no row that tells, and no properties, are subnodes.
        let is_lost = incomplete && asked.message.is_none() && row.flags.is_none();
        let lost = is_lost.then(|| self.with_row(row.nid));
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
            moment: time.map(Moment::Time).or_else(|| asked.moment(row)),
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
            let folder = self.parent_of(row.nid).unwrap_or_default();
            self.problems.note(Object::Folder(folder), DOUBTFUL_NAMES);
        }
        facts
    }

    /// When the item of `row` is, as its name says.
    pub(super) fn moment(&self, row: &ContentsRow) -> Option<Moment> {
        self.facts(row).moment
    }

    /// Whether the names tell of sender or recipients, so that listings need those columns.
    pub(super) fn names_people(&self) -> bool {
        let template = self.options.names.as_ref();
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

    /// When the item is; what `row` tells, if the message tells nothing better.
    fn moment(&self, row: &ContentsRow) -> Option<Moment> {
        let message = self.message.as_ref();
        if let Some(moment) = message.and_then(moment::appointment) {
            if message.is_some_and(moment::is_doubtful) {
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
