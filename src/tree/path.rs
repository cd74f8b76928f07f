//! Entries by their path, for those who ask without a kernel between: names from the root down.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use super::context::MAX_FOLDER_DEPTH;
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

impl Tree {
    /// The entry at `path`, which is taken from the root whether or not it begins with `/`; links are followed. Where no
    /// entry has a name, the one that differs in case alone is taken. None if there is no such entry.
    pub fn find(&self, path: &Path) -> Result<Option<Ino>> {
        let mut path = path.to_path_buf();
        for _ in 0..MAX_LINKS {
            let Some(ino) = self.walk(&path)? else {
                return Ok(None);
            };
            if self.attr(ino)?.kind != Kind::Symlink {
                return Ok(Some(ino));
            }
            path.pop();
            path.push(self.read_link(ino)?);
        }
        Ok(None)
    }

    fn walk(&self, path: &Path) -> Result<Option<Ino>> {
        let mut way = vec![Ino::ROOT];
        for component in path.components() {
            let here = way.last().copied().unwrap_or(Ino::ROOT);
            match component {
                Component::Normal(name) => match self.lookup_like(here, name)? {
                    Some(ino) => way.push(ino),
                    None => return Ok(None),
                },
                Component::ParentDir if way.len() > 1 => _ = way.pop(),
                _ => {}
            }
        }
        Ok(way.last().copied())
    }

    fn lookup_like(&self, directory: Ino, name: &OsStr) -> Result<Option<Ino>> {
        if let Some(ino) = self.lookup(directory, name)? {
            return Ok(Some(ino));
        }
        let listing = self.directory(directory)?;
        let like = name.to_str().and_then(|name| listing.find_like(name));
        Ok(like.map(|entry| entry.ino))
    }
}

impl Forest {
    /// As [`Tree::find`]. Of several files the first name is that of a file.
    pub fn find(&self, path: &Path) -> Result<Option<Ino>> {
        let names = |component: &Component<'_>| matches!(component, Component::Normal(_));
        let names: PathBuf = path.components().filter(names).collect();
        let mut rest = names.components();
        let Some(top) = self.top() else {
            let tree = self.tree(Ino::ROOT);
            return tree.map_or(Ok(None), |tree| tree.find(path));
        };
        let Some(first) = rest.next() else {
            return Ok(Some(Ino::ROOT));
        };
        let name = first.as_os_str().to_str();
        let Some(entry) = name.and_then(|name| top.find_like(name)) else {
            return Ok(None);
        };
        let Some(tree) = self.tree(entry.ino) else {
            return Ok(None);
        };
        let (file, _) = entry.ino.split();
        Ok(tree.find(rest.as_path())?.map(|ino| ino.of_file(file)))
    }
}
