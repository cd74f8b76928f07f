//! Nodes as objects: heaps, property contexts, tables. [MS-PST] 2.3

use std::collections::HashSet;
use std::sync::Arc;

use super::checker::Checker;
use super::report::{Phase, Progress};
use super::{cells, messages};
use crate::error::Result;
use crate::ltp::{ClientSignature, Heap, PropertyContext, Row, TableContext, Value, tags};
use crate::messaging::{Message, Store};
use crate::ndb::{Node, NodeEntry, NodeId, NodeType};
use crate::problem::Problems;

/// How often progress is reported, in nodes.
const STEP: usize = 16;

pub(super) fn check(
    store: &Arc<Store>,
    nodes: &[NodeEntry],
    checker: &mut Checker,
    progress: &Progress,
) {
    let total = nodes.len() as u64;
    // Nodes that share their blocks are the same object: a hostile file has thousands of them.
    let mut seen = HashSet::new();
    for (index, entry) in nodes.iter().enumerate() {
        if index % STEP == 0 {
            progress(Phase::Nodes, index as u64, total);
        }
        let is_new = seen.insert((entry.data.key(), entry.subnodes.key()));
        if is_new && let Err(error) = node(store, entry.nid, checker) {
            checker.unreadable(&error, Some(entry.nid));
        }
    }
    progress(Phase::Nodes, total, total);
}

fn node(store: &Arc<Store>, nid: NodeId, checker: &mut Checker) -> Result<()> {
    match nid.node_type() {
        NodeType::NORMAL_MESSAGE | NodeType::ASSOC_MESSAGE => {
            messages::check(&Message::open(store, nid)?, nid, checker);
        }
        NodeType::NORMAL_FOLDER | NodeType::SEARCH_FOLDER => {
            let context = PropertyContext::open(store.node(nid)?)?;
            properties(&context, nid, checker);
        }
        NodeType::HIERARCHY_TABLE
        | NodeType::CONTENTS_TABLE
        | NodeType::ASSOC_CONTENTS_TABLE
        | NodeType::SEARCH_CONTENTS_TABLE => {
            let node = store.node(nid)?;
            if !node.is_empty() {
                table(node, nid, checker, |row, checker| {
                    cells::compare(store, nid, row, checker);
                })?;
            }
        }
        _ if nid == NodeId::MESSAGE_STORE || nid == NodeId::NAME_TO_ID_MAP => {
            let context = PropertyContext::open(store.node(nid)?)?;
            properties(&context, nid, checker);
        }
        // What other nodes hold is for Outlook alone; their blocks are checked.
        _ => {}
    }
    Ok(())
}

/// The page maps of all blocks of a heap are sound, also for items that nothing refers to.
fn maps(heap: &Heap, nid: NodeId, checker: &mut Checker) {
    for error in heap.broken_maps() {
        checker.unreadable(&error, Some(nid));
    }
}

/// Each value is where its record has it. Streams are opened, not read: their blocks are checked on their own.
pub(super) fn properties(context: &PropertyContext, nid: NodeId, checker: &mut Checker) {
    maps(context.heap(), nid, checker);
    if let Some(problem) = context.problem() {
        checker.error("property context", nid, problem, Some(nid));
    }
    for record in context.records() {
        if let Err(error) = context.stream(record.id) {
            checker.unreadable(&error, Some(nid));
        }
    }
}

/// All rows of the index are in the matrix, and the values of all cells are there.
/// `each` checks more of a row.
pub(super) fn table(
    node: Node,
    nid: NodeId,
    checker: &mut Checker,
    each: impl FnMut(&Row<'_>, &mut Checker),
) -> Result<()> {
    let problems = Problems::default();
    let heap = Heap::open(node.noting(&problems))?;
    if heap.client() == ClientSignature::OLD_SEARCH_TABLE {
        return Ok(());
    }
    maps(&heap, nid, checker);
    let table = TableContext::of_heap(heap)?;
    rows(&table, nid, checker, each);
    checker.noted(&problems, nid);
    Ok(())
}

fn rows(
    table: &TableContext,
    nid: NodeId,
    checker: &mut Checker,
    mut each: impl FnMut(&Row<'_>, &mut Checker),
) {
    for problem in table.problems() {
        checker.error("TCINFO", nid, problem, Some(nid));
    }
    let mut errors = Vec::new();
    for (id, number) in table.row_index() {
        match table.row(id, number) {
            Ok(row) if !row.has_cells() => {
                let place = format!("{nid}, row {id:#x}");
                checker.error("TC", place, "the row matrix does not have it", Some(nid));
            }
            Ok(row) => {
                if let Ok(Some(Value::Integer(own))) = row.get(tags::LTP_ROW_ID)
                    && own as u32 != id
                {
                    let place = format!("{nid}, row {id:#x}");
                    let problem = format!("PidTagLtpRowId: expected {id:#x}, found {own:#x}");
                    checker.error("TC", place, problem, Some(nid));
                }
                each(&row, checker);
                let cells = table.columns().iter().map(|column| row.get(column.id));
                errors.extend(cells.filter_map(Result::err));
            }
            Err(error) => errors.push(error),
        }
    }
    for error in &errors {
        checker.unreadable(error, Some(nid));
    }
}
