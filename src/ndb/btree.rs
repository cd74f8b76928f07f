//! The two B-trees, page by page through the page cache: the way down to a key, and walks over all entries. [MS-PST] 2.2.2.7.7

use std::ops::Range;
use std::sync::Arc;

use super::database::NodeDatabase;
use super::finds::{Finds, FoundBlock};
use super::header::Header;
use super::ids::{BlockId, BlockRef, NodeId};
use super::in_hand::Leaf;
use super::page::{self, BTreePage, BlockEntry, ChildEntry, MAX_LEVELS, NodeEntry};
use super::page_type::PageType;
use super::uncounted::{with_keys_of_children, with_uncounted};
use crate::error::{Error, Result};

impl NodeDatabase {
    /// The checked page at `at`, all of whose keys are below `end`, from the cache or the file.
    pub(crate) fn page(
        &self,
        page_type: PageType,
        at: BlockRef,
        end: u64,
    ) -> Result<Arc<BTreePage>> {
        let key = (page_type, at.ib);
        if let Some(page) = self.caches.pages.get(&key) {
            return Ok(page);
        }
        let Header {
            format, checksums, ..
        } = &self.header;
        let in_hand = &self.caches.in_hand;
        let bytes = in_hand.page(&self.source, page_type, at.ib, format.page_size)?;
        let page = page::parse_named_page(bytes, format, checksums, page_type, at)?;
        let page = with_uncounted(self, page_type, page, end);
        self.tell_of_page(page_type, &page, at.bid);
        let page = match page.level > 0 && !page.misplaced.is_empty() {
            true => with_keys_of_children(self, page_type, page),
            false => page,
        };
        Ok(self
            .caches
            .pages
            .insert(key, Arc::new(page), self.header.format.page_size))
    }

    /// Tells what is wrong with `page`, which the page above names as `named`.
    fn tell_of_page(&self, page_type: PageType, page: &BTreePage, named: BlockId) {
        if page.bid != named {
            let line = format_args!(
                "{} at offset {:#x} has the id {:#x} where its parent says {:#x}; used, since its CRC is right",
                page_type.name(),
                page.ib,
                page.bid.0,
                named.0
            );
            log::warn!("{}", self.source.log_line(line));
        }
        if let Some(flaw) = &page.flaw {
            self.tell(format!(
                "{} at offset {:#x}: {flaw}; used, since its CRC vouches for it",
                page_type.name(),
                page.ib
            ));
        }
        for key in &page.misplaced {
            self.tell(format!(
                "{} at offset {:#x}: key {key:#x}: {}",
                page_type.name(),
                page.ib,
                page.why_misplaced(*key)
            ));
        }
    }

    /// Tells what is wrong with the roots, which are read before anybody listens.
    pub(super) fn tell_of_roots(&self) {
        for page_type in [PageType::Nbt, PageType::Bbt] {
            if let Ok(root) = self.root_page(page_type) {
                self.tell_of_page(page_type, &root, root.bid);
            }
        }
    }

    /// Reads a child of `parent`, all of whose keys are below `end`, and demands that it is one level lower: so no walk can go in
    /// circles. Where that is not so it counts if it is the very page that is named, and lower all the same, or below the root:
    /// then it is a level that is wrong.
    fn child_page(
        &self,
        page_type: PageType,
        parent: &BTreePage,
        child: ChildEntry,
        end: u64,
    ) -> Result<Arc<BTreePage>> {
        let page = self.page(page_type, child.page, end)?;
        if page.level.checked_add(1) == Some(parent.level) {
            return Ok(page);
        }
        let error = Error::corrupt(
            page_type.name(),
            format_args!("offset {:#x}", page.ib),
            format_args!(
                "cLevel: expected one less than the parent's {}, found {}",
                parent.level, page.level
            ),
        );
        let is_below_root = parent.ib == self.header.root(page_type).ib && page.ib != parent.ib;
        if page.bid == child.page.bid && (page.level < parent.level || is_below_root) {
            self.tell(format!("{error}; used, since its id is right"));
            return Ok(page);
        }
        Err(error)
    }

