//! The folders that rules name, by their paths.
#![forbid(unsafe_code)]

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::blob::quoted;
use crate::ltp::tags;
use crate::messaging::{EntryId, Folder, ServerCounter, Store, all_folders};
use crate::ndb::NodeId;

/// Folders above each other that a path shows.
const MAX_DEPTH: usize = 300;

/// The folders of a store, by what rules name them.
pub(super) struct Folders {
    store: Arc<Store>,
    /// Gathered on first need: it takes a walk over all folders.
    by_counter: OnceCell<HashMap<ServerCounter, NodeId>>,
}

impl Folders {
    pub fn new(store: &Arc<Store>) -> Self {
        Self {
            store: Arc::clone(store),
            by_counter: OnceCell::new(),
        }
    }

    /// The path of the folder with an entry id, in quotes.
    pub fn name(&self, entry_id: &[u8]) -> String {
        let nid = match ServerCounter::of_entry_id(entry_id) {
            Some(counter) => self.by_counter().get(&counter).copied(),
            None => self.of_this_store(entry_id),
        };
        let path = nid.and_then(|nid| self.path(nid));
        path.map_or_else(
            || "a folder that is not in this file".to_owned(),
            |path| quoted(&path),
        )
    }

    /// The node in the entry id of a PST: of this one, by its record key.
    fn of_this_store(&self, entry_id: &[u8]) -> Option<NodeId> {
        let is_own = EntryId::provider(entry_id) == Some(self.store.record_key());
        is_own.then(|| EntryId::node(entry_id))?
    }

    fn by_counter(&self) -> &HashMap<ServerCounter, NodeId> {
        self.by_counter.get_or_init(|| {
            let mut nids = HashMap::new();
            for folder in all_folders(&self.store) {
                let properties = folder.properties().ok();
                if let Some(counter) = properties.as_ref().and_then(ServerCounter::of_folder) {
                    nids.entry(counter).or_insert(folder.nid());
                }
            }
            nids
        })
    }

    /// The names from the top of the user's folders to `nid`.
    fn path(&self, nid: NodeId) -> Option<String> {
        let top = self.store.ipm_subtree();
        let parent_of = |nid: &NodeId| {
            let entry = self.store.ndb().find_node(*nid).ok().flatten()?;
            let is_top = entry.parent == top || entry.parent == NodeId::ROOT_FOLDER;
            (!is_top && entry.parent != *nid).then_some(entry.parent)
        };
        let up = std::iter::successors(Some(nid), parent_of).take(MAX_DEPTH);
        let name = |nid: NodeId| {
            let properties = Folder::new(&self.store, nid).properties().ok()?;
            properties.start_of_string(tags::DISPLAY_NAME).ok()?
        };
        let mut names: Vec<String> = up.map(name).collect::<Option<_>>()?;
        names.reverse();
        Some(names.join("/"))
    }
}
