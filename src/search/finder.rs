//! Queries of a mount with `-o search`: what each finds, for the links of its directory.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Zoned;

use super::attached::PdfReader;
use super::found::Missed;
use super::query::{Condition, Query};
use super::run::Search;
use crate::error::{Error, Result};
use crate::export::Filter;
use crate::tree::{self, Finds, Forest, Ino};

/// Finds what `ostfs search` finds, in the same order.
#[derive(Debug)]
pub struct Finder {
    /// The time from which days are counted, in the zone in which they begin. It stands still: what a query finds must not
    /// change while programs hold links to it.
    pub now: Zoned,
    /// How many items are looked at at the same time.
    pub threads: usize,
    /// Who reads PDF files.
    pub pdf: Option<Box<dyn PdfReader>>,
}

impl Finder {
    fn parse(&self, query: &str) -> std::result::Result<Query, String> {
        Query::parse(query, &self.now).map_err(|error| error.to_string())
    }
}

impl tree::Finder for Finder {
    fn check(&self, forest: &Forest, top: Ino, query: &str) -> std::result::Result<(), String> {
        let query = self.parse(query)?;
        let mut checked = Ok(());
        query.each(&mut |condition| {
            if let Condition::Folder(path) = condition
                && checked.is_ok()
                && !forest.is_folder(top, Path::new(path))
            {
                checked = Err(format!(
                    "folder:{path}: no such folder; write its path as in the mount, with \\ for /"
                ));
            }
        });
        checked
    }

    fn find(&self, forest: &Forest, top: Ino, query: &str) -> Result<Finds> {
        let mut finds = Finds::default();
        // It was checked before it got its directory.
        let Ok(query) = self.parse(query) else {
            return Ok(finds);
        };
        let search = Search {
            forest,
            top,
            query: &query,
            filter: Filter::default(),
            now: self.now.clone(),
            threads: self.threads,
            lines: None,
            reads: None,
            named: true,
            pdf: self.pdf.as_deref(),
            ruled_out: BTreeMap::new(),
        };
        let missed = Missed::default();
        let searched = search.run(
            &missed,
            |_| (),
            |found| {
                let name = found.path.rsplit('/').next().unwrap_or_default();
                let item = (found.folder.to_string(), name.to_owned(), found.nid);
                finds.items.push(item);
                true
            },
        );
        searched.map_err(|source| Error::Io {
            offset: 0,
            length: 0,
            source,
        })?;
        finds.missed = missed.unseen.told();
        missed.whole()?;
        Ok(finds)
    }
}
