//! What stands in for lost entries of the two B-trees: the finds of a scan, restored nodes, added ones.
//! `ndb::lookup` decides which of it counts when.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::NodeDatabase;
use super::header::BlockRef;
use super::ids::{BlockId, NodeId};
use super::lost_lists::{FindLists, LostLists};
use super::open::Watch;
use super::page::{BlockEntry, NodeEntry, PageType};
use super::repeats::Repeats;
use super::scan;
use super::source::partly;
use crate::error::Error;

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
    fn damaged_leaf(&self, nid: NodeId) -> Option<u64> {
        let index = self.doubtful.binary_search_by_key(&nid, |(nid, _)| *nid);
        self.doubtful.get(index.ok()?).map(|(_, ib)| *ib)
    }

    pub(super) fn block(&self, bid: BlockId) -> Option<BlockEntry> {
        find(&self.blocks, bid)
    }

    pub(super) fn damaged_block(&self, bid: BlockId) -> Option<BlockEntry> {
        find(&self.damaged_blocks, bid)
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

/// What stands in for lost entries: found by a scan on first need, or restored from other structures of the file.
#[derive(Default, Clone)]
pub(super) struct StandIns {
    /// Hears of the scan; without it nothing is scanned.
    watch: Option<Arc<dyn Watch>>,
    finds: Arc<OnceLock<Finds>>,
    restored: Arc<OnceLock<Box<[NodeEntry]>>>,
    /// Whether a page of the node B-tree was found damaged.
    has_lost_nodes: Arc<AtomicBool>,
    /// Puts lost lists together; without it nothing stands in for them.
    pub(super) find_lists: Option<FindLists>,
    pub(super) lost_lists: Arc<OnceLock<LostLists>>,
}

/// Nodes and blocks that no live tree has.
#[derive(Debug, Default)]
pub(super) struct Added {
    nodes: Box<[NodeEntry]>,
    blocks: Arc<[FoundBlock]>,
}

impl fmt::Debug for StandIns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandIns")
            .field("finds", &self.finds)
            .finish_non_exhaustive()
    }
}

/// The entry of `bid` among `blocks`, which ascend.
fn find(blocks: &[FoundBlock], bid: BlockId) -> Option<BlockEntry> {
    let index = blocks.binary_search_by_key(&bid, |block| block.bid);
    blocks.get(index.ok()?).map(FoundBlock::entry)
}

impl NodeDatabase {
    /// Lets a scan of the file stand in where a page is damaged or a block is not at its place; `watch` reports it. Nothing
    /// is scanned before.
    pub(super) fn with_scan_on_demand(mut self, watch: Arc<dyn Watch>) -> Self {
        self.stand_ins.watch = Some(watch);
        self
    }

    /// Uses what an earlier scan has found.
    pub(super) fn with_finds(self, finds: Finds) -> Self {
        // A second set of finds would be one too many; the first one stays.
        self.stand_ins.finds.set(finds).ok();
        self
    }

    /// The same file with nodes and blocks beside those of its live trees, which stay as they are: what was deleted and
    /// still lies there. `blocks` ascend. Has caches of its own, of at most `cache` bytes.
    pub fn with_added(
        &self,
        mut nodes: Vec<NodeEntry>,
        blocks: Arc<[FoundBlock]>,
        cache: u64,
    ) -> Self {
        nodes.sort_by_key(|node| node.nid);
        nodes.dedup_by_key(|node| node.nid);
        Self {
            source: Arc::clone(&self.source),
            header: self.header.clone(),
            pages: super::page_cache(cache),
            blocks: super::block_cache(cache),
            stand_ins: self.stand_ins.clone(),
            added: Added {
                nodes: nodes.into(),
                blocks,
            },
            damaged: self.damaged,
            repeats: Repeats::default(),
        }
    }

    /// Takes over entries of nodes whose own are lost, which `make` has put together from other structures of the file.
    /// It is called once at most, and whoever needs the result waits for it.
    pub fn restore(&self, make: impl FnOnce() -> Vec<NodeEntry>) -> &[NodeEntry] {
        self.stand_ins.restored.get_or_init(|| {
            let mut nodes = make();
            nodes.sort_by_key(|node| node.nid);
            nodes.into()
        })
    }

