//! Rows of folder tables against the objects that they stand for: what a row repeats is what the object has.
//! [MS-PST] 2.4.4.4, 2.4.4.5
//!
//! Sizes are not compared: tables of healthy files have estimates.

use std::sync::Arc;

use super::checker::Checker;
use crate::ltp::{PropertyContext, Row, Value, tags};
use crate::messaging::Store;
use crate::ndb::{NodeId, NodeType};

/// What rows of a hierarchy table repeat of a folder.
static OF_FOLDERS: [(&str, u16); 5] = [
    ("PidTagDisplayName", tags::DISPLAY_NAME),
    ("PidTagContentCount", tags::CONTENT_COUNT),
    ("PidTagContentUnreadCount", tags::CONTENT_UNREAD_COUNT),
    ("PidTagSubfolders", tags::SUBFOLDERS),
    ("PidTagContainerClass", tags::CONTAINER_CLASS),
];
/// What rows of a contents table repeat of a message.
static OF_MESSAGES: [(&str, u16); 8] = [
    ("PidTagMessageClass", tags::MESSAGE_CLASS),
    ("PidTagMessageFlags", tags::MESSAGE_FLAGS),
    ("PidTagImportance", tags::IMPORTANCE),
    ("PidTagMessageDeliveryTime", tags::MESSAGE_DELIVERY_TIME),
    ("PidTagClientSubmitTime", tags::CLIENT_SUBMIT_TIME),
    ("PidTagSubject", tags::SUBJECT),
    ("PidTagDisplayTo", tags::DISPLAY_TO),
    ("PidTagDisplayCc", tags::DISPLAY_CC),
];

/// What rows of the table `table` repeat of the objects that they stand for.
fn repeated(table: NodeId) -> Option<(&'static str, &'static [(&'static str, u16)])> {
    match table.node_type() {
        NodeType::HIERARCHY_TABLE => Some(("hierarchy table", &OF_FOLDERS)),
        NodeType::CONTENTS_TABLE => Some(("contents table", &OF_MESSAGES)),
        NodeType::ASSOC_CONTENTS_TABLE => Some(("associated contents table", &OF_MESSAGES)),
        _ => None,
    }
}

/// Whether [`compare`] looks at cells of property `id` in the table `table`.
pub(super) fn is_compared(table: NodeId, id: u16) -> bool {
    repeated(table).is_some_and(|(_, cells)| cells.iter().any(|(_, own)| *own == id))
}

/// Compares what `row` of the table `table` repeats with the object itself. One that cannot be read is an error elsewhere.
pub(super) fn compare(store: &Arc<Store>, table: NodeId, row: &Row<'_>, checker: &mut Checker) {
    let Some((structure, repeated)) = repeated(table) else {
        return;
    };
    let nid = NodeId(row.id);
    let Ok(context) = store.node(nid).and_then(PropertyContext::open) else {
        return;
    };
    for (name, id) in repeated {
        let (Ok(Some(cell)), Ok(Some(own))) = (row.get(*id), context.get(*id)) else {
            continue;
        };
        if cell != own {
            let place = format!("{table}, row {:#x}", row.id);
            let problem = match (&own, &cell) {
                (Value::Integer(own), Value::Integer(cell)) => {
                    format!("{name}: expected {own:#x}, as the object has it, found {cell:#x}")
                }
                _ => format!("{name}: not what the object has"),
            };
            checker.warning(structure, place, problem, Some(nid));
        }
    }
}
