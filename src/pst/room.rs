//! How much room a copy takes at most, told before it is written.

use crate::messaging::Store;
use crate::tree::Forest;

/// What a block takes beside its data: trailer, alignment, its entry in the block B-tree and above.
const OF_BLOCK: u64 = 128;
/// What a node takes beside the data of the source: recipient tables that were not there, entries of B-trees and tables.
const OF_NODE: u64 = 1024;
/// The objects that every PST has, and the last section, which is not full.
const OF_FILE: u64 = 1 << 20;

/// An upper bound of the bytes of a copy of all that is in `forest`: the data of all blocks, inflated, as often as it is
/// referred to, and 8-bit text as UTF-16.
pub fn room(forest: &Forest) -> u64 {
    forest.stores().map(|store| of_store(store)).sum::<u64>() + OF_FILE
}

fn of_store(store: &Store) -> u64 {
    let ndb = store.ndb();
    let is_8bit = ndb.header().format.is_8bit();
    let growth = if is_8bit { 2 } else { 1 };
    let mut bytes = 0;
    for block in ndb
        .blocks()
        .flatten()
        .filter(|block| !block.block.bid.is_internal())
    {
        // `cRef` counts one reference more than there are.
        let uses = u64::from(block.references.max(2)) - 1;
        bytes += uses * (u64::from(block.inflated) * growth + OF_BLOCK);
    }
    bytes + ndb.nodes().flatten().count() as u64 * OF_NODE
}
