//! Turns items into files: mail into MIME, appointments into iCalendar, contacts into vCard, bodies into text.
//!
//! Uses `messaging` below and [`crate::codepage`]; knows nothing of names, directories or the kernel above.
//! [`Converter`] is the way in, a [`Rendition`] what comes out. Nothing here fails: what cannot be read becomes a
//! part that says so.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use jiff::tz::TimeZone;

use crate::error::Error;
use crate::messaging::{ItemKind, Message, Store};
use crate::ndb::{NodeId, partly, whole};

mod attachment;
mod base64;
pub mod calendar;
pub mod contact;
mod content_line;
mod cursor;
mod item;
mod item_format;
mod lids;
mod link;
mod mail;
mod media_type;
mod note;
mod reader;
mod rendition;
mod room;
pub mod text;
mod tnef;

use attachment::Content;
pub use item::{Item, ItemOptions, appointment_period, item};
pub use item_format::{ImportKind, ItemFormat, Title};
use mail::address_book::AddressBook;
pub use mail::address_book::Resolved;
pub use note::note_color;
pub use reader::Resolve;
pub use rendition::{Eol, Rendition};
use room::with_room;

/// How long an address book is used from which the disk has kept something; it takes a while to gather.
const GATHER_AGAIN: Duration = Duration::from_secs(60);

/// How header fields are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Headers {
    /// In ASCII, with RFC 2047 encoded words and RFC 2231 parameters; transport headers as they came.
    #[default]
    Encoded,
    /// Decoded, in raw UTF-8 (RFC 6532), for search tools.
    Utf8,
}

/// In which format items other than mail are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Items {
    /// Each in its own: iCalendar, vCard, text.
    #[default]
    Native,
    /// All as mail.
    Eml,
}

/// What the user may choose about the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Line ends of everything but signed content.
    pub eol: Eol,
    /// How header fields are written.
    pub headers: Headers,
    /// Whether ordinary attachments are inside the message. What the body shows is in any case.
    pub attachments_in_message: bool,
    /// In which format items other than mail are shown.
    pub items: Items,
    /// Which vCard is written.
    pub vcard: contact::Version,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            eol: Eol::default(),
            headers: Headers::default(),
            attachments_in_message: true,
            items: Items::default(),
            vcard: contact::Version::default(),
        }
    }
}

/// An attachment as a file of its own.
#[derive(Debug)]
pub struct AttachmentFile {
    /// The attachment, to tell files of the same name apart.
    pub nid: NodeId,
    /// Its name as the message has it, with an extension; not yet fit for a file system.
    pub name: String,
    /// Its media type; that of mail for a message.
    pub media_type: String,
    /// What is in it.
    pub content: AttachmentContent,
}

/// Content of an [`AttachmentFile`].
#[derive(Debug)]
pub enum AttachmentContent {
    /// The bytes of a file.
    File(Rendition),
    /// A message, with attachments of its own.
    Message(Box<Message>),
    /// It cannot be read.
    Unreadable(Error),
}

/// Turns the messages of one store into files. Any thread may use it.
#[derive(Debug)]
pub struct Converter {
    store: Arc<Store>,
    options: Options,
    /// With the time at which it was gathered if the disk failed meanwhile.
    address_book: Mutex<Option<(Arc<AddressBook>, Option<Instant>)>>,
}

impl Converter {
    /// A converter for `store`. Nothing is read yet.
    pub fn new(store: Arc<Store>, options: Options) -> Self {
        Self {
            store,
            options,
            address_book: Mutex::default(),
        }
    }

    /// The format of the files of items of `kind`.
    pub fn format(&self, kind: ItemKind) -> ItemFormat {
        match self.options.items {
            Items::Native => ItemFormat::of(kind),
            Items::Eml => ItemFormat::Mail,
        }
    }

    /// `message` as a file: mail as mail, other items in the format that the user has chosen.
    pub fn render(&self, message: &Message) -> Rendition {
        with_room(message, |message, room| {
            let native = match self.options.items {
                Items::Native => self.item(message),
                Items::Eml => None,
            };
            match native {
                Some(item) => Rendition::of_text(item.text, message.problems()),
                None => mail::render(self, message, false, room),
            }
        })
    }

    /// `message` as a mail message, whatever it is. What cannot be read is a placeholder part and an
    /// `X-Ostfs-Problem` header.
    pub fn render_mail(&self, message: &Message) -> Rendition {
        with_room(message, |message, room| {
            mail::render(self, message, false, room)
        })
    }

    /// `message` as plain text to read and to search, whatever it is, with times in `zone`.
    pub fn render_text(&self, message: &Message, zone: &TimeZone) -> Rendition {
        with_room(message, |message, room| {
            mail::plain::render(self, message, zone, room)
        })
    }

    /// As [`Converter::render_mail`], with attachments that turn out damaged as placeholder parts: all of them are read
    /// to find those.
    pub fn render_checked(&self, message: &Message) -> Rendition {
        with_room(message, |message, room| {
            mail::render(self, message, true, room)
        })
    }

    /// `message` in its own format; None for mail.
    pub fn item(&self, message: &Message) -> Option<Item> {
        let options = ItemOptions {
            vcard: self.options.vcard,
            resolve: &|name| self.resolve(name),
        };
        item::item(message, &options)
    }

    /// These fields of the header that `message` has as mail, decoded and on one line; opens no body and no attachment.
    pub fn header<const N: usize>(
        &self,
        message: &Message,
        names: [&str; N],
    ) -> [Option<String>; N] {
        mail::header(self, message, names)
    }

    /// The person with an Exchange distinguished name, which is in lower case.
    fn resolve(&self, name: &str) -> Resolved {
        self.address_book().resolve(name)
    }

    /// The attachments of `message` in table order.
    pub fn attachments(&self, message: &Message) -> Vec<AttachmentFile> {
        let file = |item: attachment::Item| AttachmentFile {
            nid: item.nid,
            name: item.name,
            media_type: match item.content {
                Content::Message(_) => ItemFormat::Mail.media_type().to_owned(),
                _ => item.media_type,
            },
            content: match item.content {
                Content::Bytes(range) => {
                    AttachmentContent::File(Rendition::of_range(range, &item.problems))
                }
                Content::Message(message) => AttachmentContent::Message(message),
                Content::Unreadable(error) => AttachmentContent::Unreadable(error),
            },
        };
        attachment::list(message).into_iter().map(file).collect()
    }

    /// Addresses by Exchange distinguished name, gathered on first need.
    fn address_book(&self) -> Arc<AddressBook> {
        // Held while it is gathered: whoever needs it waits for it.
        let mut gathered = self.address_book.lock();
        if let Some((book, failed)) = &*gathered
            && failed.is_none_or(|time| time.elapsed() < GATHER_AGAIN)
        {
            return Arc::clone(book);
        }
        let mut book = Arc::default();
        let complete = partly(|| {
            whole(|| {
                book = Arc::new(AddressBook::gather(&self.store));
                Ok(())
            })
        });
        *gathered = Some((Arc::clone(&book), complete.err().map(|_| Instant::now())));
        book
    }
}
