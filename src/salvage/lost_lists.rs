//! Lists that are lost, put together: of subnodes (SLBLOCK, SIBLOCK) and of the leaves of a data tree (XBLOCK).
//!
//! The data of a node whose list is lost still refers to its subnodes: its values are in some, a message has a recipient table and
//! an attachment table, and the latter lists the attachments. The blocks are those that nothing else refers to. Which is
//! whose, the order tells in which ids and blocks were handed out ([`super::order`]), if nothing in the blocks contradicts.
//! All that is shown so has a problem. What is left over is shown in items of its own.
//!
//! Blocks are taken in order if they are as many as the ids between two known parts and nothing in them contradicts,
//! else those alone that fit each other and nothing else. PidTagAttachSize, the sum of all values of an attachment,
//! shows which content surely fits.
//!
//! What is left over: a text is a message without properties, anything else its attachment, both in `lost+found`. An
//! export writes that when all else is written, so what is in it does not depend on the order of its threads.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::content::{Content, WantedValue, content, wanted_values};
use super::fit::{
    attachment_fits, attachment_rows, has_table, recipients_fit, value_fits, value_kind,
};
use super::leaves::lost_leaves;
use super::order::{Fit, MAX_COMPARED, Order};
use super::survey::{Known, List, Survey};
use crate::ltp::{PropertyContext, ValueKind};
use crate::ndb::scan::Memory;
use crate::ndb::{
    BlockId, DataTree, LostLists, NodeDatabase, NodeId, NodeType, Rest, SubnodeEntry, subnode_list,
};

/// Messages within attachments whose lists are lost on every level are followed so deep.
const ROUNDS: usize = 8;
/// Bytes that a subnode takes that a list lacks.
const WANTED: usize = 64;
/// By how many bytes the size of an attachment may be another than that of its values: Outlook's differ by ten at most.
const SIZE_SLACK: u64 = 16;
/// Ids of the subnodes of items that are made of what is left.
const ATTACHMENT: NodeId = NodeId(0x8000 | NodeType::ATTACHMENT.0 as u32);
const VALUE: NodeId = NodeId(0x8000 | NodeType::LTP.0 as u32);

/// What stands in for the lost lists of the file.
pub fn lost_lists(ndb: &Arc<NodeDatabase>) -> LostLists {
    let mut memory = Memory::of_messages(ndb.source());
    let mut survey = Survey::of(ndb, &mut memory);
    let leaves = lost_leaves(ndb, &mut survey.free);
    // Nodes that are lost have parts, too, and not only those of messages: they alone are no reason to show such, unless all newer
    // ones are.
    let has_lost = !survey.lists.is_empty() || !leaves.is_empty() || ndb.has_older_nodes();
    let mut search = Search::new(ndb, survey, &leaves, memory);
    let mut start = 0;
    for _ in 0..ROUNDS {
        let end = search.lists.len();
        if start == end {
            break;
        }
        search.tables(start..end);
        search.attachments(start..end);
        search.embedded_messages(start..end);
        start = end;
    }
    search.values();
    let mut subnodes = search.found();
    let rest = match has_lost {
        true => search.rest(&mut subnodes),
        false => Vec::new(),
    };
    LostLists {
        subnodes,
        leaves,
        rest,
    }
}

/// The search for what the lists lack.
struct Search<'a> {
    ndb: &'a Arc<NodeDatabase>,
    leaves: &'a HashMap<BlockId, Vec<BlockId>>,
    lists: Vec<List>,
    known: Known,
    /// What nothing leads to, by its content.
    recipients: BTreeSet<BlockId>,
    attachment_tables: BTreeSet<BlockId>,
    attachments: BTreeSet<BlockId>,
    messages: BTreeSet<BlockId>,
    values: BTreeSet<BlockId>,
    /// Lists that nothing leads to, by the ids of the values in them.
    free_lists: HashMap<Vec<NodeId>, Vec<BlockId>>,
    made_up: u32,
    memory: Memory,
    /// Pairs of a subnode and a block that may still be compared.
    left: usize,
}

/// A subnode that a list lacks: its id, the key of its order, and the index of its list.
struct Wanted<T> {
    key: u64,
    nid: NodeId,
    list: usize,
    what: T,
}

