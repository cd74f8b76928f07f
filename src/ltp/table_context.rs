//! Table context: rows of cells. [MS-PST] 2.3.4
//!
//! Opening reads the description of the columns; the row index and the rows are read as they are asked for.

use std::collections::HashSet;

use super::bth::{self, Step, Walk};
use super::heap::{ClientSignature, Heap, HeapId, HeapItem, HeapNodeId, HnidTarget};
use super::property::{PropertyType, Value};
use super::row_ids::{ROW_INDEX_SIZES, RowIds, row_number, row_of};
use super::row_matrix::{RowMatrix, own_id};
use super::stream::PropertyStream;
use super::table_info::{Column, TableInfo};
use super::tags;
use crate::bytes::u32_at;
use crate::error::{Error, Result};
use crate::ndb::{Flaw, Node, NodeId};

/// Bytes of a cell: the names, addresses and ids in tables are short, and all rows may refer to the same long value.
pub const MAX_CELL: u64 = 64 << 10;

/// Rows of a table all of whose cells are in doubt if the description of its columns is.
const MOST_IN_DOUBT: u64 = 1000;

/// 4K-page OST: two columns of a contents table keep their values in heaps of their own, in these subnodes of the
/// table. Not in [MS-PST]; docs/FORMAT.md, 2.4, has the figures.
const SIDE_HEAPS: [(u16, NodeId); 2] = [
    (tags::SENT_REPRESENTING_NAME, NodeId(0x541)),
    (tags::CONVERSATION_ID, NodeId(0x521)),
];

