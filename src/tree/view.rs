//! One tree over one store: puts its parts together and answers requests. The live file is one, what was deleted another.

use std::ffi::OsStr;
use std::fmt::Display;
use std::sync::Arc;

use super::attr::{Attr, Statistics, Times};
use super::context::Context;
use super::conversations::Conversations;
use super::directories::Directories;
use super::directory::Directory;
use super::files::attachments::Attachments;
use super::files::configurations::ConfigurationFiles;
use super::files::control::Control;
use super::files::conversations::ConversationFiles;
use super::files::file::{FileCache, FileOf};
use super::files::imports::Imports;
use super::files::items::{Form, ItemFile};
use super::folders::Folders;
use super::gathered::Gathered;
use super::info::Info;
use super::ino::{Ino, Kind};
use super::layout::items::Items;
use super::layout::{self, rules::Rules};
use super::lost_found::{Lost, LostFound};
use super::messages::Messages;
use super::object::{MessagePath, Object, Special};
use super::replaced::Replaced;
use super::size_cache::SizeCache;
use super::summary::{Details, Part, People, Summary};
use super::xattr::{Xattr, Xattrs};
use crate::convert::Converter;
use crate::error::{Error, Result};
use crate::messaging::{ContentsTable, Folder, Message};
use crate::ndb::{self, Depth, NodeId, whole};

/// The tree of one store.
#[derive(Debug)]
pub(super) struct View {
    context: Arc<Context>,
    folders: Arc<Folders>,
    messages: Arc<Messages>,
    rules: Arc<dyn Rules>,
    attachments: Arc<Attachments>,
    imports: Arc<Imports>,
    directories: Arc<Directories>,
    control: Control,
    gathered: Gathered,
    conversations: ConversationFiles,
    /// Files that were used last.
    files: Arc<FileCache>,
}

impl View {
    /// The tree of `context`, in which some files are `replaced` and what is `lost` may be known from the beginning. Nothing
    /// is read yet.
    pub fn new(context: Context, replaced: Replaced, lost: Option<Lost>) -> Self {
        let context = Arc::new(context);
        let folders = Arc::new(Folders::new(context.clone()));
        let messages = Messages::new(context.clone(), folders.clone(), replaced);
        let messages = Arc::new(messages);
        let lost_found = LostFound::new(context.clone(), folders.clone(), lost);
        let lost_found = Arc::new(lost_found);
        let conversations = Conversations::new(context.clone(), folders.clone(), messages.clone());
        let conversations = Arc::new(conversations);
        let items = Items {
            context: context.clone(),
            folders: folders.clone(),
            messages: messages.clone(),
            conversations: conversations.clone(),
        };
        let rules = layout::rules(context.options.layout, items, lost_found.clone());
        let files = Arc::new(FileCache::new(context.options.share(2), 4));
        let attachments = Attachments::new(context.clone(), messages.clone(), files.clone());
        let attachments = Arc::new(attachments);
        let configurations = ConfigurationFiles::new(context.clone(), files.clone());
        let configurations = Arc::new(configurations);
        let imports = Imports::new(
            context.clone(),
            folders.clone(),
            messages.clone(),
            configurations.clone(),
        );
        let imports = Arc::new(imports);
        let directories = Arc::new(Directories::new(
            context.clone(),
            messages.clone(),
            lost_found.clone(),
            rules.clone(),
            attachments.clone(),
            imports.clone(),
        ));
        Self {
            gathered: Gathered::new(context.clone(), rules.clone(), directories.clone()),
            control: Control::new(
                context.clone(),
                folders.clone(),
                lost_found.clone(),
                rules.clone(),
                directories.clone(),
                configurations,
            ),
            conversations: ConversationFiles::new(context.clone(), messages.clone(), conversations),
            context,
            folders,
            messages,
            rules,
            attachments,
            imports,
            directories,
            files,
        }
    }

    /// What the view works with.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The directories of links to what it shows.
    pub fn gathered(&self) -> &Gathered {
        &self.gathered
    }

    /// What `ino` is in a problem, by its number and without a name.
    pub fn object_of(&self, ino: Ino) -> String {
        match (self.context.object(ino), self.gathered.entry(ino)) {
            (Ok(object), _) => object.to_string(),
            (_, Some(entry)) => entry.to_string(),
            _ => format!("inode {:#x}", ino.0),
        }
    }

    /// Notes a problem with `ino`, unless it is known already.
    pub fn note(&self, ino: Ino, problem: &dyn Display) {
        match self.context.object(ino) {
            Ok(object) => self.context.note(&object, problem),
            Err(_) => self.context.problems.note(self.object_of(ino), problem),
        }
    }

