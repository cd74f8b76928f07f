//! An opened file: its header, its pages and blocks through caches, and what stands in for those that are lost. `btree` and
//! `lookup` add what is found in it.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::block::{Block, BlockReader};
use super::cuts::Repeats;
use super::finds::{Finds, FoundBlock};
use super::header::Header;
use super::ids::{BlockId, BlockRef, NodeId};
use super::in_hand::InHand;
use super::lost_lists::{LostLists, SubnodeEntry};
use super::page::{BTreePage, NodeEntry};
use super::page_type::PageType;
use super::source::{Source, partly};
use super::stand_ins::{Added, StandIns};
use super::watch::Watch;
use crate::cache::ByteLru;
use crate::error::{Error, Result};

const SHARDS: usize = 8;
/// What even of the smallest file may be shown, in bytes, where its size is the measure.
pub(super) const LEAST_TIMES_FILE: u64 = 16 << 20;
/// Memory for the caches of the file while lost lists are put together, in bytes.
const CACHE_FOR_LISTS: u64 = 4 << 20;

/// Pages and blocks, decoded, and what is in hand.
#[derive(Debug)]
pub(super) struct Caches {
    pub(super) pages: ByteLru<(PageType, u64), Arc<BTreePage>>,
    pub(super) blocks: ByteLru<BlockId, Block>,
    pub(super) in_hand: InHand,
}

impl Caches {
    /// Caches of together `bytes` bytes.
    fn new(bytes: u64) -> Self {
        Self {
            pages: ByteLru::new(bytes / 4, SHARDS),
            blocks: ByteLru::new(bytes / 4 * 3, SHARDS),
            in_hand: InHand::default(),
        }
    }
}

/// What becomes of bytes that do not fit their checksum, and of those that cannot be had: `-o damaged=show|refuse`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Damaged {
    /// The former are used, zeros take the place of the latter, and both are problems.
    #[default]
    Show,
    /// Both are errors.
    Refuse,
}

/// Puts the lost lists of a file together. A function of the file alone: what it gives does not depend on which list was
/// missed first.
pub type FindLists = fn(&Arc<NodeDatabase>) -> LostLists;

/// Calls what it is given with each message of a contents table and the bytes that it declares, as far as the disk gives the table
/// and as long as true is returned.
pub type ReadDeclared = fn(&Arc<NodeDatabase>, NodeEntry, &mut dyn FnMut(NodeId, u64) -> bool);

/// An opened file: its header, and its pages and blocks through caches.
#[derive(Debug)]
pub struct NodeDatabase {
    pub(super) source: Arc<Source>,
    pub(super) header: Header,
    pub(super) caches: Caches,
    pub(super) stand_ins: StandIns,
    pub(super) added: Added,
    pub(super) damaged: Damaged,
    pub(super) repeats: Repeats,
    /// Reads the sizes that messages declare; without it nothing is known of them.
    pub(super) read_declared: Option<ReadDeclared>,
    /// Puts lost lists together; without it nothing stands in for them.
    find_lists: Option<FindLists>,
    lost_lists: Arc<OnceLock<LostLists>>,
}

impl NodeDatabase {
    /// Opens `path` and reads its header. The caches together keep at most `cache` bytes.
    pub fn open(path: &Path, cache: u64) -> Result<Self> {
        let source = Source::open(path)?;
        let header = Header::read(&source)?;
        Ok(Self::new(source, header, cache))
    }

    /// The file `source` with a `header` that was read, or made up for one that is lost.
    pub fn new(source: Source, header: Header, cache: u64) -> Self {
        Self {
            source: Arc::new(source),
            header,
            caches: Caches::new(cache),
            stand_ins: StandIns::default(),
            added: Added::default(),
            damaged: Damaged::default(),
            repeats: Repeats::default(),
            read_declared: None,
            find_lists: None,
            lost_lists: Arc::default(),
        }
    }

    /// The same file with another choice of what becomes of damaged bytes.
    pub fn with_damaged(mut self, damaged: Damaged) -> Self {
        self.damaged = damaged;
        self
    }

    /// The same file with another root of the tree `page_type` than the header's, which is lost or stale.
    pub fn with_root(mut self, page_type: PageType, root: BlockRef) -> Self {
        match page_type {
            PageType::Nbt => self.header.nbt_root = root,
            PageType::Bbt => self.header.bbt_root = root,
        }
        self
    }

    /// Lets a scan of the file stand in where a page is damaged or a block is not at its place; `watch` reports it. Nothing
    /// is scanned before.
    pub(super) fn with_scan_on_demand(mut self, watch: Arc<dyn Watch>) -> Self {
        self.stand_ins.scan_on_demand(watch);
        self
    }

    /// Uses what an earlier scan has found.
    pub(super) fn with_finds(self, finds: Finds) -> Self {
        self.stand_ins.take_finds(finds);
        self
    }

    /// Has `find` stand in where a list is lost. It is called once at most, and not before one is missed.
    pub fn with_lost_lists(mut self, find: FindLists) -> Self {
        self.find_lists = Some(find);
        self
    }

    /// Has `read` say what messages declare. It is called when a message is met that is large beside the others.
    pub fn with_declared_sizes(mut self, read: ReadDeclared) -> Self {
        self.read_declared = Some(read);
        self
    }

