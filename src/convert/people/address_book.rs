//! Exchange names to SMTP addresses, gathered from the store itself.
//!
//! Exchange writes senders and recipients as distinguished names. Other messages of the same store often tell the
//! SMTP address of the same person, and so do autocomplete lists. What is gathered must not depend on who asks first, nor take long in a large
//! store: it comes from the first messages by node, a fixed number of them.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::sync::Arc;

use super::account::Account;
use super::autocomplete::Autocomplete;
use super::person::{Person, REPRESENTING, SENDER};
use crate::messaging::{ConfigurationKind, Configurations, Message, PropertySet, Store};
use crate::ndb::{NodeId, NodeType};

/// Messages that are looked at.
const SAMPLE: usize = 4096;
/// Of the three e-mail entries of a contact: type, address, original display name (PSETID_Address).
const CONTACT_ENTRIES: [(u32, u32, u32); 3] = [
    (0x8082, 0x8083, 0x8084),
    (0x8092, 0x8093, 0x8094),
    (0x80A2, 0x80A3, 0x80A4),
];

/// SMTP addresses by distinguished name.
#[derive(Debug, Default)]
pub(crate) struct AddressBook {
    by_name: HashMap<String, String>,
    /// Whether some of the messages that were looked at could not be read, or may not be what they were.
    is_incomplete: bool,
}

/// What the address book has of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The SMTP address, if other items tell one.
    pub smtp: Option<String>,
    /// Whether that might be another one if all items could be read.
    pub is_in_doubt: bool,
}

/// Finds the person with an Exchange distinguished name, which is in lower case.
pub type Resolve<'a> = dyn Fn(&str) -> Resolved + 'a;

impl Resolved {
    /// What an item says that has such an address, or lacks one.
    pub(crate) const DOUBT: &'static str =
        "addresses of this item come from other items, some of which cannot be read";
}

impl AddressBook {
    /// Gathers what the first messages of `store` tell. What cannot be read tells nothing.
    pub fn gather(store: &Arc<Store>) -> Self {
        let mut book = Self::default();
        let messages = store
            .ndb()
            .nodes()
            .filter_map(Result::ok)
            .map(|node| node.nid)
            .filter(|nid| nid.node_type() == NodeType::NORMAL_MESSAGE)
            .take(SAMPLE);
        let mut last = None;
        for nid in messages {
            last = Some(nid);
            match Message::open(store, nid) {
                Ok(message) => book.add_message(&message),
                Err(_) => book.is_incomplete = true,
            }
        }
        book.add_autocomplete(store);
        // Behind the last one there may be as much damage as there will: it changes nothing.
        let end = last.unwrap_or(NodeId(u32::MAX));
        book.is_incomplete |= !store.ndb().has_all_nodes_to(end);
        log::debug!("{} Exchange names have an address", book.by_name.len());
        book
    }

    /// The person with a distinguished name, which is in lower case.
    pub fn resolve(&self, distinguished_name: &str) -> Resolved {
        Resolved {
            smtp: self.by_name.get(distinguished_name).cloned(),
            // What is lost may have told an address that is not here, or told this one first in another way.
            is_in_doubt: self.is_incomplete,
        }
    }

    fn add(&mut self, person: &Person) {
        if let (Some(name), Some(smtp)) = (person.distinguished_name(), person.smtp()) {
            self.by_name.entry(name).or_insert(smtp);
        }
    }

    /// What the lists of those whom Outlook proposes tell.
    fn add_autocomplete(&mut self, store: &Arc<Store>) {
        let found = Configurations::find(store);
        self.is_incomplete |= !found.is_complete();
        for (_, message) in found.open(store, ConfigurationKind::Autocomplete) {
            let Ok(message) = message else {
                self.is_incomplete = true;
                continue;
            };
            let list = Autocomplete::of_message(&message);
            for entry in &list.entries {
                self.add(&entry.person());
            }
            self.is_incomplete |= list.is_incomplete || !message.problems().is_empty();
        }
    }

    fn add_message(&mut self, message: &Message) {
        let properties = message.properties();
        for role in [&REPRESENTING, &SENDER] {
            self.add(&Person::of_role(properties, role));
        }
        for recipient in message.recipients() {
            self.add(&Person::of_recipient(&recipient, properties.code_page()));
        }
        for account in Account::of_message(message) {
            if let Some(name) = account.distinguished_name {
                self.by_name.entry(name).or_insert(account.address);
            }
        }
        let string = |lid: u32| {
            properties
                .string(message.named(PropertySet::ADDRESS, lid)?)
                .ok()
                .flatten()
        };
        for (kind, address, original) in CONTACT_ENTRIES {
            self.add(&Person::of_parts(
                None,
                string(original),
                string(kind),
                string(address),
            ));
        }
        self.is_incomplete |= !message.problems().is_empty() || !message.doubts().is_empty();
    }
}
