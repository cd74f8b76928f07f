//! All nodes, each as the object that its type names. [MS-PST] 2.4

use std::collections::HashSet;
use std::sync::Arc;

use super::checker::Checker;
use super::report::{Phase, Progress};
use super::{cells, messages, objects};
use crate::error::Result;
use crate::ltp::PropertyContext;
use crate::messaging::{Message, Properties, Store};
use crate::ndb::{NodeEntry, NodeId, NodeType};

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
        NodeType::NORMAL_FOLDER | NodeType::SEARCH_FOLDER => object(store, nid, checker)?,
        NodeType::HIERARCHY_TABLE
        | NodeType::CONTENTS_TABLE
        | NodeType::ASSOC_CONTENTS_TABLE
        | NodeType::SEARCH_CONTENTS_TABLE => {
            let node = store.node(nid)?;
            if !node.is_empty() {
                objects::table(node, nid, checker, |row, checker| {
                    cells::compare(store, nid, row, checker);
                })?;
            }
        }
        _ if nid == NodeId::MESSAGE_STORE || nid == NodeId::NAME_TO_ID_MAP => {
            object(store, nid, checker)?;
        }
        // What other nodes hold is for Outlook alone; their blocks are checked.
        _ => {}
    }
    Ok(())
}

/// An object that is no more than its properties.
fn object(store: &Arc<Store>, nid: NodeId, checker: &mut Checker) -> Result<()> {
    let context = PropertyContext::open(store.node(nid)?)?;
    let properties = Properties::new(context, store.code_page());
    objects::properties(&properties, nid, checker);
    Ok(())
}
