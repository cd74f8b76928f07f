//! The read-only tree: directories, names, attributes and `read_at`, as a plain library.
//!
//! Uses `convert` and `messaging`; knows nothing of FUSE. The mount, `export` and the tests all use it.
//! Listings, renditions, lists of attachments and times of messages live in caches bounded in bytes; of everything else
//! only the sizes of messages and the times of folders are kept for the life of the tree.
#![forbid(unsafe_code)]

mod attachments;
mod control;
mod deleted;
mod directory;
mod folder;
mod forest;
mod import;
mod index;
mod info;
mod ino;
mod item;
mod known;
mod layout;
mod lost_found;
mod maildir;
mod name;
mod options;
mod path;
mod problem_log;
mod summary;
mod template;
mod xattr;

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use parking_lot::Mutex;

use crate::cache::ByteLru;
use crate::convert::{Converter, ImportKind};
use crate::error::{Error, Result};
use crate::messaging::Store;
use crate::ndb::{self, NodeId, Recover, Source, Watch, whole};
use crate::salvage;

pub use crate::ndb::{Damaged, Depth};
pub use directory::{Directory, Entry};
pub use forest::{Forest, Listing};
pub use info::{FolderInfo, Info};
pub use ino::{Ino, Kind};
pub use options::{Attachments, Layout, Options};
pub use summary::{Part, People, Summary};
pub use template::{Template, TemplateError};
pub use xattr::{PREFIX as XATTR_PREFIX, Xattr};

use attachments::AttachmentList;
use import::Import;
use index::Index;
use ino::{Inodes, MessagePath, Object, Special};
use item::ItemFile;
use known::Known;
use lost_found::LostFound;
use problem_log::ProblemLog;
pub use problem_log::{Listener, ProblemLine};

/// Attributes of an inode; owner and mode belong to the mount, not to the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attr {
    /// Its number.
    pub ino: Ino,
    /// Its kind.
    pub kind: Kind,
    /// Exact size in bytes of a file or link target; 0 for a directory.
    pub size: u64,
    /// Always 1: counting subdirectories would mean to list them, and 1 tells `find` not to rely on it.
    pub nlink: u32,
    /// Time of the message (delivery, else submit, else creation).
    pub mtime: SystemTime,
    /// Last modification in Outlook.
    pub ctime: SystemTime,
    /// Creation in Outlook.
    pub btime: SystemTime,
    /// Whether size and content can change while mounted: true of `.ostfs/problems.txt` alone.
    pub changing: bool,
}

/// The three times of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    mtime: SystemTime,
    ctime: SystemTime,
    btime: SystemTime,
}

impl Times {
    fn all(time: SystemTime) -> Self {
        Self {
            mtime: time,
            ctime: time,
            btime: time,
        }
    }
}

/// Figures for `statfs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Size of the source file in bytes.
    pub bytes: u64,
    /// Messages that the file has ever held, as its header counts them: known without a walk.
    pub files: u64,
}

/// An opened Outlook data file as a tree. `Send + Sync`; every call may come from any thread.
#[derive(Debug)]
pub struct Tree {
    store: Arc<Store>,
    converter: Converter,
    options: Options,
    /// The folder that is the root directory.
    root: NodeId,
    /// Modification time of the source file, for what has no time of its own.
    source_time: SystemTime,
    inodes: Inodes,
    listings: ByteLru<Ino, Arc<Directory>>,
    items: ByteLru<Ino, Arc<ItemFile>>,
    attachment_lists: ByteLru<MessagePath, Arc<AttachmentList>>,
    /// Sizes and times of messages, so that a second `ls -l` renders nothing.
    known: Known,
    /// Files of messages in which a read has met a damaged attachment.
    damaged: Mutex<HashSet<NodeId>>,
    /// Those of them that nobody was told of yet.
    newly_damaged: Mutex<HashSet<NodeId>>,
    /// Attachments in which a read has met damage.
    damaged_attachments: Mutex<HashSet<Ino>>,
    folder_times: Mutex<HashMap<NodeId, Times>>,
    info: OnceLock<String>,
    index: OnceLock<Index>,
    lost_found: OnceLock<LostFound>,
    /// What was deleted, as a tree of its own.
    deleted: OnceLock<Box<Tree>>,
    /// The folder that is the root of a Maildir++.
    inbox: OnceLock<Option<NodeId>>,
    /// Rows without a node, with their folders.
    strays: OnceLock<HashMap<NodeId, NodeId>>,
    index_sections: ByteLru<NodeId, Arc<str>>,
    imports: Mutex<HashMap<(NodeId, ImportKind), Arc<Import>>>,
    import_texts: ByteLru<(NodeId, ImportKind), Arc<str>>,
    problems: Arc<ProblemLog>,
    watch: Arc<RecoveryWatch>,
}

