//! A file as a tree: how it is opened, and the requests that it answers.

use std::ffi::OsStr;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::attr::{Attr, Statistics};
use super::context::Context;
use super::deleted;
use super::directory::Directory;
use super::gathered::Gathered;
use super::info::Info;
use super::ino::Ino;
use super::inodes::Inodes;
use super::object::{Object, Special};
use super::options::Options;
use super::problem_log::{Listener, ProblemLog};
use super::replaced::Replaced;
use super::router::Router;
use super::size_cache::SizeCache;
use super::summary::{Details, Part, People, Summary};
use super::view::View;
use super::watch::{Progress, RecoveryWatch};
use super::xattr::Xattr;
use crate::convert::Converter;
use crate::error::Result;
use crate::messaging::{ContentsTable, Folder, Message, Store};
use crate::ndb::{Depth, NodeId, Source, at_best};
use crate::salvage::Opening;

/// An opened Outlook data file as a tree. `Send + Sync`; every call may come from any thread.
#[derive(Debug)]
pub struct Tree(Router);

impl Tree {
    /// Opens `path` and checks that it is a readable Outlook data file; reads nothing that grows with the file, unless
    /// it is damaged.
    pub fn open(path: &Path, options: &Options) -> Result<Self> {
        Self::open_with(path, options, Box::new(|_, _| {}))
    }

    /// As [`Tree::open`]; `progress` is called during the scan of a damaged file, now or when it becomes necessary.
    pub fn open_with(path: &Path, options: &Options, progress: Box<Progress>) -> Result<Self> {
        Self::of_source(Source::open(path)?, options, progress)
    }

    /// As [`Tree::open_with`], of a file that is open already.
    pub fn of_source(source: Source, options: &Options, progress: Box<Progress>) -> Result<Self> {
        let problems = Arc::new(ProblemLog::new(options.redact, source.clone()));
        let watch = Arc::new(RecoveryWatch {
            progress,
            problems: Arc::clone(&problems),
        });
        let mut options = options.clone();
        if options.deleted {
            options.cache -= options.cache / deleted::CACHE_SHARE;
        }
        let opening = Opening {
            cache: options.share(3),
            recover: options.recover,
            damaged: options.damaged,
            code_page: options.code_page,
        };
        let store = Arc::new(opening.open(source, watch.clone())?);
        if let Some(problem) = store.problem() {
            problems.note("", problem);
        }
        let root = match options.all {
            true => NodeId::ROOT_FOLDER,
            false => at_best(|| store.ipm_subtree()),
        };
        let inodes = Inodes::default();
        let context = Context::new(store, root, options, inodes, problems);
        let live = View::new(context, Replaced::default(), None);
        Ok(Self(Router::new(live, watch)))
    }

    /// The store that the tree shows.
    pub fn store(&self) -> &Arc<Store> {
        &self.0.live().context().store
    }

    /// Takes sizes and times of messages from `cache`, and keeps there those that are learnt.
    pub fn keep_sizes(&self, cache: SizeCache) {
        self.0.live().keep_sizes(cache);
    }

    /// The directories of links to what it shows.
    pub(super) fn gathered(&self) -> &Gathered {
        self.0.live().gathered()
    }

    /// Modification time of the file.
    pub(super) fn source_time(&self) -> SystemTime {
        self.0.live().context().source_time
    }

    /// How many problems were met so far.
    pub fn problem_count(&self) -> u64 {
        self.0.live().context().problems.count()
    }

    /// Calls `listener` with each problem, those that are known first; the tree keeps none from now on.
    pub fn listen(&self, listener: Box<Listener>) {
        self.0.live().context().problems.listen(listener);
    }

    /// What `ino` is in a problem, by its number and without a name.
    pub fn object_of(&self, ino: Ino) -> String {
        self.0.entry(ino).object_of(ino)
    }

