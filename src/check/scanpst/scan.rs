//! The file that the rules are held against.

use std::sync::Arc;

use crate::bytes::u32_at;
use crate::messaging::Store;
use crate::ndb::{Node, NodeEntry, NodeId, NodeType};

/// Most bytes of a list of nodes that is read.
const MAX_LIST: u64 = 16 << 20;

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

    /// The data of `node`, a list of nodes; None if it cannot be read, or is longer than any list.
    pub fn data_of(&self, node: &Node) -> Option<Vec<u8>> {
        let data = node.data().ok()?;
        let len = Some(data.len()).filter(|len| *len <= MAX_LIST)?;
        let mut bytes = vec![0; usize::try_from(len).ok()?];
        data.read_at(0, &mut bytes, &mut |_, _| {}).ok()?;
        Some(bytes)
    }
}

/// The numbers of 4 bytes that `bytes` are.
pub(super) fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let numbers = bytes.chunks_exact(size_of::<u32>());
    numbers.filter_map(|number| u32_at(number, 0))
}

/// Whether it is a table of a folder, which has rows for folders or messages.
pub(super) fn is_table(nid: NodeId) -> bool {
    matches!(
        nid.node_type(),
        NodeType::HIERARCHY_TABLE | NodeType::CONTENTS_TABLE | NodeType::ASSOC_CONTENTS_TABLE
    )
}
