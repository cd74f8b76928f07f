//! Mailboxes as a strategy makes them, and the files that the writer of the tests makes of them.

use std::path::PathBuf;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tempfile::TempDir;

use crate::support::{
    Attachment, Crypt, Folders, Format, Message, Payload, Store, Value, component, compound_file,
    filetime,
};
use crate::text;

/// A mailbox: folders, each below an earlier one or at the top, and items in them.
#[derive(Debug, Clone)]
pub struct Mailbox {
    pub format: Format,
    pub crypt: Crypt,
    folders: Vec<(Index, String)>,
    items: Vec<(Index, Item)>,
}

#[derive(Debug, Clone)]
struct Item {
    kind: Kind,
    subject: String,
    body: Body,
    /// Sender and recipients.
    people: Vec<(String, String)>,
    attachments: Vec<Attached>,
    time: Option<u64>,
    is_unread: bool,
    /// The contents table lacks its subject.
    without_row: bool,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Mail,
    Appointment,
    Contact,
    Task,
    Note,
    Journal,
    List,
    Document,
    Post,
    Hidden,
}

const KINDS: [Kind; 13] = [
    Kind::Mail,
    Kind::Mail,
    Kind::Mail,
    Kind::Mail,
    Kind::Appointment,
    Kind::Contact,
    Kind::Task,
    Kind::Note,
    Kind::Journal,
    Kind::List,
    Kind::Document,
    Kind::Post,
    Kind::Hidden,
];

#[derive(Debug, Clone)]
enum Body {
    None,
    Text(String),
    Html(String),
    Rtf(String),
    Both(String),
}

#[derive(Debug, Clone)]
struct Attached {
    name: String,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Bytes { length: u64, seed: u64 },
    Text(String),
    Item(Box<Item>),
    Path,
    Ole(u64),
}

/// Where values, lines and blocks end: groups and lines of base64, values in heaps, blocks of the formats.
const LIMITS: [u64; 8] = [57, 76, 512, 3_580, 8_176, 8_180, 2 * 8_176, 65_512];

/// A size of a few bytes, or near a limit.
fn size() -> impl Strategy<Value = u64> {
    let near = (select(&LIMITS[..]), 0_u64..7).prop_map(|(limit, more)| limit + more - 3);
    prop_oneof![2 => 0_u64..200, 2 => near, 1 => 0_u64..100_000]
}

/// A FILETIME that Outlook, or a fault, may have left.
fn time() -> impl Strategy<Value = u64> {
    let usual = (2000_i64..2030, 1_i64..13, 1_i64..29, 0_i64..24)
        .prop_map(|(year, month, day, hour)| filetime(year, month, day, hour, 7));
    let unusual = [
        0,
        1,
        filetime(1899, 12, 30, 0, 0),
        filetime(4500, 8, 31, 23, 59),
        u64::MAX,
    ];
    prop_oneof![8 => usual, 1 => select(unusual.to_vec())]
}

fn markup() -> impl Strategy<Value = String> {
    text::body().prop_map(|text| format!("<html><body><p>{text}</p></body></html>"))
}

fn rtf() -> impl Strategy<Value = String> {
    let escaped = |text: String| {
        text.replace(['\\', '{', '}'], " ")
            .replace(|c: char| !c.is_ascii(), "?")
    };
    text::body().prop_map(move |text| format!("{{\\rtf1\\ansi {{\\b x}}{}\\par}}", escaped(text)))
}

fn content(depth: u32) -> BoxedStrategy<Content> {
    let plain = prop_oneof![
        6 => (size(), any::<u64>()).prop_map(|(length, seed)| Content::Bytes { length, seed }),
        2 => text::body().prop_map(Content::Text),
        1 => Just(Content::Path),
        1 => (0_u64..20_000).prop_map(Content::Ole),
    ];
    match depth {
        0 => plain.boxed(),
        _ => prop_oneof![
            5 => plain,
            1 => item(depth - 1).prop_map(|item| Content::Item(Box::new(item))),
        ]
        .boxed(),
    }
}

fn body_of_item() -> impl Strategy<Value = Body> {
    prop_oneof![
        1 => Just(Body::None),
        4 => text::body().prop_map(Body::Text),
        2 => markup().prop_map(Body::Html),
        1 => rtf().prop_map(Body::Rtf),
        1 => markup().prop_map(Body::Both),
    ]
}

