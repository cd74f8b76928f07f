//! Which block belongs to which id, by the order in which writers hand out both.
//!
//! Ids of subnodes and of blocks come from counters that only grow. So between two parts whose blocks are known there lie
//! the blocks of exactly the ids between theirs, but for what was written anew later.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use crate::ndb::BlockId;

/// Pairs of an id and a block that are compared in one search: a file made on purpose has no end of them.
pub(super) const MAX_COMPARED: usize = 1 << 16;

/// Known parts: their ids and their blocks, as many as both orders agree on.
#[derive(Debug, Default)]
pub(super) struct Order(Vec<(u64, BlockId)>);

/// Whether a block may be the one of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is of another kind.
    No,
    /// Nothing in it contradicts.
    Perhaps,
    /// It bears a mark that others do not.
    Surely,
}

impl Order {
    /// The longest series of `known` in which ids and blocks both ascend.
    pub(super) fn of(mut known: Vec<(u64, BlockId)>) -> Self {
        known.sort_unstable();
        let block = |index: usize| known.get(index).map(|(_, block)| *block);
        // For each length the series of it that ends lowest, by its last part; and for each part the one before it.
        let mut ends: Vec<usize> = Vec::new();
        let mut before: Vec<Option<usize>> = Vec::with_capacity(known.len());
        for index in 0..known.len() {
            let length = ends.partition_point(|end| block(*end) <= block(index));
            before.push(length.checked_sub(1).and_then(|at| ends.get(at).copied()));
            match ends.get_mut(length) {
                Some(end) => *end = index,
                None => ends.push(index),
            }
        }
        let mut chain = Vec::with_capacity(ends.len());
        let mut next = ends.last().copied();
        while let Some(index) = next {
            chain.extend(known.get(index));
            next = before.get(index).copied().flatten();
        }
        chain.reverse();
        Self(chain)
    }

    /// The blocks of the known parts before and behind `id`.
    fn gap(&self, id: u64) -> (Bound<BlockId>, Bound<BlockId>) {
        let before = self.0.partition_point(|(known, _)| *known < id);
        let behind = self.0.partition_point(|(known, _)| *known <= id);
        let bound = |index: Option<usize>| {
            let part = index.and_then(|index| self.0.get(index));
            part.map_or(Bound::Unbounded, |(_, block)| Bound::Excluded(*block))
        };
        let (before, behind) = (bound(before.checked_sub(1)), bound(Some(behind)));
        match (before, behind) {
            // The same block for both, of which there are none between.
            (Bound::Excluded(before), Bound::Excluded(behind)) if before >= behind => {
                (Bound::Included(behind), Bound::Excluded(behind))
            }
            gap => gap,
        }
    }

    /// For the ids `wanted`, which ascend, their blocks among `free`, by the index in `wanted`. In each gap all are taken in
    /// order if they are as many as the blocks and `fit`; else those alone that fit each other and nothing else, as long as
    /// `left` pairs are not compared.
    pub(super) fn assign(
        &self,
        wanted: &[u64],
        free: &BTreeSet<BlockId>,
        left: &mut usize,
        mut fit: impl FnMut(usize, BlockId) -> Fit,
    ) -> Vec<(usize, BlockId)> {
        let mut assigned = Vec::new();
        let mut start = 0;
        while let Some(first) = wanted.get(start) {
            let gap = self.gap(*first);
            let rest = wanted.get(start..).unwrap_or_default();
            let count = rest.iter().take_while(|id| self.gap(**id) == gap).count();
            let indices: Vec<usize> = (start..start + count).collect();
            let blocks = free.range(gap);
            let blocks: Vec<BlockId> = blocks.take(*left).copied().collect();
            let pairs = indices.iter().copied().zip(blocks.iter().copied());
            let all_fit = || {
                pairs
                    .clone()
                    .all(|(index, block)| fit(index, block) != Fit::No)
            };
            if blocks.len() == count && { all_fit }() {
                assigned.extend(pairs);
            } else if let Some(rest) = left.checked_sub(count.saturating_mul(blocks.len())) {
                *left = rest;
                assigned.extend(sure_pairs(&indices, &blocks, &mut fit));
            }
            start += count.max(1);
        }
        assigned
    }
}

/// Pairs that surely fit: as many ids as blocks that fit each other and nothing else, in order. And of the rest, pairs that
/// fit, of which neither fits any other.
fn sure_pairs(
    indices: &[usize],
    blocks: &[BlockId],
    fit: &mut impl FnMut(usize, BlockId) -> Fit,
) -> Vec<(usize, BlockId)> {
    let mut sure: BTreeMap<usize, Vec<BlockId>> = BTreeMap::new();
    let mut fitting = Vec::new();
    for index in indices {
        for block in blocks {
            match fit(*index, *block) {
                Fit::No => {}
                Fit::Perhaps => fitting.push((*index, *block)),
                Fit::Surely => {
                    sure.entry(*index).or_default().push(*block);
                    fitting.push((*index, *block));
                }
            }
        }
    }
    let mut pairs = pairs_of_groups(&sure);
    let is_left =
        |(index, block): &(usize, BlockId)| !pairs.iter().any(|(i, b)| i == index || b == block);
    let left: Vec<_> = fitting.into_iter().filter(is_left).collect();
    let mut of_index: HashMap<usize, usize> = HashMap::new();
    let mut of_block: HashMap<BlockId, usize> = HashMap::new();
    for (index, block) in &left {
        *of_index.entry(*index).or_default() += 1;
        *of_block.entry(*block).or_default() += 1;
    }
    let is_alone = |(index, block): &&(usize, BlockId)| {
        of_index.get(index) == Some(&1) && of_block.get(block) == Some(&1)
    };
    pairs.extend(left.iter().filter(is_alone).copied());
    pairs
}

