//! Queries of a mount with `-o search`: what each finds, for the links of its directory.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use jiff::Zoned;
use parking_lot::Mutex;

use super::attached::PdfReader;
use super::found::Missed;
use super::indexing::Indexing;
use super::query::{Condition, Query};
use super::run::Search;
use super::word_index::{RuledOut, WordIndex};
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
    /// The word indexes of files that have one, by their numbers ([`Ino::file`]). One query at a time reads one, or makes it; no
    /// other waits for that.
    pub indexes: BTreeMap<u8, Mutex<WordIndex>>,
}

impl Finder {
    fn parse(&self, query: &str) -> std::result::Result<Query, String> {
        Query::parse(query, &self.now).map_err(|error| error.to_string())
    }

    /// What the word index of the tree with the root `top` rules out; it is made first if it is not there. None while another query
    /// is at it.
    fn ruled_out(&self, forest: &Forest, top: Ino, query: &Query) -> Option<RuledOut> {
        let index = self.indexes.get(&top.file())?.try_lock()?;
        let indexing = Indexing {
            forest,
            top,
            now: &self.now,
            threads: self.threads,
            pdf: self.pdf.as_deref(),
        };
        index.ruled_out(query, || {
            if let Err(error) = indexing.write(&index, &AtomicU64::default()) {
                log::warn!("no words are kept: {error}");
            }
        })
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
        let ruled_out = self.ruled_out(forest, top, &query);
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
            ruled_out: ruled_out.map(|own| (top.file(), own)).into_iter().collect(),
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
