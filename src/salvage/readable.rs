//! Whether all of a message can be read: properties, recipients, attachments and what is within them.

use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::ltp::{PropertyContext, PropertyRecord, PropertyStream, PropertyType, tags};
use crate::messaging::{Attachment, AttachmentData, ItemKind, Message, MessageClass, Properties};

/// What opening an object costs beside the bytes of its values.
const OBJECT: u64 = 4096;
/// Bytes read at a time.
const STEP: usize = 64 << 10;
/// Bytes of a message class that are read.
const MAX_CLASS: usize = 1 << 10;

/// Whether the class of a message is that of an item.
pub(super) fn is_item(context: &PropertyContext) -> bool {
    let bytes = || {
        let stream = context.stream(tags::MESSAGE_CLASS).ok()??;
        Some(stream.read_all(MAX_CLASS).ok()?.bytes)
    };
    // UTF-16 or 8-bit, the classes of items are ASCII.
    let class: String = bytes()
        .unwrap_or_default()
        .into_iter()
        .filter(|byte| *byte != 0)
        .map(char::from)
        .collect();
    MessageClass::parse(&class).kind != ItemKind::Other
}

/// Reads all of some messages, as long as its allowance of bytes lasts: a hostile file names the same blocks again and
/// again.
pub(super) struct Reader {
    left: u64,
    buffer: Vec<u8>,
    digest: DefaultHasher,
}

/// Takes text into a hash, without putting it together before.
struct Digest<'a>(&'a mut DefaultHasher);

impl Write for Digest<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// How much of a message could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readable {
    /// All of it.
    Whole,
    /// Not all of it.
    Part,
    /// The allowance is used up.
    Unknown,
}

impl Reader {
    pub(super) fn new(allowance: u64) -> Self {
        Self {
            left: allowance,
            buffer: vec![0; STEP],
            digest: DefaultHasher::new(),
        }
    }

    /// How much of `message` can be read, and a hash of that: properties, recipients and attachments, without what they
    /// are numbered by.
    pub(super) fn read(&mut self, message: &Message) -> (Readable, u64) {
        self.digest = DefaultHasher::new();
        let whole = self.message(message);
        let readable = match self.left {
            0 => Readable::Unknown,
            _ if whole => Readable::Whole,
            _ => Readable::Part,
        };
        (readable, self.digest.finish())
    }

    fn take(&mut self, bytes: u64) -> bool {
        self.left = self.left.saturating_sub(bytes);
        self.left > 0
    }

    fn message(&mut self, message: &Message) -> bool {
        let recipients = message.recipients();
        // Writing to a hash does not fail.
        write!(Digest(&mut self.digest), "{recipients:?}").ok();
        let attachments = message.attachments();
        attachments.len().hash(&mut self.digest);
        self.values(message.properties())
            && attachments
                .iter()
                .all(|attachment| self.attachment(attachment))
            && message.problems().is_empty()
    }

    fn attachment(&mut self, attachment: &Attachment) -> bool {
        let Ok(properties) = attachment.properties() else {
            return false;
        };
        self.values(&properties)
            && match attachment.data(&properties) {
                // The values of the attachment have been read already.
                Ok(AttachmentData::None | AttachmentData::Bytes(_)) => true,
                Ok(AttachmentData::Ole(stream)) => self.stream(&stream),
                Ok(AttachmentData::Message(message)) => self.message(&message),
                Err(_) => false,
            }
    }

    fn values(&mut self, properties: &Properties) -> bool {
        let Some(context) = properties.context() else {
            return false;
        };
        self.take(OBJECT)
            && context.problem().is_none()
            && context
                .records()
                .iter()
                .all(|record| self.value(context, record))
    }

    fn value(&mut self, context: &PropertyContext, record: &PropertyRecord) -> bool {
        (record.id, record.property_type.0).hash(&mut self.digest);
        match context.stream(record.id) {
            // A number of a subnode, whose data are read with the attachment.
            Ok(Some(_)) if record.property_type == PropertyType::OBJECT => true,
            Ok(Some(stream)) => self.stream(&stream),
            Ok(None) => match context.value(record) {
                Ok(value) => {
                    format!("{value:?}").hash(&mut self.digest);
                    true
                }
                Err(_) => false,
            },
            Err(_) => false,
        }
    }

    fn stream(&mut self, stream: &PropertyStream) -> bool {
        stream.len().hash(&mut self.digest);
        let mut at = 0;
        loop {
            match stream.read_at(at, &mut self.buffer) {
                Ok(0) => return at == stream.len(),
                Ok(read) if self.take(read as u64) => {
                    at += read as u64;
                    self.digest
                        .write(self.buffer.get(..read).unwrap_or_default());
                }
                Ok(_) | Err(_) => return false,
            }
        }
    }
}
