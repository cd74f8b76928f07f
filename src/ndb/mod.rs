//! Node database layer: header, pages, the two B-trees, blocks, nodes. [MS-PST] 2.2
//!
//! Uses nothing of the crate but `bytes`, `cache`, `error` and `problem`. Reads lazily with positioned reads; what was read is
//! kept decoded in two LRU caches bounded in bytes, and no lock is held while reading or decoding.
#![forbid(unsafe_code)]

use std::path::Path;
use std::sync::Arc;

use crate::cache::ByteLru;
use crate::error::Result;

pub(crate) mod amap;
mod block;
mod btree;
pub mod crc;
pub mod crypt;
mod data_tree;
pub mod format;
pub mod header;
mod ids;
mod inflate;
pub(crate) mod kept;
mod lookup;
mod lost_lists;
mod lost_sectors;
mod node;
pub(crate) mod open;
mod other_files;
pub mod page;
pub mod pieces;
mod plan;
mod repeats;
mod run;
pub(crate) mod scan;
mod source;
pub mod stand_ins;
mod trailer;
mod xblock;

pub use block::{Block, Flaw, read_block};
pub use data_tree::DataTree;
pub use header::{BlockRef, Header};
pub use ids::{BlockId, NodeId, NodeType};
pub use lost_lists::{FindLists, LostLists, Rest, SubnodeEntry};
pub use node::{Node, SubnodeList};
pub use open::{Recover, Watch, open, open_source, open_with};
pub use page::{BlockEntry, NodeEntry};
pub use plan::Depth;
pub use source::{Gaps, Source, partly, whole};

use page::{BTreePage, PageType};
use repeats::Repeats;
use stand_ins::{Added, StandIns};

const SHARDS: usize = 8;

type PageCache = ByteLru<(PageType, u64), Arc<BTreePage>>;
type BlockCache = ByteLru<BlockId, Block>;

/// The share of pages in caches of together `cache` bytes.
fn page_cache(cache: u64) -> PageCache {
    ByteLru::new(cache / 4, SHARDS)
}

/// The share of blocks.
fn block_cache(cache: u64) -> BlockCache {
    ByteLru::new(cache / 4 * 3, SHARDS)
}

/// An opened file: its header, and its pages and blocks through caches.
#[derive(Debug)]
pub struct NodeDatabase {
    source: Arc<Source>,
    header: Header,
    pages: PageCache,
    blocks: BlockCache,
    stand_ins: StandIns,
    added: Added,
    damaged: Damaged,
    repeats: Repeats,
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
            pages: page_cache(cache),
            blocks: block_cache(cache),
            stand_ins: StandIns::default(),
            added: Added::default(),
            damaged: Damaged::default(),
            repeats: Repeats::default(),
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

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The file itself.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The id of the page that is the root of the tree `page_type`; reads one page.
    pub fn root(&self, page_type: PageType) -> Result<BlockId> {
        self.root_page(page_type).map(|page| page.bid)
    }
}
