//! Which subnode tree belongs to a property context, by what is in both.
//!
//! Of all trees that nobody refers to, a context's own has every subnode that a value of the context is in, no other
//! subnode that holds a value, recipients that make PidTagDisplayTo, -Cc and -Bcc, and attachments if
//! PidTagMessageFlags states it. If one tree alone is left, and all trees are known, it is that. If not all are known, it is
//! that as well, which is told: it may be another's.

use std::collections::HashMap;
use std::sync::Arc;

use super::contexts::unnamed;
use super::references::Unreferenced;
use crate::ltp::{HnidTarget, PropertyContext, tags};
use crate::messaging::{MSGFLAG_HASATTACH, Message, RecipientType, Store};
use crate::ndb::scan::Memory;
use crate::ndb::{BlockId, Node, NodeId, NodeType};

/// Bytes that a tree takes, beside those of the ids of its subnodes.
const TREE: usize = 128;
/// Trees that are tried for one context.
const MAX_TRIED: usize = 64;

/// The subnodes of a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// It has none, and needs none.
    None,
    /// Those of this tree.
    Tree(BlockId),
    /// Those of this tree, as far as can be told.
    Likely(BlockId),
    /// They cannot be told.
    Unknown,
}

/// A context that looks for its tree.
struct Wanted {
    data: BlockId,
    /// Subnodes that its values are in, ascending.
    values: Vec<NodeId>,
    fitting: Vec<usize>,
    /// Whether there were more trees to try than are tried.
    unsure: bool,
}

/// All contexts and trees of a file that have lost each other.
pub(super) struct Subnodes<'a> {
    store: &'a Arc<Store>,
    /// All trees.
    trees: Vec<BlockId>,
    /// Indices of trees by their subnodes that hold a value of a property, ascending.
    by_values: HashMap<Vec<NodeId>, Vec<usize>>,
    wanted: Vec<Wanted>,
    complete: bool,
}

impl<'a> Subnodes<'a> {
    pub(super) fn new(store: &'a Arc<Store>, found: &Unreferenced, memory: &mut Memory) -> Self {
        let mut all = Self {
            store,
            trees: Vec::new(),
            by_values: HashMap::new(),
            wanted: Vec::new(),
            complete: found.complete,
        };
        let own = found.subnodes.iter().map(|bid| (bid, true));
        let shared = found.shared.iter().map(|bid| (bid, false));
        for (bid, is_tree) in own.chain(shared) {
            let node = Node::of_entry(store.ndb(), unnamed(BlockId::NONE, *bid));
            let subnodes = node.subnodes().unwrap_or_default();
            if subnodes.is_empty() {
                all.complete &= !is_tree;
                continue;
            }
            let mut values: Vec<NodeId> = subnodes
                .iter()
                .map(Node::nid)
                .filter(|nid| nid.node_type() == NodeType::LTP)
                .collect();
            if !memory.take(TREE + size_of_val(&*values)) {
                all.complete = false;
                continue;
            }
            values.sort_unstable();
            all.by_values
                .entry(values)
                .or_default()
                .push(all.trees.len());
            all.trees.push(*bid);
        }
        all
    }

    /// Adds a context, whose data are in the tree `data`.
    pub(super) fn add(&mut self, context: &PropertyContext, data: BlockId) {
        let targets = context
            .records()
            .iter()
            .filter_map(|record| match record.target() {
                Some(HnidTarget::Subnode(nid)) => Some(nid),
                _ => None,
            });
        let mut values: Vec<NodeId> = targets.collect();
        values.sort_unstable();
        values.dedup();
        let same = self.by_values.get(&values).map_or(&[][..], Vec::as_slice);
        let tried = same.get(..MAX_TRIED).unwrap_or(same);
        let fits = |tree: &&usize| {
            let tree = self.trees.get(**tree);
            tree.is_some_and(|tree| fits(self.store, data, *tree))
        };
        self.wanted.push(Wanted {
            data,
            values,
            fitting: tried.iter().filter(fits).copied().collect(),
            unsure: tried.len() < same.len(),
        });
    }

