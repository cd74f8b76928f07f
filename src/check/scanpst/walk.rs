//! The way through the objects of a file, each of which is held against the rules.

use std::collections::HashSet;
use std::sync::Arc;

use super::maps;
use super::rules::{Look, rules};
use super::scan::{Scan, is_table};
use crate::check::checker::Checker;
use crate::ltp::{ClientSignature, Heap, PropertyContext, TableContext};
use crate::messaging::{AttachmentData, MAX_EMBEDDED_DEPTH, Message, Store};
use crate::ndb::{Node, NodeEntry, NodeId, NodeType};

/// Holds the rules against the file, if they are meant for it.
pub(in crate::check) fn check(store: &Arc<Store>, nodes: &[NodeEntry], checker: &mut Checker) {
    if checker.report.errors > 0 || !maps::is_modern(store) {
        return;
    }
    let scan = Scan { store, nodes };
    rules(checker, |look, checker| {
        if let Look::File(look) = look {
            look(&scan, checker);
        }
    });
    // Nodes that share their blocks are the same object.
    let mut seen = HashSet::new();
    for entry in nodes {
        if seen.insert((entry.data.key(), entry.subnodes.key())) {
            node(&scan, entry, checker);
        }
    }
}

/// What `entry` names, held against the rules.
fn node(scan: &Scan<'_>, entry: &NodeEntry, checker: &mut Checker) {
    let (nid, node) = (entry.nid, Node::of_entry(scan.store.ndb(), *entry));
    if nid.is_message() {
        if let Ok(message) = Message::of_entry(scan.store, *entry) {
            message_and_below(message, nid, checker);
        }
    } else if is_table(nid) {
        if let Some(table) = table(node, nid, checker) {
            rows(scan, &table, nid, checker);
        }
    } else if nid.is_folder() || [NodeId::MESSAGE_STORE, NodeId::NAME_TO_ID_MAP].contains(&nid) {
        properties(node, nid, checker);
    }
}

/// The rows of a table of a folder, held against the rules.
fn rows(scan: &Scan<'_>, table: &TableContext, nid: NodeId, checker: &mut Checker) {
    for (id, number) in table.row_index() {
        let object = scan
            .entry(NodeId(id))
            .and_then(|entry| PropertyContext::open(Node::of_entry(scan.store.ndb(), *entry)).ok());
        let (Some(object), Ok(row)) = (object, table.row(id, number)) else {
            continue;
        };
        rules(checker, |look, checker| {
            if let Look::Row(look) = look {
                look(&row, &object, nid, checker);
            }
        });
    }
}

/// The property context of `node`, held against the rules.
fn properties(node: Node, top: NodeId, checker: &mut Checker) {
    let Ok(context) = PropertyContext::open(node) else {
        return;
    };
    rules(checker, |look, checker| match look {
        Look::Heap(look) => look(context.heap(), top, checker),
        Look::Properties(look) => look(&context, top, checker),
        _ => {}
    });
}

/// The table of `node`, held against the rules.
fn table(node: Node, top: NodeId, checker: &mut Checker) -> Option<TableContext> {
    let heap = Heap::open(node).ok()?;
    if heap.client() != ClientSignature::TABLE_CONTEXT {
        return None;
    }
    rules(checker, |look, checker| {
        if let Look::Heap(look) = look {
            look(&heap, top, checker);
        }
    });
    let table = TableContext::of_heap(heap).ok()?;
    rules(checker, |look, checker| {
        if let Look::Table(look) = look {
            look(&table, top, checker);
        }
    });
    Some(table)
}

/// A message, its tables, its attachments, and the messages in these.
fn message_and_below(message: Message, top: NodeId, checker: &mut Checker) {
    let mut todo = vec![message];
    let mut seen = HashSet::new();
    while let Some(message) = todo.pop() {
        if message.depth() > MAX_EMBEDDED_DEPTH || !seen.insert(message.node().blocks()) {
            continue;
        }
        properties(message.node().clone(), top, checker);
        rules(checker, |look, checker| {
            if let Look::Message(look) = look {
                look(&message, top, checker);
            }
        });
        for subnode in message.node().subnodes().unwrap_or_default() {
            match subnode.nid() {
                NodeId::RECIPIENT_TABLE | NodeId::ATTACHMENT_TABLE => {
                    table(subnode, top, checker);
                }
                nid if nid.node_type() == NodeType::ATTACHMENT => {
                    properties(subnode, top, checker);
                }
                _ => {}
            }
        }
        for attachment in message.attachments() {
            let data = attachment
                .properties()
                .and_then(|own| attachment.data(&own));
            if let Ok(AttachmentData::Message(embedded)) = data {
                todo.push(*embedded);
            }
        }
    }
}
