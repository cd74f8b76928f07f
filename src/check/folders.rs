//! Folders against nodes: the rows of the tables of each folder are the nodes that name it as their parent, and its
//! counts are those of its rows. [MS-PST] 2.4.4

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::Checker;
use crate::error::Error;
use crate::ltp::tags;
use crate::messaging::{Folder, Store};
use crate::ndb::{NodeEntry, NodeId, NodeType};

/// Nodes that every store has.
const NEEDED: [(NodeId, &str); 3] = [
    (NodeId::MESSAGE_STORE, "the message store"),
    (NodeId::NAME_TO_ID_MAP, "the named property map"),
    (NodeId::ROOT_FOLDER, "the root folder"),
];

/// Checks all folders and returns all nodes, by id.
pub(super) fn check(store: &Arc<Store>, checker: &mut Checker) -> Vec<NodeEntry> {
    let nodes: Vec<NodeEntry> = store.ndb().nodes().flatten().collect();
    checker.report.nodes = nodes.len() as u64;
    let by_id: HashMap<NodeId, &NodeEntry> = nodes.iter().map(|node| (node.nid, node)).collect();
    for (nid, what) in NEEDED {
        if !by_id.contains_key(&nid) {
            let problem = format!("no entry for {what}");
            checker.error("NBT", nid, problem, Some(nid));
        }
    }
    let mut children: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for node in &nodes {
        if node.nid != node.parent && is_item(node.nid) {
            children.entry(node.parent).or_default().push(node.nid);
            if !by_id.contains_key(&node.parent) {
                let problem = format!("nidParent: expected a folder, found {:#x}", node.parent.0);
                checker.warning("NBT entry", node.nid, problem, Some(node.nid));
            }
        }
        let last = store.ndb().header().last_message_index;
        if node.nid.node_type() == NodeType::NORMAL_MESSAGE && last != 0 && node.nid.index() > last
        {
            let problem = "nid: above rgnid of the header";
            checker.warning("NBT entry", node.nid, problem, Some(node.nid));
        }
    }
    let folders = nodes
        .iter()
        .filter(|node| node.nid.node_type() == NodeType::NORMAL_FOLDER);
    for node in folders {
        let own = children.get(&node.nid).map(Vec::as_slice);
        folder(store, node.nid, own.unwrap_or_default(), checker);
    }
    nodes
}

fn is_item(nid: NodeId) -> bool {
    [
        NodeType::NORMAL_FOLDER,
        NodeType::SEARCH_FOLDER,
        NodeType::NORMAL_MESSAGE,
        NodeType::ASSOC_MESSAGE,
    ]
    .contains(&nid.node_type())
}

fn folder(store: &Arc<Store>, nid: NodeId, children: &[NodeId], checker: &mut Checker) {
    let folder = Folder::new(store, nid);
    let of = |types: &[NodeType]| -> BTreeSet<NodeId> {
        let own = children.iter().copied();
        own.filter(|child| types.contains(&child.node_type()))
            .collect()
    };
    // What a damaged table lacks is filled up from the nodes, so it is not counted as a difference as well.
    let mut errors = Vec::new();
    let mut broken = |error: Error| errors.push(error);
    let subfolders = folder.subfolders(&mut broken);
    let contents = folder.contents(&mut broken);
    let associated = folder.associated_contents(&mut broken);
    for error in &errors {
        checker.unreadable(error, Some(nid));
    }
    let tables: [(NodeType, BTreeSet<NodeId>, BTreeSet<NodeId>); 3] = [
        (
            NodeType::HIERARCHY_TABLE,
            subfolders.iter().map(|child| child.nid).collect(),
            of(&[NodeType::NORMAL_FOLDER, NodeType::SEARCH_FOLDER]),
        ),
        (
            NodeType::CONTENTS_TABLE,
            contents.nids().collect(),
            of(&[NodeType::NORMAL_MESSAGE]),
        ),
        (
            NodeType::ASSOC_CONTENTS_TABLE,
            associated.nids().collect(),
            of(&[NodeType::ASSOC_MESSAGE]),
        ),
    ];
    for (table, rows, nodes) in tables {
        let name = table_name(table);
        for missing in rows.difference(&nodes) {
            let row = format!("{}, row {:#x}", nid.with_type(table), missing.0);
            match store.ndb().find_node(*missing) {
                Ok(Some(_)) => {
                    let problem = "the node names another folder as its parent";
                    checker.warning(name, row, problem, Some(nid));
                }
                _ => checker.error(name, row, "no such node: the item is lost", Some(nid)),
            }
        }
        for unlisted in nodes.difference(&rows) {
            let problem = format!("does not list {unlisted}");
            checker.warning(name, nid.with_type(table), problem, Some(*unlisted));
        }
    }
    for table in [
        NodeType::HIERARCHY_TABLE,
        NodeType::CONTENTS_TABLE,
        NodeType::ASSOC_CONTENTS_TABLE,
    ] {
        if matches!(store.ndb().find_node(nid.with_type(table)), Ok(None)) {
            let problem = format!("has no {}", table_name(table));
            checker.warning("folder", nid, problem, Some(nid));
        }
    }
    let Ok(properties) = folder.properties() else {
        // The check of nodes says why.
        return;
    };
    if let Ok(Some(count)) = properties.integer(tags::CONTENT_COUNT)
        && errors.is_empty()
        && usize::try_from(count).ok() != Some(contents.len())
    {
        let problem = format!("PidTagContentCount: {count}, but {} rows", contents.len());
        checker.warning("folder", nid, problem, Some(nid));
    }
}

fn table_name(table: NodeType) -> &'static str {
    match table {
        NodeType::HIERARCHY_TABLE => "hierarchy table",
        NodeType::CONTENTS_TABLE => "contents table",
        _ => "associated contents table",
    }
}