/// What a recovery tells: its progress to whoever opened the tree, its problems to the list of problems.
struct RecoveryWatch {
    progress: Box<Progress>,
    problems: Arc<ProblemLog>,
}

impl fmt::Debug for RecoveryWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoveryWatch").finish_non_exhaustive()
    }
}

/// Hears how many bytes of how many a scan of the file has read; both are equal at its end.
pub type Progress = dyn Fn(u64, u64) + Send + Sync;

impl Watch for RecoveryWatch {
    fn progress(&self, done: u64, total: u64) {
        (self.progress)(done, total);
    }

    fn problem(&self, line: String) {
        self.problems.note("", line);
    }
}

impl Tree {
    /// Opens `path` and checks that it is a readable Outlook data file; reads nothing that grows with the file, unless
    /// it is damaged.
    pub fn open(path: &Path, options: &Options) -> Result<Self> {
        Self::open_with(path, options, Box::new(|_, _| {}))
    }

    /// As [`Tree::open`]; `progress` hears of the scan of a damaged file, now or when it becomes necessary.
    pub fn open_with(path: &Path, options: &Options, progress: Box<Progress>) -> Result<Self> {
        Self::of_source(Source::open(path)?, options, progress)
    }

    /// As [`Tree::open_with`], of a file that is open already.
    pub fn of_source(source: Source, options: &Options, progress: Box<Progress>) -> Result<Self> {
        let problems = Arc::new(ProblemLog::new(options.redact));
        let watch = Arc::new(RecoveryWatch { progress, problems });
        let mut options = options.clone();
        if options.deleted {
            options.cache -= options.cache / deleted::CACHE_SHARE;
        }
        let ndb = ndb::open_source(source, options.share(3), options.recover, watch.clone())?
            .with_damaged(options.damaged);
        let ndb = match options.recover {
            Recover::Off => ndb,
            _ => ndb.with_lost_lists(salvage::lost_lists),
        };
        let store = match options.recover {
            Recover::Off => Store::open(ndb),
            _ => Store::open(ndb).with_restore(salvage::restore),
        };
        let store = Arc::new(store);
        if let Some(problem) = store.problem() {
            watch.problems.note("", problem);
        }
        let root = if options.all {
            NodeId::ROOT_FOLDER
        } else {
            store.ipm_subtree()
        };
        Ok(Self::of_store(store, root, options, watch))
    }

    /// The tree of `store` from folder `root` on. Nothing is read yet.
    fn of_store(
        store: Arc<Store>,
        root: NodeId,
        options: Options,
        watch: Arc<RecoveryWatch>,
    ) -> Self {
        let converter = Converter::new(Arc::clone(&store), options.convert());
        Self {
            converter,
            root,
            source_time: store.ndb().source().modified(),
            inodes: Inodes::default(),
            listings: ByteLru::new(options.share(2), 1),
            items: ByteLru::new(options.share(2), 4),
            attachment_lists: ByteLru::new(options.share(1), 4),
            known: Known::new(options.share(2)),
            damaged: Mutex::default(),
            newly_damaged: Mutex::default(),
            damaged_attachments: Mutex::default(),
            folder_times: Mutex::default(),
            info: OnceLock::new(),
            index: OnceLock::new(),
            lost_found: OnceLock::new(),
            deleted: OnceLock::new(),
            inbox: OnceLock::new(),
            strays: OnceLock::new(),
            index_sections: ByteLru::new(options.share(1) / 2, 1),
            imports: Mutex::default(),
            import_texts: ByteLru::new(options.share(1) / 2, 1),
            problems: Arc::clone(&watch.problems),
            watch,
            options,
            store,
        }
    }

    /// The store that the tree shows.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// How many problems were met so far.
    pub fn problem_count(&self) -> u64 {
        self.problems.count()
    }

    /// Has `listener` take down all problems, those that are known first; the tree keeps none from now on.
    pub fn listen(&self, listener: Box<Listener>) {
        self.problems.listen(listener);
    }

