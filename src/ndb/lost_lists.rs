//! What stands in for lists that cannot be read, or not as a whole: of subnodes (SLBLOCK, SIBLOCK) and of the blocks of a
//! data tree (XBLOCK). They are put together by a layer that knows what is in nodes (`salvage`), when the first of them is
//! missed.

use std::collections::HashMap;
use std::sync::Arc;

use super::ids::{BlockId, NodeId};
use super::repeats::Repeats;
use super::source::partly;
use super::{NodeDatabase, block_cache, page_cache};

/// SLENTRY: one subnode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubnodeEntry {
    /// Its id, private to its owner.
    pub nid: NodeId,
    /// `bidData`.
    pub data: BlockId,
    /// `bidSub`: the top block of its own subnodes.
    pub subnodes: BlockId,
}

/// What is known of the lists of a file that are lost, by their top blocks.
#[derive(Debug, Default)]
pub struct LostLists {
    /// Subnodes that a list lacks.
    pub subnodes: HashMap<BlockId, Vec<SubnodeEntry>>,
    /// The leaves of an XBLOCK.
    pub leaves: HashMap<BlockId, Vec<BlockId>>,
    /// Items made of what belongs to no list.
    pub rest: Vec<Rest>,
}

/// An item without properties, made of a part that nothing leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// The block that it is made of.
    pub of: BlockId,
    /// The top block of its subnodes.
    pub subnodes: BlockId,
}

/// Puts the lost lists of a file together. A function of the file alone: what it gives does not depend on which list was
/// missed first.
pub type FindLists = fn(&Arc<NodeDatabase>) -> LostLists;

/// Memory for the caches of the file while that is done, in bytes.
const CACHE: u64 = 4 << 20;

impl NodeDatabase {
    /// Has `find` stand in where a list is lost. It is called once at most, and not before one is missed.
    pub fn with_lost_lists(mut self, find: FindLists) -> Self {
        self.stand_ins.find_lists = Some(find);
        self
    }

    /// What is known of lists that are lost; looks for it now, if nothing was missed before. None if nothing is to stand in.
    pub fn lost_lists(&self) -> Option<&LostLists> {
        let find = self.stand_ins.find_lists?;
        if self.has_added() || self.refuses_damage() {
            return None;
        }
        let found = || partly(|| find(&Arc::new(self.as_stored())));
        Some(self.stand_ins.lost_lists.get_or_init(found))
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
        self.stand_ins.lost_lists.get().is_some()
    }

    /// The same file, in which nothing stands in for lists: for those who look for what does.
    fn as_stored(&self) -> Self {
        let mut stand_ins = self.stand_ins.clone();
        stand_ins.find_lists = None;
        Self {
            source: self.source.clone(),
            header: self.header.clone(),
            pages: page_cache(CACHE),
            blocks: block_cache(CACHE),
            stand_ins,
            added: Default::default(),
            damaged: self.damaged,
            repeats: Repeats::default(),
        }
    }
}
