//! Messages and attachments. [MS-PST] 2.4.5, 2.4.6

use std::collections::HashMap;

use super::rows;
use crate::check::checker::Checker;
use crate::ltp::{PropertyContext, TableContext, Value, tags};
use crate::messaging::{EntryId, MSGFLAG_SUBMIT, Message, MessageClass};
use crate::ndb::{BlockId, Node, NodeId, NodeType};

/// Subnodes of subnodes that are followed.
const MAX_DEPTH: usize = 128;
/// Size of PidTagSearchKey.
const SEARCH_KEY_SIZE: usize = 16;
/// What a message cannot do without.
const OF_MESSAGES: [(u16, &str); 6] = [
    (tags::MESSAGE_CLASS, "PidTagMessageClass"),
    (tags::MESSAGE_FLAGS, "PidTagMessageFlags"),
    (tags::MESSAGE_SIZE, "PidTagMessageSize"),
    (tags::CREATION_TIME, "PidTagCreationTime"),
    (tags::LAST_MODIFICATION_TIME, "PidTagLastModificationTime"),
    (tags::SEARCH_KEY, "PidTagSearchKey"),
];

/// PidTagMessageSize is the sum of the data of the node and of all its subnodes, as they are stored. [MS-PST] does not say
/// so; it holds for all messages of Outlook since 2007 SP2, in whatever folder.
pub(super) fn size(message: &Message, top: NodeId, checker: &mut Checker) {
    let Ok(Some(stored)) = message.properties().integer(tags::MESSAGE_SIZE) else {
        return;
    };
    let Some(expected) = stored_size(message.node(), MAX_DEPTH, &mut HashMap::new()) else {
        return;
    };
    if i64::from(stored) != expected as i64 {
        let problem = format!("PidTagMessageSize: expected {expected}, found {stored}");
        checker.warning("message", place(message, top), problem, Some(top));
    }
}

/// Bytes of data of `node` and of all that is below it; internal blocks and padding are none of it. None if that cannot be
/// read, or lies more than `depth` levels down. What is `known` is not looked at again: a hostile file has the same subnodes in
/// many ways.
fn stored_size(
    node: &Node,
    depth: usize,
    known: &mut HashMap<(BlockId, BlockId), u64>,
) -> Option<u64> {
    if let Some(size) = known.get(&node.blocks()) {
        return Some(*size);
    }
    let below = depth.checked_sub(1)?;
    let mut total = node.data().ok()?.len();
    for subnode in node.subnodes().ok()? {
        total = total.saturating_add(stored_size(&subnode, below, known)?);
    }
    known.insert(node.blocks(), total);
    Some(total)
}

/// Class, flags, size, times and search key are there, and the search key has its size.
pub(super) fn needed(message: &Message, top: NodeId, checker: &mut Checker) {
    let Some(context) = message.properties().context() else {
        return;
    };
    for (id, name) in OF_MESSAGES {
        if context.record(id).is_none() {
            let problem = format!("{name}: expected a value, found none");
            checker.warning("message", place(message, top), problem, Some(top));
        }
    }
    if let Ok(Some(Value::Binary(key))) = context.get(tags::SEARCH_KEY)
        && key.len() != SEARCH_KEY_SIZE
    {
        let problem = format!(
            "PidTagSearchKey: expected {SEARCH_KEY_SIZE} bytes, found {}",
            key.len()
        );
        checker.warning("message", place(message, top), problem, Some(top));
    }
}

/// A class is one that a form can have.
pub(super) fn class(message: &Message, top: NodeId, checker: &mut Checker) {
    let Ok(Some(class)) = message.properties().string(tags::MESSAGE_CLASS) else {
        return;
    };
    if !MessageClass::is_valid(&class) {
        let problem = format!(
            "PidTagMessageClass: expected printable ASCII without a dot at its end, found {class:?}"
        );
        checker.warning("message", place(message, top), problem, Some(top));
    }
}

