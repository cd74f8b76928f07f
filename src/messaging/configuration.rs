//! Hidden items that configure Outlook and hold what a person may miss: whom it proposes, categories, rules.
//!
//! They are found by the associated contents tables of all folders, the root of the store first.

use std::collections::HashSet;
use std::sync::Arc;

use super::folder::Folder;
use super::message::Message;
use super::message_class::ConfigurationKind;
use super::store::Store;
use crate::error::Result;
use crate::ltp::tags;
use crate::ndb::NodeId;

/// Items that are looked at: a mailbox has a few, and some hundred rules at most.
const MAX_ITEMS: usize = 1 << 12;

/// All folders of `store` that hang on its root, each once; what is wrong with the list of its subfolders is noted in each.
pub fn all_folders(store: &Arc<Store>) -> impl Iterator<Item = Folder> + '_ {
    let mut seen = HashSet::from([NodeId::ROOT_FOLDER]);
    let mut todo = vec![NodeId::ROOT_FOLDER];
    std::iter::from_fn(move || {
        let folder = Folder::new(store, todo.pop()?);
        let below = folder.subfolders().into_iter().map(|child| child.nid);
        todo.extend(below.filter(|child| seen.insert(*child)));
        Some(folder)
    })
}

/// The hidden items of a store that configure something.
#[derive(Debug, Default)]
pub struct Configurations {
    /// By node.
    items: Vec<(ConfigurationKind, NodeId)>,
    is_complete: bool,
}

impl Configurations {
    /// Looks for them in all folders of `store`; opens none whose row tells what it is.
    pub fn find(store: &Arc<Store>) -> Self {
        let mut found = Self {
            items: Vec::new(),
            is_complete: true,
        };
        for folder in all_folders(store) {
            found.add_folder(store, &folder);
            found.is_complete &= folder.problems().is_empty();
        }
        found.items.sort_unstable_by_key(|(_, nid)| *nid);
        found
    }

    fn add_folder(&mut self, store: &Arc<Store>, folder: &Folder) {
        if folder.is_search() {
            return;
        }
        let table = folder.associated_contents();
        for (nid, class) in table.nids_and_classes() {
            let own_class = || {
                let message = Message::open(store, nid)?;
                message.properties().string(tags::MESSAGE_CLASS)
            };
            let class = match class.map_or_else(own_class, |class| Ok(Some(class))) {
                Ok(class) => class.unwrap_or_default(),
                Err(_) => {
                    self.is_complete = false;
                    continue;
                }
            };
            let Some(kind) = ConfigurationKind::of(&class) else {
                continue;
            };
            if self.items.len() == MAX_ITEMS {
                self.is_complete = false;
                return;
            }
            self.items.push((kind, nid));
        }
        self.is_complete &= table.problems().is_empty();
    }

    /// Whether there is one of `kind`.
    pub fn has(&self, kind: ConfigurationKind) -> bool {
        self.items.iter().any(|(other, _)| *other == kind)
    }

    /// Those of `kind`, by node.
    pub fn nids(&self, kind: ConfigurationKind) -> impl Iterator<Item = NodeId> + '_ {
        let of_kind =
            move |(other, nid): &(ConfigurationKind, NodeId)| (*other == kind).then_some(*nid);
        self.items.iter().filter_map(of_kind)
    }

    /// Opens those of `kind`, by node, within the budget of the file.
    pub fn open<'a>(
        &'a self,
        store: &'a Arc<Store>,
        kind: ConfigurationKind,
    ) -> impl Iterator<Item = (NodeId, Result<Message>)> + 'a {
        self.nids(kind)
            .map(|nid| (nid, Message::open_within_budget(store, nid)))
    }

    /// Whether no other can be in what could not be read.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }
}
