//! Messages that have lost their nodes: a leaf of the node B-tree is gone, and no older copy of it is there.
//!
//! The contents tables still have their rows, and the blocks are still in the block B-tree, referred to by nobody. A row
//! and a property context belong together when no property that both have differs, and no other row and context do. A
//! subnode tree belongs to a context by its content ([`super::subnodes`]). Nothing is taken for being near. A context
//! that fits no row, or more than one, is an item without a folder.

use std::collections::HashSet;
use std::sync::Arc;

use super::Watch;
use super::contexts::{Context, contexts, fingerprint};
use super::identity::{Revision, newest, without_live};
use super::readable::{Readable, Reader};
use super::references::unreferenced;
use crate::ltp::{TableContext, tags};
use crate::messaging::{Restorer, Store};
use crate::ndb::{Node, NodeEntry, NodeId, NodeType};

/// Rows, and pairs of a row and a context, that are looked at.
const MAX_ROWS: usize = 1 << 16;
const MAX_PAIRS: usize = 1 << 26;
/// Properties that must be the same in a row and a context.
const LEAST_EQUAL: usize = 3;
/// How often all bytes of the file may be read to compare messages that look the same.
const READS: u64 = 2;
/// What a table says in its own way: flags and status change without the message, sizes are of different times, and the
/// rest is the table's.
const OF_THE_TABLE: [u16; 5] = [
    tags::MESSAGE_FLAGS,
    tags::MESSAGE_STATUS,
    tags::MESSAGE_SIZE,
    tags::LTP_ROW_ID,
    tags::LTP_ROW_VERSION,
];

/// Puts lost messages together when the first of them is asked for.
pub struct Lost {
    /// Hears what was put together and what was not.
    pub watch: Arc<dyn Watch>,
}

impl std::fmt::Debug for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lost").finish_non_exhaustive()
    }
}

/// A row of a contents table whose message has no node.
struct LostRow {
    nid: NodeId,
    folder: NodeId,
    /// Property ids and hashes of their values.
    cells: Vec<(u16, u64)>,
}

impl Restorer for Lost {
    fn restore(&self, store: &Arc<Store>) -> Vec<NodeEntry> {
        let rows = lost_rows(store, &*self.watch);
        let found = unreferenced(store.ndb());
        let (contexts, left_out) = contexts(store, &found);
        let mut nodes = Vec::new();
        // An older text might be taken for the one that the row tells of.
        if found.live {
            match matches(&rows, &contexts) {
                Some(matches) => nodes = assign(store, &rows, &contexts, &matches),
                None => self.watch.problem(format!(
                    "{} rows and {} messages without nodes are too many to compare",
                    rows.len(),
                    contexts.len()
                )),
            }
        }
        let named = nodes.len();
        let used: HashSet<_> = nodes.iter().map(|node| node.data).collect();
        let unused = contexts
            .iter()
            .filter(|context| !used.contains(&context.data));
        let unused: Vec<&Context> = match found.live {
            true => unused.collect(),
            false => latest(store, unused.collect()),
        };
        let mut taken: HashSet<NodeId> = rows.iter().map(|row| row.nid).collect();
        for context in &unused {
            let is_taken =
                |nid| taken.contains(&nid) || matches!(store.ndb().find_node(nid), Ok(Some(_)));
            let node = context.made_up(is_taken);
            taken.insert(node.nid);
            nodes.push(node);
        }
        self.watch.problem(format!(
            "{} messages have rows and no nodes: {named} of them were found by what they say; {} more messages without \
             nodes are in lost+found",
            rows.len(),
            unused.len()
        ));
        if left_out > 0 {
            self.watch.problem(format!(
                "{left_out} more messages without nodes are left out"
            ));
        }
        nodes
    }
}

/// The newest revisions among `found`, without those of messages that have a node.
fn latest<'a>(store: &Arc<Store>, found: Vec<&'a Context>) -> Vec<&'a Context> {
    let revisions = found.into_iter().filter_map(|context| {
        let message = context.open(store).ok()?;
        let (order, whole) = (context.data.0, context.complete);
        Some(Revision::of(context, order, whole, &message))
    });
    let mut latest = newest(without_live(store, revisions.collect()));
    latest.sort_by_key(|context| context.data);
    latest
}