/// What is to be sent is in the Outbox, and nowhere else.
pub(super) fn submitted(message: &Message, top: NodeId, checker: &mut Checker) {
    let store = message.store().properties();
    let outbox = store.and_then(|own| own.binary(tags::IPM_OUTBOX_ENTRY_ID).ok()?);
    let outbox = outbox.and_then(|entry_id| EntryId::node(&entry_id));
    let is_embedded = message.nid() != top;
    if is_embedded || outbox == Some(message.node().parent()) {
        return;
    }
    let properties = message.properties();
    if let Ok(Some(flags)) = properties.integer(tags::MESSAGE_FLAGS)
        && flags & MSGFLAG_SUBMIT != 0
    {
        let problem = format!(
            "PidTagMessageFlags: expected none of a message to be sent, as it is not in the Outbox, found {flags:#x}"
        );
        checker.warning("message", place(message, top), problem, Some(top));
    }
    if properties.has(tags::SUBMIT_FLAGS) {
        let problem = "PidTagSubmitFlags: expected none, as it is not in the Outbox, found some";
        checker.warning("message", place(message, top), problem, Some(top));
    }
}

/// PidTagAttachSize is the sum of the bytes of all values of the attachment, itself among them; a message or object in it
/// counts as large as its record states.
pub(super) fn attachment_sizes(message: &Message, top: NodeId, checker: &mut Checker) {
    for attachment in attachments(message) {
        let mut total = 0u64;
        for record in attachment.records() {
            total += match (
                record.property_type.fixed_size(),
                attachment.value_if_object(record),
            ) {
                (_, Ok(Some(Value::Object { size, .. }))) => size.into(),
                (Some(size), _) => size as u64,
                (None, _) => match attachment.stream(record.id) {
                    Ok(Some(stream)) => stream.len(),
                    _ => 0,
                },
            };
        }
        let problem = match attachment.get(tags::ATTACH_SIZE) {
            Ok(Some(Value::Integer(stored))) if i64::from(stored) == total as i64 => continue,
            Ok(Some(Value::Integer(stored))) => {
                format!("PidTagAttachSize: expected {total}, found {stored}")
            }
            _ => format!("PidTagAttachSize: expected {total}, found none"),
        };
        let place = format!("{}, {}", place(message, top), attachment.node().nid());
        checker.warning("attachment", place, problem, Some(top));
    }
}

/// Each attachment has PidTagRenderingPosition, of which -1 means: not within the text.
pub(super) fn rendering_positions(message: &Message, top: NodeId, checker: &mut Checker) {
    for attachment in attachments(message) {
        if attachment.record(tags::RENDERING_POSITION).is_none() {
            let place = format!("{}, {}", place(message, top), attachment.node().nid());
            let problem = "PidTagRenderingPosition: expected a value, found none";
            checker.warning("attachment", place, problem, Some(top));
        }
    }
}

/// What a row of the attachment table repeats is what the attachment has.
pub(super) fn attachment_rows(message: &Message, top: NodeId, checker: &mut Checker) {
    let table = message.node().subnode(NodeId::ATTACHMENT_TABLE);
    let Ok(Some(Ok(table))) = table.map(|node| node.map(TableContext::open)) else {
        return;
    };
    let listed = table.rows();
    for attachment in attachments(message) {
        let nid = attachment.node().nid();
        if let Some(row) = listed.iter().find(|row| row.id == nid.0) {
            let table = format!("{}, {}", place(message, top), NodeId::ATTACHMENT_TABLE);
            rows::like(row, &attachment, (&table, top), |_| false, checker);
        }
    }
}

fn attachments(message: &Message) -> impl Iterator<Item = PropertyContext> {
    let subnodes = message.node().subnodes().unwrap_or_default().into_iter();
    let own = subnodes.filter(|node| node.nid().node_type() == NodeType::ATTACHMENT);
    own.filter_map(|node| PropertyContext::open(node).ok())
}

/// Of an embedded message, whose it is as well.
fn place(message: &Message, top: NodeId) -> String {
    match message.nid() == top {
        true => top.to_string(),
        false => format!("{top}, {}", message.nid()),
    }
}
