//! Requests to the directories of links: each is answered by its tree, and what a query finds by who can search.

use std::ffi::OsStr;
use std::sync::Arc;

use super::attr::{Attr, Times};
use super::directory::Directory;
use super::forest::Forest;
use super::gathered::Links;
use super::gathering::{Entry, Gathering};
use super::ino::{Ino, Kind};
use super::tree::Tree;
use crate::error::{Error, Result};

/// A directory of links or a link in one, which is asked for something.
pub(super) struct Gatherer<'a> {
    forest: &'a Forest,
    tree: &'a Tree,
    file: u8,
    entry: Entry,
}

impl Forest {
    /// The directory of links, or the link in one, that has the number `ino`; None for all else.
    pub(super) fn gatherer(&self, ino: Ino) -> Option<Gatherer<'_>> {
        let (file, own) = ino.split();
        // Of all other numbers nothing more is asked.
        Entry::of(own)?;
        let tree = self.tree(ino)?;
        Some(Gatherer {
            forest: self,
            tree,
            file,
            entry: tree.gathered().entry(own)?,
        })
    }
}

impl Gatherer<'_> {
    /// As [`Tree::lookup`]. Each query has a directory; of one that cannot be read it is noted why.
    pub fn lookup(&self, name: &OsStr) -> Result<Option<Ino>> {
        let Some(name) = name.to_str() else {
            return Ok(None);
        };
        if self.entry == Entry::top(Gathering::Search) {
            return Ok(self.query(name));
        }
        Ok(self.directory()?.find(name).map(|entry| entry.ino))
    }

    /// The directory of the query `text`, by its number in its tree.
    fn query(&self, text: &str) -> Option<Ino> {
        let top = Ino::ROOT.of_file(self.file);
        match self.forest.finder()?.check(self.forest, top, text) {
            Ok(()) => Some(self.tree.gathered().of_query(text).ino()),
            Err(reason) => {
                let problem = format_args!("{text:?} is no query: {reason}");
                self.tree.note(self.entry.ino(), &problem);
                None
            }
        }
    }

    /// What is in the directory that it is or is in. A failure is noted.
    fn links(&self) -> Result<Arc<Links>> {
        let top = Ino::ROOT.of_file(self.file);
        let links = self.tree.gathered().links(self.entry, |query| {
            let finder = self.forest.finder().ok_or(Error::NotFound)?;
            finder.find(self.forest, top, query)
        });
        links.inspect_err(|error| {
            if error.is_problem() {
                self.tree.note(self.entry.ino(), error);
            }
        })
    }

    /// The listing of the directory, with the numbers of its tree. That of all queries is empty: to list them would be to have
    /// them asked again by everyone who walks through all directories.
    pub fn directory(&self) -> Result<Arc<Directory>> {
        match self.entry.index() {
            Some(_) => Err(Error::NotADirectory),
            None => Ok(Arc::clone(&self.links()?.directory)),
        }
    }

    /// Where the link leads.
    pub fn read_link(&self) -> Result<String> {
        let index = self.entry.index().ok_or(Error::NotFound)?;
        self.links()?.target(index).ok_or(Error::NotFound)
    }

    /// Its attributes; it is as old as the file.
    pub fn attr(&self) -> Result<Attr> {
        let (kind, size) = match self.entry.index() {
            Some(_) => (Kind::Symlink, self.read_link()?.len() as u64),
            None => (Kind::Directory, 0),
        };
        let ino = self.entry.ino().of_file(self.file);
        let times = Times::all(self.tree.source_time());
        Ok(Attr {
            // A query that is no longer remembered has to be looked up again by its name.
            changing: kind == Kind::Directory && self.entry.gathering == Gathering::Search,
            ..Attr::new(ino, kind, size, times)
        })
    }
}