/// A table of an object: subfolders, messages, recipients, attachments.
#[derive(Debug, Clone)]
pub struct TableContext {
    heap: Heap,
    columns: Vec<Column>,
    /// Columns that are described, within a row or not.
    declared_columns: usize,
    /// `cCols`.
    stated_columns: usize,
    bitmap: usize,
    row_size: usize,
    /// `rgib`, as stored.
    ends: [u16; 4],
    row_index: HeapId,
    /// `hnidRows`.
    rows: HeapNodeId,
    matrix: RowMatrix,
    side_heaps: Vec<(u16, Heap)>,
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
        let is_sound = heap.flaw().is_none();
        let table = Self::open_inner(heap).map_err(|error| error.in_node(nid.0))?;
        for problem in table.problems().iter().filter(|_| is_sound) {
            table.note_error(&Error::corrupt("TCINFO", nid, problem));
        }
        Ok(table)
    }

    /// The columns of the table of `node`, and the subnode that its rows are in, if they are in one. Reads no row.
    pub fn describe(node: Node) -> Result<(Vec<Column>, Option<NodeId>)> {
        let heap = Heap::open(node)?;
        heap.expect_client(ClientSignature::TABLE_CONTEXT)?;
        let info = TableInfo::read(&heap)?;
        let rows = match info.rows.target() {
            HnidTarget::Subnode(nid) => Some(nid),
            HnidTarget::Empty | HnidTarget::Item(_) => None,
        };
        Ok((info.columns, rows))
    }

    fn open_inner(heap: Heap) -> Result<Self> {
        heap.expect_client(ClientSignature::TABLE_CONTEXT)?;
        let info = TableInfo::read(&heap)?;
        let matrix = RowMatrix::find(&heap, &info)?;
        let side_heaps = side_heaps(&heap);
        Ok(Self {
            columns: info.columns,
            declared_columns: info.declared_columns,
            stated_columns: info.stated_columns,
            bitmap: info.bitmap,
            row_size: info.row_size,
            ends: info.ends,
            row_index: info.row_index,
            rows: info.rows,
            matrix,
            side_heaps,
            heap,
        })
    }

    /// What is wrong with the description of the rows: columns or the cell existence bitmap (`rgbCEB`) that do not fit
    /// in a row. Such columns are left out, and columns beyond `cCols` are not.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let needed = self.bitmap + self.declared_columns.div_ceil(8);
        if needed > self.row_size {
            problems.push(format!(
                "rgib: rows of {} bytes, but the bitmap ends at {needed}",
                self.row_size
            ));
        }
        if !self.ends.is_sorted() {
            problems.push(format!(
                "rgib: expected ends that ascend, found {:?}",
                self.ends
            ));
        }
        if self.stated_columns < self.declared_columns {
            problems.push(format!(
                "cCols: expected {}, found {}",
                self.declared_columns, self.stated_columns
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

    /// The heap that it is in; the item of the BTH of the row index; and what has the rows.
    pub(super) fn heap(&self) -> &Heap {
        &self.heap
    }

    pub(super) fn row_index_item(&self) -> HeapId {
        self.row_index
    }

    pub(super) fn rows_item(&self) -> HeapNodeId {
        self.rows
    }

    /// Whether its columns are described in a block whose CRC does not vouch for it, unless it has so many rows that to ask the object
    /// of each would take long.
    fn is_doubtful(&self) -> bool {
        let is_damaged = self.heap.flaw().is_some_and(|flaw| !flaw.vouches());
        is_damaged && self.matrix.rows() <= MOST_IN_DOUBT
    }

    /// The node of the table.
    pub fn nid(&self) -> NodeId {
        self.heap.node().nid()
    }

    /// Row ids and row numbers, in the order of the row index (ascending by id), each id once; of an index that cannot be
    /// read, none. Of a damaged index, the rows themselves have their ids. What is wrong with it is noted, and that ids were
    /// there twice.
    pub fn row_index(&self) -> Vec<(u32, u32)> {
        let mut rows = RowIds::default();
        let mut is_damaged = self.heap.flaw().is_some();
        match bth::walk(&self.heap, self.row_index, ROW_INDEX_SIZES) {
            Ok(walk) => is_damaged |= self.read_rows(walk, &mut rows),
            Err(error) => {
                is_damaged = true;
                self.note_error(&error);
            }
        }
        let again = rows.again;
        let there = self.matrix.rows();
        if !is_damaged && rows.rows.is_empty() && there > 0 {
            is_damaged = true;
            let problem = format!("names no row, but the row matrix has {there}");
            self.note_error(&self.wrong("row index", problem));
        }
        if is_damaged {
            self.add_rows_of_matrix(&mut rows);
        } else if let Some(problem) = self.lacks_rows(&rows.rows) {
            self.note_error(&self.wrong("row matrix", problem));
        }
        if again > 0 {
            let nid = self.heap.node().nid();
            let problem = format!("{again} rows have the id of an earlier one");
            self.note_error(&Error::corrupt("row index", nid, problem).in_node(nid.0));
        }
        rows.rows
    }

    /// Adds the records that `walk` meets to `rows`, and returns whether the index is damaged.
    fn read_rows(&self, mut walk: Walk<'_>, rows: &mut RowIds) -> bool {
        let mut is_damaged = false;
        while let Some(step) = walk.next() {
            match step {
                Step::Record(record) => {
                    if let Some((id, number)) = row_of(record) {
                        rows.add(id, number);
                    }
                }
                Step::Flawed(flaw) => {
                    is_damaged = true;
                    self.heap.note("row index", &flaw);
                }
                Step::Lost(error) => {
                    is_damaged = true;
                    self.note_error(&error);
                }
            }
        }
        is_damaged
    }

    fn wrong(&self, part: &str, problem: String) -> Error {
        Error::corrupt("TC", part, problem).in_node(self.nid().0)
    }

    fn note_error(&self, error: &Error) {
        self.heap.node().problems().note_error("", error);
    }

    /// Adds the rows that a damaged index does not have any more, by PidTagLtpRowId; and drops those that the matrix lacks.
    fn add_rows_of_matrix(&self, rows: &mut RowIds) {
        let Some(last) = self.matrix.rows().checked_sub(1) else {
            return;
        };
        rows.rows.retain(|(_, number)| u64::from(*number) <= last);
        let indexed: HashSet<u32> = rows.rows.iter().map(|(_, number)| *number).collect();
        for number in (0..=last).map_while(|number| u32::try_from(number).ok()) {
            if indexed.contains(&number) {
                continue;
            }
            let row = self.row(0, number).ok();
            // Ordinals begin with 0, and of a row that is lost all is.
            let row = row.filter(|row| !row.is_lost() || self.heap.flaw().is_none());
            if let Some(id) = row.and_then(|row| row.own_id()) {
                rows.add(id, number);
            }
        }
        rows.rows.sort_unstable();
    }

    /// What is wrong with the matrix if it does not have all of `rows`.
    fn lacks_rows(&self, rows: &[(u32, u32)]) -> Option<String> {
        let there = self.matrix.rows();
        let lacking = rows
            .iter()
            .filter(|(_, number)| u64::from(*number) >= there);
        let found = rows.len() - lacking.count();
        (found < rows.len()).then(|| match self.matrix.is_missing() {
            true => format!("hnidRows: none, but the row index has {}", rows.len()),
            false => format!("has {found} of the {} in the row index", rows.len()),
        })
    }

    /// The number of the row `id`, read from the row index without the rest of it; None when it has none.
    pub fn row_number(&self, id: u32) -> Result<Option<u32>> {
        let value = bth::find(&self.heap, self.row_index, ROW_INDEX_SIZES, id)?;
        Ok(value.as_deref().map(row_number))
    }

    /// The row with the given id and number. A row that the matrix lacks has no cells; an error means that its block
    /// cannot be read.
    pub fn row(&self, id: u32, number: u32) -> Result<Row<'_>> {
        let cells = self.matrix.cells(number)?;
        if id != 0
            && let Some(flaw) = cells.as_ref().and_then(HeapItem::flaw)
        {
            self.heap.note(format_args!("row {id:#x}"), flaw);
        }
        Ok(Row {
            table: self,
            id,
            cells,
        })
    }

    /// A row of which only the id is known.
    fn row_without_cells(&self, id: u32) -> Row<'_> {
        Row {
            table: self,
            id,
            cells: None,
        }
    }

    /// All rows of a table known to be small. Rows whose block cannot be read come without cells, and it is noted why.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let index = self.row_index().into_iter();
        index
            .map(|(id, number)| self.known_row(id, number))
            .collect()
    }

    /// As [`TableContext::row`]; one whose block cannot be read comes without cells, and it is noted why.
    pub fn known_row(&self, id: u32, number: u32) -> Row<'_> {
        self.row(id, number).unwrap_or_else(|error| {
            self.note_error(&error);
            self.row_without_cells(id)
        })
    }
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

    /// PidTagLtpRowId if it is another id than that under which the row index has the row.
    pub fn other_id(&self) -> Option<u32> {
        match self.get(tags::LTP_ROW_ID) {
            Ok(Some(Value::Integer(own))) => Some(own as u32).filter(|own| *own != self.id),
            _ => None,
        }
    }

    /// Whether there are cells for this row, and a column `id` among them.
    pub fn has_column(&self, id: u16) -> bool {
        self.has_cells() && self.table.columns.iter().any(|column| column.id == id)
    }

    /// Properties that the table has columns for.
    pub fn column_ids(&self) -> impl Iterator<Item = u16> + '_ {
        self.table.columns.iter().map(|column| column.id)
    }

    /// The value in column `id`; None when the table has no such column or the row no such cell. A value of more than
    /// 64 KiB is an error.
    pub fn get(&self, id: u16) -> Result<Option<Value>> {
        self.get_with_doubt(id).map(|(value, _)| value)
    }

    /// As [`Row::get`], and whether that may be what damage made of it.
    pub fn get_with_doubt(&self, id: u16) -> Result<(Option<Value>, bool)> {
        self.value(id, |stream, kind| {
            let len = stream.len();
            if len > MAX_CELL {
                let problem = format!("{len} bytes: expected at most {MAX_CELL} bytes");
                return Err(Error::corrupt("cell", format_args!("{id:#06x}"), problem));
            }
            stream.value(kind)
        })
    }

    /// As [`Row::get`], but only the first `limit` bytes of a text or binary.
    pub fn start(&self, id: u16, limit: usize) -> Result<Option<Value>> {
        self.start_with_doubt(id, limit).map(|(value, _)| value)
    }

    /// As [`Row::start`], and whether that may be what damage made of it.
    pub fn start_with_doubt(&self, id: u16, limit: usize) -> Result<(Option<Value>, bool)> {
        self.value(id, |stream, kind| {
            Ok(Value::decode(kind, &stream.read_all(limit)?.bytes))
        })
    }

    fn value(
        &self,
        id: u16,
        read: impl Fn(PropertyStream, PropertyType) -> Result<Option<Value>>,
    ) -> Result<(Option<Value>, bool)> {
        let is_doubtful = |flaw: &Flaw| !flaw.vouches();
        let flaw = self.cells.as_ref().and_then(HeapItem::flaw);
        let mut doubt = self.table.is_doubtful() || flaw.is_some_and(is_doubtful);
        let mut columns = self.table.columns.iter();
        let column = columns.find(|column| column.id == id);
        let Some((column, cell)) = column.and_then(|column| Some((column, self.cell(column)?)))
        else {
            return Ok((None, doubt));
        };
        // Cells are as wide as the column states, which is not always what the type states.
        if column
            .property_type
            .fixed_size()
            .is_some_and(|size| size <= 8)
        {
            return Ok((Value::decode(column.property_type, cell), doubt));
        }
        let Some(hnid) = u32_at(cell, 0) else {
            return Ok((None, doubt));
        };
        let heap = self.heap_of(id);
        let stream = PropertyStream::open(heap, HeapNodeId(hnid), id)?;
        if let Some(flaw) = stream.item_flaw() {
            doubt |= is_doubtful(flaw);
            heap.note(format_args!("row {:#x}", self.id), flaw);
        }
        Ok((read(stream, column.property_type)?, doubt))
    }

    /// The heap in which the values of column `id` are.
    fn heap_of(&self, id: u16) -> &Heap {
        let mut side_heaps = self.table.side_heaps.iter();
        let side = side_heaps.find(|(side, _)| *side == id);
        side.map_or(&self.table.heap, |(_, heap)| heap)
    }

    /// The items of the heap of the table that its cells have.
    pub(super) fn items(&self) -> impl Iterator<Item = HeapId> + '_ {
        self.table.columns.iter().filter_map(|column| {
            let is_value = column
                .property_type
                .fixed_size()
                .is_some_and(|size| size <= 8);
            let is_aside = || self.table.side_heaps.iter().any(|(id, _)| *id == column.id);
            let cell = self.cell(column).filter(|_| !is_value && !is_aside())?;
            match HeapNodeId(u32_at(cell, 0)?).target() {
                HnidTarget::Item(hid) => Some(hid),
                HnidTarget::Empty | HnidTarget::Subnode(_) => None,
            }
        })
    }

    /// PidTagLtpRowId, whatever the bitmap has for it.
    fn own_id(&self) -> Option<u32> {
        own_id(&self.table.columns, self.cells.as_ref()?)
    }

    /// Whether nothing is left of its bytes.
    fn is_lost(&self) -> bool {
        let mut bytes = self.cells.iter().flat_map(HeapItem::bytes);
        bytes.all(|byte| *byte == 0)
    }

    /// The bytes of the cell, if the bitmap has it as existing.
    fn cell(&self, column: &Column) -> Option<&[u8]> {
        let row = self.cells.as_ref()?.bytes();
        let exists = column.is_set(row, self.table.bitmap)?;
        row.get(column.offset..column.offset + column.size)
            .filter(|_| exists)
    }
}
