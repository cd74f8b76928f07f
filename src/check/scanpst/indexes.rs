//! What a store keeps of its items beside their folders: an index of messages by conversation, and a map from the ids that they
//! have in copies on servers. docs/FORMAT.md, section 3.1

use std::collections::{HashMap, HashSet};

use super::scan::{Scan, numbers};
use crate::bytes::u32_at;
use crate::check::checker::Checker;
use crate::ltp::bth::{self, Sizes, Step};
use crate::ltp::{Heap, HeapId, HeapNodeId, HnidTarget, TableContext, Value, tags};
use crate::ndb::{Node, NodeId, NodeType};

/// The index of messages: of each hash of a PidTagConversationId, the messages that have it.
const MESSAGE_INDEX: NodeId = NodeId(0xE01);
const CONVERSATIONS: Sizes = Sizes {
    key: 4,
    values: &[4],
};
/// Fields of its root item, behind the HID of the BTH: whether it is kept, and the highest message that it was kept for.
const KEPT: usize = 4;
const HIGHEST: usize = 8;
const IS_KEPT: u32 = 1;
/// Most bytes of all its lists: a file made on purpose has one list many times.
const MAX_INDEX: usize = 16 << 20;

/// The map from each PidTagReplItemid to a node.
const ID_MAP: NodeId = NodeId(0xC01);
const REPLICA_IDS: Sizes = Sizes {
    key: 16,
    values: &[4],
};

/// Every message is in the index, if the index is kept, up to the highest one that it was kept for.
pub(super) fn messages(scan: &Scan<'_>, checker: &mut Checker) {
    let Some((highest, listed)) = indexed(scan) else {
        return;
    };
    for node in scan.nodes {
        let is_due = node.nid.node_type() == NodeType::NORMAL_MESSAGE && node.nid.0 <= highest;
        if is_due && !listed.contains(&node.nid.0) {
            let problem = format!("expected an entry for {}, found none", node.nid);
            checker.warning("message index", MESSAGE_INDEX, problem, Some(node.nid));
        }
    }
}

/// The highest message that the index was kept for, and all that it lists; None if it is not kept, or cannot be read.
fn indexed(scan: &Scan<'_>) -> Option<(u32, HashSet<u32>)> {
    let heap = heap(scan, MESSAGE_INDEX)?;
    let root = heap.item(heap.user_root()).ok()?;
    let field = |at: usize| u32_at(root.bytes(), at);
    let (tree, highest) = (HeapId(field(0)?), field(HIGHEST)?);
    if field(KEPT)? != IS_KEPT {
        return None;
    }
    let mut listed = HashSet::new();
    let mut room = MAX_INDEX;
    for (_, list) in records(&heap, tree, CONVERSATIONS)? {
        let list = match HeapNodeId(list).target() {
            HnidTarget::Empty => continue,
            HnidTarget::Item(hid) => heap.item(hid).ok()?.bytes().to_vec(),
            HnidTarget::Subnode(nid) => scan.data_of(&heap.node().subnode(nid).ok()??)?,
        };
        room = room.checked_sub(list.len())?;
        listed.extend(numbers(&list));
    }
    Some((highest, listed))
}

/// The id map leads to nodes that are there.
pub(super) fn mapped_nodes(scan: &Scan<'_>, checker: &mut Checker) {
    for nid in id_map(scan).into_values() {
        if scan.entry(nid).is_none() {
            let problem = format!("expected no entry for {nid}, which is not there, found one");
            checker.warning("id map", ID_MAP, problem, Some(nid));
        }
    }
}

/// If the id map is in use, it leads from the id that a row has to that row. ScanPST is told to want an id in every row; files of
/// Outlook have rows without one beside a map.
pub(super) fn mapped_rows(scan: &Scan<'_>, checker: &mut Checker) {
    let map = id_map(scan);
    if map.is_empty() {
        return;
    }
    let has_ids = [NodeType::HIERARCHY_TABLE, NodeType::CONTENTS_TABLE];
    let tables = scan.nodes.iter();
    for entry in tables.filter(|entry| has_ids.contains(&entry.nid.node_type())) {
        let Ok(table) = TableContext::open(Node::of_entry(scan.store.ndb(), *entry)) else {
            continue;
        };
        for (id, number) in table.row_index() {
            let own = table.row(id, number).map(|row| row.get(tags::REPL_ITEM_ID));
            let Ok(Ok(Some(Value::Binary(own)))) = own else {
                continue;
            };
            let nid = NodeId(id);
            if map.get(&own) != Some(&nid) {
                let place = format!("{}, row {id:#x}", entry.nid);
                let problem =
                    "PidTagReplItemid: expected an id that leads to this row, found another";
                checker.warning("TC", place, problem, Some(nid));
            }
        }
    }
}

/// The entries of the id map; none if there is no such map, or it cannot be read.
fn id_map(scan: &Scan<'_>) -> HashMap<Vec<u8>, NodeId> {
    let entries = || {
        let heap = heap(scan, ID_MAP)?;
        let root = heap.item(heap.user_root()).ok()?;
        records(&heap, HeapId(u32_at(root.bytes(), 0)?), REPLICA_IDS)
    };
    let entries = entries().unwrap_or_default().into_iter();
    entries.map(|(id, nid)| (id, NodeId(nid))).collect()
}

fn heap(scan: &Scan<'_>, nid: NodeId) -> Option<Heap> {
    Heap::open(Node::of_entry(scan.store.ndb(), *scan.entry(nid)?)).ok()
}

/// Keys and values of a BTH; None if not all can be read.
fn records(heap: &Heap, tree: HeapId, sizes: Sizes) -> Option<Vec<(Vec<u8>, u32)>> {
    let mut records = Vec::new();
    let mut walk = bth::walk(heap, tree, sizes).ok()?;
    while let Some(step) = walk.next() {
        let Step::Record(record) = step else {
            return None;
        };
        let (key, value) = record.split_at_checked(sizes.key)?;
        records.push((key.to_vec(), u32_at(value, 0)?));
    }
    Some(records)
}
