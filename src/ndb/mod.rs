//! Node database layer: header, pages, the two B-trees, blocks, nodes. [MS-PST] 2.2
//!
//! Uses nothing of the crate but `bytes`, `cache` and `error`. Reads lazily with positioned reads; what was read is
//! kept decoded in two LRU caches bounded in bytes, and no lock is held while reading or decoding.
#![forbid(unsafe_code)]

use std::path::Path;
use std::sync::Arc;

use crate::cache::ByteLru;
use crate::error::{Error, Result};

mod block;
mod btree;
pub mod crc;
pub mod crypt;
mod data_tree;
pub mod format;
pub mod header;
mod ids;
mod node;
pub mod page;
mod source;

pub use data_tree::DataTree;
pub use header::{BlockRef, Header};
pub use ids::{BlockId, NodeId, NodeType};
pub use node::Node;
pub use page::{BlockEntry, NodeEntry};
pub use source::Source;

use page::{BTreePage, PageType};

const SHARDS: usize = 8;

/// An opened file: its header, and its pages and blocks through caches.
#[derive(Debug)]
pub struct NodeDatabase {
    source: Source,
    header: Header,
    pages: ByteLru<(PageType, u64), Arc<BTreePage>>,
    blocks: ByteLru<BlockId, Arc<[u8]>>,
}

impl NodeDatabase {
    /// Opens `path` and reads its header. The caches together keep at most `cache` bytes.
    pub fn open(path: &Path, cache: u64) -> Result<Self> {
        let source = Source::open(path).map_err(|source| Error::Open {
            path: path.to_path_buf(),
            source,
        })?;
        let header = Header::read(&source)?;
        Ok(Self {
            source,
            header,
            pages: ByteLru::new(cache / 4, SHARDS),
            blocks: ByteLru::new(cache / 4 * 3, SHARDS),
        })
    }

    /// The same file read from other B-tree roots than the header's, which are lost or stale.
    pub fn with_roots(mut self, nbt_root: BlockRef, bbt_root: BlockRef) -> Self {
        self.header.nbt_root = nbt_root;
        self.header.bbt_root = bbt_root;
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

    /// Checks that both B-tree roots are pages of their tree; reads two pages.
    pub fn check_roots(&self) -> Result<()> {
        self.page(PageType::Nbt, self.header.nbt_root)?;
        self.page(PageType::Bbt, self.header.bbt_root)?;
        Ok(())
    }
}
