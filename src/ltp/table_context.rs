//! Table context: rows of cells. [MS-PST] 2.3.4
//!
//! Opening reads the description of the columns; the row index and the rows are read as they are asked for.

use super::bth;
use super::heap::{ClientSignature, Heap, HeapId, HeapItem, HeapNodeId, HnidTarget};
use super::property::{PropertyType, Value};
use super::stream::PropertyStream;
use super::tags;
use std::collections::HashSet;

use crate::bytes::{u8_at, u16_at, u32_at, uint_at};
use crate::error::{Error, Result};
use crate::ndb::{DataTree, Node, NodeId};

const TABLE_TYPE: u8 = 0x7C;
/// Offsets of TCINFO: `bType`, `cCols`, `rgib[TCI_1b]`, `rgib[TCI_bm]`, `hidRowIndex`, `hnidRows`, columns.
const COLUMN_COUNT: usize = 1;
const END_OF_1_BYTE_CELLS: usize = 6;
const ROW_SIZE: usize = 8;
const ROW_INDEX: usize = 10;
const ROWS: usize = 14;
const COLUMNS: usize = 22;
/// Size of TCOLDESC, and its offsets: `wPropType`, `wPropId`, `ibData`, `cbData`, `iBit`.
const COLUMN_SIZE: usize = 8;

/// Bytes of a cell: the names, addresses and ids in tables are short, and all rows may refer to the same long value.
const MAX_CELL: u64 = 64 << 10;

/// 4K-page OST: two columns of a contents table keep their values in heaps of their own, in these subnodes of the
/// table. Not in [MS-PST]; the sheet on the format has the figures.
const SIDE_HEAPS: [(u16, NodeId); 2] = [
    (tags::SENT_REPRESENTING_NAME, NodeId(0x541)),
    (tags::CONVERSATION_ID, NodeId(0x521)),
];

/// TCOLDESC: one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// `wPropId`.
    pub id: u16,
    /// `wPropType`.
    pub property_type: PropertyType,
    offset: usize,
    size: usize,
    bit: usize,
}

/// A table of an object: subfolders, messages, recipients, attachments.
#[derive(Debug, Clone)]
pub struct TableContext {
    heap: Heap,
    columns: Vec<Column>,
    /// `cCols`.
    declared_columns: usize,
    bitmap: usize,
    row_size: usize,
    row_index: HeapId,
    matrix: Matrix,
    side_heaps: Vec<(u16, Heap)>,
}

/// Where the rows are.
#[derive(Debug, Clone)]
enum Matrix {
    None,
    Item(HeapItem),
    Tree {
        data: DataTree,
        rows_per_block: usize,
    },
}

/// One row: its id (a NID in most tables) and its cells.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    table: &'a TableContext,
    /// `dwRowID`: the NID of what the row stands for, or an ordinal in recipient tables.
    pub id: u32,
    /// None when the row index names a row that the matrix does not have.
    cells: Option<HeapItem>,
}

impl TableContext {
    /// Opens the table of `node`.
    pub fn open(node: Node) -> Result<Self> {
        Self::of_heap(Heap::open(node)?)
    }

    /// Opens the table in `heap`.
    pub fn of_heap(heap: Heap) -> Result<Self> {
        let nid = heap.node().nid();
        Self::open_inner(heap).map_err(|error| error.in_node(nid.0))
    }

    fn open_inner(heap: Heap) -> Result<Self> {
        heap.expect_client(ClientSignature::TABLE_CONTEXT)?;
        let item = heap.item(heap.user_root())?;
        let info = item.bytes();
        let wrong = |what: &str| {
            Error::corrupt(
                "TCINFO",
                format_args!("HID {:#x}", heap.user_root().0),
                what,
            )
        };
        if u8_at(info, 0) != Some(TABLE_TYPE) {
            return Err(wrong("bType: expected 0x7c"));
        }
        let (Some(count), Some(bitmap), Some(row_size), Some(row_index), Some(rows)) = (
            u8_at(info, COLUMN_COUNT).map(usize::from),
            u16_at(info, END_OF_1_BYTE_CELLS).map(usize::from),
            u16_at(info, ROW_SIZE).map(usize::from),
            u32_at(info, ROW_INDEX),
            u32_at(info, ROWS),
        ) else {
            return Err(wrong("the structure is cut off"));
        };
        if row_size == 0 || bitmap > row_size {
            return Err(wrong("rgib: the cell bitmap lies outside the row"));
        }
        let columns = (0..count)
            .map_while(|index| column(info, COLUMNS + index * COLUMN_SIZE))
            .filter(|column| column.offset + column.size <= row_size)
            .collect();
        let matrix = open_matrix(&heap, HeapNodeId(rows), row_size)?;
        let side_heaps = side_heaps(&heap);
        Ok(Self {
            columns,
            declared_columns: count,
            bitmap,
            row_size,
            row_index: HeapId(row_index),
            matrix,
            side_heaps,
            heap,
        })
    }