    /// The path of the file of an item, or of a folder, from the root; None if no directory lists it.
    pub fn path_of(&self, ino: Ino) -> Option<String> {
        self.0.entry(ino).path_of(ino)
    }

    /// The files of items, and the folders, that are not whole, as far as reads have met it.
    pub(super) fn damaged_entries(&self) -> Vec<Ino> {
        self.0.live().context().problems.entries()
    }

    /// Notes a problem with `ino` for the log and `.ostfs/problems.txt`, unless it is known already.
    pub fn note(&self, ino: Ino, problem: &dyn Display) {
        self.0.entry(ino).note(ino, problem);
    }

    /// Whether `ino` is the directory `lost+found`.
    pub fn is_lost_found(&self, ino: Ino) -> bool {
        let lost_found = Object::Special(Special::LostFound);
        self.0.entry(ino).is(ino, &lost_found)
    }

    /// The inode under `name` in the directory `parent`; None when there is none.
    pub fn lookup(&self, parent: Ino, name: &OsStr) -> Result<Option<Ino>> {
        self.0.directory(parent).lookup(parent, name)
    }

    /// The listing of the directory `ino`.
    pub fn directory(&self, ino: Ino) -> Result<Arc<Directory>> {
        self.0.directory(ino).directory(ino)
    }

    /// The same, for those who want the entries from number `first` on: of a huge directory that was not listed yet, the
    /// first ones alone, if that one is among them.
    pub fn directory_from(&self, ino: Ino, first: usize) -> Result<Arc<Directory>> {
        self.0.directory(ino).directory_from(ino, first)
    }

    /// Attributes of `ino`; may open the message to learn its size, never reads an attachment.
    pub fn attr(&self, ino: Ino) -> Result<Attr> {
        self.0.entry(ino).attr(ino)
    }

    /// Whether the attributes of `ino` are known, or take little work: no message is rendered, no folder read. True of
    /// all files of messages whose size was ever given out.
    pub fn is_attr_at_hand(&self, ino: Ino) -> bool {
        self.0.entry(ino).is_attr_at_hand(ino)
    }

    /// Has what will be read of `files`, which are in one directory, read ahead from the disk if that is worth it: `depth`
    /// of each.
    pub fn read_ahead(&self, files: &[Ino], depth: Depth) {
        if let Some(first) = files.first() {
            self.0.entry(*first).read_ahead(files, depth);
        }
    }

    /// The next `count` files that the directory of the file `ino` of a message lists after it; none of other files.
    pub fn files_after(&self, ino: Ino, count: usize) -> Vec<Ino> {
        self.0.entry(ino).files_after(ino, count)
    }

    /// Announces that `depth` of all messages will be read, so that the whole file may be read ahead.
    pub fn will_read_all(&self, depth: Depth) {
        self.0.entry(Ino::ROOT).will_read_all(depth);
    }

    /// Fills `buf` from byte `offset` of the file `ino`; returns the bytes written, fewer than asked only at its end.
    /// When an attachment within the file of a message turns out damaged, [`Tree::replacement`] has a file that states it; if
    /// damage is refused, the read fails, and that file has a placeholder.
    pub fn read_at(&self, ino: Ino, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.0.entry(ino).read_at(ino, offset, buf)
    }

    /// Target of the symbolic link `ino`.
    pub fn read_link(&self, ino: Ino) -> Result<String> {
        self.0.entry(ino).read_link(ino)
    }

    /// Drops the content of the file `ino`, for those who read every file once: the next one gets its place in memory.
    pub fn forget(&self, ino: Ino) {
        self.0.entry(ino).forget(ino);
    }

    /// Whether a read of the file `ino` can find out that it has to be replaced: so it is of all messages of folders.
    pub fn may_be_replaced(&self, ino: Ino) -> bool {
        self.0.entry(ino).may_be_replaced(ino)
    }

    /// What took the place of the file `ino` when an attachment in it turned out damaged; None for all other files.
    pub fn replacement(&self, ino: Ino) -> Option<Ino> {
        self.0.entry(ino).replacement(ino)
    }

