//! Heaps: items within blocks. [MS-PST] 2.3.1
//!
//! Blocks that are full can be handed to the file at once, but for those that hold fill levels of later ones.

use std::io;

use serde::{Deserialize, Serialize};

use super::blocks::{DataWriter, POINTER};
use super::layout::SLOT;
use super::output::{BLOCK_DATA, Content, Output};
use crate::ndb::BlockId;

/// What a heap holds: `bClientSig`.
pub(super) const PROPERTIES: u8 = 0xBC;
pub(super) const TABLE: u8 = 0x7C;
pub(super) const ID_MAP: u8 = 0x9C;

/// Bytes of a HID.
pub(super) const HID: usize = 4;
/// The longest item.
pub(super) const MOST_ITEM: usize = 3580;
const SIGNATURE: u8 = 0xEC;
/// HNHDR, HNPAGEHDR, HNBITMAPHDR.
const FIRST_HEADER: usize = 12;
const HEADER: usize = 2;
const BITMAP_HEADER: usize = 66;
/// `cAlloc` and `cFree` of HNPAGEMAP.
const MAP_HEADER: usize = 4;
const MOST_ITEMS: usize = 2047;
const MOST_BLOCKS: usize = 1 << 16;
/// Blocks whose fill levels are in the first one, and in each bitmap block, the first of which is block 8.
const LEVELS_IN_FIRST: usize = 8;
const LEVELS_IN_BITMAP: usize = 128;
const USER_ROOT: usize = 4;
const FILL_LEVELS: usize = 8;
/// The least free bytes of the fill levels 0 to 14. [MS-PST] 2.3.1.2
const LEAST_FREE: [usize; 15] = [
    3584, 2560, 2048, 1792, 1536, 1280, 1024, 768, 512, 256, 128, 64, 32, 16, 8,
];

/// HID of an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ItemId {
    block: usize,
    index: usize,
    /// Where it begins in its block.
    start: usize,
}

