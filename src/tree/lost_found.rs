//! `lost+found`: folders and messages that no folder lists any more, under the path of the folder that they belonged
//! to where that is known. Made on first access, since it takes a walk over all folders and all nodes.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::Tree;
use super::deleted::DELETED;
use super::directory::Directory;
use super::ino::{Ino, Kind, Object, Special};
use super::name;
use crate::error::Result;
use crate::ltp::tags;
use crate::messaging::{ContentsRow, Folder};
use crate::ndb::{NodeEntry, NodeId, NodeType, whole};

/// What the folders that can be reached list.
#[derive(Default)]
struct Reached {
    folders: HashSet<NodeId>,
    messages: HashSet<NodeId>,
}

/// What no folder lists, by the folder that it names as its parent; `lost+found` itself goes by the root folder.
#[derive(Debug, Default)]
pub(super) struct LostFound {
    folders: BTreeMap<NodeId, BTreeSet<NodeId>>,
    pub(super) messages: BTreeMap<NodeId, Vec<NodeId>>,
    /// Folders below a folder that hold something lost, though they are not lost themselves.
    paths: BTreeMap<NodeId, BTreeSet<NodeId>>,
}

impl Tree {
    /// Whether `ino` is the directory `lost+found`.
    pub fn is_lost_found(&self, ino: Ino) -> bool {
        self.deleted_of(ino).is_none()
            && self.inodes.object(ino) == Some(Object::Special(Special::LostFound))
    }

    /// The directory within `lost+found` for what folder `nid` has lost; `lost+found` itself for the root.
    pub(super) fn list_lost(&self, nid: NodeId) -> Result<Directory> {
        let lost = self.lost_found()?;
        let above = match self.parent_of(nid) {
            _ if nid == self.root => self.above_lost_found(),
            Some(parent) if self.is_below_root(nid) => self.lost_ino(parent),
            _ => self.lost_ino(self.root),
        };
        let mut listing = Directory::new(above);
        if nid == self.root && self.options.deleted {
            listing.add(DELETED, Ino::DELETED, Kind::Directory);
        }
        for folder in lost.paths.get(&nid).into_iter().flatten() {
            let name = name::folder(self.folder_name(*folder).as_deref());
            let stem = listing.free_stem(&name, &[""], folder.0);
            listing.add(&stem, self.lost_ino(*folder), Kind::Directory);
        }
        for folder in lost.folders.get(&nid).into_iter().flatten() {
            self.add_folder(&mut listing, *folder, self.folder_name(*folder).as_deref());
        }
        for message in lost.messages.get(&nid).into_iter().flatten() {
            let row = ContentsRow::unlisted(*message);
            self.add_item(&mut listing, NodeId::ROOT_FOLDER, &row);
        }
        Ok(listing.finish())
    }

    fn lost_found(&self) -> Result<&LostFound> {
        if let Some(lost) = self.lost_found.get() {
            return Ok(lost);
        }
        let lost = whole(|| Ok(self.find_lost()))?;
        Ok(self.lost_found.get_or_init(|| lost))
    }

    /// What `lost+found` shows, without its directories: all lost folders, those within them too, and all other messages.
    pub(super) fn all_lost(&self) -> (Vec<NodeId>, Vec<NodeId>) {
        let Ok(lost) = self.lost_found() else {
            return Default::default();
        };
        let mut todo: Vec<NodeId> = lost.folders.values().flatten().copied().collect();
        let mut folders = BTreeSet::new();
        while let Some(nid) = todo.pop() {
            if folders.insert(nid) {
                todo.extend(self.subfolders(nid).into_iter().map(|(child, _)| child));
            }
        }
        let messages = lost.messages.values().flatten().copied();
        (folders.into_iter().collect(), messages.collect())
    }

    /// How many messages `lost+found` shows, those in lost folders among them.
    pub(super) fn lost_messages(&self) -> u64 {
        let Ok(lost) = self.lost_found() else {
            return 0;
        };
        let alone: usize = lost.messages.values().map(Vec::len).sum();
        let folders = lost.folders.values().flatten();
        let within = folders.map(|nid| {
            let folder = Folder::new(&self.store, *nid);
            self.contents(&folder).len()
        });
        (alone + within.sum::<usize>()) as u64
    }

