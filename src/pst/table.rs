//! Table contexts, row by row. [MS-PST] 2.3.4
//!
//! Cells and rows go to the file as they come; memory holds the ids of the rows, four bytes for each, and while the row index is made
//! of them some twenty.

use std::io;

use serde::{Deserialize, Serialize};

use super::blocks::{DataWriter, Subnodes, write_data};
use super::bth::{self, Bth};
use super::context::FIRST_SUBNODE;
use super::heap::{self, Heap, ItemId, MOST_ITEM};
use super::output::{BLOCK_DATA, Content, Output};
use super::templates::Column;
use super::value::Stored;
use crate::ltp::{PropertyType, tags};
use crate::ndb::{NodeId, NodeType};

const TABLE_TYPE: u8 = 0x7C;
/// TCINFO without its columns, and TCOLDESC.
const INFO: usize = 22;
const DESCRIPTION: usize = 8;
/// `cCols` and `iBit` have a byte each.
pub(super) const MOST_COLUMNS: usize = u8::MAX as usize;
/// Bytes that a row takes at most in the row index, its part of the heap's blocks and of the levels above included.
const OF_INDEX: usize = 10;

/// Where the cells of a row are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Layout {
    /// Ascending by tag.
    columns: Vec<Column>,
    /// Where the cells of four and eight bytes end, those of two, those of one, and the row.
    ends: [usize; 4],
}

impl Layout {
    /// The columns of `template`, and behind them those of `more`, which may have columns of the template, as long as there are at
    /// most [`MOST_COLUMNS`]. The offsets and bits of the template stay, but that cells of one byte come last.
    pub fn new(template: &[Column], more: &[(u16, PropertyType)]) -> Self {
        let (mut columns, small): (Vec<_>, Vec<_>) = template
            .iter()
            .copied()
            .partition(|column| column.size >= 4);
        let mut end = columns
            .iter()
            .map(|column| column.offset + column.size)
            .max()
            .unwrap_or(0);
        let mut bit = template.len();
        let mut tails: Vec<Column> = small;
        let size_in_row = |kind: PropertyType| {
            let size = kind.fixed_size();
            size.filter(|size| *size <= 8).unwrap_or(4)
        };
        for (id, kind) in more {
            let is_there = template.iter().any(|column| column.id == *id);
            if is_there || columns.iter().chain(&tails).any(|column| column.id == *id) {
                continue;
            }
            if bit >= MOST_COLUMNS {
                break;
            }
            let size = size_in_row(*kind);
            let column = Column {
                id: *id,
                property_type: *kind,
                offset: end,
                size,
                bit,
            };
            bit += 1;
            match size {
                4 | 8 => {
                    end += size;
                    columns.push(column);
                }
                _ => tails.push(column),
            }
        }
        let mut ends = [end; 4];
        // The sort keeps the order of the template within each size.
        tails.sort_by_key(|column| std::cmp::Reverse(column.size));
        for mut column in tails {
            column.offset = end;
            end += column.size;
            if column.size == 2 {
                ends = [ends[0], end, end, end];
            }
            columns.push(column);
        }
        let [_, _, ones, row] = &mut ends;
        *ones = end;
        *row = end + columns.len().div_ceil(8);
        columns.sort_by_key(|column| (column.id, column.property_type.0));
        Self { columns, ends }
    }

    fn row_size(&self) -> usize {
        let [.., row] = self.ends;
        row
    }

    fn bitmap(&self) -> usize {
        let [_, _, ones, _] = self.ends;
        ones
    }

    /// The column for property `id` of this type.
    pub fn column(&self, id: u16, kind: PropertyType) -> Option<&Column> {
        let tag = |column: &Column| (column.id, column.property_type.0);
        let at = self.columns.binary_search_by_key(&(id, kind.0), tag).ok()?;
        self.columns.get(at)
    }

    fn info(&self, index: ItemId, rows: u32) -> Vec<u8> {
        let mut info = vec![TABLE_TYPE, self.columns.len() as u8];
        info.extend(self.ends.iter().flat_map(|end| (*end as u16).to_le_bytes()));
        info.extend(index.hid().to_le_bytes());
        info.extend(rows.to_le_bytes());
        info.extend([0; 4]);
        for column in &self.columns {
            info.extend(column.property_type.0.to_le_bytes());
            info.extend(column.id.to_le_bytes());
            info.extend((column.offset as u16).to_le_bytes());
            info.extend([column.size as u8, column.bit as u8]);
        }
        info
    }
}

/// A table that grows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Table {
    layout: Layout,
    heap: Heap,
    header: ItemId,
    info: ItemId,
    /// Rows that are not in a block yet, and those that are.
    rows: Vec<u8>,
    blocks: Option<DataWriter>,
    ids: Vec<u32>,
    subnodes: Subnodes,
    next_subnode: u32,
}

impl Table {
    /// An empty table.
    pub fn new(layout: Layout) -> io::Result<Self> {
        let mut heap = Heap::new(heap::TABLE);
        let header = bth::header(&mut heap)?;
        let info = heap.add(&vec![0; INFO + DESCRIPTION * layout.columns.len()])?;
        Ok(Self {
            layout,
            heap,
            header,
            info,
            rows: Vec::new(),
            blocks: None,
            ids: Vec::new(),
            subnodes: Subnodes::default(),
            next_subnode: 0,
        })
    }

