//! Which blocks will be needed of nodes that somebody is about to read, so that [`Source`](super::Source) can have them read at once instead
//! of one after the other.
//!
//! Nothing depends on it but time: nothing that it meets is noted, no scan is begun, and only what is intact is kept.

use std::ops::Range;

use super::block::Read;
use super::database::NodeDatabase;
use super::ids::{BlockId, NodeId, NodeType};
use super::page::BlockEntry;
use super::page_type::PageType;
use super::source::{JUMP, partly};
use super::subnodes::subnode_children;
use super::xblock::parse_internal;

/// Steps from the data of a node to what is in its attachments, and in messages within those.
const STEPS: usize = 12;
/// Blocks of one step at the most: some hundred bytes each while it lasts.
const BLOCKS: usize = 1 << 16;

/// What will be read of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Lists of blocks and of subnodes alone.
    Lists,
    /// All that the size of the file of a message depends on: everything but the content of attachments.
    Sizes,
    /// Everything.
    All,
}

/// A block that will be needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    bid: BlockId,
    kind: Kind,
}

/// What a block is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Data.
    Data,
    /// Data of which only the length is needed.
    Length,
    /// A list of subnodes.
    Subnodes,
    /// A list of subnodes of an attachment.
    Attachment,
}

/// Reads what will be needed of `nids` into the page cache, if that is worth it ([`Source::reads_ahead`](super::Source)).
pub fn read_ahead(ndb: &NodeDatabase, nids: &[NodeId], depth: Depth) {
    if ndb.source.reads_ahead() {
        partly(|| Plan { ndb, depth }.follow(nids));
    }
}

/// Reads all folders and their tables into the page cache, if that is worth it: for those who walk over all nodes anyway.
pub fn read_folders_ahead(ndb: &NodeDatabase) {
    if ndb.source.reads_ahead() {
        let nids = || ndb.nodes().flatten().map(|node| node.nid);
        let is_of_folder = |nid: &NodeId| nid.is_folder() || nid.node_type().is_table();
        let nids: Vec<NodeId> = partly(|| nids().filter(is_of_folder).collect());
        read_ahead(ndb, &nids, Depth::All);
    }
}

/// Reads the file from its beginning to its end into the page cache, if that is worth it and it fits into memory: for those who
/// will read `depth` of all messages.
pub fn read_all_ahead(ndb: &NodeDatabase, depth: Depth) {
    let messages = || {
        let nodes = ndb.nodes().flatten();
        partly(|| nodes.filter(|node| node.nid.is_message()).count()) as u64
    };
    // At the least there is a jump to each message.
    let is_quicker = || ndb.source.stored_len() < messages().saturating_mul(JUMP);
    ndb.source
        .will_read_all(|| depth == Depth::All || is_quicker());
}

/// What will be read of nodes of `ndb`.
struct Plan<'a> {
    ndb: &'a NodeDatabase,
    depth: Depth,
}