    /// The path of the file of an item, or of a folder, from the root of the tree; None if no directory lists it.
    pub fn path_of(&self, ino: Ino) -> Option<String> {
        whole(|| Ok(self.directories.path_of(ino))).ok().flatten()
    }

    /// What `request` gives for `ino`; an error if a read has failed meanwhile. One about the file is noted.
    fn answer<T>(&self, ino: Ino, request: impl FnOnce() -> Result<T>) -> Result<T> {
        whole(request).inspect_err(|error| {
            if error.is_problem() {
                self.note(ino, error);
            }
        })
    }

    /// Whether `ino` is `object`.
    pub fn is(&self, ino: Ino, object: &Object) -> bool {
        self.context.inodes.object(ino).as_ref() == Some(object)
    }

    /// The inode under `name` in the directory `parent`; None when there is none.
    pub fn lookup(&self, parent: Ino, name: &OsStr) -> Result<Option<Ino>> {
        // All names are UTF-8.
        let Some(name) = name.to_str() else {
            return Ok(None);
        };
        whole(|| self.directories.look_up(parent, name))
    }

    /// The listing of the directory `ino`.
    pub fn directory(&self, ino: Ino) -> Result<Arc<Directory>> {
        self.answer(ino, || self.directories.listing(ino))
    }

    /// As [`Tree::directory_from`](super::Tree::directory_from).
    pub fn directory_from(&self, ino: Ino, first: usize) -> Result<Arc<Directory>> {
        self.answer(ino, || self.directories.listing_from(ino, first))
    }

    /// What `ask` gets of the file `object`; None for all that is no file.
    fn of_file<T>(&self, object: &Object, ask: impl FnOnce(&dyn FileOf) -> T) -> Option<T> {
        let item = |nid: NodeId, form: Form| ItemFile {
            context: &self.context,
            messages: &self.messages,
            cache: &self.files,
            nid,
            form,
        };
        Some(match object {
            Object::Message(nid) => ask(&item(*nid, Form::Usual)),
            Object::CheckedMessage(nid) => ask(&item(*nid, Form::Checked)),
            Object::Text(nid) => ask(&item(*nid, Form::Text)),
            Object::Conversation(nid) => ask(&self.conversations.file(*nid)),
            Object::Attachment(path, index) => ask(&self.attachments.file(path.clone(), *index)),
            Object::ImportFile(nid, kind) => ask(&self.imports.file(*nid, *kind)),
            Object::Special(special) if object.kind() == Kind::File => {
                ask(&self.control.file(*special))
            }
            Object::Root
            | Object::Folder(_)
            | Object::Attachments(_)
            | Object::Link(..)
            | Object::Lost(_)
            | Object::Maildir(..)
            | Object::LostMaildir(_)
            | Object::Import(_)
            | Object::Special(_) => return None,
        })
    }

    /// Attributes of `ino`; may open the message to learn its size, never reads an attachment.
    pub fn attr(&self, ino: Ino) -> Result<Attr> {
        self.answer(ino, || {
            let object = self.context.object(ino)?;
            let attr = self.of_file(&object, |file| file.attr());
            let (size, times) = attr.unwrap_or_else(|| self.attr_of_other(&object))?;
            Ok(Attr {
                changing: object == Object::Special(Special::Problems),
                ..Attr::new(ino, object.kind(), size, times)
            })
        })
    }

    /// Size and times of what is no file.
    fn attr_of_other(&self, object: &Object) -> Result<(u64, Times)> {
        let times = match object {
            Object::Folder(nid) | Object::Lost(nid) | Object::Maildir(nid, _) => {
                self.folders.times(*nid)?
            }
            Object::Root => self.folders.times(self.context.root)?,
            Object::Attachments(path) => self.attachments.times(path)?,
            Object::Link(search, message) => {
                let target = self.directories.link_target(*search, *message)?;
                return Ok((target.len() as u64, self.messages.times(*message)?));
            }
            _ => Times::all(self.context.source_time),
        };
        Ok((0, times))
    }

    /// Whether the attributes of `ino` are known, or take little work.
    pub fn is_attr_at_hand(&self, ino: Ino) -> bool {
        let Ok(object) = self.context.object(ino) else {
            return true;
        };
        if let Some(is_at_hand) = self.of_file(&object, |file| file.is_attr_at_hand()) {
            return is_at_hand;
        }
        match object {
            Object::Folder(nid) | Object::Lost(nid) => self.folders.has_times(nid),
            Object::Attachments(path) => self.messages.known.times(path.nid).is_some(),
            Object::Link(..) => false,
            _ => true,
        }
    }

    /// As [`Tree::keep_sizes`](super::Tree::keep_sizes).
    pub fn keep_sizes(&self, cache: SizeCache) {
        self.messages.known.keep(cache);
    }

