//! Node database layer: header, pages, the two B-trees, blocks, nodes. [MS-PST] 2.2
//!
//! Uses nothing of the crate but `bytes`, `cache` and `error`. Reads lazily with positioned reads; what was read is
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
pub mod lookup;
mod node;
pub(crate) mod open;
pub mod page;
mod repeats;
pub(crate) mod scan;
mod source;

pub use block::{read_block, read_block_strictly};
pub use data_tree::DataTree;
pub use header::{BlockRef, Header};
pub use ids::{BlockId, NodeId, NodeType};
pub use node::Node;
pub use open::{Recover, Watch, open, open_source, open_with};
pub use page::{BlockEntry, NodeEntry};
pub use source::{Source, partly, whole};

use crypt::CryptMethod;
use lookup::{Added, StandIns};
use page::{BTreePage, PageType};
use repeats::Repeats;

const SHARDS: usize = 8;

type PageCache = ByteLru<(PageType, u64), Arc<BTreePage>>;
type BlockCache = ByteLru<BlockId, Arc<[u8]>>;

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
    repeats: Repeats,
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
            repeats: Repeats::default(),
        }
    }

    /// The same file with another root of the tree `page_type` than the header's, which is lost or stale.
    pub fn with_root(mut self, page_type: PageType, root: BlockRef) -> Self {
        match page_type {
            PageType::Nbt => self.header.nbt_root = root,
            PageType::Bbt => self.header.bbt_root = root,
        }
        self
    }

    /// The same file if its header says that nothing is encoded: some writers permute the blocks and do not say so.
    /// The first heap that every file has tells. [MS-PST] 2.2.2.6
    pub fn with_crypt_of_blocks(mut self) -> Self {
        if self.header.crypt == CryptMethod::None && self.is_permuted() == Some(true) {
            self.header.crypt = CryptMethod::Permute;
            self.header.crypt_guessed = true;
        }
        self
    }

    fn is_permuted(&self) -> Option<bool> {
        let heaps = [NodeId::MESSAGE_STORE, NodeId::ROOT_FOLDER];
        let node = heaps
            .into_iter()
            .find_map(|nid| self.find_node(nid).ok().flatten())?;
        let entry = self.find_block(node.data).ok().flatten()?;
        let stored = read_block(&self.source, self.header.format, entry).ok()?;
        let is_heap = |method| crypt::is_heap(method, entry.block.bid, &stored);
        Some(
            !node.data.is_internal()
                && !is_heap(CryptMethod::None)
                && is_heap(CryptMethod::Permute),
        )
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