impl<'a> Search<'a> {
    fn new(
        ndb: &'a Arc<NodeDatabase>,
        survey: Survey,
        leaves: &'a HashMap<BlockId, Vec<BlockId>>,
        memory: Memory,
    ) -> Self {
        let mut search = Self {
            ndb,
            leaves,
            lists: survey.lists,
            known: survey.known,
            recipients: BTreeSet::new(),
            attachment_tables: BTreeSet::new(),
            attachments: BTreeSet::new(),
            messages: BTreeSet::new(),
            values: BTreeSet::new(),
            free_lists: HashMap::new(),
            made_up: 0,
            memory,
            left: MAX_COMPARED,
        };
        for data in survey.free {
            let kind = match content(ndb, data) {
                Content::Message(_) => &mut search.messages,
                Content::Attachment(_) => &mut search.attachments,
                Content::Recipients => &mut search.recipients,
                Content::Attachments => &mut search.attachment_tables,
                Content::Value | Content::Unreadable => &mut search.values,
                Content::Heap => continue,
            };
            kind.insert(data);
        }
        for tree in survey.free_lists {
            let list = subnode_list(ndb, tree).unwrap_or_default();
            let nids = list.entries.iter().map(|entry| entry.nid);
            let key = values_among(nids);
            search.free_lists.entry(key).or_default().push(tree);
        }
        search
    }

    /// The properties of the node of list `index`, if it is a message.
    fn message(&self, index: usize) -> Option<PropertyContext> {
        match content(self.ndb, self.lists.get(index)?.data) {
            Content::Message(context) => Some(context),
            _ => None,
        }
    }

    /// Finds the tables of the messages whose lists are `lists`.
    fn tables(&mut self, lists: std::ops::Range<usize>) {
        let messages: Vec<(usize, PropertyContext)> = lists
            .filter_map(|index| Some((index, self.message(index)?)))
            .collect();
        for nid in [NodeId::RECIPIENT_TABLE, NodeId::ATTACHMENT_TABLE] {
            let lacking = messages.iter().filter_map(|(index, context)| {
                let list = self.lists.get(*index)?;
                let wanted = list.entry(nid).is_none() && has_table(context, nid);
                wanted.then_some(Wanted {
                    key: list.tree.0,
                    nid,
                    list: *index,
                    what: context,
                })
            });
            let wanted: Vec<_> = lacking.collect();
            let assigned = match nid {
                NodeId::RECIPIENT_TABLE => {
                    let ndb = self.ndb;
                    let fit = |context: &&PropertyContext, data| recipients_fit(ndb, context, data);
                    assign(
                        &self.known.recipients,
                        wanted,
                        &mut self.recipients,
                        &mut self.left,
                        fit,
                    )
                }
                _ => {
                    let order = &self.known.attachment_tables;
                    assign(
                        order,
                        wanted,
                        &mut self.attachment_tables,
                        &mut self.left,
                        |_, _| Fit::Perhaps,
                    )
                }
            };
            self.add(assigned);
        }
    }

    /// Finds the attachments that the tables of the messages with `lists` list.
    fn attachments(&mut self, lists: std::ops::Range<usize>) {
        let mut wanted = Vec::new();
        let all = self.lists.iter().enumerate();
        for (index, list) in all.take(lists.end).skip(lists.start) {
            let Some(table) = list.entry(NodeId::ATTACHMENT_TABLE) else {
                continue;
            };
            for (nid, size) in attachment_rows(self.ndb, table) {
                if list.entry(nid).is_none() && self.memory.take(WANTED) {
                    wanted.push(Wanted {
                        key: nid.0.into(),
                        nid,
                        list: index,
                        what: size,
                    });
                }
            }
        }
        let ndb = self.ndb;
        let fit = |size: &Option<i32>, data| attachment_fits(ndb, *size, data);
        let assigned = assign(
            &self.known.attachments,
            wanted,
            &mut self.attachments,
            &mut self.left,
            fit,
        );
        self.add(assigned);
    }

    /// Finds the messages that are embedded in the attachments with `lists`.
    fn embedded_messages(&mut self, lists: std::ops::Range<usize>) {
        let wanted = self.wanted(lists, WantedValue::is_message);
        let assigned = assign(
            &self.known.messages,
            wanted,
            &mut self.messages,
            &mut self.left,
            |_, _| Fit::Perhaps,
        );
        self.add(assigned);
    }

