//! Property contexts of messages that no node names, each with the subnodes that can be told to be its own.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::readable::is_item;
use super::references::Unreferenced;
use super::subnodes::{Choice, Subnodes};
use crate::ltp::{HnidTarget, PropertyContext, Value, tags};
use crate::messaging::{MSGFLAG_ASSOCIATED, Message, Store};
use crate::ndb::scan::Memory;
use crate::ndb::{BlockId, Node, NodeEntry, NodeId, NodeType};

/// Bytes that a context takes while it looks for its subnodes, beside those of its values.
const CONTEXT: usize = 256;
/// Highest bit of the index of a node: no file has handed out so many. Ids made up for contexts have it.
const MADE_UP: u32 = 1 << 26;
/// Ids that are tried for one context: a file made on purpose has whole ranges of them taken.
const MOST_TRIES: u32 = 64;

/// A property context of a message that no node names.
pub(super) struct Context {
    pub(super) data: BlockId,
    /// How many references to `data` are lost: so many nodes had it.
    pub(super) references: i32,
    /// Properties by id with hashes of their values, of those that lie in its heap and can be compared with rows.
    pub(super) values: Box<[(u16, u64)]>,
    pub(super) subnodes: BlockId,
    /// Whether `subnodes` is known.
    pub(super) complete: bool,
}

impl Context {
    /// The message of this context, under any id.
    pub(super) fn open(&self, store: &Arc<Store>) -> crate::error::Result<Message> {
        Message::of_entry(store, unnamed(self.data, self.subnodes))
    }
}

/// `entry` under an id that is derived from the block `of`, and not `taken`; None if one after the other is. Real files need
/// one try.
pub(super) fn made_up(
    of: BlockId,
    entry: NodeEntry,
    taken: impl Fn(NodeId) -> bool,
) -> Option<NodeEntry> {
    let first = (of.0 >> 2) as u32;
    let type_only = NodeId(u32::from(NodeType::NORMAL_MESSAGE.0));
    let ids = (0..MOST_TRIES).map(|step| first.wrapping_add(step));
    let mut ids = ids.map(|index| type_only.with_index(index & (MADE_UP - 1) | MADE_UP));
    let nid = ids.find(|nid| !taken(*nid))?;
    Some(NodeEntry { nid, ..entry })
}

/// An entry for what no node names.
pub(super) fn unnamed(data: BlockId, subnodes: BlockId) -> NodeEntry {
    NodeEntry {
        nid: NodeId(u32::from(NodeType::NORMAL_MESSAGE.0)),
        data,
        subnodes,
        parent: NodeId(0),
    }
}

/// The contexts of visible messages among the data trees of `found`, with their values of the properties `compared`.
pub(super) fn contexts(
    store: &Arc<Store>,
    found: &Unreferenced,
    compared: &HashSet<u16>,
    memory: &mut Memory,
) -> Vec<Context> {
    let mut subnodes = Subnodes::new(store, found, memory);
    let mut contexts = Vec::new();
    for (data, references) in &found.data {
        let node = Node::of_entry(store.ndb(), unnamed(*data, BlockId::NONE));
        let Ok(context) = PropertyContext::open(node) else {
            continue;
        };
        let flags = match context.get(tags::MESSAGE_FLAGS) {
            Ok(Some(Value::Integer(flags))) => flags,
            _ => 0,
        };
        if !is_item(&context) || flags & MSGFLAG_ASSOCIATED != 0 {
            continue;
        }
        let values = context.records().iter().filter_map(|record| {
            let is_elsewhere = matches!(record.target(), Some(HnidTarget::Subnode(_)));
            if is_elsewhere || !compared.contains(&record.id) {
                return None;
            }
            Some((record.id, fingerprint(&context.value(record).ok()??)))
        });
        let values: Box<[(u16, u64)]> = values.collect();
        if !memory.take(CONTEXT + size_of_val(&*values)) {
            continue;
        }
        subnodes.add(&context, *data);
        contexts.push(Context {
            data: *data,
            references: *references,
            values,
            subnodes: BlockId::NONE,
            complete: false,
        });
    }
    for (context, choice) in contexts.iter_mut().zip(subnodes.choose()) {
        (context.subnodes, context.complete) = match choice {
            Choice::None => (BlockId::NONE, true),
            Choice::Tree(bid) => (bid, true),
            Choice::Likely(bid) => {
                store.ndb().guess_subnodes(bid);
                (bid, false)
            }
            Choice::Unknown => (BlockId::LOST, false),
        };
    }
    contexts
}

/// A hash of `value`: the same for the same value in a row and in a property context.
pub(super) fn fingerprint(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    match value {
        Value::String(bytes) | Value::String8(bytes) | Value::Binary(bytes) => {
            bytes.hash(&mut hasher);
        }
        Value::Integer(number) => number.hash(&mut hasher),
        Value::Integer64(number) => number.hash(&mut hasher),
        Value::Boolean(truth) => truth.hash(&mut hasher),
        Value::Time(time) => time.hash(&mut hasher),
        Value::Guid(guid) => guid.hash(&mut hasher),
        Value::Floating(number) => number.to_bits().hash(&mut hasher),
        Value::Object { nid, size } => (nid, size).hash(&mut hasher),
        Value::Multiple(values) => {
            let values: Vec<u64> = values.iter().map(fingerprint).collect();
            values.hash(&mut hasher);
        }
    }
    hasher.finish()
}
