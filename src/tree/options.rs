//! What the user may choose about the tree: the `-o` options that mount and export share.

use jiff::tz::TimeZone;

use super::template::Template;
use crate::convert::{self, Items};
use crate::ndb::{Damaged, Recover};

/// Where attachments are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attachments {
    /// Inside the `.eml` and in the `.attachments` directory.
    #[default]
    Both,
    /// As `Both`, and the directory begins with a dot, so that file managers and `ls` do not show it unless asked.
    Hidden,
    /// Only inside the `.eml`.
    Eml,
    /// Only in the `.attachments` directory.
    Dir,
}

/// How folders and items are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// Folders as directories, items as files in them.
    #[default]
    Folders,
    /// As a Maildir++: all items as mail, their state in their names.
    Maildir,
}

impl Layout {
    /// All layouts, by the words that users type.
    pub const ALL: [(&str, Self); 2] = [("folders", Self::Folders), ("maildir", Self::Maildir)];
}

/// What the user may choose about the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `-o attachments=both|eml|dir`.
    pub attachments: Attachments,
    /// `-o all`: from the real root, with search folders and hidden items.
    pub all: bool,
    /// `-o deleted`: what was deleted and still lies in the file, in `lost+found/deleted`.
    pub deleted: bool,
    /// `-o cache=SIZE`: bound of the memory that caches and program take, in bytes.
    pub cache: u64,
    /// `-o eol`, `headers`, `items`, `vcard`: the files of items. What of attachments is in messages, and that a Maildir has
    /// mail alone, follows from the other options.
    pub convert: convert::Options,
    /// `-o codepage=NUMBER`: that of 8-bit text of items that name none; None leaves it to the file.
    pub code_page: Option<u32>,
    /// `-o layout=folders|maildir`.
    pub layout: Layout,
    /// `-o names=TEMPLATE`: what names are made of, if not of date and subject or the name of a contact.
    pub names: Option<Template>,
    /// `-o text`: a plain text beside each item.
    pub text: bool,
    /// `-o tz=local|UTC|Area/City`: the time in names and texts.
    pub zone: TimeZone,
    /// `-o views`: links to all items in `.ostfs`, by date, sender and topic, and to all attachments.
    pub views: bool,
    /// `-o search`: links in `.ostfs` to what a query finds.
    pub search: bool,
    /// `-o recover=off|auto|scan`: when a damaged file is scanned.
    pub recover: Recover,
    /// `-o damaged=show|refuse`: what becomes of bytes that may be wrong.
    pub damaged: Damaged,
    /// `-o redact`: whether names stay out of the log.
    pub redact: bool,
}

impl Options {
    /// Cache size unless the user asks for another, in bytes.
    pub const DEFAULT_CACHE: u64 = 64 << 20;

    /// Two options that contradict each other, as they are typed, the second with the reason.
    pub fn conflict(&self) -> Option<(&'static str, &'static str)> {
        let other = match self.layout {
            Layout::Folders => return None,
            Layout::Maildir if self.names.is_some() => "names: a Maildir has names of its own",
            Layout::Maildir if self.deleted => {
                "deleted: what was deleted is below lost+found, which has no subfolders there"
            }
            Layout::Maildir if self.text => "text: a Maildir has nothing but mail",
            Layout::Maildir if self.attachments == Attachments::Dir => {
                "attachments=dir: a Maildir has no directories for attachments"
            }
            Layout::Maildir => return None,
        };
        Some(("layout=maildir", other))
    }

    /// Whether attachments are files of their own.
    pub(super) fn has_attachment_files(&self) -> bool {
        match self.layout {
            Layout::Folders => self.attachments != Attachments::Eml,
            Layout::Maildir => false,
        }
    }

    /// What the converter of items is to do.
    pub(super) fn convert(&self) -> convert::Options {
        match self.layout {
            Layout::Folders => convert::Options {
                attachments_in_message: self.attachments != Attachments::Dir,
                ..self.convert
            },
            Layout::Maildir => convert::Options {
                attachments_in_message: true,
                items: Items::Eml,
                ..self.convert
            },
        }
    }

    /// A cache's part of all bytes. About eleven sixteenths are given out: the rest is for what the allocator and the
    /// program itself take, so that the resident set keeps the bound as well.
    pub(super) fn share(&self, sixteenths: u64) -> u64 {
        self.cache / 16 * sixteenths
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            attachments: Attachments::default(),
            all: false,
            deleted: false,
            cache: Self::DEFAULT_CACHE,
            convert: convert::Options::default(),
            code_page: None,
            layout: Layout::default(),
            names: None,
            text: false,
            zone: TimeZone::UTC,
            views: false,
            search: false,
            recover: Recover::default(),
            damaged: Damaged::default(),
            redact: false,
        }
    }
}