    /// Its columns.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Adds the row `id`, higher than those before it, with `cells`; those without a column of their type are left out.
    pub fn add(&mut self, out: &mut Output, id: u32, cells: &[(u16, Stored)]) -> io::Result<()> {
        let mut row = vec![0; self.layout.row_size()];
        let version = out.next_row_version();
        let own = [
            (tags::LTP_ROW_ID, Stored::integer(id as i32)),
            (tags::LTP_ROW_VERSION, Stored::integer(version as i32)),
        ];
        for (tag, value) in own.iter().chain(cells) {
            let Some(&column) = self.layout.column(*tag, value.property_type) else {
                continue;
            };
            let is_fixed = column.property_type.fixed_size() == Some(column.size);
            let hnid;
            let cell = match is_fixed {
                true => value.bytes.as_slice(),
                false => {
                    hnid = self.hnid(out, &value.bytes)?.to_le_bytes();
                    &hnid
                }
            };
            let to = row.get_mut(column.offset..column.offset + column.size);
            for (to, from) in to.unwrap_or_default().iter_mut().zip(cell) {
                *to = *from;
            }
            if let Some(byte) = row.get_mut(self.layout.bitmap() + column.bit / 8) {
                *byte |= 0x80 >> (column.bit % 8);
            }
        }
        self.heap.flush(out)?;
        self.ids.push(id);
        self.rows.extend(row);
        let in_block = BLOCK_DATA / self.layout.row_size() * self.layout.row_size();
        // Rows do not straddle blocks. The last block is only as long as its rows, so a full one waits for the next row.
        if self.rows.len() > in_block {
            let rest = self.rows.split_off(in_block);
            let mut block = std::mem::replace(&mut self.rows, rest);
            block.resize(BLOCK_DATA, 0);
            self.blocks.get_or_insert_default().write(out, &block)?;
        }
        Ok(())
    }

    /// Bytes that its end will take at most: what is held back, and the row index.
    pub fn held(&self) -> u64 {
        let rows = self.blocks.as_ref().map_or(0, DataWriter::held) + self.rows.len();
        let index = self.ids.len() * OF_INDEX + self.subnodes.held();
        (self.heap.held() + rows + index + 2 * BLOCK_DATA) as u64
    }

    /// Where a cell's value is put: nowhere, in the heap, in a subnode.
    fn hnid(&mut self, out: &mut Output, bytes: &[u8]) -> io::Result<u32> {
        if bytes.len() <= MOST_ITEM {
            return self.heap.add_value(bytes);
        }
        let content = write_data(out, bytes)?;
        Ok(self.add_subnode(out, content).0)
    }

    fn add_subnode(&mut self, out: &mut Output, content: Content) -> NodeId {
        let nid = NodeId(u32::from(NodeType::LTP.0)).with_index(FIRST_SUBNODE + self.next_subnode);
        self.next_subnode += 1;
        self.subnodes.add(out, nid, content);
        nid
    }

    /// Writes what is left of it.
    pub fn finish(mut self, out: &mut Output) -> io::Result<Content> {
        let index = Bth::new(&mut self.heap, self.header, (4, 4), self.ids.len())?;
        let rows = std::mem::take(&mut self.rows);
        let hnid = match self.blocks.take() {
            None if rows.len() <= MOST_ITEM => self.heap.add_value(&rows)?,
            blocks => {
                let mut blocks = blocks.unwrap_or_default();
                blocks.write(out, &rows)?;
                let content = blocks.finish(out)?;
                self.add_subnode(out, content).0
            }
        };
        let mut numbers: Vec<(u32, u32)> = self.ids.iter().copied().zip(0..).collect();
        numbers.sort_unstable();
        let records = numbers
            .iter()
            .flat_map(|(id, number)| [*id, *number])
            .flat_map(u32::to_le_bytes);
        index.fill(&mut self.heap, records.collect());
        self.heap
            .put(self.info, &self.layout.info(self.header, hnid));
        let content = self.heap.finish(out, self.info)?;
        let size = content.size + self.subnodes.size();
        Ok(Content {
            subnodes: self.subnodes.finish(out)?,
            size,
            ..content
        })
    }
}

/// An empty table.
pub(super) fn write_empty(out: &mut Output, template: &[Column]) -> io::Result<Content> {
    Table::new(Layout::new(template, &[]))?.finish(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pst::templates;

    /// Rows with one cell each, as many as fill a few blocks of rows, and of the heap.
    const ROWS: u32 = 700;

    /// What the end of a table takes is known before each row, so that a part of a file has room for it.
    #[test]
    fn the_end_of_a_table_takes_no_more_than_is_said() {
        let mut closest = u64::MAX;
        for rows in 0..ROWS {
            let mut out = Output::new(tempfile::tempfile().unwrap()).unwrap();
            let mut table = Table::new(Layout::new(templates::CONTENTS, &[])).unwrap();
            for id in 1..=rows {
                let subject = Stored::string(&"x".repeat(id as usize % 90));
                let cells = [(tags::SUBJECT, subject)];
                table.add(&mut out, id, &cells).unwrap();
            }
            let (said, before) = (table.held(), out.len());
            table.finish(&mut out).unwrap();
            let taken = out.len() - before;
            assert!(taken <= said, "{rows} rows: {taken} bytes, not {said}");
            closest = closest.min(said - taken);
        }
        assert!(closest < 4 * BLOCK_DATA as u64, "{closest} bytes too many");
    }
}
