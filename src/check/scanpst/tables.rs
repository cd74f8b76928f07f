//! Tables of folders and messages, and their templates. [MS-PST] 2.3.4, 2.4.4

use std::collections::HashMap;

use super::scan::{Scan, is_table};
use crate::bytes::u32_at;
use crate::check::checker::Checker;
use crate::error::Result;
use crate::ltp::{PropertyType, TableContext, Value, tags};
use crate::ndb::{Node, NodeId, NodeType};

/// `dwUnique` of the header: above every row version.
const HEADER_UNIQUE: usize = 40;

const LONG: PropertyType = PropertyType::INTEGER32;
const TEXT: PropertyType = PropertyType::STRING;
const BOOLEAN: PropertyType = PropertyType::BOOLEAN;
const TIME: PropertyType = PropertyType::TIME;

/// Columns that all tables of this kind have, whoever's they are.
const HIERARCHY: &[(u16, PropertyType)] = &[
    (tags::DISPLAY_NAME, TEXT),
    (tags::CONTENT_COUNT, LONG),
    (tags::CONTENT_UNREAD_COUNT, LONG),
    (tags::SUBFOLDERS, BOOLEAN),
    (tags::CONTAINER_CLASS, TEXT),
];
const CONTENTS: &[(u16, PropertyType)] = &[
    (tags::IMPORTANCE, LONG),
    (tags::MESSAGE_CLASS, TEXT),
    (tags::SENSITIVITY, LONG),
    (tags::SUBJECT, TEXT),
    (tags::SENT_REPRESENTING_NAME, TEXT),
    (0x0057, BOOLEAN),
    (0x0058, BOOLEAN),
    (tags::DISPLAY_CC, TEXT),
    (tags::DISPLAY_TO, TEXT),
    (tags::MESSAGE_DELIVERY_TIME, TIME),
    (tags::MESSAGE_FLAGS, LONG),
    (tags::MESSAGE_SIZE, LONG),
    (tags::MESSAGE_STATUS, LONG),
    (0x1097, LONG),
];
const ASSOCIATED: &[(u16, PropertyType)] = &[
    (tags::MESSAGE_CLASS, TEXT),
    (tags::MESSAGE_FLAGS, LONG),
    (tags::MESSAGE_STATUS, LONG),
    (tags::DISPLAY_NAME, TEXT),
];
const ATTACHMENTS: &[(u16, PropertyType)] = &[
    (tags::ATTACH_SIZE, LONG),
    (tags::ATTACH_FILENAME, TEXT),
    (tags::ATTACH_METHOD, LONG),
    (tags::RENDERING_POSITION, LONG),
];
const RECIPIENTS: &[(u16, PropertyType)] = &[
    (tags::RECIPIENT_TYPE, LONG),
    (tags::ENTRY_ID, PropertyType::BINARY),
    (tags::DISPLAY_NAME, TEXT),
    (tags::ADDRESS_TYPE, TEXT),
    (tags::EMAIL_ADDRESS, TEXT),
    (tags::SEARCH_KEY, PropertyType::BINARY),
];
/// What every table has.
const OF_ALL: [(u16, PropertyType); 2] = [(tags::LTP_ROW_ID, LONG), (tags::LTP_ROW_VERSION, LONG)];
/// [MS-PST] prints PtypInteger32 for it; Outlook and ScanPST want PtypBinary.
const REPLICA_ITEM: (u16, PropertyType) = (tags::REPL_ITEM_ID, PropertyType::BINARY);

