//! The rows of single messages in a contents table. [MS-PST] 2.4.4.5

use crate::ltp::{TableContext, Value};
use crate::ndb::NodeId;

/// A contents table that is asked for the rows of single messages. One that is missing or cannot be read has none.
#[derive(Debug)]
pub struct ItemRows(Option<TableContext>);

impl ItemRows {
    /// The rows of `table`.
    pub(super) fn new(table: Option<TableContext>) -> Self {
        Self(table)
    }

    /// The cells that can be read of the row of message `nid`, of the columns that are `wanted`; none when the table has no such
    /// row. Costs the same however many rows there are.
    pub fn cells(&self, nid: NodeId, wanted: impl Fn(u16) -> bool) -> Vec<(u16, Value)> {
        let cells = |table: &TableContext| {
            let number = table.row_number(nid.0).ok()??;
            let row = table.row(nid.0, number).ok()?;
            let columns = table.columns().iter();
            let columns = columns.filter(|column| wanted(column.id));
            let cells = columns.filter_map(|column| Some((column.id, row.get(column.id).ok()??)));
            Some(cells.collect())
        };
        self.0.as_ref().and_then(cells).unwrap_or_default()
    }
}
