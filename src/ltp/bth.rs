//! BTree-on-heap. [MS-PST] 2.3.2

use super::heap::{Heap, HeapId, HeapItem};
use crate::bytes::{u8_at, u32_at};
use crate::error::{Error, Result};

const BTH_TYPE: u8 = 0xB5;
/// Offsets of BTHHEADER: `bType`, `cbKey`, `cbEnt`, `bIdxLevels`, `hidRoot`.
const KEY_SIZE: usize = 1;
const VALUE_SIZE: usize = 2;
const LEVELS: usize = 3;
const ROOT: usize = 4;
/// Width of the HID of a child item in an intermediate item.
const CHILD: usize = 4;
/// More levels than any table needs: a level multiplies the rows by some hundreds.
const MAX_LEVELS: u8 = 8;

/// BTHHEADER.
struct Header {
    key: usize,
    value: usize,
    levels: u8,
    root: HeapId,
}

impl Header {
    /// The header in item `at`; None for all ways of being empty.
    fn read(heap: &Heap, at: HeapId) -> Result<Option<Self>> {
        if at.0 == 0 {
            return Ok(None);
        }
        let item = heap.item(at)?;
        let bytes = item.bytes();
        let wrong = |problem: &str| wrong(heap, at, problem);
        if u8_at(bytes, 0) != Some(BTH_TYPE) {
            return Err(wrong("bType: expected 0xb5"));
        }
        let (Some(key), Some(value), Some(levels), Some(root)) = (
            u8_at(bytes, KEY_SIZE).map(usize::from),
            u8_at(bytes, VALUE_SIZE).map(usize::from),
            u8_at(bytes, LEVELS),
            u32_at(bytes, ROOT),
        ) else {
            return Err(wrong("the header is too short"));
        };
        if key == 0 {
            return Err(wrong("cbKey: expected at least 1, found 0"));
        }
        if levels >= MAX_LEVELS {
            return Err(wrong("bIdxLevels: deeper than any table needs"));
        }
        Ok(Some(Self {
            key,
            value,
            levels,
            root: HeapId(root),
        }))
    }

    /// Bytes of a record on `level`.
    fn width(&self, level: u8) -> usize {
        self.key + if level == 0 { self.value } else { CHILD }
    }
}

fn wrong(heap: &Heap, header: HeapId, problem: &str) -> Error {
    Error::corrupt("BTH", format_args!("HID {:#x}", header.0), problem).in_node(heap.node().nid().0)
}

/// The value of the first record with `key`, by one item of each level: of a list that is not in order, as all are, it may
/// miss one.
pub fn find(heap: &Heap, header: HeapId, key: u32) -> Result<Option<Vec<u8>>> {
    let Some(tree) = Header::read(heap, header)?.filter(|tree| tree.key == size_of::<u32>()) else {
        return Ok(None);
    };
    let mut item = heap.item(tree.root)?;
    for level in (1..=tree.levels).rev() {
        let children = item.bytes().chunks_exact(tree.width(level));
        let child = children
            .take_while(|record| u32_at(record, 0).is_some_and(|first| first <= key))
            .last();
        let Some(child) = child.and_then(|record| u32_at(record, tree.key)) else {
            return Ok(None);
        };
        item = heap.item(HeapId(child))?;
    }
    let mut records = item.bytes().chunks_exact(tree.width(0));
    let found = records.find(|record| u32_at(record, 0) == Some(key));
    Ok(found.and_then(|record| record.get(tree.key..).map(<[u8]>::to_vec)))
}

/// Calls `each` with key and value of every record, in the order of the file. All ways of being empty are empty.
/// A part that cannot be read goes to `broken`, and the walk goes on behind it.
pub fn for_each(
    heap: &Heap,
    header: HeapId,
    mut each: impl FnMut(&[u8], &[u8]),
    mut broken: impl FnMut(Error),
) -> Result<()> {
    let Some(tree) = Header::read(heap, header)? else {
        return Ok(());
    };
    let wrong = |problem: &str| wrong(heap, header, problem);
    // Each step goes one level down, so the stack is bounded and no cycle can be followed.
    let mut stack: Vec<(HeapItem, usize, u8)> = Vec::with_capacity(1);
    match heap.item(tree.root) {
        Ok(item) => stack.push((item, 0, tree.levels)),
        Err(error) => broken(error),
    }
    // Each record has bytes of its own in the heap: a walk over more bytes visits items twice.
    let mut budget = heap.len();
    while let Some((item, position, level)) = stack.last_mut() {
        let width = tree.width(*level);
        let Some(record) = item.bytes().get(*position..*position + width) else {
            stack.pop();
            continue;
        };
        *position += width;
        budget = match budget.checked_sub(width as u64) {
            Some(left) => left,
            None => {
                broken(wrong("more records than the heap has room for"));
                return Ok(());
            }
        };
        let (key, value) = record.split_at(tree.key);
        if *level == 0 {
            each(key, value);
            continue;
        }
        let below = *level - 1;
        match u32_at(value, 0).map_or(Err(wrong("a child is cut off")), |hid| {
            heap.item(HeapId(hid))
        }) {
            Ok(item) => stack.push((item, 0, below)),
            Err(error) => broken(error),
        }
    }
    Ok(())
}
