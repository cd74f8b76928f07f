//! Folders: what their tables have, what is below them, when they were changed.
//!
//! The time of a folder is that of its newest message, else its own, else that of the source file.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::attr::Times;
use super::context::{Context, MAX_FOLDER_DEPTH};
use super::hidden::Hidden;
use super::object::Object;
use crate::error::Result;
use crate::ltp::{Value, tags};
use crate::messaging::{ContentsTable, Folder, Subfolder};
use crate::ndb::kept::{Map, Once};
use crate::ndb::{NodeId, NodeType};
use crate::problem::Problems;

/// The folders of one tree.
#[derive(Debug)]
pub(super) struct Folders {
    context: Arc<Context>,
    hidden: Hidden,
    times: Map<NodeId, Times>,
    /// Rows without a node, with their folders.
    strays: Once<HashMap<NodeId, NodeId>>,
}

impl Folders {
    /// The folders of `context`. Nothing is read yet.
    pub fn new(context: Arc<Context>) -> Self {
        Self {
            hidden: Hidden::new(Arc::clone(&context)),
            context,
            times: Map::default(),
            strays: Once::default(),
        }
    }

    /// Folder `nid`.
    pub fn open(&self, nid: NodeId) -> Folder {
        Folder::new(&self.context.store, nid)
    }

    /// Notes what turned out to be wrong with folder `nid`, or with a table of it.
    pub fn note(&self, nid: NodeId, problems: &Problems) {
        self.context.note_all(&Object::Folder(nid), problems);
    }

    /// PidTagDisplayName of folder `nid`, as it is stored.
    pub fn name(&self, nid: NodeId) -> Option<String> {
        let properties = self.open(nid).properties().ok()?;
        properties
            .start_of_string(tags::DISPLAY_NAME)
            .ok()
            .flatten()
    }

    /// The messages of `folder`; it is noted what is wrong with their list.
    pub fn contents(&self, folder: &Folder) -> ContentsTable {
        let contents = folder.contents();
        self.note(folder.nid(), contents.problems());
        contents
    }

    /// As [`Folders::contents`], of its associated messages.
    pub fn associated_contents(&self, folder: &Folder) -> ContentsTable {
        let contents = folder.associated_contents();
        self.note(folder.nid(), contents.problems());
        contents
    }

    /// The tables whose rows the tree shows of folder `nid`.
    pub fn tables(&self, nid: NodeId) -> Vec<ContentsTable> {
        let folder = self.open(nid);
        let mut tables = vec![self.contents(&folder)];
        if self.context.options.all && !folder.is_search() {
            tables.push(self.associated_contents(&folder));
        }
        tables
    }

    /// The fields of the row of message `nid`; nothing when no table has one.
    pub fn cells(&self, nid: NodeId) -> Vec<(u16, Value)> {
        let listed_in = || self.strays()?.get(&nid).copied();
        let Some(folder) = self.context.parent_of(nid).or_else(listed_in) else {
            return Vec::new();
        };
        self.open(folder).cells(nid)
    }

    /// Rows without a node, with their folders. Made on first need by a walk over all tables; None
    /// while the disk fails.
    fn strays(&self) -> Option<&HashMap<NodeId, NodeId>> {
        self.strays.get_or_make(|| Ok(self.find_strays())).ok()
    }

    fn find_strays(&self) -> HashMap<NodeId, NodeId> {
        let mut strays = HashMap::new();
        for node in self.context.store.ndb().nodes().flatten() {
            let folder = self.open(node.nid.with_type(NodeType::NORMAL_FOLDER));
            let table = match node.nid.node_type() {
                NodeType::CONTENTS_TABLE => folder.contents(),
                NodeType::ASSOC_CONTENTS_TABLE => folder.associated_contents(),
                _ => continue,
            };
            let is_stray =
                |row: &NodeId| !matches!(self.context.store.ndb().find_node(*row), Ok(Some(_)));
            for row in table.nids().filter(is_stray) {
                strays.entry(row).or_insert(folder.nid());
            }
        }
        strays
    }

    /// Whether folder `nid` is a root, or below one by its own word and that of all folders between.
    fn hangs_on_root(&self, nid: NodeId) -> bool {
        let is_root = |nid: NodeId| nid == self.context.root || nid == NodeId::ROOT_FOLDER;
        is_root(nid) || self.context.ancestors(nid).any(is_root)
    }

    /// Whether the tree leaves folder `nid` out, unless all is asked for: Outlook keeps it for itself.
    pub fn is_hidden(&self, nid: NodeId) -> bool {
        self.hidden.has(nid)
    }

