//! HNPAGEMAP: where the items of one block of a heap begin and end. [MS-PST] 2.3.1.5
//!
//! In a damaged block the map is found again by what it must be like: it stands behind the items, and its offsets ascend. Of
//! a property context whose map is gone, the first two items are found by themselves: all its records.

use std::ops::Range;

use super::property::PropertyType;
use crate::bytes::{u16_at, u32_at};

/// Offset of `ibHnpm`, which starts every block.
const PAGE_MAP: usize = 0;
/// Offsets of HNPAGEMAP: `cAlloc`, `cFree` (wrong in files of other writers), `rgibAlloc`.
const MAP_COUNT: usize = 0;
const MAP_FREE: usize = 2;
const MAP_OFFSETS: usize = 4;
/// The items end at most so many bytes in front of the map: it is aligned.
const PADDING: usize = 4;
/// Offsets that may be wrong in a map that is used all the same: a damaged one leads the next one astray, too.
const MAX_WRONG: usize = 2;
/// Width of an offset.
const OFFSET: usize = 2;

/// HNHDR ends here; so do writers begin a property context: BTHHEADER of 2-byte keys and 6-byte values without a level
/// between, whose root is item 2: the records, which ascend by property id. [MS-PST] 2.3.2.1, 2.3.3.3
const FIRST_ITEM: usize = 12;
const BTH_OF_RECORDS: [u8; 8] = [0xB5, 2, 6, 0, 0x40, 0, 0, 0];
/// Bytes of BTHHEADER, and its `bType`.
pub(super) const BTH_HEADER: usize = BTH_OF_RECORDS.len();
pub(super) const BTH_TYPE: u8 = 0xB5;
/// `bType` of TCINFO, where its columns begin, and bytes of each.
pub(super) const TABLE_TYPE: u8 = 0x7C;
pub(super) const COLUMNS: usize = 22;
pub(super) const COLUMN_SIZE: usize = 8;
const RECORD: usize = 8;
/// Bits of a property type that are in use: 0x0100 by PtypBinary, 0x1000 by several values.
const TYPE_BITS: u16 = 0x11FF;

/// What a page map states, and what is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredMap {
    /// `cFree`.
    pub free: usize,
    /// Items without bytes.
    pub empty: usize,
    /// Bytes between the last item and the map.
    pub gap: usize,
}

/// The map of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageMap {
    /// Its byte offset in the block.
    at: usize,
    /// Number of items.
    count: usize,
    /// Where the records of a property context end that were found without the map: it tells of no item before that.
    records_end: Option<usize>,
    /// The slot of an offset that is wrong, and the right one.
    mended: Option<(usize, usize)>,
}

impl PageMap {
    /// The map that `ibHnpm` names; None when it lies outside of the block.
    pub fn stored(block: &[u8]) -> Option<Self> {
        let at = usize::from(u16_at(block, PAGE_MAP)?);
        let count = usize::from(u16_at(block, at + MAP_COUNT)?);
        Some(Self::new(at, count))
    }

    fn new(at: usize, count: usize) -> Self {
        Self {
            at,
            count,
            records_end: None,
            mended: None,
        }
    }

    /// The map of a damaged block: as stored if it is sound, else one that is, else as stored; of a property context the
    /// first of these that has the records in their place, else those alone.
    pub fn of_damaged(block: &[u8]) -> Option<Self> {
        let stored = Self::stored(block);
        let is_context = block
            .get(FIRST_ITEM..)
            .is_some_and(|item| item.starts_with(&BTH_OF_RECORDS));
        let fits = |map: &Self| !is_context || map.has_records(block);
        if let Some(stored) = stored
            && stored.is_sound(block)
            && fits(&stored)
        {
            return Some(stored);
        }
        // The last sound one: offsets of items lie in front of their map.
        let found = (0..block.len()).rev().find_map(|at| {
            let count = usize::from(u16_at(block, at + MAP_COUNT)?);
            let map = Self::new(at, count);
            (count > 0 && map.reaches_end(block) && map.is_sound(block) && fits(&map))
                .then_some(map)
        });
        let counted = || Self::with_counted_items(block);
        let stored = stored.map(|map| map.with_right_offset(block));
        let any = found.or_else(counted).or(stored).filter(fits);
        any.or_else(|| is_context.then(|| Self::of_records(block, stored))?)
    }

