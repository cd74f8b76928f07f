//! Which items of the heap of a property context no property has, or several have, and of that of a table no cell. Every writer
//! gives each value an item of its own and frees it with the value: so a wrong HID shows, though each by itself may be right.
//! [MS-PST] 2.3.3.3, 2.3.4.4

use std::collections::HashSet;

use super::heap::{Heap, HeapId, HnidTarget};
use super::property::PropertyType;
use super::property_record::{PropertyRecord, named};
use super::table_context::TableContext;
use crate::bytes::{u8_at, u32_at};
use crate::ndb::{Node, NodeId, NodeType};

/// Items that are looked at, one bit each: of more, as no object has in one block, nothing is told.
const MOST: usize = 2048;
const BITS: usize = u64::BITS as usize;
/// Offsets in BTHHEADER of `bIdxLevels` and `hidRoot`.
const LEVELS: usize = 3;
const ROOT: usize = 4;
/// Types of values that exist, beside those with several values ([MS-OXCDATA] 2.11.1), and none at all, which writers have used.
const TYPES: [u16; 20] = [
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0A, 0x0B, 0x0D, 0x14, 0x1E, 0x1F, 0x40, 0x48,
    0xFB, 0xFD, 0xFE, 0x102,
];

/// Types of subnodes that are no values: of a message its tables and attachments, of an attachment a message.
const OTHER_PARTS: [NodeType; 4] = [
    NodeType::ATTACHMENT_TABLE,
    NodeType::RECIPIENT_TABLE,
    NodeType::ATTACHMENT,
    NodeType::NORMAL_MESSAGE,
];

/// Which items something has.
struct Claims {
    bits: [u64; MOST / BITS],
    is_shared: bool,
}

impl Claims {
    /// None but for the tree of records in the BTH of `header`, or none if there is no such item. None of a BTH of several levels.
    fn of_bth(heap: &Heap, header: HeapId) -> Option<Self> {
        let mut claims = Self {
            bits: [0; MOST / BITS],
            is_shared: false,
        };
        if header.0 == 0 {
            return Some(claims);
        }
        let item = heap.item(header).ok()?;
        let root = HeapId(u32_at(item.bytes(), ROOT)?);
        if u8_at(item.bytes(), LEVELS) != Some(0) {
            return None;
        }
        claims.take_item(heap, header);
        claims.take_item(heap, root);
        Some(claims)
    }

    fn take_item(&mut self, heap: &Heap, hid: HeapId) {
        // HID 0 is none.
        if let Some(index) = heap.index_in_first_block(hid).filter(|_| hid.0 != 0) {
            self.take(index);
        }
    }

    /// The first item with bytes that nothing has, and whether there are more.
    fn unclaimed(&self, heap: &Heap, count: usize) -> Option<(HeapId, bool)> {
        let is_lost = |index: &usize| !self.has(*index) && heap.has_bytes(*index);
        let mut lost = (1..=count).filter(is_lost);
        let first = lost.next()?;
        Some((HeapId::of_first_block(first), lost.next().is_some()))
    }

    fn take(&mut self, index: usize) {
        if let Some(bits) = self.bits.get_mut(index / BITS) {
            let bit = 1 << (index % BITS);
            self.is_shared |= *bits & bit != 0;
            *bits |= bit;
        }
    }

    fn has(&self, index: usize) -> bool {
        let bits = self.bits.get(index / BITS).copied().unwrap_or(u64::MAX);
        bits & 1 << (index % BITS) != 0
    }
}

/// What is wrong with where the `records` of the heap say that their values are. A value that one record alone can have lost
/// is given back to it. Of a heap of several blocks, or one that is damaged, nothing is told.
pub(super) fn check(heap: &Heap, records: &mut [PropertyRecord]) -> Option<String> {
    let count = heap.items_of_one_block().filter(|count| *count < MOST)?;
    let mut claims = Claims::of_bth(heap, heap.user_root())?;
    let mut strange = None;
    for record in records.iter() {
        if let Some(HnidTarget::Item(hid)) = record.target() {
            claims.take_item(heap, hid);
        }
        if strange.is_none() && !is_type(record.property_type) {
            strange = Some(*record);
        }
    }
    let of_strange = strange.map(|record| {
        let (id, kind) = (record.id, record.property_type.0);
        format!("property {id:#06x} has the type {kind:#06x}, which there is not")
    });
    let Some((first, are_more)) = claims.unclaimed(heap, count) else {
        return match claims.is_shared {
            true => Some(of_shared(records)),
            false => of_strange,
        };
    };
    let mut led_astray = records
        .iter_mut()
        .filter(|record| leads_nowhere(heap, record));
    if let (false, Some(record), None) = (are_more, led_astray.next(), led_astray.next()) {
        record.lead_to(first);
        return Some(format!(
            "property {:#06x} led to no value; the only item of the heap that no other has, {:#x}, is taken for it",
            record.id, first.0
        ));
    }
    let others = if are_more {
        " and others belong"
    } else {
        " belongs"
    };
    let shared = if claims.is_shared {
        of_shared(records)
    } else {
        String::new()
    };
    let shared = Some(shared).filter(|text| !text.is_empty()).or(of_strange);
    let end = shared.map(|text| format!("; {text}")).unwrap_or_default();
    Some(format!(
        "item {:#x} of the heap{others} to no property{end}",
        first.0
    ))
}

