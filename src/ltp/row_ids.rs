//! Ids and numbers of the rows of a table, as its row index has them. [MS-PST] 2.3.4.3

use std::collections::HashSet;

use crate::bytes::uint_at;

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
