//! Which leaf each key belongs to.
//!
//! A changed leaf is written anew elsewhere under a higher id, and so are all pages above it. So each key belongs to the
//! newest intact leaf in whose range it lies; what an older leaf says of it was changed or deleted since.

use std::collections::BTreeMap;

use super::pages::Page;
use crate::ndb::crc::Checksums;
use crate::ndb::format::Format;
use crate::ndb::ids::{BlockId, BlockRef};
use crate::ndb::page::{BTreePage, read_btree_page};
use crate::ndb::page_type::PageType;
use crate::ndb::source::Source;

/// Keys from `first` to `last`, and the leaf that they belong to.
pub(crate) struct Claim {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) leaf: BlockRef,
}

/// The newest leaf that has `key`.
pub(crate) fn claimed_by(claims: &[Claim], key: u64) -> Option<BlockRef> {
    let index = claims.partition_point(|claim| claim.last < key);
    let claim = claims.get(index).filter(|claim| claim.first <= key)?;
    Some(claim.leaf)
}

/// Gives every key to the newest leaf that covers it. Ascending, and without overlaps.
pub(crate) fn claims(pages: &[Page]) -> Vec<Claim> {
    let mut leaves: Vec<&Page> = pages.iter().filter(|page| page.level == 0).collect();
    leaves.retain(|leaf| leaf.first <= leaf.last);
    leaves.sort_by_key(|leaf| (std::cmp::Reverse(leaf.bid), leaf.ib));
    // First and last keys of what is claimed, joined where they overlap: so no leaf is compared with all others.
    let mut taken: BTreeMap<u64, u64> = BTreeMap::new();
    let mut claims = Vec::new();
    for leaf in leaves {
        let own = BlockRef {
            bid: leaf.bid,
            ib: leaf.ib,
        };
        let before = taken.range(..leaf.first).next_back();
        let before = before.filter(|(_, last)| **last >= leaf.first);
        let within: Vec<(u64, u64)> = before
            .into_iter()
            .chain(taken.range(leaf.first..=leaf.last))
            .map(|(first, last)| (*first, *last))
            .collect();
        let mut next = Some(leaf.first);
        for (first, last) in &within {
            if let Some(start) = next
                && start < *first
            {
                claims.push(Claim {
                    first: start,
                    last: first - 1,
                    leaf: own,
                });
            }
            next = last.checked_add(1);
        }
        if let Some(start) = next
            && start <= leaf.last
        {
            claims.push(Claim {
                first: start,
                last: leaf.last,
                leaf: own,
            });
        }
        let (mut first, mut last) = (leaf.first, leaf.last);
        for (start, end) in within {
            taken.remove(&start);
            (first, last) = (first.min(start), last.max(end));
        }
        taken.insert(first, last);
    }
    claims.sort_by_key(|claim| claim.first);
    claims
}

/// What the newest intact leaves say of blocks.
pub(crate) struct Listed<'a> {
    source: &'a Source,
    format: &'static Format,
    checksums: Checksums,
    claims: Vec<Claim>,
    recent: Option<BTreePage>,
}

impl<'a> Listed<'a> {
    pub(crate) fn new(
        source: &'a Source,
        format: &'static Format,
        checksums: &Checksums,
        pages: &[Page],
    ) -> Self {
        Self {
            source,
            format,
            checksums: *checksums,
            claims: claims(pages),
            recent: None,
        }
    }

    /// The offset of block `bid`, or that there is no such block; None when no leaf tells.
    pub(crate) fn place(&mut self, bid: BlockId) -> Option<Option<u64>> {
        let bid = bid.key();
        let at = claimed_by(&self.claims, bid.0)?;
        if self.recent.as_ref().is_none_or(|leaf| leaf.ib != at.ib) {
            let page =
                read_btree_page(self.source, self.format, &self.checksums, PageType::Bbt, at);
            self.recent = page.ok();
        }
        let leaf = self.recent.as_ref()?;
        let entry = leaf.block(leaf.partition(bid.0).checked_sub(1)?)?;
        Some((entry.block.bid == bid).then_some(entry.block.ib))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(bid: u64, first: u64, last: u64) -> Page {
        Page {
            ib: bid * 512,
            bid: BlockId(bid),
            level: 0,
            first,
            last,
            children: Box::default(),
        }
    }

    fn claimed(pages: &[Page]) -> Vec<(u64, u64, u64)> {
        claims(pages)
            .iter()
            .map(|claim| (claim.first, claim.last, claim.leaf.bid.0))
            .collect()
    }

    #[test]
    fn each_key_belongs_to_the_newest_leaf_that_covers_it() {
        let old = leaf(1, 10, 100);
        assert_eq!(claimed(&[leaf(1, 10, 100)]), [(10, 100, 1)]);
        assert_eq!(
            claimed(&[old, leaf(3, 5, 20), leaf(2, 40, 50), leaf(4, 45, 60)]),
            [
                (5, 20, 3),
                (21, 39, 1),
                (40, 44, 2),
                (45, 60, 4),
                (61, 100, 1)
            ]
        );
    }

    #[test]
    fn a_leaf_that_a_newer_one_replaced_says_nothing() {
        assert_eq!(claimed(&[leaf(1, 10, 20), leaf(2, 10, 20)]), [(10, 20, 2)]);
        assert_eq!(claimed(&[leaf(1, 12, 20), leaf(2, 10, 30)]), [(10, 30, 2)]);
        let all = u64::MAX;
        assert_eq!(claimed(&[leaf(1, 3, all), leaf(2, 0, all)]), [(0, all, 2)]);
    }
}