    /// Whether the file `ino` has a replacement since the last time that this was asked: true once.
    pub fn is_newly_replaced(&self, ino: Ino) -> bool {
        self.0.entry(ino).is_newly_replaced(ino)
    }

    /// Under which directory and name a replaced file is listed, for caches above that know the old one.
    pub fn place_of_replaced(&self, ino: Ino) -> Option<(Ino, String)> {
        self.0.entry(ino).place_of_replaced(ino)
    }

    /// The node of the item that `ino` shows or belongs to, and what it shows of it; None for folders and for what is
    /// not in the file.
    pub fn item(&self, ino: Ino) -> Option<(u32, Part)> {
        self.0.entry(ino).item(ino)
    }

    /// The facts about the item that `ino` shows or belongs to; None if it cannot be opened.
    pub fn summary(&self, ino: Ino) -> Option<Summary> {
        self.0.entry(ino).summary(ino)
    }

    /// All that a catalogue tells of the item that `ino` shows or belongs to; None if it cannot be opened.
    pub fn details(&self, ino: Ino) -> Option<Details> {
        self.0.entry(ino).details(ino)
    }

    /// Sender and recipients of the item that `ino` shows or belongs to.
    pub fn people(&self, ino: Ino) -> People {
        self.0.entry(ino).people(ino)
    }

    /// The message in a folder that `ino` shows or belongs to. Of one that cannot be opened, what its row has.
    pub fn message(&self, ino: Ino) -> Result<Message> {
        self.0.entry(ino).message_of(ino)
    }

    /// The tables of the folders whose items, and no others, the directory `ino` lists as files, in the order of its listing;
    /// None if its items are known by its listing alone, as those of `lost+found`.
    pub fn tables(&self, ino: Ino) -> Option<Vec<ContentsTable>> {
        self.0.directory(ino).tables(ino)
    }

    /// The directories in the directory `ino`; files are among them where they cannot be told apart without a listing of all.
    pub fn subdirectories(&self, ino: Ino) -> Result<Arc<Directory>> {
        self.0.directory(ino).subdirectories(ino)
    }

    /// What makes files of the messages of `ino`: an item, or a directory of such.
    pub fn converter(&self, ino: Ino) -> &Converter {
        self.0.directory(ino).converter()
    }

    /// The folder whose directory `ino` is; None for what is no folder, and for directories of `lost+found`.
    pub fn folder(&self, ino: Ino) -> Option<Folder> {
        self.0.entry(ino).folder(ino)
    }

    /// How many items an OST left on the server that would be files in the directory `ino`.
    pub fn left_on_server(&self, ino: Ino) -> u64 {
        self.0.entry(ino).left_on_server(ino)
    }

    /// The header block of the message that `ino` shows, as it is stored; None when there is none.
    pub fn stored_header(&self, ino: Ino) -> Result<Option<Vec<u8>>> {
        self.0.entry(ino).stored_header(ino)
    }

    /// What is wrong with the file `ino` of an item or an attachment, as far as reads have met it; nothing of other files.
    pub fn item_problems(&self, ino: Ino) -> Vec<String> {
        self.0.entry(ino).item_problems(ino)
    }

    /// The extended attributes of `ino`. Opens the folder or message; a damaged one has its number alone.
    pub fn xattrs(&self, ino: Ino) -> Result<Vec<Xattr>> {
        self.0.entry(ino).xattrs(ino)
    }

    /// How many items the folders that the tree shows list, without listing them.
    pub fn count_items(&self) -> u64 {
        self.0.live().count_items()
    }

    /// Collects the facts about the file: reads the tables of all folders, opens no message.
    pub fn info(&self) -> Info {
        self.0.live().info()
    }

    /// Figures for `statfs`.
    pub fn statistics(&self) -> Statistics {
        self.0.live().statistics()
    }
}
