//! Items that are gone from the live trees and still lie in the file.
//!
//! A changed leaf of the node B-tree is written anew elsewhere, so older leaves still name nodes that were deleted, and
//! their blocks stay until something else is put there. Nodes are not named anew soon, and blocks never: so what an old
//! leaf names is what it was, if it can be read at all. Where no leaf names it any more, its property context shows what
//! it was, and mostly which subnodes were its own ([`super::contexts`]).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::contexts::{contexts, made_up, unnamed};
use super::identity::{Revision, newest, without_live};
use super::readable::{Readable, Reader, is_item};
use super::references::{Unreferenced, unreferenced_among};
use crate::messaging::{Message, Store};
use crate::ndb::page::read_btree_page;
use crate::ndb::scan::Memory;
use crate::ndb::scan::rebuild;
use crate::ndb::scan::{Found, scan};
use crate::ndb::{
    BlockRef, FoundBlock, NodeDatabase, NodeEntry, NodeId, NodeType, PageType, Watch,
};

/// Bytes that a node of an old leaf takes while it is compared with others.
const NODE: usize = 256;
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

/// Looks in the whole file for items that `live` has no more. Takes memory for caches of `cache` bytes, and that of a
/// search.
pub fn deleted(live: &Arc<Store>, cache: u64, watch: &dyn Watch) -> Deleted {
    let ndb = live.ndb();
    let code_page = Some(live.code_page());
    let found = scan(
        ndb.source(),
        ndb.header().format,
        &ndb.header().checksums,
        watch,
    );
    let leaves = leaves(&found);
    let mut memory = Memory::of_messages(ndb.source());
    let stale = stale_nodes(ndb, &leaves, &mut memory);
    let blocks: Arc<[FoundBlock]> = stale_blocks(ndb, found).into();
    let added = |nodes: Vec<NodeEntry>| {
        let ndb = ndb.with_added(nodes, Arc::clone(&blocks), cache);
        Arc::new(Store::open(ndb).with_code_page(code_page))
    };
    let store = added(Vec::new());
    let mut search = Search {
        reader: Reader::new(ndb.source().stored_len().saturating_mul(READS)),
        unread: 0,
        anonymous: 0,
        without_id: 0,
        revisions: Vec::new(),
    };
    search.named(&store, &stale);
    let nodes = nodes_of(ndb, &leaves);
    let found = unreferenced_among(store.ndb(), &blocks, nodes, &mut memory);
    search.unnamed(&store, &found, &stale, &mut memory);
    search.tell_of_missing(watch);
    if let Some(problem) = memory.problem("deleted items") {
        watch.problem(problem);
    }
    let mut chosen = newest(without_live(live, search.revisions));
    chosen.sort_by_key(|(node, _)| node.nid);
    let items = chosen.iter().map(|(node, whole)| DeletedItem {
        nid: node.nid,
        parent: node.parent,
        whole: *whole,
    });
    let items = items.collect();
    let nodes = chosen.iter().map(|(node, _)| node);
    let nodes = nodes.chain(stale.folders.values()).copied();
    Deleted {
        store: added(nodes.collect()),
        items,
    }
}

/// What has been found so far.
struct Search {
    reader: Reader,
    unread: u64,
    /// Items by which nothing is known.
    anonymous: u64,
    /// Items for which no id is free.
    without_id: u64,
    /// Entries of items, and whether all of them can be read.
    revisions: Vec<Revision<(NodeEntry, bool)>>,
}

impl Search {
    /// Tells `watch` of items that are not shown.
    fn tell_of_missing(&self, watch: &dyn Watch) {
        if self.unread > 0 {
            watch.problem(format!(
                "deleted items: {} share blocks with others so often that they were not read",
                self.unread
            ));
        }
        if self.anonymous > 0 {
            watch.problem(format!(
                "deleted items: {} without search key, Message-ID and times are not shown, as they cannot be told from \
                 earlier versions of items that are there",
                self.anonymous
            ));
        }
        if self.without_id > 0 {
            watch.problem(format!(
                "deleted items: {} are not shown, as all ids that they could have are taken",
                self.without_id
            ));
        }
    }

