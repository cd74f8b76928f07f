//! Turns items into files: mail into MIME, appointments into iCalendar, contacts into vCard, bodies into text.
//!
//! Uses `messaging` below and [`crate::codepage`]; knows nothing of names, directories or the kernel above.
//! [`Converter`] is the way in, a [`Rendition`] what comes out. Nothing here fails: what cannot be read becomes a
//! part with the reason.
//!
//! From the bottom up, and no file uses one of a later row:
//! * `options`, `byte_range`, `base64`, `segments`, `rendition`, `permits`, `room`, `content_line`, `cursor`, `lids`, `moment`, `parts`, [`text`], `item_format`,
//!   `shown`;
//! * `people` and `body`; `context` and `lookup`, which know who is who; `reader`, which reads the properties of an
//!   item;
//! * `attachment`, `reactions`; `chat`;
//! * [`calendar`], `contact` and `note`, siblings that know nothing of each other; `configuration`, which uses `contact`;
//! * `item`, which picks one of them, and `when`, which tells when it is;
//! * `mail`; `content_hash`, which tells copies of an item from other items;
//! * `particulars`, what a catalogue tells of an item;
//! * `converter`.
#![forbid(unsafe_code)]

mod attachment;
mod base64;
mod body;
mod byte_range;
#[doc(hidden)]
pub mod calendar;
mod chat;
mod configuration;
mod contact;
mod content_hash;
mod content_line;
mod context;
mod converter;
mod cursor;
mod item;
mod item_format;
mod lids;
mod lookup;
mod mail;
mod moment;
mod note;
mod options;
mod particulars;
mod parts;
mod people;
mod permits;
mod reactions;
mod reader;
mod rendition;
mod room;
mod segments;
mod shown;
#[doc(hidden)]
pub mod text;
mod user_fields;
pub(crate) mod when;

pub use attachment::{AttachmentContent, AttachmentFile};
#[cfg(feature = "cli")]
pub(crate) use attachment::{is_known_type, type_of_file};
pub use chat::Post;
pub use configuration::Configured;
pub use content_hash::{ContentHash, Hashes, ItemFields, RECIPE};
pub use converter::Converter;
pub use item::{Document, title};
#[doc(hidden)]
pub use item::{Item, ItemOptions, item};
pub use item_format::{ImportKind, ItemFormat, Title};
pub use mail::{Header, Said};
pub use moment::Moment;
#[doc(hidden)]
pub use note::note_color;
pub use options::{Eol, Headers, Items, Options, VcardVersion};
pub use particulars::{Particulars, mailboxes};
pub use people::{Resolve, Resolved};
pub use rendition::Rendition;
pub(crate) use segments::{Made, Segments, copy_made};
pub use when::Stretch;
