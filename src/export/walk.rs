//! The way through the tree: directories, and what of them is written at a time.
//!
//! The files of a directory come before those below it; or, in the order of families, what is attached to an item right
//! behind it.
#![forbid(unsafe_code)]

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::filter::Filter;
use super::progress::Failed;
use crate::tree::{Entry, Forest, Ino, Kind, Listing, MAX_DEPTH, Part, join};

/// Entries of a directory that are written at a time: handing over costs as much as a small file.
const BATCH: usize = 16;

/// A directory on its way to disk.
pub(super) struct TargetDirectory {
    pub ino: Ino,
    /// Path from the root of the tree.
    pub path: String,
    /// Path of the folder whose items or attachments are in it.
    pub folder: Arc<str>,
    /// Whose attachments are in it; None for a folder.
    pub family: Option<Family>,
    pub listing: Listing,
    /// Of each entry, how many attachments of its item stand before it; made when it is asked for.
    numbers: OnceLock<Vec<u32>>,
    /// Once it is there: whether it was there before, perhaps with files of an earlier export.
    pub made: OnceLock<bool>,
}

/// What attachments belong to, by paths from the root of the tree.
#[derive(Debug, Clone)]
pub(super) struct Family {
    /// The item.
    pub item: Arc<str>,
    /// The file that they are attached to: that of the item, or of a message within it.
    pub parent: Arc<str>,
    /// 1 of the attachments of an item, one more of those of each message within.
    pub level: u64,
}

impl TargetDirectory {
    /// The path of entry `name`.
    pub fn path_of(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// What entry number `index`, an attachment or the directory of some, belongs to; None of a folder.
    pub fn family_of(&self, forest: &Forest, index: usize) -> Option<Family> {
        let (nid, _) = forest.item(self.listing.entry(index)?.ino)?;
        // What belongs to an item stands right behind it.
        let before = (0..index)
            .rev()
            .map_while(|index| self.listing.entry(index));
        let mut before = before.filter_map(|entry| {
            let item = forest.item(entry.ino)?;
            Some((entry, item))
        });
        match &self.family {
            Some(family) => {
                let (entry, _) = before.next()?;
                Some(Family {
                    item: Arc::clone(&family.item),
                    parent: self.path_of(&entry.name).into(),
                    level: family.level + 1,
                })
            }
            None => {
                let mut own = before.take_while(|(_, (other, _))| *other == nid);
                let (item, _) = own.find(|(_, (_, part))| *part == Part::Item)?;
                let item: Arc<str> = self.path_of(&item.name).into();
                Some(Family {
                    parent: Arc::clone(&item),
                    item,
                    level: 1,
                })
            }
        }
    }

    /// Which of the attachments beside it entry number `index` is, from 1 on.
    pub fn attachment_number(&self, forest: &Forest, index: usize) -> Option<u64> {
        let numbers = self.numbers.get_or_init(|| {
            let mut before = (None, 0);
            let entries = self.listing.entries().map(|entry| {
                let (nid, part) = forest.item(entry.ino).unzip();
                if before.0 != nid {
                    before = (nid, 0);
                }
                let number = before.1;
                let is_file = entry.kind != Kind::Directory;
                before.1 += u32::from(is_file && part == Some(Part::Attachment));
                number
            });
            entries.collect()
        });
        numbers.get(index).map(|before| u64::from(*before) + 1)
    }

    /// The path of the text of the item that entry number `index` is, if there is one.
    pub fn text_of(&self, forest: &Forest, index: usize) -> Option<String> {
        let (nid, _) = forest.item(self.listing.entry(index)?.ino)?;
        let behind = (index + 1..).map_while(|index| self.listing.entry(index));
        let own = behind.map_while(|entry| {
            let (other, part) = forest.item(entry.ino)?;
            (other == nid).then_some((entry, part))
        });
        let mut texts = own.filter(|(_, part)| *part == Part::Text);
        texts.next().map(|(entry, _)| self.path_of(&entry.name))
    }
}

/// What comes next.
pub(super) enum Step {
    /// A directory, which is to be entered.
    Directory(Found),
    /// Entries of a directory that was entered. An empty one has an empty range, so that it has its turn.
    Batch(Arc<TargetDirectory>, Range<usize>),
}

/// A directory that is not read yet.
pub(super) struct Found {
    pub ino: Ino,
    pub path: String,
    /// None for a folder.
    folder: Option<Arc<str>>,
    family: Option<Family>,
    depth: usize,
}

impl Found {
    /// Reads the listing.
    pub fn read(&self, forest: &Forest) -> Result<TargetDirectory, Failed> {
        if self.depth > MAX_DEPTH {
            return Err(Failed::Depth);
        }
        let folder = self.folder.clone();
        Ok(TargetDirectory {
            ino: self.ino,
            listing: forest.directory(self.ino)?,
            folder: folder.unwrap_or_else(|| self.path.as_str().into()),
            family: self.family.clone(),
            path: self.path.clone(),
            numbers: OnceLock::new(),
            made: OnceLock::new(),
        })
    }
}

/// A walk under way.
pub(super) struct Walk<'a> {
    forest: &'a Forest,
    filter: &'a Filter,
    by_family: bool,
    /// What is left, the next at the end.
    todo: Vec<Step>,
    /// Directories of `lost+found`.
    lost: Vec<Step>,
}

