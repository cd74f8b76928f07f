//! Items that are gone from the live trees and still lie in the file.
//!
//! A changed leaf of the node B-tree is written anew elsewhere, so older leaves still name nodes that were deleted, and
//! their blocks stay until something else is put there. Nodes are not named anew soon, and blocks never: so what an old
//! leaf names is what it was, if it can be read at all.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::Watch;
use super::identity::Identity;
use super::readable::{Readable, Reader, item_class};
use super::rebuild;
use super::scan::{Found, scan};
use crate::ltp::tags;
use crate::messaging::{Message, Store};
use crate::ndb::page::{PageType, read_btree_page};
use crate::ndb::rescue::FoundBlock;
use crate::ndb::{BlockId, BlockRef, NodeDatabase, NodeEntry, NodeId, NodeType};

/// Nodes of old leaves that are looked at; a hostile file can hold millions.
const MAX_NODES: usize = 1 << 18;
/// All blocks of the file may be read this often to tell whether items are whole.
const READS: u64 = 4;

/// What a search has found.
#[derive(Debug)]
pub struct Deleted {
    /// The file with the nodes of `items` and the blocks that they need.
    pub store: Arc<Store>,
    /// Ascending by node.
    pub items: Vec<DeletedItem>,
}

/// An item that no folder has any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletedItem {
    /// Its node.
    pub nid: NodeId,
    /// The folder it belonged to.
    pub parent: NodeId,
    /// Whether all of it can be read.
    pub whole: bool,
}

/// Nodes of old leaves that the live tree lacks.
#[derive(Default)]
struct Stale {
    items: BTreeMap<NodeId, NodeEntry>,
    folders: BTreeMap<NodeId, NodeEntry>,
}

/// Looks in the whole file for items that `live` has no more. Takes memory for caches of `cache` bytes, 16 bytes for each
/// block that is not live, and some 200 for each node of an old leaf.
pub fn deleted(live: &Arc<Store>, cache: u64, watch: &dyn Watch) -> Deleted {
    let ndb = live.ndb();
    let found = scan(ndb.source(), ndb.header().format, watch);
    let stale = stale_nodes(ndb, &found, watch);
    let blocks: Arc<[FoundBlock]> = stale_blocks(ndb, found).into();
    let added = |nodes: Vec<NodeEntry>| {
        let ndb = ndb.with_added(nodes, Arc::clone(&blocks), cache);
        Arc::new(Store::open(ndb))
    };
    let store = added(stale.folders.values().copied().collect());
    let items = select(live, &store, &stale, watch);
    let nodes = items
        .iter()
        .filter_map(|item| stale.items.get(&item.nid))
        .chain(stale.folders.values());
    Deleted {
        store: added(nodes.copied().collect()),
        items,
    }
}

/// What leaves name and the live tree does not. Of several entries of a node that of the newest leaf counts.
fn stale_nodes(ndb: &NodeDatabase, found: &Found, watch: &dyn Watch) -> Stale {
    let mut leaves: Vec<BlockRef> = found
        .pages(PageType::Nbt)
        .iter()
        .filter(|page| page.level == 0)
        .map(|page| BlockRef {
            bid: page.bid,
            ib: page.ib,
        })
        .collect();
    leaves.sort_by_key(|leaf| (std::cmp::Reverse(leaf.bid), leaf.ib));
    let mut stale = Stale::default();
    let mut left_out = 0u64;
    for leaf in leaves {
        let Ok(page) = read_btree_page(ndb.source(), ndb.header().format, PageType::Nbt, leaf)
        else {
            continue;
        };
        for node in (0..page.len()).filter_map(|index| page.node(index)) {
            let nodes = match node.nid.node_type() {
                NodeType::NORMAL_MESSAGE => &mut stale.items,
                NodeType::NORMAL_FOLDER => &mut stale.folders,
                _ => continue,
            };
            if nodes.contains_key(&node.nid) || !matches!(ndb.find_node(node.nid), Ok(None)) {
                continue;
            }
            if nodes.len() < MAX_NODES {
                nodes.insert(node.nid, node);
            } else {
                left_out += 1;
            }
        }
    }
    if left_out > 0 {
        watch.problem(format!(
            "deleted items: {left_out} more nodes of old pages were not looked at"
        ));
    }
    stale
}