    /// The directory that lists message `nid`.
    pub(super) fn directory_of(&self, nid: NodeId) -> Option<Ino> {
        let lost = self.lost_found.get();
        let mut places = lost.iter().flat_map(|lost| &lost.messages);
        match places.find(|(_, messages)| messages.contains(&nid)) {
            Some((place, _)) => Some(self.lost_ino(*place)),
            None => Some(self.items_ino(self.parent_of(nid)?)),
        }
    }

    pub(super) fn lost_ino(&self, nid: NodeId) -> Ino {
        let object = if nid == self.root {
            Object::Special(Special::LostFound)
        } else {
            Object::Lost(nid)
        };
        self.inodes.number(&object)
    }

    fn folder_name(&self, nid: NodeId) -> Option<String> {
        let properties = Folder::new(&self.store, nid).properties().ok()?;
        properties
            .start_of_string(tags::DISPLAY_NAME)
            .ok()
            .flatten()
    }

    pub(super) fn is_below_root(&self, nid: NodeId) -> bool {
        nid == self.root || self.ancestors(nid).any(|ancestor| ancestor == self.root)
    }

    fn find_lost(&self) -> LostFound {
        let mut lost = LostFound::default();
        let mut reached = Reached::default();
        self.reach(NodeId::ROOT_FOLDER, &mut reached);
        self.reach(self.root, &mut reached);
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
            let at = self.lost_place(&mut lost, reached.folders.contains(parent), *parent);
            lost.folders.entry(at).or_default().insert(*nid);
            self.reach(*nid, &mut reached);
        }
        let hidden = self.options.all.then_some(NodeType::ASSOC_MESSAGE);
        let types = [NodeType::NORMAL_MESSAGE].into_iter().chain(hidden);
        for node in types.flat_map(|wanted| self.nodes_of_type(wanted)) {
            // A B-tree with damage may have a key twice.
            if !reached.messages.insert(node.nid) {
                continue;
            }
            // One that has lost all its data is in its file's name alone.
            if !node.data.is_none() {
                let known = reached.folders.contains(&node.parent);
                let at = self.lost_place(&mut lost, known, node.parent);
                lost.messages.entry(at).or_default().push(node.nid);
            }
        }
        let unlisted = self.store.unlisted_messages().into_iter();
        let unlisted = unlisted.filter(|nid| reached.messages.insert(*nid));
        lost.messages.entry(self.root).or_default().extend(unlisted);
        lost
    }

    /// Where in `lost+found` that belongs which has lost its `parent`: under the same path, if that is `known`.
    pub(super) fn lost_place(&self, lost: &mut LostFound, known: bool, parent: NodeId) -> NodeId {
        if !known || !self.is_below_root(parent) {
            return self.root;
        }
        let mut at = parent;
        while at != self.root {
            let Some(above) = self.parent_of(at) else {
                break;
            };
            lost.paths.entry(above).or_default().insert(at);
            at = above;
        }
        parent
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
            let folder = Folder::new(&self.store, nid);
            let contents = self.contents(&folder);
            reached.messages.extend(contents.nids());
            if self.options.all {
                let hidden = self.associated_contents(&folder);
                reached.messages.extend(hidden.nids());
            }
            // What is hidden is not lost.
            let children = self.all_subfolders(nid).into_iter();
            todo.extend(children.map(|(child, _)| child));
        }
    }

    /// All nodes of one type in the node B-tree, by a walk that keeps none of them.
    fn nodes_of_type(&self, node_type: NodeType) -> impl Iterator<Item = NodeEntry> + '_ {
        self.store.ndb().nodes().filter_map(move |node| match node {
            Ok(node) => (node.nid.node_type() == node_type).then_some(node),
            Err(error) => {
                self.problems.note("", error);
                None
            }
        })
    }
}
