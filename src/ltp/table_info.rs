//! TCINFO: the description of a table's rows and columns. [MS-PST] 2.3.4.1, 2.3.4.2

use super::heap::{Heap, HeapId, HeapItem, HeapNodeId};
use super::heap_map::{COLUMN_SIZE, COLUMNS, TABLE_TYPE};
use super::property::PropertyType;
use crate::bytes::{u8_at, u16_at, u32_at};
use crate::error::{Error, Result};

/// Offsets of TCINFO: `bType`, `cCols`, `rgib`, `rgib[TCI_1b]`, `rgib[TCI_bm]`, `hidRowIndex`, `hnidRows`, columns.
const COLUMN_COUNT: usize = 1;
const ENDS: usize = 2;
const END_OF_1_BYTE_CELLS: usize = 6;
const ROW_SIZE: usize = 8;
const ROW_INDEX: usize = 10;
const ROWS: usize = 14;
/// TCOLDESC: one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// `wPropId`.
    pub id: u16,
    /// `wPropType`.
    pub property_type: PropertyType,
    pub(super) offset: usize,
    pub(super) size: usize,
    pub(super) bit: usize,
}

impl Column {
    /// Whether `row`, whose cell existence bitmap begins at byte `bitmap`, has a cell for it; None if it is too short.
    pub(super) fn is_set(&self, row: &[u8], bitmap: usize) -> Option<bool> {
        let flags = row.get(bitmap + self.bit / 8)?;
        Some(flags & (0x80 >> (self.bit % 8)) != 0)
    }
}

/// The fields of TCINFO.
pub(super) struct TableInfo {
    /// Columns that lie within a row.
    pub columns: Vec<Column>,
    /// Columns that are described, within a row or not.
    pub declared_columns: usize,
    /// `cCols`.
    pub stated_columns: usize,
    /// Offset of the cell existence bitmap in a row.
    pub bitmap: usize,
    /// Bytes of a row.
    pub row_size: usize,
    /// `rgib`: where the cells of 4 and 8, of 2 and of 1 byte end, and the bitmap.
    pub ends: [u16; 4],
    pub row_index: HeapId,
    pub rows: HeapNodeId,
}

impl TableInfo {
    /// Reads it; in a damaged block, what is wrong with one field is made of the others.
    pub fn read(heap: &Heap) -> Result<Self> {
        let root = heap.user_root();
        let wrong = |what: &str| Error::corrupt("TCINFO", format_args!("HID {:#x}", root.0), what);
        let stored = heap.item(root);
        let is_damaged = heap.flaw().is_some();
        let is_it = |item: &HeapItem| is_info(item.bytes());
        let item = match is_damaged && !stored.as_ref().is_ok_and(is_it) {
            true => {
                let mut items = heap.items_of_first_block().map(|(_, item)| item);
                items.find(is_it).map_or(stored, Ok)?
            }
            false => stored?,
        };
        if let Some(flaw) = item.flaw() {
            heap.note("description of the columns", flaw);
        }
        let info = item.bytes();
        if u8_at(info, 0) != Some(TABLE_TYPE) && !is_damaged {
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
        let room = columns_of(&item);
        let stated = if is_damaged { room } else { count };
        let count = if is_damaged { room } else { count.max(room) };
        let mut columns: Vec<Column> = (0..count)
            .map_while(|index| column(info, COLUMNS + index * COLUMN_SIZE))
            .collect();
        let (bitmap, row_size) = match is_damaged && bitmap + count.div_ceil(8) != row_size {
            true => row_of(&columns),
            false => (bitmap, row_size),
        };
        if row_size == 0 || bitmap > row_size {
            return Err(wrong("rgib: the cell bitmap lies outside the row"));
        }
        columns.retain(|column| column.offset + column.size <= row_size);
        Ok(Self {
            columns,
            declared_columns: count,
            stated_columns: stated,
            bitmap,
            row_size,
            ends: [0, 1, 2, 3].map(|end| u16_at(info, ENDS + end * 2).unwrap_or_default()),
            row_index: HeapId(row_index),
            rows: HeapNodeId(rows),
        })
    }
}

/// Columns that there is room for in `item`.
fn columns_of(item: &HeapItem) -> usize {
    item.bytes().len().saturating_sub(COLUMNS) / COLUMN_SIZE
}

/// Whether a damaged item is a TCINFO: of type and number of columns one may be wrong.
fn is_info(bytes: &[u8]) -> bool {
    let Some(room) = bytes.len().checked_sub(COLUMNS) else {
        return false;
    };
    let count = u8_at(bytes, COLUMN_COUNT).map(usize::from);
    let is_type = u8_at(bytes, 0) == Some(TABLE_TYPE);
    let is_count = room > 0 && room % COLUMN_SIZE == 0 && count == Some(room / COLUMN_SIZE);
    is_count || (is_type && room % COLUMN_SIZE == 0)
}

/// Offset of the bitmap and size of a row with these columns: the bitmap follows the last cell. Of the ends of cells the
/// highest that not one column alone has beyond the others counts.
fn row_of(columns: &[Column]) -> (usize, usize) {
    let mut total = 0;
    for column in columns {
        total += column.size;
    }
    let furthest = columns.iter().map(|column| column.offset + column.size);
    let bitmap = match furthest.clone().max() {
        Some(end) if end <= total => end,
        _ => furthest.filter(|end| *end <= total).max().unwrap_or(0),
    };
    (bitmap, bitmap + columns.len().div_ceil(8))
}

/// TCOLDESC at `at`: `wPropType`, `wPropId`, `ibData`, `cbData`, `iBit`.
fn column(info: &[u8], at: usize) -> Option<Column> {
    Some(Column {
        property_type: PropertyType(u16_at(info, at)?),
        id: u16_at(info, at + 2)?,
        offset: u16_at(info, at + 4)?.into(),
        size: u8_at(info, at + 6)?.into(),
        bit: u8_at(info, at + 7)?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_known_with_its_type_or_its_number_of_columns_wrong() {
        let info = |kind: u8, count: u8, columns: usize| {
            let mut info = vec![0; COLUMNS + columns * COLUMN_SIZE];
            info[0] = kind;
            info[COLUMN_COUNT] = count;
            info
        };
        assert!(is_info(&info(TABLE_TYPE, 3, 3)));
        assert!(is_info(&info(0, 3, 3)));
        assert!(is_info(&info(TABLE_TYPE, 9, 3)));
        assert!(!is_info(&info(0, 9, 3)));
        // No column is none that an item of zeros would not have.
        assert!(!is_info(&info(0, 0, 0)));
        assert!(!is_info(&info(TABLE_TYPE, 3, 3)[1..]));
        assert!(!is_info(&[TABLE_TYPE]));
    }

    /// [MS-PST] 2.3.4.4.1: cells from the widest to the narrowest, then a bit for each column.
    #[test]
    fn a_row_ends_with_the_bits_behind_its_last_cell_whatever_one_column_says() {
        let column = |offset, size| Column {
            id: 0,
            property_type: PropertyType::INTEGER32,
            offset,
            size,
            bit: 0,
        };
        let columns = [column(0, 4), column(4, 4), column(8, 2), column(10, 1)];
        assert_eq!(row_of(&columns), (11, 12));
        let mut damaged = columns;
        damaged[1].offset = 0xFF04;
        assert_eq!(row_of(&damaged), (11, 12));
        assert_eq!(row_of(&[]), (0, 0));
    }
}
