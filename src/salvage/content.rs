//! What the data of a node is, by what is in it: for data that has lost what leads to it.

use std::sync::Arc;

use super::contexts::unnamed;
use crate::ltp::{
    Heap, HnidTarget, PropertyContext, PropertyRecord, PropertyType, TableContext, Value, tags,
};
use crate::ndb::{BlockId, DataTree, Node, NodeDatabase, NodeId, NodeType};

/// What a data tree holds.
#[derive(Debug)]
pub(super) enum Content {
    /// The properties of a message.
    Message(PropertyContext),
    /// The properties of an attachment.
    Attachment(PropertyContext),
    /// A table with recipients.
    Recipients,
    /// A table of attachments.
    Attachments,
    /// A heap of another kind.
    Heap,
    /// No heap: a value, or rows of a table.
    Value,
    /// It cannot be read.
    Unreadable,
}

/// What the data tree with the top block `data` holds.
pub(super) fn content(ndb: &Arc<NodeDatabase>, data: BlockId) -> Content {
    let node = Node::of_entry(ndb, unnamed(data, BlockId::NONE));
    match DataTree::open(ndb, data).and_then(|tree| tree.leaf(0)) {
        Err(_) => return Content::Unreadable,
        // So a value would be taken for a heap by its third byte alone.
        Ok(first) if !Heap::is_heap(&first) => return Content::Value,
        Ok(_) => {}
    }
    if let Ok(context) = PropertyContext::open(node.clone()) {
        let has = |id| context.record(id).is_some();
        return match () {
            () if has(tags::MESSAGE_CLASS) => Content::Message(context),
            () if has(tags::ATTACH_METHOD) || has(tags::ATTACH_SIZE) => {
                Content::Attachment(context)
            }
            () => Content::Heap,
        };
    }
    let Ok((columns, _)) = TableContext::describe(node) else {
        return Content::Heap;
    };
    let has = |id| columns.iter().any(|column| column.id == id);
    match () {
        () if has(tags::RECIPIENT_TYPE) => Content::Recipients,
        () if has(tags::ATTACH_METHOD) => Content::Attachments,
        () => Content::Heap,
    }
}

/// A subnode that a value of a context, or the rows of a table, are in.
#[derive(Debug, Clone, Copy)]
pub(super) struct WantedValue {
    pub(super) nid: NodeId,
    /// The property; none for rows.
    pub(super) property: Option<(u16, PropertyType)>,
    /// How long it is, where that can be told.
    pub(super) len: Option<u64>,
}

/// Subnodes that the data tree with the top block `data` refers to, but for tables and attachments of a message.
pub(super) fn wanted_values(ndb: &Arc<NodeDatabase>, data: BlockId) -> Vec<WantedValue> {
    let node = Node::of_entry(ndb, unnamed(data, BlockId::NONE));
    let mut wanted: Vec<WantedValue> = match PropertyContext::open(node.clone()) {
        Ok(context) => {
            let records = context.records().iter();
            let values = records.filter_map(|record| wanted_value(&context, record));
            with_len_of_content(&context, values.collect())
        }
        Err(_) => {
            let rows = TableContext::describe(node).ok().and_then(|(_, rows)| rows);
            rows.map(|nid| WantedValue {
                nid,
                property: None,
                len: None,
            })
            .into_iter()
            .collect()
        }
    };
    wanted.sort_by_key(|value| value.nid);
    wanted.dedup_by_key(|value| value.nid);
    wanted
}

fn wanted_value(context: &PropertyContext, record: &PropertyRecord) -> Option<WantedValue> {
    let nid = match context.value_if_object(record).ok()? {
        Some(Value::Object { nid, .. }) => NodeId(nid),
        _ => match record.target()? {
            HnidTarget::Subnode(nid) => nid,
            HnidTarget::Empty | HnidTarget::Item(_) => return None,
        },
    };
    Some(WantedValue {
        nid,
        property: Some((record.id, record.property_type)),
        len: None,
    })
}

/// `wanted`, with the length of PidTagAttachDataBinary if that is all that the attachment `context` has elsewhere: its size
/// is that of all its values.
fn with_len_of_content(
    context: &PropertyContext,
    mut wanted: Vec<WantedValue>,
) -> Vec<WantedValue> {
    if let [content] = wanted.as_mut_slice()
        && content.property == Some((tags::ATTACH_DATA, PropertyType::BINARY))
        && let Ok(Some(Value::Integer(size))) = context.get(tags::ATTACH_SIZE)
    {
        let others = context.records().iter();
        let others = others.filter(|record| record.id != tags::ATTACH_DATA);
        let others = others.filter_map(|record| Some(size_of(&context.value(record).ok()??)));
        let others: u64 = others.sum();
        content.len = u64::try_from(size)
            .ok()
            .and_then(|size| size.checked_sub(others));
    }
    wanted
}

/// What `value` adds to PidTagAttachSize, in bytes: so Outlook counts, but for some bytes.
fn size_of(value: &Value) -> u64 {
    match value {
        Value::String(bytes) | Value::String8(bytes) | Value::Binary(bytes) => bytes.len() as u64,
        Value::Boolean(_) => 1,
        Value::Integer(_) | Value::Object { .. } => 4,
        Value::Integer64(_) | Value::Time(_) | Value::Floating(_) => 8,
        Value::Guid(_) => 16,
        Value::Multiple(values) => values.iter().map(size_of).sum(),
    }
}

impl WantedValue {
    /// Whether it is a message within an attachment.
    pub(super) fn is_message(&self) -> bool {
        self.nid.node_type() == NodeType::NORMAL_MESSAGE
    }
}
