//! Entries by their path, for those who ask without a kernel between: names from the root down.

use std::path::{Component, Path};

use super::ino::{Ino, Kind};
use super::tree::Tree;
use crate::error::Result;

/// Links followed on the way: those of search folders lead to files at once.
const MAX_LINKS: usize = 8;

impl Tree {
    /// The entry at `path`, which is taken from the root whether or not it begins with `/`; links are followed. None if
    /// there is no such entry.
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
                Component::Normal(name) => match self.lookup(here, name)? {
                    Some(ino) => way.push(ino),
                    None => return Ok(None),
                },
                Component::ParentDir if way.len() > 1 => _ = way.pop(),
                _ => {}
            }
        }
        Ok(way.last().copied())
    }
}
