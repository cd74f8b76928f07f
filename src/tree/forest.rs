//! Several files in one tree: a directory for each, named as its file (`source_names`). A single file is the tree itself.
//!
//! The mount and `export` know trees through this layer alone.
//!
//! The number of a file takes eight bits of its inode numbers, and the bound of the caches is divided among the files.
//! A file that cannot be opened is not there; whoever opens the others states it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use super::attr::{Attr, Statistics, Times};
use super::directory::Directory;
use super::gathered::Finds;
use super::ino::{Ino, Kind};
use super::listing::Listing;
use super::problem_log::{Listener, ProblemLine, within};
use super::size_cache::SizeCache;
use super::source_names;
use super::summary::{Details, Part, People, Summary};
use super::tree::Tree;
use super::xattr::Xattr;
use crate::convert::Converter;
use crate::error::{Error, Result};
use crate::messaging::{ContentsTable, Folder, Message, Store};
use crate::ndb::{Depth, NodeId};

/// Who finds items by queries, for `-o search`.
pub trait Finder: Send + Sync {
    /// Whether `query` can be asked of the tree with the root `top`; else why not, and what to write.
    fn check(&self, forest: &Forest, top: Ino, query: &str) -> std::result::Result<(), String>;

    /// The items of that tree that `query` finds, with paths from its root.
    fn find(&self, forest: &Forest, top: Ino, query: &str) -> Result<Finds>;
}

/// The trees of all files. `Send + Sync`, as [`Tree`] is.
pub struct Forest {
    /// By number; None for a file that could not be opened.
    trees: Vec<Option<Tree>>,
    /// The directory above the trees of several files, in which file number `n` is entry `n - 1`.
    top: Option<Arc<Directory>>,
    finder: OnceLock<Box<dyn Finder>>,
}

impl fmt::Debug for Forest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forest")
            .field("trees", &self.trees)
            .finish_non_exhaustive()
    }
}

/// Where an inode is: in which file, and there.
struct Place<'a> {
    file: u8,
    tree: &'a Tree,
    ino: Ino,
}

impl Forest {
    /// Files whose blocks are worth reading ahead at once from a slow disk: the more, the closer together they lie, but for more
    /// there is no room to read what lies around each.
    pub const READ_AHEAD: usize = 1024;
    /// As many files as inode numbers can tell apart.
    pub const MAX_FILES: usize = u8::MAX as usize;

    /// Shows the trees of these files, in this order; None if there are none, or more than [`Forest::MAX_FILES`].
    ///
    /// Several files have directories of their names. Those of the same name are told apart by what is different in their
    /// paths: `ann - outlook.ost`, `bob - outlook.ost`.
    pub fn new(files: Vec<(&Path, Tree)>) -> Option<Self> {
        let files = files.into_iter();
        Self::without_some(files.map(|(path, tree)| (path, Some(tree))).collect())
    }

    /// As [`Forest::new`], but a file without a tree could not be opened: it is not there, and the others keep the names and
    /// numbers that they have beside it.
    pub fn without_some(files: Vec<(&Path, Option<Tree>)>) -> Option<Self> {
        if files.is_empty() || files.len() > Self::MAX_FILES {
            return None;
        }
        let paths: Vec<&Path> = files.iter().map(|(path, _)| *path).collect();
        let mut top = (files.len() > 1).then(|| Directory::new(Ino::ROOT));
        let mut trees = Vec::with_capacity(files.len());
        let names = source_names::of(&paths).into_iter();
        for ((number, name), (_, tree)) in (1..).zip(names).zip(files) {
            if let (Some(top), true) = (&mut top, tree.is_some()) {
                let name = top.free_stem(&name, &[""], u32::from(number));
                top.add(&name, Ino::ROOT.of_file(number), Kind::Directory);
            }
            trees.push(tree);
        }
        Some(Self {
            trees,
            top: top.map(|top| Arc::new(top.finish())),
            finder: OnceLock::new(),
        })
    }

    /// The directory of file number `index` of those that it was made of, in their order; the root, if there is no other.
    pub fn top_of(&self, index: usize) -> Option<Ino> {
        self.trees.get(index)?.as_ref()?;
        match self.top {
            Some(_) => Some(Ino::ROOT.of_file(u8::try_from(index + 1).ok()?)),
            None => Some(Ino::ROOT),
        }
    }

