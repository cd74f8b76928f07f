//! How large the messages of a file are by the tables of their folders. [MS-PST] 2.4.4.5

use std::sync::Arc;

use crate::ltp::{TableContext, Value, tags};
use crate::ndb::{self, DeclaredSizes, Node, NodeDatabase, NodeId, NodeType};

/// Adds what every contents table states about its messages, as long as `sizes` takes it. A table that is damaged, or that the disk
/// does not give, counts as far as it can be read.
pub(super) fn declared_sizes(ndb: &Arc<NodeDatabase>, sizes: &mut DeclaredSizes) {
    ndb::read_folders_ahead(ndb);
    let tables = ndb
        .nodes()
        .flatten()
        .filter(|entry| is_contents_table(entry.nid));
    for entry in tables {
        if let Ok(table) = TableContext::open(Node::of_entry(ndb, entry))
            && !add_rows(&table, sizes)
        {
            break;
        }
    }
}

fn is_contents_table(nid: NodeId) -> bool {
    [NodeType::CONTENTS_TABLE, NodeType::ASSOC_CONTENTS_TABLE].contains(&nid.node_type())
}

/// Adds the rows of `table`; false when there are too many, or they declare too much.
fn add_rows(table: &TableContext, sizes: &mut DeclaredSizes) -> bool {
    let rows = table.row_index();
    sizes.has_room_for(rows.len() as u64)
        && rows.into_iter().all(|(id, number)| {
            let size = match table.known_row(id, number).get(tags::MESSAGE_SIZE) {
                Ok(Some(Value::Integer(size))) => u64::try_from(size).unwrap_or(0),
                _ => 0,
            };
            sizes.add(NodeId(id), size)
        })
}
