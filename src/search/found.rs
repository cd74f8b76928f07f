//! What a search has found, and what it could not do.
#![forbid(unsafe_code)]

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use super::attached::Unseen;
use super::listed::Listed;
use super::text::Line;
use crate::error::{Error, Result};
use crate::messaging::ContentsTable;
use crate::ndb::whole;
use crate::tree::Ino;

/// An item that fulfils the query, of which something is to be made.
pub struct Candidate<'a> {
    /// Its file.
    pub ino: Ino,
    /// Its row, if it has one.
    pub(super) listed: Option<&'a Listed<'a>>,
    /// The table of that row.
    pub(super) table: Option<&'a ContentsTable>,
}

impl Candidate<'_> {
    /// Whether nothing is wrong with its table, as far as that has been read.
    pub(super) fn is_table_whole(&self) -> bool {
        let mut table = self.table.into_iter();
        table.all(|table| table.problems().list().is_empty())
    }
}

/// An item that was found.
#[derive(Debug)]
pub struct Found<T> {
    /// Its path from the directory that was looked into; empty if it is not wanted.
    pub path: String,
    /// Path of its folder, from there as well.
    pub folder: Arc<str>,
    /// Its node.
    pub nid: u32,
    /// The lines of it, if they were asked for.
    pub lines: Vec<Line>,
    /// What was made of it.
    pub made: T,
}

/// What a search could not do.
#[derive(Debug, Default)]
pub struct Missed {
    /// Attachments that were not looked into.
    pub unseen: Unseen,
    /// Items and folders that could not be read at all.
    pub failed: AtomicU64,
    /// Why the disk did not give something; it may the next time.
    unread: OnceLock<Error>,
}

impl Missed {
    /// An error if the disk did not give something.
    pub fn whole(self) -> Result<()> {
        self.unread.into_inner().map_or(Ok(()), Err)
    }

    /// Does `work` of one thread, in which reads may fail.
    pub(super) fn watch(&self, work: impl FnOnce()) {
        let watched = whole(|| {
            work();
            Ok(())
        });
        if let Err(error) = watched {
            self.unread.set(error).ok();
        }
    }
}
