//! The file that the rules are held against.

use std::sync::Arc;

use crate::messaging::Store;
use crate::ndb::{NodeEntry, NodeId, NodeType};

/// An open file.
pub(super) struct Scan<'a> {
    pub store: &'a Arc<Store>,
    /// All nodes, ascending.
    pub nodes: &'a [NodeEntry],
}

impl Scan<'_> {
    /// The node `nid`.
    pub fn entry(&self, nid: NodeId) -> Option<&NodeEntry> {
        let index = self.nodes.binary_search_by_key(&nid, |node| node.nid);
        self.nodes.get(index.ok()?)
    }
}

/// Whether it is a table of a folder, which has rows for folders or messages.
pub(super) fn is_table(nid: NodeId) -> bool {
    matches!(
        nid.node_type(),
        NodeType::HIERARCHY_TABLE | NodeType::CONTENTS_TABLE | NodeType::ASSOC_CONTENTS_TABLE
    )
}