/// The pairs of each group of ids that have the same blocks, which are as many and no other id's.
fn pairs_of_groups(sure: &BTreeMap<usize, Vec<BlockId>>) -> Vec<(usize, BlockId)> {
    let mut groups: BTreeMap<&[BlockId], Vec<usize>> = BTreeMap::new();
    let mut of_block: HashMap<BlockId, usize> = HashMap::new();
    for (index, blocks) in sure {
        groups.entry(blocks).or_default().push(*index);
        for block in blocks {
            *of_block.entry(*block).or_default() += 1;
        }
    }
    let is_whole = |(blocks, indices): &(&[BlockId], Vec<usize>)| {
        let count = indices.len();
        blocks.len() == count
            && blocks
                .iter()
                .all(|block| of_block.get(block) == Some(&count))
    };
    let whole = groups.into_iter().filter(is_whole);
    whole
        .flat_map(|(blocks, indices)| indices.into_iter().zip(blocks.iter().copied()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(known: &[(u64, u64)]) -> Order {
        Order::of(known.iter().map(|(id, bid)| (*id, BlockId(*bid))).collect())
    }

    fn assign(
        order: &Order,
        wanted: &[u64],
        blocks: &[u64],
        fit: impl FnMut(usize, BlockId) -> Fit,
    ) -> Vec<(usize, BlockId)> {
        order.assign(wanted, &free(blocks), &mut MAX_COMPARED.clone(), fit)
    }

    fn free(blocks: &[u64]) -> BTreeSet<BlockId> {
        blocks.iter().copied().map(BlockId).collect()
    }

    fn assigned(order: &Order, wanted: &[u64], blocks: &[u64], fit: Fit) -> Vec<(usize, u64)> {
        let assigned = assign(order, wanted, blocks, |_, _| fit);
        assigned.into_iter().map(|(i, bid)| (i, bid.0)).collect()
    }

    #[test]
    fn as_many_blocks_as_ids_between_two_known_parts_are_theirs_in_order() {
        let order = order(&[(10, 100), (20, 200), (30, 300)]);
        let blocks = [96, 120, 140, 220];
        assert_eq!(
            assigned(&order, &[12, 15], &blocks, Fit::Perhaps),
            [(0, 120), (1, 140)]
        );
        assert_eq!(assigned(&order, &[22], &blocks, Fit::Perhaps), [(0, 220)]);
        assert_eq!(assigned(&order, &[5, 35], &blocks, Fit::Perhaps), [(0, 96)]);
    }

    #[test]
    fn more_or_other_blocks_than_ids_leave_them_open() {
        let order = order(&[(10, 100), (20, 200)]);
        assert!(assigned(&order, &[12], &[120, 140], Fit::Perhaps).is_empty());
        assert!(assigned(&order, &[12], &[120], Fit::No).is_empty());
        // Each may surely be the other's.
        assert!(assigned(&order, &[12], &[120, 140], Fit::Surely).is_empty());
        assert!(assigned(&order, &[12, 13], &[120], Fit::Surely).is_empty());
    }

    #[test]
    fn of_too_many_blocks_the_only_one_that_fits_is_taken() {
        let order = order(&[(10, 100), (20, 200)]);
        let fit = |_, block| match block == BlockId(140) {
            true => Fit::Perhaps,
            false => Fit::No,
        };
        let assigned = assign(&order, &[12], &[120, 140], fit);
        assert_eq!(assigned, [(0, BlockId(140))]);
        // It may be the other's.
        assert!(assign(&order, &[12, 13], &[120, 140, 150], fit).is_empty());
    }

    #[test]
    fn of_too_many_blocks_one_that_surely_fits_is_taken() {
        let order = order(&[(10, 100), (20, 200)]);
        let fit = |_, block| match block == BlockId(140) {
            true => Fit::Surely,
            false => Fit::Perhaps,
        };
        let assigned = assign(&order, &[12], &[120, 140], fit);
        assert_eq!(assigned, [(0, BlockId(140))]);
    }

    #[test]
    fn as_many_as_surely_fit_each_other_and_nothing_else_are_taken_in_order() {
        let order = order(&[(10, 100), (20, 200)]);
        // The first and the third block fit the first and the last id.
        let fit = |index, block: BlockId| match (index, block.0) {
            (0 | 2, 120 | 140) => Fit::Surely,
            _ => Fit::Perhaps,
        };
        let pairs = assign(&order, &[12, 13, 14], &[120, 130, 140, 150], fit);
        assert_eq!(pairs, [(0, BlockId(120)), (2, BlockId(140))]);
        // Of the rest, the only one that is left.
        let pairs = assign(&order, &[12, 13, 14], &[120, 130, 140], fit);
        assert_eq!(pairs.len(), 3);
    }

    #[test]
    fn parts_that_were_written_anew_later_do_not_count() {
        let order = order(&[(10, 100), (14, 900), (20, 200), (24, 80), (30, 300)]);
        assert_eq!(assigned(&order, &[12], &[120], Fit::Perhaps), [(0, 120)]);
        assert_eq!(assigned(&order, &[26], &[220], Fit::Perhaps), [(0, 220)]);
    }
}