impl ItemId {
    /// As stored.
    pub fn hid(self) -> u32 {
        (self.block as u32) << 16 | (self.index as u32) << 5
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Block {
    Held(Vec<u8>),
    Written(BlockId, usize),
}

/// A heap that grows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Heap {
    blocks: Vec<Block>,
    /// How many of them are held.
    held_blocks: usize,
    current: Vec<u8>,
    /// Where the items of the current block begin.
    starts: Vec<u16>,
    levels: Vec<u8>,
}

fn is_bitmap_block(number: usize) -> bool {
    number % LEVELS_IN_BITMAP == LEVELS_IN_FIRST
}

fn header_size(number: usize) -> usize {
    match number {
        0 => FIRST_HEADER,
        number if is_bitmap_block(number) => BITMAP_HEADER,
        _ => HEADER,
    }
}

impl Heap {
    /// An empty heap of `client`.
    pub fn new(client: u8) -> Self {
        // Grown bit by bit it would be moved for each of the small heaps that messages have.
        let mut current = Vec::with_capacity(BLOCK_DATA);
        current.resize(FIRST_HEADER, 0);
        put(&mut current, 2, &[SIGNATURE, client]);
        Self {
            blocks: Vec::new(),
            held_blocks: 0,
            current,
            starts: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Adds an item of at least one and at most [`MOST_ITEM`] bytes.
    pub fn add(&mut self, item: &[u8]) -> io::Result<ItemId> {
        debug_assert!(!item.is_empty() && item.len() <= MOST_ITEM);
        // The map has a start for each item, an end for the last one, and perhaps a byte before it.
        let map = MAP_HEADER + 2 * (self.starts.len() + 2) + 1;
        let is_full = self.current.len() + item.len() + map > BLOCK_DATA;
        if is_full || self.starts.len() >= MOST_ITEMS {
            self.end_block(false)?;
        }
        let start = self.current.len();
        self.starts.push(start as u16);
        self.current.extend_from_slice(item);
        Ok(ItemId {
            block: self.blocks.len(),
            index: self.starts.len(),
            start,
        })
    }

    /// Adds the bytes of a value, if it has any: its HID, or 0.
    pub fn add_value(&mut self, value: &[u8]) -> io::Result<u32> {
        match value {
            [] => Ok(0),
            value => Ok(self.add(value)?.hid()),
        }
    }

    /// Overwrites an item of a block that is still held.
    pub fn put(&mut self, item: ItemId, bytes: &[u8]) {
        if item.block == self.blocks.len() {
            put(&mut self.current, item.start, bytes);
        } else if let Some(Block::Held(block)) = self.blocks.get_mut(item.block) {
            put(block, item.start, bytes);
        }
    }

    /// Bytes of all its blocks, once nothing is added any more.
    pub fn size(&self) -> u64 {
        let map = MAP_HEADER + 2 * (self.starts.len() + 1);
        let last = self.current.len().next_multiple_of(2) + map;
        (self.blocks.len() * BLOCK_DATA + last) as u64
    }

    /// Bytes of it that are still to be written at most, with what leads to its blocks.
    pub fn held(&self) -> usize {
        (self.held_blocks + 1) * (BLOCK_DATA + SLOT as usize) + self.blocks.len() * POINTER
    }

    fn end_block(&mut self, is_last: bool) -> io::Result<()> {
        let number = self.blocks.len();
        if number + 1 >= MOST_BLOCKS {
            return Err(io::Error::other("a heap has no room for more than 511 MB"));
        }
        let next = vec![0; header_size(number + 1)];
        let mut block = std::mem::replace(&mut self.current, next);
        let mut starts = std::mem::take(&mut self.starts);
        let count = starts.len() as u16;
        starts.push(block.len() as u16);
        block.resize(block.len().next_multiple_of(2), 0);
        let map = block.len() as u16;
        put(&mut block, 0, &map.to_le_bytes());
        block.extend(count.to_le_bytes());
        // No item is empty.
        block.extend(0u16.to_le_bytes());
        block.extend(starts.iter().flat_map(|start| start.to_le_bytes()));
        let free = BLOCK_DATA - block.len();
        let level = LEAST_FREE.iter().position(|least| free >= *least);
        self.levels.push(level.unwrap_or(LEAST_FREE.len()) as u8);
        if !is_last {
            block.resize(BLOCK_DATA, 0);
        }
        self.blocks.push(Block::Held(block));
        self.held_blocks += 1;
        Ok(())
    }

    /// Writes all blocks that nothing will change in.
    pub fn flush(&mut self, out: &mut Output) -> io::Result<()> {
        for (number, block) in self.blocks.iter_mut().enumerate().rev() {
            let Block::Held(bytes) = block else {
                return Ok(());
            };
            if number == 0 || is_bitmap_block(number) {
                continue;
            }
            *block = Block::Written(out.data_block(bytes)?, bytes.len());
            self.held_blocks -= 1;
        }
        Ok(())
    }

    /// Writes the rest; `root` is its user root.
    pub fn finish(mut self, out: &mut Output, root: ItemId) -> io::Result<Content> {
        self.end_block(true)?;
        if let Some(Block::Held(first)) = self.blocks.first_mut() {
            put(first, USER_ROOT, &root.hid().to_le_bytes());
        }
        self.put_levels();
        let mut data = DataWriter::default();
        for block in self.blocks {
            match block {
                Block::Written(bid, len) => data.add_block(bid, len),
                Block::Held(bytes) => {
                    let bid = out.data_block(&bytes)?;
                    data.add_block(bid, bytes.len());
                }
            }
        }
        data.finish(out)
    }

    /// Puts the fill levels of all blocks where they belong, two in a byte.
    fn put_levels(&mut self) {
        for (number, level) in self.levels.iter().enumerate() {
            let (holder, at, place) = match number.checked_sub(LEVELS_IN_FIRST) {
                None => (0, FILL_LEVELS, number),
                Some(beyond) => {
                    let place = beyond % LEVELS_IN_BITMAP;
                    (number - place, HEADER, place)
                }
            };
            if let Some(Block::Held(block)) = self.blocks.get_mut(holder)
                && let Some(byte) = block.get_mut(at + place / 2)
            {
                *byte |= level << (4 * (place % 2));
            }
        }
    }
}

/// Overwrites bytes of `block` from `at` on.
fn put(block: &mut [u8], at: usize, bytes: &[u8]) {
    let to = block.get_mut(at..).unwrap_or_default();
    for (to, from) in to.iter_mut().zip(bytes) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [MS-PST] 2.3.1.2 to 2.3.1.4: HNHDR; HNBITMAPHDR in block 8 and each 128th from there on; HNPAGEHDR.
    #[test]
    fn blocks_begin_with_the_header_of_their_number() {
        for (number, size) in [
            (0, 12),
            (1, 2),
            (7, 2),
            (8, 66),
            (9, 2),
            (135, 2),
            (136, 66),
            (264, 66),
        ] {
            assert_eq!(header_size(number), size, "block {number}");
        }
    }

    /// What a heap takes is known before it ends, so that a part of a file has room for it.
    #[test]
    fn the_end_of_a_heap_takes_no_more_than_is_said() {
        for items in [1, 3, 30, 100, 500] {
            let mut out = Output::new(tempfile::tempfile().unwrap()).unwrap();
            let mut heap = Heap::new(PROPERTIES);
            let root = heap.add(&[7; 8]).unwrap();
            for _ in 0..items {
                heap.add(&[7; 3000]).unwrap();
            }
            heap.flush(&mut out).unwrap();
            let (said, before) = (heap.held() as u64, out.len());
            heap.finish(&mut out, root).unwrap();
            let taken = out.len() - before;
            assert!(taken <= said, "{items} items: {taken} bytes, not {said}");
            assert!(
                said - taken < 2 * BLOCK_DATA as u64,
                "{items} items: {taken} bytes of {said}"
            );
        }
    }
}
