//! Fields that the user or a form has made: properties with names of their own.
#![forbid(unsafe_code)]

use super::lids::{self, Key};
use super::shown;
use crate::messaging::{Message, PropertyName, PropertySet};

/// Fields of the user that are written.
const MAX_USER_FIELDS: usize = 200;

/// Those of `message`, with their values as people read them.
pub(super) fn user_fields(message: &Message) -> Vec<(&str, String)> {
    let properties = message.properties();
    let names = message.store().named_properties();
    let fields = properties.ids().filter_map(|id| {
        let (PropertySet::PUBLIC_STRINGS, PropertyName::String(name)) = names.name(id)? else {
            return None;
        };
        let value = is_field_of_user(name).then(|| shown::property(properties, id))?;
        Some((name.as_str(), value?))
    });
    fields.take(MAX_USER_FIELDS).collect()
}

/// Whether a property of PS_PUBLIC_STRINGS is one that people know. Names with colons and slashes are those of programs.
fn is_field_of_user(name: &str) -> bool {
    let is = |key: &Key| matches!(key, Key::Name(_, known) if *known == name);
    let links = lids::ONLINE_MEETING_LINKS.iter().map(|(_, key)| key);
    !name.contains([':', '/', '\\']) && !links.chain([&lids::KEYWORDS]).any(is)
}
