//! Contacts and distribution lists as vCards. [MS-OXOCNTC], RFC 2426, RFC 6350
//!
//! `person` and `list` know the properties, `vcard` the two versions of the format. Nothing here fails: what cannot be
//! read is a problem.
#![forbid(unsafe_code)]

mod common;
mod list;
mod person;
mod photo;
mod vcard;

pub use vcard::Version;

use super::reader::Reader;

/// A contact.
pub(super) fn person(reader: &Reader<'_>, version: Version) -> String {
    person::card(reader, version)
}

/// A distribution list.
pub(super) fn list(reader: &Reader<'_>, version: Version) -> String {
    list::card(reader, version)
}
