//! Attachments: what each is as a file. [MS-OXCMSG] 2.2.2
//!
//! `list` has those of a message, with the help of `link` for what is elsewhere, and of `tnef`, `ole` and
//! `mac_binary` for what is packed; `file` makes files of them. `ole` looks into `compound_file`, and makes a `picture` a file. What an item does with its attachments is for those who write it.
#![forbid(unsafe_code)]

mod compound_file;
mod file;
mod item;
mod link;
mod list;
mod mac_binary;
mod media_type;
mod ole;
mod picture;
mod tnef;

pub use file::{AttachmentContent, AttachmentFile};
pub(crate) use item::{Content, Item};
pub(crate) use link::target;
pub(crate) use list::list;
#[cfg(feature = "cli")]
pub(crate) use media_type::{is_known as is_known_type, of_file as type_of_file};
