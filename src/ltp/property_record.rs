//! The records of a property context, one for each property. [MS-PST] 2.3.3.3

use super::heap::{Heap, HeapId, HeapNodeId, HnidTarget};
use super::property::PropertyType;
use super::stream::PropertyStream;
use super::tags;
use crate::bytes::{u16_at, u32_at};
use crate::error::Result;
use crate::ndb::NodeDatabase;

/// Bytes of a value that is asked for as a whole: of a body, if the file is no smaller, and of all others;
/// attachments are read as streams.
const MAX_BODY: u64 = 256 << 20;
const MAX_VALUE: u64 = 16 << 20;

/// Properties that one problem names; there may be thousands in one block.
const MAX_NAMED: usize = 40;

/// One record: a property's id and type, and its value or where that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertyRecord {
    /// `wPropId`.
    pub id: u16,
    /// `wPropType`.
    pub property_type: PropertyType,
    /// `dwValueHnid`: the value itself if it takes at most four bytes, else its HNID.
    pub(super) value: u32,
}

impl PropertyRecord {
    /// Where the value is; None when it is in the record itself.
    pub fn target(&self) -> Option<HnidTarget> {
        let inline = self.property_type.is_inline();
        (!inline).then(|| HeapNodeId(self.value).target())
    }

    /// The value, if it is in the record itself: its bytes as a little-endian number, of which a type of less than four
    /// bytes has the low ones.
    pub fn inline(&self) -> Option<u32> {
        self.property_type.is_inline().then_some(self.value)
    }

    /// How much the value has to say: of several with one id the one is taken that has most. One that cannot be had has
    /// nothing; what 8-bit text has lost, Unicode text has.
    pub(super) fn worth(&self, heap: &Heap) -> (bool, bool, u64) {
        let len = match self.is_plausible() {
            true => self.len(heap).unwrap_or(0),
            false => 0,
        };
        let single = self.property_type.single().unwrap_or(self.property_type);
        (len > 0, single == PropertyType::STRING, len)
    }

    /// Bytes of the value.
    pub(super) fn len(&self, heap: &Heap) -> Result<u64> {
        match self.property_type.fixed_size() {
            Some(size) if self.property_type.is_inline() => Ok(size as u64),
            _ => Ok(PropertyStream::open(heap, HeapNodeId(self.value), self.id)?.len()),
        }
    }

    pub(super) fn is_body(&self) -> bool {
        [tags::BODY, tags::HTML, tags::RTF_COMPRESSED].contains(&self.id)
    }

    /// Bytes that the value may have in the file of `ndb`.
    pub(super) fn limit(&self, ndb: &NodeDatabase) -> u64 {
        match self.is_body() {
            true => ndb.longest_text(1, MAX_BODY),
            false => MAX_VALUE,
        }
    }

    /// Gives it `item` as its value.
    pub(super) fn lead_to(&mut self, item: HeapId) {
        self.value = item.0;
    }

    /// None for the zeros that some writers leave behind the last record.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (id, property_type, value) = (u16_at(bytes, 0)?, u16_at(bytes, 2)?, u32_at(bytes, 4)?);
        (id != 0 || property_type != 0).then_some(Self {
            id,
            property_type: PropertyType(property_type),
            value,
        })
    }

    /// Whether a writer could have put it there.
    pub(super) fn is_plausible(&self) -> bool {
        let single = self.property_type.single().unwrap_or(self.property_type);
        let is_type = single.fixed_size().is_some()
            || [
                PropertyType::STRING,
                PropertyType::STRING8,
                PropertyType::BINARY,
                PropertyType::OBJECT,
            ]
            .contains(&single);
        let is_target = match self.target() {
            Some(HnidTarget::Item(HeapId(hid))) => hid < u32::from(u16::MAX) << 16,
            _ => true,
        };
        self.id != 0 && is_type && is_target
    }
}

/// The properties with these ids, for people.
pub fn named(ids: &[u16]) -> String {
    let some = ids.get(..MAX_NAMED).unwrap_or(ids);
    let names: Vec<String> = some.iter().map(|id| format!("{id:#06x}")).collect();
    let noun = if ids.len() == 1 {
        "property"
    } else {
        "properties"
    };
    match ids.len() - some.len() {
        0 => format!("{noun} {}", names.join(", ")),
        more => format!("{noun} {} and {more} more", names.join(", ")),
    }
}
