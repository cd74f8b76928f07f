//! Writes a Unicode PST: folders, messages, recipients and attachments of any source, property by property and not through
//! MIME. docs/PST-OUT.md tells what is carried over, changed and left out.
//!
//! Beside `export`: uses `tree` for what is there, and the layers below for what is read. From the bottom up: `layout` and
//! `output` (pages, blocks, maps), `trees`, `blocks` (data trees, subnodes), `heap`, `bth`, `context` and `table` (with
//! `templates`), `names`, `value` and `changes`, `recipients`, `members`, `attachments` and `item`, `plan`, `folders` and `store`, `part`
//! and `journal` (several files, and going on after a crash), `verify`, `room`.
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
mod journal;
mod key;
mod layout;
mod members;
mod names;
mod output;
mod part;
mod plan;
mod recipients;
mod room;
mod store;
mod table;
mod templates;
mod trees;
mod value;
mod verify;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::export::{Filter, Progress};
use crate::ndb::NodeId;
use crate::tree::Forest;
use digest::Digest;
use folders::{Begun, Folders};
pub use journal::{Journal, NotResumed, Saved, Stage};
use names::Names;
use output::Output;
pub use part::{FolderTotal, Part, Position, Tally, Whole};
use plan::{Left, Plan};
pub use room::room;
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
    /// The folder has as many items as one can have.
    #[error("the folder has more than 1,000,000 items")]
    Full,
    /// The journal is of other folders than those that are there.
    #[error("the source does not read as it did; begin anew without --resume")]
    OtherFolders,
}

/// What to copy.
pub struct Export<'a> {
    /// What is there.
    pub forest: &'a Forest,
    /// Which items are taken.
    pub filter: Filter,
    /// Name of the new store if the source does not tell one.
    pub name: &'a str,
    /// Bytes that a file may have at most; what is more goes into further ones. A file with one item may be larger.
    pub most: Option<u64>,
    /// Where to write down how far it is.
    pub journal: &'a Journal,
}

/// An item of the new file, to be compared with what is read back.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Item {
    nid: NodeId,
    digest: Digest,
}

/// A file that was written.
#[derive(Debug)]
pub struct Written {
    /// What comes after it, and what was done.
    pub whole: Whole,
    items: Vec<Item>,
}

/// What a file begins with.
#[derive(Debug)]
pub enum Begin {
    /// With nothing.
    New(Part),
    /// With what is in it, as its journal says.
    Again(Box<Saved<'static>>),
}

impl Begin {
    /// The number of the file.
    pub fn number(&self) -> u32 {
        match self {
            Self::New(part) => part.number,
            Self::Again(saved) => saved.number,
        }
    }
}

/// Hears of what goes wrong: where, and why.
pub type Failures<'a> = dyn Fn(&str, &str) + 'a;

/// Who looks on.
struct Watch<'a> {
    progress: &'a Progress,
    failed: &'a Failures<'a>,
}

impl Watch<'_> {
    fn fail(&self, place: &str, reason: &str) {
        self.progress.failed.fetch_add(1, Ordering::Relaxed);
        (self.failed)(place, reason);
    }
}

impl Export<'_> {
    /// Writes all that the filter takes, or as much of it as fits, into `file`, which has what it begins with; it is on disk
    /// when this returns. An item that cannot be read is left out and goes to `failed`. Errors are those of writing.
    pub fn write(
        &self,
        file: File,
        begin: Begin,
        progress: &Progress,
        failed: &Failures<'_>,
    ) -> Result<Written, Failed> {
        let watch = &Watch { progress, failed };
        let (part, saved) = match begin {
            Begin::New(part) => (part, None),
            Begin::Again(saved) => (saved.part(), Some(saved)),
        };
        let mut out = Output::new(file);
        let empty = store::Empty::new(&mut out)?;
        let mut unread = Vec::new();
        let mut left = |path: &str, reason: &str| {
            unread.push((path.to_owned(), reason.to_owned()));
        };
        let mut plan = Plan::new(&mut out, self, part.number, &mut left);
        if part.from.folder >= plan.folders.len() {
            plan.add_lost(&mut out, self, &mut left);
        }
        let mut folders = Folders {
            export: self,
            out: &mut out,
            names: Names::new(),
            empty,
            watch,
            items: Vec::new(),
            tally: part.done.clone(),
            counts: BTreeMap::new(),
        };
        let begun = saved.map(|saved| folders.resume(&plan, *saved));
        let begun = begun.transpose()?;
        let next = folders.copy_all(&mut plan, &part, begun, &mut left)?;
        folders.finish(&plan)?;
        let Folders {
            names,
            items,
            mut tally,
            ..
        } = folders;
        store::finish(&mut out, &names, &plan, self)?;
        let file = out.finish()?;
        // Each part looks for all folders; what comes of it is told once.
        for (path, reason) in unread.iter().filter(|_| next.is_none()) {
            tally.failed += 1;
            watch.fail(path, reason);
        }
        tally.bytes += file.metadata()?.len();
        let whole = Whole {
            number: part.number,
            done: tally,
            next,
        };
        Ok(Written { whole, items })
    }
}

impl Folders<'_> {
    /// Copies what is in the folders of `plan` from the beginning of `part` on, where a folder may be `begun`, and in those for
    /// what no folder lists, which are looked for last. Returns the first item that the file has no room for.
    fn copy_all(
        &mut self,
        plan: &mut Plan,
        part: &Part,
        mut begun: Option<Begun>,
        left: &mut Left<'_>,
    ) -> Result<Option<Position>, Failed> {
        let mut known = plan.digest();
        let mut at = part.from;
        loop {
            if at.folder >= plan.folders.len() {
                plan.add_lost(self.out, self.export, left);
                known = plan.digest();
            }
            let Some(folder) = plan.folders.get(at.folder) else {
                return Ok(None);
            };
            let mut save = |folders: &mut Folders<'_>, at: Position, begun: &Begun| {
                folders.save(part.number, at, known, begun)
            };
            let next = self.copy(folder, at, begun.take(), &mut save)?;
            if next.is_some() {
                return Ok(next);
            }
            at = Position {
                folder: at.folder + 1,
                item: 0,
            };
        }
    }

    /// Goes on as `saved`; returns the folder that was begun.
    fn resume(&mut self, plan: &Plan, saved: Saved<'static>) -> Result<Begun, Failed> {
        if saved.folders != plan.digest() {
            return Err(Failed::OtherFolders);
        }
        self.out.resume(saved.books.into_owned())?;
        self.empty.resume(&saved.empty);
        self.names = saved.names.into_owned();
        self.items = saved.items.into_owned();
        self.counts = saved.counts.into_owned();
        Ok(saved.begun.into_owned())
    }

    /// Writes down that all items before `at` are copied, if that is worth it.
    fn save(
        &mut self,
        number: u32,
        at: Position,
        folders: Digest,
        begun: &Begun,
    ) -> io::Result<()> {
        if !self.out.is_due() {
            return Ok(());
        }
        let saved = Saved {
            number,
            at,
            folders,
            empty: self.empty.contents(),
            books: Cow::Borrowed(self.out.sync()?),
            names: Cow::Borrowed(&self.names),
            items: Cow::Borrowed(&self.items),
            counts: Cow::Borrowed(&self.counts),
            begun: Cow::Borrowed(begun),
            tally: Cow::Borrowed(&self.tally),
        };
        self.export.journal.save(&Stage::Writing(Box::new(saved)))
    }
}
