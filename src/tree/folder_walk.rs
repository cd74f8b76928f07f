//! The way through the folders of a forest: each before those within it, and `lost+found` when all else is done, because what
//! turns out to be lost meanwhile is in it, too.

use super::forest::Forest;
use super::ino::Ino;
use super::listing::Listing;
use super::path::{MAX_DEPTH, join};

/// A folder on the way.
#[derive(Debug)]
pub struct Visited {
    /// Its directory.
    pub ino: Ino,
    /// Its path from where the walk began, which has an empty one.
    pub path: String,
    /// How many folders are between the two.
    depth: usize,
}

/// A walk under way.
///
/// ```
/// use ostfs::tree::{FolderWalk, Forest, Ino};
///
/// fn print(forest: &Forest) -> ostfs::Result<()> {
///     let mut walk = FolderWalk::new(forest, Ino::ROOT);
///     while let Some(folder) = walk.next() {
///         println!("{}", folder.path);
///         walk.enter(&folder, &forest.directory(folder.ino)?, |_| true);
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct FolderWalk<'a> {
    forest: &'a Forest,
    /// What is left, the next at the end.
    todo: Vec<Visited>,
    /// Directories of `lost+found`.
    lost: Vec<Visited>,
}

impl<'a> FolderWalk<'a> {
    /// Begins at the directory `top`.
    pub fn new(forest: &'a Forest, top: Ino) -> Self {
        let top = Visited {
            ino: top,
            path: String::new(),
            depth: 0,
        };
        Self {
            forest,
            todo: vec![top],
            lost: Vec::new(),
        }
    }

    /// The next folder; None when nothing is left but `lost+found`.
    #[expect(
        clippy::should_implement_trait,
        reason = "it goes on after it has ended, with what was lost"
    )]
    pub fn next(&mut self) -> Option<Visited> {
        self.todo.pop()
    }

    /// Goes on with `lost+found`; false if there is none that is left.
    pub fn go_on(&mut self) -> bool {
        std::mem::swap(&mut self.todo, &mut self.lost);
        !self.todo.is_empty()
    }

    /// Has those folders in `listing`, which is that of `folder`, come next whose path `enters` takes.
    pub fn enter(&mut self, folder: &Visited, listing: &Listing, enters: impl Fn(&str) -> bool) {
        if folder.depth >= MAX_DEPTH {
            return;
        }
        let folders = listing
            .entries()
            .filter(|entry| self.forest.is_entry_of_folder(entry));
        let below = folders.map(|entry| Visited {
            ino: entry.ino,
            path: join(&folder.path, &entry.name),
            depth: folder.depth + 1,
        });
        let below: Vec<Visited> = below.filter(|below| enters(&below.path)).collect();
        let is_lost = |below: &Visited| self.forest.is_lost_found(below.ino);
        let (lost, below): (Vec<_>, Vec<_>) = below.into_iter().rev().partition(is_lost);
        self.lost.extend(lost);
        self.todo.extend(below);
    }
}