impl Plan<'_> {
    /// Follows the lists from `nids` on, step by step, and has those of each step read; at the end all data, in one pass over
    /// the file.
    fn follow(&self, nids: &[NodeId]) {
        let mut nids = nids.to_vec();
        nids.sort_unstable();
        let keys: Vec<u64> = nids.iter().map(|nid| u64::from(nid.0)).collect();
        self.ndb.will_descend(PageType::Nbt, &keys);
        let mut wanted: Vec<Wanted> = Vec::new();
        for nid in nids {
            let found = self
                .ndb
                .descend(PageType::Nbt, u64::from(nid.0), &mut (0..0));
            let entry = found.ok().flatten();
            let entry = entry.and_then(|(leaf, index)| leaf.page.node(index));
            if let Some(entry) = entry.filter(|entry| entry.nid == nid) {
                wanted.push(Wanted::new(entry.data, Kind::Data));
                wanted.push(Wanted::new(entry.subnodes, Kind::Subnodes));
            }
        }
        let mut budget = self.ndb.source.budget();
        let mut data: Vec<Range<u64>> = Vec::new();
        for _ in 0..STEPS {
            let blocks = self.places(wanted, &mut budget);
            let (lists, others): (Vec<_>, Vec<_>) = blocks
                .into_iter()
                .partition(|(entry, _)| entry.block.bid.is_internal());
            data.extend(others.iter().map(|(entry, _)| self.extent(*entry)));
            let extents = lists.iter().map(|(entry, _)| self.extent(*entry));
            self.ndb.source.will_need_around(extents);
            wanted = lists
                .iter()
                .flat_map(|(entry, kind)| self.below(*entry, *kind))
                .collect();
            if wanted.is_empty() {
                break;
            }
        }
        self.ndb.source.will_need(data.into_iter());
    }

    /// The bytes of the file that a block has.
    fn extent(&self, entry: BlockEntry) -> Range<u64> {
        let start = entry.block.ib;
        let length = self.ndb.header.format.block_extent(entry.stored.into());
        start..start.saturating_add(length as u64)
    }

    /// Where the blocks are that will be read, in the order of the file, as many as `budget` allows.
    fn places(&self, mut wanted: Vec<Wanted>, budget: &mut u64) -> Vec<(BlockEntry, Kind)> {
        wanted.retain(|Wanted { bid, .. }| {
            !bid.is_none() && (self.depth != Depth::Lists || bid.is_internal())
        });
        wanted.sort_unstable();
        wanted.dedup_by_key(|wanted| wanted.bid);
        wanted.truncate(BLOCKS);
        let keys: Vec<u64> = wanted.iter().map(|wanted| wanted.bid.0).collect();
        self.ndb.will_descend(PageType::Bbt, &keys);
        let mut places = Vec::new();
        for Wanted { bid, kind } in wanted {
            let Ok(Some(entry)) = self.ndb.live_entry(bid, &mut (0..0)) else {
                continue;
            };
            // Of data the tree tells the length, or its list does.
            if kind == Kind::Length && !bid.is_internal() {
                continue;
            }
            let extent = self.extent(entry);
            let Some(left) = budget.checked_sub(extent.end - extent.start) else {
                break;
            };
            *budget = left;
            places.push((entry, kind));
        }
        places.sort_unstable_by_key(|(entry, _)| entry.block.ib);
        places
    }

    /// What will be needed of that to which a list refers; nothing of a list that is damaged.
    fn below(&self, entry: BlockEntry, kind: Kind) -> Vec<Wanted> {
        let bid = entry.block.bid;
        if kind == Kind::Length || !self.has_intact(entry) {
            return Vec::new();
        }
        if kind == Kind::Data {
            let list = parse_internal(self.ndb, bid);
            let children = list.map(|list| list.children).unwrap_or_default();
            let data = |child: BlockId| Wanted::new(child, Kind::Data);
            return children.into_iter().map(data).collect();
        }
        let Ok((subnodes, lists)) = subnode_children(self.ndb, bid) else {
            return Vec::new();
        };
        let mut wanted: Vec<Wanted> = lists
            .into_iter()
            .map(|bid| Wanted::new(bid, kind))
            .collect();
        for subnode in subnodes {
            let node_type = subnode.nid.node_type();
            let is_content = kind == Kind::Attachment && node_type == NodeType::LTP;
            let data = match self.depth {
                Depth::Sizes if is_content => Kind::Length,
                _ => Kind::Data,
            };
            let below = match node_type {
                NodeType::ATTACHMENT => Kind::Attachment,
                _ => Kind::Subnodes,
            };
            wanted.push(Wanted::new(subnode.data, data));
            wanted.push(Wanted::new(subnode.subnodes, below));
        }
        wanted
    }

    /// Whether the block of `entry` is in the cache now, having been intact.
    fn has_intact(&self, entry: BlockEntry) -> bool {
        let bid = entry.block.bid;
        if self.ndb.caches.blocks.get(&bid).is_some() {
            return true;
        }
        let Ok(Read::Intact(block)) = self.ndb.block_reader().read(entry) else {
            return false;
        };
        let weight = block.len();
        self.ndb.caches.blocks.insert(bid, block, weight);
        true
    }
}

impl Wanted {
    fn new(bid: BlockId, kind: Kind) -> Self {
        let bid = bid.key();
        Self { bid, kind }
    }
}
