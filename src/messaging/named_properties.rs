//! The named property map: which property ids above 0x8000 mean what in this file. [MS-PST] 2.4.7

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::ops::RangeInclusive;

use hashbrown::Equivalent;
use serde::{Deserialize, Serialize};

use crate::bytes::{array_at, u16_at, u32_at};
use crate::codepage;
use crate::error::Result;
use crate::ltp::{Guid, HnidTarget, PropertyContext, PropertyRecord};
use crate::ndb::Node;

/// Streams of the map node.
const GUID_STREAM: u16 = 0x0002;
const ENTRY_STREAM: u16 = 0x0003;
const STRING_STREAM: u16 = 0x0004;
/// NAMEID: id or string offset, GUID index and kind, property index.
const ENTRY_SIZE: usize = 8;
/// `wGuid`: values 1 and 2 are known sets, the stream starts at 3.
const GUID_PS_MAPI: u16 = 1;
const GUID_PS_PUBLIC_STRINGS: u16 = 2;
const GUID_STREAM_START: u16 = 3;
/// Properties from here on have their meaning from the named property map.
pub const FIRST_NAMED_ID: u16 = 0x8000;
/// More than a map can hold: ids have 15 bits.
const MAX_STREAM: usize = 16 << 20;
/// How often the string stream may be in the names: each string has one name as a rule, and a hostile file one string for
/// all names.
const MAX_TIMES: usize = 4;

/// A property set: the GUID that scopes a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PropertySet(pub Guid);

/// The property sets of Outlook and of the base share the tail of their GUIDs.
const fn outlook_set(first: u32) -> PropertySet {
    let [a, b, c, d] = first.to_le_bytes();
    PropertySet(Guid([a, b, c, d, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46]))
}

impl PropertySet {
    /// PS_MAPI
    pub const MAPI: PropertySet = outlook_set(0x0002_0328);
    /// PS_PUBLIC_STRINGS
    pub const PUBLIC_STRINGS: PropertySet = outlook_set(0x0002_0329);
    /// PS_INTERNET_HEADERS
    pub const INTERNET_HEADERS: PropertySet = outlook_set(0x0002_0386);
    /// PSETID_Appointment
    pub const APPOINTMENT: PropertySet = outlook_set(0x0006_2002);
    /// PSETID_Task
    pub const TASK: PropertySet = outlook_set(0x0006_2003);
    /// PSETID_Address
    pub const ADDRESS: PropertySet = outlook_set(0x0006_2004);
    /// PSETID_Common
    pub const COMMON: PropertySet = outlook_set(0x0006_2008);
    /// PSETID_Log
    pub const LOG: PropertySet = outlook_set(0x0006_200A);
    /// PSETID_Note
    pub const NOTE: PropertySet = outlook_set(0x0006_200E);
    /// PSETID_Sharing
    pub const SHARING: PropertySet = outlook_set(0x0006_2040);
    /// PSETID_PostRss
    pub const POST_RSS: PropertySet = outlook_set(0x0006_2041);
    /// PSETID_Meeting
    pub const MEETING: PropertySet = PropertySet(Guid([
        0x90, 0xDA, 0xD8, 0x6E, 0x0B, 0x45, 0x1B, 0x10, 0x98, 0xDA, 0x00, 0xAA, 0x00, 0x3F, 0x13,
        0x05,
    ]));
    /// PSETID_Attachment
    pub const ATTACHMENT: PropertySet = PropertySet(Guid([
        0x7F, 0x7F, 0x35, 0x96, 0xE1, 0x59, 0xD0, 0x47, 0x99, 0xA7, 0x46, 0x51, 0x5C, 0x18, 0x3B,
        0x54,
    ]));
    /// PSETID_Messaging
    pub const MESSAGING: PropertySet = PropertySet(Guid([
        0x13, 0x8F, 0xF2, 0x41, 0xF4, 0x83, 0x14, 0x41, 0xA5, 0x84, 0xEE, 0xDB, 0x5A, 0x6B, 0x0B,
        0xFF,
    ]));
    /// What Teams and Skype say of a chat.
    pub const TEAMS: PropertySet = PropertySet(Guid([
        0x45, 0xBA, 0xE4, 0xF6, 0x3C, 0xC8, 0xDA, 0x45, 0x8F, 0x38, 0x43, 0xBD, 0x3F, 0xE7, 0x6D,
        0x5C,
    ]));
    /// Made up by ostfs for what it writes: here a property whose name its source did not have keeps its number there.
    pub const NAMELESS: PropertySet = PropertySet(Guid([
        0x6F, 0x73, 0x74, 0x66, 0x73, 0x2D, 0x6E, 0x61, 0x6D, 0x65, 0x6C, 0x65, 0x73, 0x73, 0x2D,
        0x31,
    ]));
    /// PSETID_UnifiedMessaging
    pub const UNIFIED_MESSAGING: PropertySet = PropertySet(Guid([
        0x8E, 0x85, 0x42, 0x44, 0xE3, 0xA9, 0x80, 0x4E, 0xB9, 0x00, 0x31, 0x7A, 0x21, 0x0C, 0xC1,
        0x5B,
    ]));
}

