//! The fields that every item has: what it is, whom it is from and for, when it was sent, its text.

use super::hash::{ContentHash, Field, Hashes, ItemFields};
use super::properties;
use super::value::{sha256, squeezed};
use crate::convert::body;
use crate::convert::people::{Person, REPRESENTING, SENDER};
use crate::convert::room::{MAX_MESSAGES, Room, with_room};
use crate::convert::text::rtf::ATTACHMENT_MARK;
use crate::error::Error;
use crate::ltp::tags;
use crate::messaging::{MSGFLAG_READ, MSGFLAG_UNSENT, Message, RecipientType};

/// PidTagMessageClass of an item without one.
const CLASS: &str = "ipm.note";
/// What of PidTagMessageFlags people see, and set.
const STATE: i32 = MSGFLAG_READ | MSGFLAG_UNSENT;
/// The field that only what was sent has.
const SENT: &str = "sent";
/// The fields of recipients.
const RECIPIENTS: [(&str, RecipientType); 3] = [
    ("to", RecipientType::To),
    ("cc", RecipientType::Cc),
    ("bcc", RecipientType::Bcc),
];

impl ItemFields {
    /// Reads all of `message`. Never fails: what cannot be read is left out, and the item is damaged.
    pub fn of(message: &Message) -> Self {
        with_room(message, |message, room| Maker::new(room).make(message))
    }
}

/// Makes the fields of one message and of those within it.
pub(super) struct Maker<'a> {
    room: &'a mut Room,
    /// Messages that may still be read: a hostile one can embed the same message again and again.
    left: usize,
}

impl<'a> Maker<'a> {
    pub(super) fn new(room: &'a mut Room) -> Self {
        Self {
            room,
            left: MAX_MESSAGES,
        }
    }

    /// All fields of `message`, in the order of the recipe.
    pub(super) fn make(&mut self, message: &Message) -> ItemFields {
        let mut fields = head(message);
        let key = key(message, &fields);
        let is_sent = fields.iter().any(|field| field.name == SENT);
        add(&mut fields, "body", &self.body(message));
        add(&mut fields, "attachments", &self.attachments(message));
        add_state(&mut fields, message);
        // What was sent is told by its fields; the rest is what one mailbox adds.
        let is_told = is_sent && message.class().kind.is_mail();
        fields.extend(properties::of(message, !is_told));
        message.note_circumstances();
        ItemFields {
            fields,
            key,
            is_damaged: !message.problems().is_empty(),
        }
    }

    /// The hashes of the message in an attachment; None if there are too many. What is wrong with it is known to the message
    /// around it.
    pub(super) fn embedded(&mut self, message: &Message) -> Option<Hashes> {
        let Some(left) = self.left.checked_sub(1) else {
            too_much(message, format_args!("more than {MAX_MESSAGES} messages"));
            return None;
        };
        self.left = left;
        Some(self.make(message).hashes())
    }

    fn body(&mut self, message: &Message) -> String {
        if !self.room.take(message) {
            too_much(message, format_args!("too much text within one item"));
            return String::new();
        }
        let text = body::best(message).text.unwrap_or_default();
        // Where the text shows an attachment, it adds nothing.
        squeezed(&text.replace(ATTACHMENT_MARK, ""))
    }
}

fn too_much(message: &Message, problem: std::fmt::Arguments<'_>) {
    let error = Error::corrupt("content hash", message.nid(), problem);
    message.problems().note_error("", &error);
}

/// Adds a field of the content, unless it is empty.
fn add(fields: &mut Vec<Field>, name: &str, value: &str) {
    if !value.is_empty() {
        fields.push(Field {
            name: name.to_owned(),
            value: sha256(value.as_bytes()),
            is_content: true,
        });
    }
}

/// Class, subject, sender, time and recipients.
fn head(message: &Message) -> Vec<Field> {
    let properties = message.properties();
    // What cannot be read is noted by the properties.
    let class = properties.string(tags::MESSAGE_CLASS).ok().flatten();
    let class = class.map_or_else(|| CLASS.to_owned(), |class| class.to_lowercase());
    let subject = message.subject().ok().flatten();
    let subject = subject.map_or_else(String::new, |subject| squeezed(&subject.text));
    let from = [&REPRESENTING, &SENDER]
        .into_iter()
        .map(|role| address(&Person::of_role(properties, role)))
        .find(|address| !address.is_empty());
    let seconds = |id: u16| {
        let time = properties.time(id).ok().flatten();
        time.map_or_else(String::new, |time| time.unix_seconds().to_string())
    };
    let mut fields = Vec::new();
    add(&mut fields, "class", &squeezed(&class));
    add(&mut fields, "subject", &subject);
    add(&mut fields, "from", &from.unwrap_or_default());
    add(&mut fields, SENT, &seconds(tags::CLIENT_SUBMIT_TIME));
    let recipients = message.recipients();
    for (name, kind) in RECIPIENTS {
        let those = recipients
            .iter()
            .filter(|one| one.recipient_type() == kind)
            .map(|one| address(&Person::of_recipient(one, properties.code_page())));
        let mut lines: Vec<String> = those.map(|address| format!("{address}\n")).collect();
        lines.sort_unstable();
        add(&mut fields, name, &lines.concat());
    }
    fields
}

/// What a copy has in common with others whatever becomes of it.
fn key(message: &Message, head: &[Field]) -> ContentHash {
    let properties = message.properties();
    let search = properties.binary(tags::SEARCH_KEY).ok().flatten();
    if let Some(key) = search {
        return ContentHash::of([&b"search key\n"[..], &key]);
    }
    let id = properties.string(tags::INTERNET_MESSAGE_ID).ok().flatten();
    if let Some(id) = id {
        return ContentHash::of([&b"message id\n"[..], id.as_bytes()]);
    }
    let telling = ["class", "subject", "from", SENT];
    let head = head
        .iter()
        .filter(|field| telling.contains(&field.name.as_str()));
    let lines: Vec<String> = head.map(Field::line).collect();
    ContentHash::of(lines.iter().map(String::as_bytes))
}

/// What is no content: whether somebody has read it, and when it came.
fn add_state(fields: &mut Vec<Field>, message: &Message) {
    let properties = message.properties();
    let flags = properties.integer(tags::MESSAGE_FLAGS).ok().flatten();
    let flags = flags.map_or(0, |flags| flags & STATE);
    let received = properties.time(tags::MESSAGE_DELIVERY_TIME).ok().flatten();
    let states = [
        ("state", (flags != 0).then_some(i64::from(flags))),
        ("received", received.map(|time| time.unix_seconds())),
    ];
    for (name, value) in states {
        let value = value.map(|value| value.to_string());
        fields.extend(value.map(|value| Field {
            name: name.to_owned(),
            value: sha256(value.as_bytes()),
            is_content: false,
        }));
    }
}

/// By what `person` is known, in lower case: the SMTP address, else the name in an Exchange directory, else any other
/// address, else the name. Nobody else is asked: an address book depends on the file.
fn address(person: &Person<'_>) -> String {
    let known = person
        .smtp()
        .or_else(|| person.distinguished_name())
        .or_else(|| person.address_or_name());
    squeezed(&known.unwrap_or_default()).to_lowercase()
}
