//! Lookups and walks in the two B-trees, page by page through the page cache. [MS-PST] 2.2.2.7.7

use std::ops::Range;
use std::sync::Arc;

use super::NodeDatabase;
use super::header::BlockRef;
use super::ids::{BlockId, NodeId};
use super::lookup::{Finds, FoundBlock};
use super::page::{self, BTreePage, BlockEntry, ChildEntry, NodeEntry, PageType};
use crate::error::{Error, Result};

/// Levels of the deepest tree that is followed; a 50 GB file has six.
const MAX_LEVELS: u8 = 8;

impl NodeDatabase {
    /// The checked page at `at`, from the cache or the file.
    pub(crate) fn page(&self, page_type: PageType, at: BlockRef) -> Result<Arc<BTreePage>> {
        let key = (page_type, at.ib);
        if let Some(page) = self.pages.get(&key) {
            return Ok(page);
        }
        let page = page::read_btree_page(&self.source, self.header.format, page_type, at)?;
        if page.bid != at.bid {
            log::warn!(
                "{} at offset {:#x} has the id {:#x} where its parent says {:#x}; used, since its CRC is right",
                page_type.name(),
                at.ib,
                page.bid.0,
                at.bid.0
            );
        }
        if let Some(flaw) = &page.flaw {
            log::warn!(
                "{} at offset {:#x}: {flaw}; used, since its CRC is right",
                page_type.name(),
                at.ib
            );
        }
        Ok(self
            .pages
            .insert(key, Arc::new(page), self.header.format.page_size))
    }

    /// Reads a child and demands that it is one level lower: so no walk can go in circles.
    fn child_page(
        &self,
        page_type: PageType,
        parent: &BTreePage,
        child: ChildEntry,
    ) -> Result<Arc<BTreePage>> {
        let page = self.page(page_type, child.page)?;
        if page.level.checked_add(1) != Some(parent.level) {
            return Err(Error::corrupt(
                page_type.name(),
                format_args!("offset {:#x}", page.ib),
                format_args!(
                    "cLevel: expected one less than the parent's {}, found {}",
                    parent.level, page.level
                ),
            ));
        }
        Ok(page)
    }

    pub(super) fn root_page(&self, page_type: PageType) -> Result<Arc<BTreePage>> {
        let at = match page_type {
            PageType::Bbt => self.header.bbt_root,
            PageType::Nbt => self.header.nbt_root,
        };
        let page = self.page(page_type, at)?;
        if page.level >= MAX_LEVELS {
            return Err(Error::corrupt(
                page_type.name(),
                format_args!("offset {:#x}", page.ib),
                format_args!(
                    "cLevel: expected less than {MAX_LEVELS}, found {}",
                    page.level
                ),
            ));
        }
        Ok(page)
    }

    /// The leaf that can hold `key`, and the index of the last entry in it that is not above `key`. `keys` becomes the range
    /// of the page that was reached, or that cannot be read.
    fn descend(
        &self,
        page_type: PageType,
        key: u64,
        keys: &mut Range<u64>,
    ) -> Result<Option<(Leaf, usize)>> {
        *keys = 0..u64::MAX;
        let mut page = self.root_page(page_type)?;
        loop {
            let Some(index) = page.partition(key).checked_sub(1) else {
                return Ok(None);
            };
            if page.level == 0 {
                let keys = keys.clone();
                return Ok(Some((Leaf { page, keys }, index)));
            }
            let Some(child) = page.child(index) else {
                return Ok(None);
            };
            keys.start = keys.start.max(child.key);
            keys.end = page
                .key(index + 1)
                .map_or(keys.end, |next| keys.end.min(next));
            page = self.child_page(page_type, &page, child)?;
        }
    }

    /// What a scan of the file found, for a page that is damaged. A disk that fails is not scanned.
    fn finds_for(&self, page_type: PageType, error: &Error) -> Option<&Finds> {
        if error.is_unread() {
            return None;
        }
        self.note_lost_page(page_type);
        self.finds()
    }