    /// Whether its first two items are where the header and the records of a property context are.
    fn has_records(&self, block: &[u8]) -> bool {
        let start = |index| self.item(block, index).map(|item| item.start);
        start(1) == Some(FIRST_ITEM) && start(2) == Some(FIRST_ITEM + BTH_HEADER)
    }

    /// The items of a property context that are found without a map; the others by the `stored` one, if little is wrong with it.
    fn of_records(block: &[u8], stored: Option<Self>) -> Option<Self> {
        let first = FIRST_ITEM + BTH_HEADER;
        let mut before = None;
        let records = block.get(first..)?.chunks_exact(RECORD);
        let count = records
            .take_while(|record| {
                let id = u16_at(record, 0);
                let is_next = before < id && is_record(record);
                before = id;
                is_next
            })
            .count();
        let records_end = Some(first + count * RECORD);
        let alone = Self {
            records_end,
            ..Self::new(block.len(), 2)
        };
        let others =
            stored.filter(|map| map.count >= alone.count && map.wrong_offsets(block) <= MAX_WRONG);
        Some(others.map_or(alone, |map| Self { records_end, ..map }))
    }

    /// The map at the place that `ibHnpm` names, with as many items as there is room for behind it.
    fn with_counted_items(block: &[u8]) -> Option<Self> {
        let at = usize::from(u16_at(block, PAGE_MAP)?);
        let offsets = block.len().checked_sub(at + MAP_OFFSETS)? / OFFSET;
        let map = Self::new(at, offsets.checked_sub(1)?);
        map.is_sound(block).then_some(map)
    }

    /// The same map with the right offset in place of one that is wrong, if what lies there tells its own length: BTHHEADER and
    /// TCINFO do.
    fn with_right_offset(self, block: &[u8]) -> Self {
        let ends = (1..self.count).filter_map(|slot| {
            let start = self.offset(block, slot - 1)?;
            let (end, next) = (self.offset(block, slot)?, self.offset(block, slot + 1)?);
            if (start..=next).contains(&end) || start > next {
                return None;
            }
            let first = block.get(start..next).and_then(own_length);
            let from_first = first.and_then(|len| start.checked_add(len));
            let last = || {
                next.checked_sub(BTH_HEADER)
                    .filter(|at| block.get(*at..next).and_then(own_length).is_some())
            };
            Some((slot, from_first.or_else(last)?))
        });
        let mended = |end| Self {
            mended: Some(end),
            ..self
        };
        let mut sound = ends.map(mended).filter(|map| map.is_sound(block));
        sound.next().unwrap_or(self)
    }

    /// Whether the map takes the rest of the block.
    fn reaches_end(&self, block: &[u8]) -> bool {
        let end = self.at + MAP_OFFSETS + OFFSET * (self.count + 1);
        end <= block.len() && block.len() - end < PADDING
    }

    /// How many offsets lie before the one ahead of them, or behind the map.
    fn wrong_offsets(&self, block: &[u8]) -> usize {
        let offsets = (0..=self.count).map(|slot| self.offset(block, slot).unwrap_or(usize::MAX));
        let mut before = 0;
        let is_wrong = |offset: &usize| {
            let is_wrong = *offset < before || *offset > self.at;
            before = *offset;
            is_wrong
        };
        offsets.filter(is_wrong).count()
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
        let of_records = self.records_end.and_then(|end| {
            let known = [FIRST_ITEM, FIRST_ITEM + BTH_HEADER, end];
            known.get(slot).copied()
        });
        let mended = self.mended.filter(|(wrong, _)| *wrong == slot);
        let stored = || u16_at(block, self.at + MAP_OFFSETS + OFFSET * slot).map(usize::from);
        mended
            .map(|(_, right)| right)
            .or(of_records)
            .or_else(stored)
    }

    /// Number of items.
    pub fn count(&self) -> usize {
        self.count
    }

    /// What the map states about its own items; None of one that is not within the block.
    pub fn account(&self, block: &[u8]) -> Option<StoredMap> {
        let is_empty = |index: &usize| self.item(block, *index).is_some_and(|item| item.is_empty());
        Some(StoredMap {
            free: u16_at(block, self.at + MAP_FREE)?.into(),
            empty: (1..=self.count).filter(is_empty).count(),
            gap: self.at.checked_sub(self.offset(block, self.count)?)?,
        })
    }

