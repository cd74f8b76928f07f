//! Folders against nodes: the rows of the tables of each folder are the nodes that name it as their parent, its counts
//! are those of its rows, and the way up from it ends at the root folder. [MS-PST] 2.4.4

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::checker::Checker;
use super::report::Severity;
use crate::ltp::tags;
use crate::messaging::{ContentsTable, Folder, IpmSubtreeEntry, Store};
use crate::ndb::{NodeEntry, NodeId, NodeType};

/// Nodes that every store has.
const NEEDED: [(NodeId, &str); 3] = [
    (NodeId::MESSAGE_STORE, "the message store"),
    (NodeId::NAME_TO_ID_MAP, "the named property map"),
    (NodeId::ROOT_FOLDER, "the root folder"),
];
/// Folders above a folder that are followed; more are a cycle.
const MAX_DEPTH: usize = 128;

/// All nodes, ascending.
struct Nodes<'a>(&'a [NodeEntry]);

impl Nodes<'_> {
    fn get(&self, nid: NodeId) -> Option<&NodeEntry> {
        let index = self.0.binary_search_by_key(&nid, |node| node.nid);
        self.0.get(index.ok()?)
    }

    fn has(&self, nid: NodeId) -> bool {
        self.get(nid).is_some()
    }
}

/// Checks all folders and returns all nodes, by id.
pub(super) fn check(store: &Arc<Store>, checker: &mut Checker) -> Vec<NodeEntry> {
    let mut nodes: Vec<NodeEntry> = store.ndb().nodes().flatten().collect();
    checker.report.nodes = nodes.len() as u64;
    // Of a damaged tree they may come in any order.
    nodes.sort_by_key(|node| node.nid);
    let by_id = Nodes(&nodes);
    ipm_subtree(store, checker);
    for (nid, what) in NEEDED {
        if !by_id.has(nid) {
            let problem = format!("no entry for {what}");
            checker.error("NBT", nid, problem, Some(nid));
        }
    }
    let mut children: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
    for node in &nodes {
        if node.nid != node.parent && is_item(node.nid) {
            children.entry(node.parent).or_default().push(node.nid);
            parent(node, &by_id, checker);
        }
        let last = store.ndb().header().last_index(node.nid.node_type());
        if last != 0 && node.nid.index() > last {
            let problem = format!("nid: above rgnid of the header, {last:#x}");
            checker.warning("NBT entry", node.nid, problem, Some(node.nid));
        }
    }
    for node in &nodes {
        let own = children.get(&node.nid).map(Vec::as_slice);
        match node.nid.node_type() {
            NodeType::NORMAL_FOLDER => {
                way_up(node, &by_id, checker);
                folder(store, node.nid, own.unwrap_or_default(), &by_id, checker);
            }
            NodeType::SEARCH_FOLDER => search_folder(store, node.nid, &by_id, checker),
            _ => {}
        }
    }
    nodes
}

/// The entry id by which Outlook finds all folders that it shows.
fn ipm_subtree(store: &Store, checker: &mut Checker) {
    let mut named = |severity, problem: String| {
        let place = "PidTagIpmSubTreeEntryId";
        let node = Some(NodeId::MESSAGE_STORE);
        checker.add(severity, "message store", place, problem, node);
    };
    match store.ipm_subtree_entry() {
        IpmSubtreeEntry::None | IpmSubtreeEntry::Folder(_) => {}
        IpmSubtreeEntry::Unusable(problem) | IpmSubtreeEntry::Doubtful(_, problem) => {
            named(Severity::Error, problem);
        }
    }
}

fn is_item(nid: NodeId) -> bool {
    nid.is_folder() || nid.is_message()
}

/// A folder or message has a folder as its parent, and that folder is there.
fn parent(node: &NodeEntry, nodes: &Nodes<'_>, checker: &mut Checker) {
    let (nid, parent) = (node.nid, node.parent);
    if !parent.is_folder() {
        let problem = format!("nidParent: expected a folder, found {:#x}", parent.0);
        checker.error("NBT entry", nid, problem, Some(nid));
    } else if !nodes.has(parent) {
        let problem = format!("nidParent {:#x}: no such folder", parent.0);
        checker.error("NBT entry", nid, problem, Some(nid));
    }
}

