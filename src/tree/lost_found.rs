//! What no folder lists any more, under the path of the folder that it belonged to where that is known. Found on first
//! need, since it takes a walk over all folders and all nodes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::context::Context;
use super::folders::Folders;
use crate::error::Result;
use crate::ndb::kept::Once;
use crate::ndb::{NodeEntry, NodeId, NodeType};

/// What the folders that can be reached list.
#[derive(Default)]
struct Reached {
    folders: HashSet<NodeId>,
    /// As they are listed: a vector, since there may be millions.
    messages: Vec<NodeId>,
}

/// What no folder lists, by the folder that it names as its parent; `lost+found` itself goes by the root folder.
#[derive(Debug, Default)]
pub(super) struct Lost {
    pub folders: BTreeMap<NodeId, BTreeSet<NodeId>>,
    pub messages: BTreeMap<NodeId, Vec<NodeId>>,
    /// Folders below a folder that hold something lost, though they are not lost themselves.
    pub paths: BTreeMap<NodeId, BTreeSet<NodeId>>,
}

impl Lost {
    /// Where in `lost+found` that belongs which has lost its `parent`: under the same path, if that is `known`.
    pub fn place(&mut self, context: &Context, known: bool, parent: NodeId) -> NodeId {
        if !known || !context.is_below_root(parent) {
            return context.root;
        }
        let mut at = parent;
        while at != context.root {
            let Some(above) = context.parent_of(at) else {
                break;
            };
            self.paths.entry(above).or_default().insert(at);
            at = above;
        }
        parent
    }

    /// The folder in whose directory message `nid` is shown; None if it is not lost.
    pub fn place_of(&self, nid: NodeId) -> Option<NodeId> {
        let mut places = self.messages.iter();
        let found = places.find(|(_, messages)| messages.contains(&nid));
        found.map(|(place, _)| *place)
    }
}

/// Finds what is lost when it is first asked for.
#[derive(Debug)]
pub(super) struct LostFound {
    context: Arc<Context>,
    folders: Arc<Folders>,
    lost: Once<Lost>,
}

impl LostFound {
    /// What the folders of `context` do not list; `lost` if that is known.
    pub fn new(context: Arc<Context>, folders: Arc<Folders>, lost: Option<Lost>) -> Self {
        Self {
            context,
            folders,
            lost: lost.map(Once::from).unwrap_or_default(),
        }
    }

    /// What is lost, if anybody has asked before.
    pub fn known(&self) -> Option<&Lost> {
        self.lost.get()
    }

    /// What is lost.
    pub fn lost(&self) -> Result<&Lost> {
        self.lost.get_or_make(|| Ok(self.find()))
    }

    /// The lost folders that are in no other lost one.
    pub fn topmost(&self) -> Vec<NodeId> {
        let lost = self.lost().ok().into_iter();
        lost.flat_map(|lost| lost.folders.values().flatten())
            .copied()
            .collect()
    }

    /// All lost folders, those within them too, and all other messages.
    pub fn all(&self) -> (Vec<NodeId>, Vec<NodeId>) {
        let Ok(lost) = self.lost() else {
            return Default::default();
        };
        let mut todo = self.topmost();
        let mut folders = BTreeSet::new();
        while let Some(nid) = todo.pop() {
            if folders.insert(nid) {
                let below = self.folders.subfolders(nid).into_iter();
                todo.extend(below.map(|(child, _)| child));
            }
        }
        let messages = lost.messages.values().flatten().copied();
        (folders.into_iter().collect(), messages.collect())
    }

    /// How many messages are lost, those in lost folders among them.
    pub fn count(&self) -> u64 {
        let (folders, alone) = self.all();
        let folders = folders.into_iter();
        let within = folders.map(|nid| self.folders.contents(&self.folders.open(nid)).len());
        (alone.len() + within.sum::<usize>()) as u64
    }

    fn find(&self) -> Lost {
        let mut lost = Lost::default();
        let mut reached = Reached::default();
        self.reach(NodeId::ROOT_FOLDER, &mut reached);
        self.reach(self.context.root, &mut reached);
        let folders: BTreeMap<NodeId, NodeId> = self
            .nodes_of_type(NodeType::NORMAL_FOLDER)
            .map(|node| (node.nid, node.parent))
            .collect();
        // A folder whose parent is lost as well is shown below that parent.
        for (topmost_only, (nid, parent)) in [true, false]
            .into_iter()
            .flat_map(|pass| folders.iter().map(move |folder| (pass, folder)))
        {
            let below_lost = folders.contains_key(parent) && !reached.folders.contains(parent);
            if reached.folders.contains(nid) || (topmost_only && below_lost) {
                continue;
            }
            let at = lost.place(&self.context, reached.folders.contains(parent), *parent);
            lost.folders.entry(at).or_default().insert(*nid);
            self.reach(*nid, &mut reached);
        }
        let Reached {
            folders: reached,
            messages: mut listed,
        } = reached;
        listed.sort_unstable();
        // A B-tree with damage may have a key twice.
        let mut seen = HashSet::new();
        let mut is_lost = |nid: NodeId| listed.binary_search(&nid).is_err() && seen.insert(nid);
        let hidden = self.context.options.all.then_some(NodeType::ASSOC_MESSAGE);
        let types = [NodeType::NORMAL_MESSAGE].into_iter().chain(hidden);
        for node in types.flat_map(|wanted| self.nodes_of_type(wanted)) {
            // One that has lost all its data is in its file's name alone.
            if is_lost(node.nid) && !node.data.is_none() {
                let known = reached.contains(&node.parent);
                let at = lost.place(&self.context, known, node.parent);
                lost.messages.entry(at).or_default().push(node.nid);
            }
        }
        let unlisted = self.context.store.unlisted_messages().into_iter();
        lost.messages
            .entry(self.context.root)
            .or_default()
            .extend(unlisted.filter(|nid| is_lost(*nid)));
        lost
    }

    /// Adds folder `top`, all folders below it and what they list.
    fn reach(&self, top: NodeId, reached: &mut Reached) {
        let mut todo = vec![top];
        while let Some(nid) = todo.pop() {
            if !reached.folders.insert(nid) {
                continue;
            }
            if nid.node_type() == NodeType::SEARCH_FOLDER {
                continue;
            }
            let folder = self.folders.open(nid);
            let contents = self.folders.contents(&folder);
            reached.messages.extend(contents.nids());
            if self.context.options.all {
                let hidden = self.folders.associated_contents(&folder);
                reached.messages.extend(hidden.nids());
            }
            // What is hidden is not lost.
            let children = self.folders.all_subfolders(nid).into_iter();
            todo.extend(children.map(|(child, _)| child));
        }
    }

    /// All nodes of one type in the node B-tree, by a walk that keeps none of them.
    fn nodes_of_type(&self, node_type: NodeType) -> impl Iterator<Item = NodeEntry> + '_ {
        self.context
            .store
            .ndb()
            .nodes()
            .filter_map(move |node| match node {
                Ok(node) => (node.nid.node_type() == node_type).then_some(node),
                Err(error) => {
                    self.context.problems.note("", error);
                    None
                }
            })
    }
}
