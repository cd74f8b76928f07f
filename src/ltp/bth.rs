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

/// Calls `each` with key and value of every record, in the order of the file. All ways of being empty are empty.
/// A part that cannot be read goes to `broken`, and the walk goes on behind it.
pub fn for_each(
    heap: &Heap,
    header: HeapId,
    mut each: impl FnMut(&[u8], &[u8]),
    mut broken: impl FnMut(Error),
) -> Result<()> {
    if header.0 == 0 {
        return Ok(());
    }
    let item = heap.item(header)?;
    let bytes = item.bytes();
    let wrong = |problem: &str| {
        Error::corrupt("BTH", format_args!("HID {:#x}", header.0), problem)
            .in_node(heap.node().nid().0)
    };
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
    // Each step goes one level down, so the stack is bounded and no cycle can be followed.
    let mut stack: Vec<(HeapItem, usize, u8)> = Vec::new();
    match heap.item(HeapId(root)) {
        Ok(item) => stack.push((item, 0, levels)),
        Err(error) => broken(error),
    }
    // A record takes at least one byte of the heap: a walk over more records than bytes visits items twice.
    let mut budget = heap.len();
    while let Some((item, position, level)) = stack.last_mut() {
        let width = if *level == 0 {
            key + value
        } else {
            key + CHILD
        };
        let Some(record) = item.bytes().get(*position..*position + width) else {
            stack.pop();
            continue;
        };
        *position += width;
        budget = match budget.checked_sub(1) {
            Some(left) => left,
            None => {
                broken(wrong("more records than the heap has bytes"));
                return Ok(());
            }
        };
        let (key, value) = record.split_at(key);
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
