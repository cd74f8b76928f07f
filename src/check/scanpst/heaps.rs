//! Blocks of heaps. [MS-PST] 2.3.1

use crate::check::checker::Checker;
use crate::ltp::{Heap, HnidTarget, PropertyContext};
use crate::ndb::NodeId;

/// Bytes between the last item and the page map, which begins at an even offset.
const MOST_PADDING: usize = 1;

/// The page map follows the last item.
pub(super) fn page_maps(heap: &Heap, top: NodeId, checker: &mut Checker) {
    for (number, map) in heap.page_maps() {
        if map.gap > MOST_PADDING {
            let problem = format!(
                "ibHnpm: expected at most {MOST_PADDING} byte behind the last item, found {}",
                map.gap
            );
            checker.warning("HN", place(heap, number), problem, Some(top));
        }
    }
}

/// `cFree` of a page map is the number of items without bytes.
pub(super) fn free_items(heap: &Heap, top: NodeId, checker: &mut Checker) {
    for (number, map) in heap.page_maps() {
        if map.free != map.empty {
            let problem = format!("cFree: expected {}, found {}", map.empty, map.free);
            checker.warning("HN", place(heap, number), problem, Some(top));
        }
    }
}

fn place(heap: &Heap, block: usize) -> String {
    format!("{}, block {block}", heap.node().nid())
}

/// A value without bytes has no item, and those of the name map have bytes.
pub(super) fn empty_values(context: &PropertyContext, top: NodeId, checker: &mut Checker) {
    let nid = context.node().nid();
    for record in context.records() {
        let is_missing = match record.target() {
            Some(HnidTarget::Empty) => nid == NodeId::NAME_TO_ID_MAP,
            Some(HnidTarget::Item(hid)) => {
                let item = context.heap().item(hid);
                item.is_ok_and(|item| item.bytes().is_empty())
            }
            _ => false,
        };
        if is_missing {
            let place = format!("{nid}, property {:#06x}", record.id);
            let problem = "dwValueHnid: expected an item with bytes, found an empty one";
            checker.warning("PC", place, problem, Some(top));
        }
    }
}
