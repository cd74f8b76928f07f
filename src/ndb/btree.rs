//! Lookups and walks in the two B-trees, page by page through the page cache. [MS-PST] 2.2.2.7.7

use std::sync::Arc;

use super::NodeDatabase;
use super::header::BlockRef;
use super::ids::{BlockId, NodeId};
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

    fn root_page(&self, page_type: PageType) -> Result<Arc<BTreePage>> {
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

    /// The leaf that can hold `key`, and the index of the last entry in it that is not above `key`.
    fn descend(&self, page_type: PageType, key: u64) -> Result<Option<(Arc<BTreePage>, usize)>> {
        let mut page = self.root_page(page_type)?;
        loop {
            let Some(index) = page.partition(key).checked_sub(1) else {
                return Ok(None);
            };
            if page.level == 0 {
                return Ok(Some((page, index)));
            }
            let Some(child) = page.child(index) else {
                return Ok(None);
            };
            page = self.child_page(page_type, &page, child)?;
        }
    }

    /// The entry of node `nid`; None when the file has no such node.
    pub fn find_node(&self, nid: NodeId) -> Result<Option<NodeEntry>> {
        let found = self
            .descend(PageType::Nbt, u64::from(nid.0))
            .map_err(|error| error.in_node(nid.0))?;
        Ok(found
            .and_then(|(leaf, index)| leaf.node(index))
            .filter(|entry| entry.nid == nid))
    }

    /// The entry of block `bid`; None when the file has no such block.
    pub fn find_block(&self, bid: BlockId) -> Result<Option<BlockEntry>> {
        let bid = bid.key();
        let found = self.descend(PageType::Bbt, bid.0)?;
        Ok(found
            .and_then(|(leaf, index)| leaf.block(index))
            .filter(|entry| entry.block.bid == bid))
    }

    /// All nodes in ascending order. A page that cannot be read is one error; the walk goes on behind it.
    pub fn nodes(&self) -> impl Iterator<Item = Result<NodeEntry>> + '_ {
        Walk::new(self, PageType::Nbt, BTreePage::node)
    }

    /// All blocks in ascending order, as [`NodeDatabase::nodes`].
    pub fn blocks(&self) -> impl Iterator<Item = Result<BlockEntry>> + '_ {
        Walk::new(self, PageType::Bbt, BTreePage::block)
    }
}

/// An in-order walk with an explicit stack, at most [`MAX_LEVELS`] deep.
struct Walk<'a, T> {
    ndb: &'a NodeDatabase,
    page_type: PageType,
    entry: fn(&BTreePage, usize) -> Option<T>,
    stack: Vec<(Arc<BTreePage>, usize)>,
    failure: Option<Error>,
}

impl<'a, T> Walk<'a, T> {
    fn new(
        ndb: &'a NodeDatabase,
        page_type: PageType,
        entry: fn(&BTreePage, usize) -> Option<T>,
    ) -> Self {
        let (stack, failure) = match ndb.root_page(page_type) {
            Ok(root) => (vec![(root, 0)], None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Self {
            ndb,
            page_type,
            entry,
            stack,
            failure,
        }
    }
}

impl<T> Iterator for Walk<'_, T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failure.take() {
            return Some(Err(error));
        }
        loop {
            let (page, next) = self.stack.last_mut()?;
            let index = *next;
            *next += 1;
            if page.level == 0 {
                if let Some(entry) = (self.entry)(page, index) {
                    return Some(Ok(entry));
                }
                self.stack.pop();
            } else if let Some(child) = page.child(index) {
                let parent = Arc::clone(page);
                match self.ndb.child_page(self.page_type, &parent, child) {
                    Ok(page) => self.stack.push((page, 0)),
                    Err(error) => return Some(Err(error)),
                }
            } else {
                self.stack.pop();
            }
        }
    }
}