    /// What is wrong with the description of the rows: columns or the cell existence bitmap (`rgbCEB`) that do not fit
    /// in a row. Such columns are left out.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let needed = self.bitmap + self.declared_columns.div_ceil(8);
        if needed > self.row_size {
            problems.push(format!(
                "rgib: rows of {} bytes, but the bitmap ends at {needed}",
                self.row_size
            ));
        }
        if self.columns.len() < self.declared_columns {
            problems.push(format!(
                "cCols: {} columns, of which {} lie within the row",
                self.declared_columns,
                self.columns.len()
            ));
        }
        for column in &self.columns {
            if column.bit >= self.declared_columns {
                problems.push(format!("iBit of column {:#06x}: {}", column.id, column.bit));
            }
        }
        problems
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Row ids and row numbers, in the order of the row index (ascending by id), each id once. What could not be read of
    /// the index goes to `broken`, and that ids were there twice.
    pub fn row_index(&self, mut broken: impl FnMut(Error)) -> Result<Vec<(u32, u32)>> {
        let mut rows: Vec<(u32, u32)> = Vec::new();
        // The ids so far, once they have turned out not to ascend.
        let mut known: Option<HashSet<u32>> = None;
        let mut again = 0u64;
        let each = |key: &[u8], value: &[u8]| {
            let Some(id) = u32_at(key, 0) else {
                return;
            };
            if known.is_some() || rows.last().is_some_and(|(last, _)| *last >= id) {
                let known = known.get_or_insert_with(|| rows.iter().map(|(id, _)| *id).collect());
                if !known.insert(id) {
                    again += 1;
                    return;
                }
            }
            rows.push((id, row_number(value)));
        };
        bth::for_each(&self.heap, self.row_index, each, &mut broken)?;
        if again > 0 {
            let nid = self.heap.node().nid();
            let problem = format!("{again} rows have the id of an earlier one");
            broken(Error::corrupt("row index", nid, problem).in_node(nid.0));
        }
        Ok(rows)
    }

    /// The number of the row `id`, read from the row index without the rest of it; None when it has none.
    pub fn row_number(&self, id: u32) -> Result<Option<u32>> {
        let value = bth::find(&self.heap, self.row_index, id)?;
        Ok(value.as_deref().map(row_number))
    }

    /// The row with the given id and number. A row that the matrix lacks has no cells; an error means that its block
    /// cannot be read.
    pub fn row(&self, id: u32, number: u32) -> Result<Row<'_>> {
        let number = number as usize;
        let (block, index) = match &self.matrix {
            Matrix::None => return Ok(self.row_without_cells(id)),
            Matrix::Item(item) => (item.clone(), number),
            Matrix::Tree {
                data,
                rows_per_block,
            } => {
                let block = number.checked_div(*rows_per_block).unwrap_or(usize::MAX);
                if block >= data.leaf_count()? {
                    return Ok(self.row_without_cells(id));
                }
                let index = number - block * rows_per_block;
                (HeapItem::of_block(data.leaf(block)?), index)
            }
        };
        let start = index.saturating_mul(self.row_size);
        Ok(Row {
            table: self,
            id,
            cells: block.part(start, self.row_size),
        })
    }

    /// A row of which only the id is known.
    pub fn row_without_cells(&self, id: u32) -> Row<'_> {
        Row {
            table: self,
            id,
            cells: None,
        }
    }

    /// All rows of a table known to be small. Rows whose block cannot be read come without cells, and `broken` hears
    /// why.
    pub fn rows(&self, mut broken: impl FnMut(Error)) -> Result<Vec<Row<'_>>> {
        let index = self.row_index(&mut broken)?;
        Ok(index
            .into_iter()
            .map(|(id, number)| {
                self.row(id, number).unwrap_or_else(|error| {
                    broken(error);
                    self.row_without_cells(id)
                })
            })
            .collect())
    }
}

