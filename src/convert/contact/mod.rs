//! Contacts and distribution lists as vCards. [MS-OXOCNTC], RFC 2426, RFC 6350
//!
//! `person`, `address`, `list` and `proposal` know the properties, `vcard` the two versions of the format. Nothing here fails: what cannot be
//! read is a problem.
#![forbid(unsafe_code)]

mod address;
mod common;
mod list;
mod person;
mod photo;
mod proposal;
mod vcard;

pub(super) use list::{list, list_name};
pub(super) use person::{addresses, birthday, name, person};
pub(super) use proposal::proposal;
pub(super) use vcard::NO_YEAR;
