//! The order in which a new file is written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;

use super::begun::Begun;
use super::copier::SourceRows;
use super::digest::Digest;
use super::empty::Empty;
use super::export::Export;
use super::failed::Failed;
use super::folders::Folders;
use super::journal::{Begin, Saved, Stage};
use super::names::Names;
use super::output::Output;
use super::part::{Part, Position, Whole};
use super::plan::{Left, Plan};
use super::store;
use super::written::{Problematics, Watch, Written};
use crate::export::Progress;
use crate::ndb::Depth;

impl Export<'_> {
    /// Writes all that the filter takes, or as much of it as fits, into `file`, which has what it begins with; it is on disk
    /// when this returns. An item that cannot be read is left out; it goes to `problematic`, as does one that is not whole. Errors are those of writing.
    pub fn write(
        &self,
        file: File,
        begin: Begin,
        progress: &Progress,
        problematic: &Problematics<'_>,
    ) -> Result<Written, Failed> {
        let watch = &Watch {
            progress,
            problematic,
        };
        let (part, saved) = match begin {
            Begin::New(part) => (part, None),
            Begin::Again(saved) => (saved.part(), Some(saved)),
        };
        if self.filter.is_empty() {
            self.forest.will_read_all(Depth::All);
        }
        let mut out = Output::new(file)?;
        let empty = Empty::new(&mut out)?;
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
            rows: SourceRows::default(),
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

    /// Writes down that all items before `at` are copied, if that is worth it, or if nothing will follow: then it is an error.
    fn save(
        &mut self,
        number: u32,
        at: Position,
        folders: Digest,
        begun: &Begun,
    ) -> Result<(), Failed> {
        let is_over = self.watch.progress.is_abandoned();
        if !is_over && !self.out.is_due() {
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
        self.export.journal.save(&Stage::Writing(Box::new(saved)))?;
        match is_over {
            true => Err(Failed::Interrupted),
            false => Ok(()),
        }
    }
}
