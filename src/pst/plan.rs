//! Which folders the new file has: those of the tree that is exported, each with a number before anything is written, so that
//! whatever names one can be written at any time.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::digest::{Digest, Hash};
use super::export::Export;
use super::key;
use super::output::Output;
use super::templates;
use crate::export::Filter;
use crate::ltp::{PropertyType, tags};
use crate::messaging::{Folder, SpecialFolders, Store};
use crate::ndb::{NodeId, NodeType};
use crate::tree::{Forest, Ino, MAX_DEPTH};

/// Folders that every PST has. [MS-PST] 2.4.1
pub(super) const ROOT: NodeId = NodeId::ROOT_FOLDER;
pub(super) const SUBTREE: NodeId = NodeId::IPM_SUBTREE;
pub(super) const SEARCH_ROOT: NodeId = NodeId(0x8042);
pub(super) const WASTEBASKET: NodeId = NodeId(0x8062);
pub(super) const COMMON_VIEWS: NodeId = NodeId(0x8082);
const WASTEBASKET_NAME: &str = "Deleted Items";
const SUBTREE_NAME: &str = "Top of Outlook data file";
const LOST_AND_FOUND: &str = "Lost and Found";
const DELETED_ITEMS: &str = "deleted items";

/// A folder of the new file.
#[derive(Debug)]
pub(super) struct Planned {
    pub nid: NodeId,
    pub parent: NodeId,
    pub name: String,
    /// Path in the tree, for the filter and the user.
    pub path: String,
    /// Its directory; None for one that the source does not have.
    pub ino: Option<Ino>,
    /// What has its properties.
    pub folder: Option<Folder>,
}

/// All folders, each behind the one that it is in.
#[derive(Debug)]
pub(super) struct Plan {
    pub folders: Vec<Planned>,
    /// The number of the file among its parts, and PidTagRecordKey of its store.
    pub part: u32,
    pub key: [u8; key::SIZE],
    /// Folders with a purpose.
    pub special: HashMap<&'static str, NodeId>,
    /// What no folder lists, which is looked for when all else has been read: by the folder that it goes to.
    lost: Vec<(usize, Ino)>,
    purposes: Option<SpecialFolders>,
}

/// What has no folder of its own, or is too deep to be followed.
pub(super) type Left<'a> = dyn FnMut(&str, &str) + 'a;

impl Plan {
    /// Looks for the folders that `export` takes, or that lead to one, for file number `part`.
    pub fn new(out: &mut Output, export: &Export<'_>, part: u32, left: &mut Left<'_>) -> Self {
        let (forest, filter) = (export.forest, &export.filter);
        for fixed in [ROOT, SUBTREE, SEARCH_ROOT, WASTEBASKET, COMMON_VIEWS] {
            out.use_nid(fixed);
        }
        let root = forest.folder(Ino::ROOT);
        let mut plan = Self {
            folders: vec![Planned {
                nid: SUBTREE,
                parent: ROOT,
                name: root
                    .as_ref()
                    .and_then(name)
                    .unwrap_or_else(|| SUBTREE_NAME.to_owned()),
                path: String::new(),
                ino: Some(Ino::ROOT),
                folder: root,
            }],
            part,
            key: key::of_copy(&source_key(forest), part),
            special: HashMap::new(),
            lost: Vec::new(),
            purposes: forest.store(Ino::ROOT).map(purposes),
        };
        plan.add_below(out, forest, filter, 0, left);
        if !plan.folders.iter().any(|folder| folder.nid == WASTEBASKET) {
            plan.folders.push(Planned {
                nid: WASTEBASKET,
                parent: SUBTREE,
                name: WASTEBASKET_NAME.to_owned(),
                path: WASTEBASKET_NAME.to_owned(),
                ino: None,
                folder: None,
            });
        }
        plan.special.insert(DELETED_ITEMS, WASTEBASKET);
        plan
    }

    /// What tells these folders, with their numbers, from others.
    pub fn digest(&self) -> Digest {
        let mut hash = Hash::default();
        for folder in &self.folders {
            hash.update(&folder.nid.0.to_le_bytes());
            hash.update(folder.path.as_bytes());
        }
        hash.finish()
    }

    /// Which of the folders a file has that has content for those of `counted`: these, those with a purpose, and those that
    /// lead to one of them.
    pub fn present(&self, counted: impl Fn(usize) -> bool) -> HashSet<NodeId> {
        let mut present: HashSet<NodeId> = self.special.values().copied().collect();
        for (number, folder) in self.folders.iter().enumerate().rev() {
            if counted(number) || present.contains(&folder.nid) {
                present.extend([folder.nid, folder.parent]);
            }
        }
        present
    }

    /// Adds folders for what no folder lists, unless that was done.
    pub fn add_lost(&mut self, out: &mut Output, export: &Export<'_>, left: &mut Left<'_>) {
        let (forest, filter) = (export.forest, &export.filter);
        for (parent, ino) in std::mem::take(&mut self.lost) {
            let Some(above) = self.folders.get(parent) else {
                continue;
            };
            let path = format!("{}/{LOST_AND_FOUND}", above.path);
            match forest.directory(ino) {
                Ok(listing) if listing.entries().next().is_none() => continue,
                Ok(_) => {}
                Err(error) => {
                    left(&path, &error.to_string());
                    continue;
                }
            }
            let top = self.folders.len();
            self.folders.push(Planned {
                nid: out.next_nid(NodeType::NORMAL_FOLDER),
                parent: above.nid,
                name: LOST_AND_FOUND.to_owned(),
                path,
                ino: Some(ino),
                folder: None,
            });
            self.add_below(out, forest, filter, top, left);
        }
    }

