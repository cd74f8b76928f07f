//! What a scan of the file found: nodes and blocks that are known by themselves.

use std::ops::Range;

use super::ids::{BlockId, BlockRef, NodeId};
use super::page::{BlockEntry, NodeEntry};

/// Blocks begin at multiples of this in every format.
const UNIT: u64 = 64;

/// An intact block as a scan finds it: 16 bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundBlock {
    bid: BlockId,
    unit: u32,
    stored: u16,
    inflated: u16,
}

impl FoundBlock {
    /// Block `bid` at byte `ib`; None past 256 GiB, where no Outlook data file ends.
    pub fn new(bid: BlockId, ib: u64, stored: u16, inflated: u16) -> Option<Self> {
        Some(Self {
            bid: bid.key(),
            unit: u32::try_from(ib / UNIT).ok()?,
            stored,
            inflated,
        })
    }

    /// Its id, without the reserved bit.
    pub fn bid(&self) -> BlockId {
        self.bid
    }

    /// Its byte offset.
    pub fn ib(&self) -> u64 {
        u64::from(self.unit) * UNIT
    }

    /// The entry that the block B-tree would have. How often it is referred to is not known: 0.
    pub fn entry(&self) -> BlockEntry {
        BlockEntry {
            block: BlockRef {
                bid: self.bid,
                ib: self.ib(),
            },
            stored: self.stored,
            inflated: self.inflated,
            references: 0,
        }
    }
}

/// Nodes and blocks that a scan of the file found: 24 bytes for a node, 16 for a block.
#[derive(Debug, Default)]
pub struct Finds {
    nodes: Box<[NodeEntry]>,
    blocks: Box<[FoundBlock]>,
    /// Nodes, ascending, whose entries are from damaged leaves, and the offsets of these.
    doubtful: Box<[(NodeId, u64)]>,
    /// Blocks, ascending, that are known by id and signature, and whose bytes do not fit their CRC.
    damaged_blocks: Box<[FoundBlock]>,
}

impl Finds {
    /// Takes entries in any order; of several under one id the first stays.
    pub fn new(mut nodes: Vec<NodeEntry>, mut blocks: Vec<FoundBlock>) -> Self {
        nodes.sort_by_key(|node| node.nid);
        nodes.dedup_by_key(|node| node.nid);
        blocks.sort_by_key(|block| block.bid);
        blocks.dedup_by_key(|block| block.bid);
        Self {
            nodes: nodes.into(),
            blocks: blocks.into(),
            doubtful: Box::default(),
            damaged_blocks: Box::default(),
        }
    }

    /// The same, with blocks whose bytes do not fit their CRC, in any order.
    pub fn with_damaged_blocks(mut self, mut blocks: Vec<FoundBlock>) -> Self {
        blocks.sort_unstable();
        blocks.dedup_by_key(|block| block.bid);
        self.damaged_blocks = blocks.into();
        self
    }

    /// The same, with entries of damaged leaves among its nodes, and the offsets of the leaves.
    pub fn with_doubtful(mut self, entries: Vec<(NodeEntry, u64)>) -> Self {
        let nodes = entries.into_iter().map(|(node, ib)| (node.nid, ib));
        let mut doubtful: Vec<(NodeId, u64)> = nodes.collect();
        doubtful.sort_unstable();
        self.doubtful = doubtful.into();
        self
    }

    /// All nodes, ascending.
    pub fn nodes(&self) -> &[NodeEntry] {
        &self.nodes
    }

    /// All blocks, ascending.
    pub fn blocks(&self) -> &[FoundBlock] {
        &self.blocks
    }

    pub(super) fn node(&self, nid: NodeId) -> Option<NodeEntry> {
        let index = self.nodes.binary_search_by_key(&nid, |node| node.nid);
        self.nodes.get(index.ok()?).copied()
    }

    /// The offset of the damaged leaf that node `nid` is from, if it is from one.
    pub(super) fn damaged_leaf(&self, nid: NodeId) -> Option<u64> {
        let index = self.doubtful.binary_search_by_key(&nid, |(nid, _)| *nid);
        self.doubtful.get(index.ok()?).map(|(_, ib)| *ib)
    }

    pub(super) fn block(&self, bid: BlockId) -> Option<BlockEntry> {
        find_block(&self.blocks, bid)
    }

    pub(super) fn damaged_block(&self, bid: BlockId) -> Option<BlockEntry> {
        find_block(&self.damaged_blocks, bid)
    }

    /// Indices of the nodes whose keys are in `keys`.
    pub(super) fn node_range(&self, keys: &Range<u64>) -> Range<usize> {
        let index = |key: u64| {
            self.nodes
                .partition_point(|node| u64::from(node.nid.0) < key)
        };
        index(keys.start)..index(keys.end)
    }

    /// Indices of the blocks whose keys are in `keys`.
    pub(super) fn block_range(&self, keys: &Range<u64>) -> Range<usize> {
        let index = |key: u64| self.blocks.partition_point(|block| block.bid.0 < key);
        index(keys.start)..index(keys.end)
    }
}

/// The entry of `bid` among `blocks`, which ascend.
pub(super) fn find_block(blocks: &[FoundBlock], bid: BlockId) -> Option<BlockEntry> {
    let index = blocks.binary_search_by_key(&bid, |block| block.bid);
    blocks.get(index.ok()?).map(FoundBlock::entry)
}
