//! Members of distribution lists: contacts, which a list names by their entry ids in the old file, become what the list has beside
//! them, their names and addresses. [MS-OXOCNTC] 2.2.2.2
//!
//! Outlook looks at these only if a checksum of the members is right, so that is made anew.

use crate::ltp::Value;
use crate::messaging::{Properties, PropertySet, Store};
use crate::ndb::crc::crc;

use super::value::Stored;

/// PidLidDistributionListMembers, PidLidDistributionListOneOffMembers, PidLidDistributionListChecksum.
const MEMBERS: u32 = 0x8055;
const ONE_OFFS: u32 = 0x8054;
const CHECKSUM: u32 = 0x804C;
/// What an entry id begins with that wraps another one: no flags, and a GUID. [MS-OXOCNTC] 2.2.2.2.4
const WRAPPED: [u8; 20] = [
    0, 0, 0, 0, 0xC0, 0x91, 0xAD, 0xD3, 0x51, 0x9D, 0xCF, 0x11, 0xA4, 0xA9, 0x00, 0xAA, 0x00, 0x47,
    0xFA, 0xA4,
];
/// The byte behind it states in these bits what is wrapped: an item of class IPM.Contact.
const KIND: u8 = 0x0F;
const CONTACT: u8 = 0x03;

/// Properties of the source, by the ids that they have there, with other values for the copy.
#[derive(Debug, Default)]
pub(super) struct Replaced(Vec<(u16, Stored)>);

impl Replaced {
    /// The value that property `id` gets.
    pub fn take(&mut self, id: u16) -> Option<Stored> {
        let at = self.0.iter().position(|(own, _)| *own == id)?;
        Some(self.0.swap_remove(at).1)
    }
}

/// What changes in `properties` of an item of `store`: nothing unless it is a list with contacts whose checksum is right.
pub(super) fn replaced(store: &Store, properties: &Properties) -> Replaced {
    changed(store, properties).unwrap_or_default()
}

fn changed(store: &Store, properties: &Properties) -> Option<Replaced> {
    let id = |lid: u32| store.named_properties().id(PropertySet::ADDRESS, lid);
    let (members_id, checksum_id) = (id(MEMBERS)?, id(CHECKSUM)?);
    let members = list(properties, members_id)?;
    let one_offs = list(properties, id(ONE_OFFS)?)?;
    let checksum = properties.integer(checksum_id).ok()??;
    if members.len() != one_offs.len() || checksum_of(&members) != checksum {
        return None;
    }
    let pairs = members.into_iter().zip(one_offs);
    let members: Vec<_> = pairs
        .map(|(member, one_off)| if is_contact(&member) { one_off } else { member })
        .collect();
    let checksum = Stored::integer(checksum_of(&members));
    let members = Value::Multiple(members.into_iter().map(Value::Binary).collect());
    let members = Stored::of_value(members, 0)?;
    Some(Replaced(vec![
        (members_id, members),
        (checksum_id, checksum),
    ]))
}

fn list(properties: &Properties, id: u16) -> Option<Vec<Vec<u8>>> {
    let Value::Multiple(values) = properties.value(id).ok()?? else {
        return None;
    };
    let bytes = values.into_iter().map(|value| match value {
        Value::Binary(bytes) => Some(bytes),
        _ => None,
    });
    bytes.collect()
}

fn is_contact(member: &[u8]) -> bool {
    let kind = member.strip_prefix(&WRAPPED).and_then(<[u8]>::first);
    kind.is_some_and(|kind| kind & KIND == CONTACT)
}

/// The CRC of [MS-PST] 5.3 over all members, one behind the other: so it is in the files of Outlook at hand.
fn checksum_of(members: &[Vec<u8>]) -> i32 {
    crc(&members.concat()).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_a_contact_by_four_bits_behind_the_guid() {
        let member = |kind: u8| [&WRAPPED[..], &[kind, 0, 0, 0, 0]].concat();
        // [MS-OXOCNTC] 2.2.2.2.4.1.1: the bits above tell which of its addresses is meant, and of what kind the entry id is.
        for kind in [0x03, 0x83, 0xC3, 0xD3] {
            assert!(is_contact(&member(kind)), "{kind:#x}");
        }
        // One of no item, a list of one's own, a user and a list of the address book.
        for kind in [0x00, 0xB4, 0xB5, 0xB6] {
            assert!(!is_contact(&member(kind)), "{kind:#x}");
        }
        assert!(!is_contact(&WRAPPED));
        assert!(!is_contact(&[3; 25]));
    }
}
