//! One item with any properties, recipients and attachments, as the files that are made of it.

use ostfs::tree::{Kind, Tree};

use super::image::{Image, Record};
use super::scratch::Scratch;
use super::{promises, tree};
use crate::support::message::{Name, ps_guid};
use crate::support::value::{Stored, Text};
use crate::support::*;

/// Kinds of records. Property of the message, the recipient, the attachment: `type << 16 | id`. Named property: the
/// same with a number for the id, and the number of its set. Recipient, attachment: a new one; its data is the payload.
pub const PROPERTY: u8 = 0;
pub const NAMED: u8 = 1;
pub const RECIPIENT: u8 = 2;
pub const OF_RECIPIENT: u8 = 3;
pub const ATTACHMENT: u8 = 4;
pub const OF_ATTACHMENT: u8 = 5;
pub const TEXT_NAMED: u8 = 6;
const KINDS: u8 = 7;

pub const SETS: [[u8; 16]; 12] = [
    PS_MAPI,
    PS_PUBLIC_STRINGS,
    PS_INTERNET_HEADERS,
    PSETID_APPOINTMENT,
    PSETID_TASK,
    PSETID_ADDRESS,
    PSETID_COMMON,
    PSETID_LOG,
    PSETID_NOTE,
    PSETID_MEETING,
    ps_guid(0x0006_2040),
    ps_guid(0x0006_2041),
];
/// Names of string-named properties.
pub const NAMES: [&str; 8] = [
    "Keywords",
    "content-class",
    "x-mailer",
    "list-id",
    "received",
    "subject",
    "content-type",
    "x-sharing-title",
];
const MOST_RECORDS: usize = 200;
/// What the input may try to put into a header.
const MARK: &str = "x-evil";
const TRANSPORT_HEADERS: u16 = 0x007D;

pub fn run(data: &[u8]) {
    let image = Image::parse(data);
    walk(&image, [message(&image)]);
}

/// Writes the messages and walks the tree that shows them.
pub fn walk<const N: usize>(image: &Image, messages: [Message; N]) {
    let scratch = Scratch::new();
    let mut options = Options::new(image.format(), image.crypt());
    options.round_up = false;
    options.compress = false;
    let mut writer = Writer::create(&scratch.path, options).expect("created");
    let inbox = writer.folder(writer.ipm_subtree(), "Inbox");
    let may_have_mark = messages.iter().any(has_mark);
    for message in &messages {
        writer.message(inbox, message).expect("written");
    }
    writer.finish().expect("finished");
    let opened = Tree::open(&scratch.path, &tree::options(image)).expect("it opens");
    let walked = promises::walk_tree(&opened);
    let items = walked.files.iter().filter(|(path, _)| {
        let ends = [".eml", ".ics", ".vcf", ".txt"];
        path.rsplit('/').nth(1) == Some("Inbox")
            && !path.starts_with("/.ostfs/")
            && ends.iter().any(|end| path.ends_with(end))
    });
    assert!(walked.is_cut || items.count() == N, "{walked:#?}");
    if !may_have_mark {
        no_field_of_the_mark(&opened);
    }
}

/// Whether fields of that name are what the message asks for.
fn has_mark(message: &Message) -> bool {
    let headers = message.props.get(&TRANSPORT_HEADERS);
    headers.is_some()
        || message
            .attachments
            .iter()
            .any(|attachment| !matches!(&attachment.content, Content::None))
}

fn no_field_of_the_mark(tree: &Tree) {
    let Some(inbox) = tree
        .lookup(ostfs::tree::Ino::ROOT, "Inbox".as_ref())
        .ok()
        .flatten()
    else {
        return;
    };
    let listing = tree.directory(inbox).expect("it was listed before");
    for entry in listing.entries() {
        if entry.kind != Kind::File
            || !entry.name.ends_with(".eml")
            || promises::is_note(tree, entry.ino)
        {
            continue;
        }
        let mut head = vec![0; 1 << 18];
        let Ok(count) = tree.read_at(entry.ino, 0, &mut head) else {
            continue;
        };
        // The name is that of a mail, the content may be a contact.
        if count == head.len() || head.starts_with(b"BEGIN:V") {
            continue;
        }
        for field in promises::fields(&entry.name, &head[..count]) {
            let name = field.split(':').next().unwrap_or_default();
            assert!(!name.eq_ignore_ascii_case(MARK), "{field}");
        }
    }
}

