//! The rows of a table: one item of its heap, or a subnode of its own. [MS-PST] 2.3.4.4

use super::heap::{Heap, HeapItem, HeapNodeId, HnidTarget};
use super::row_ids::first_rows;
use super::table_info::{Column, TableInfo};
use super::tags;
use crate::bytes::u32_at;
use crate::error::{Error, Result};
use crate::ndb::{DataTree, Flaw, NodeType};

/// Rows by whose ids the matrix is known.
const ROWS_TO_KNOW: usize = 8;

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
    /// The rows of the table in `heap` that `info` describes. Where a damaged block does not lead to them, they are what has the
    /// ids of the row index.
    pub fn find(heap: &Heap, info: &TableInfo) -> Result<Self> {
        let open = |rows: HeapNodeId| Self::open(heap, rows, info.row_size);
        let named = open(info.rows);
        if heap.flaw().is_none_or(Flaw::vouches) {
            return named;
        }
        let rows = first_rows(heap, info.row_index, ROWS_TO_KNOW);
        let is_it = |matrix: &Self| !rows.is_empty() && matrix.has(info, &rows);
        if named.as_ref().is_ok_and(&is_it) {
            return named;
        }
        if let Some(cut) = Self::of_length(heap, info, &rows).filter(&is_it) {
            return Ok(cut);
        }
        let items = heap.items_of_first_block();
        let items = items.map(|(hid, _)| HeapNodeId(hid.0));
        let subnodes = heap.node().subnodes().unwrap_or_default().into_iter();
        let subnodes = subnodes.map(|node| node.nid());
        let subnodes = subnodes.filter(|nid| nid.node_type() == NodeType::LTP);
        let mut places = items.chain(subnodes.map(|nid| HeapNodeId(nid.0)));
        let Some(found) = places.find_map(|place| open(place).ok().filter(&is_it)) else {
            return named;
        };
        let problem = format!("hnidRows: {:#x} does not lead to the rows", info.rows.0);
        let error = Error::corrupt("TCINFO", heap.node().nid(), problem);
        heap.node().problems().note_error("", &error);
        Ok(found)
    }

    /// The matrix that begins where the item does that `info` names, and has as many bytes as it needs for `rows`: where it ends
    /// is not known.
    fn of_length(heap: &Heap, info: &TableInfo, rows: &[(u32, u32)]) -> Option<Self> {
        let HnidTarget::Item(hid) = info.rows.target() else {
            return None;
        };
        let last = rows.iter().map(|(_, number)| *number as usize).max()?;
        let len = last.checked_add(1)?.checked_mul(info.row_size)?;
        Some(Self {
            place: Place::Item(heap.from_start_of(hid)?.part(0, len)?),
            row_size: info.row_size,
        })
    }

    /// Whether it has whole rows and among them `rows`, with the ids and at the numbers that are given.
    fn has(&self, info: &TableInfo, rows: &[(u32, u32)]) -> bool {
        let mut columns = info.columns.iter();
        let id_column = columns.find(|column| column.id == tags::LTP_ROW_ID);
        let is_whole = match &self.place {
            Place::Item(item) => item.bytes().len().is_multiple_of(self.row_size),
            Place::Tree { .. } | Place::None => true,
        };
        let is_there = |(id, number): &(u32, u32)| {
            let (row, column) = (self.cells(*number).ok()??, id_column?);
            let is_set = column.is_set(row.bytes(), info.bitmap)?;
            Some(is_set && own_id(&info.columns, &row)? == *id)
        };
        is_whole && rows.iter().all(|row| is_there(row) == Some(true))
    }

    /// The matrix that `rows` (`hnidRows`) of the table in `heap` leads to, with rows of `row_size` bytes.
    fn open(heap: &Heap, rows: HeapNodeId, row_size: usize) -> Result<Self> {
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

/// PidTagLtpRowId of a row with these `columns`, whatever its bitmap has for it.
pub(super) fn own_id(columns: &[Column], row: &HeapItem) -> Option<u32> {
    let mut columns = columns.iter();
    let column = columns.find(|column| column.id == tags::LTP_ROW_ID)?;
    u32_at(row.bytes(), column.offset)
}
