//! What goes into an archive, and what takes it.

use std::io::{self, Write};

use crate::tree::Attr;

/// A file on its way into an archive.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its path from the root of the tree.
    pub path: &'a str,
    /// Its attributes; of `size` bytes is its content.
    pub attr: &'a Attr,
    /// From, decoded, if it is an item and the archive is one of items; else empty.
    pub sender: &'a str,
}

/// Writes the content of a file, all of it, where it is told to. Fails if that cannot be written there, and for nothing else.
pub type Content<'a> = dyn FnMut(&mut dyn Write) -> io::Result<()> + 'a;

/// Where files go one after the other, in the order of the tree: a directory comes before what is in it, and all of its
/// files before those of the next one. After an error it takes nothing more.
pub trait Archive: Send {
    /// Adds a directory that is not the root.
    fn directory(&mut self, path: &str, attr: &Attr) -> io::Result<()>;

    /// Adds a file.
    fn file(&mut self, file: File<'_>, content: &mut Content<'_>) -> io::Result<()>;

    /// Adds a symbolic link to `target`.
    fn link(&mut self, path: &str, attr: &Attr, target: &str) -> io::Result<()>;

    /// Writes what comes at the end. An archive without its end can be told from a whole one.
    fn finish(&mut self) -> io::Result<()>;
}

/// The path of the directory that has the entry at `path`; empty for the root.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}
