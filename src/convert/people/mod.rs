//! People: what a file has of senders, recipients, attendees and members, and the mailbox that it makes.
//!
//! Knows nothing of the files that name them.
#![forbid(unsafe_code)]

mod account;
mod address_book;
mod autocomplete;
mod mailbox;
mod person;

pub(crate) use account::Account;
pub(crate) use address_book::AddressBook;
pub use address_book::{Resolve, Resolved};
pub(crate) use autocomplete::{Autocomplete, Entry};
pub(crate) use mailbox::{Mailbox, SMTP, addr_spec, is_stand_in, stored_addr_spec};
pub(crate) use person::{
    Person, READ_RECEIPT, RECEIVED_BY, RECEIVED_REPRESENTING, REPRESENTING, SENDER,
};
