//! What everything in a tree works with: the store, the options, the converter, the inode numbers and the problems met. It
//! is handed in; nothing here lists or renders.

use std::fmt::Display;
use std::sync::Arc;
use std::time::SystemTime;

use super::ino::Ino;
use super::inodes::Inodes;
use super::object::{Object, Special};
use super::options::Options;
use super::problem_log::ProblemLog;
use crate::convert::Converter;
use crate::error::{Error, Result};
use crate::messaging::{Folder, Store, Subfolder, TEAMS_MESSAGES};
use crate::ndb::kept::Once;
use crate::ndb::{NodeId, NodeType};
use crate::problem::Problems;

/// Folders within each other that are shown and followed, as many as Exchange allows; what is deeper is in `lost+found`.
pub(super) const MAX_FOLDER_DEPTH: usize = 300;

/// The common ground of one tree.
#[derive(Debug)]
pub(super) struct Context {
    pub store: Arc<Store>,
    pub options: Options,
    pub converter: Converter,
    pub inodes: Inodes,
    pub problems: Arc<ProblemLog>,
    /// The folder that is the root directory.
    pub root: NodeId,
    /// Modification time of the source file, for what has no time of its own.
    pub source_time: SystemTime,
    /// See [`Context::chat_folders`].
    chat_folders: Once<Vec<NodeId>>,
}

impl Context {
    /// For the tree of `store` from folder `root` on.
    pub fn new(
        store: Arc<Store>,
        root: NodeId,
        options: Options,
        inodes: Inodes,
        problems: Arc<ProblemLog>,
    ) -> Self {
        Self {
            converter: Converter::new(Arc::clone(&store), options.convert()),
            source_time: store.ndb().source().modified(),
            store,
            options,
            inodes,
            problems,
            root,
            chat_folders: Once::default(),
        }
    }

    /// Folders with chats of Teams that lie beside the root directory and not in it: they are shown in it.
    pub fn chat_folders(&self) -> &[NodeId] {
        let find = || {
            let beside = Folder::new(&self.store, NodeId::ROOT_FOLDER).subfolders();
            let is_shown = |child: &Subfolder| {
                child.nid != self.root
                    && child.nid.node_type() == NodeType::NORMAL_FOLDER
                    && child.name.as_deref() == Some(TEAMS_MESSAGES)
                    && !Folder::new(&self.store, child.nid).contents().is_empty()
            };
            let shown = beside.into_iter().filter(is_shown);
            Ok(shown.map(|child| child.nid).collect())
        };
        if self.root == NodeId::ROOT_FOLDER {
            return &[];
        }
        self.chat_folders
            .get_or_make(find)
            .map_or(&[], Vec::as_slice)
    }

    /// What `ino` stands for.
    pub fn object(&self, ino: Ino) -> Result<Object> {
        let object = self.inodes.object(ino).ok_or(Error::NotFound)?;
        match object {
            Object::Special(Special::Deleted) if !self.options.deleted => Err(Error::NotFound),
            object => Ok(object),
        }
    }

    /// The inode number of `object`.
    pub fn number(&self, object: &Object) -> Ino {
        self.inodes.number(object)
    }

    /// Notes a problem with `object`, unless it is known already.
    pub fn note(&self, object: &Object, problem: impl Display) {
        if let Some(ino) = self.entry_of(object) {
            self.problems.note_entry(ino);
        }
        self.problems.note(object, problem);
    }

    /// The file of an item, or the folder, that a problem with `object` is one of.
    fn entry_of(&self, object: &Object) -> Option<Ino> {
        match object {
            Object::Folder(nid) => Some(self.folder_ino(*nid)),
            Object::Root => Some(Ino::ROOT),
            object => Some(self.number(&Object::Message(object.item()?))),
        }
    }

    /// Notes each of `problems` with `object`.
    pub fn note_all(&self, object: &Object, problems: &Problems) {
        for problem in problems.list() {
            self.note(object, problem);
        }
    }

    /// `nidParent` of a folder or message, or where a folder with chats is shown; None when that cannot be told.
    pub fn parent_of(&self, nid: NodeId) -> Option<NodeId> {
        let entry = self.store.ndb().find_node(nid).ok().flatten()?;
        if entry.parent == NodeId::ROOT_FOLDER
            && nid.is_folder()
            && self.chat_folders().contains(&nid)
        {
            return Some(self.root);
        }
        (entry.parent != nid).then_some(entry.parent)
    }

    /// The folders above `nid`, innermost first, without itself.
    pub fn ancestors(&self, nid: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.parent_of(nid), |nid| self.parent_of(*nid))
            .take(MAX_FOLDER_DEPTH)
    }

    /// Whether folder `nid` is the root directory or below it.
    pub fn is_below_root(&self, nid: NodeId) -> bool {
        nid == self.root || self.ancestors(nid).any(|ancestor| ancestor == self.root)
    }

    /// The inode of the directory that shows folder `nid`.
    pub fn folder_ino(&self, nid: NodeId) -> Ino {
        if nid == self.root {
            Ino::ROOT
        } else {
            self.number(&Object::Folder(nid))
        }
    }

    /// The folder behind a directory that shows one.
    pub fn folder_of(&self, object: &Object) -> Option<NodeId> {
        match object {
            Object::Root => Some(self.root),
            Object::Folder(nid) => Some(*nid),
            _ => None,
        }
    }

    /// The directory in `lost+found` for what folder `nid` has lost; `lost+found` itself for the root.
    pub fn lost_ino(&self, nid: NodeId) -> Ino {
        let object = if nid == self.root {
            Object::Special(Special::LostFound)
        } else {
            Object::Lost(nid)
        };
        self.number(&object)
    }

    /// The directory above `lost+found`; of what was deleted, `lost+found` itself.
    pub fn above_lost_found(&self) -> Ino {
        match self.inodes.is_of_deleted() {
            true => Inodes::default().number(&Object::Special(Special::LostFound)),
            false => Ino::ROOT,
        }
    }

    /// The directory that has the directory with the attachments of message `nid`.
    pub fn above_attachments(&self, nid: NodeId) -> Ino {
        let parent = self.parent_of(nid);
        if self.inodes.is_of_deleted() {
            let known = parent.filter(|parent| self.is_below_root(*parent));
            return self.lost_ino(known.unwrap_or(self.root));
        }
        parent.map_or(Ino::ROOT, |folder| self.folder_ino(folder))
    }
}