fn lost_rows(store: &Arc<Store>, watch: &dyn Watch) -> Vec<LostRow> {
    let ndb = store.ndb();
    let mut rows = Vec::new();
    let tables = ndb.nodes().flatten();
    for node in tables.filter(|node| node.nid.node_type() == NodeType::CONTENTS_TABLE) {
        let Ok(table) = TableContext::open(Node::of_entry(ndb, node)) else {
            continue;
        };
        let index = table.row_index(|_| {}).unwrap_or_default();
        for (id, number) in index {
            let nid = NodeId(id);
            if matches!(ndb.find_node(nid), Ok(Some(_))) {
                continue;
            }
            let Ok(row) = table.row(id, number) else {
                continue;
            };
            if rows.len() == MAX_ROWS {
                watch.problem(format!(
                    "more than {MAX_ROWS} messages without nodes: the rest is left out"
                ));
                return rows;
            }
            let columns = table.columns().iter().map(|column| column.id);
            let cells = columns
                .filter(|id| !OF_THE_TABLE.contains(id))
                .filter_map(|id| Some((id, fingerprint(&row.get(id).ok()??))))
                .collect();
            rows.push(LostRow {
                nid,
                folder: node.nid.with_type(NodeType::NORMAL_FOLDER),
                cells,
            });
        }
    }
    rows
}

/// For each row the contexts that can be its message; None when there is too much to compare.
fn matches(rows: &[LostRow], contexts: &[Context]) -> Option<Vec<Vec<usize>>> {
    if rows.len().checked_mul(contexts.len())? > MAX_PAIRS {
        return None;
    }
    let fit = |row: &LostRow, context: &Context| {
        let mut equal = 0;
        for (id, value) in &row.cells {
            match context.values.get(id) {
                Some(own) if own == value => equal += 1,
                Some(_) => return false,
                None => {}
            }
        }
        equal >= LEAST_EQUAL
    };
    let of_row = |row: &LostRow| {
        let all = contexts.iter().enumerate();
        all.filter(|(_, context)| fit(row, context))
            .map(|(index, _)| index)
            .collect()
    };
    Some(rows.iter().map(of_row).collect())
}

/// Pairs that leave no doubt: one row and one context that fit only each other; or as many rows as contexts that cannot
/// be told apart, since all that hangs on them is the same.
fn assign(
    store: &Arc<Store>,
    rows: &[LostRow],
    contexts: &[Context],
    matches: &[Vec<usize>],
) -> Vec<NodeEntry> {
    let mut rows_of = vec![Vec::new(); contexts.len()];
    for (row, fitting) in matches.iter().enumerate() {
        for context in fitting {
            if let Some(rows) = rows_of.get_mut(*context) {
                rows.push(row);
            }
        }
    }
    let allowance = store.ndb().source().len().saturating_mul(READS);
    let mut reader = Reader::new(allowance);
    let mut nodes = Vec::new();
    for (row, fitting) in matches.iter().enumerate() {
        let Some(own) = fitting.first().and_then(|first| rows_of.get(*first)) else {
            continue;
        };
        // Each group is handled at its first row.
        let is_group = own.first() == Some(&row)
            && own.len() == fitting.len()
            && own.iter().all(|row| matches.get(*row) == Some(fitting))
            && fitting
                .iter()
                .all(|context| rows_of.get(*context) == Some(own));
        let group: Vec<&Context> = fitting
            .iter()
            .filter_map(|index| contexts.get(*index))
            .collect();
        if !is_group || (group.len() > 1 && !are_same(store, &mut reader, &group)) {
            continue;
        }
        for (row, context) in own.iter().filter_map(|row| rows.get(*row)).zip(group) {
            nodes.push(NodeEntry {
                nid: row.nid,
                data: context.data,
                subnodes: context.subnodes,
                parent: row.folder,
            });
        }
    }
    nodes
}

/// Whether all of `group` are whole, and the same in all that they hold.
fn are_same(store: &Arc<Store>, reader: &mut Reader, group: &[&Context]) -> bool {
    let mut first = None;
    group.iter().all(|context| {
        let Ok(message) = context.open(store) else {
            return false;
        };
        let (readable, digest) = reader.read(&message);
        context.complete && readable == Readable::Whole && *first.get_or_insert(digest) == digest
    })
}