/// The only value in a subnode that none of the `records` leads to, and the id of the only one of these that has lost what leads to its
/// value.
pub(super) fn left_subnode(heap: &Heap, records: &[PropertyRecord]) -> Option<(u16, NodeId)> {
    let subnodes = heap.node().subnodes().ok()?;
    let claimed = records.iter().filter_map(|record| match record.target() {
        Some(HnidTarget::Subnode(nid)) => Some(nid),
        _ => None,
    });
    let claimed: HashSet<NodeId> = claimed.collect();
    let only_of = |is_wanted: fn(NodeType) -> bool| {
        let nids = subnodes.iter().map(Node::nid);
        let mut left = nids.filter(|nid| is_wanted(nid.node_type()) && !claimed.contains(nid));
        left.next().filter(|_| left.next().is_none())
    };
    // In a damaged list its type may be wrong; those that others have are not those of a value.
    let left =
        only_of(|of| of == NodeType::LTP).or_else(|| only_of(|of| !OTHER_PARTS.contains(&of)))?;
    let only = |may_be_it: fn(HnidTarget) -> bool| {
        let is_astray = |record: &&PropertyRecord| {
            record.target().is_some_and(may_be_it) && leads_nowhere(heap, record)
        };
        let mut astray = records.iter().filter(is_astray);
        astray.next().filter(|_| astray.next().is_none())
    };
    // Of the items of a damaged heap several may be lost, and a text may be empty.
    let record = only(|target| matches!(target, HnidTarget::Subnode(_)))
        .or_else(|| only(|target| !matches!(target, HnidTarget::Empty)))?;
    Some((record.id, left))
}

/// What is wrong with where the cells of `table` say that their values are; `rows` is its index. Of a table of several blocks, as
/// one of many rows is, nothing is told.
pub fn check_table(table: &TableContext, rows: &[(u32, u32)]) -> Option<String> {
    let heap = table.heap();
    let count = heap.items_of_one_block().filter(|count| *count < MOST)?;
    let mut claims = Claims::of_bth(heap, table.row_index_item())?;
    claims.take_item(heap, heap.user_root());
    if let HnidTarget::Item(hid) = table.rows_item().target() {
        claims.take_item(heap, hid);
    }
    for (id, number) in rows {
        let row = table.row(*id, *number).ok()?;
        row.items().for_each(|hid| claims.take_item(heap, hid));
    }
    match claims.unclaimed(heap, count) {
        Some((first, _)) => Some(format!(
            "item {:#x} of the heap belongs to no cell",
            first.0
        )),
        None if claims.is_shared => {
            Some("two cells have one value: one of them has another's".into())
        }
        None => None,
    }
}

fn is_type(property_type: PropertyType) -> bool {
    let single = property_type.single().unwrap_or(property_type);
    TYPES.contains(&single.0)
}

/// Whether `record` may have lost what leads to its value.
fn leads_nowhere(heap: &Heap, record: &PropertyRecord) -> bool {
    match record.target() {
        Some(HnidTarget::Item(hid)) => heap.item(hid).is_err(),
        Some(HnidTarget::Empty) => [
            PropertyType::STRING,
            PropertyType::STRING8,
            PropertyType::BINARY,
        ]
        .contains(&record.property_type),
        Some(HnidTarget::Subnode(nid)) => matches!(heap.node().subnode(nid), Ok(None)),
        None => false,
    }
}

/// The properties that have one item together.
fn of_shared(records: &[PropertyRecord]) -> String {
    let is_item = |record: &PropertyRecord| matches!(record.target(), Some(HnidTarget::Item(_)));
    let items = || records.iter().filter(|record| is_item(record));
    let shared: Vec<u16> = items()
        .filter(|one| {
            items()
                .filter(|other| other.target() == one.target())
                .count()
                > 1
        })
        .map(|record| record.id)
        .collect();
    match shared.is_empty() {
        true => "a property has the list itself as its value".into(),
        false => format!(
            "{} have one value together: some have another's",
            named(&shared)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_named_that_share_their_item_and_no_others() {
        let record = |id: u16, hid: u32| {
            let text = PropertyType::STRING.0;
            let bytes = [id.to_le_bytes(), text.to_le_bytes()].concat();
            PropertyRecord::parse(&[bytes, hid.to_le_bytes().to_vec()].concat()).unwrap()
        };
        let records = [
            record(0x37, 0x40),
            record(0xE1D, 0x60),
            record(0x1000, 0x40),
        ];
        let said = of_shared(&records);
        assert!(said.contains("0x0037, 0x1000"), "{said}");
        assert!(!said.contains("0x0e1d"), "{said}");
    }
}
