//! The rows of a table: one item of its heap, or a subnode of its own. [MS-PST] 2.3.4.4

use super::heap::{Heap, HeapItem, HeapNodeId, HnidTarget};
use crate::error::{Error, Result};
use crate::ndb::DataTree;

/// Where the rows of a table are, all of one size.
#[derive(Debug, Clone)]
pub(super) struct RowMatrix {
    place: Place,
    row_size: usize,
}

#[derive(Debug, Clone)]
enum Place {
    None,
    Item(HeapItem),
    Tree {
        data: DataTree,
        /// Bytes of every block but the last. No row straddles two.
        block_len: usize,
    },
}

impl RowMatrix {
    /// The matrix that `rows` (`hnidRows`) of the table in `heap` leads to, with rows of `row_size` bytes.
    pub fn open(heap: &Heap, rows: HeapNodeId, row_size: usize) -> Result<Self> {
        let place = match rows.target() {
            HnidTarget::Empty => Place::None,
            HnidTarget::Item(hid) => Place::Item(heap.item(hid)?),
            HnidTarget::Subnode(nid) => {
                let node = heap.node().subnode(nid)?.ok_or_else(|| {
                    Error::corrupt(
                        "TCINFO",
                        format_args!("hnidRows {:#x}", nid.0),
                        "expected a subnode with the rows, found none",
                    )
                })?;
                let data = node.data()?;
                let block_len = match data.leaf_count()? {
                    0 | 1 => heap.node().ndb().header().format.block_payload,
                    _ => data.leaf(0)?.len(),
                };
                Place::Tree { data, block_len }
            }
        };
        Ok(Self { place, row_size })
    }

    /// Whether the table names none.
    pub fn is_missing(&self) -> bool {
        matches!(self.place, Place::None)
    }

    /// Rows that it has room for.
    pub fn rows(&self) -> u64 {
        match &self.place {
            Place::None => 0,
            Place::Item(item) => (item.bytes().len() / self.row_size) as u64,
            Place::Tree { data, block_len } => {
                let (len, block) = (data.len(), (*block_len).max(1) as u64);
                let rows = |bytes: u64| bytes / self.row_size as u64;
                (len / block).saturating_mul(rows(block)) + rows(len % block)
            }
        }
    }

    /// The cells of the row with this number; None if it has none. An error means that its block cannot be read.
    pub fn cells(&self, number: u32) -> Result<Option<HeapItem>> {
        let number = number as usize;
        let (block, index) = match &self.place {
            Place::None => return Ok(None),
            Place::Item(item) => (item.clone(), number),
            Place::Tree { data, block_len } => {
                let rows_per_block = block_len / self.row_size;
                let block = number.checked_div(rows_per_block).unwrap_or(usize::MAX);
                if block >= data.leaf_count()? {
                    return Ok(None);
                }
                let index = number - block * rows_per_block;
                (HeapItem::of_block(data.leaf(block)?), index)
            }
        };
        let start = index.saturating_mul(self.row_size);
        Ok(block.part(start, self.row_size))
    }
}