/// One copy of each block that the live tree lacks, ascending.
fn stale_blocks(ndb: &NodeDatabase, found: Found) -> Vec<FoundBlock> {
    let Found { bbt, blocks, .. } = found;
    let mut blocks = rebuild::blocks(ndb.source(), ndb.header().format, &bbt, blocks);
    blocks.dedup_by_key(|block| block.bid());
    let mut live = ndb
        .blocks()
        .flatten()
        .map(|entry| entry.block.bid)
        .peekable();
    blocks.retain(|block| {
        while live.next_if(|bid| *bid < block.bid()).is_some() {}
        live.peek() != Some(&block.bid())
    });
    blocks.shrink_to_fit();
    blocks
}

/// An item that may be shown, if it is not an older revision of another one.
struct Candidate {
    item: DeletedItem,
    modified: u64,
    identity: Identity,
}

/// The items of `stale` that open, without older revisions of live ones or of each other.
fn select(
    live: &Arc<Store>,
    store: &Arc<Store>,
    stale: &Stale,
    watch: &dyn Watch,
) -> Vec<DeletedItem> {
    let allowance = live.ndb().source().len().saturating_mul(READS);
    let mut reader = Reader::new(allowance);
    let mut unread = 0u64;
    let mut candidates = Vec::new();
    for node in stale.items.values() {
        let Ok(message) = Message::of_entry(store, *node) else {
            continue;
        };
        if message
            .properties()
            .context()
            .and_then(item_class)
            .is_none()
        {
            continue;
        }
        let readable = reader.read(&message);
        if readable == Readable::Unknown {
            unread += 1;
            continue;
        }
        let modified = message.properties().time(tags::LAST_MODIFICATION_TIME);
        candidates.push(Candidate {
            item: DeletedItem {
                nid: node.nid,
                parent: node.parent,
                whole: readable == Readable::Whole,
            },
            modified: modified.ok().flatten().map_or(0, |time| time.0),
            identity: Identity::of(&message),
        });
    }
    if unread > 0 {
        watch.problem(format!(
            "deleted items: {unread} share blocks with others so often that they were not read"
        ));
    }
    let revisions = revisions_of_live(live, stale, &candidates);
    let opened = candidates.len();
    candidates.retain(|candidate| !revisions.contains(&candidate.item.nid));
    let items = newest(candidates);
    log::info!(
        "deleted items: old pages name {}, {opened} of them open, {} are revisions of live ones, {} are shown",
        stale.items.len(),
        revisions.len(),
        items.len()
    );
    items
}

/// Which candidates are revisions of items that are still there: a moved message gets another node.
fn revisions_of_live(
    live: &Arc<Store>,
    stale: &Stale,
    candidates: &[Candidate],
) -> HashSet<NodeId> {
    let mut revisions = HashSet::new();
    let mut by_key: HashMap<u64, Vec<NodeId>> = HashMap::new();
    let mut by_data: HashMap<BlockId, Vec<NodeId>> = HashMap::new();
    for candidate in candidates {
        let nid = candidate.item.nid;
        for key in &candidate.identity.keys {
            by_key.entry(*key).or_default().push(nid);
        }
        if let Some(node) = stale.items.get(&nid) {
            by_data.entry(node.data.key()).or_default().push(nid);
        }
    }
    if candidates.is_empty() {
        return revisions;
    }
    for node in live.ndb().nodes().flatten() {
        if node.nid.node_type() != NodeType::NORMAL_MESSAGE {
            continue;
        }
        revisions.extend(by_data.remove(&node.data.key()).into_iter().flatten());
        let Ok(message) = Message::of_entry(live, node) else {
            continue;
        };
        for key in Identity::of(&message).keys {
            revisions.extend(by_key.remove(&key).into_iter().flatten());
        }
    }
    revisions
}

/// Of revisions of one item the newest; one that is whole before one that is not.
fn newest(mut candidates: Vec<Candidate>) -> Vec<DeletedItem> {
    candidates.sort_by_key(|candidate| {
        std::cmp::Reverse((candidate.item.whole, candidate.modified, candidate.item.nid))
    });
    let mut known: HashSet<u64> = HashSet::new();
    candidates.retain(|candidate| {
        let keys = &candidate.identity.keys;
        let is_new = keys.iter().all(|key| !known.contains(key));
        known.extend(keys);
        is_new
    });
    let mut items: Vec<DeletedItem> = candidates
        .into_iter()
        .map(|candidate| candidate.item)
        .collect();
    items.sort_by_key(|item| item.nid);
    items
}