    /// The same file with nodes and blocks beside those of its live trees, which stay as they are: what was deleted and
    /// still lies there. `blocks` ascend. Has caches of its own, of at most `cache` bytes.
    pub fn with_added(&self, nodes: Vec<NodeEntry>, blocks: Arc<[FoundBlock]>, cache: u64) -> Self {
        Self {
            added: Added::new(nodes, blocks),
            read_declared: self.read_declared,
            find_lists: self.find_lists,
            ..self.again(cache)
        }
    }

    /// The same file, with caches of its own of at most `cache` bytes, in which nothing was added and nothing stands in for
    /// lists.
    fn again(&self, cache: u64) -> Self {
        Self {
            source: Arc::clone(&self.source),
            header: self.header.clone(),
            caches: Caches::new(cache),
            stand_ins: self.stand_ins.clone(),
            added: Added::default(),
            damaged: self.damaged,
            repeats: Repeats::default(),
            read_declared: None,
            find_lists: None,
            lost_lists: Arc::clone(&self.lost_lists),
        }
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The file itself.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Reads blocks of the file as its header tells, past the cache.
    pub(super) fn block_reader(&self) -> BlockReader<'_> {
        BlockReader {
            source: &self.source,
            header: &self.header,
        }
    }

    /// Whether damaged bytes are errors ([`Damaged::Refuse`]).
    pub(super) fn refuses_damage(&self) -> bool {
        self.damaged == Damaged::Refuse
    }

    /// More bytes than all blocks of the file together can hold, inflated where they may be compressed.
    pub(crate) fn most_data(&self) -> u64 {
        let format = self.header.format;
        let (size, unit) = (self.source.stored_len(), format.block_align as u64);
        if format.compressed {
            (size / unit).saturating_mul(format.block_payload as u64)
        } else {
            size
        }
    }

    /// How long texts of the file may be: so often its size, and at most `most`. A longer one was made to be long.
    pub(crate) fn longest_text(&self, times: u64, most: u64) -> u64 {
        most.min(self.times_file((times, LEAST_TIMES_FILE)))
    }

    /// So often the size of the file, and so many bytes more.
    pub(super) fn times_file(&self, (times, more): (u64, u64)) -> u64 {
        self.source
            .stored_len()
            .saturating_mul(times)
            .saturating_add(more)
    }

    /// Takes over entries of nodes whose own are lost, which `make` has put together from other structures of the file.
    /// It is called once at most, and whoever needs the result waits for it.
    pub fn restore(&self, make: impl FnOnce() -> Vec<NodeEntry>) -> &[NodeEntry] {
        self.stand_ins.restore(make)
    }

    /// Notes that a node that is restored gets the subnode tree `bid`, which may be another's.
    pub fn guess_subnodes(&self, bid: BlockId) {
        self.stand_ins.guess_subnodes(bid);
    }

    /// Whether node `nid` is one that was restored and whose own id is not known.
    pub fn is_made_up(&self, nid: NodeId) -> bool {
        let restored = self.stand_ins.restored(nid);
        restored.is_some_and(|node| node.parent == NodeId(0))
    }

    /// Notes that the node B-tree is an older one than that of the file: all newer nodes are lost, though each page of it is whole.
    pub(super) fn with_older_nodes(mut self) -> Self {
        self.stand_ins.note_older_nodes();
        self
    }

    /// Whether the node B-tree is an older one than that of the file.
    pub fn has_older_nodes(&self) -> bool {
        self.stand_ins.has_older_nodes()
    }

    /// Whether a page of the node B-tree has turned out to be damaged: then nodes may be lost.
    pub fn has_lost_nodes(&self) -> bool {
        self.stand_ins.has_lost_nodes()
    }

    /// Tells whoever watches the recovery what was lost or gone around; nobody if nothing is recovered.
    pub fn tell(&self, line: String) {
        self.stand_ins.tell(line);
    }

    /// What a scan of the file found, which is made now if need be; None when recovery is off.
    pub(super) fn finds(&self) -> Option<&Finds> {
        self.stand_ins.finds(&self.source, &self.header)
    }

    /// What a scan of the file found, for a page that is damaged. A disk that fails is not scanned.
    pub(super) fn finds_for(&self, page_type: PageType, error: &Error) -> Option<&Finds> {
        if error.is_unread() {
            return None;
        }
        self.stand_ins.note_lost_page(page_type);
        self.finds()
    }

    /// What is known of lists that are lost; looks for it now, if nothing was missed before. None if nothing is to stand in.
    pub fn lost_lists(&self) -> Option<&LostLists> {
        let find = self.find_lists?;
        if self.added.has_blocks() || self.refuses_damage() {
            return None;
        }
        let found = || partly(|| find(&Arc::new(self.again(CACHE_FOR_LISTS))));
        Some(self.lost_lists.get_or_init(found))
    }

    /// Subnodes that the list `tree` lacks, as far as they could be found.
    pub(super) fn lost_subnodes(&self, tree: BlockId) -> &[SubnodeEntry] {
        let found = self.lost_lists();
        let found = found.and_then(|lists| lists.subnodes.get(&tree.key()));
        found.map_or(&[], |entries| entries)
    }

    /// The leaves of the XBLOCK `bid`, if they could be found.
    pub(super) fn lost_leaves(&self, bid: BlockId) -> Option<&[BlockId]> {
        let leaves = self.lost_lists()?.leaves.get(&bid.key())?;
        Some(leaves)
    }

    /// Whether a list has turned out to be lost, so that there may be data that nothing leads to.
    pub fn has_lost_lists(&self) -> bool {
        self.lost_lists.get().is_some()
    }
}
