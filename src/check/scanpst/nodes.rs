//! Nodes that every PST has, counters of the header, and folders. [MS-PST] 2.7.1

use std::collections::HashSet;

use super::rows;
use super::scan::{Scan, numbers};
use crate::check::checker::Checker;
use crate::ltp::{PropertyContext, TableContext, tags};
use crate::ndb::{BlockId, Node, NodeId, NodeType};

/// Nodes of every PST that Outlook has written since 2007 SP2, beside those that no store can do without. Told of ScanPST,
/// but not in all of these files: 0xEC1, the update queue of search folders, and 0x8062, the Deleted Items folder.
const FIXED: [(u32, &str); 18] = [
    (0x1E1, "the search management queue"),
    (0x201, "the search activity list"),
    (0x261, "the search domain object"),
    (0x60D, "the template of hierarchy tables"),
    (0x60E, "the template of contents tables"),
    (0x60F, "the template of associated contents tables"),
    (0x610, "the template of search contents tables"),
    (0x62B, "the receive folder table"),
    (0x64C, "the outgoing queue table"),
    (0x671, "the template of attachment tables"),
    (0x692, "the template of recipient tables"),
    (0x6B6, "the template of change tables"),
    (0x6D7, "the template of change tables of contents"),
    (0x6F8, "the template of tables of deleted items"),
    (0x12D, "the hierarchy table of the root folder"),
    (0x12E, "the contents table of the root folder"),
    (0x12F, "the associated contents table of the root folder"),
    (0x8022, "the IPM subtree"),
];
/// Indexes below this are not counted in `rgnid`: such NIDs are given once for all.
const FIRST_COUNTED: u32 = 0x400;
const SEARCH_ACTIVITY: NodeId = NodeId(0x201);
/// Subnodes of subnodes that are followed: messages embedded in messages.
const MAX_DEPTH: usize = 128;
/// What a folder cannot do without.
const OF_FOLDERS: [(u16, &str); 4] = [
    (tags::DISPLAY_NAME, "PidTagDisplayName"),
    (tags::CONTENT_COUNT, "PidTagContentCount"),
    (tags::CONTENT_UNREAD_COUNT, "PidTagContentUnreadCount"),
    (tags::SUBFOLDERS, "PidTagSubfolders"),
];

/// The nodes of [`FIXED`] are there, and mail without a class of its own has a folder to go to.
pub(super) fn fixed(scan: &Scan<'_>, checker: &mut Checker) {
    for (nid, what) in FIXED {
        let nid = NodeId(nid);
        if scan.entry(nid).is_none() {
            let problem = format!("expected {what}, found no entry");
            checker.warning("NBT", nid, problem, Some(nid));
        }
    }
    let nid = NodeId::RECEIVE_FOLDER_TABLE;
    let table = scan
        .entry(nid)
        .and_then(|entry| TableContext::open(Node::of_entry(scan.store.ndb(), *entry)).ok());
    if let Some(table) = table
        && !table.rows().iter().any(|row| {
            let class = row.start(tags::MESSAGE_CLASS, size_of::<u16>());
            matches!(class, Ok(Some(value)) if rows::is_empty(&value))
        })
    {
        let problem = "PidTagMessageClass: expected a row for the default, found none";
        checker.warning("receive folder table", nid, problem, Some(nid));
    }
}

/// The list of active search folders has each that there is. Some files of Outlook have an empty one beside a search folder.
pub(super) fn search_activity(scan: &Scan<'_>, checker: &mut Checker) {
    let Some(entry) = scan.entry(SEARCH_ACTIVITY) else {
        return;
    };
    let Some(list) = scan.data_of(&Node::of_entry(scan.store.ndb(), *entry)) else {
        return;
    };
    let active: HashSet<u32> = numbers(&list).collect();
    for node in scan.nodes.iter().filter(|_| !active.is_empty()) {
        if node.nid.node_type() == NodeType::SEARCH_FOLDER && !active.contains(&node.nid.0) {
            let problem = format!("expected an entry for {}, found none", node.nid);
            checker.warning(
                "search activity list",
                SEARCH_ACTIVITY,
                problem,
                Some(node.nid),
            );
        }
    }
}

/// `rgnid` counts subnodes, too: attachments, values, embedded messages.
pub(super) fn last_indexes(scan: &Scan<'_>, checker: &mut Checker) {
    let mut seen = HashSet::new();
    for entry in scan.nodes {
        let mut todo = vec![(Node::of_entry(scan.store.ndb(), *entry), 0)];
        while let Some((node, depth)) = todo.pop() {
            let (_, subnodes) = node.blocks();
            if subnodes == BlockId::NONE || depth > MAX_DEPTH || !seen.insert(subnodes) {
                continue;
            }
            for subnode in node.subnodes().unwrap_or_default() {
                let (nid, kind) = (subnode.nid(), subnode.nid().node_type());
                let last = scan.store.ndb().header().last_index(kind);
                if nid.index() > last.max(FIRST_COUNTED) {
                    let problem = format!(
                        "rgnid[{:#x}]: expected at least {:#x}, as {} has the subnode {nid}, found {last:#x}",
                        kind.0,
                        nid.index(),
                        entry.nid
                    );
                    checker.warning("HEADER", "rgnid", problem, Some(entry.nid));
                }
                todo.push((subnode, depth + 1));
            }
        }
    }
}

/// A folder has a name and its counts.
pub(super) fn folder(context: &PropertyContext, top: NodeId, checker: &mut Checker) {
    let nid = context.node().nid();
    if !nid.is_folder() {
        return;
    }
    for (id, name) in OF_FOLDERS {
        if context.record(id).is_none() {
            let problem = format!("{name}: expected a value, found none");
            checker.warning("folder", nid, problem, Some(top));
        }
    }
}
