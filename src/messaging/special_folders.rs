//! What a folder is for, whatever it is called in the user's language: by the entry ids that the store, the root folder
//! and the Inbox hold. [MS-OXOSFLD] 2.2

use std::collections::HashMap;

use super::entry_id::EntryId;
use super::properties::Properties;
use crate::bytes::array_at;
use crate::ltp::{Value, tags};
use crate::ndb::NodeId;
use crate::ndb::header::Client;

/// Properties of the store with one entry id each, and what the folder is for.
const OF_STORE: [(u16, &str); 3] = [
    (tags::IPM_OUTBOX_ENTRY_ID, "outbox"),
    (tags::IPM_WASTEBASKET_ENTRY_ID, "deleted items"),
    (tags::IPM_SENT_MAIL_ENTRY_ID, "sent items"),
];
/// Likewise of the root folder and the Inbox.
pub const OF_INBOX: [(u16, &str); 6] = [
    (tags::IPM_APPOINTMENT_ENTRY_ID, "calendar"),
    (tags::IPM_CONTACT_ENTRY_ID, "contacts"),
    (tags::IPM_JOURNAL_ENTRY_ID, "journal"),
    (tags::IPM_NOTE_ENTRY_ID, "notes"),
    (tags::IPM_TASK_ENTRY_ID, "tasks"),
    (tags::IPM_DRAFTS_ENTRY_ID, "drafts"),
];
/// The values of PidTagAdditionalRenEntryIds, by position. All but the last are in no other copy of a mailbox.
pub const ADDITIONAL: [&str; 5] = [
    "conflicts",
    "sync issues",
    "local failures",
    "server failures",
    "junk mail",
];

/// Folders that Outlook makes first in every OST, in this order and before it knows of any other: their nodes are the same in
/// the three that were seen, with pages of 512 bytes and of 4 KiB, whose stores do not name them.
const FIRST_IN_OST: [(NodeId, &str); 4] = [
    (NodeId(0x2162), "deleted items"),
    (NodeId(0x2182), "inbox"),
    (NodeId(0x21A2), "outbox"),
    (NodeId(0x21C2), "sent items"),
];

/// Entry id of a folder on a server, as OST files have them: flags, provider, type, replica GUID, then a counter.
/// [MS-OXCDATA] 2.2.4.1
const SERVER_ENTRY_ID_SIZE: usize = 46;
const SERVER_COUNTER: usize = 38;
/// Where the folder itself has that counter, in property 0x67F4: behind a replica number.
const OWN_COUNTER: usize = 2;

/// Tells folders of one mailbox apart on its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServerCounter([u8; 6]);

impl ServerCounter {
    /// Of the folder that an entry id names; None if that is none of a server.
    pub fn of_entry_id(entry_id: &[u8]) -> Option<Self> {
        let is_server = entry_id.len() == SERVER_ENTRY_ID_SIZE;
        is_server.then(|| array_at(entry_id, SERVER_COUNTER).map(Self))?
    }

    /// Of the folder with these properties; None for folders that are on no server.
    pub fn of_folder(properties: &Properties) -> Option<Self> {
        let own = match properties.value(tags::SERVER_FOLDER_ID).ok()?? {
            Value::Integer64(id) => id.to_le_bytes().to_vec(),
            Value::Binary(bytes) => bytes,
            _ => return None,
        };
        array_at(&own, OWN_COUNTER).map(Self)
    }
}

/// The folders that have a purpose, as far as the file names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpecialFolders {
    nodes: HashMap<NodeId, &'static str>,
    counters: HashMap<ServerCounter, &'static str>,
    is_ost: bool,
}

impl SpecialFolders {
    /// None yet, of a file that `client` wrote.
    pub fn of(client: Client) -> Self {
        Self {
            is_ost: client == Client::Ost,
            ..Self::default()
        }
    }

    /// Takes over the entry ids in the properties of the store or of the folder `nid`.
    pub fn add(&mut self, nid: NodeId, properties: &Properties) {
        for (id, purpose) in OF_STORE.into_iter().chain(OF_INBOX) {
            if let Ok(Some(bytes)) = properties.binary(id) {
                self.insert(&bytes, purpose);
            }
        }
        let additional = properties.value(tags::ADDITIONAL_REN_ENTRY_IDS);
        if let Ok(Some(Value::Multiple(values))) = additional {
            for (value, purpose) in values.iter().zip(ADDITIONAL) {
                if let Value::Binary(bytes) = value {
                    self.insert(bytes, purpose);
                }
            }
        }
        // Only the root folder and the Inbox tell where the calendar is.
        let tells = properties.has(tags::IPM_APPOINTMENT_ENTRY_ID);
        if tells && nid != NodeId::ROOT_FOLDER && nid != NodeId::MESSAGE_STORE {
            self.nodes.entry(nid).or_insert("inbox");
        }
    }

    fn insert(&mut self, entry_id: &[u8], purpose: &'static str) {
        if let Some(counter) = ServerCounter::of_entry_id(entry_id) {
            self.counters.entry(counter).or_insert(purpose);
        } else if let Some(nid) = EntryId::node(entry_id) {
            self.nodes.entry(nid).or_insert(purpose);
        }
    }

    /// What the folder `nid` with these properties is for.
    pub fn purpose(&self, nid: NodeId, properties: &Properties) -> Option<&'static str> {
        let by_counter = || self.counters.get(&ServerCounter::of_folder(properties)?);
        let stated = self.nodes.get(&nid).or_else(by_counter).copied();
        stated.or_else(|| self.first_in_ost(nid))
    }

    /// What one of the first folders of an OST is for, unless the file names another folder for that.
    fn first_in_ost(&self, nid: NodeId) -> Option<&'static str> {
        let (_, purpose) = FIRST_IN_OST.iter().find(|(first, _)| *first == nid)?;
        let mut stated = self.nodes.values().chain(self.counters.values());
        (self.is_ost && !stated.any(|stated| stated == purpose)).then_some(*purpose)
    }
}
