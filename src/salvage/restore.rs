//! Messages that have lost their nodes: a leaf of the node B-tree is gone, and no older copy of it is there.
//!
//! The contents tables still have their rows, and the blocks are still in the block B-tree, referred to by nobody. A row
//! and a property context belong together when no property that both have differs, and no other row and context do. A
//! subnode tree belongs to a context by its content ([`super::subnodes`]). Nothing is taken for being near. A context
//! that fits no row, or more than one, is an item without a folder.
//!
//! Copies of one message that are the same in every byte go in any order, and rows that are as many as the lost
//! references of the one block that fits them share it. What is not settled is a problem of the item. Where the block
//! B-tree is lost as well, a context that is found may be stale: it is shown, without a folder and under a node that is
//! made up, if it is no revision of a message that has a node.

use std::collections::HashSet;
use std::sync::Arc;

use super::contexts::{Context, contexts, fingerprint, made_up, unnamed};
use super::identity::{Revision, newest, without_live};
use super::readable::{Readable, Reader};
use super::references::unreferenced;
use crate::ltp::{TableContext, tags};
use crate::messaging::Store;
use crate::ndb::scan::Memory;
use crate::ndb::{BlockId, Node, NodeEntry, NodeId, NodeType};

/// Pairs of a row and a context that are looked at: the work of some seconds.
const MAX_PAIRS: usize = 1 << 26;
/// Contexts that may fit one row. Of more, all are left in doubt.
const MAX_FITTING: usize = 256;
/// Bytes that a row takes beside those of its cells, and that a pair takes whose row and context fit.
const ROW: usize = 96;
const PAIR: usize = 8;
/// Properties that must be the same in a row and a context.
const LEAST_EQUAL: usize = 3;
/// How often all bytes of the file may be read to compare messages that look the same.
const READS: u64 = 2;
/// What tables state in their own way: flags and status change without the message, sizes are of different times, and the
/// rest is the table's.
const OF_THE_TABLE: [u16; 5] = [
    tags::MESSAGE_FLAGS,
    tags::MESSAGE_STATUS,
    tags::MESSAGE_SIZE,
    tags::LTP_ROW_ID,
    tags::LTP_ROW_VERSION,
];

/// A row of a contents table whose message has no node.
struct LostRow {
    nid: NodeId,
    folder: NodeId,
    /// Property ids and hashes of their values.
    cells: Box<[(u16, u64)]>,
}