    /// Has what will be read of `files` read ahead from the disk, if that is worth it.
    pub fn read_ahead(&self, files: &[Ino], depth: Depth) {
        let is_wanted = |ino: &Ino| depth != Depth::Sizes || !self.is_attr_at_hand(*ino);
        let node = |ino: &Ino| match self.context.object(*ino) {
            Ok(Object::Message(nid) | Object::CheckedMessage(nid) | Object::Text(nid)) => Some(nid),
            Ok(Object::Attachments(path) | Object::Attachment(path, _)) => Some(path.nid),
            _ => None,
        };
        let files = files.iter().filter(|ino| is_wanted(ino));
        let nids: Vec<NodeId> = files.filter_map(node).collect();
        ndb::read_ahead(self.context.store.ndb(), &nids, depth);
    }

    /// As [`Tree::files_after`](super::Tree::files_after).
    pub fn files_after(&self, ino: Ino, count: usize) -> Vec<Ino> {
        let listed_after = || {
            let nid = match self.context.inodes.object(ino)? {
                Object::Message(nid) | Object::CheckedMessage(nid) => nid,
                _ => return None,
            };
            let (directory, file) = (
                self.directories.directory_of(nid)?,
                self.context.number(&Object::Message(nid)),
            );
            // Of a huge directory that was not listed yet, its beginning is enough for who is there.
            let place = |first: usize| {
                let listing = self.directory_from(directory, first).ok()?;
                let position = listing.position_of(file)?;
                Some((listing, position + 1))
            };
            let (listing, first) = place(0).or_else(|| place(usize::MAX))?;
            let entries = (first..).map_while(|index| listing.entry(index));
            let files = entries.filter(|entry| entry.kind == Kind::File);
            Some(files.map(|entry| entry.ino).take(count).collect())
        };
        listed_after().unwrap_or_default()
    }

    /// Announces that `depth` of all messages will be read.
    pub fn will_read_all(&self, depth: Depth) {
        ndb::read_all_ahead(self.context.store.ndb(), depth);
    }

    /// Fills `buf` from byte `offset` of the file `ino`.
    pub fn read_at(&self, ino: Ino, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.answer(ino, || {
            let object = self.context.object(ino)?;
            match self.of_file(&object, |file| file.read_at(offset, buf)) {
                Some(read) => read,
                None if matches!(object, Object::Link(..)) => Err(Error::NotFound),
                None => Err(Error::IsADirectory),
            }
        })
    }

    /// Target of the symbolic link `ino`.
    pub fn read_link(&self, ino: Ino) -> Result<String> {
        self.answer(ino, || match self.context.object(ino)? {
            Object::Link(search, message) => self.directories.link_target(search, message),
            _ => Err(Error::NotFound),
        })
    }

    /// Drops the content of the file `ino`.
    pub fn forget(&self, ino: Ino) {
        self.files.remove(&ino);
    }

    /// The message of a folder whose file `ino` is, as it is shown until an attachment in it turns out damaged.
    fn replaceable(&self, ino: Ino) -> Option<NodeId> {
        match self.context.inodes.object(ino)? {
            Object::Message(nid) => Some(nid),
            _ => None,
        }
    }

    /// Whether a read of the file `ino` can find out that it has to be replaced: so it is of all messages of folders.
    pub fn may_be_replaced(&self, ino: Ino) -> bool {
        self.replaceable(ino).is_some()
    }

    /// What took the place of the file `ino`.
    pub fn replacement(&self, ino: Ino) -> Option<Ino> {
        let nid = self.replaceable(ino)?;
        let is_replaced = self.messages.replaced.has(nid);
        is_replaced.then(|| self.context.number(&Object::CheckedMessage(nid)))
    }

    /// Whether the file `ino` has a replacement since the last time that this was asked: true once.
    pub fn is_newly_replaced(&self, ino: Ino) -> bool {
        let nid = self.replaceable(ino);
        nid.is_some_and(|nid| self.messages.replaced.is_new(nid))
    }

    /// Under which directory and name a replaced file is listed.
    pub fn place_of_replaced(&self, ino: Ino) -> Option<(Ino, String)> {
        self.replacement(ino)?;
        self.directories.place_of(self.replaceable(ino)?)
    }

    /// The node of the item that `ino` shows or belongs to, and what it shows of it.
    pub fn item(&self, ino: Ino) -> Option<(u32, Part)> {
        let (nid, part) = Part::of(&self.context.inodes.object(ino)?)?;
        Some((nid.0, part))
    }

    /// The message in the folder that `ino` shows or belongs to, if it can be opened.
    fn message(&self, ino: Ino) -> Option<Message> {
        self.message_of(ino).ok()
    }

    /// The message in a folder that `ino` shows or belongs to. Of one that cannot be opened, what its row has.
    pub fn message_of(&self, ino: Ino) -> Result<Message> {
        let (nid, _) = self.item(ino).ok_or(Error::NotFound)?;
        self.messages.open(NodeId(nid))
    }

