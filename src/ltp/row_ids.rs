//! Ids and numbers of the rows of a table, as its row index has them. [MS-PST] 2.3.4.3

use std::collections::HashSet;

use super::bth::{self, Sizes, Step};
use super::heap::{Heap, HeapId};
use crate::bytes::{u32_at, uint_at};

/// Sizes of the records of a row index: row id; row number, which has two bytes in most ANSI files.
pub(super) const ROW_INDEX_SIZES: Sizes = Sizes {
    key: 4,
    values: &[4, 2],
};

/// Rows by their ids, each id once.
#[derive(Default)]
pub(super) struct RowIds {
    pub(super) rows: Vec<(u32, u32)>,
    /// The ids so far, once they have turned out not to ascend.
    known: Option<HashSet<u32>>,
    /// How many had the id of an earlier one.
    pub(super) again: u64,
}

impl RowIds {
    pub(super) fn add(&mut self, id: u32, number: u32) {
        if self.known.is_some() || self.rows.last().is_some_and(|(last, _)| *last >= id) {
            let rows = &self.rows;
            let known = self
                .known
                .get_or_insert_with(|| rows.iter().map(|(id, _)| *id).collect());
            if !known.insert(id) {
                self.again += 1;
                return;
            }
        }
        self.rows.push((id, number));
    }
}

/// A row number takes two bytes in most ANSI files, four elsewhere.
pub(super) fn row_number(value: &[u8]) -> u32 {
    uint_at(value, 0, value.len().min(4)).unwrap_or(0) as u32
}

/// Id and number that a record of a row index has.
pub(super) fn row_of(record: &[u8]) -> Option<(u32, u32)> {
    let number = record.get(size_of::<u32>()..)?;
    Some((u32_at(record, 0)?, row_number(number)))
}

/// The first rows of the row index in item `index`, `most` at most.
pub(super) fn first_rows(heap: &Heap, index: HeapId, most: usize) -> Vec<(u32, u32)> {
    let mut rows = Vec::new();
    let Ok(mut walk) = bth::walk(heap, index, ROW_INDEX_SIZES) else {
        return rows;
    };
    while rows.len() < most
        && let Some(step) = walk.next()
    {
        if let Step::Record(record) = step {
            rows.extend(row_of(record));
        }
    }
    rows
}
