//! Folders as directories: subfolders first, then the rows of the contents table, by node.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::directory::Directory;
use super::ino::{Ino, Kind, Object, Special};
use super::name;
use super::{Times, Tree};
use crate::error::{Error, Result};
use crate::ltp::{Value, tags};
use crate::messaging::{ContentsRow, ContentsTable, Folder};
use crate::ndb::{NodeId, NodeType, whole};
use crate::problem::Problems;

/// Folders within each other that are shown and followed, as many as Exchange allows; what is deeper is in `lost+found`.
const MAX_FOLDER_DEPTH: usize = 300;

impl Tree {
    fn folder(&self, nid: NodeId) -> Folder {
        Folder::new(&self.store, nid)
    }

    /// Notes what turned out to be wrong with folder `nid`, or with a table of it.
    pub(super) fn note_in_folder(&self, nid: NodeId, problems: &Problems) {
        for problem in problems.list() {
            self.problems.note(Object::Folder(nid), problem);
        }
    }

    /// The messages of `folder`; it is noted what is wrong with their list.
    pub(super) fn contents(&self, folder: &Folder) -> ContentsTable {
        let contents = folder.contents();
        self.note_in_folder(folder.nid(), contents.problems());
        contents
    }

    /// As [`Tree::contents`], of its associated messages.
    pub(super) fn associated_contents(&self, folder: &Folder) -> ContentsTable {
        let contents = folder.associated_contents();
        self.note_in_folder(folder.nid(), contents.problems());
        contents
    }

    /// What the row of message `nid` tells; nothing when no table has one.
    pub(super) fn cells(&self, nid: NodeId) -> Vec<(u16, Value)> {
        let listed_in = || self.strays()?.get(&nid).copied();
        let Some(folder) = self.parent_of(nid).or_else(listed_in) else {
            return Vec::new();
        };
        self.folder(folder).cells(nid)
    }

    /// Rows without a node, with their folders. Made on first need by a walk over all tables; None
    /// while the disk fails.
    fn strays(&self) -> Option<&HashMap<NodeId, NodeId>> {
        if let Some(strays) = self.strays.get() {
            return Some(strays);
        }
        let strays = whole(|| Ok(self.find_strays())).ok()?;
        Some(self.strays.get_or_init(|| strays))
    }

    fn find_strays(&self) -> HashMap<NodeId, NodeId> {
        let mut strays = HashMap::new();
        for node in self.store.ndb().nodes().flatten() {
            let folder = self.folder(node.nid.with_type(NodeType::NORMAL_FOLDER));
            let table = match node.nid.node_type() {
                NodeType::CONTENTS_TABLE => folder.contents(),
                NodeType::ASSOC_CONTENTS_TABLE => folder.associated_contents(),
                _ => continue,
            };
            let is_stray = |row: &NodeId| !matches!(self.store.ndb().find_node(*row), Ok(Some(_)));
            for row in table.nids().filter(is_stray) {
                strays.entry(row).or_insert(folder.nid());
            }
        }
        strays
    }

    /// The inode of the directory that shows folder `nid`.
    pub(super) fn folder_ino(&self, nid: NodeId) -> Ino {
        if nid == self.root {
            Ino::ROOT
        } else {
            self.inodes.number(&Object::Folder(nid))
        }
    }

    /// `nidParent` of a folder or message; None when that cannot be told.
    pub(super) fn parent_of(&self, nid: NodeId) -> Option<NodeId> {
        let entry = self.store.ndb().find_node(nid).ok().flatten()?;
        (entry.parent != nid).then_some(entry.parent)
    }