    /// The answer to a lookup that a bad page made fail: what the scan of the file has, else the error. Without a root
    /// the finds are all there is, so what they lack is not in the file.
    fn rescued<T>(
        &self,
        page_type: PageType,
        keys: &Range<u64>,
        error: Error,
        find: impl Fn(&Finds) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(finds) = self.finds_for(page_type, &error) else {
            return Err(error);
        };
        self.gone_around_page(page_type, keys, &error);
        match find(finds) {
            None if self.root_page(page_type).is_ok() => Err(error),
            found => Ok(found),
        }
    }

    /// The entry of node `nid`; None when the file has no such node.
    pub fn find_node(&self, nid: NodeId) -> Result<Option<NodeEntry>> {
        let mut keys = 0..0;
        let found = match self.descend(PageType::Nbt, u64::from(nid.0), &mut keys) {
            Ok(found) => Ok(found
                .and_then(|(leaf, index)| leaf.page.node(index))
                .filter(|entry| entry.nid == nid)),
            Err(error) => self
                .rescued(PageType::Nbt, &keys, error, |finds| finds.node(nid))
                .map_err(|error| error.in_node(nid.0)),
        };
        match found {
            Ok(Some(entry)) => Ok(Some(entry)),
            Ok(None) | Err(_) => self.added_node(nid).map_or(found, |entry| Ok(Some(entry))),
        }
    }

    /// Whether node `nid` has an entry in a leaf that can be read.
    pub(super) fn is_in_tree(&self, nid: NodeId) -> bool {
        let found = self.descend(PageType::Nbt, u64::from(nid.0), &mut (0..0));
        let entry = found.ok().flatten();
        entry.and_then(|(leaf, index)| leaf.page.key(index)) == Some(u64::from(nid.0))
    }

    /// The entry of block `bid`; None when the file has no such block.
    pub fn find_block(&self, bid: BlockId) -> Result<Option<BlockEntry>> {
        self.find_block_near(bid.key(), &mut None)
    }

    /// As [`NodeDatabase::find_block`], looking first in `leaf`, where the block before it was found.
    pub(super) fn find_block_near(
        &self,
        bid: BlockId,
        leaf: &mut Option<Leaf>,
    ) -> Result<Option<BlockEntry>> {
        let within = |leaf: &Leaf, index: usize| {
            let entry = leaf.page.block(index);
            entry.filter(|entry| entry.block.bid == bid)
        };
        if let Some(leaf) = leaf
            && leaf.keys.contains(&bid.0)
            && let Some(index) = leaf.page.partition(bid.0).checked_sub(1)
        {
            return Ok(within(leaf, index));
        }
        let mut keys = 0..0;
        match self.descend(PageType::Bbt, bid.0, &mut keys) {
            Ok(Some((found, index))) => Ok(within(leaf.insert(found), index)),
            Ok(None) => Ok(None),
            Err(error) => self.rescued(PageType::Bbt, &keys, error, |finds| finds.block(bid)),
        }
    }

    /// All nodes in ascending order. In place of a page that cannot be read come the nodes that a scan finds for its
    /// range of keys; without recovery it is one error, and the walk goes on behind it.
    pub fn nodes(&self) -> impl Iterator<Item = Result<NodeEntry>> + '_ {
        Walk::new(self, &NODES)
    }

    /// Whether all pages of the node B-tree can be read up to the one that has node `nid`, or the next one.
    pub fn has_all_nodes_to(&self, nid: NodeId) -> bool {
        let mut walk = Walk::new(self, &NODES);
        let is_before = |node: Result<NodeEntry>| node.is_ok_and(|node| node.nid <= nid);
        while !walk.has_gap && walk.next().is_some_and(is_before) {}
        !walk.has_gap
    }

    /// All blocks in ascending order, as [`NodeDatabase::nodes`].
    pub fn blocks(&self) -> impl Iterator<Item = Result<BlockEntry>> + '_ {
        Walk::new(self, &BLOCKS)
    }
}

