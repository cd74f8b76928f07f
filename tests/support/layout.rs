//! Where everything in a written file is, for tests that damage it.
use super::format::Geometry;
use super::ndb::*;

/// Pages, blocks and nodes of a written file.
pub struct Layout {
    pub options: Options,
    pub geo: Geometry,
    pub roots: Roots,
    pub pages: Vec<PageEntry>,
    pub nodes: Vec<NodeEntry>,
    pub blocks: Vec<BlockEntry>,
}

impl Layout {
    pub fn new(ndb: Ndb) -> Layout {
        Layout {
            options: ndb.options,
            geo: ndb.geo,
            roots: ndb.roots,
            pages: ndb.pages,
            nodes: ndb.nbt,
            blocks: ndb.bbt,
        }
    }

    /// The NBT entry of a node.
    pub fn node(&self, nid: u32) -> NodeEntry {
        let at = self.nodes.binary_search_by_key(&nid, |n| n.nid);
        self.nodes[at.expect("node exists")]
    }

    /// The BBT entry of a block.
    pub fn block(&self, bid: u64) -> BlockEntry {
        self.blocks[((bid - self.options.bid_base) / 4) as usize - 1]
    }

    /// The page of a B-tree at `level` in which `key` is or would be.
    pub fn page(&self, ptype: u8, level: u8, key: u64) -> PageEntry {
        *self
            .pages
            .iter()
            .filter(|p| p.ptype == ptype && p.level == level && p.key <= key)
            .max_by_key(|p| p.key)
            .expect("a page for the key")
    }

    /// Levels of a B-tree.
    pub fn depth(&self, ptype: u8) -> u8 {
        let levels = self.pages.iter().filter(|p| p.ptype == ptype);
        levels.map(|p| p.level).max().expect("a root") + 1
    }
}
