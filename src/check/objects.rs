//! What a node holds: heaps, property contexts, tables. [MS-PST] 2.3

use super::checker::Checker;
use crate::error::Result;
use crate::ltp::{ClientSignature, Heap, Row, TableContext, Value, tags};
use crate::messaging::{CONTRADICTION, Properties};
use crate::ndb::{Node, NodeId};
use crate::problem::Problems;

/// The page maps of all blocks of a heap are sound, also for items that nothing refers to.
fn maps(heap: &Heap, nid: NodeId, checker: &mut Checker) {
    for error in heap.broken_maps() {
        checker.unreadable(&error, Some(nid));
    }
}

/// Each value is where its record has it, and each property is there once. Streams are opened, not read: their blocks are
/// checked on their own.
pub(super) fn properties(properties: &Properties, nid: NodeId, checker: &mut Checker) {
    contradictions(properties, nid, checker);
    let Some(context) = properties.context() else {
        return;
    };
    maps(context.heap(), nid, checker);
    for problem in context.problem().into_iter().chain(context.astray()) {
        checker.error("property context", nid, problem, Some(nid));
    }
    for record in context.records() {
        if let Err(error) = context.stream(record.id) {
            checker.unreadable(&error, Some(nid));
        }
    }
}

/// No property has two values, of which readers would show one or the other.
pub(super) fn contradictions(properties: &Properties, nid: NodeId, checker: &mut Checker) {
    let Some(context) = properties.context() else {
        return;
    };
    for id in properties.contradictions() {
        let place = format!("{}, {id:#06x}", context.node().nid());
        checker.error("property", place, CONTRADICTION, Some(nid));
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