/// Puts messages that have lost their nodes together: their entries, under the ids of their rows or under ids made up for
/// them. Tells what was put together and what was not. A [`crate::messaging::Restore`].
pub fn restore(store: &Arc<Store>) -> Vec<NodeEntry> {
    let mut memory = Memory::of_messages(store.ndb().source());
    let rows = lost_rows(store, &mut memory);
    let found = unreferenced(store.ndb(), &mut memory);
    let cells = rows.iter().flat_map(|row| &row.cells);
    let compared: HashSet<u16> = cells.map(|(id, _)| *id).collect();
    let contexts = contexts(store, &found, &compared, &mut memory);
    let mut nodes = Vec::new();
    // An older text might be taken for the one that the row tells of.
    if found.live {
        match matches(&rows, &contexts, &mut memory) {
            Some(matches) => nodes = assign(store, &rows, &contexts, &matches),
            None => store.ndb().tell(format!(
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
        let entry = unnamed(context.data, context.subnodes);
        let node = made_up(context.data, entry, is_taken);
        taken.extend(node.map(|node| node.nid));
        nodes.extend(node);
    }
    let shown = nodes.len() - named;
    let rest = rest(store, &nodes, &mut taken);
    if !rest.is_empty() {
        store.ndb().tell(format!(
            "texts and attachments that no message refers to, in lost+found: {}",
            rest.len()
        ));
    }
    nodes.extend(rest);
    if !rows.is_empty() || shown > 0 {
        store.ndb().tell(format!(
            "messages that have rows and no nodes: {}, found by what they say: {named}; more messages without nodes, in \
             lost+found: {shown}",
            rows.len()
        ));
    }
    if shown < unused.len() {
        store.ndb().tell(format!(
            "messages without nodes that are not shown, as all ids that they could have are taken: {}",
            unused.len() - shown
        ));
    }
    if let Some(problem) = memory.problem("messages without nodes") {
        store.ndb().tell(problem);
    }
    nodes
}

/// Nodes for what belongs to no message that is known, beside the lists of `nodes`. Their ids are added to `taken`.
fn rest(store: &Arc<Store>, nodes: &[NodeEntry], taken: &mut HashSet<NodeId>) -> Vec<NodeEntry> {
    let ndb = store.ndb();
    let lists = ndb.lost_lists();
    let rest = lists.map_or(&[][..], |lists| &lists.rest);
    let used: HashSet<BlockId> = nodes.iter().map(|node| node.subnodes).collect();
    let mut found = Vec::new();
    for item in rest.iter().filter(|item| !used.contains(&item.subnodes)) {
        let is_taken = |nid| taken.contains(&nid) || matches!(ndb.find_node(nid), Ok(Some(_)));
        if let Some(node) = made_up(item.of, unnamed(BlockId::NONE, item.subnodes), is_taken) {
            taken.insert(node.nid);
            found.push(node);
        }
    }
    found
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

fn lost_rows(store: &Arc<Store>, memory: &mut Memory) -> Vec<LostRow> {
    let ndb = store.ndb();
    let mut rows = Vec::new();
    let tables = ndb.nodes().flatten();
    for node in tables.filter(|node| node.nid.node_type() == NodeType::CONTENTS_TABLE) {
        let Ok(table) = TableContext::open(Node::of_entry(ndb, node)) else {
            continue;
        };
        for (id, number) in table.row_index() {
            let nid = NodeId(id);
            if matches!(ndb.find_node(nid), Ok(Some(_))) {
                continue;
            }
            let Ok(row) = table.row(id, number) else {
                continue;
            };
            let columns = table.columns().iter().map(|column| column.id);
            let cells = columns
                .filter(|id| !OF_THE_TABLE.contains(id))
                .filter_map(|id| Some((id, fingerprint(&row.get(id).ok()??))));
            let cells: Box<[(u16, u64)]> = cells.collect();
            if !memory.take(ROW + size_of_val(&*cells)) {
                continue;
            }
            rows.push(LostRow {
                nid,
                folder: node.nid.with_type(NodeType::NORMAL_FOLDER),
                cells,
            });
        }
    }
    rows
}

/// Which contexts can be the message of which row.
struct Matches {
    /// Contexts by row.
    fitting: Vec<Box<[u32]>>,
    /// Whether a context fits a row that fits too many to list.
    doubtful: Vec<bool>,
}

/// For each row the contexts that can be its message; None when there is too much to compare.
fn matches(rows: &[LostRow], contexts: &[Context], memory: &mut Memory) -> Option<Matches> {
    if rows.len().checked_mul(contexts.len())? > MAX_PAIRS {
        return None;
    }
    // A hostile file has thousands of rows that fit thousands of contexts.
    let mut doubtful = vec![false; contexts.len()];
    let mut listed = Vec::new();
    for row in rows {
        let fitting = || {
            (0u32..)
                .zip(contexts)
                .filter(|(_, context)| fit(row, context))
        };
        let some: Box<[u32]> = fitting()
            .take(MAX_FITTING + 1)
            .map(|(index, _)| index)
            .collect();
        if some.len() <= MAX_FITTING && memory.take(PAIR * some.len()) {
            listed.push(some);
            continue;
        }
        for (index, _) in fitting() {
            if let Some(doubtful) = doubtful.get_mut(index as usize) {
                *doubtful = true;
            }
        }
        listed.push(Box::default());
    }
    Some(Matches {
        fitting: listed,
        doubtful,
    })
}

/// Whether no value that both have differs, and enough of them are there.
fn fit(row: &LostRow, context: &Context) -> bool {
    let mut equal = 0;
    for (id, value) in &row.cells {
        let own = context.values.binary_search_by_key(id, |(id, _)| *id);
        match own.ok().and_then(|own| context.values.get(own)) {
            Some((_, own)) if own == value => equal += 1,
            Some(_) => return false,
            None => {}
        }
    }
    equal >= LEAST_EQUAL
}

/// Pairs that leave no doubt: one row and one context that fit only each other; as many rows as contexts that cannot be told
/// apart, since all that hangs on them is the same; or a context and as many rows as it has lost references, since copies
/// of a message share its blocks.
fn assign(
    store: &Arc<Store>,
    rows: &[LostRow],
    contexts: &[Context],
    matches: &Matches,
) -> Vec<NodeEntry> {
    let Matches {
        fitting: matches,
        doubtful,
    } = matches;
    let mut rows_of = vec![Vec::new(); contexts.len()];
    for (row, fitting) in (0u32..).zip(matches) {
        for context in fitting {
            if let Some(rows) = rows_of.get_mut(*context as usize) {
                rows.push(row);
            }
        }
    }
    let allowance = store.ndb().source().stored_len().saturating_mul(READS);
    let mut reader = Reader::new(allowance);
    let mut nodes = Vec::new();
    for (row, fitting) in (0u32..).zip(matches) {
        let first = fitting.first();
        let Some(own) = first.and_then(|first| rows_of.get(*first as usize)) else {
            continue;
        };
        // Each group is handled at its first row.
        let is_group = own.first() == Some(&row)
            && own
                .iter()
                .all(|row| matches.get(*row as usize) == Some(fitting))
            && fitting.iter().all(|context| {
                let context = *context as usize;
                rows_of.get(context) == Some(own) && doubtful.get(context) == Some(&false)
            });
        let group: Vec<&Context> = fitting
            .iter()
            .filter_map(|index| contexts.get(*index as usize))
            .collect();
        let is_shared =
            matches!(group[..], [context] if usize::try_from(context.references) == Ok(own.len()));
        let are_as_many =
            own.len() == group.len() && (group.len() == 1 || are_same(store, &mut reader, &group));
        if !is_group || !(is_shared || are_as_many) {
            continue;
        }
        let rows = own.iter().filter_map(|row| rows.get(*row as usize));
        for (row, context) in rows.zip(group.into_iter().cycle()) {
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
