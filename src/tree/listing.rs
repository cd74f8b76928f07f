//! The names in one directory, with the inode numbers of the forest.

use std::sync::Arc;

use super::directory::Directory;
use super::entries::Entry;
use super::ino::Ino;

/// The names in one directory.
#[derive(Debug)]
pub struct Listing {
    directory: Arc<Directory>,
    file: u8,
    parent: Ino,
}

impl Listing {
    /// `directory` of file number `file`, which lies in the directory `parent`.
    pub(super) fn new(directory: Arc<Directory>, file: u8, parent: Ino) -> Self {
        Self {
            directory,
            file,
            parent,
        }
    }

    /// The directory that holds this one (the root's is the root).
    pub fn parent(&self) -> Ino {
        self.parent
    }

    /// Entry number `index`, or None past the end.
    pub fn entry(&self, index: usize) -> Option<Entry<'_>> {
        let entry = self.directory.entry(index)?;
        Some(Entry {
            ino: entry.ino.of_file(self.file),
            ..entry
        })
    }

    /// The entry with this name, or else the first one whose name some file system takes for it.
    pub(super) fn find_like(&self, name: &str) -> Option<Entry<'_>> {
        let entry = self.directory.find_like(name)?;
        Some(Entry {
            ino: entry.ino.of_file(self.file),
            ..entry
        })
    }

    /// All entries in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.directory.len()).filter_map(|index| self.entry(index))
    }
}
