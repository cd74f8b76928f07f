//! Layouts: which files an item gives and what they are called. The one place that decides it; folders, `lost+found`
//! and links only add what it says.

use std::sync::LazyLock;

use super::Tree;
use super::ino::{MessagePath, Object};
use super::maildir;
use super::name::{self, ATTACHMENTS_SUFFIX};
use super::options::Attachments;
use super::template::{Template, Values};
use crate::convert::{ItemFormat, Title};
use crate::ltp::{FileTime, tags};
use crate::messaging::{ContentsRow, ItemKind, MSGFLAG_HASATTACH, Message, MessageClass, State};

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
    time: Option<FileTime>,
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
                stem: maildir::stem(facts.time, row.nid),
                files: vec![(maildir::info(facts.flags, facts.state), file)],
            };
        }
        let format = self.converter.format(facts.kind);
        let mut files = vec![(format.extension().to_owned(), file)];
        if self.options.text && format != ItemFormat::Text {
            let text = ItemFormat::Text.extension();
            files.push((text.to_owned(), Object::Text(row.nid)));
        }
        if facts.flags & MSGFLAG_HASATTACH != 0 && self.options.attachments != Attachments::Eml {
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
            time: facts.time,
            subject: name::subject(&facts.title),
            from: &facts.from,
            to: &facts.to,
        };
        name::item_stem(&template.fill(&values, &self.options.zone))
    }

    /// What the row tells. If the table has no flags, no time, or not the people that the names want, the message is
    /// asked.
    fn facts(&self, row: &ContentsRow) -> Facts {
        let title = |class: &str| Title::of(MessageClass::parse(class).kind);
        let by_date = self.options.names.is_some()
            || self.is_maildir()
            || row.message_class.as_deref().map(title) != Some(Title::DisplayName);
        let time = row.delivery.or(row.submit);
        let people = self.names_people();
        let lacks_people = people && (row.from.is_none() || row.to.is_none());
        let incomplete = row.flags.is_none() || (by_date && time.is_none()) || lacks_people;
        let message = incomplete
            .then(|| Message::open(&self.store, row.nid).ok())
            .flatten();
        let properties = message.as_ref().map(Message::properties);
        let string = |id: u16| {
            properties.and_then(|properties| properties.start_of_string(id).ok().flatten())
        };
        let class = row
            .message_class
            .clone()
            .or_else(|| string(tags::MESSAGE_CLASS))
            .unwrap_or_default();
        let kind = MessageClass::parse(&class).kind;
        let display_name = || {
            let own = || string(tags::DISPLAY_NAME).filter(|name| !name.is_empty());
            (Title::of(kind) == Title::DisplayName)
                .then(|| row.display_name.clone().or_else(own))
                .flatten()
        };
        let subject = || {
            let own = || message.as_ref()?.start_of_subject().ok().flatten();
            row.subject.clone().or_else(own).map(|subject| subject.text)
        };
        let title = display_name().or_else(subject).unwrap_or_default();
        let flags = row
            .flags
            .or_else(|| properties.and_then(|own| own.integer(tags::MESSAGE_FLAGS).ok().flatten()));
        let person = |known: &Option<String>, id: u16| {
            let wanted = || people.then(|| string(id)).flatten();
            known.clone().or_else(wanted).unwrap_or_default()
        };
        let state = properties.map(|own| State::of(|id| own.integer(id).ok().flatten()));
        let facts = Facts {
            state: state.unwrap_or(row.state),
            time: time.or_else(|| message.as_ref().and_then(Message::time)),
            title,
            flags: flags.unwrap_or(0),
            from: person(&row.from, tags::SENT_REPRESENTING_NAME),
            to: person(&row.to, tags::DISPLAY_TO),
            kind,
        };
        let is_sound = message
            .as_ref()
            .is_some_and(|asked| asked.problems().is_empty());
        if incomplete && !is_sound {
            // Of equal names, all but one have the number of their node: another item may have another name for this.
            let folder = self.parent_of(row.nid).unwrap_or_default();
            let text = format_args!("the name of {} comes from a damaged message", row.nid);
            self.problems.note(Object::Folder(folder), text);
        }
        facts
    }

    /// Whether the names tell of sender or recipients, so that listings need those columns.
    pub(super) fn names_people(&self) -> bool {
        let template = self.options.names.as_ref();
        template.is_some_and(Template::names_people)
    }
}