    /// As [`Tree::tables`](super::Tree::tables).
    pub fn tables(&self, ino: Ino) -> Option<Vec<ContentsTable>> {
        let object = self.context.inodes.object(ino)?;
        let folders = self.rules.folders_of_items(&object)?.into_iter();
        Some(folders.flat_map(|nid| self.rules.tables(nid)).collect())
    }

    /// As [`Tree::subdirectories`](super::Tree::subdirectories).
    pub fn subdirectories(&self, ino: Ino) -> Result<Arc<Directory>> {
        let object = self.context.object(ino)?;
        match self.rules.list_subfolders(&object) {
            Some(subfolders) => Ok(Arc::new(subfolders)),
            None => self.directory(ino),
        }
    }

    /// What makes files of its messages.
    pub fn converter(&self) -> &Converter {
        &self.context.converter
    }

    /// The folder whose directory `ino` is; None for what is no folder, and for directories of `lost+found`.
    pub fn folder(&self, ino: Ino) -> Option<Folder> {
        match self.context.inodes.object(ino)? {
            Object::Root => Some(self.folders.open(self.context.root)),
            Object::Folder(nid) => Some(self.folders.open(nid)),
            _ => None,
        }
    }

    /// How many items an OST left on the server that would be files in the directory `ino`.
    pub fn left_on_server(&self, ino: Ino) -> u64 {
        let object = self.context.inodes.object(ino);
        let folders = object.and_then(|object| self.rules.folders_of_items(&object));
        let folders = folders.into_iter().flatten();
        folders.map(|nid| self.folders.open(nid).on_server()).sum()
    }

    /// The facts about that item.
    pub fn summary(&self, ino: Ino) -> Option<Summary> {
        Some(Summary::of(&self.message(ino)?))
    }

    /// All that a catalogue tells of that item; None if it cannot be opened.
    pub fn details(&self, ino: Ino) -> Option<Details> {
        let message = self.message(ino)?;
        let path = MessagePath::top(message.nid());
        Some(Details {
            summary: Summary::of(&message),
            particulars: self.context.converter.particulars(&message),
            attachments: self.attachments.names(&path, &message),
        })
    }

    /// Its sender and recipients.
    pub fn people(&self, ino: Ino) -> People {
        let converter = &self.context.converter;
        let message = self.message(ino);
        let header = message.map(|message| converter.header(&message, &["From", "To"]));
        let line = |name: &str| header.as_ref()?.line(name);
        People {
            from: line("From").unwrap_or_default(),
            to: line("To").unwrap_or_default(),
        }
    }

    /// The header block of the message that `ino` shows, as it is stored; None when there is none.
    pub fn stored_header(&self, ino: Ino) -> Result<Option<Vec<u8>>> {
        let path = match self.context.inodes.object(ino) {
            Some(Object::Attachment(path, index)) => path.embedded(index),
            _ => match self.item(ino) {
                Some((nid, _)) => MessagePath::top(NodeId(nid)),
                None => return Ok(None),
            },
        };
        match self.attachments.message(&path) {
            Ok(message) => Ok(self.context.converter.stored_header(&message)),
            // An attachment that is no message.
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is wrong with the file `ino` of an item or an attachment, as far as reads have met it.
    pub fn item_problems(&self, ino: Ino) -> Vec<String> {
        let object = self.context.inodes.object(ino);
        let problems = object.and_then(|object| self.of_file(&object, |file| file.problems()));
        problems
            .unwrap_or_else(|| Ok(Vec::new()))
            .unwrap_or_else(|error| vec![error.to_string()])
    }

    /// How many items the folders that the tree shows list, without listing them.
    pub fn count_items(&self) -> u64 {
        let mut count = 0;
        let mut todo = vec![self.context.root];
        while let Some(folder) = todo.pop() {
            for table in self.rules.tables(folder) {
                count += table.len() as u64;
            }
            let below = self.folders.subfolders(folder).into_iter();
            todo.extend(below.map(|(child, _)| child));
        }
        count
    }

    /// The extended attributes of `ino`.
    pub fn xattrs(&self, ino: Ino) -> Result<Vec<Xattr>> {
        let xattrs = Xattrs {
            context: &self.context,
            folders: &self.folders,
            attachments: &self.attachments,
        };
        xattrs.of(self.context.object(ino)?)
    }

    /// What the file is and holds.
    pub fn info(&self) -> Info {
        self.control.info()
    }

    /// Figures for `statfs`.
    pub fn statistics(&self) -> Statistics {
        let ndb = self.context.store.ndb();
        Statistics {
            bytes: ndb.source().stored_len(),
            files: ndb.header().messages_ever(),
        }
    }
}