    /// The folders above `nid`, innermost first, without itself.
    pub(super) fn ancestors(&self, nid: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.parent_of(nid), |nid| self.parent_of(*nid))
            .take(MAX_FOLDER_DEPTH)
    }

    /// Whether folder `nid` is a root, or below one by its own word and that of all folders between.
    fn hangs_on_root(&self, nid: NodeId) -> bool {
        let is_root = |nid: NodeId| nid == self.root || nid == NodeId::ROOT_FOLDER;
        is_root(nid) || self.ancestors(nid).any(is_root)
    }

    /// The subfolders that the directory of folder `nid` shows, with their display names: all that belong there but those
    /// that Outlook keeps for itself.
    pub(super) fn subfolders(&self, nid: NodeId) -> Vec<(NodeId, Option<String>)> {
        let mut shown = self.all_subfolders(nid);
        shown.retain(|(child, _)| self.options.all || !self.is_kept_hidden(*child));
        shown
    }

    /// The subfolders that belong into the directory of folder `nid`: those that belong to it by
    /// their own word, and, below a root, those that belong nowhere, neither to a folder that exists nor, be it lost,
    /// to a root. All others are shown elsewhere or in `lost+found`. So the tree has no cycles, and no folder is below
    /// itself or, by many ways, below another.
    pub(super) fn all_subfolders(&self, nid: NodeId) -> Vec<(NodeId, Option<String>)> {
        let mut shown = Vec::new();
        if self.ancestors(nid).count() >= MAX_FOLDER_DEPTH {
            self.problems.note(
                Object::Folder(nid),
                format_args!("{MAX_FOLDER_DEPTH} folders deep, what is below is in lost+found"),
            );
            return shown;
        }
        let hangs_on_root = OnceCell::new();
        let folder = self.folder(nid);
        let children = folder.subfolders();
        self.note_in_folder(nid, folder.problems());
        for child in children {
            let is_search = child.nid.node_type() == NodeType::SEARCH_FOLDER;
            // The root is where it is, also when a lost folder has it.
            if (is_search && !self.options.all) || child.nid == self.root {
                continue;
            }
            let parent = self.parent_of(child.nid);
            let belongs_nowhere = || {
                let exists = |parent| matches!(self.store.ndb().find_node(parent), Ok(Some(_)));
                !parent.is_some_and(exists)
                    && *hangs_on_root.get_or_init(|| self.hangs_on_root(nid))
                    && !self.hangs_on_root(child.nid)
            };
            if parent != Some(nid) && !belongs_nowhere() {
                let parent = parent.map(|parent| parent.0);
                self.problems.note(
                    Object::Folder(nid),
                    format_args!(
                        "lists folder {:#x}, which belongs to {parent:#x?}",
                        child.nid.0
                    ),
                );
                continue;
            }
            shown.push((child.nid, child.name));
        }
        shown
    }

    /// The directory of folder `nid` without its messages.
    pub(super) fn list_subfolders(&self, nid: NodeId) -> Directory {
        let parent = match self.parent_of(nid) {
            Some(parent) if nid != self.root => self.folder_ino(parent),
            _ => Ino::ROOT,
        };
        let mut listing = Directory::new(parent);
        if nid == self.root {
            let lost_found = self.inodes.number(&Object::Special(Special::LostFound));
            listing.add(Special::LOST_FOUND, lost_found, Kind::Directory);
        }
        for (child, display_name) in self.subfolders(nid) {
            self.add_folder(&mut listing, child, display_name.as_deref());
        }
        listing
    }

    pub(super) fn add_folder(
        &self,
        listing: &mut Directory,
        nid: NodeId,
        display_name: Option<&str>,
    ) {
        let stem = listing.free_stem(&name::folder(display_name), &[""], nid.0);
        listing.add(&stem, self.folder_ino(nid), Kind::Directory);
    }

    /// The directory of folder `nid`.
    pub(super) fn list_folder(&self, nid: NodeId) -> Result<Directory> {
        self.check_folder(nid)?;
        let mut listing = self.list_subfolders(nid);
        self.add_items(&mut listing, nid);
        Ok(listing.finish())
    }

    /// Adds all items of folder `nid`.
    pub(super) fn add_items(&self, listing: &mut Directory, nid: NodeId) {
        for table in self.tables(nid) {
            for row in table.rows() {
                self.add_item(listing, nid, &row);
            }
            self.note_in_folder(nid, table.problems());
        }
    }

    /// Fails when the file knows nothing of folder `nid`. One whose node is lost still has its tables, or messages that
    /// name it as their parent.
    pub(super) fn check_folder(&self, nid: NodeId) -> Result<()> {
        let Err(error) = self.store.node(nid) else {
            return Ok(());
        };
        let tables = [NodeType::CONTENTS_TABLE, NodeType::HIERARCHY_TABLE];
        let ndb = self.store.ndb();
        let has_table =
            |table: NodeType| matches!(ndb.find_node(nid.with_type(table)), Ok(Some(_)));
        if tables.into_iter().any(has_table) || ndb.nodes().flatten().any(|node| node.parent == nid)
        {
            self.problems.note(Object::Folder(nid), error);
            return Ok(());
        }
        // Without its root folder the tree still has `lost+found`.
        if nid == self.root {
            self.problems.note(Object::Folder(nid), error);
            return Ok(());
        }
        Err(error)
    }

    /// The tables whose rows the directory of folder `nid` shows.
    pub(super) fn tables(&self, nid: NodeId) -> Vec<ContentsTable> {
        let folder = self.folder(nid);
        let mut tables = vec![self.contents(&folder)];
        if self.options.all && !folder.is_search() {
            tables.push(self.associated_contents(&folder));
        }
        if self.names_people() {
            tables = tables.into_iter().map(ContentsTable::with_people).collect();
        }
        if self.is_maildir() {
            tables = tables.into_iter().map(ContentsTable::with_state).collect();
        }
        tables
    }

    /// Adds what an item gives; in a search folder, a link.
    pub(super) fn add_item(&self, listing: &mut Directory, folder: NodeId, row: &ContentsRow) {
        let mut shown = self.show(row);
        if folder.node_type() == NodeType::SEARCH_FOLDER {
            shown.files.truncate(1);
            if let Some((_, object)) = shown.files.first_mut() {
                *object = Object::Link(folder, row.nid);
            }
        }
        let stem = listing.free_stem(&shown.stem, &shown.endings(), row.nid.0);
        for (ending, object) in &shown.files {
            let name = format!("{stem}{ending}");
            listing.add(&name, self.inodes.number(object), object.kind());
        }
    }

    /// Times of the directory of folder `nid`: its newest message's, else its own, else the source file's.
    pub(super) fn folder_times(&self, nid: NodeId) -> Result<Times> {
        if let Some(times) = self.folder_times.lock().get(&nid) {
            return Ok(*times);
        }
        let times = whole(|| self.find_folder_times(nid))?;
        self.folder_times.lock().insert(nid, times);
        Ok(times)
    }

    fn find_folder_times(&self, nid: NodeId) -> Result<Times> {
        self.check_folder(nid)?;
        let contents = self.contents(&self.folder(nid));
        let newest = contents.times().max();
        let own = |id: u16| {
            let properties = self.folder(nid).properties().ok()?;
            properties.time(id).ok().flatten()
        };
        let modified = own(tags::LAST_MODIFICATION_TIME);
        let created = own(tags::CREATION_TIME);
        let mtime = newest
            .or(modified)
            .or(created)
            .map_or(self.source_time, |time| time.system_time());
        Ok(Times {
            mtime,
            ctime: modified.map_or(mtime, |time| time.system_time()),
            btime: created.map_or(mtime, |time| time.system_time()),
        })
    }

    /// Names of the directories from the root down to folder `nid`; None when it is not below the root.
    pub(super) fn folder_path(&self, nid: NodeId) -> Option<Vec<String>> {
        let mut names = Vec::new();
        let mut at = nid;
        while at != self.root {
            if names.len() > MAX_FOLDER_DEPTH {
                return None;
            }
            let parent = self.parent_of(at)?;
            names.push(name_in(&self.list_subfolders(parent), self.folder_ino(at))?);
            at = parent;
        }
        names.reverse();
        Some(names)
    }

    /// Where a link in a search folder leads: relative, to the message in the folder that owns it.
    pub(super) fn link_target(&self, object: &Object) -> Result<String> {
        let Object::Link(search, message) = object else {
            return Err(Error::NotFound);
        };
        let target = || -> Option<String> {
            let up = self.items_path(*search)?.len();
            let folder = self.parent_of(*message)?;
            let mut names = self.items_path(folder)?;
            let listing = self.directory(self.items_ino(folder)).ok()?;
            names.push(name_in(
                &listing,
                self.inodes.number(&Object::Message(*message)),
            )?);
            Some(format!("{}{}", "../".repeat(up), names.join("/")))
        };
        target().ok_or_else(|| {
            Error::corrupt(
                "search folder",
                *message,
                "lists a message that no folder holds",
            )
            .in_node(search.0)
        })
    }
}

pub(super) fn name_in(listing: &Directory, ino: Ino) -> Option<String> {
    listing
        .entries()
        .find(|entry| entry.ino == ino)
        .map(|entry| entry.name.to_owned())
}
