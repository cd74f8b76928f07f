//! Everything that is stored of an item beside its fields, by names that are the same in every file.

use super::hash::Field;
use super::value;
use crate::convert::lids::{self, Key};
use crate::error::Error;
use crate::ltp::tags;
use crate::messaging::{FIRST_NAMED_ID, Message, PropertyName, PropertySet};

/// Properties that a store keeps for itself, and that do not go with a message: non-transmittable ones of messages, of users
/// and of stores. [MS-OXPROPS] 1.3.3
const NOT_TRANSMITTED: [std::ops::RangeInclusive<u16>; 2] = [0x0E00..=0x0FFF, 0x6000..=0x67FF];
/// What a field has already, and what every copy gets anew.
const LEFT_OUT: [u16; 7] = [
    tags::MESSAGE_CLASS,
    tags::SUBJECT,
    tags::SUBJECT_PREFIX,
    tags::CREATION_TIME,
    tags::LAST_MODIFICATION_TIME,
    tags::SEARCH_KEY,
    tags::CONVERSATION_ID,
];
/// What names other items by their entry ids: the members of a list, of which it has names and addresses besides, with their
/// checksum; and the contacts that an item is about.
const NAMING_OTHERS: [Key; 3] = [
    lids::DISTRIBUTION_LIST_MEMBERS,
    lids::DISTRIBUTION_LIST_CHECKSUM,
    lids::CONTACT_LINK_ENTRY,
];

/// The properties of `message` by name; they are of its content if `is_content`.
pub(super) fn of(message: &Message, is_content: bool) -> Vec<Field> {
    let naming: Vec<u16> = NAMING_OTHERS
        .into_iter()
        .filter_map(|key| key.id(message))
        .collect();
    let properties = message.properties();
    let is_left_out = |id: u16| {
        LEFT_OUT.contains(&id)
            || naming.contains(&id)
            || NOT_TRANSMITTED.iter().any(|range| range.contains(&id))
    };
    let ids = properties.ids().filter(|id| !is_left_out(*id));
    let field = |id: u16| {
        let name = name(message, id)?;
        // What cannot be read is noted by the properties, but for a long value.
        let value = match value::of_property(properties, id) {
            Ok(value) => value?,
            Err(error) => return lost(message, id, &error),
        };
        Some(Field {
            name,
            value,
            is_content,
        })
    };
    let mut fields: Vec<Field> = ids.filter_map(field).collect();
    fields.sort_by(|one, other| one.name.cmp(&other.name));
    fields
}

/// Nothing of a property is hashed that cannot be read, and the item is damaged.
fn lost(message: &Message, id: u16, error: &Error) -> Option<Field> {
    message
        .problems()
        .note_error(format_args!("property {id:#06x}"), error);
    None
}

/// The name of property `id`; None for a named one whose name is lost.
fn name(message: &Message, id: u16) -> Option<String> {
    if id < FIRST_NAMED_ID {
        return Some(format!("property {id:04x}"));
    }
    let (set, name) = message.store().named_properties().name(id)?;
    if *set == PropertySet::NAMELESS {
        return None;
    }
    Some(match name {
        PropertyName::Id(lid) => format!("property {} {lid:04x}", set.0),
        PropertyName::String(name) => format!("property {} {}", set.0, value::squeezed(name)),
    })
}