    /// Finds the values of all lists.
    fn values(&mut self) {
        let wanted = self.wanted(0..self.lists.len(), |value| !value.is_message());
        let (ndb, leaves) = (self.ndb, self.leaves);
        let mut kinds = HashMap::new();
        let fit = |value: &WantedValue, data: BlockId| {
            let found = || {
                (
                    value_kind(ndb, first_leaf(leaves, data)),
                    value_len(ndb, leaves, data),
                )
            };
            let (kind, len) = *kinds.entry(data).or_insert_with(found);
            match (value_fits(value, kind), value.len, len) {
                (Fit::Perhaps, Some(wanted), Some(len)) if wanted.abs_diff(len) <= SIZE_SLACK => {
                    Fit::Surely
                }
                (fit, ..) => fit,
            }
        };
        let assigned = assign(
            &self.known.values,
            wanted,
            &mut self.values,
            &mut self.left,
            fit,
        );
        self.add(assigned);
    }

    /// The values that `lists` lack, as far as `is_of_kind`.
    fn wanted(
        &mut self,
        lists: std::ops::Range<usize>,
        is_of_kind: impl Fn(&WantedValue) -> bool,
    ) -> Vec<Wanted<WantedValue>> {
        let mut wanted = Vec::new();
        let memory = &mut self.memory;
        let all = self.lists.iter().enumerate();
        for (index, list) in all.take(lists.end).skip(lists.start) {
            let values = wanted_values(self.ndb, list.data).into_iter();
            let lacking = values.filter(|value| {
                is_of_kind(value) && list.entry(value.nid).is_none() && memory.take(WANTED)
            });
            wanted.extend(lacking.map(|value| Wanted {
                key: value.nid.0.into(),
                nid: value.nid,
                list: index,
                what: value,
            }));
        }
        wanted
    }

    /// Adds what was found to its lists, each with a list of its own subnodes if it has some.
    fn add(&mut self, assigned: Vec<(usize, NodeId, BlockId)>) {
        for (list, nid, data) in assigned {
            let subnodes = self.list_of(data);
            if let Some(list) = self.lists.get_mut(list) {
                list.add(SubnodeEntry {
                    nid,
                    data,
                    subnodes,
                });
            }
        }
    }

    /// The list of the subnodes of the node with `data`: the free one that has just its values; else a new one, to be found.
    fn list_of(&mut self, data: BlockId) -> BlockId {
        let is_message = match content(self.ndb, data) {
            Content::Message(_) => true,
            Content::Attachment(_) | Content::Recipients | Content::Attachments => false,
            Content::Heap | Content::Value | Content::Unreadable => return BlockId::NONE,
        };
        let wanted = wanted_values(self.ndb, data).into_iter();
        let key = values_among(wanted.map(|value| value.nid));
        if key.is_empty() && !is_message {
            return BlockId::NONE;
        }
        if let Some(same) = self.free_lists.get_mut(&key).filter(|_| !key.is_empty())
            && let Some(nearest) = nearest(same, data)
        {
            return same.remove(nearest);
        }
        let tree = self.made_up_list();
        self.lists.push(List::new(tree, data, Vec::new()));
        tree
    }

    fn made_up_list(&mut self) -> BlockId {
        self.made_up += 1;
        BlockId::made_up(self.made_up)
    }

    /// What was found, by list.
    fn found(&self) -> HashMap<BlockId, Vec<SubnodeEntry>> {
        let lists = self.lists.iter();
        lists
            .filter_map(|list| Some((list.tree, list.completed()?)))
            .collect()
    }

    /// Items made of what belongs to no list; what they need is added to `subnodes`.
    fn rest(mut self, subnodes: &mut HashMap<BlockId, Vec<SubnodeEntry>>) -> Vec<Rest> {
        let mut rest = Vec::new();
        for data in std::mem::take(&mut self.attachments) {
            let list = self.list_of(data);
            let of_item = self.made_up_list();
            subnodes.insert(of_item, vec![entry(ATTACHMENT, data, list)]);
            rest.push(Rest {
                of: data,
                subnodes: of_item,
            });
        }
        for data in std::mem::take(&mut self.values) {
            let is_text = match value_kind(self.ndb, first_leaf(self.leaves, data)) {
                ValueKind::Unreadable => continue,
                ValueKind::Other => false,
                ValueKind::Rtf | ValueKind::Html | ValueKind::Text | ValueKind::Ascii => true,
            };
            let list = self.made_up_list();
            subnodes.insert(list, vec![entry(VALUE, data, BlockId::NONE)]);
            let subnodes = if is_text {
                list
            } else {
                self.in_attachment(list, subnodes)
            };
            rest.push(Rest { of: data, subnodes });
        }
        let free_lists = std::mem::take(&mut self.free_lists).into_values();
        let mut lists: Vec<BlockId> = free_lists.flatten().collect();
        lists.sort_unstable();
        for list in lists {
            let is_of_message = self.is_of_message(list);
            let subnodes = if is_of_message {
                list
            } else {
                self.in_attachment(list, subnodes)
            };
            rest.push(Rest { of: list, subnodes });
        }
        rest
    }