/// The numbers that each set of Outlook has names for. [MS-OXPROPS] 2
const RANGES: [(RangeInclusive<u32>, PropertySet); 9] = [
    (0x0001..=0x0040, PropertySet::MEETING),
    (0x8000..=0x80FF, PropertySet::ADDRESS),
    (0x8100..=0x81FF, PropertySet::TASK),
    (0x8200..=0x82FF, PropertySet::APPOINTMENT),
    (0x8500..=0x85FF, PropertySet::COMMON),
    (0x8700..=0x87FF, PropertySet::LOG),
    (0x8900..=0x89FF, PropertySet::POST_RSS),
    (0x8A00..=0x8AFF, PropertySet::SHARING),
    (0x8B00..=0x8BFF, PropertySet::NOTE),
];

/// The name of a property within its set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PropertyName {
    /// LID: a number.
    Id(u32),
    /// A string; names of PS_INTERNET_HEADERS are kept in lower case, since their case does not count.
    String(String),
}

/// What a name is looked for by: nothing is copied for that. It has the hash of a set and a [`PropertyName`].
#[derive(Hash)]
struct Key<'a> {
    set: PropertySet,
    name: BorrowedName<'a>,
}

/// As [`PropertyName`], in the same order.
#[derive(Hash)]
enum BorrowedName<'a> {
    Id(u32),
    String(&'a str),
}

impl Equivalent<(PropertySet, PropertyName)> for Key<'_> {
    fn equivalent(&self, (set, name): &(PropertySet, PropertyName)) -> bool {
        self.set == *set
            && match (&self.name, name) {
                (BorrowedName::Id(own), PropertyName::Id(other)) => own == other,
                (BorrowedName::String(own), PropertyName::String(other)) => own == other,
                _ => false,
            }
    }
}

/// The map of one file, in both directions.
#[derive(Debug, Default)]
pub struct NamedProperties {
    ids: hashbrown::HashMap<(PropertySet, PropertyName), u16, RandomState>,
    names: HashMap<u16, (PropertySet, PropertyName)>,
    problem: Option<String>,
    is_doubtful: bool,
}

impl NamedProperties {
    /// Reads the map. The hash buckets are not used: they miss entries in real files. An entry that makes no sense
    /// leaves its property without a name.
    pub fn read(node: Node) -> Result<Self> {
        let context = PropertyContext::open(node)?;
        let stream = |id: u16| -> Result<Vec<u8>> {
            match context.stream(id)? {
                Some(stream) => Ok(stream.read_all(MAX_STREAM)?.bytes),
                None => Ok(Vec::new()),
            }
        };
        let entries = stream(ENTRY_STREAM)?;
        let guids = match stream(GUID_STREAM) {
            Ok(guids) => guids,
            Err(error) if context.heap().flaw().is_some() && !error.is_unread() => {
                let target = context.record(GUID_STREAM).and_then(PropertyRecord::target);
                let start = match target {
                    Some(HnidTarget::Item(hid)) => context.heap().from_start_of(hid),
                    _ => None,
                };
                // Without a start, the numbers tell most of them.
                start
                    .map(|start| start.bytes().to_vec())
                    .unwrap_or_default()
            }
            Err(error) => return Err(error),
        };
        let sets = Sets::of(guids, &entries);
        let strings = stream(STRING_STREAM)?;
        let mut map = Self::default();
        let mut left = strings.len().saturating_mul(MAX_TIMES);
        for entry in entries.chunks_exact(ENTRY_SIZE) {
            let Some((id, set, name)) = parse_entry(entry, &sets, &strings, left) else {
                continue;
            };
            if let PropertyName::String(name) = &name {
                left = left.saturating_sub(name.len());
            }
            // Of two names of one property the first counts, in both directions; so it is with two properties of one name.
            if let Entry::Vacant(names) = map.names.entry(id) {
                names.insert((set, name.clone()));
                map.ids.entry((set, name)).or_insert(id);
            }
        }
        map.is_doubtful = !sets.of_numbers.is_empty();
        let count = entries.len() / ENTRY_SIZE;
        map.problem = match count - map.len() {
            _ if count == 0 => Some("it has no names".to_owned()),
            0 if !map.is_doubtful => None,
            0 => Some("property sets are lost, and told by the numbers of their names".to_owned()),
            lost => Some(format!("{lost} of its {count} names are lost")),
        };
        Ok(map)
    }

    /// Whether some of the names may be others.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// Why some names are lost, or may be others, though the map can be read.
    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The property id of the numbered name `lid` in `set`.
    pub fn id(&self, set: PropertySet, lid: u32) -> Option<u16> {
        let name = BorrowedName::Id(lid);
        self.ids.get(&Key { set, name }).copied()
    }

    /// The property id of the string name `name` in `set`.
    pub fn id_of_string(&self, set: PropertySet, name: &str) -> Option<u16> {
        let lower_case = (set == PropertySet::INTERNET_HEADERS).then(|| name.to_ascii_lowercase());
        let name = BorrowedName::String(lower_case.as_deref().unwrap_or(name));
        self.ids.get(&Key { set, name }).copied()
    }

