//! What stands in for lost entries of the two B-trees: the finds of a scan, restored nodes, added ones.
//! `ndb::lookup` decides which of it counts when.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::finds::{Finds, FoundBlock, find_block};
use super::header::Header;
use super::ids::{BlockId, NodeId};
use super::page::{BlockEntry, NodeEntry};
use super::page_type::PageType;
use super::scan::on_demand::on_demand;
use super::source::{Source, partly};
use super::watch::Watch;
use crate::error::Error;

/// What stands in for lost entries: found by a scan on first need, or restored from other structures of the file.
#[derive(Default, Clone)]
pub(super) struct StandIns {
    /// Told of the scan; without it nothing is scanned.
    watch: Option<Arc<dyn Watch>>,
    finds: Arc<OnceLock<Finds>>,
    restored: Arc<OnceLock<Box<[NodeEntry]>>>,
    /// Subnode trees of restored nodes that may be another's.
    guessed: Arc<Mutex<HashSet<BlockId>>>,
    /// Whether a page of the node B-tree was found damaged.
    has_lost_nodes: Arc<AtomicBool>,
    /// Whether the node B-tree that is read is an older one than that of the file.
    has_older_nodes: bool,
}

impl fmt::Debug for StandIns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandIns")
            .field("finds", &self.finds)
            .finish_non_exhaustive()
    }
}

impl StandIns {
    /// Lets a scan of the file stand in; `watch` reports it.
    pub(super) fn scan_on_demand(&mut self, watch: Arc<dyn Watch>) {
        self.watch = Some(watch);
    }

    /// Uses what an earlier scan has found.
    pub(super) fn take_finds(&self, finds: Finds) {
        // A second set of finds would be one too many; the first one stays.
        self.finds.set(finds).ok();
    }

    /// What a scan of the file `source` found, which is made now if need be; None when recovery is off.
    pub(super) fn finds(&self, source: &Source, header: &Header) -> Option<&Finds> {
        let watch = self.watch.as_ref()?;
        let scan = || partly(|| on_demand(source, header, &**watch));
        Some(self.finds.get_or_init(scan))
    }

    /// Takes over the entries that `make` gives, which is called once at most.
    pub(super) fn restore(&self, make: impl FnOnce() -> Vec<NodeEntry>) -> &[NodeEntry] {
        self.restored.get_or_init(|| {
            let mut nodes = make();
            nodes.sort_by_key(|node| node.nid);
            nodes.into()
        })
    }

    /// A node that is restored gets the subnode tree `bid`, which may be another's.
    pub(super) fn guess_subnodes(&self, bid: BlockId) {
        self.guessed.lock().insert(bid.key());
    }

    /// Whether the subnode tree `bid` of a restored node may be another's.
    pub(super) fn is_guessed(&self, bid: BlockId) -> bool {
        self.guessed.lock().contains(&bid.key())
    }

    /// The entry of node `nid`, if it is one that was restored.
    pub(super) fn restored(&self, nid: NodeId) -> Option<NodeEntry> {
        find_node(self.restored.get()?, nid)
    }

    pub(super) fn has_lost_nodes(&self) -> bool {
        self.has_lost_nodes.load(Ordering::Relaxed)
    }

    pub(super) fn note_lost_page(&self, page_type: PageType) {
        if page_type == PageType::Nbt {
            self.has_lost_nodes.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn has_older_nodes(&self) -> bool {
        self.has_older_nodes
    }

    pub(super) fn note_older_nodes(&mut self) {
        self.has_older_nodes = true;
        self.note_lost_page(PageType::Nbt);
    }

    /// The offset of the damaged leaf that the entry of node `nid` is from, if it is from one.
    pub(super) fn damaged_leaf(&self, nid: NodeId) -> Option<u64> {
        self.finds.get()?.damaged_leaf(nid)
    }

    /// Tells whoever watches what was lost or gone around; nobody if nothing is recovered.
    pub(super) fn tell(&self, line: String) {
        if let Some(watch) = &self.watch {
            watch.problem(line);
        }
    }

    /// A block was found elsewhere.
    pub(super) fn gone_around(&self, error: &Error) {
        self.tell(format!("{error}; gone around by a scan of the file"));
    }

    /// The page of `page_type` with the entries of `keys` cannot be read, but for what the scan has of them.
    pub(super) fn gone_around_page(&self, page_type: PageType, keys: &Range<u64>, error: &Error) {
        let Some(finds) = self.finds.get() else {
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

/// Nodes and blocks that no live tree has.
#[derive(Debug, Default)]
pub(super) struct Added {
    nodes: Box<[NodeEntry]>,
    blocks: Arc<[FoundBlock]>,
}

impl Added {
    /// `nodes` in any order, of which the first under an id stays, and `blocks`, which ascend.
    pub(super) fn new(mut nodes: Vec<NodeEntry>, blocks: Arc<[FoundBlock]>) -> Self {
        nodes.sort_by_key(|node| node.nid);
        nodes.dedup_by_key(|node| node.nid);
        Self {
            nodes: nodes.into(),
            blocks,
        }
    }

    pub(super) fn has_blocks(&self) -> bool {
        !self.blocks.is_empty()
    }

    /// The nodes, ascending.
    pub(super) fn nodes(&self) -> &[NodeEntry] {
        &self.nodes
    }

    pub(super) fn node(&self, nid: NodeId) -> Option<NodeEntry> {
        find_node(&self.nodes, nid)
    }

    pub(super) fn block(&self, bid: BlockId) -> Option<BlockEntry> {
        find_block(&self.blocks, bid)
    }
}

/// The entry of `nid` among `nodes`, which ascend.
fn find_node(nodes: &[NodeEntry], nid: NodeId) -> Option<NodeEntry> {
    let index = nodes.binary_search_by_key(&nid, |node| node.nid);
    nodes.get(index.ok()?).copied()
}
