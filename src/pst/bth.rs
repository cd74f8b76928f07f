//! BTrees-on-heaps, written from sorted records. [MS-PST] 2.3.2
//!
//! Their items are allocated before the values that the records refer to, as Outlook does it, and filled afterwards.

use std::io;

use super::heap::{HID, Heap, ItemId, MOST_ITEM};

const TYPE: u8 = 0xB5;
/// Bytes of BTHHEADER.
const HEADER: usize = 8;

/// Items that will hold the records of a BTH.
pub(super) struct Bth {
    header: ItemId,
    key: usize,
    record: usize,
    /// The leaves and the levels above them, with the bytes of each item.
    levels: Vec<Vec<(ItemId, usize)>>,
}

/// Allocates the header of a BTH.
pub(super) fn header(heap: &mut Heap) -> io::Result<ItemId> {
    heap.add(&[0; HEADER])
}

impl Bth {
    /// Allocates the items for `count` records of `key` and `data` bytes below `header`.
    pub fn new(
        heap: &mut Heap,
        header: ItemId,
        (key, data): (usize, usize),
        count: usize,
    ) -> io::Result<Self> {
        let record = key + data;
        let mut levels: Vec<Vec<(ItemId, usize)>> = Vec::new();
        let (mut left, mut size) = (count, record);
        while left > 0 {
            let most = MOST_ITEM / size;
            let mut level = Vec::with_capacity(left.div_ceil(most));
            while left > 0 {
                let bytes = left.min(most) * size;
                left -= left.min(most);
                level.push((heap.add(&vec![0; bytes])?, bytes));
            }
            let items = level.len();
            levels.push(level);
            if items > 1 {
                (left, size) = (items, key + HID);
            }
        }
        Ok(Self {
            header,
            key,
            record,
            levels,
        })
    }

    /// Fills them with `records`, ascending by key.
    pub fn fill(&self, heap: &mut Heap, records: Vec<u8>) {
        let mut bytes = records;
        for level in &self.levels {
            let mut above = Vec::new();
            let mut rest = bytes.as_slice();
            for (item, len) in level {
                let (own, later) = rest.split_at((*len).min(rest.len()));
                heap.put(*item, own);
                above.extend_from_slice(own.get(..self.key).unwrap_or_default());
                above.extend(item.hid().to_le_bytes());
                rest = later;
            }
            bytes = above;
        }
        let root = self.levels.last().and_then(|level| level.first());
        let depth = self.levels.len().saturating_sub(1);
        let data = self.record - self.key;
        let mut header = vec![TYPE, self.key as u8, data as u8, depth as u8];
        header.extend(root.map_or(0, |(item, _)| item.hid()).to_le_bytes());
        heap.put(self.header, &header);
    }
}