/// A row number takes two bytes in most ANSI files, four elsewhere.
fn row_number(value: &[u8]) -> u32 {
    uint_at(value, 0, value.len().min(4)).unwrap_or(0) as u32
}

fn column(info: &[u8], at: usize) -> Option<Column> {
    Some(Column {
        property_type: PropertyType(u16_at(info, at)?),
        id: u16_at(info, at + 2)?,
        offset: u16_at(info, at + 4)?.into(),
        size: u8_at(info, at + 6)?.into(),
        bit: u8_at(info, at + 7)?.into(),
    })
}

fn open_matrix(heap: &Heap, rows: HeapNodeId, row_size: usize) -> Result<Matrix> {
    Ok(match rows.target() {
        HnidTarget::Empty => Matrix::None,
        HnidTarget::Item(hid) => Matrix::Item(heap.item(hid)?),
        HnidTarget::Subnode(nid) => {
            let node = heap.node().subnode(nid)?.ok_or_else(|| {
                Error::corrupt(
                    "TCINFO",
                    format_args!("hnidRows {:#x}", nid.0),
                    "expected a subnode with the rows, found none",
                )
            })?;
            let data = node.data()?;
            // Rows do not straddle blocks; every block but the last has the size of the first.
            let block_len = match data.leaf_count()? {
                0 | 1 => heap.node().ndb().header().format.block_payload,
                _ => data.leaf(0)?.len(),
            };
            Matrix::Tree {
                data,
                rows_per_block: block_len / row_size,
            }
        }
    })
}

/// The side heaps of a 4K-page contents table that are really there.
fn side_heaps(heap: &Heap) -> Vec<(u16, Heap)> {
    if !heap.node().ndb().header().format.compressed {
        return Vec::new();
    }
    SIDE_HEAPS
        .iter()
        .filter_map(|(id, nid)| {
            let node = heap.node().subnode(*nid).ok()??;
            let side = Heap::open(node).ok()?;
            side.expect_client(ClientSignature::VALUE_ARRAY).ok()?;
            Some((*id, side))
        })
        .collect()
}

impl Row<'_> {
    /// Whether the table has cells for this row at all.
    pub fn has_cells(&self) -> bool {
        self.cells.is_some()
    }

    /// Whether there are cells for this row, and a column `id` among them.
    pub fn has_column(&self, id: u16) -> bool {
        self.has_cells() && self.table.columns.iter().any(|column| column.id == id)
    }

    /// The value in column `id`; None when the table has no such column or the row no such cell. A value of more than
    /// 64 KiB is an error.
    pub fn get(&self, id: u16) -> Result<Option<Value>> {
        self.value(id, |stream, kind| stream.value(kind, MAX_CELL))
    }

    /// As [`Row::get`], but only the first `limit` bytes of a text or binary.
    pub fn start(&self, id: u16, limit: usize) -> Result<Option<Value>> {
        self.value(id, |stream, kind| {
            Ok(Value::decode(kind, &stream.read_all(limit)?))
        })
    }

    fn value(
        &self,
        id: u16,
        read: impl Fn(PropertyStream, PropertyType) -> Result<Option<Value>>,
    ) -> Result<Option<Value>> {
        let Some(column) = self.table.columns.iter().find(|column| column.id == id) else {
            return Ok(None);
        };
        let Some(cell) = self.cell(column) else {
            return Ok(None);
        };
        // Cells are as wide as the column says, which is not always what the type says.
        if column
            .property_type
            .fixed_size()
            .is_some_and(|size| size <= 8)
        {
            return Ok(Value::decode(column.property_type, cell));
        }
        let Some(hnid) = u32_at(cell, 0) else {
            return Ok(None);
        };
        let heap = self
            .table
            .side_heaps
            .iter()
            .find(|(side, _)| *side == id)
            .map_or(&self.table.heap, |(_, heap)| heap);
        read(
            PropertyStream::open(heap, HeapNodeId(hnid))?,
            column.property_type,
        )
    }

    /// The bytes of the cell, if the bitmap says that it exists.
    fn cell(&self, column: &Column) -> Option<&[u8]> {
        let row = self.cells.as_ref()?.bytes();
        let flags = row.get(self.table.bitmap + column.bit / 8)?;
        let exists = flags & (0x80 >> (column.bit % 8)) != 0;
        row.get(column.offset..column.offset + column.size)
            .filter(|_| exists)
    }
}
