//! Writes a Unicode PST: folders, messages, recipients and attachments of any source, property by property and not through
//! MIME. docs/PST-OUT.md tells what is carried over, changed and left out.
//!
//! Beside `export`: uses `tree` for what is there, and the layers below for what is read. From the bottom up: `layout` and
//! `output` (pages, blocks, maps), `trees`, `blocks` (data trees, subnodes), `heap`, `bth`, `context` and `table` (with
//! `templates`), `names`, `value` and `changes`, `recipients`, `attachments` and `item`, `plan`, `folders` and `store`, `verify`.
#![forbid(unsafe_code)]

mod attachments;
mod blocks;
mod bth;
mod changes;
mod context;
mod digest;
mod folders;
mod heap;
mod item;
mod key;
mod layout;
mod names;
mod output;
mod plan;
mod recipients;
mod store;
mod table;
mod templates;
mod trees;
mod value;
mod verify;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::export::{Filter, Progress};
use crate::ndb::NodeId;
use crate::tree::Forest;
use digest::Digest;
use folders::Folders;
use names::Names;
use output::Output;
use plan::Plan;
pub use verify::{Verify, verify};

/// Why a file, or an item of it, was not written.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The source cannot be read.
    #[error("{0}")]
    Read(#[from] Error),
    /// The target cannot be written.
    #[error("cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// What to copy.
pub struct Export<'a> {
    /// What is there.
    pub forest: &'a Forest,
    /// Which items are taken.
    pub filter: Filter,
    /// Name of the new store if the source has none.
    pub name: &'a str,
}

/// What became of the items of a folder. Hidden ones, and items that a filter passes over, are in none of the figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FolderTotal {
    /// Items that are there.
    pub found: u64,
    /// Those that were copied.
    pub written: u64,
    /// Those that could not be.
    pub failed: u64,
}

/// An item of the new file, to be compared with what is read back.
#[derive(Debug, Clone, Copy)]
struct Item {
    nid: NodeId,
    digest: Digest,
}

/// What has been written.
#[derive(Debug)]
pub struct Written {
    /// Figures by path of the folder.
    pub totals: BTreeMap<String, FolderTotal>,
    /// Problems with items that were copied all the same.
    pub problems: u64,
    items: Vec<Item>,
}

/// Hears of what goes wrong: where, and why.
pub type Failures<'a> = dyn Fn(&str, &str) + 'a;

/// Who looks on.
struct Watch<'a> {
    progress: &'a Progress,
    failed: &'a Failures<'a>,
    problems: AtomicU64,
}

impl Watch<'_> {
    fn fail(&self, place: &str, reason: &str) {
        self.progress.failed.fetch_add(1, Ordering::Relaxed);
        (self.failed)(place, reason);
    }
}

impl Export<'_> {
    /// Writes all that the filter takes into `file`, which is empty; it is on disk when this returns. An item that cannot be
    /// read is left out and goes to `failed`. Errors are those of writing.
    pub fn write(
        &self,
        file: File,
        progress: &Progress,
        failed: &Failures<'_>,
    ) -> Result<Written, Failed> {
        let watch = Watch {
            progress,
            failed,
            problems: AtomicU64::new(0),
        };
        let mut out = Output::new(file);
        let mut names = Names::new();
        let mut empty = store::Empty::new(&mut out)?;
        let mut left = |path: &str, reason: &str| watch.fail(path, reason);
        let mut plan = Plan::new(&mut out, self.forest, &self.filter, &mut left);
        let mut folders = Folders {
            export: self,
            out: &mut out,
            names: &mut names,
            empty: &mut empty,
            watch: &watch,
            items: Vec::new(),
            totals: BTreeMap::new(),
        };
        let mut counts = Vec::with_capacity(plan.folders.len());
        for folder in &plan.folders {
            counts.push(folders.copy(folder)?);
        }
        let lost = plan.add_lost(folders.out, self.forest, &self.filter, &mut left);
        for folder in plan.folders.get(lost).unwrap_or_default() {
            counts.push(folders.copy(folder)?);
        }
        folders.finish(&plan, &counts)?;
        let (items, totals) = (folders.items, folders.totals);
        store::finish(&mut out, &names, &plan, self)?;
        out.finish()?;
        Ok(Written {
            totals,
            problems: watch.problems.into_inner(),
            items,
        })
    }
}