    /// The subfolders that the directory of folder `nid` shows, with their display names: all that belong there but those
    /// that Outlook keeps for itself.
    pub fn subfolders(&self, nid: NodeId) -> Vec<(NodeId, Option<String>)> {
        let mut shown = self.all_subfolders(nid);
        shown.retain(|(child, _)| self.context.options.all || !self.is_hidden(*child));
        shown
    }

    /// The subfolders that belong into the directory of folder `nid`, hidden or not: those that belong to it by
    /// their own word, and, below a root, those that belong nowhere, neither to a folder that exists nor, be it lost,
    /// to a root. All others are shown elsewhere or in `lost+found`. So the tree has no cycles, and no folder is below
    /// itself or, by many ways, below another.
    pub fn all_subfolders(&self, nid: NodeId) -> Vec<(NodeId, Option<String>)> {
        let mut shown = Vec::new();
        if self.context.ancestors(nid).count() >= MAX_FOLDER_DEPTH {
            self.context.note(
                &Object::Folder(nid),
                format_args!("{MAX_FOLDER_DEPTH} folders deep, what is below is in lost+found"),
            );
            return shown;
        }
        let hangs_on_root = OnceCell::new();
        let folder = self.open(nid);
        let mut children = folder.subfolders();
        if nid == self.context.root {
            let chats = self.context.chat_folders().iter();
            children.extend(chats.map(|nid| Subfolder {
                nid: *nid,
                name: self.name(*nid),
            }));
        }
        self.note(nid, folder.problems());
        for child in children {
            let is_search = child.nid.node_type() == NodeType::SEARCH_FOLDER;
            // The root is where it is, also when a lost folder has it; and chats that lie beside it are in it.
            let is_moved =
                nid == NodeId::ROOT_FOLDER && self.context.chat_folders().contains(&child.nid);
            let is_root = child.nid == self.context.root;
            if (is_search && !self.context.options.all) || is_root || is_moved {
                continue;
            }
            let parent = self.context.parent_of(child.nid);
            let belongs_nowhere = || {
                let exists =
                    |parent| matches!(self.context.store.ndb().find_node(parent), Ok(Some(_)));
                !parent.is_some_and(exists)
                    && *hangs_on_root.get_or_init(|| self.hangs_on_root(nid))
                    && !self.hangs_on_root(child.nid)
            };
            if parent != Some(nid) && !belongs_nowhere() {
                let parent = match parent {
                    Some(parent) => format!("folder {:#x}", parent.0),
                    None => "no folder".into(),
                };
                self.context.note(
                    &Object::Folder(nid),
                    format_args!("lists folder {:#x}, which belongs to {parent}", child.nid.0),
                );
                continue;
            }
            shown.push((child.nid, child.name));
        }
        shown
    }

    /// Fails when the file knows nothing of folder `nid`. One whose node is lost still has its tables, or messages that
    /// name it as their parent.
    pub fn check(&self, nid: NodeId) -> Result<()> {
        let Err(error) = self.context.store.node(nid) else {
            return Ok(());
        };
        let tables = [NodeType::CONTENTS_TABLE, NodeType::HIERARCHY_TABLE];
        let ndb = self.context.store.ndb();
        let has_table =
            |table: NodeType| matches!(ndb.find_node(nid.with_type(table)), Ok(Some(_)));
        if tables.into_iter().any(has_table) || ndb.nodes().flatten().any(|node| node.parent == nid)
        {
            self.context.note(&Object::Folder(nid), error);
            return Ok(());
        }
        // Without its root folder the tree still has `lost+found`.
        if nid == self.context.root {
            self.context.note(&Object::Folder(nid), error);
            return Ok(());
        }
        Err(error)
    }

    /// Whether the times of folder `nid` were asked for before.
    pub fn has_times(&self, nid: NodeId) -> bool {
        self.times.has(&nid)
    }

    /// Times of the directory of folder `nid`: its newest message's, else its own, else the source file's.
    pub fn times(&self, nid: NodeId) -> Result<Times> {
        self.times.get_or_make(nid, || self.find_times(nid))
    }

    fn find_times(&self, nid: NodeId) -> Result<Times> {
        self.check(nid)?;
        let contents = self.contents(&self.open(nid));
        let newest = contents.times().max();
        let own = |id: u16| {
            let properties = self.open(nid).properties().ok()?;
            properties.time(id).ok().flatten()
        };
        let modified = own(tags::LAST_MODIFICATION_TIME);
        let created = own(tags::CREATION_TIME);
        let mtime = newest
            .or(modified)
            .or(created)
            .map_or(self.context.source_time, |time| time.system_time());
        Ok(Times {
            mtime,
            ctime: modified.map_or(mtime, |time| time.system_time()),
            btime: created.map_or(mtime, |time| time.system_time()),
        })
    }
}