/// The parents of a folder lead to the root folder. Where the way ends early, the parent itself is named.
fn way_up(node: &NodeEntry, nodes: &Nodes<'_>, checker: &mut Checker) {
    let mut at = node.nid;
    for _ in 0..MAX_DEPTH {
        let above = nodes.get(at).map(|node| node.parent);
        match above {
            Some(above) if above != at => at = above,
            _ => {
                if at != NodeId::ROOT_FOLDER && nodes.has(at) {
                    let problem =
                        format!("nidParent: the way up ends at {at}, not at the root folder");
                    checker.error("NBT entry", node.nid, problem, Some(node.nid));
                }
                return;
            }
        }
    }
    let problem = "nidParent: the folders above it form a ring";
    checker.error("NBT entry", node.nid, problem, Some(node.nid));
}

/// What a search folder lists is somewhere else.
fn search_folder(store: &Arc<Store>, nid: NodeId, nodes: &Nodes<'_>, checker: &mut Checker) {
    let contents = Folder::new(store, nid).contents();
    checker.noted(contents.problems(), nid);
    for missing in contents.nids().filter(|row| !nodes.has(*row)) {
        let row = format!(
            "{}, row {:#x}",
            nid.with_type(NodeType::SEARCH_CONTENTS_TABLE),
            missing.0
        );
        checker.warning("search contents table", row, "no such node", Some(nid));
    }
}

fn folder(
    store: &Arc<Store>,
    nid: NodeId,
    children: &[NodeId],
    nodes: &Nodes<'_>,
    checker: &mut Checker,
) {
    let folder = Folder::new(store, nid);
    let of = |types: &[NodeType]| -> BTreeSet<NodeId> {
        let own = children.iter().copied();
        own.filter(|child| types.contains(&child.node_type()))
            .collect()
    };
    // What a damaged table lacks is filled up from the nodes, so it is not counted as a difference as well.
    let subfolders = folder.subfolders();
    let contents = folder.contents();
    let associated = folder.associated_contents();
    let problems = [
        folder.problems(),
        contents.problems(),
        associated.problems(),
    ];
    let is_sound = problems.iter().all(|problems| problems.is_empty());
    for problems in problems {
        checker.noted(problems, nid);
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
    for (table, rows, named) in tables {
        rows_and_nodes(nid, table, (&rows, &named), nodes, checker);
        if !nodes.has(nid.with_type(table)) {
            let problem = format!("has no {}", table_name(table));
            checker.warning("folder", nid, problem, Some(nid));
        }
    }
    if is_sound {
        counts(&folder, !subfolders.is_empty(), &contents, checker);
    }
}

/// Every row of a table is a node that names the folder as its parent, and every such node has a row.
fn rows_and_nodes(
    nid: NodeId,
    table: NodeType,
    (rows, named): (&BTreeSet<NodeId>, &BTreeSet<NodeId>),
    nodes: &Nodes<'_>,
    checker: &mut Checker,
) {
    let name = table_name(table);
    for missing in rows.difference(named) {
        let row = format!("{}, row {:#x}", nid.with_type(table), missing.0);
        if nodes.has(*missing) {
            let problem = "the node names another folder as its parent";
            checker.warning(name, row, problem, Some(nid));
        } else {
            checker.error(name, row, "no such node: the item is lost", Some(nid));
        }
    }
    for unlisted in named.difference(rows) {
        let problem = format!("does not list {unlisted}");
        checker.error(name, nid.with_type(table), problem, Some(*unlisted));
    }
}

/// The counts of the folder are those of its tables.
fn counts(folder: &Folder, has_subfolders: bool, contents: &ContentsTable, checker: &mut Checker) {
    let nid = folder.nid();
    let Ok(properties) = folder.properties() else {
        // The check of nodes states why.
        return;
    };
    let stored = |id: u16| properties.integer(id).ok().flatten();
    let counted = [
        (
            "PidTagContentCount",
            tags::CONTENT_COUNT,
            Some(contents.len()),
        ),
        (
            "PidTagContentUnreadCount",
            tags::CONTENT_UNREAD_COUNT,
            contents.unread(),
        ),
    ];
    for (name, id, counted) in counted {
        if let (Some(stored), Some(counted)) = (stored(id), counted)
            && usize::try_from(stored).ok() != Some(counted)
        {
            let problem = format!("{name}: expected {counted}, found {stored}");
            checker.warning("folder", nid, problem, Some(nid));
        }
    }
    if let Ok(Some(stored)) = properties.boolean(tags::SUBFOLDERS)
        && stored != has_subfolders
    {
        let problem = format!("PidTagSubfolders: expected {has_subfolders}, found {stored}");
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
