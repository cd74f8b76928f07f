//! All items of a forest in the order of its tree, with what is to be known of each.

use std::slice::ChunksMut;
use std::thread;

use parking_lot::Mutex;

use crate::convert::{Hashes, ItemFields};
use crate::export::{Filter, Progress};
use crate::tree::{Depth, FolderWalk, Forest, Ino, join};

/// Items that a thread takes at a time.
const BATCH: usize = 16;

/// How many threads read at the same time.
pub(super) type Threads = usize;

/// Where an item is: in which of the directories, and there. In this order it is that of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    directory: u32,
    entry: u32,
}

/// An item, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<T> {
    pub ino: Ino,
    pub place: Place,
    pub known: T,
}

/// A directory that has items.
#[derive(Debug)]
struct Directory {
    ino: Ino,
    path: String,
}

/// The items of a forest.
pub(super) struct Survey<'a, T> {
    pub forest: &'a Forest,
    directories: Vec<Directory>,
    pub items: Vec<Item<T>>,
}

impl<'a, T: Copy + Default + Send> Survey<'a, T> {
    /// Reads all items of `forest` that `filter` takes, and keeps what `know` makes of the hashes of each. It is not complete
    /// if `progress` returns that nobody wants it any more.
    pub fn make(
        forest: &'a Forest,
        filter: &Filter,
        threads: Threads,
        progress: &Progress,
        know: impl Fn(Hashes) -> T + Sync,
    ) -> Self {
        let mut survey = Self {
            forest,
            directories: Vec::new(),
            items: Vec::new(),
        };
        if filter.is_empty() {
            forest.will_read_all(Depth::All);
        }
        let mut walk = FolderWalk::new(forest, Ino::ROOT);
        let mut first = 0;
        loop {
            survey.list(filter, &mut walk);
            survey.read(first, threads, progress, &know);
            first = survey.items.len();
            if !walk.go_on() {
                return survey;
            }
        }
    }

    /// Lists the items of the folders that `walk` has next.
    fn list(&mut self, filter: &Filter, walk: &mut FolderWalk<'_>) {
        let forest = self.forest;
        while let Some(folder) = walk.next() {
            // That it cannot be listed is a problem of the tree.
            let Ok(listing) = forest.directory(folder.ino) else {
                continue;
            };
            walk.enter(&folder, &listing, |path| filter.enters(path));
            if !filter.takes_folder(&folder.path) {
                continue;
            }
            let directory = self.directories.len() as u32;
            let before = self.items.len();
            let items = forest.items_in(&listing);
            let taken = items.filter(|(_, ino, _)| filter.takes(forest, *ino));
            self.items.extend(taken.map(|(index, ino, _)| Item {
                ino,
                place: Place {
                    directory,
                    entry: index as u32,
                },
                known: T::default(),
            }));
            if self.items.len() > before {
                self.directories.push(Directory {
                    ino: folder.ino,
                    path: folder.path,
                });
            }
        }
        self.items.shrink_to_fit();
    }

    /// Reads the items from number `first` on.
    fn read(
        &mut self,
        first: usize,
        threads: Threads,
        progress: &Progress,
        know: &(impl Fn(Hashes) -> T + Sync),
    ) {
        let forest = self.forest;
        let items = self.items.get_mut(first..).unwrap_or_default();
        let of_one = |one: &Item<T>, other: &Item<T>| one.place.directory == other.place.directory;
        for items in items.chunk_by_mut(of_one) {
            for items in items.chunks_mut(Forest::READ_AHEAD) {
                let files: Vec<Ino> = items.iter().map(|item| item.ino).collect();
                forest.read_ahead(&files, Depth::All);
                let batches = Mutex::new(items.chunks_mut(BATCH));
                thread::scope(|scope| {
                    let read = || read_batches(forest, &batches, progress, know);
                    for _ in 1..threads {
                        // Without a thread the others read its part.
                        thread::Builder::new().spawn_scoped(scope, read).ok();
                    }
                    read();
                });
            }
        }
    }
}

/// Reads items until there are none left.
fn read_batches<T>(
    forest: &Forest,
    batches: &Mutex<ChunksMut<'_, Item<T>>>,
    progress: &Progress,
    know: &impl Fn(Hashes) -> T,
) {
    loop {
        // The lock is held while the next ones are taken, not while they are read.
        let batch = batches.lock().next();
        let Some(batch) = batch else {
            return;
        };
        for item in batch {
            if progress.is_abandoned() {
                return;
            }
            item.known = know(hashes_of(forest, item.ino));
            Progress::add(&progress.items, 1);
        }
    }
}

/// The hashes of the item `ino`; of one that cannot be opened, those of a damaged item without fields.
fn hashes_of(forest: &Forest, ino: Ino) -> Hashes {
    let message = forest.message(ino);
    let fields = message.map(|message| ItemFields::of(&message));
    fields.map_or_else(|_| Hashes::UNREADABLE, |fields| fields.hashes())
}

impl<T> Survey<'_, T> {
    /// The path of the folder that `item` is in.
    pub fn folder(&self, item: &Item<T>) -> &str {
        let directory = self.directories.get(item.place.directory as usize);
        directory.map_or("", |directory| &directory.path)
    }

    /// The path of `item`.
    pub fn path(&self, item: &Item<T>) -> String {
        let directory = self.directories.get(item.place.directory as usize);
        let listing = directory.and_then(|at| self.forest.directory(at.ino).ok());
        let entry = listing
            .as_ref()
            .and_then(|listing| listing.entry(item.place.entry as usize));
        let own = self.forest.item_of(item.ino);
        // In lost+found, which may have grown meanwhile, another one can stand there.
        match entry.filter(|entry| self.forest.item_of(entry.ino) == own) {
            Some(entry) => join(self.folder(item), &entry.name),
            None => join(self.folder(item), &self.forest.object_of(item.ino)),
        }
    }
}