    /// Where item `index` begins, which counts from 1: known of one more than have an end.
    pub fn start(&self, block: &[u8], index: usize) -> Option<usize> {
        self.offset(block, index.checked_sub(1)?)
    }

    /// The bytes of item `index`, which counts from 1; None when they do not lie in the block.
    pub fn item(&self, block: &[u8], index: usize) -> Option<Range<usize>> {
        let range = self.start(block, index)?..self.offset(block, index)?;
        (range.start <= range.end && range.end <= block.len()).then_some(range)
    }
}

/// Bytes of the BTHHEADER or TCINFO that `bytes` begin with. [MS-PST] 2.3.2.1, 2.3.4.1
fn own_length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [BTH_TYPE, 1..=16, _, 0..=2, ..] => Some(BTH_HEADER),
        [TABLE_TYPE, columns, ..] => Some(COLUMNS + usize::from(*columns) * COLUMN_SIZE),
        _ => None,
    }
}

/// Whether the type and the value of a record of a property context are possible.
fn is_record(record: &[u8]) -> bool {
    let (Some(kind), Some(value)) = (u16_at(record, 2), u32_at(record, 4)) else {
        return false;
    };
    // A long value of fixed size is never empty.
    let is_long = PropertyType(kind)
        .fixed_size()
        .is_some_and(|size| size > size_of::<u32>());
    kind & !TYPE_BITS == 0 && (!is_long || value != 0)
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
    fn a_context_without_a_map_has_its_records() {
        let mut block = vec![0u8; FIRST_ITEM];
        block.extend(BTH_OF_RECORDS);
        for (id, kind) in [(0x0002u16, 0x0102u16), (0x0003, 0x0102), (0x1001, 0x1003)] {
            block.extend([id.to_le_bytes(), kind.to_le_bytes(), [0; 2], [0; 2]].concat());
        }
        // A GUID, which looks like a record but for its value; and a map that is nonsense.
        block.extend([0x02, 0x20, 0x06, 0, 0, 0, 0, 0]);
        block.extend([7; 32]);
        block[..2].copy_from_slice(&60u16.to_le_bytes());
        let map = PageMap::of_damaged(&block).unwrap();
        assert_eq!(map.item(&block, 1), Some(12..20));
        assert_eq!(map.item(&block, 2), Some(20..44));
        assert_eq!(map.item(&block, 3), None);
    }

    /// A property context with two records, a value of six bytes, and a map with these offsets.
    fn context(offsets: &[u16]) -> Vec<u8> {
        let mut block = vec![0u8; FIRST_ITEM];
        block.extend(BTH_OF_RECORDS);
        for id in [0x0002u16, 0x1001] {
            block.extend([id.to_le_bytes(), 0x0102u16.to_le_bytes(), [0; 2], [0; 2]].concat());
        }
        block.extend([3; 6]);
        let at = block.len() as u16;
        block[..2].copy_from_slice(&at.to_le_bytes());
        block.extend((offsets.len() as u16 - 1).to_le_bytes());
        block.extend([0; 2]);
        block.extend(offsets.iter().flat_map(|offset| offset.to_le_bytes()));
        block
    }

    #[test]
    fn a_wrong_offset_of_the_records_of_a_context_costs_nothing() {
        for offsets in [[12, 20, 36, 42], [13, 20, 36, 42], [12, 0xFF14, 36, 42]] {
            let block = context(&offsets);
            let map = PageMap::of_damaged(&block).unwrap();
            assert_eq!(map.item(&block, 1), Some(12..20), "{offsets:?}");
            assert_eq!(map.item(&block, 2), Some(20..36), "{offsets:?}");
            assert_eq!(map.item(&block, 3), Some(36..42), "{offsets:?}");
        }
    }

    #[test]
    fn of_a_map_with_many_wrong_offsets_nothing_is_believed() {
        let block = context(&[0xFF00, 0xFF00, 0xFF00, 36, 42, 0xFF00, 0xFF00]);
        let map = PageMap::of_damaged(&block).unwrap();
        assert_eq!(map.item(&block, 2), Some(20..36));
        assert_eq!(map.item(&block, 4), None);
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