    /// The choice for each context, in the order in which they were added.
    pub(super) fn choose(mut self) -> Vec<Choice> {
        let mut choices = vec![Choice::Unknown; self.wanted.len()];
        // A tree that one context takes is not another's, so each round may settle more.
        loop {
            let mut taken = Vec::new();
            for (wanted, choice) in self.wanted.iter().zip(&mut choices) {
                if let ([tree], Choice::Unknown, false) = (&*wanted.fitting, *choice, wanted.unsure)
                    && (self.complete || !wanted.values.is_empty())
                    && !taken.contains(tree)
                    && let Some(found) = self.trees.get(*tree)
                {
                    *choice = Choice::Tree(*found);
                    taken.push(*tree);
                }
            }
            if taken.is_empty() {
                break;
            }
            for wanted in &mut self.wanted {
                wanted.fitting.retain(|tree| !taken.contains(tree));
            }
        }
        for (wanted, choice) in self.wanted.iter().zip(&mut choices) {
            let needs_none =
                wanted.values.is_empty() && fits(self.store, wanted.data, BlockId::NONE);
            if *choice == Choice::Unknown
                && needs_none
                && self.complete
                && wanted.fitting.is_empty()
            {
                *choice = Choice::None;
            }
        }
        self.guess(&mut choices);
        choices
    }

    /// Gives contexts without a choice the one tree that fits them and no other, though there may be trees that are not known.
    fn guess(&self, choices: &mut [Choice]) {
        let is_open = |choice: &Choice| *choice == Choice::Unknown;
        let open = self.wanted.iter().zip(&*choices);
        let mut wishes: HashMap<usize, usize> = HashMap::new();
        for (wanted, _) in open.filter(|(_, choice)| is_open(choice)) {
            for tree in &wanted.fitting {
                *wishes.entry(*tree).or_default() += 1;
            }
        }
        for (wanted, choice) in self.wanted.iter().zip(choices) {
            if let ([tree], true, false) = (&*wanted.fitting, is_open(choice), wanted.unsure)
                && wishes.get(tree) == Some(&1)
                && let Some(found) = self.trees.get(*tree)
                && has_parts(self.store, *found)
            {
                *choice = Choice::Likely(*found);
            }
        }
    }
}

/// Whether `subnodes` have recipients or attachments: what has none fits all who need none.
fn has_parts(store: &Arc<Store>, subnodes: BlockId) -> bool {
    let node = Node::of_entry(store.ndb(), unnamed(BlockId::NONE, subnodes));
    let subnodes = node.subnodes().unwrap_or_default();
    let is_part =
        |nid: NodeId| nid == NodeId::RECIPIENT_TABLE || nid.node_type() == NodeType::ATTACHMENT;
    subnodes.iter().any(|subnode| is_part(subnode.nid()))
}

/// Whether recipients and attachments in `subnodes` are those that the context in `data` lists.
fn fits(store: &Arc<Store>, data: BlockId, subnodes: BlockId) -> bool {
    let Ok(message) = Message::of_entry(store, unnamed(data, subnodes)) else {
        return false;
    };
    let own = message.properties();
    let recipients = message.recipients();
    let attachments = message.listed_attachments();
    let sound = message.problems().is_empty();
    let flags = own.integer(tags::MESSAGE_FLAGS).ok().flatten().unwrap_or(0);
    if !sound || (flags & MSGFLAG_HASATTACH != 0 && attachments.is_empty()) {
        return false;
    }
    let lists = [
        (tags::DISPLAY_TO, RecipientType::To),
        (tags::DISPLAY_CC, RecipientType::Cc),
        (tags::DISPLAY_BCC, RecipientType::Bcc),
    ];
    lists.into_iter().all(|(id, kind)| {
        let names: Vec<String> = recipients
            .iter()
            .filter(|recipient| recipient.recipient_type() == kind)
            .map(|recipient| recipient.string(tags::DISPLAY_NAME).unwrap_or_default())
            .collect();
        match own.string(id) {
            // Some writers change the case.
            Ok(display) => {
                display.unwrap_or_default().to_lowercase() == names.join("; ").to_lowercase()
            }
            // A value among the subnodes, which are on trial.
            Err(_) => true,
        }
    })
}
