//! `lost+found`: folders and messages that no folder lists any more. Made on first access, since it takes a walk over
//! all folders and all nodes.

use std::collections::{BTreeMap, HashSet};

use super::Tree;
use super::directory::Directory;
use super::ino::Ino;
use crate::ltp::tags;
use crate::messaging::{Folder, Message};
use crate::ndb::{NodeId, NodeType};

/// What the folders that can be reached list.
#[derive(Default)]
struct Reached {
    folders: HashSet<NodeId>,
    messages: HashSet<NodeId>,
}

impl Tree {
    pub(super) fn list_lost_found(&self) -> Directory {
        let mut listing = Directory::new(Ino::ROOT);
        let mut reached = Reached::default();
        self.reach(NodeId::ROOT_FOLDER, &mut reached);
        self.reach(self.root, &mut reached);
        let (folders, messages) = self.nodes_of_items();
        // A folder whose parent is lost as well is shown below that parent.
        for (topmost_only, (nid, parent)) in [true, false]
            .into_iter()
            .flat_map(|pass| folders.iter().map(move |folder| (pass, folder)))
        {
            let below_lost = folders.contains_key(parent) && !reached.folders.contains(parent);
            if reached.folders.contains(nid) || (topmost_only && below_lost) {
                continue;
            }
            let name = Folder::new(&self.store, *nid).properties();
            let name = name
                .and_then(|properties| properties.string(tags::DISPLAY_NAME))
                .ok()
                .flatten();
            self.add_folder(&mut listing, *nid, name.as_deref());
            self.reach(*nid, &mut reached);
        }
        for nid in messages
            .iter()
            .filter(|nid| !reached.messages.contains(nid))
        {
            if Message::open(&self.store, *nid).is_ok() {
                self.add_item(
                    &mut listing,
                    NodeId::ROOT_FOLDER,
                    &crate::messaging::ContentsRow::unlisted(*nid),
                );
            } else {
                self.problems.note(format!(
                    "message {:#x}: in no folder, and it cannot be opened",
                    nid.0
                ));
            }
        }
        listing.finish()
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
            let contents = Folder::new(&self.store, nid).contents(self.note_in_folder(nid));
            reached.messages.extend(contents.nids());
            todo.extend(self.subfolders(nid).into_iter().map(|(child, _)| child));
        }
    }

    /// All folders with their parents, and all messages, of the node B-tree.
    fn nodes_of_items(&self) -> (BTreeMap<NodeId, NodeId>, Vec<NodeId>) {
        let (mut folders, mut messages) = (BTreeMap::new(), Vec::new());
        for node in self.store.ndb().nodes() {
            match node {
                Ok(node) if node.nid.node_type() == NodeType::NORMAL_FOLDER => {
                    folders.insert(node.nid, node.parent);
                }
                Ok(node) if node.nid.node_type() == NodeType::NORMAL_MESSAGE => {
                    messages.push(node.nid)
                }
                Ok(_) => {}
                Err(error) => self.problems.note(error.to_string()),
            }
        }
        (folders, messages)
    }
}