    /// Has `finder` find what queries look for, where the options want it. It is asked once; another one is not taken.
    pub fn search_with(&self, finder: Box<dyn Finder>) {
        self.finder.set(finder).ok();
    }

    /// Who finds what queries look for.
    pub(super) fn finder(&self) -> Option<&dyn Finder> {
        self.finder.get().map(|finder| &**finder)
    }

    /// As [`Tree::keep_sizes`], for each file in its order.
    pub fn keep_sizes(&self, caches: impl IntoIterator<Item = Option<SizeCache>>) {
        for (tree, cache) in self.trees.iter().zip(caches) {
            if let (Some(tree), Some(cache)) = (tree, cache) {
                tree.keep_sizes(cache);
            }
        }
    }

    /// The tree that has `ino`.
    pub(super) fn tree(&self, ino: Ino) -> Option<&Tree> {
        Some(self.at(ino)?.tree)
    }

    /// The trees of all files that could be opened.
    fn trees(&self) -> impl Iterator<Item = &Tree> {
        self.trees.iter().flatten()
    }

    /// The place of `ino`; None for the directory above the trees.
    fn place(&self, ino: Ino) -> Result<Option<Place<'_>>> {
        let (file, local) = ino.split();
        let index = match &self.top {
            Some(_) if ino == Ino::ROOT => return Ok(None),
            Some(_) => file.checked_sub(1),
            None => (file == 0).then_some(0),
        };
        let tree = index.and_then(|index| self.trees.get(usize::from(index))?.as_ref());
        Ok(Some(Place {
            file,
            tree: tree.ok_or(Error::NotFound)?,
            ino: local,
        }))
    }

    /// The tree that has `ino`, and its number there; None for the directory above the trees, and if there is none.
    fn at(&self, ino: Ino) -> Option<Place<'_>> {
        self.place(ino).ok().flatten()
    }

    /// How many problems were met so far, in all files.
    pub fn problem_count(&self) -> u64 {
        self.trees().map(Tree::problem_count).sum()
    }

    /// Calls `listener` with each problem of each file, with the name of the file in front where there are several.
    pub fn listen(&self, listener: &Arc<Listener>) {
        for (number, tree) in self.trees().enumerate() {
            // What could not be opened has neither tree nor entry.
            let entry = self.top.as_ref().and_then(|top| top.entry(number));
            let file = entry.map(|entry| entry.name.into_owned());
            let listener = Arc::clone(listener);
            tree.listen(Box::new(move |problem| match &file {
                Some(file) => listener(&problem.in_file(file)),
                None => listener(problem),
            }));
        }
    }

    /// As [`Tree::object_of`].
    pub fn object_of(&self, ino: Ino) -> String {
        match self.at(ino) {
            Some(at) => at.tree.object_of(at.ino),
            None => format!("inode {:#x}", ino.0),
        }
    }

    /// As [`Forest::object_of`], with the name of the file in front where there are several, as problems have it.
    pub fn object_in_file(&self, ino: Ino) -> String {
        let object = self.object_of(ino);
        match self.name_of_file(ino) {
            Some(name) => within(&name, &object),
            None => object,
        }
    }

    /// The name of the directory of the file that has `ino`, where there are several.
    fn name_of_file(&self, ino: Ino) -> Option<String> {
        let directory = Ino::ROOT.of_file(self.at(ino)?.file);
        let mut entries = self.top.as_ref()?.entries();
        let entry = entries.find(|entry| entry.ino == directory)?;
        Some(entry.name.into_owned())
    }

    /// As [`Tree::path_of`]; where there are several files, from the directory above them.
    pub fn path_of(&self, ino: Ino) -> Option<String> {
        let at = self.at(ino)?;
        let path = at.tree.path_of(at.ino)?;
        Some(match self.name_of_file(ino) {
            Some(name) if path.is_empty() => name,
            Some(name) => format!("{name}/{path}"),
            None => path,
        })
    }

    /// The files of items, and the folders, that reads have found not to be whole, by their paths: `most` of them, and how many more
    /// there are.
    pub fn not_whole(&self, most: usize) -> Vec<ProblemLine> {
        ProblemLine::all_not_whole(self.damaged_entries(), most, |ino| self.not_whole_at(ino))
    }

    /// The folders that reads have found not to be whole, by their paths: for who tells of items as they come.
    pub fn folders_not_whole(&self) -> Vec<ProblemLine> {
        let entries = self.damaged_entries().into_iter();
        let folders = entries.filter(|ino| ino.message().is_none());
        folders.filter_map(|ino| self.not_whole_at(ino)).collect()
    }

    /// As [`Tree::damaged_entries`], of all files.
    fn damaged_entries(&self) -> Vec<Ino> {
        let trees = (0u8..).zip(&self.trees);
        let entries = trees.flat_map(|(index, tree)| {
            let file = index + u8::from(self.top.is_some());
            let entries = tree.as_ref().map(Tree::damaged_entries).unwrap_or_default();
            entries.into_iter().map(move |ino| ino.of_file(file))
        });
        entries.collect()
    }

    /// That the file of an item, or the folder, `ino` is not whole, by its path; None if no directory lists it.
    pub fn not_whole_at(&self, ino: Ino) -> Option<ProblemLine> {
        let path = self.path_of(ino)?;
        Some(ProblemLine::not_whole(self.object_in_file(ino), &path))
    }

    /// As [`Tree::is_lost_found`].
    pub fn is_lost_found(&self, ino: Ino) -> bool {
        self.at(ino).is_some_and(|at| at.tree.is_lost_found(at.ino))
    }

    /// As [`Tree::note`].
    pub fn note(&self, ino: Ino, problem: &dyn fmt::Display) {
        if let Some(at) = self.at(ino) {
            at.tree.note(at.ino, problem);
        }
    }

    /// As [`Tree::lookup`].
    pub fn lookup(&self, parent: Ino, name: &OsStr) -> Result<Option<Ino>> {
        let Some(at) = self.place(parent)? else {
            let entry = |name| self.top.as_ref()?.find(name);
            return Ok(name.to_str().and_then(entry).map(|entry| entry.ino));
        };
        let found = match self.gatherer(parent) {
            Some(gatherer) => gatherer.lookup(name)?,
            None => at.tree.lookup(at.ino, name)?,
        };
        Ok(found.map(|ino| ino.of_file(at.file)))
    }

    /// As [`Tree::attr`].
    pub fn attr(&self, ino: Ino) -> Result<Attr> {
        if let Some(gatherer) = self.gatherer(ino) {
            return gatherer.attr();
        }
        match self.place(ino)? {
            Some(at) => Ok(Attr {
                ino,
                ..at.tree.attr(at.ino)?
            }),
            None => Ok(self.top_attr()),
        }
    }

    /// As [`Tree::is_attr_at_hand`].
    pub fn is_attr_at_hand(&self, ino: Ino) -> bool {
        self.at(ino)
            .is_none_or(|at| at.tree.is_attr_at_hand(at.ino))
    }

    /// The directory above the trees is as new as the newest file.
    fn top_attr(&self) -> Attr {
        let times = self.trees().map(Tree::source_time);
        let newest: SystemTime = times.max().unwrap_or(UNIX_EPOCH);
        Attr::new(Ino::ROOT, Kind::Directory, 0, Times::all(newest))
    }

    /// The listing of the directory `ino`.
    pub fn directory(&self, ino: Ino) -> Result<Listing> {
        self.directory_from(ino, usize::MAX)
    }

    /// As [`Tree::directory_from`].
    pub fn directory_from(&self, ino: Ino, first: usize) -> Result<Listing> {
        let place = self.place(ino)?;
        if let (None, Some(top)) = (&place, &self.top) {
            return Ok(Listing::new(Arc::clone(top), 0, Ino::ROOT));
        }
        let at = place.ok_or(Error::NotFound)?;
        let directory = match self.gatherer(ino) {
            Some(gatherer) => gatherer.directory()?,
            None => at.tree.directory_from(at.ino, first)?,
        };
        Ok(Self::listing(&at, directory))
    }

    /// `directory`, which is at `at`.
    fn listing(at: &Place<'_>, directory: Arc<Directory>) -> Listing {
        let parent = match at.ino {
            Ino::ROOT => Ino::ROOT,
            _ => directory.parent().of_file(at.file),
        };
        Listing::new(directory, at.file, parent)
    }

    /// As [`Tree::subdirectories`].
    pub fn subdirectories(&self, ino: Ino) -> Result<Listing> {
        let Some(at) = self.place(ino)? else {
            return self.directory(ino);
        };
        let directory = at.tree.subdirectories(at.ino)?;
        Ok(Self::listing(&at, directory))
    }

    /// As [`Tree::tables`]; none of the directory above the trees.
    pub fn tables(&self, ino: Ino) -> Option<Vec<ContentsTable>> {
        match self.place(ino).ok()? {
            Some(at) => at.tree.tables(at.ino),
            None => Some(Vec::new()),
        }
    }

    /// The file of message `nid` in the tree that has the directory `beside`.
    pub fn of_message(&self, beside: Ino, nid: NodeId) -> Ino {
        let (file, _) = beside.split();
        Ino::of_message(nid).of_file(file)
    }

    /// As [`Tree::converter`]; None for the directory above the trees.
    pub fn converter(&self, ino: Ino) -> Option<&Converter> {
        let at = self.at(ino)?;
        Some(at.tree.converter(at.ino))
    }

    /// As [`Tree::read_at`].
    pub fn read_at(&self, ino: Ino, offset: u64, buf: &mut [u8]) -> Result<usize> {
        match self.place(ino)? {
            Some(at) => at.tree.read_at(at.ino, offset, buf),
            None => Err(Error::IsADirectory),
        }
    }

    /// As [`Tree::read_ahead`], for files of one directory.
    pub fn read_ahead(&self, files: &[Ino], depth: Depth) {
        let places: Vec<_> = files.iter().filter_map(|ino| self.at(*ino)).collect();
        if let Some(first) = places.first() {
            let files: Vec<Ino> = places.iter().map(|place| place.ino).collect();
            first.tree.read_ahead(&files, depth);
        }
    }

    /// As [`Tree::files_after`].
    pub fn files_after(&self, ino: Ino, count: usize) -> Vec<Ino> {
        let Some(at) = self.at(ino) else {
            return Vec::new();
        };
        let files = at.tree.files_after(at.ino, count).into_iter();
        files.map(|ino| ino.of_file(at.file)).collect()
    }

    /// As [`Tree::will_read_all`].
    pub fn will_read_all(&self, depth: Depth) {
        for tree in self.trees() {
            tree.will_read_all(depth);
        }
    }

    /// As [`Tree::forget`].
    pub fn forget(&self, ino: Ino) {
        if let Some(at) = self.at(ino) {
            at.tree.forget(at.ino);
        }
    }

    /// As [`Tree::read_link`].
    pub fn read_link(&self, ino: Ino) -> Result<String> {
        if let Some(gatherer) = self.gatherer(ino) {
            return gatherer.read_link();
        }
        match self.place(ino)? {
            Some(at) => at.tree.read_link(at.ino),
            None => Err(Error::NotFound),
        }
    }

    /// As [`Tree::xattrs`].
    pub fn xattrs(&self, ino: Ino) -> Result<Vec<Xattr>> {
        match self.place(ino)? {
            _ if self.gatherer(ino).is_some() => Ok(Vec::new()),
            Some(at) => at.tree.xattrs(at.ino),
            None => Ok(Vec::new()),
        }
    }

    /// As [`Tree::replacement`].
    pub fn replacement(&self, ino: Ino) -> Option<Ino> {
        let at = self.at(ino)?;
        Some(at.tree.replacement(at.ino)?.of_file(at.file))
    }

    /// As [`Tree::is_newly_replaced`].
    pub fn is_newly_replaced(&self, ino: Ino) -> bool {
        self.at(ino)
            .is_some_and(|at| at.tree.is_newly_replaced(at.ino))
    }

    /// As [`Tree::place_of_replaced`].
    pub fn place_of_replaced(&self, ino: Ino) -> Option<(Ino, String)> {
        let at = self.at(ino)?;
        let (directory, name) = at.tree.place_of_replaced(at.ino)?;
        Some((directory.of_file(at.file), name))
    }

    /// As [`Tree::item`].
    pub fn item(&self, ino: Ino) -> Option<(u32, Part)> {
        let at = self.at(ino)?;
        at.tree.item(at.ino)
    }

    /// The number of the file of the item that `ino` shows or belongs to.
    pub fn item_of(&self, ino: Ino) -> Option<Ino> {
        let at = self.at(ino)?;
        let (nid, _) = at.tree.item(at.ino)?;
        Some(at.ino.message_beside(NodeId(nid)).of_file(at.file))
    }

    /// The items in `listing`, in its order: number in the listing, file and node.
    pub fn items_in<'a>(
        &'a self,
        listing: &'a Listing,
    ) -> impl Iterator<Item = (usize, Ino, u32)> + 'a {
        let entries = listing.entries().enumerate();
        entries.filter_map(|(index, entry)| match self.item(entry.ino)? {
            (nid, Part::Item) => Some((index, entry.ino, nid)),
            _ => None,
        })
    }

    /// The items of the directory `ino`: file and node of each, in no order that is promised. Where tables tell them, no names are made.
    pub fn items_of(&self, ino: Ino) -> Result<Vec<(Ino, u32)>> {
        let tables = self.tables(ino).unwrap_or_default();
        if !tables.iter().all(ContentsTable::is_empty) {
            let messages = tables.iter().flat_map(ContentsTable::messages);
            let items = messages.map(|nid| (self.of_message(ino, nid), nid.0));
            let items = items.collect();
            let problems = tables.iter().flat_map(|table| table.problems().list());
            problems.for_each(|problem| self.note(ino, &problem));
            return Ok(items);
        }
        let listing = self.directory(ino)?;
        let items = self.items_in(&listing);
        Ok(items.map(|(_, ino, nid)| (ino, nid)).collect())
    }

    /// As [`Tree::message`].
    pub fn message(&self, ino: Ino) -> Result<Message> {
        let at = self.at(ino).ok_or(Error::NotFound)?;
        at.tree.message(at.ino)
    }

    /// As [`Tree::folder`].
    pub fn folder(&self, ino: Ino) -> Option<Folder> {
        let at = self.at(ino)?;
        at.tree.folder(at.ino)
    }

    /// As [`Tree::left_on_server`].
    pub fn left_on_server(&self, ino: Ino) -> u64 {
        let at = self.at(ino);
        at.map_or(0, |at| at.tree.left_on_server(at.ino))
    }

    /// The store that has `ino`; None for the directory above the trees.
    pub fn store(&self, ino: Ino) -> Option<&Arc<Store>> {
        Some(self.at(ino)?.tree.store())
    }

    /// The stores of all files, in their order.
    pub fn stores(&self) -> impl Iterator<Item = &Arc<Store>> {
        self.trees().map(Tree::store)
    }

    /// As [`Tree::summary`].
    pub fn summary(&self, ino: Ino) -> Option<Summary> {
        let at = self.at(ino)?;
        at.tree.summary(at.ino)
    }

    /// As [`Tree::details`].
    pub fn details(&self, ino: Ino) -> Option<Details> {
        let at = self.at(ino)?;
        at.tree.details(at.ino)
    }

    /// As [`Tree::people`].
    pub fn people(&self, ino: Ino) -> People {
        let people = self.at(ino).map(|at| at.tree.people(at.ino));
        people.unwrap_or_default()
    }

    /// As [`Tree::item_problems`].
    pub fn item_problems(&self, ino: Ino) -> Vec<String> {
        let problems = self.at(ino).map(|at| at.tree.item_problems(at.ino));
        problems.unwrap_or_default()
    }

    /// As [`Tree::may_be_replaced`].
    pub fn may_be_replaced(&self, ino: Ino) -> bool {
        self.at(ino)
            .is_some_and(|at| at.tree.may_be_replaced(at.ino))
    }

    /// As [`Tree::stored_header`].
    pub fn stored_header(&self, ino: Ino) -> Result<Option<Vec<u8>>> {
        match self.place(ino)? {
            Some(at) => at.tree.stored_header(at.ino),
            None => Err(Error::IsADirectory),
        }
    }

    /// Message classes, with how many items have each, of all files together.
    pub fn classes(&self) -> BTreeMap<String, u64> {
        let mut classes = BTreeMap::new();
        for (class, count) in self.trees().flat_map(|tree| tree.info().classes) {
            *classes.entry(class).or_default() += count;
        }
        classes
    }

    /// As [`Tree::count_items`], of all files together.
    pub fn count_items(&self) -> u64 {
        self.trees().map(Tree::count_items).sum()
    }

    /// Figures for `statfs`, of all files together.
    pub fn statistics(&self) -> Statistics {
        let each = || self.trees().map(Tree::statistics);
        Statistics {
            bytes: each().map(|figures| figures.bytes).sum(),
            files: each().map(|figures| figures.files).sum(),
        }
    }
}
