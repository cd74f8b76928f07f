//! The table of columns of a manifest: their names, what they mean, where their values come from. What is written as CSV, as
//! JSON and for review tools, the help and docs/MANIFEST.md are made from it. A new column goes to its end.
#![forbid(unsafe_code)]

use std::collections::HashSet;
use std::ops::Deref;

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::hashes::{hexadecimal, identification};
use super::record::Record;
use super::value::Value;
use crate::convert::{Moment, Particulars, mailboxes as parted};
use crate::ltp::FileTime;

/// A column of a manifest.
pub struct Column {
    /// Its name in the first line of a table, and in JSON.
    pub name: &'static str,
    /// The field of it in a load file, by the name that review tools know; empty if it has none.
    pub field: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Where the value comes from.
    pub source: &'static str,
    value: fn(&Record) -> Value<'_>,
}

impl Column {
    /// What `record` has in it.
    pub(super) fn value<'a>(&self, record: &'a Record) -> Value<'a> {
        (self.value)(record)
    }
}

/// All columns, in their order.
pub static COLUMNS: &[Column] = &[
    Column {
        name: "path",
        field: "NATIVEPATH",
        meaning: "path of the file below DIR; of a source, as it was typed",
        source: "the tree",
        value: |record| Value::Path(&record.path),
    },
    Column {
        name: "nid",
        field: "",
        meaning: "node of the item, also on its attachments",
        source: "node B-tree",
        value: |record| Value::text(&record.nid),
    },
    Column {
        name: "folder",
        field: "ITEMPATH",
        meaning: "path of the folder",
        source: "the tree",
        value: |record| Value::Path(&record.folder),
    },
    Column {
        name: "date",
        field: "SORTDATE",
        meaning: "delivery, else submission, else creation; of an appointment or journal entry, when it takes place (RFC 3339, UTC)",
        source: "the properties of `received`, `sent`, `created`; PidLidAppointmentStartWhole; PidLidLogStart",
        value: |record| Value::made(record.moment.and_then(Moment::iso8601)),
    },
    Column {
        name: "from",
        field: "FROM",
        meaning: "From, decoded",
        source: "header of the item as mail",
        value: |record| mailboxes(record, |item| &item.from),
    },
    Column {
        name: "to",
        field: "TO",
        meaning: "To, decoded",
        source: "header of the item as mail",
        value: |record| mailboxes(record, |item| &item.to),
    },
    Column {
        name: "subject",
        field: "SUBJECT",
        meaning: "subject, or name of a contact",
        source: "PidTagSubject, PidTagDisplayName",
        value: |record| {
            let subject = record.item.as_ref().map(|item| &item.summary.subject);
            Value::text(subject.map_or("", Deref::deref))
        },
    },
    Column {
        name: "class",
        field: "ITEMCLASS",
        meaning: "message class; of other files `attachment`, `text` or `source`",
        source: "PidTagMessageClass",
        value: |record| Value::text(&record.class),
    },
    Column {
        name: "size",
        field: "FILESIZE",
        meaning: "bytes of the file",
        source: "the file as it is written",
        value: |record| Value::number(record.size),
    },
    Column {
        name: "sha256",
        field: "SHA256HASH",
        meaning: "SHA-256 of the file; empty if it could not be read, or by --no-hash",
        source: "the file as it is written",
        value: |record| Value::text(&record.hashes.sha256),
    },
    Column {
        name: "problems",
        field: "PROBLEMS",
        meaning: "what could not be read",
        source: "reading it",
        value: |record| Value::made(Some(record.problems.join("; "))),
    },
    Column {
        name: "custodian",
        field: "CUSTODIAN",
        meaning: "whose mail it is",
        source: "--custodian",
        value: |record| Value::text(&record.custodian),
    },
    Column {
        name: "family",
        field: "",
        meaning: "path of the item that the file is, or belongs to: the same for all of a family",
        source: "the tree",
        value: |record| Value::Path(&record.family),
    },
    Column {
        name: "parent",
        field: "",
        meaning: "path of the file that this one is attached to",
        source: "the tree",
        value: |record| Value::Path(&record.parent),
    },
    Column {
        name: "text_path",
        field: "TEXTPATH",
        meaning: "path of the text of the item, with -o text",
        source: "the tree",
        value: |record| Value::Path(&record.text_path),
    },
    Column {
        name: "cc",
        field: "CC",
        meaning: "Cc, decoded",
        source: "header of the item as mail",
        value: |record| mailboxes(record, |item| &item.cc),
    },
    Column {
        name: "bcc",
        field: "BCC",
        meaning: "Bcc, decoded, also of a message that arrived",
        source: "header of the item as mail: Bcc, X-Ostfs-Bcc",
        value: |record| mailboxes(record, |item| &item.bcc),
    },
    Column {
        name: "sent",
        field: "DATESENT",
        meaning: "when it was sent (RFC 3339, UTC)",
        source: "PidTagClientSubmitTime",
        value: |record| time(record, |item| item.sent),
    },
    Column {
        name: "received",
        field: "DATERCVD",
        meaning: "when it was delivered",
        source: "PidTagMessageDeliveryTime",
        value: |record| time(record, |item| item.received),
    },
    Column {
        name: "created",
        field: "DATECREATED",
        meaning: "when it was made",
        source: "PidTagCreationTime",
        value: |record| time(record, |item| item.created),
    },
    Column {
        name: "modified",
        field: "DATELASTMOD",
        meaning: "when it was changed last",
        source: "PidTagLastModificationTime",
        value: |record| time(record, |item| item.modified),
    },
    Column {
        name: "message_id",
        field: "MESSAGEID",
        meaning: "Message-ID with its angle brackets",
        source: "header of the item as mail",
        value: |record| text(record, |item| &item.message_id),
    },
    Column {
        name: "message_id_made_up",
        field: "MESSAGEIDMADEUP",
        meaning: "whether the item had no Message-ID, so that ostfs made one up: no key to know the same mail by",
        source: "its form, `<ostfs-...@localhost.invalid>`",
        value: |record| {
            let item = particulars(record).filter(|item| !item.message_id.is_empty());
            Value::Truth(item.map(|item| item.is_id_made_up))
        },
    },
    Column {
        name: "mih",
        field: "MIH",
        meaning: "Message Identification Hash of EDRM; empty if the id is made up",
        source: "MD5 of `message_id`",
        value: |record| {
            let item = particulars(record).filter(|item| !item.is_id_made_up);
            Value::made(item.map(|item| identification(&item.message_id)))
        },
    },
    Column {
        name: "in_reply_to",
        field: "INREPLYTO",
        meaning: "ids of what it answers",
        source: "header of the item as mail",
        value: |record| list(record, |item| &item.in_reply_to),
    },
    Column {
        name: "references",
        field: "REFERENCES",
        meaning: "ids of its conversation, the oldest first",
        source: "header of the item as mail",
        value: |record| list(record, |item| &item.references),
    },
    Column {
        name: "conversation_topic",
        field: "CONVERSATIONTOPIC",
        meaning: "what its conversation is about",
        source: "PidTagConversationTopic",
        value: |record| text(record, |item| &item.conversation_topic),
    },
    Column {
        name: "conversation_index",
        field: "CONVERSATIONINDEX",
        meaning: "its place in the conversation, in hexadecimal",
        source: "PidTagConversationIndex",
        value: |record| bytes(record, |item| &item.conversation_index),
    },
    Column {
        name: "conversation_id",
        field: "THREADID",
        meaning: "the conversation, in hexadecimal",
        source: "PidTagConversationId, else the GUID in PidTagConversationIndex",
        value: |record| bytes(record, |item| &item.conversation_id),
    },
    Column {
        name: "attachment_count",
        field: "ATTACHCOUNT",
        meaning: "number of attachments, pictures in its text among them",
        source: "attachment table and objects",
        value: |record| {
            let item = record.item.as_ref();
            Value::Number(item.and_then(|item| item.attachments.len().try_into().ok()))
        },
    },
    Column {
        name: "attachment_names",
        field: "ATTACHNAMES",
        meaning: "their names",
        source: "PidTagAttachLongFilename and others",
        value: |record| {
            let names = record.item.as_ref().map(|item| &item.attachments);
            Value::list(names.map_or(&[], Deref::deref))
        },
    },
    Column {
        name: "read",
        field: "READ",
        meaning: "whether it was read",
        source: "PidTagMessageFlags",
        value: |record| Value::Truth(particulars(record).and_then(|item| item.read)),
    },
    Column {
        name: "flags",
        field: "FLAG",
        meaning: "replied, forwarded, flagged, deleted (marked only), draft",
        source: "PidTagLastVerbExecuted, PidTagFlagStatus, PidTagMessageStatus, PidTagMessageFlags",
        value: |record| {
            let flags = particulars(record).map_or(&[][..], |item| &item.flags);
            Value::List(flags.iter().map(|flag| (*flag).into()).collect())
        },
    },
    Column {
        name: "categories",
        field: "CATEGORIES",
        meaning: "categories",
        source: "PidNameKeywords",
        value: |record| list(record, |item| &item.categories),
    },
    Column {
        name: "importance",
        field: "IMPORTANCE",
        meaning: "0 low, 1 normal, 2 high",
        source: "PidTagImportance",
        value: |record| number(record, |item| item.importance),
    },
    Column {
        name: "sensitivity",
        field: "SENSITIVITY",
        meaning: "0 normal, 1 personal, 2 private, 3 confidential",
        source: "PidTagSensitivity",
        value: |record| number(record, |item| item.sensitivity),
    },
    Column {
        name: "sha1",
        field: "SHA1HASH",
        meaning: "SHA-1 of the file, by --hash sha1",
        source: "the file as it is written",
        value: |record| Value::text(&record.hashes.sha1),
    },
    Column {
        name: "md5",
        field: "MD5HASH",
        meaning: "MD5 of the file, by --hash md5",
        source: "the file as it is written",
        value: |record| Value::text(&record.hashes.md5),
    },
    Column {
        name: "participants",
        field: "PARTICIPANTS",
        meaning: "all of From, To, Cc and Bcc, each once",
        source: "`from`, `to`, `cc`, `bcc`",
        value: |record| {
            let people = particulars(record).map_or(Vec::new(), participants);
            Value::List(people.into_iter().map(Into::into).collect())
        },
    },
    Column {
        name: "level",
        field: "LEVEL",
        meaning: "0 of an item, 1 of what is attached to it, 2 of what is attached to that",
        source: "the tree",
        value: |record| Value::Number(record.level),
    },
    Column {
        name: "attachment_number",
        field: "ATTACHNUM",
        meaning: "of an attachment, which of `parent` it is, from 1 on",
        source: "the tree",
        value: |record| Value::Number(record.attachment_number),
    },
    Column {
        name: "security",
        field: "",
        meaning: "of S/MIME, `signed`, or `opaque`: signed or encrypted in one piece",
        source: "PidTagMessageClass",
        value: |record| Value::text(particulars(record).map_or("", |item| item.security)),
    },
    Column {
        name: "content_hash",
        field: "CONTENTHASH",
        meaning: "content hash ostfs-1 (CONTENT-HASH.md), the same for all copies, by --hash content",
        source: "the fields of `content_fields`",
        value: |record| {
            let hashes = record.content.as_ref().map(|fields| fields.hashes());
            Value::made(hashes.map(|hashes| hashes.content.to_string()))
        },
    },
    Column {
        name: "content_fields",
        field: "",
        meaning: "what it is made of, a name and a SHA-256 each: where two of them differ, the items do",
        source: "all properties of the item, its text and attachments",
        value: |record| {
            let fields = record.content.as_ref().map(|fields| fields.content_lines());
            Value::List(fields.map_or(Vec::new(), |lines| lines.map(Into::into).collect()))
        },
    },
    Column {
        name: "content_damaged",
        field: "",
        meaning: "whether any of that is missing or doubtful: no key to know the same item by",
        source: "reading it",
        value: |record| {
            let hashes = record.content.as_ref().map(|fields| fields.hashes());
            Value::Truth(hashes.map(|hashes| hashes.is_damaged))
        },
    },
];

