//! Adds to each finding which folder or message it touches.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::blocks;
use super::report::Finding;
use crate::ltp::tags;
use crate::messaging::{Folder, Message, Store};
use crate::ndb::{BlockId, NodeDatabase, NodeId, NodeType};

/// Folders above a folder that are followed; more are a cycle.
const MAX_DEPTH: usize = 128;

/// Fills in the node of findings about `bad` blocks, and the item of all that have a node.
pub(super) fn locate(store: &Arc<Store>, bad: &HashSet<BlockId>, findings: &mut [Finding]) {
    let owners = if bad.is_empty() {
        HashMap::new()
    } else {
        owners(store, bad)
    };
    let by_place: HashMap<String, NodeId> = owners
        .iter()
        .map(|(bid, nid)| (bid.to_string(), *nid))
        .collect();
    let mut names: HashMap<u32, Option<String>> = HashMap::new();
    for finding in findings {
        if finding.node.is_none() {
            let block = finding.place.split(',').next().unwrap_or_default();
            finding.node = by_place.get(block).map(|nid| nid.0);
        }
        if let Some(nid) = finding.node {
            let name = names.entry(nid).or_insert_with(|| item(store, NodeId(nid)));
            finding.item.clone_from(name);
        }
    }
}

/// Which node uses each of the `bad` blocks: a walk over the blocks of all nodes.
fn owners(store: &Arc<Store>, bad: &HashSet<BlockId>) -> HashMap<BlockId, NodeId> {
    let mut owners = HashMap::new();
    // A block that several nodes share is followed once.
    let mut seen = HashSet::new();
    for node in store.ndb().nodes().flatten() {
        let mut todo = vec![node.data.key(), node.subnodes.key()];
        while let Some(bid) = todo.pop() {
            if bid.is_none() || (bid.is_internal() && !seen.insert(bid)) {
                continue;
            }
            if bad.contains(&bid) {
                owners.entry(bid).or_insert(node.nid);
            } else if bid.is_internal() {
                todo.extend(children(store.ndb(), bid));
            }
        }
    }
    owners
}

fn children(ndb: &NodeDatabase, bid: BlockId) -> Vec<BlockId> {
    let data = ndb.block(bid).ok();
    let parts = data.and_then(|data| blocks::internal(ndb, &data).ok());
    parts.map_or_else(Vec::new, |parts| parts.children().collect())
}

/// Path of a folder (also for its tables), or path and subject of a message.
fn item(store: &Arc<Store>, nid: NodeId) -> Option<String> {
    match nid.node_type() {
        NodeType::NORMAL_MESSAGE | NodeType::ASSOC_MESSAGE => {
            let parent = store.ndb().find_node(nid).ok().flatten()?.parent;
            let subject = Message::open(store, nid)
                .and_then(|message| message.subject())
                .ok()
                .flatten()
                .map_or_else(|| nid.to_string(), |subject| subject.text);
            Some(format!("{}/{subject}", path(store, parent)))
        }
        NodeType::HIERARCHY_TABLE | NodeType::CONTENTS_TABLE | NodeType::ASSOC_CONTENTS_TABLE => {
            Some(path(store, nid.with_type(NodeType::NORMAL_FOLDER)))
        }
        NodeType::NORMAL_FOLDER | NodeType::SEARCH_FOLDER => Some(path(store, nid)),
        _ => None,
    }
}

fn path(store: &Arc<Store>, folder: NodeId) -> String {
    let mut names = Vec::new();
    let mut at = folder;
    while at != NodeId::ROOT_FOLDER && names.len() < MAX_DEPTH {
        let name = Folder::new(store, at)
            .properties()
            .and_then(|properties| properties.string(tags::DISPLAY_NAME))
            .ok()
            .flatten();
        names.push(name.unwrap_or_else(|| at.to_string()));
        match store.ndb().find_node(at) {
            Ok(Some(node)) if node.parent != at => at = node.parent,
            _ => break,
        }
    }
    names.reverse();
    format!("/{}", names.join("/"))
}
