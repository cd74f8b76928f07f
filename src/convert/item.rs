//! Items in their own format.
#![forbid(unsafe_code)]

use std::ops::Range;

use super::context::Context;
use super::item_format::{ItemFormat, Title, note_no_date};
use super::options::VcardVersion;
use super::parts::Parts;
use super::people::{Resolve, Resolved};
use super::reader::Reader;
use super::{attachment, calendar, contact, note};
use crate::ltp::tags;
use crate::messaging::{ItemKind, Message};

/// What an item needs from outside.
#[derive(Clone, Copy)]
pub struct ItemOptions<'a> {
    /// Which vCard is written.
    pub vcard: VcardVersion,
    /// Finds the person with an Exchange distinguished name, which is in lower case.
    pub resolve: &'a Resolve<'a>,
}

/// An item as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is a file of; never mail.
    pub format: ItemFormat,
    /// The content.
    pub text: String,
    /// What of it stands where, if several items make one file.
    pub parts: Parts,
    /// What could not be read, or may be wrong; it is in the text as well.
    pub problems: Vec<String>,
}

impl Item {
    /// The problems of a calendar, as lines.
    pub fn problem_lines(&self) -> &str {
        self.part(&self.parts.problems)
    }

    /// The zones of a calendar: TZID and component.
    pub fn zones(&self) -> impl Iterator<Item = (&str, &str)> {
        let zones = self.parts.zones.iter();
        zones.map(|(id, at)| (id.as_str(), self.part(at)))
    }

    /// The item itself, without what is around it.
    pub fn own_part(&self) -> &str {
        self.part(&self.parts.own)
    }

    fn part(&self, at: &Range<usize>) -> &str {
        self.text.get(at.clone()).unwrap_or_default()
    }
}

/// The file that a document is. [MS-OXODOC]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Which of the attachments it is.
    pub index: u32,
    /// Its name as the message has it; not yet fit for a file system.
    pub name: String,
    /// Whether the message has other attachments.
    pub has_others: bool,
}

/// The file that `message` is: the first of the attachments of a document. None for all else, and for a document without one.
pub(super) fn document(message: &Message) -> Option<Document> {
    if message.class().kind != ItemKind::Document {
        return None;
    }
    let items = attachments(message);
    let is_file =
        |item: &attachment::Item| !matches!(item.content, attachment::Content::Message(_));
    let (index, file) = (0..).zip(&items).find(|(_, item)| is_file(item))?;
    Some(Document {
        index,
        name: file.name.clone(),
        has_others: items.len() > 1,
    })
}

/// `message` in its own format, if it is an appointment, contact, distribution list, task, journal entry or note; None
/// for all else. Never fails: what cannot be read is a problem.
pub fn item(message: &Message, options: &ItemOptions<'_>) -> Option<Item> {
    let kind = message.class().kind;
    let write: &dyn Fn(&Reader<'_>) -> (String, Parts) = match kind {
        ItemKind::Appointment => &calendar::event,
        ItemKind::Task => &calendar::task,
        ItemKind::Journal => &calendar::journal,
        ItemKind::Contact => &|reader| Parts::whole(contact::person(reader, options.vcard)),
        ItemKind::DistributionList => &|reader| Parts::whole(contact::list(reader, options.vcard)),
        ItemKind::Note => &|reader| Parts::whole(note::text(reader)),
        ItemKind::Mail
        | ItemKind::FeedArticle
        | ItemKind::Sharing
        | ItemKind::OutOfOffice
        | ItemKind::Document
        | ItemKind::Report(_)
        | ItemKind::Meeting(_)
        | ItemKind::TaskCommunication
        | ItemKind::Other => return None,
    };
    let reader = Reader::new(message, options.resolve);
    if Title::of(kind) == Title::DateAndSubject && reader.modified().is_none() {
        note_no_date(message);
    }
    let (text, parts) = write(&reader);
    Some(Item {
        format: ItemFormat::of(kind),
        text,
        parts,
        problems: reader.problems(),
    })
}

/// What `message` of a `kind` is called, as its file is named: a contact by its name, all else by its subject. None if nothing
/// tells.
pub fn title(kind: ItemKind, message: &Message) -> Option<String> {
    let start = |id: u16| message.properties().start_of_string(id).ok().flatten();
    let reader = || Reader::new(message, &|_| Resolved::default());
    match Title::of(kind) {
        Title::DisplayName => start(tags::DISPLAY_NAME).or_else(|| {
            let is_list = kind == ItemKind::DistributionList;
            let name = if is_list {
                contact::list_name
            } else {
                contact::name
            };
            name(&reader())
        }),
        Title::DateAndSubject => {
            let stored = message.subject().ok().flatten();
            let stored = stored.map(|subject| subject.text);
            let stored = stored.filter(|subject| !subject.is_empty());
            let normalized = || {
                let rest = start(tags::NORMALIZED_SUBJECT)?;
                Some(start(tags::SUBJECT_PREFIX).unwrap_or_default() + &rest)
            };
            stored
                .or_else(normalized)
                .or_else(|| start(tags::CONVERSATION_TOPIC))
        }
    }
}

/// The attachments of `message` but those that are in its calendar as changed instances.
pub(super) fn attachments(message: &Message) -> Vec<attachment::Item> {
    let mut items = attachment::list(message);
    if items.iter().any(|item| item.is_hidden) && calendar::has_instances(message) {
        items.retain(|item| !item.is_hidden);
    }
    items
}

/// As [`item`], with the choices and the address book of `context`.
pub(super) fn of_message(context: &Context, message: &Message) -> Option<Item> {
    let options = ItemOptions {
        vcard: context.options.vcard,
        resolve: &|name| context.resolve(name),
    };
    item(message, &options)
}