/// Everybody in the header of `item`, in its order.
fn participants(item: &Particulars) -> Vec<String> {
    let fields = [&item.from, &item.to, &item.cc, &item.bcc].into_iter();
    let people = fields
        .filter(|field| !field.is_empty())
        .flat_map(|field| parted(field));
    let mut seen = HashSet::new();
    people.filter(|one| seen.insert(one.clone())).collect()
}

fn particulars(record: &Record) -> Option<&Particulars> {
    record.item.as_ref().map(|item| &item.particulars)
}

fn text(record: &Record, text: fn(&Particulars) -> &String) -> Value<'_> {
    Value::text(particulars(record).map_or("", |item| text(item)))
}

fn mailboxes(record: &Record, field: fn(&Particulars) -> &String) -> Value<'_> {
    Value::Mailboxes(particulars(record).map_or("", |item| field(item)))
}

fn list(record: &Record, texts: fn(&Particulars) -> &Vec<String>) -> Value<'_> {
    Value::list(particulars(record).map_or(&[], |item| texts(item)))
}

fn bytes(record: &Record, bytes: fn(&Particulars) -> &Vec<u8>) -> Value<'_> {
    Value::made(particulars(record).map(|item| hexadecimal(bytes(item))))
}

fn time(record: &Record, time: fn(&Particulars) -> Option<FileTime>) -> Value<'_> {
    let time = particulars(record).and_then(time).map(Moment::Time);
    Value::made(time.and_then(Moment::iso8601))
}

fn number(record: &Record, number: fn(&Particulars) -> Option<i32>) -> Value<'_> {
    let number = particulars(record).and_then(number);
    Value::Number(number.and_then(|number| number.try_into().ok()))
}

/// An object with a member for each column.
impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(COLUMNS.len()))?;
        for column in COLUMNS {
            members.serialize_entry(column.name, &column.value(self))?;
        }
        members.end()
    }
}
