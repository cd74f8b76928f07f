//! HNPAGEMAP: where the items of one block of a heap begin and end. [MS-PST] 2.3.1.5
//!
//! In a damaged block the map is found again by what it must be like: it stands behind the items, and its offsets ascend.

use std::ops::Range;

use crate::bytes::u16_at;

/// Offset of `ibHnpm`, which starts every block.
const PAGE_MAP: usize = 0;
/// Offsets of HNPAGEMAP: `cAlloc`, `rgibAlloc`. `cFree` between them is wrong in files of other writers.
const MAP_COUNT: usize = 0;
const MAP_OFFSETS: usize = 4;
/// The items end at most so many bytes in front of the map: it is aligned.
const PADDING: usize = 4;
/// Width of an offset.
const OFFSET: usize = 2;

/// The map of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageMap {
    /// Its byte offset in the block.
    at: usize,
    /// Number of items.
    count: usize,
}

impl PageMap {
    /// The map that `ibHnpm` names; None when it lies outside of the block.
    pub fn stored(block: &[u8]) -> Option<Self> {
        let at = usize::from(u16_at(block, PAGE_MAP)?);
        let count = usize::from(u16_at(block, at + MAP_COUNT)?);
        Some(Self { at, count })
    }

    /// The map of a damaged block: as stored if it is sound, else one that is, else as stored.
    pub fn of_damaged(block: &[u8]) -> Option<Self> {
        let stored = Self::stored(block);
        if let Some(stored) = stored
            && stored.is_sound(block)
        {
            return Some(stored);
        }
        // The last sound one: offsets of items lie in front of their map.
        let found = (0..block.len()).rev().find_map(|at| {
            let count = usize::from(u16_at(block, at + MAP_COUNT)?);
            let map = Self { at, count };
            (count > 0 && map.reaches_end(block) && map.is_sound(block)).then_some(map)
        });
        found.or_else(|| Self::with_counted_items(block)).or(stored)
    }

    /// The map at the place that `ibHnpm` names, with as many items as there is room for behind it.
    fn with_counted_items(block: &[u8]) -> Option<Self> {
        let at = usize::from(u16_at(block, PAGE_MAP)?);
        let offsets = block.len().checked_sub(at + MAP_OFFSETS)? / OFFSET;
        let map = Self {
            at,
            count: offsets.checked_sub(1)?,
        };
        map.is_sound(block).then_some(map)
    }

    /// Whether the map takes the rest of the block.
    fn reaches_end(&self, block: &[u8]) -> bool {
        let end = self.at + MAP_OFFSETS + OFFSET * (self.count + 1);
        end <= block.len() && block.len() - end < PADDING
    }

    /// Whether all items lie in front of the map and ascend.
    pub fn is_sound(&self, block: &[u8]) -> bool {
        let mut before = 0;
        (0..=self.count).all(|slot| {
            self.offset(block, slot).is_some_and(|offset| {
                let ascends = before <= offset && offset <= self.at;
                before = offset;
                ascends
            })
        })
    }

    fn offset(&self, block: &[u8], slot: usize) -> Option<usize> {
        u16_at(block, self.at + MAP_OFFSETS + OFFSET * slot).map(usize::from)
    }

    /// Number of items.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The bytes of item `index`, which counts from 1; None when they do not lie in the block.
    pub fn item(&self, block: &[u8], index: usize) -> Option<Range<usize>> {
        let range = self.offset(block, index.checked_sub(1)?)?..self.offset(block, index)?;
        (range.start <= range.end && range.end <= block.len()).then_some(range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of a heap with a header of 12 bytes and items of 8, 24 and 5 bytes.
    fn block() -> Vec<u8> {
        let mut block = vec![0u8; 12];
        block.extend([1; 8]);
        block.extend([2; 24]);
        block.extend([3; 6]);
        let at = block.len() as u16;
        block[..2].copy_from_slice(&at.to_le_bytes());
        for field in [3u16, 0, 12, 20, 44, 49] {
            block.extend(field.to_le_bytes());
        }
        block
    }

    #[test]
    fn a_damaged_map_is_found_again() {
        let sound = block();
        let map = PageMap::stored(&sound).unwrap();
        assert_eq!(map.item(&sound, 2), Some(20..44));
        assert_eq!(map.item(&sound, 3), Some(44..49));
        // ibHnpm, and cAlloc.
        for at in [0, 1, map.at, map.at + 1] {
            let mut damaged = sound.clone();
            damaged[at] ^= 0xFF;
            let found = PageMap::of_damaged(&damaged).unwrap();
            assert_eq!(found, map, "byte {at}");
        }
    }

    #[test]
    fn a_wrong_offset_costs_the_items_beside_it() {
        let mut damaged = block();
        let map = PageMap::stored(&damaged).unwrap();
        let end_of_first = map.at + MAP_OFFSETS + OFFSET;
        damaged[end_of_first + 1] = 0xFF;
        let found = PageMap::of_damaged(&damaged).unwrap();
        assert_eq!(found, map);
        assert_eq!(found.item(&damaged, 1), None);
        assert_eq!(found.item(&damaged, 2), None);
        assert_eq!(found.item(&damaged, 3), Some(44..49));
    }
}
