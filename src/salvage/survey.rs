//! What a file with lost lists has left: the lists that lack something, the parts that are known by the others, and the
//! blocks that nothing leads to.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::order::Order;
use super::references::unreferenced_or_found;
use crate::ndb::scan::Memory;
use crate::ndb::{BlockId, NodeDatabase, NodeId, NodeType, SubnodeEntry, subnode_list};

/// Bytes that a list takes, and one of its entries.
const LIST: usize = 48;
const ENTRY: usize = 32;

/// A list of subnodes that lacks some, or all.
#[derive(Debug)]
pub(super) struct List {
    /// Its top block.
    pub(super) tree: BlockId,
    /// The data of the node whose subnodes it lists.
    pub(super) data: BlockId,
    /// What it still has, and what was found for it.
    entries: BTreeMap<NodeId, SubnodeEntry>,
    has_found: bool,
}

impl List {
    pub(super) fn new(tree: BlockId, data: BlockId, entries: Vec<SubnodeEntry>) -> Self {
        let entries = entries.into_iter().map(|entry| (entry.nid, entry));
        Self {
            tree,
            data,
            entries: entries.collect(),
            has_found: false,
        }
    }

    pub(super) fn entry(&self, nid: NodeId) -> Option<&SubnodeEntry> {
        self.entries.get(&nid)
    }

    pub(super) fn add(&mut self, entry: SubnodeEntry) {
        self.entries.insert(entry.nid, entry);
        self.has_found = true;
    }

    /// Its subnodes, if some of them were found.
    pub(super) fn completed(&self) -> Option<Vec<SubnodeEntry>> {
        self.has_found
            .then(|| self.entries.values().copied().collect())
    }
}

/// The parts of intact lists, in the order of their ids and blocks.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Values by their ids.
    pub(super) values: Order,
    /// Attachments by their ids.
    pub(super) attachments: Order,
    /// Messages, embedded ones too, by their ids.
    pub(super) messages: Order,
    /// Recipient tables by the lists that they are in.
    pub(super) recipients: Order,
    /// Attachment tables by the lists that they are in.
    pub(super) attachment_tables: Order,
}

/// What was found in one pass over all nodes and their lists.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) lists: Vec<List>,
    pub(super) known: Known,
    /// Top blocks of data trees that nothing leads to, though some cannot be read.
    pub(super) free: BTreeSet<BlockId>,
    /// Top blocks of lists that nothing leads to, and that can be read.
    pub(super) free_lists: Vec<BlockId>,
}

#[derive(Default)]
struct Pass {
    lists: Vec<List>,
    values: Vec<(u64, BlockId)>,
    attachments: Vec<(u64, BlockId)>,
    messages: Vec<(u64, BlockId)>,
    recipients: Vec<(u64, BlockId)>,
    attachment_tables: Vec<(u64, BlockId)>,
    seen: HashSet<BlockId>,
}

impl Survey {
    pub(super) fn of(ndb: &Arc<NodeDatabase>, memory: &mut Memory) -> Self {
        let mut pass = Pass::default();
        for node in ndb.nodes().flatten() {
            if node.nid.node_type() == NodeType::NORMAL_MESSAGE && memory.take(ENTRY) {
                pass.messages.push((node.nid.0.into(), node.data.key()));
            }
            pass.list(ndb, node.data, node.subnodes, memory);
        }
        let unreferenced = unreferenced_or_found(ndb, memory);
        Self {
            lists: pass.lists,
            known: Known {
                values: Order::of(pass.values),
                attachments: Order::of(pass.attachments),
                messages: Order::of(pass.messages),
                recipients: Order::of(pass.recipients),
                attachment_tables: Order::of(pass.attachment_tables),
            },
            free: unreferenced.data.into_iter().map(|(bid, _)| bid).collect(),
            free_lists: unreferenced.subnodes,
        }
    }
}

impl Pass {
    /// Takes the list `tree` of the node with `data`, and those below it.
    fn list(&mut self, ndb: &Arc<NodeDatabase>, data: BlockId, tree: BlockId, memory: &mut Memory) {
        let mut todo = vec![(data, tree)];
        while let Some((data, tree)) = todo.pop() {
            if tree.is_none() || !memory.take(LIST) || !self.seen.insert(tree.key()) {
                continue;
            }
            let list = subnode_list(ndb, tree);
            if list.as_ref().is_err_and(|error| error.is_unread()) {
                continue;
            }
            let list = list.unwrap_or_default();
            for entry in &list.entries {
                if memory.take(ENTRY) {
                    self.entry(tree, entry);
                }
                todo.push((entry.data, entry.subnodes));
            }
            if !list.is_whole {
                self.lists.push(List::new(tree.key(), data, list.entries));
            }
        }
    }

    fn entry(&mut self, tree: BlockId, entry: &SubnodeEntry) {
        let by_id = (u64::from(entry.nid.0), entry.data.key());
        let by_list = (tree.key().0, entry.data.key());
        match entry.nid {
            NodeId::RECIPIENT_TABLE => self.recipients.push(by_list),
            NodeId::ATTACHMENT_TABLE => self.attachment_tables.push(by_list),
            nid => match nid.node_type() {
                NodeType::LTP => self.values.push(by_id),
                NodeType::ATTACHMENT => self.attachments.push(by_id),
                NodeType::NORMAL_MESSAGE => self.messages.push(by_id),
                _ => {}
            },
        }
    }
}