    /// Nodes taken over by [`NodeDatabase::restore`].
    fn restored(&self) -> &[NodeEntry] {
        self.stand_ins.restored.get().map_or(&[], |nodes| nodes)
    }

    /// Whether node `nid` is one of them whose own id is not known.
    pub fn is_made_up(&self, nid: NodeId) -> bool {
        let restored = self.restored();
        let index = restored.binary_search_by_key(&nid, |node| node.nid);
        index.is_ok_and(|index| {
            restored
                .get(index)
                .is_some_and(|node| node.parent == NodeId(0))
        })
    }

    /// Whether node `nid` is one that was restored.
    pub(super) fn is_restored(&self, nid: NodeId) -> bool {
        let restored = self.restored();
        restored.binary_search_by_key(&nid, |node| node.nid).is_ok()
    }

    /// Whether a page of the node B-tree has turned out to be damaged: then nodes may be lost.
    pub fn has_lost_nodes(&self) -> bool {
        self.stand_ins.has_lost_nodes.load(Ordering::Relaxed)
    }

    /// Whether the entry of node `nid` may come from a page that is no longer in use. Of an entry in a leaf of the tree
    /// this is never so, whatever is found damaged later: what is shown of it stays the same.
    pub(super) fn may_be_stale(&self, nid: NodeId) -> bool {
        let may_lack = self.has_lost_nodes() || self.has_lost_lists();
        !self.has_added() && may_lack && !self.is_in_tree(nid)
    }

    /// The offset of the damaged leaf that the entry of node `nid` is from, if it is from one.
    pub(super) fn damaged_leaf(&self, nid: NodeId) -> Option<u64> {
        self.stand_ins.finds.get()?.damaged_leaf(nid)
    }

    pub(super) fn note_lost_page(&self, page_type: PageType) {
        if page_type == PageType::Nbt {
            self.stand_ins.has_lost_nodes.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was made by [`NodeDatabase::with_added`].
    pub(super) fn has_added(&self) -> bool {
        !self.added.blocks.is_empty()
    }

    /// The nodes that were added, ascending.
    pub(super) fn added_nodes(&self) -> &[NodeEntry] {
        &self.added.nodes
    }

    /// The entry of a node that no page has.
    pub(super) fn added_node(&self, nid: NodeId) -> Option<NodeEntry> {
        [&*self.added.nodes, self.restored()]
            .into_iter()
            .find_map(|nodes| {
                let index = nodes.binary_search_by_key(&nid, |node| node.nid);
                nodes.get(index.ok()?).copied()
            })
    }

    /// The entry of a block that no page has.
    pub(super) fn added_block(&self, bid: BlockId) -> Option<BlockEntry> {
        find(&self.added.blocks, bid)
    }

    /// What a scan of the file found, which is made now if need be; None when recovery is off.
    pub(super) fn finds(&self) -> Option<&Finds> {
        let watch = self.stand_ins.watch.as_ref()?;
        let scan = || partly(|| scan::on_demand(&self.source, &self.header, &**watch));
        Some(self.stand_ins.finds.get_or_init(scan))
    }

    /// Reports to the watch of the scan what was lost or gone around; does nothing where nothing is recovered.
    pub fn tell(&self, line: String) {
        if let Some(watch) = &self.stand_ins.watch {
            watch.problem(line);
        }
    }

    /// A block was found elsewhere.
    pub(super) fn gone_around(&self, error: &Error) {
        self.tell(format!("{error}; gone around by a scan of the file"));
    }

    /// The page of `page_type` with the entries of `keys` cannot be read, but for what the scan has of them.
    pub(super) fn gone_around_page(&self, page_type: PageType, keys: &Range<u64>, error: &Error) {
        let Some(finds) = self.stand_ins.finds.get() else {
            return;
        };
        let (what, found) = match page_type {
            PageType::Nbt => ("nodes", finds.node_range(keys)),
            PageType::Bbt => ("blocks", finds.block_range(keys)),
        };
        let last = match keys.end {
            u64::MAX => String::new(),
            end => format!(" to {:#x}", end.saturating_sub(1)),
        };
        self.tell(format!(
            "{error}; of the {what} from {:#x}{last} a scan of the file found {}",
            keys.start,
            found.len()
        ));
    }
}
