//! What stands in for lists that cannot be read, or not as a whole: of subnodes (SLBLOCK, SIBLOCK) and of the blocks of a
//! data tree (XBLOCK). They are put together by a layer that knows what is in nodes (`salvage`), when the first of them is
//! missed.

use std::collections::HashMap;

use super::ids::{BlockId, NodeId};

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
