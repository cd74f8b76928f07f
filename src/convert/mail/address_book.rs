//! Exchange names to SMTP addresses, gathered from the store itself.
//!
//! Exchange writes senders and recipients as distinguished names. Other messages of the same store often tell the
//! SMTP address of the same person. What is gathered must not depend on who asks first, nor take long in a large
//! store: it comes from the first messages by node, a fixed number of them.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::sync::Arc;

use super::person::{Person, REPRESENTING, SENDER};
use crate::messaging::{Message, PropertySet, Store};
use crate::ndb::NodeType;

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
        for nid in messages {
            if let Ok(message) = Message::open(store, nid) {
                book.add_message(&message);
            }
        }
        log::debug!("{} Exchange names have an address", book.by_name.len());
        book
    }

    /// The SMTP address of a distinguished name in lower case.
    pub fn smtp(&self, distinguished_name: &str) -> Option<&str> {
        self.by_name.get(distinguished_name).map(String::as_str)
    }

    fn add(&mut self, person: &Person) {
        if let (Some(name), Some(smtp)) = (person.distinguished_name(), person.smtp()) {
            self.by_name.entry(name).or_insert(smtp);
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
    }
}