/// A leaf page, and the keys that the pages above it have lookups find in it: what else it holds is out of place.
pub(super) struct Leaf {
    page: Arc<BTreePage>,
    keys: Range<u64>,
}

/// How the entries of one tree are read from a leaf, or from the finds of a scan.
struct Entries<T> {
    page_type: PageType,
    of_leaf: fn(&BTreePage, usize) -> Option<T>,
    range: fn(&Finds, &Range<u64>) -> Range<usize>,
    of_finds: fn(&Finds, usize) -> Option<T>,
}

static NODES: Entries<NodeEntry> = Entries {
    page_type: PageType::Nbt,
    of_leaf: BTreePage::node,
    range: Finds::node_range,
    of_finds: |finds, index| finds.nodes().get(index).copied(),
};

static BLOCKS: Entries<BlockEntry> = Entries {
    page_type: PageType::Bbt,
    of_leaf: BTreePage::block,
    range: Finds::block_range,
    of_finds: |finds, index| finds.blocks().get(index).map(FoundBlock::entry),
};

/// An in-order walk with an explicit stack, at most [`MAX_LEVELS`] deep.
struct Walk<'a, T: 'static> {
    ndb: &'a NodeDatabase,
    entries: &'static Entries<T>,
    stack: Vec<(Arc<BTreePage>, usize)>,
    failure: Option<Error>,
    /// Finds of the scan that stand in for a bad page.
    stand_in: Range<usize>,
    /// Whether there was a bad page.
    has_gap: bool,
}

impl<'a, T> Walk<'a, T> {
    fn new(ndb: &'a NodeDatabase, entries: &'static Entries<T>) -> Self {
        let mut walk = Self {
            ndb,
            entries,
            stack: Vec::new(),
            failure: None,
            stand_in: 0..0,
            has_gap: false,
        };
        match ndb.root_page(entries.page_type) {
            Ok(root) => walk.stack.push((root, 0)),
            Err(error) => walk.failed(error, 0..u64::MAX),
        }
        walk
    }

    /// A page with these keys cannot be read.
    fn failed(&mut self, error: Error, keys: Range<u64>) {
        self.has_gap = true;
        match self.ndb.finds_for(self.entries.page_type, &error) {
            Some(finds) => {
                let page_type = self.entries.page_type;
                self.ndb.gone_around_page(page_type, &keys, &error);
                self.stand_in = (self.entries.range)(finds, &keys);
            }
            None => self.failure = Some(error),
        }
    }

    /// The smallest key right of where the walk is.
    fn next_key(&self) -> u64 {
        let mut levels = self.stack.iter().rev();
        levels
            .find_map(|(page, next)| page.key(*next))
            .unwrap_or(u64::MAX)
    }
}

impl<T> Iterator for Walk<'_, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(error) = self.failure.take() {
                return Some(Err(error));
            }
            if let Some(index) = self.stand_in.next() {
                if let Some(entry) = (self.entries.of_finds)(self.ndb.finds()?, index) {
                    return Some(Ok(entry));
                }
                continue;
            }
            let (page, next) = self.stack.last_mut()?;
            let index = *next;
            *next += 1;
            if page.level == 0 {
                if let Some(entry) = (self.entries.of_leaf)(page, index) {
                    return Some(Ok(entry));
                }
                self.stack.pop();
            } else if let Some(child) = page.child(index) {
                let parent = Arc::clone(page);
                match self.ndb.child_page(self.entries.page_type, &parent, child) {
                    Ok(page) => self.stack.push((page, 0)),
                    Err(error) => self.failed(error, child.key..self.next_key()),
                }
            } else {
                self.stack.pop();
            }
        }
    }
}