    /// Adds all folders below folder number `top`, depth first, as the directories of an export: the numbers of those in
    /// one folder ascend.
    fn add_below(
        &mut self,
        out: &mut Output,
        forest: &Forest,
        filter: &Filter,
        top: usize,
        left: &mut Left<'_>,
    ) {
        let mut todo = vec![(top, 0)];
        while let Some((parent, depth)) = todo.pop() {
            if depth >= MAX_DEPTH {
                left("", "folders are nested too deep");
                continue;
            }
            let below = self.add_children(out, forest, filter, parent, left);
            todo.extend(below.rev().map(|index| (index, depth + 1)));
        }
    }

    /// What `folder` is for, as far as the source names it.
    fn purpose(&self, folder: &Folder) -> Option<&'static str> {
        let properties = folder.properties().ok()?;
        let purposes = self.purposes.as_ref()?;
        purposes.purpose(folder.nid(), &properties)
    }

    /// Adds the folders in folder number `parent`; returns their numbers.
    fn add_children(
        &mut self,
        out: &mut Output,
        forest: &Forest,
        filter: &Filter,
        parent: usize,
        left: &mut Left<'_>,
    ) -> Range<usize> {
        let first = self.folders.len();
        let Some(above) = self.folders.get(parent) else {
            return first..first;
        };
        let (nid, path) = (above.nid, above.path.clone());
        let listing = match above.ino.map(|ino| forest.subdirectories(ino)) {
            Some(Ok(listing)) => listing,
            Some(Err(error)) => {
                left(&path, &error.to_string());
                return first..first;
            }
            None => return first..first,
        };
        let mut children = Vec::new();
        for entry in listing.entries() {
            let path = format!("{path}/{}", entry.name);
            if !forest.is_entry_of_folder(&entry) || !filter.enters(&path) {
                continue;
            }
            if forest.is_lost_found(entry.ino) {
                self.lost.push((parent, entry.ino));
                continue;
            }
            let folder = forest
                .folder(entry.ino)
                .filter(|folder| !folder.is_search());
            let name = folder.as_ref().and_then(name);
            let name = name.unwrap_or_else(|| entry.name.into_owned());
            // What is lost comes last, as an export finds it.
            let is_lost = folder.is_none();
            let order = folder.as_ref().map(Folder::nid);
            let purpose = folder.as_ref().and_then(|folder| self.purpose(folder));
            children.push((is_lost, order, name, path, entry.ino, folder, purpose));
        }
        children.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
        // Where nothing tells any more which one it is: that there are none of the same name beside each other.
        let has_wastebasket = children
            .iter()
            .any(|(.., purpose)| *purpose == Some(DELETED_ITEMS));
        for (_, _, name, path, ino, folder, purpose) in children {
            let is_called_so = nid == SUBTREE && folder.is_some() && name == WASTEBASKET_NAME;
            let purpose = match purpose {
                None if is_called_so && !has_wastebasket => Some(DELETED_ITEMS),
                purpose => purpose,
            };
            let purpose = purpose.filter(|purpose| !self.special.contains_key(purpose));
            let own = match purpose {
                Some(DELETED_ITEMS) if nid == SUBTREE => WASTEBASKET,
                _ => out.next_nid(NodeType::NORMAL_FOLDER),
            };
            if let Some(purpose) = purpose {
                self.special.insert(purpose, own);
            }
            self.folders.push(Planned {
                nid: own,
                parent: nid,
                name,
                path,
                ino: Some(ino),
                folder,
            });
        }
        first..self.folders.len()
    }
}

/// What the key of a copy is made of: the key of the store, or the keys of all if there are several.
fn source_key(forest: &Forest) -> Vec<u8> {
    let keys = forest.stores().map(|store| store.record_key());
    keys.flatten().copied().collect()
}

/// PidTagDisplayName of `folder`, unless it is empty.
fn name(folder: &Folder) -> Option<String> {
    folder.properties().ok()?.string(tags::DISPLAY_NAME).ok()?
}

/// The purposes of folders by `store`, its root folder and its inbox.
fn purposes(store: &std::sync::Arc<Store>) -> SpecialFolders {
    let mut special = SpecialFolders::of(store.ndb().header().client);
    if let Some(properties) = store.properties() {
        special.add(NodeId::MESSAGE_STORE, properties);
    }
    for nid in [Some(ROOT), store.receive_folder()].into_iter().flatten() {
        if let Ok(properties) = Folder::new(store, nid).properties() {
            special.add(nid, &properties);
        }
    }
    special
}

/// The columns of a hierarchy table and the types that they have.
pub(super) fn hierarchy_columns() -> impl Iterator<Item = (u16, PropertyType)> {
    templates::HIERARCHY
        .iter()
        .map(|column| (column.id, column.property_type))
}