    /// Items that old leaves name.
    fn named(&mut self, store: &Arc<Store>, stale: &Stale) {
        for node in stale.items.values() {
            let message = Message::of_entry(store, *node);
            let message = message.ok().filter(|message| {
                let context = message.properties().context();
                context.is_some_and(is_item)
            });
            if let Some(message) = message
                && let Some(revision) = self.revision(*node, &message)
            {
                self.revisions.push(revision);
            }
        }
    }

    /// Items whose nodes are nowhere. One by which nothing is known might be a revision of any other: left out.
    fn unnamed(
        &mut self,
        store: &Arc<Store>,
        found: &Unreferenced,
        stale: &Stale,
        memory: &mut Memory,
    ) {
        let contexts = contexts(store, found, &HashSet::new(), memory);
        let mut taken: HashSet<NodeId> = HashSet::new();
        for context in contexts {
            // Where a lookup fails, nothing is known to have the id: no file has handed out such high ones.
            let is_taken = |nid: NodeId| {
                taken.contains(&nid)
                    || stale.items.contains_key(&nid)
                    || matches!(store.ndb().find_node(nid), Ok(Some(_)))
            };
            let Some(node) = made_up(
                context.data,
                unnamed(context.data, context.subnodes),
                is_taken,
            ) else {
                self.without_id += 1;
                continue;
            };
            taken.insert(node.nid);
            let Ok(message) = Message::of_entry(store, node) else {
                continue;
            };
            match self.revision(node, &message) {
                Some(revision) if revision.is_anonymous() => self.anonymous += 1,
                revision => self.revisions.extend(revision),
            }
        }
    }

    fn revision(
        &mut self,
        node: NodeEntry,
        message: &Message,
    ) -> Option<Revision<(NodeEntry, bool)>> {
        let (readable, _) = self.reader.read(message);
        if readable == Readable::Unknown {
            self.unread += 1;
            return None;
        }
        let whole = readable == Readable::Whole;
        let order = node.data.0;
        Some(Revision::of((node, whole), order, whole, message))
    }
}

/// Leaves of the node B-tree, the newest first.
fn leaves(found: &Found) -> Vec<BlockRef> {
    let leaves = found.pages(PageType::Nbt).iter();
    let mut leaves: Vec<BlockRef> = leaves
        .filter(|page| page.level == 0)
        .map(|page| BlockRef {
            bid: page.bid,
            ib: page.ib,
        })
        .collect();
    leaves.sort_by_key(|leaf| (std::cmp::Reverse(leaf.bid), leaf.ib));
    leaves
}

/// All entries of `leaves`.
fn nodes_of(ndb: &NodeDatabase, leaves: &[BlockRef]) -> impl Iterator<Item = NodeEntry> {
    leaves.iter().flat_map(move |leaf| {
        let page = read_btree_page(
            ndb.source(),
            ndb.header().format,
            &ndb.header().checksums,
            PageType::Nbt,
            *leaf,
        )
        .ok();
        let nodes = page.iter().flat_map(|page| {
            let indices = 0..page.len();
            indices.filter_map(|index| page.node(index))
        });
        nodes.collect::<Vec<_>>()
    })
}

/// What leaves name and the live tree does not. Of several entries of a node that of the newest leaf counts.
fn stale_nodes(ndb: &NodeDatabase, leaves: &[BlockRef], memory: &mut Memory) -> Stale {
    let mut stale = Stale::default();
    for node in nodes_of(ndb, leaves) {
        let nodes = match node.nid.node_type() {
            NodeType::NORMAL_MESSAGE => &mut stale.items,
            NodeType::NORMAL_FOLDER => &mut stale.folders,
            _ => continue,
        };
        if nodes.contains_key(&node.nid) || !matches!(ndb.find_node(node.nid), Ok(None)) {
            continue;
        }
        if memory.take(NODE) {
            nodes.insert(node.nid, node);
        }
    }
    stale
}

/// One copy of each block that the live tree lacks, ascending.
fn stale_blocks(ndb: &NodeDatabase, found: Found) -> Vec<FoundBlock> {
    let Found { bbt, blocks, .. } = found;
    let mut blocks = rebuild::blocks(
        ndb.source(),
        ndb.header().format,
        &ndb.header().checksums,
        &bbt,
        blocks,
    );
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
