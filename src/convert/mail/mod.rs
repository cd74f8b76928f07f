//! Messages as MIME. [MS-OXCMAIL], RFC 5322, RFC 2045 to 2049
//!
//! A message is first composed as a tree of entities, then written: problems found on the way go into its header.
#![forbid(unsafe_code)]

mod address_list;
mod boundary;
mod composer;
mod date;
mod details;
mod encoded_word;
mod entity;
mod fields;
mod flags;
mod handling;
mod header;
mod inline;
mod message_id;
mod plain;
mod report;
mod reserved;
mod signed;
mod synthesis;
mod transport;

pub(super) use address_list::mailboxes;
pub(super) use composer::render;
pub(super) use flags::categories;
pub use header::Header;
pub(super) use header::stored;
pub(super) use message_id::{is_made_up, message_ids};
pub use plain::Said;
pub(super) use plain::{plain, said};
pub(super) use synthesis::TOLD_BCC;