    /// The id of the page that is the root of the tree `page_type`; reads one page.
    pub fn root(&self, page_type: PageType) -> Result<BlockId> {
        self.root_page(page_type).map(|page| page.bid)
    }

    pub(super) fn root_page(&self, page_type: PageType) -> Result<Arc<BTreePage>> {
        let page = self.page(page_type, self.header.root(page_type), u64::MAX)?;
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
    pub(super) fn descend(
        &self,
        page_type: PageType,
        key: u64,
        keys: &mut Range<u64>,
    ) -> Result<Option<(Leaf, usize)>> {
        if let Some((leaf, index)) = self.caches.in_hand.leaf(page_type, key) {
            *keys = leaf.keys.clone();
            return Ok(Some((leaf, index)));
        }
        *keys = 0..u64::MAX;
        let mut page = self.root_page(page_type)?;
        // The page right of the way down, whose key may be too high.
        let mut right: Option<(Arc<BTreePage>, usize, u64)> = None;
        // A page below the root may have any level, and the others are below it.
        let mut steps = 0..=MAX_LEVELS;
        while steps.next().is_some() {
            let Some(index) = page.partition(key).checked_sub(1) else {
                return Ok(None);
            };
            if page.level > 0 {
                if index + 1 < page.len() {
                    right = Some((Arc::clone(&page), index + 1, keys.end));
                }
                page = self.child_with(page_type, &page, index, key, keys)?;
                continue;
            }
            let is_behind = index + 1 == page.len() && page.key(index) != Some(key);
            if is_behind
                && let Some((parent, index, end)) = right.take()
                && let Some(child) = parent.child(index)
                && let end = parent.key(index + 1).unwrap_or(end)
                && let Ok(next) = self.child_page(page_type, &parent, child, end)
                && next.key(0).is_some_and(|first| first <= key)
            {
                self.tell_wrong_key(page_type, &parent, child);
                page = next;
                *keys = key..key.saturating_add(1);
                continue;
            }
            let keys = keys.clone();
            let leaf = Leaf { page, keys };
            self.caches.in_hand.take_leaf(page_type, &leaf);
            return Ok(Some((leaf, index)));
        }
        Ok(None)
    }

    /// The child number `index` of `parent`, or the one before it if `key` is less than all that it has; narrows `keys`.
    fn child_with(
        &self,
        page_type: PageType,
        parent: &BTreePage,
        index: usize,
        key: u64,
        keys: &mut Range<u64>,
    ) -> Result<Arc<BTreePage>> {
        let lost = || {
            Error::corrupt(
                page_type.name(),
                format_args!("offset {:#x}", parent.ib),
                "no child",
            )
        };
        let child = parent.child(index).ok_or_else(lost)?;
        keys.start = keys.start.max(child.key);
        keys.end = parent
            .key(index + 1)
            .map_or(keys.end, |next| keys.end.min(next));
        let page = self.child_page(page_type, parent, child, keys.end)?;
        // Its key is too low, if the leaf before it has the one that is wanted.
        if page.level == 0
            && page.key(0).is_some_and(|first| first > key)
            && let Some(before) = index.checked_sub(1)
            && let Some(before) = parent.child(before)
            && let Ok(found) = self.child_page(page_type, parent, before, child.key)
            && let Some(last) = found.partition(key).checked_sub(1)
            && found.key(last) == Some(key)
        {
            self.tell_wrong_key(page_type, parent, child);
            *keys = key..key.saturating_add(1);
            return Ok(found);
        }
        Ok(page)
    }

    fn tell_wrong_key(&self, page_type: PageType, parent: &BTreePage, child: ChildEntry) {
        self.tell(format!(
            "{} at offset {:#x}: key {:#x}: not the first one of its page",
            page_type.name(),
            parent.ib,
            child.key
        ));
    }

    /// Has the pages read that lead to `keys`, which ascend: all of a level at once.
    pub(super) fn will_descend(&self, page_type: PageType, keys: &[u64]) {
        let mut level: Vec<(Arc<BTreePage>, &[u64], u64)> = match self.root_page(page_type) {
            Ok(root) => vec![(root, keys, u64::MAX)],
            Err(_) => return,
        };
        while level.first().is_some_and(|(page, ..)| page.level > 0) {
            let children: Vec<_> = level
                .iter()
                .flat_map(|(page, keys, end)| {
                    let children = children_with(page, keys, *end).into_iter();
                    children.map(move |(child, keys, end)| (page, child, keys, end))
                })
                .collect();
            // One is read with what lies around it.
            if children.len() > 1 {
                self.will_need_pages(children.iter().map(|(_, child, ..)| *child));
            }
            level = children
                .into_iter()
                .filter(|(parent, ..)| parent.level > 1)
                .filter_map(|(parent, child, keys, end)| {
                    let page = self.child_page(page_type, parent, child, end);
                    page.ok().map(|page| (page, keys, end))
                })
                .collect();
        }
    }

    fn will_need_pages(&self, children: impl Iterator<Item = ChildEntry>) {
        let size = self.header.format.page_size as u64;
        let extent = |child: ChildEntry| child.page.ib..child.page.ib.saturating_add(size);
        self.source.will_need(children.map(extent));
    }

    /// The entry of block `bid` if the pages of the block B-tree are taken as they are, whatever their checksums: the last
    /// that is asked.
    pub(super) fn doubtful_block_entry(&self, bid: BlockId) -> Option<BlockEntry> {
        let mut at = self.header.bbt_root;
        let mut parent_level = MAX_LEVELS;
        while parent_level > 0 {
            let page = self.page_as_it_is(PageType::Bbt, at)?;
            if page.level >= parent_level {
                return None;
            }
            let index = page.partition(bid.0).checked_sub(1)?;
            if page.level == 0 {
                return page.block(index).filter(|entry| entry.block.bid == bid);
            }
            parent_level = page.level;
            at = page.child(index)?.page;
        }
        None
    }

    fn page_as_it_is(&self, page_type: PageType, at: BlockRef) -> Option<BTreePage> {
        let Header {
            format, checksums, ..
        } = &self.header;
        let intact = page::read_btree_page(&self.source, format, checksums, page_type, at);
        intact.ok().or_else(|| {
            let mut bytes = vec![0; format.page_size];
            self.source.read_exact_at(&mut bytes, at.ib).ok()?;
            page::parse_damaged_page(&bytes, format, page_type, at.ib).map(BTreePage::in_order)
        })
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

/// The entries of an interior page under which `keys` are, which ascend, each with those of them and the key behind all that
/// it has; `end` is that of the page.
fn children_with<'k>(
    page: &BTreePage,
    keys: &'k [u64],
    end: u64,
) -> Vec<(ChildEntry, &'k [u64], u64)> {
    let mut children = Vec::new();
    let mut rest = keys;
    while let Some((first, others)) = rest.split_first() {
        let Some(index) = page.partition(*first).checked_sub(1) else {
            rest = others;
            continue;
        };
        let next = page.key(index + 1).unwrap_or(end);
        let count = rest.partition_point(|key| *key < next);
        let (here, behind) = rest.split_at_checked(count.max(1)).unwrap_or((rest, &[]));
        children.extend(page.child(index).map(|child| (child, here, next)));
        rest = behind;
    }
    children
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
                self.ndb
                    .stand_ins
                    .gone_around_page(page_type, &keys, &error);
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
            if page.level == 1 && index == 0 && self.ndb.source.reads_ahead() {
                let children = (0..).map_while(|index| page.child(index));
                self.ndb.will_need_pages(children);
            }
            if page.level == 0 {
                if let Some(entry) = (self.entries.of_leaf)(page, index) {
                    return Some(Ok(entry));
                }
                self.stack.pop();
            } else if let Some(child) = page.child(index) {
                let parent = Arc::clone(page);
                let end = self.next_key();
                match self
                    .ndb
                    .child_page(self.entries.page_type, &parent, child, end)
                {
                    Ok(page) => self.stack.push((page, 0)),
                    Err(error) => self.failed(error, child.key..end),
                }
            } else {
                self.stack.pop();
            }
        }
    }
}
