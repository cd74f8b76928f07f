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
const OF_FOLDERS: [(&str, u16); 5] = [
    ("PidTagDisplayName", tags::DISPLAY_NAME),
    ("PidTagContentCount", tags::CONTENT_COUNT),
    ("PidTagContentUnreadCount", tags::CONTENT_UNREAD_COUNT),
    ("PidTagSubfolders", tags::SUBFOLDERS),
    ("PidTagContainerClass", tags::CONTAINER_CLASS),
];
/// What rows of a contents table repeat of a message.
const OF_MESSAGES: [(&str, u16); 8] = [
    ("PidTagMessageClass", tags::MESSAGE_CLASS),
    ("PidTagMessageFlags", tags::MESSAGE_FLAGS),
    ("PidTagImportance", tags::IMPORTANCE),
    ("PidTagMessageDeliveryTime", tags::MESSAGE_DELIVERY_TIME),
    ("PidTagClientSubmitTime", tags::CLIENT_SUBMIT_TIME),
    ("PidTagSubject", tags::SUBJECT),
    ("PidTagDisplayTo", tags::DISPLAY_TO),
    ("PidTagDisplayCc", tags::DISPLAY_CC),
];

/// Compares what `row` of the table `table` repeats with the object itself. One that cannot be read is an error elsewhere.
pub(super) fn compare(store: &Arc<Store>, table: NodeId, row: &Row<'_>, checker: &mut Checker) {
    let (structure, repeated): (_, &[_]) = match table.node_type() {
        NodeType::HIERARCHY_TABLE => ("hierarchy table", &OF_FOLDERS),
        NodeType::CONTENTS_TABLE => ("contents table", &OF_MESSAGES),
        NodeType::ASSOC_CONTENTS_TABLE => ("associated contents table", &OF_MESSAGES),
        _ => return,
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
