//! Makes one list of nodes and one of blocks of the pages and blocks that a scan found.

use super::claims::{Listed, claims};
use super::damaged_leaves::entries;
use super::pages::{Found, Page};
use crate::ndb::crc::Checksums;
use crate::ndb::finds::{Finds, FoundBlock};
use crate::ndb::format::Format;
use crate::ndb::page::{NodeEntry, read_btree_page};
use crate::ndb::page_type::PageType;
use crate::ndb::source::Source;

/// The nodes of the newest leaves, and one copy of each block.
pub(crate) fn rebuild(
    source: &Source,
    format: &'static Format,
    checksums: &Checksums,
    found: Found,
) -> Finds {
    let mut nodes = nodes(source, format, checksums, &found.nbt);
    let mut blocks = blocks(source, format, checksums, &found.bbt, found.blocks);
    add_moved(&mut blocks, found.moved_blocks);
    if found.damaged.is_empty() {
        return Finds::new(nodes, blocks).with_damaged_blocks(found.damaged_blocks);
    }
    let listed = Listed::new(source, format, checksums, &found.bbt);
    let doubtful = entries(&claims(&found.nbt), &nodes, &blocks, listed, found.damaged);
    // The first of several under one id counts.
    nodes.splice(0..0, doubtful.iter().map(|(node, _)| *node));
    Finds::new(nodes, blocks)
        .with_doubtful(doubtful)
        .with_damaged_blocks(found.damaged_blocks)
}

fn nodes(
    source: &Source,
    format: &'static Format,
    checksums: &Checksums,
    pages: &[Page],
) -> Vec<NodeEntry> {
    let mut nodes = Vec::new();
    for claim in claims(pages) {
        let Ok(leaf) = read_btree_page(source, format, checksums, PageType::Nbt, claim.leaf) else {
            continue;
        };
        let entries = (0..leaf.len()).filter_map(|index| leaf.node(index));
        let claimed = entries.filter(|node| {
            let key = u64::from(node.nid.0);
            (claim.first..=claim.last).contains(&key)
        });
        nodes.extend(claimed);
    }
    nodes
}

/// Adds blocks that are not where they belong, and of which there is no other copy. `blocks` ascend.
fn add_moved(blocks: &mut Vec<FoundBlock>, moved: Vec<FoundBlock>) {
    let is_missing = |block: &FoundBlock| {
        let found = blocks.binary_search_by_key(&block.bid(), FoundBlock::bid);
        found.is_err()
    };
    let mut missing: Vec<FoundBlock> = moved.into_iter().filter(is_missing).collect();
    if missing.is_empty() {
        return;
    }
    blocks.append(&mut missing);
    blocks.sort_by_key(FoundBlock::bid);
}

/// Outlook moves blocks, so several intact copies may be found: the one that the newest leaf names comes first.
pub(crate) fn blocks(
    source: &Source,
    format: &'static Format,
    checksums: &Checksums,
    pages: &[Page],
    mut blocks: Vec<FoundBlock>,
) -> Vec<FoundBlock> {
    blocks.sort_unstable();
    let has_copies = blocks
        .windows(2)
        .any(|pair| matches!(pair, [one, next] if one.bid() == next.bid()));
    if !has_copies {
        return blocks;
    }
    let mut listed = Listed::new(source, format, checksums, pages);
    for copies in blocks.chunk_by_mut(|one, next| one.bid() == next.bid()) {
        if let [first, _, ..] = copies
            && let Some(Some(ib)) = listed.place(first.bid())
        {
            copies.sort_by_key(|copy| copy.ib() != ib);
        }
    }
    blocks
}
