//! The names of items that were found.
#![forbid(unsafe_code)]

use crate::error::Result;
use crate::tree::{Forest, Ino, Listing, Part};

/// The names in the directory that was last asked for.
pub(super) struct Names<'a> {
    forest: &'a Forest,
    listing: Option<(Ino, Listing)>,
    /// Where to look first: items come in the order in which they are listed.
    at: usize,
}

impl<'a> Names<'a> {
    pub fn new(forest: &'a Forest) -> Self {
        Self {
            forest,
            listing: None,
            at: 0,
        }
    }

    /// The name of the file of item `nid` in `directory`; None if none is listed.
    pub fn of_item(&mut self, directory: Ino, nid: u32) -> Result<Option<String>> {
        let known = self.listing.take();
        let listing = match known.filter(|(ino, _)| *ino == directory) {
            Some((_, listing)) => listing,
            None => {
                self.at = 0;
                self.forest.directory(directory)?
            }
        };
        let (_, listing) = self.listing.insert((directory, listing));
        let from = |start: usize| (start..).map_while(|at| Some((at, listing.entry(at)?)));
        let is_it = |ino: Ino| self.forest.item(ino) == Some((nid, Part::Item));
        let mut entries = from(self.at).chain(from(0));
        let Some((at, entry)) = entries.find(|(_, entry)| is_it(entry.ino)) else {
            return Ok(None);
        };
        self.at = at + 1;
        Ok(Some(entry.name.into_owned()))
    }
}
