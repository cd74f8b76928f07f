//! Entry ids: how properties name other objects and people. [MS-OXCDATA] 2.2, [MS-PST] 2.4.3.2

use crate::bytes::{array_at, u16_at, u32_at};
use crate::codepage;
use crate::ltp::Guid;
use crate::ndb::NodeId;

/// Size of the entry id of an object in the same PST: flags, store UID, NID.
const NODE_ENTRY_ID_SIZE: usize = 24;
const PROVIDER: usize = 4;
const NODE: usize = 20;
/// Provider of one-off entry ids: a person by name and address.
const ONE_OFF: Guid = Guid([
    0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19, 0x9D, 0x6E, 0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02,
]);
/// Provider of address book entry ids: a person by distinguished name.
const ADDRESS_BOOK: Guid = Guid([
    0xDC, 0xA7, 0x40, 0xC8, 0xC0, 0x42, 0x10, 0x1A, 0xB4, 0xB9, 0x08, 0x00, 0x2B, 0x2F, 0xE1, 0x82,
]);
/// Offsets of a one-off entry id: flags, then three strings.
const ONE_OFF_FLAGS: usize = 22;
const ONE_OFF_STRINGS: usize = 24;
const ONE_OFF_UNICODE: u16 = 0x8000;
/// Offset of the distinguished name in an address book entry id.
const ADDRESS_BOOK_DN: usize = 28;

/// What an entry id names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryId {
    /// An object of the same file.
    Node(NodeId),
    /// A person by name and address.
    OneOff(OneOffEntryId),
    /// A person by the distinguished name of an Exchange directory.
    AddressBook(String),
}

/// A person who is in no address book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOffEntryId {
    /// Display name.
    pub name: String,
    /// Address type, e.g. `SMTP`.
    pub address_type: String,
    /// Address of that type.
    pub address: String,
}

impl EntryId {
    /// Reads an entry id; None when it is of a kind that names nothing here. 8-bit strings are in `code_page`.
    pub fn parse(bytes: &[u8], code_page: u32) -> Option<EntryId> {
        let provider = Guid(array_at(bytes, PROVIDER)?);
        if provider == ONE_OFF {
            return one_off(bytes, code_page).map(EntryId::OneOff);
        }
        if provider == ADDRESS_BOOK {
            let (name, _) = string8(bytes.get(ADDRESS_BOOK_DN..)?, code_page)?;
            return Some(EntryId::AddressBook(name));
        }
        if bytes.len() == NODE_ENTRY_ID_SIZE {
            return u32_at(bytes, NODE).map(|nid| EntryId::Node(NodeId(nid)));
        }
        None
    }

    /// The entry id of node `nid` in a store with this PidTagRecordKey. [MS-PST] 2.4.3.2
    pub fn of_node(record_key: [u8; 16], nid: NodeId) -> [u8; NODE_ENTRY_ID_SIZE] {
        let mut bytes = [0; NODE_ENTRY_ID_SIZE];
        let (_flags, rest) = bytes.split_at_mut(PROVIDER);
        let (provider, node) = rest.split_at_mut(NODE - PROVIDER);
        provider.copy_from_slice(&record_key);
        node.copy_from_slice(&nid.0.to_le_bytes());
        bytes
    }

    /// Bytes of the entry id of an object in a PST.
    pub const NODE_SIZE: usize = NODE_ENTRY_ID_SIZE;

    /// PidTagRecordKey of the store that an entry id of an object names.
    pub fn provider(bytes: &[u8]) -> Option<&[u8]> {
        bytes.get(PROVIDER..NODE)
    }

    /// The node that an entry id of the same file names.
    pub fn node(bytes: &[u8]) -> Option<NodeId> {
        (bytes.len() >= NODE_ENTRY_ID_SIZE)
            .then(|| u32_at(bytes, NODE).map(NodeId))
            .flatten()
    }
}

fn one_off(bytes: &[u8], code_page: u32) -> Option<OneOffEntryId> {
    let unicode = u16_at(bytes, ONE_OFF_FLAGS)? & ONE_OFF_UNICODE != 0;
    let mut rest = bytes.get(ONE_OFF_STRINGS..)?;
    let mut next = || -> Option<String> {
        let (text, tail) = if unicode {
            string16(rest)?
        } else {
            string8(rest, code_page)?
        };
        rest = tail;
        Some(text)
    };
    Some(OneOffEntryId {
        name: next()?,
        address_type: next()?,
        address: next()?,
    })
}

/// The text up to a NUL (or the end), and what follows it.
fn string8(bytes: &[u8], code_page: u32) -> Option<(String, &[u8])> {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    let text = codepage::decode(code_page, bytes.get(..end)?);
    Some((text, bytes.get(end + 1..).unwrap_or_default()))
}

fn string16(bytes: &[u8]) -> Option<(String, &[u8])> {
    let units = bytes.chunks_exact(2).position(|unit| unit == [0, 0]);
    let end = units.map_or(bytes.len(), |units| 2 * units);
    let text = codepage::decode_utf16le(bytes.get(..end)?);
    Some((text, bytes.get(end + 2..).unwrap_or_default()))
}