    /// What `ino` is in a problem, by its number and without a name.
    pub fn object_of(&self, ino: Ino) -> String {
        if let Some(deleted) = self.deleted_of(ino) {
            return deleted.object_of(ino);
        }
        match self.inodes.object(ino) {
            Some(object) => object.to_string(),
            None => format!("inode {:#x}", ino.0),
        }
    }

    /// Notes a problem with `ino` for the log and `.ostfs/problems.txt`, unless it is known already.
    pub fn note(&self, ino: Ino, problem: &dyn std::fmt::Display) {
        if let Some(deleted) = self.deleted_of(ino) {
            return deleted.note(ino, problem);
        }
        self.problems.note(self.object_of(ino), problem);
    }

    /// `result` as it is; an error that tells of the file is noted.
    fn noted<T>(&self, ino: Ino, result: Result<T>) -> Result<T> {
        result.inspect_err(|error| {
            if error.is_problem() {
                self.note(ino, error);
            }
        })
    }

    fn object(&self, ino: Ino) -> Result<Object> {
        self.inodes.object(ino).ok_or(Error::NotFound)
    }

    /// The inode under `name` in the directory `parent`; None when there is none.
    pub fn lookup(&self, parent: Ino, name: &OsStr) -> Result<Option<Ino>> {
        if let Some(deleted) = self.deleted_of(parent) {
            return deleted.lookup(parent, name);
        }
        // All names are UTF-8.
        let Some(name) = name.to_str() else {
            return Ok(None);
        };
        whole(|| self.look_up(parent, name))
    }

    fn look_up(&self, parent: Ino, name: &str) -> Result<Option<Ino>> {
        let object = self.object(parent)?;
        if let Some(special) = self.special(&object, name) {
            return Ok(Some(self.inodes.number(&Object::Special(special))));
        }
        // A subfolder on the way to somewhere else is found without listing the messages beside it.
        if !self.is_maildir()
            && let Some(nid) = self.folder_of(&object)
            && self.listings.get(&parent).is_none()
            && let Some(entry) = self.list_subfolders(nid).find(name)
        {
            return Ok(Some(entry.ino));
        }
        let listing = self.directory(parent)?;
        Ok(listing.find(name).map(|entry| entry.ino))
    }

    /// The folder behind a directory that shows one.
    fn folder_of(&self, object: &Object) -> Option<NodeId> {
        match object {
            Object::Root => Some(self.root),
            Object::Folder(nid) => Some(*nid),
            _ => None,
        }
    }

    /// Attributes of `ino`; may open the message to learn its size, never reads an attachment.
    pub fn attr(&self, ino: Ino) -> Result<Attr> {
        if ino == Ino::DELETED && self.options.deleted {
            return Ok(self.deleted_attr());
        }
        match self.deleted_of(ino) {
            Some(deleted) => deleted.attr(ino),
            None => self.noted(ino, whole(|| self.attr_of(ino))),
        }
    }

    /// Whether the attributes of `ino` are known, or take little work: no message is rendered, no folder read. True of
    /// all files whose size anyone was ever told.
    pub fn is_attr_at_hand(&self, ino: Ino) -> bool {
        match self.object(ino) {
            Ok(Object::Message(nid)) => self.known.size(nid).is_some(),
            Ok(Object::Folder(nid) | Object::Lost(nid)) => {
                self.folder_times.lock().contains_key(&nid)
            }
            Ok(Object::Attachments(path)) => self.known.times(path.nid).is_some(),
            Ok(Object::ImportFile(nid, kind)) => self.imports.lock().contains_key(&(nid, kind)),
            Ok(Object::Special(Special::Index)) => self.index.get().is_some(),
            Ok(Object::Link(..)) => false,
            _ => true,
        }
    }