    /// The list of an item with one attachment, whose list is `list`.
    fn in_attachment(
        &mut self,
        list: BlockId,
        subnodes: &mut HashMap<BlockId, Vec<SubnodeEntry>>,
    ) -> BlockId {
        let of_item = self.made_up_list();
        subnodes.insert(of_item, vec![entry(ATTACHMENT, BlockId::NONE, list)]);
        of_item
    }

    /// Whether `list` is that of a message: it has tables or attachments, or nothing but texts.
    fn is_of_message(&self, list: BlockId) -> bool {
        let entries = subnode_list(self.ndb, list).unwrap_or_default().entries;
        let is_value = |entry: &SubnodeEntry| entry.nid.node_type() == NodeType::LTP;
        let is_text = |entry: &SubnodeEntry| {
            let kind = value_kind(self.ndb, first_leaf(self.leaves, entry.data));
            !matches!(kind, ValueKind::Other | ValueKind::Unreadable)
        };
        !entries.iter().all(is_value) || entries.iter().all(is_text)
    }
}

/// The block that the data tree `data` begins with, if its XBLOCK is lost; else `data`.
fn first_leaf(leaves: &HashMap<BlockId, Vec<BlockId>>, data: BlockId) -> BlockId {
    let leaves = leaves.get(&data.key());
    leaves
        .and_then(|leaves| leaves.first())
        .copied()
        .unwrap_or(data)
}

/// How long the value in the data tree `data` is, in bytes; None if that cannot be told.
fn value_len(
    ndb: &Arc<NodeDatabase>,
    leaves: &HashMap<BlockId, Vec<BlockId>>,
    data: BlockId,
) -> Option<u64> {
    match leaves.get(&data.key()) {
        Some(leaves) => leaves.iter().map(|leaf| ndb.block_len(*leaf).ok()).sum(),
        None => Some(DataTree::open(ndb, data).ok()?.len()),
    }
}

/// Which of `lists` has the id that is next to that of `data`: writers store a node and its list one after the other.
fn nearest(lists: &[BlockId], data: BlockId) -> Option<usize> {
    let distance = |(_, list): &(usize, &BlockId)| list.0.abs_diff(data.0);
    let nearest = lists.iter().enumerate().min_by_key(distance);
    nearest.map(|(index, _)| index)
}

fn entry(nid: NodeId, data: BlockId, subnodes: BlockId) -> SubnodeEntry {
    SubnodeEntry {
        nid,
        data,
        subnodes,
    }
}

/// Those of `nids` that are subnodes with values, ascending.
fn values_among(nids: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
    let mut values: Vec<NodeId> = nids
        .filter(|nid| {
            nid.node_type() == NodeType::LTP || nid.node_type() == NodeType::NORMAL_MESSAGE
        })
        .collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Gives each of `wanted` its block out of `free`, where that can be told: list, id and block.
fn assign<T>(
    order: &Order,
    mut wanted: Vec<Wanted<T>>,
    free: &mut BTreeSet<BlockId>,
    left: &mut usize,
    mut fit: impl FnMut(&T, BlockId) -> Fit,
) -> Vec<(usize, NodeId, BlockId)> {
    wanted.sort_by_key(|wanted| (wanted.key, wanted.list));
    let keys: Vec<u64> = wanted.iter().map(|wanted| wanted.key).collect();
    let fits = |index: usize, data| match wanted.get(index) {
        Some(wanted) => fit(&wanted.what, data),
        None => Fit::No,
    };
    let assigned = order.assign(&keys, free, left, fits);
    let mut found = Vec::with_capacity(assigned.len());
    for (index, data) in assigned {
        if let Some(wanted) = wanted.get(index).filter(|_| free.remove(&data)) {
            found.push((wanted.list, wanted.nid, data));
        }
    }
    found
}
