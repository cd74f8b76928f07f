//! Which blocks nobody refers to any more. [MS-PST] 2.2.2.7.7.3.1
//!
//! The block B-tree counts the references to each block. Where there are fewer, whatever referred to it is lost.

use crate::ndb::scan::Memory;
use crate::ndb::{BlockEntry, BlockId, FoundBlock, NodeDatabase, NodeEntry, PageType, children};

/// Bytes that a block takes: it is counted, and stands in two lists at the most.
const BLOCK: usize = 32;

/// Tops of data trees and of subnode trees that have lost what refers to them. Both ascend.
#[derive(Debug, Default)]
pub(super) struct Unreferenced {
    /// With the number of references that are lost.
    pub(super) data: Vec<(BlockId, i32)>,
    pub(super) subnodes: Vec<BlockId>,
    /// Internal blocks that something refers to, and that a lost entry may have told to have more references: copies of a
    /// message share them.
    pub(super) shared: Vec<BlockId>,
    /// Whether all blocks and references of the file could be counted: then what is not here is not lost.
    pub(super) complete: bool,
    /// Whether the block B-tree vouches for what is here. What a scan alone has found may be stale.
    pub(super) live: bool,
}

/// Of the blocks of `ndb`, those with fewer references than their entries say. Where the tree of blocks is lost, or a page
/// of it, those without any, but for those in free space as long as the tree is there.
pub(super) fn unreferenced(ndb: &NodeDatabase, memory: &mut Memory) -> Unreferenced {
    let is_lost = ndb.root(PageType::Bbt).is_err();
    unreferenced_if(ndb, memory, |entry| is_lost || !ndb.is_free(*entry))
}

/// As [`unreferenced`], with the blocks that a scan has found in place of lost pages, but for those in free space.
pub(super) fn unreferenced_or_found(ndb: &NodeDatabase, memory: &mut Memory) -> Unreferenced {
    unreferenced_if(ndb, memory, |entry| !ndb.is_free(*entry))
}

/// `is_in_use` decides about blocks that only a scan knows.
fn unreferenced_if(
    ndb: &NodeDatabase,
    memory: &mut Memory,
    is_in_use: impl Fn(&BlockEntry) -> bool,
) -> Unreferenced {
    let live = ndb.root(PageType::Bbt).is_ok();
    let mut complete = live;
    let mut blocks: Vec<(BlockId, i32)> = Vec::new();
    let mut shared = Vec::new();
    for entry in ndb.blocks() {
        let count = match &entry {
            // A count of one is that of the entry itself.
            Ok(entry) if entry.references > 0 => i32::from(entry.references) - 1,
            Ok(entry) if is_in_use(entry) => 1,
            Ok(_) | Err(_) => 0,
        };
        match entry {
            Ok(entry) if count > 0 && memory.take(BLOCK) => {
                blocks.push((entry.block.bid, count));
                if entry.references == 0 && entry.block.bid.is_internal() && memory.take(BLOCK) {
                    shared.push(entry.block.bid);
                }
            }
            Ok(entry) if entry.references == 1 => {}
            Ok(_) | Err(_) => complete = false,
        }
    }
    let found = count(ndb, blocks, ndb.nodes().flatten(), complete);
    shared.retain(|bid| found.subnodes.binary_search(bid).is_err());
    Unreferenced {
        live,
        shared,
        ..found
    }
}

/// Of `blocks`, which ascend, those that neither another one of them nor one of `nodes` refers to.
pub(super) fn unreferenced_among(
    ndb: &NodeDatabase,
    blocks: &[FoundBlock],
    nodes: impl Iterator<Item = NodeEntry>,
    memory: &mut Memory,
) -> Unreferenced {
    let blocks = blocks.iter().filter(|_| memory.take(BLOCK));
    let blocks = blocks.map(|block| (block.bid(), 1)).collect();
    count(ndb, blocks, nodes, false)
}

fn count(
    ndb: &NodeDatabase,
    mut blocks: Vec<(BlockId, i32)>,
    nodes: impl Iterator<Item = NodeEntry>,
    mut complete: bool,
) -> Unreferenced {
    let internal: Vec<BlockId> = blocks
        .iter()
        .map(|(bid, _)| *bid)
        .filter(|bid| bid.is_internal())
        .collect();
    let mut take_one = |bid: BlockId| {
        let index = blocks.binary_search_by_key(&bid.key(), |(bid, _)| *bid);
        if let Some((_, count)) = index.ok().and_then(|index| blocks.get_mut(index)) {
            *count -= 1;
        }
    };
    let mut subnode_trees = Vec::new();
    for bid in internal {
        match children(ndb, bid) {
            Ok((is_subnodes, children)) => {
                children.into_iter().for_each(&mut take_one);
                if is_subnodes {
                    subnode_trees.push(bid);
                }
            }
            Err(_) => complete = false,
        }
    }
    for node in nodes {
        take_one(node.data);
        take_one(node.subnodes);
    }
    let left = blocks.into_iter().filter(|(_, count)| *count > 0);
    let (subnodes, data): (Vec<_>, _) =
        left.partition(|(bid, _)| subnode_trees.binary_search(bid).is_ok());
    Unreferenced {
        data,
        subnodes: subnodes.into_iter().map(|(bid, _)| bid).collect(),
        shared: Vec::new(),
        complete,
        live: false,
    }
}
