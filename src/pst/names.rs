//! The names of properties from 0x8000 on, each with an id of this file. [MS-PST] 2.4.7

use std::collections::{BTreeMap, HashMap};
use std::io;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::output::{Content, Output};
use super::value::{Stored, utf16};
use crate::messaging::{FIRST_NAMED_ID, NamedProperties, PropertyName, PropertySet};
use crate::ndb::crc::crc;

/// The properties of the map's node.
const BUCKET_COUNT: u16 = 0x0001;
const GUIDS: u16 = 0x0002;
const ENTRIES: u16 = 0x0003;
const STRINGS: u16 = 0x0004;
const FIRST_BUCKET: u16 = 0x1000;
const BUCKETS: u16 = 251;
/// Property sets that have no place in the stream of GUIDs: their index; the index of the first that has one.
const KNOWN_SETS: [(PropertySet, u16); 2] =
    [(PropertySet::MAPI, 1), (PropertySet::PUBLIC_STRINGS, 2)];
const FIRST_SET: u16 = 3;
const MOST_NAMES: usize = 0x8000;

/// The ids of names that every map has, so that no stream of it is empty: the categories of an item, a name of a set with a
/// GUID, and what is wrong with an item, in words.
pub(super) const KEYWORDS: u16 = FIRST_NAMED_ID;
const REMINDER_SET: u16 = KEYWORDS + 1;
pub(super) const PROBLEMS: u16 = REMINDER_SET + 1;

type Name = (PropertySet, PropertyName);

/// Bytes that a name takes at most beside its text: in the streams, in a bucket, and its part of a block.
const OF_NAME: u64 = 64;

/// The map of the new file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Names {
    ids: HashMap<Name, u16>,
    names: Vec<Name>,
    /// Bytes that the map will take at most.
    bytes: u64,
}

impl Names {
    /// A map with the names that every file has.
    pub fn new() -> Self {
        let mut names = Self {
            ids: HashMap::new(),
            names: Vec::new(),
            bytes: 0,
        };
        let text = |name: &str| PropertyName::String(name.to_owned());
        let lid_reminder_set = PropertyName::Id(0x8503);
        for (id, set, name) in [
            (KEYWORDS, PropertySet::PUBLIC_STRINGS, text("Keywords")),
            (REMINDER_SET, PropertySet::COMMON, lid_reminder_set),
            (
                PROBLEMS,
                PropertySet::INTERNET_HEADERS,
                text("x-ostfs-problem"),
            ),
        ] {
            let own = names.id((set, name));
            debug_assert_eq!(own, Some(id));
        }
        names
    }

    /// The id of `name`; None once the map is full.
    fn id(&mut self, name: Name) -> Option<u16> {
        if let Some(id) = self.ids.get(&name) {
            return Some(*id);
        }
        let index = self.names.len();
        if index >= MOST_NAMES {
            return None;
        }
        let id = FIRST_NAMED_ID + index as u16;
        if let PropertyName::String(text) = &name.1 {
            self.bytes += 2 * text.len() as u64;
        }
        self.bytes += OF_NAME;
        self.ids.insert(name.clone(), id);
        self.names.push(name);
        Some(id)
    }

    /// Bytes that the map will take at most.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The id of a property that has no name in this file but its number `id` in the source.
    pub fn nameless(&mut self, id: u16) -> Option<u16> {
        self.id((PropertySet::NAMELESS, PropertyName::Id(u32::from(id))))
    }

    /// The id in this file of property `id` of a source with the map `source`.
    pub fn of(&mut self, source: &NamedProperties, id: u16) -> Option<u16> {
        if id < FIRST_NAMED_ID {
            return Some(id);
        }
        // Damage makes names empty; pffinfo cannot open a file that has one.
        let has_text =
            |name: &&Name| !matches!(&name.1, PropertyName::String(text) if text.is_empty());
        match source.name(id).filter(has_text) {
            // Most are known, and need no copy of the name.
            Some(name) => match self.ids.get(name) {
                Some(id) => Some(*id),
                None => self.id(name.clone()),
            },
            None => self.nameless(id),
        }
    }

    /// Writes the map.
    pub fn finish(&self, out: &mut Output) -> io::Result<Content> {
        let mut sets: Vec<PropertySet> = Vec::new();
        let (mut entries, mut strings) = (Vec::new(), Vec::new());
        let mut buckets: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
        for ((set, name), index) in self.names.iter().zip(0u16..) {
            let known = KNOWN_SETS.iter().find(|(known, _)| known == set);
            let set = known.map_or_else(|| FIRST_SET + place_of(&mut sets, *set), |(_, at)| *at);
            let (value, key, is_string) = match name {
                PropertyName::Id(id) => (*id, *id, false),
                PropertyName::String(name) => {
                    let name = utf16(name);
                    let at = strings.len() as u32;
                    strings.extend((name.len() as u32).to_le_bytes());
                    strings.extend(&name);
                    strings.resize(strings.len().next_multiple_of(4), 0);
                    (at, crc(&name), true)
                }
            };
            let guid = set << 1 | u16::from(is_string);
            let tail = [guid.to_le_bytes(), index.to_le_bytes()].concat();
            entries.extend(value.to_le_bytes());
            entries.extend(&tail);
            let number = (key ^ u32::from(guid)) % u32::from(BUCKETS);
            let bucket = buckets.entry(FIRST_BUCKET + number as u16).or_default();
            bucket.extend(key.to_le_bytes());
            bucket.extend(&tail);
        }
        let guids: Vec<u8> = sets.iter().flat_map(|set| set.0.0).collect();
        let mut context = Context::default();
        context.set(out, BUCKET_COUNT, Stored::integer(i32::from(BUCKETS)))?;
        for (id, bytes) in [(GUIDS, guids), (ENTRIES, entries), (STRINGS, strings)] {
            context.set(out, id, Stored::binary(bytes))?;
        }
        for (id, bytes) in buckets {
            context.set(out, id, Stored::binary(bytes))?;
        }
        context.finish(out)
    }
}

/// The place of `set` among `sets`, at whose end it is put if it is new.
fn place_of(sets: &mut Vec<PropertySet>, set: PropertySet) -> u16 {
    let known = sets.iter().position(|known| *known == set);
    let place = known.unwrap_or_else(|| {
        sets.push(set);
        sets.len() - 1
    });
    place as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [MS-PST] 2.4.7: each name has 8 bytes in the stream of entries and in a bucket; a string its length, itself in UTF-16, and
    /// up to 2 bytes behind it.
    #[test]
    fn the_map_takes_no_more_than_is_said() {
        let mut names = Names::new();
        let before = names.bytes();
        let texts = ["x-mailer", "Prüfung", "x"];
        for text in texts {
            let name = PropertyName::String(text.to_owned());
            names.id((PropertySet::PUBLIC_STRINGS, name)).unwrap();
        }
        let utf16 = |text: &str| 2 * text.encode_utf16().count() as u64;
        let taken: u64 = texts.iter().map(|text| 8 + 8 + 4 + utf16(text) + 2).sum();
        let said = names.bytes() - before;
        assert!(taken <= said, "{taken} bytes, not {said}");
        assert!(before > 0);
    }
}
