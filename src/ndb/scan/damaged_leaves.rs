//! What can still be read of leaves of the node B-tree whose CRC is wrong. Most of their entries are right; which of them
//! is not cannot be told for sure, so all that comes from here has a problem ([`crate::ndb::Node::doubts`]).
//!
//! An entry stands in, before those of older leaves, if it is in order, its data is in the file or listed, and no other
//! node has its blocks; none does if the allocation map has the page as free. A page whose CRC is right and one other
//! field of its trailer is not, is no damaged leaf: it is used as it is.

use std::collections::{HashMap, HashSet};

use super::claims::{Claim, Listed, claimed_by};
use super::pages::DamagedLeaf;
use crate::ndb::finds::FoundBlock;
use crate::ndb::ids::{BlockId, NodeId, NodeType};
use crate::ndb::page::NodeEntry;

/// Nodes whose data is theirs alone. Tables that are empty share theirs.
const OWNERS: [NodeType; 4] = [
    NodeType::NORMAL_FOLDER,
    NodeType::SEARCH_FOLDER,
    NodeType::NORMAL_MESSAGE,
    NodeType::ASSOC_MESSAGE,
];

/// Entries of damaged leaves that no newer intact leaf covers, with the offsets of the leaves. Their data must be in the
/// file, or be listed as such; where that cannot be told, something else of what they say must be there. Nobody else may
/// have their blocks. `blocks` ascend.
pub(crate) fn entries(
    claims: &[Claim],
    nodes: &[NodeEntry],
    blocks: &[FoundBlock],
    mut listed: Listed<'_>,
    mut damaged: Vec<DamagedLeaf>,
) -> Vec<(NodeEntry, u64)> {
    damaged.sort_by_key(|leaf| (std::cmp::Reverse(leaf.bid), leaf.ib));
    let is_covered = |nid: NodeId, bid: BlockId| {
        let leaf = claimed_by(claims, nid.0.into());
        leaf.is_some_and(|leaf| leaf.bid > bid)
    };
    let mut known = HashSet::new();
    let mut taken: Vec<(NodeEntry, u64)> = Vec::new();
    for leaf in damaged {
        let entries = leaf.entries.into_iter();
        let newest =
            entries.filter(|node| !is_covered(node.nid, leaf.bid) && known.insert(node.nid));
        taken.extend(newest.map(|node| (node, leaf.ib)));
    }
    let own = || taken.iter().map(|(node, _)| node);
    // How many have the blocks, and which of the parents are there. Of all nodes only these count.
    let blocks_of = |node: &NodeEntry| [node.data.key(), node.subnodes.key()];
    let mut owners: HashMap<BlockId, usize> =
        own().flat_map(blocks_of).map(|bid| (bid, 0)).collect();
    let parents: HashSet<NodeId> = own().map(|node| node.parent).collect();
    let mut folders = HashSet::new();
    let others = nodes.iter().filter(|node| !known.contains(&node.nid));
    for node in others.chain(own()) {
        if node.nid.is_folder() && parents.contains(&node.nid) {
            folders.insert(node.nid);
        }
        if OWNERS.contains(&node.nid.node_type()) {
            for bid in blocks_of(node) {
                owners.entry(bid).and_modify(|count| *count += 1);
            }
        }
    }
    let is_there = |bid: BlockId| {
        let found = blocks.binary_search_by_key(&bid.key(), FoundBlock::bid);
        found.is_ok()
    };
    // Beyond this an id has a wrong bit.
    let most = blocks
        .last()
        .map_or(0, |block| block.bid().0.saturating_mul(2));
    taken.retain(|(node, _)| {
        if !OWNERS.contains(&node.nid.node_type()) {
            // No other node has a folder as its parent: this is a message whose id is wrong, which is found by its row.
            if folders.contains(&node.parent) {
                return false;
            }
            let is_empty = node.data.is_none() && node.subnodes.is_none();
            return is_empty || is_there(node.data) || is_there(node.subnodes);
        }
        let is_own = |bid: BlockId| owners.get(&bid.key()) == Some(&1);
        let mut has_data = || match listed.place(node.data) {
            _ if is_there(node.data) => true,
            Some(place) => place.is_some(),
            None if node.data.key().0 > most => false,
            None => is_there(node.subnodes) || folders.contains(&node.parent),
        };
        !node.data.is_none()
            && is_own(node.data)
            && (node.subnodes.is_none() || is_own(node.subnodes))
            && has_data()
    });
    taken
}
