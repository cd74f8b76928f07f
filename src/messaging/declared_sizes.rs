//! How large the messages of a folder are by its contents table. [MS-PST] 2.4.4.5

use std::sync::Arc;

use crate::ltp::{TableContext, Value, tags};
use crate::ndb::{Node, NodeDatabase, NodeEntry, NodeId};

/// Calls `add` with each message of the contents table at `entry` and the bytes that it declares, as long as it returns true. A table
/// that is damaged, or that the disk does not give, has the rows that can be read.
pub(super) fn declared_sizes(
    ndb: &Arc<NodeDatabase>,
    entry: NodeEntry,
    add: &mut dyn FnMut(NodeId, u64) -> bool,
) {
    let Ok(table) = TableContext::open(Node::of_entry(ndb, entry)) else {
        return;
    };
    for (id, number) in table.row_index() {
        let size = match table.known_row(id, number).get(tags::MESSAGE_SIZE) {
            Ok(Some(Value::Integer(size))) => u64::try_from(size).unwrap_or(0),
            _ => 0,
        };
        if !add(NodeId(id), size) {
            return;
        }
    }
}