impl<'a> Walk<'a> {
    /// Through those directories that may have what `filter` takes; in the order of families if they are wanted so.
    pub fn new(forest: &'a Forest, filter: &'a Filter, by_family: bool) -> Self {
        let root = Found {
            ino: Ino::ROOT,
            path: String::new(),
            folder: None,
            family: None,
            depth: 0,
        };
        Self {
            forest,
            filter,
            by_family,
            todo: vec![Step::Directory(root)],
            lost: Vec::new(),
        }
    }

    /// The next step. None when nothing is left but `lost+found`.
    pub fn next(&mut self) -> Option<Step> {
        self.todo.pop()
    }

    /// Goes on with `lost+found`; false if there is none that is left.
    pub fn go_on(&mut self) -> bool {
        std::mem::swap(&mut self.todo, &mut self.lost);
        !self.todo.is_empty()
    }

    /// Has what is in `directory`, which was `found`, come next.
    pub fn enter(&mut self, directory: &Arc<TargetDirectory>, found: &Found) {
        let mut steps = Vec::new();
        let mut later = Vec::new();
        let mut start = 0;
        let mut count = 0;
        for (index, entry) in directory.listing.entries().enumerate() {
            count = index + 1;
            let below = match entry.kind {
                Kind::Directory => self.below(directory, index, &entry, found.depth),
                Kind::File | Kind::Symlink => None,
            };
            let is_of_item = below.as_ref().is_some_and(|below| below.folder.is_some());
            let is_next = self.by_family && is_of_item;
            if count - start == BATCH || is_next {
                steps.push(Step::Batch(Arc::clone(directory), start..count));
                start = count;
            }
            match below.map(Step::Directory) {
                Some(step) if is_next => steps.push(step),
                Some(step) if self.forest.is_lost_found(entry.ino) => self.lost.push(step),
                step => later.extend(step),
            }
        }
        if start < count || count == 0 {
            steps.push(Step::Batch(Arc::clone(directory), start..count));
        }
        steps.append(&mut later);
        self.todo.extend(steps.into_iter().rev());
    }

    /// The directory that entry number `index` of `directory` is, if it is to be entered.
    fn below(
        &self,
        directory: &TargetDirectory,
        index: usize,
        entry: &Entry<'_>,
        depth: usize,
    ) -> Option<Found> {
        let path = directory.path_of(&entry.name);
        let is_of_item = self.forest.item(entry.ino).is_some();
        if !is_of_item && !self.filter.enters(&path) {
            return None;
        }
        Some(Found {
            ino: entry.ino,
            folder: is_of_item.then(|| Arc::clone(&directory.folder)),
            family: directory.family_of(self.forest, index),
            path,
            depth: depth + 1,
        })
    }

    /// Has what will be needed of the entries of a batch read ahead, with those of the batches that follow.
    pub fn read_ahead(
        directory: &TargetDirectory,
        entries: &Range<usize>,
        read: impl FnOnce(&[Ino]),
    ) {
        let start = entries.start.next_multiple_of(Forest::READ_AHEAD);
        if entries.contains(&start) {
            let entries = (start..start + Forest::READ_AHEAD)
                .map_while(|index| directory.listing.entry(index));
            let files: Vec<Ino> = entries.map(|entry| entry.ino).collect();
            read(&files);
        }
    }
}
