//! Rows of folders' tables: a cell is there exactly if its object has a value. [MS-PST] 2.4.4

use crate::check::cells;
use crate::check::checker::Checker;
use crate::ltp::{PropertyContext, Row, Value, tags};
use crate::messaging::FIRST_NAMED_ID;
use crate::ndb::NodeId;

/// What only rows have, or have as the row alone needs it: ids and versions of rows, PidTagMessageStatus,
/// PidTagReplItemid, PidTagReplChangenum, PidTagReplVersionHistory, PidTagReplFlags, PidTagConversationId.
const OF_ROWS: [u16; 8] = [
    tags::LTP_ROW_ID,
    tags::LTP_ROW_VERSION,
    tags::MESSAGE_STATUS,
    tags::CONVERSATION_ID,
    tags::REPL_ITEM_ID,
    0x0E33,
    0x0E34,
    0x0E38,
];

/// Whether the values may differ: rows of some files of Outlook have a smaller PidTagMessageSize than the message.
fn may_differ(id: u16) -> bool {
    id == tags::MESSAGE_SIZE
}

/// Each column of `row` of a folder's table against the properties of the object.
pub(super) fn like_object(
    row: &Row<'_>,
    context: &PropertyContext,
    table: NodeId,
    checker: &mut Checker,
) {
    let place = (table.to_string(), NodeId(row.id));
    // What other writers' files are checked for, too.
    let is_compared = |id| cells::is_compared(table, id);
    like(row, context, (&place.0, place.1), is_compared, checker);
}

/// Each column of `row` against the properties of the object, but for values that are compared elsewhere.
pub(super) fn like(
    row: &Row<'_>,
    context: &PropertyContext,
    (table, node): (&str, NodeId),
    is_compared: impl Fn(u16) -> bool,
    checker: &mut Checker,
) {
    for id in row.column_ids() {
        if OF_ROWS.contains(&id) || id >= FIRST_NAMED_ID {
            continue;
        }
        let (Ok(cell), Ok(own)) = (row.get(id), context.get(id)) else {
            continue;
        };
        let has = |value: &Option<Value>| value.as_ref().is_some_and(|value| !is_empty(value));
        let problem = match (has(&own), has(&cell)) {
            (true, false) => format!("cell {id:#06x}: expected what the object has, found none"),
            (false, true) => format!("cell {id:#06x}: expected none, as the object, found one"),
            (true, true) if own != cell && !may_differ(id) && !is_compared(id) => {
                format!("cell {id:#06x}: expected what the object has, found another value")
            }
            _ => continue,
        };
        let place = format!("{table}, row {:#x}", row.id);
        checker.warning("TC", place, problem, Some(node));
    }
}

/// Whether it is a text or binary without bytes.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(bytes) | Value::String8(bytes) | Value::Binary(bytes) => bytes.is_empty(),
        Value::Multiple(values) => values.is_empty(),
        _ => false,
    }
}
