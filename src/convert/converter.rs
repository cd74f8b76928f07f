//! The way in: the messages of a store to files.
#![forbid(unsafe_code)]

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::attachment::AttachmentFile;
use super::chat;
use super::configuration::{self, Configured};
use super::context::Context;
use super::item::{self, Document, Item};
use super::item_format::ItemFormat;
use super::mail::{self, Header, Said};
use super::options::{Items, Options};
use super::particulars::Particulars;
use super::rendition::Rendition;
use super::room::with_room;
use crate::messaging::{Configurations, ItemKind, Message, Store};

/// Turns the messages of one store into files. Any thread may use it.
#[derive(Debug)]
pub struct Converter {
    context: Context,
}

impl Converter {
    /// A converter for `store`. Nothing is read yet.
    pub fn new(store: Arc<Store>, options: Options) -> Self {
        Self {
            context: Context::new(store, options),
        }
    }

    /// The format of the files of items of `kind`.
    pub fn format(&self, kind: ItemKind) -> ItemFormat {
        match self.context.options.items {
            Items::Native => ItemFormat::of(kind),
            Items::Eml => ItemFormat::Mail,
        }
    }

    /// The file that `message` is, which is shown under its own name beside the message; None for all but documents, and
    /// if the user wants all items as mail.
    pub fn document(&self, message: &Message) -> Option<Document> {
        match self.context.options.items {
            Items::Native => item::document(message),
            Items::Eml => None,
        }
    }

    /// `message` as a file: mail as mail, other items in the format that the user has chosen.
    pub fn render(&self, message: &Message) -> Rendition {
        with_room(message, |message, room| {
            let native = match self.context.options.items {
                Items::Native => self.item(message),
                Items::Eml => None,
            };
            match native {
                Some(item) => Rendition::of_text(item.text, message.problems()),
                None => mail::render(&self.context, message, false, room),
            }
        })
    }

    /// `message` as a mail message, whatever it is. What cannot be read is a placeholder part and an
    /// `X-Ostfs-Problem` header.
    pub fn render_mail(&self, message: &Message) -> Rendition {
        with_room(message, |message, room| {
            mail::render(&self.context, message, false, room)
        })
    }

    /// `message` as plain text to read and to search, whatever it is, with times in `zone`.
    pub fn render_text(&self, message: &Message, zone: &TimeZone) -> Rendition {
        with_room(message, |message, room| {
            mail::plain(&self.context, message, zone, room)
        })
    }

    /// What `message` states beside its header and its attachments, to look for words in; times in `zone`.
    pub fn said(&self, message: &Message, zone: &TimeZone) -> Said {
        with_room(message, |message, room| mail::said(message, zone, room))
    }

    /// As [`Converter::render_mail`], with attachments that turn out damaged as placeholder parts: all of them are read
    /// to find those.
    pub fn render_checked(&self, message: &Message) -> Rendition {
        with_room(message, |message, room| {
            mail::render(&self.context, message, true, room)
        })
    }

    /// `message` in its own format; None for mail.
    pub fn item(&self, message: &Message) -> Option<Item> {
        item::of_message(&self.context, message)
    }

    /// Whom Outlook proposes while an address is typed, as vCards.
    pub fn proposals(&self, found: &Configurations) -> Configured {
        configuration::proposals(&self.context, found)
    }

    /// The list of categories, as CSV.
    pub fn categories(&self, found: &Configurations) -> Configured {
        configuration::categories(&self.context, found)
    }

    /// What the rules of the mailbox do, in words.
    pub fn rules(&self, found: &Configurations) -> Configured {
        configuration::rules(&self.context, found)
    }

    /// What stands above the messages of a conversation.
    pub fn conversation_head(&self, title: &str, people: &[String], count: usize) -> String {
        chat::head(title, people, count)
    }

    /// How a message stands in the file of its conversation, with times in `zone`; `answers` tells what it answers.
    pub fn conversation_text(
        &self,
        message: &Message,
        zone: &TimeZone,
        answers: Option<&str>,
    ) -> String {
        chat::text(message, zone, answers)
    }

    /// The fields `names` of the header that `message` has as mail; opens no body and no attachment, and recipients only for those.
    pub fn header(&self, message: &Message, names: &[&str]) -> Header {
        Header::of(&self.context, message, names)
    }

    /// What a catalogue tells of `message`; opens no body and no attachment.
    pub fn particulars(&self, message: &Message) -> Particulars {
        Particulars::of(&self.context, message)
    }

    /// The header block of `message` as it is stored, octet for octet; None when it has none.
    pub fn stored_header(&self, message: &Message) -> Option<Vec<u8>> {
        mail::stored(message)
    }

    /// The attachments of `message` in table order; changed instances of a series are in its calendar instead.
    pub fn attachments(&self, message: &Message) -> Vec<AttachmentFile> {
        let items = item::attachments(message).into_iter();
        items.map(AttachmentFile::of).collect()
    }
}