    fn attr_of(&self, ino: Ino) -> Result<Attr> {
        let object = self.object(ino)?;
        let (size, times) = match &object {
            Object::Root => (0, self.folder_times(self.root)?),
            Object::Folder(nid) | Object::Lost(nid) => (0, self.folder_times(*nid)?),
            Object::Message(nid) => self.item_attr(ino, *nid)?,
            Object::CheckedMessage(nid) => {
                let item = self.checked_file(ino, *nid)?;
                (item.rendition.len(), item.times)
            }
            Object::Text(nid) => {
                let item = self.text_file(ino, *nid)?;
                (item.rendition.len(), item.times)
            }
            Object::Maildir(nid, _) => (0, self.folder_times(*nid)?),
            Object::LostMaildir(_) => (0, Times::all(self.source_time)),
            Object::Attachments(path) => (0, self.message_times(path)?),
            Object::Attachment(path, index) => self.attachment_attr(ino, path, *index)?,
            Object::Link(_, message) => {
                let target = self.link_target(&object)?;
                (
                    target.len() as u64,
                    self.message_times(&MessagePath::top(*message))?,
                )
            }
            Object::Import(_) => (0, Times::all(self.source_time)),
            Object::ImportFile(nid, kind) => {
                let size = self.import(*nid, *kind)?.len();
                (size, Times::all(self.source_time))
            }
            Object::Special(special) => {
                (self.special_size(*special)?, Times::all(self.source_time))
            }
        };
        Ok(Attr {
            ino,
            kind: object.kind(),
            size,
            nlink: 1,
            mtime: times.mtime,
            ctime: times.ctime,
            btime: times.btime,
            changing: object == Object::Special(Special::Problems),
        })
    }

    /// The listing of the directory `ino`.
    pub fn directory(&self, ino: Ino) -> Result<Arc<Directory>> {
        if let Some(deleted) = self.deleted_of(ino) {
            return deleted.directory(ino);
        }
        if let Some(listing) = self.listings.get(&ino) {
            return Ok(listing);
        }
        let listing = self.noted(ino, whole(|| self.list(ino)))?;
        let weight = listing.weight();
        Ok(self.listings.insert(ino, Arc::new(listing), weight))
    }

    fn list(&self, ino: Ino) -> Result<Directory> {
        let object = self.object(ino)?;
        if self.is_maildir() {
            match object {
                Object::Root => return Ok(self.list_maildirs()),
                Object::Folder(_) | Object::Special(Special::LostFound) => {
                    return Ok(self.list_maildir(&object, Ino::ROOT));
                }
                _ => {}
            }
        }
        match object {
            Object::Root => self.list_folder(self.root),
            Object::Folder(nid) => self.list_folder(nid),
            Object::Maildir(nid, part) => self.list_maildir_part(nid, part),
            Object::LostMaildir(part) => Ok(self.list_lost_maildir_part(part)),
            Object::Attachments(path) => self.list_attachments(&path),
            Object::Special(Special::LostFound) => self.list_lost(self.root),
            Object::Lost(nid) => self.list_lost(nid),
            Object::Special(Special::Control) => Ok(self.list_control()),
            Object::Import(nid) => Ok(self.list_import(nid)),
            _ => Err(Error::NotADirectory),
        }
    }

    /// Fills `buf` from byte `offset` of the file `ino`; returns the bytes written, fewer than asked only at its end.
    /// When an attachment within the file of a message turns out damaged, [`Tree::replacement`] has a file that says so; if
    /// damage is refused, the read fails, and that file has a placeholder.
    pub fn read_at(&self, ino: Ino, offset: u64, buf: &mut [u8]) -> Result<usize> {
        match self.deleted_of(ino) {
            Some(deleted) => deleted.read_at(ino, offset, buf),
            None => self.noted(ino, whole(|| self.read(ino, offset, buf))),
        }
    }

    fn read(&self, ino: Ino, offset: u64, buf: &mut [u8]) -> Result<usize> {
        match self.object(ino)? {
            Object::Message(nid) => self.read_message(ino, nid, offset, buf),
            Object::CheckedMessage(nid) => {
                self.checked_file(ino, nid)?.rendition.read_at(offset, buf)
            }
            Object::Text(nid) => self.text_file(ino, nid)?.rendition.read_at(offset, buf),
            Object::Attachment(path, index) => self.read_attachment(ino, &path, index, offset, buf),
            Object::Special(special) => self.read_special(special, offset, buf),
            Object::ImportFile(nid, kind) => self.read_import(nid, kind, offset, buf),
            Object::Link(..) => Err(Error::NotFound),
            Object::Root
            | Object::Folder(_)
            | Object::Import(_)
            | Object::Attachments(_)
            | Object::Maildir(..)
            | Object::LostMaildir(_)
            | Object::Lost(_) => Err(Error::IsADirectory),
        }
    }

    /// Target of the symbolic link `ino`.
    pub fn read_link(&self, ino: Ino) -> Result<String> {
        self.noted(ino, whole(|| self.link_target(&self.object(ino)?)))
    }

    /// Figures for `statfs`.
    pub fn statistics(&self) -> Statistics {
        let header = self.store.ndb().header();
        Statistics {
            bytes: self.store.ndb().source().len(),
            files: header.messages_ever(),
        }
    }
}