/// The columns that ScanPST wants are there, and of the type that it wants.
pub(super) fn columns(table: &TableContext, top: NodeId, checker: &mut Checker) {
    let nid = table.nid();
    let wanted = match nid {
        NodeId::ATTACHMENT_TABLE => ATTACHMENTS,
        NodeId::RECIPIENT_TABLE => RECIPIENTS,
        _ => match nid.node_type() {
            NodeType::HIERARCHY_TABLE => HIERARCHY,
            NodeType::CONTENTS_TABLE => CONTENTS,
            NodeType::ASSOC_CONTENTS_TABLE => ASSOCIATED,
            _ => &[],
        },
    };
    let found = |id: u16| table.columns().iter().find(|column| column.id == id);
    for (id, kind) in OF_ALL.iter().chain(wanted) {
        let problem = match found(*id) {
            None => format!(
                "column {id:#06x}: expected type {:#06x}, found none",
                kind.0
            ),
            Some(column) if column.property_type != *kind => format!(
                "column {id:#06x}: expected type {:#06x}, found {:#06x}",
                kind.0, column.property_type.0
            ),
            Some(_) => continue,
        };
        checker.warning("TCINFO", place(nid, top), problem, Some(top));
    }
    let (id, kind) = REPLICA_ITEM;
    if let Some(column) = found(id).filter(|column| column.property_type != kind) {
        let problem = format!(
            "column {id:#06x}: expected type {:#06x}, found {:#06x}",
            kind.0, column.property_type.0
        );
        checker.warning("TCINFO", place(nid, top), problem, Some(top));
    }
}

/// Every row has its id in a cell of its own.
pub(super) fn row_ids(table: &TableContext, top: NodeId, checker: &mut Checker) {
    for (id, number) in table.row_index() {
        if let Ok(row) = table.row(id, number)
            && row.has_cells()
            && let Ok(None) = row.get(tags::LTP_ROW_ID)
        {
            let place = format!("{}, row {id:#x}", place(table.nid(), top));
            let problem = format!("PidTagLtpRowId: expected {id:#x}, found no cell");
            checker.error("TC", place, problem, Some(top));
        }
    }
}

/// Of a table that is a subnode, whose it is as well.
fn place(nid: NodeId, top: NodeId) -> String {
    match nid == top {
        true => nid.to_string(),
        false => format!("{top}, {nid}"),
    }
}

/// Each row of the folders' tables has a version, no two have the same, and all are below `dwUnique` of the header.
pub(super) fn row_versions(scan: &Scan<'_>, checker: &mut Checker) {
    let mut unique = [0; HEADER_UNIQUE + size_of::<u32>()];
    let source = scan.store.ndb().source();
    if source.read_exact_at(&mut unique, 0).is_err() {
        return;
    }
    let next = u32_at(&unique, HEADER_UNIQUE).unwrap_or_default();
    let mut rows = HashMap::new();
    for entry in scan.nodes.iter().filter(|entry| is_table(entry.nid)) {
        let node = Node::of_entry(scan.store.ndb(), *entry);
        let Ok(table) = TableContext::open(node) else {
            continue;
        };
        for (id, number) in table.row_index() {
            let place = format!("{}, row {id:#x}", entry.nid);
            let Ok(version) = version(&table, id, number) else {
                continue;
            };
            let Some(version) = version else {
                let problem = "PidTagLtpRowVer: expected a value, found no cell";
                checker.warning("TC", &place, problem, Some(entry.nid));
                continue;
            };
            if version >= next {
                let problem = format!(
                    "PidTagLtpRowVer: expected less than dwUnique of the header, {next:#x}, found {version:#x}"
                );
                checker.warning("TC", &place, problem, Some(entry.nid));
            }
            if let Some(other) = rows.insert(version, (entry.nid, id)) {
                let problem = format!(
                    "PidTagLtpRowVer: expected a value of its own, found {version:#x}, which row {:#x} of {} has",
                    other.1, other.0
                );
                checker.warning("TC", &place, problem, Some(entry.nid));
            }
        }
    }
}

fn version(table: &TableContext, id: u32, number: u32) -> Result<Option<u32>> {
    Ok(match table.row(id, number)?.get(tags::LTP_ROW_VERSION)? {
        Some(Value::Integer(version)) => Some(version as u32),
        _ => None,
    })
}
