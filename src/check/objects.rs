//! Nodes as objects: heaps, property contexts, tables, messages with recipients and attachments. [MS-PST] 2.3, 2.4

use std::collections::HashSet;
use std::sync::Arc;

use super::{Checker, Phase, Progress};
use crate::error::{Error, Result};
use crate::ltp::{ClientSignature, Heap, PropertyContext, TableContext, tags};
use crate::messaging::{Attachment, AttachmentData, MSGFLAG_HASATTACH, Message, Store};
use crate::ndb::{Node, NodeEntry, NodeId, NodeType};

/// How often progress is told, in nodes.
const STEP: usize = 16;

pub(super) fn check(
    store: &Arc<Store>,
    nodes: &[NodeEntry],
    checker: &mut Checker,
    progress: &Progress,
) {
    let total = nodes.len() as u64;
    for (index, entry) in nodes.iter().enumerate() {
        if index % STEP == 0 {
            progress(Phase::Nodes, index as u64, total);
        }
        if let Err(error) = node(store, entry.nid, checker) {
            checker.unreadable(&error, Some(entry.nid));
        }
    }
    progress(Phase::Nodes, total, total);
}

fn node(store: &Arc<Store>, nid: NodeId, checker: &mut Checker) -> Result<()> {
    match nid.node_type() {
        NodeType::NORMAL_MESSAGE | NodeType::ASSOC_MESSAGE => {
            message(&Message::open(store, nid)?, nid, checker);
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
                table(node, nid, checker)?;
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
    let mut errors = Vec::new();
    heap.check_maps(|error| errors.push(error));
    for error in &errors {
        checker.unreadable(error, Some(nid));
    }
}

/// Each value is where its record says. Streams are opened, not read: their blocks are checked on their own.
fn properties(context: &PropertyContext, nid: NodeId, checker: &mut Checker) {
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

/// All rows of the index are in the matrix, and all cells where they say.
fn table(node: Node, nid: NodeId, checker: &mut Checker) -> Result<()> {
    let heap = Heap::open(node)?;
    if heap.client() == ClientSignature::OLD_SEARCH_TABLE {
        return Ok(());
    }
    maps(&heap, nid, checker);
    let table = TableContext::of_heap(heap)?;
    rows(&table, nid, checker);
    Ok(())
}

fn rows(table: &TableContext, nid: NodeId, checker: &mut Checker) {
    let mut errors = Vec::new();
    let rows = table.rows(|error: Error| errors.push(error));
    match rows {
        Ok(rows) => {
            for row in &rows {
                if !row.has_cells() {
                    let place = format!("{nid}, row {:#x}", row.id);
                    checker.error("TC", place, "the row matrix does not have it", Some(nid));
                }
                let cells = table.columns().iter().map(|column| row.get(column.id));
                errors.extend(cells.filter_map(std::result::Result::err));
            }
        }
        Err(error) => errors.push(error),
    }
    for error in &errors {
        checker.unreadable(error, Some(nid));
    }
}

/// A message and all that is embedded in it; `top` is the message of a folder that all of it belongs to.
fn message(message: &Message, top: NodeId, checker: &mut Checker) {
    let mut todo = vec![message.clone()];
    // One embedded message may be named many times, and each of them name another one many times.
    let mut seen = HashSet::new();
    while let Some(message) = todo.pop() {
        if !seen.insert(message.node().blocks()) {
            continue;
        }
        checker.report.messages += 1;
        properties(message.properties().context(), top, checker);
        let mut errors = Vec::new();
        let mut broken = |error: Error| errors.push(error);
        message.recipients(&mut broken);
        let attachments = message.attachments(&mut broken);
        let listed = message.listed_attachments(&mut broken);
        for attachment in &attachments {
            match content(attachment, &mut broken) {
                Ok(AttachmentData::Message(embedded)) => todo.push(*embedded),
                Ok(_) => {}
                Err(error) => broken(error),
            }
        }
        for error in &errors {
            checker.unreadable(error, Some(top));
        }
        for attachment in &attachments {
            if !listed.contains(&attachment.nid()) && errors.is_empty() {
                let place = format!("{}, {}", message.nid(), attachment.nid());
                let problem = "the attachment table does not list it";
                checker.warning("attachment table", place, problem, Some(top));
            }
        }
        let flags = message.properties().integer(tags::MESSAGE_FLAGS);
        if let (Ok(Some(flags)), true) = (flags, errors.is_empty())
            && (flags & MSGFLAG_HASATTACH != 0) == attachments.is_empty()
        {
            let problem = format!(
                "PidTagMessageFlags {flags:#x}, but {} attachments",
                attachments.len()
            );
            checker.warning("message", message.nid(), problem, Some(top));
        }
    }
}

fn content(attachment: &Attachment, broken: &mut impl FnMut(Error)) -> Result<AttachmentData> {
    let properties = attachment.properties()?;
    let context = properties.context();
    for record in context.records() {
        if let Err(error) = context.stream(record.id) {
            broken(error);
        }
    }
    attachment.data(&properties)
}