fn value(word: u32, payload: &[u8]) -> Value {
    let ptype = (word >> 16) as u16;
    let mut bytes = payload.to_vec();
    // The writer takes values of fixed size only as they are; those of four bytes or less stand in the record itself.
    match ptype {
        2 | 3 | 4 | 0xA | 0xB => bytes.resize(4, 0),
        5 | 6 | 7 | 0x14 | 0x40 => bytes.resize(8, 0),
        0x48 => bytes.resize(16, 0),
        _ => {}
    }
    Value::Raw(ptype, bytes)
}

const TEXT: Text = Text {
    wide: true,
    code_page: 1252,
};

/// The message of an image.
pub fn message(image: &Image) -> Message {
    let mut message = Message::default();
    for record in image.records.iter().take(MOST_RECORDS) {
        let Record { words, payload, .. } = record;
        let id = words[0] as u16;
        let value = value(words[0], payload);
        match record.kind % KINDS {
            PROPERTY => _ = message.props.insert(id, value),
            NAMED => {
                let key = (set(words[1]), Name::Id(id.into()));
                message.named.push((key, value));
            }
            TEXT_NAMED => {
                let name = NAMES[usize::from(id) % NAMES.len()];
                let key = (set(words[1]), Name::Text(name.into()));
                message.named.push((key, value));
            }
            RECIPIENT => message.recipients.push(Props::new()),
            OF_RECIPIENT => {
                if let Some(recipient) = message.recipients.last_mut() {
                    recipient.insert(id, value);
                }
            }
            ATTACHMENT => {
                let data = Payload::from(payload.clone());
                let attachment = match words[0] % 4 {
                    0 => Attachment::data("data.bin", data),
                    1 => Attachment::message(embedded(payload)),
                    2 => Attachment::ole("object", data),
                    _ => Attachment::reference(7, "https://north.example/file"),
                };
                message = message.attach(attachment);
            }
            _ => {
                if let Some(attachment) = message.attachments.last_mut() {
                    attachment.props.insert(id, value);
                }
            }
        }
    }
    message.named.sort_by(|a, b| a.0.cmp(&b.0));
    message.named.dedup_by(|a, b| a.0 == b.0);
    message
}

fn set(word: u32) -> [u8; 16] {
    SETS[word as usize % SETS.len()]
}

/// A message within the message: its subject and its text.
fn embedded(payload: &[u8]) -> Message {
    let text = String::from_utf8_lossy(payload);
    Message::mail(&text).body(&text)
}

/// The image of a message.
pub fn image(format: Format, message: &Message) -> Image {
    let mut image = Image {
        head: Image::head_of(format, Crypt::None),
        ..Image::default()
    };
    let mut put = |kind: u8, set: u32, id: u16, value: &Value| {
        let word = u32::from(value.ptype(TEXT)) << 16 | u32::from(id);
        let payload = match value.stored(TEXT) {
            Stored::Inline(word) => word.to_le_bytes().to_vec(),
            Stored::Bytes(bytes) => bytes,
            Stored::Stream(payload) => payload.to_vec(),
        };
        image.push(kind, [word, set, 0], payload);
    };
    for (id, value) in &message.props {
        put(PROPERTY, 0, *id, value);
    }
    for ((guid, name), value) in &message.named {
        let set = SETS
            .iter()
            .position(|known| known == guid)
            .expect("a known set") as u32;
        match name {
            Name::Id(id) => put(NAMED, set, *id as u16, value),
            Name::Text(text) => {
                let index = NAMES.iter().position(|known| known == text).unwrap_or(0);
                put(TEXT_NAMED, set, index as u16, value);
            }
        }
    }
    for recipient in &message.recipients {
        put(RECIPIENT, 0, 0, &Value::Bin(Vec::new()));
        for (id, value) in recipient {
            put(OF_RECIPIENT, 0, *id, value);
        }
    }
    for attachment in &message.attachments {
        let (kind, payload) = match &attachment.content {
            Content::None => (3, Vec::new()),
            Content::Data(data) => (0, data.to_vec()),
            Content::Message(_) => (1, b"Within".to_vec()),
            Content::Ole(data) => (2, data.to_vec()),
        };
        put(ATTACHMENT, 0, kind, &Value::Bin(payload));
        for (id, value) in &attachment.props {
            put(OF_ATTACHMENT, 0, *id, value);
        }
    }
    image
}
