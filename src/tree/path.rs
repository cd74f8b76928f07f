//! Entries by their path, for those who ask without a kernel between: names from the root down.

use std::ffi::OsStr;
use std::path::{Component, Path};

use super::context::MAX_FOLDER_DEPTH;
use super::entries::Entry;
use super::forest::Forest;
use super::ino::{Ino, Kind};
use super::tree::Tree;
use crate::error::Result;
use crate::messaging::MAX_EMBEDDED_DEPTH;

/// Directories within each other that a walk has to follow at the most: the tree ends before. Folders, then those of
/// attachments of messages within each other, and the few above them.
pub const MAX_DEPTH: usize = MAX_FOLDER_DEPTH + MAX_EMBEDDED_DEPTH + 10;

/// The path of entry `name` of the directory at `path`; both from the root of the tree, whose own path is empty.
pub fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}/{name}"),
    }
}

/// Links followed on the way: those of search folders lead to files at once.
const MAX_LINKS: usize = 8;

/// What has names, and links to others.
trait Names {
    /// The entry of directory `parent` that has this name.
    fn look_up(&self, parent: Ino, name: &OsStr) -> Result<Option<Ino>>;

    /// The same, or the one whose name some file system takes for it.
    fn look_up_like(&self, parent: Ino, name: &str) -> Result<Option<Ino>>;

    /// Where the link `ino` leads; None for what is no link.
    fn link(&self, ino: Ino) -> Result<Option<String>>;
}

/// Both have methods of the same names, and directories of types of their own.
macro_rules! names {
    ($($tree:ty),*) => {$(
        impl Names for $tree {
            fn look_up(&self, parent: Ino, name: &OsStr) -> Result<Option<Ino>> {
                self.lookup(parent, name)
            }

            fn look_up_like(&self, parent: Ino, name: &str) -> Result<Option<Ino>> {
                let like = self.directory(parent)?;
                Ok(like.find_like(name).map(|entry| entry.ino))
            }

            fn link(&self, ino: Ino) -> Result<Option<String>> {
                let is_link = self.attr(ino)?.kind == Kind::Symlink;
                is_link.then(|| self.read_link(ino)).transpose()
            }
        }
    )*};
}

names!(Tree, Forest);

/// The entry at `path` from the directory `top` on; links are followed.
fn find(names: &impl Names, top: Ino, path: &Path) -> Result<Option<Ino>> {
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        let Some(ino) = walk(names, top, &path)? else {
            return Ok(None);
        };
        let Some(target) = names.link(ino)? else {
            return Ok(Some(ino));
        };
        path.pop();
        path.push(target);
    }
    Ok(None)
}

fn walk(names: &impl Names, top: Ino, path: &Path) -> Result<Option<Ino>> {
    let mut way = vec![top];
    for component in path.components() {
        let here = way.last().copied().unwrap_or(top);
        match component {
            Component::Normal(name) => {
                let mut found = names.look_up(here, name)?;
                if let (None, Some(name)) = (found, name.to_str()) {
                    found = names.look_up_like(here, name)?;
                }
                match found {
                    Some(ino) => way.push(ino),
                    None => return Ok(None),
                }
            }
            Component::ParentDir if way.len() > 1 => _ = way.pop(),
            _ => {}
        }
    }
    Ok(way.last().copied())
}

impl Tree {
    /// The entry at `path`, which is taken from the root whether or not it begins with `/`; links are followed. Where no
    /// entry has a name, the one that differs in case alone is taken. None if there is no such entry.
    pub fn find(&self, path: &Path) -> Result<Option<Ino>> {
        find(self, Ino::ROOT, path)
    }
}

impl Forest {
    /// As [`Tree::find`]. Of several files the first name is that of a file.
    pub fn find(&self, path: &Path) -> Result<Option<Ino>> {
        find(self, Ino::ROOT, path)
    }

    /// Whether what is at `path` from the directory `top` on is a directory of items, and not of what belongs to one.
    pub fn is_folder(&self, top: Ino, path: &Path) -> bool {
        let Ok(Some(ino)) = find(self, top, path) else {
            return false;
        };
        let is_directory = self
            .attr(ino)
            .is_ok_and(|attr| attr.kind == Kind::Directory);
        is_directory && self.item(ino).is_none()
    }

    /// Whether `entry` is a folder: a directory, but not one of what is attached to an item.
    pub fn is_entry_of_folder(&self, entry: &Entry<'_>) -> bool {
        entry.kind == Kind::Directory && self.item(entry.ino).is_none()
    }
}
