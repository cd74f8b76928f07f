//! Whether a block can be the part that a list lacks: by what the item states about that part, and what the block holds.

use std::sync::Arc;

use super::content::{Content, WantedValue, content};
use super::contexts::unnamed;
use super::order::Fit;
use crate::codepage;
use crate::ltp::{
    PropertyContext, PropertyStream, PropertyType, Row, TableContext, Value, ValueKind, tags,
};
use crate::messaging::{MSGFLAG_HASATTACH, RecipientType, text_of_value};
use crate::ndb::{BlockId, Node, NodeDatabase, NodeId, SubnodeEntry};

/// Whether the message with the properties `context` has the table `nid`.
pub(super) fn has_table(context: &PropertyContext, nid: NodeId) -> bool {
    let flags = match context.get(tags::MESSAGE_FLAGS) {
        Ok(Some(Value::Integer(flags))) => flags,
        _ => 0,
    };
    let names = [tags::DISPLAY_TO, tags::DISPLAY_CC, tags::DISPLAY_BCC];
    match nid {
        NodeId::ATTACHMENT_TABLE => flags & MSGFLAG_HASATTACH != 0,
        _ => names.into_iter().any(|id| {
            let start = context.start(id, 2);
            !matches!(&start, Ok(None)) && !start.is_ok_and(|start| is_empty(start.as_ref()))
        }),
    }
}

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        Some(Value::String(bytes) | Value::String8(bytes)) => bytes.is_empty(),
        _ => false,
    }
}

/// Whether the recipients in `data` can be those that PidTagDisplayTo of `context` names.
pub(super) fn recipients_fit(
    ndb: &Arc<NodeDatabase>,
    context: &PropertyContext,
    data: BlockId,
) -> Fit {
    let Ok(table) = TableContext::open(Node::of_entry(ndb, unnamed(data, BlockId::NONE))) else {
        return Fit::Perhaps;
    };
    let Ok(Some(display)) = context.get(tags::DISPLAY_TO) else {
        return Fit::Perhaps;
    };
    let is_to = |row: &Row<'_>| {
        let kind = row.get(tags::RECIPIENT_TYPE);
        matches!(kind, Ok(Some(Value::Integer(kind))) if RecipientType::of(kind) == RecipientType::To)
    };
    let rows = table.rows();
    let names = rows.iter().filter(|row| is_to(row));
    let names = names.filter_map(|row| text(&row.get(tags::DISPLAY_NAME).ok()??));
    let names: Vec<String> = names.collect();
    match text(&display) {
        Some(display) if display == names.join("; ") => Fit::Surely,
        Some(display) if names.iter().any(|name| display.contains(name)) => Fit::Perhaps,
        Some(_) if !names.is_empty() => Fit::No,
        _ => Fit::Perhaps,
    }
}

/// A text in lower case, for comparisons: some writers change the case.
fn text(value: &Value) -> Option<String> {
    // Both sides are of one message, so any code page tells whether they are the same.
    let text = text_of_value(value, codepage::WINDOWS_LATIN1)?;
    Some(text.to_lowercase())
}

/// What the value in the data tree with the top block `data` is.
pub(super) fn value_kind(ndb: &Arc<NodeDatabase>, data: BlockId) -> ValueKind {
    let node = Node::of_entry(ndb, unnamed(data, BlockId::NONE));
    match PropertyStream::of_node(&node) {
        Ok(stream) => ValueKind::of(&stream),
        Err(_) => ValueKind::Unreadable,
    }
}

/// The attachments of a table with the sizes that it gives for them.
pub(super) fn attachment_rows(
    ndb: &Arc<NodeDatabase>,
    table: &SubnodeEntry,
) -> Vec<(NodeId, Option<i32>)> {
    let node = Node::of_entry(ndb, unnamed(table.data, table.subnodes));
    let Ok(table) = TableContext::open(node) else {
        return Vec::new();
    };
    let rows = table.row_index();
    let size = |id, number| match table.row(id, number).ok()?.get(tags::ATTACH_SIZE).ok()? {
        Some(Value::Integer(size)) => Some(size),
        _ => None,
    };
    rows.into_iter()
        .map(|(id, number)| (NodeId(id), size(id, number)))
        .collect()
}

/// Whether the attachment in `data` has the `size` of its row.
pub(super) fn attachment_fits(ndb: &Arc<NodeDatabase>, size: Option<i32>, data: BlockId) -> Fit {
    let Content::Attachment(context) = content(ndb, data) else {
        return Fit::No;
    };
    match (size, context.get(tags::ATTACH_SIZE)) {
        (Some(size), Ok(Some(Value::Integer(own)))) if size == own => Fit::Surely,
        (Some(_), Ok(Some(Value::Integer(_)))) => Fit::No,
        _ => Fit::Perhaps,
    }
}

/// Whether a value of this `kind` can be that of the property.
pub(super) fn value_fits(value: &WantedValue, kind: ValueKind) -> Fit {
    let Some((id, property_type)) = value.property else {
        return Fit::Perhaps;
    };
    let is_expected = match (id, kind) {
        (_, ValueKind::Unreadable) => true,
        (tags::RTF_COMPRESSED, ValueKind::Rtf) => return Fit::Surely,
        (tags::RTF_COMPRESSED, _) | (_, ValueKind::Rtf) => false,
        (tags::HTML, _) => matches!(kind, ValueKind::Html | ValueKind::Ascii),
        (_, ValueKind::Other) => property_type != PropertyType::STRING,
        (_, ValueKind::Text | ValueKind::Ascii | ValueKind::Html) => true,
    };
    match is_expected {
        true => Fit::Perhaps,
        false => Fit::No,
    }
}