/// An item with at most `depth` levels of messages in messages.
fn item(depth: u32) -> BoxedStrategy<Item> {
    let attached = (text::name(), content(depth));
    let attached = attached.prop_map(|(name, content)| Attached { name, content });
    let parts = (
        select(&KINDS[..]),
        text::name(),
        body_of_item(),
        vec((text::name(), text::short()), 0..4),
        vec(attached, 0..3),
        weighted(0.9, time()),
        any::<bool>(),
        proptest::bool::weighted(0.1),
    );
    let made = parts.prop_map(
        |(kind, subject, body, people, attachments, time, is_unread, without_row)| Item {
            kind,
            subject,
            body,
            people,
            attachments,
            time,
            is_unread,
            without_row,
        },
    );
    made.boxed()
}

/// Any mailbox of up to `most` items.
pub fn mailbox(most: usize) -> impl Strategy<Value = Mailbox> {
    let crypts = [Crypt::None, Crypt::Permute, Crypt::Cyclic];
    let parts = (
        select(Format::ALL.to_vec()),
        select(crypts.to_vec()),
        vec((any::<Index>(), text::name()), 0..6),
        vec((any::<Index>(), item(2)), 0..=most),
    );
    parts.prop_map(|(format, crypt, folders, items)| Mailbox {
        format,
        crypt,
        folders,
        items,
    })
}

impl Mailbox {
    /// The file of it, with the directory that holds it.
    pub fn written(&self) -> (TempDir, PathBuf) {
        let mut store = Store::new(self.format, self.crypt);
        let mut folders = vec![store.ipm_subtree()];
        for (above, name) in &self.folders {
            let above = *above.get(&folders);
            folders.push(store.folder(above, name.as_str()));
        }
        let mut found = Vec::new();
        for (folder, item) in &self.items {
            found.push(store.message(*folder.get(&folders), item.message()));
        }
        store.search_folder("Found", &found);
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("mailbox.pst");
        store.write(&path).unwrap();
        (directory, path)
    }
}

impl Item {
    fn message(&self) -> Message {
        let time = self.time.unwrap_or(filetime(2024, 5, 1, 9, 32));
        let subject = self.subject.as_str();
        let message = match self.kind {
            Kind::Mail => Message::mail(subject),
            Kind::Appointment => Message::appointment(subject, time, time, "Room"),
            Kind::Contact => Message::contact(subject, "Doe", "jane@west.example"),
            Kind::Task => Message::task(subject, time, time, 0.5),
            Kind::Note => Message::sticky_note(subject),
            // It ends 30 minutes later.
            Kind::Journal => Message::journal(subject, "Call", time.min(u64::MAX / 2), 30),
            Kind::List => Message::distribution_list(subject, &[("Ann", "ann@north.example")]),
            Kind::Document => Message::new("IPM.Document.txt", subject),
            Kind::Post => Message::new("IPM.Post", subject),
            Kind::Hidden => Message::new("IPM.Configuration.Any", subject).associated(),
        };
        let message = match self.time {
            Some(time) => message.time(time),
            None => [0x0E06, 0x0039, 0x3007, 0x3008]
                .into_iter()
                .fold(message, Message::without),
        };
        let message = match &self.body {
            Body::None => message,
            Body::Text(text) => message.body(text),
            Body::Html(html) => message.html(html),
            Body::Rtf(rtf) => message.rtf(rtf),
            Body::Both(html) => message.html(html).body("The same as text\r\n"),
        };
        let message = match self.people.split_first() {
            None => message,
            Some(((name, address), others)) => others
                .iter()
                .fold(message.from(name, address), |message, (name, address)| {
                    message.to(name, address)
                }),
        };
        let message = if self.is_unread {
            message.unread()
        } else {
            message
        };
        let message = match self.without_row {
            true => message.row(0x0037, None::<Value>),
            false => message,
        };
        self.attachments.iter().fold(message, |message, attached| {
            message.attach(attached.attachment())
        })
    }
}

impl Attached {
    fn attachment(&self) -> Attachment {
        let name = self.name.as_str();
        match &self.content {
            Content::Bytes { length, seed } => {
                Attachment::data(name, Payload::random(*length, *seed))
            }
            Content::Text(text) => Attachment::data(name, text.as_str()),
            Content::Item(item) => Attachment::message(item.message()),
            Content::Path => Attachment::reference(2, "\\\\server\\share\\report.docx"),
            Content::Ole(length) => {
                let data = Payload::random(*length, 1).to_vec();
                Attachment::ole(
                    name,
                    compound_file(component(0x0003_000C), &[("\u{3}Data", &data)]),
                )
            }
        }
    }
}