    /// The name of property `id`.
    pub fn name(&self, id: u16) -> Option<&(PropertySet, PropertyName)> {
        // Most properties that are asked about are not named ones.
        (id >= FIRST_NAMED_ID).then(|| self.names.get(&id))?
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether the file has no names.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

fn canonical(set: PropertySet, name: String) -> String {
    if set == PropertySet::INTERNET_HEADERS {
        name.to_ascii_lowercase()
    } else {
        name
    }
}

/// The property sets of a map by their indices.
struct Sets {
    /// The GUID stream.
    guids: Vec<u8>,
    /// Those that the stream does not have, as far as numbers tell them.
    of_numbers: HashMap<u16, PropertySet>,
}

impl Sets {
    /// Those of `entries`.
    fn of(guids: Vec<u8>, entries: &[u8]) -> Self {
        let mut sets = Self {
            guids,
            of_numbers: HashMap::new(),
        };
        let indices = entries.chunks_exact(ENTRY_SIZE);
        let mut indices = indices.filter_map(|entry| Some(u16_at(entry, 4)? >> 1));
        if indices.any(|index| index >= GUID_STREAM_START && sets.get(index).is_none()) {
            let mut of_numbers = Self::of_numbers(entries);
            of_numbers.retain(|index, _| sets.get(*index).is_none());
            sets.of_numbers = of_numbers;
        }
        sets
    }

    /// The sets by the numbers of the names in `entries`: [MS-OXPROPS] gives each set of Outlook a range.
    fn of_numbers(entries: &[u8]) -> HashMap<u16, PropertySet> {
        let mut found: HashMap<u16, Option<PropertySet>> = HashMap::new();
        for entry in entries.chunks_exact(ENTRY_SIZE) {
            let (Some(lid), Some(guid)) = (u32_at(entry, 0), u16_at(entry, 4)) else {
                continue;
            };
            if guid & 1 != 0 {
                continue;
            }
            let range = RANGES.iter().find(|(range, _)| range.contains(&lid));
            let set = range.map(|(_, set)| *set);
            // All numbers of a set must lie in its range.
            let known = found.entry(guid >> 1).or_insert(set);
            *known = known.filter(|known| Some(*known) == set);
        }
        let sets = found.into_iter();
        sets.filter(|(index, _)| *index >= GUID_STREAM_START)
            .filter_map(|(index, set)| Some((index, set?)))
            .collect()
    }

    /// No set has a GUID of zeros.
    fn get(&self, index: u16) -> Option<PropertySet> {
        let stored = || {
            let at = usize::from(index.checked_sub(GUID_STREAM_START)?) * size_of::<Guid>();
            array_at(&self.guids, at).filter(|guid| *guid != [0; size_of::<Guid>()])
        };
        let stored = stored().map(|guid| PropertySet(Guid(guid)));
        stored.or_else(|| self.of_numbers.get(&index).copied())
    }
}

/// None for a string of more than `most` bytes, too.
fn parse_entry(
    entry: &[u8],
    sets: &Sets,
    strings: &[u8],
    most: usize,
) -> Option<(u16, PropertySet, PropertyName)> {
    let value = u32_at(entry, 0)?;
    let guid = u16_at(entry, 4)?;
    let id = FIRST_NAMED_ID.checked_add(u16_at(entry, 6)?)?;
    let set = match guid >> 1 {
        0 => return None,
        GUID_PS_MAPI => PropertySet::MAPI,
        GUID_PS_PUBLIC_STRINGS => PropertySet::PUBLIC_STRINGS,
        index => sets.get(index)?,
    };
    let is_string = guid & 1 != 0;
    let name = if is_string {
        let at = value as usize;
        let length = Some(u32_at(strings, at)? as usize).filter(|length| *length <= most)?;
        let start = at.checked_add(4)?;
        let text = strings.get(start..start.checked_add(length)?)?;
        PropertyName::String(canonical(set, codepage::decode_utf16le(text)))
    } else {
        PropertyName::Id(value)
    };
    Some((id, set, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [MS-OXPROPS] has PidLidAppointmentStartWhole and PidLidReminderSet in these sets alone.
    #[test]
    fn sets_without_their_guids_are_known_by_the_numbers_of_their_names() {
        let entry = |value: u32, index: u16, kind: u16, number: u16| {
            let mut entry = value.to_le_bytes().to_vec();
            entry.extend((index << 1 | kind).to_le_bytes());
            entry.extend(number.to_le_bytes());
            entry
        };
        // What a string has in the place of a number is where it stands.
        let entries = [
            entry(0x820D, 3, 0, 0),
            entry(0, 3, 1, 1),
            entry(0x8503, 4, 0, 2),
        ];
        let sets = Sets::of(Vec::new(), &entries.concat());
        assert_eq!(sets.get(3), Some(PropertySet::APPOINTMENT));
        assert_eq!(sets.get(4), Some(PropertySet::COMMON));
        assert_eq!(sets.get(5), None);
    }
}
