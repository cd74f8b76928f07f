//! The walk over the tree: folder by folder by their tables, several threads, results in the order of the tree.
//!
//! A directory is listed when something in it was found, for the names: those of a folder in which nothing is are never made.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use jiff::Zoned;
use parking_lot::Mutex;

use super::attached::{Means, PdfReader};
use super::found::{Candidate, Found, Missed};
use super::listed::Listed;
use super::names::Names;
use super::opened::{Around, Opened};
use super::query::{Answer, Condition, Place, Query};
use super::text::Line;
use super::turns::{InOrder, Turns};
use super::word_index::RuledOut;
use crate::error::{Error, Result};
use crate::export::{Filter, is_within};
use crate::messaging::{Cells, ContentsTable};
use crate::problem::Problems;
use crate::tree::{Depth, FolderWalk, Forest, Ino, join};

/// Items that a thread takes at a time: enough to be read in the order of the file.
const BATCH: usize = 256;
/// Batches that wait for a thread.
const QUEUE: usize = 16;

/// What to look for, and where.
pub struct Search<'a> {
    /// What is there.
    pub forest: &'a Forest,
    /// The directory to look into: the root, or that of one of several files. Paths are those from there.
    pub top: Ino,
    /// What is looked for.
    pub query: &'a Query,
    /// Which folders are looked into; of a filter nothing else is used.
    pub filter: Filter,
    /// The time, in the zone in which days begin.
    pub now: Zoned,
    /// How many items are looked at at the same time.
    pub threads: usize,
    /// The lines that were found, with so many around each; none if there is no number.
    pub lines: Option<usize>,
    /// What is read afterwards of each item that is found, and is read ahead; nothing if there is none.
    pub reads: Option<Depth>,
    /// Whether paths are wanted. Without them no directory is listed.
    pub named: bool,
    /// Who reads PDF files. Without one they are not looked into.
    pub pdf: Option<&'a dyn PdfReader>,
    /// What need not be looked at, by the number of its file ([`Ino::file`]), of those that have a word index.
    pub ruled_out: BTreeMap<u8, RuledOut>,
}

/// A directory with items.
struct Directory {
    ino: Ino,
    path: Arc<str>,
    items: Items,
}

/// What is known of the items of a directory.
enum Items {
    /// Their rows.
    Tables(Vec<ContentsTable>),
    /// Their numbers and nodes.
    Listed(Vec<(Ino, u32)>),
}

/// Items of one directory to look at: of its table `table`, if it has such.
struct Batch {
    number: u64,
    directory: Arc<Directory>,
    table: usize,
    items: Range<usize>,
}

/// An item of a batch that was found.
struct Hit<T> {
    nid: u32,
    lines: Vec<Line>,
    made: T,
}

/// What a batch gives, whatever becomes of the thread.
struct Outcome<'a, T> {
    number: u64,
    directory: Arc<Directory>,
    hits: Vec<Hit<T>>,
    out: &'a SyncSender<Done<T>>,
}

/// Number, directory and finds of a batch.
type Done<T> = (u64, Arc<Directory>, Vec<Hit<T>>);

impl<T> Drop for Outcome<'_, T> {
    fn drop(&mut self) {
        let hits = std::mem::take(&mut self.hits);
        // The receiver outlives the threads, so sending does not fail.
        let done = (self.number, Arc::clone(&self.directory), hits);
        self.out.send(done).ok();
    }
}

/// What the threads of one search share.
struct Run<'a> {
    search: &'a Search<'a>,
    missed: &'a Missed,
    /// Where the query looks for words.
    places: Vec<Place>,
    turns: Turns,
    abandoned: AtomicBool,
}

impl Search<'_> {
    /// Hands each item that fulfils the query to `found`, in the order of the tree, with what `make` has made of it in one of
    /// the threads; ends when `found` wants no more.
    ///
    /// # Errors
    ///
    /// The system has no thread for it. Where it has fewer than are wanted, these do all.
    pub fn run<T: Send>(
        &self,
        missed: &Missed,
        make: impl Fn(&Candidate<'_>) -> T + Sync,
        mut found: impl FnMut(Found<T>) -> bool,
    ) -> io::Result<()> {
        let run = Run {
            search: self,
            missed,
            places: self.query.places(),
            turns: Turns::default(),
            abandoned: AtomicBool::new(false),
        };
        let (sender, receiver) = sync_channel::<Batch>(QUEUE);
        let (out, done) = sync_channel::<Done<T>>(QUEUE);
        let receiver = Mutex::new(receiver);
        thread::scope(|scope| {
            let walk = &run;
            let walk = move || missed.watch(|| walk.walk(&sender));
            let look = || {
                let (run, receiver, out, make) = (&run, &receiver, out.clone(), &make);
                move || run.look_at_batches(receiver, &out, make)
            };
            thread::Builder::new().spawn_scoped(scope, look())?;
            thread::Builder::new().spawn_scoped(scope, walk)?;
            for _ in 1..self.threads {
                // Without a thread the others do its part.
                if thread::Builder::new().spawn_scoped(scope, look()).is_err() {
                    break;
                }
            }
            drop(out);
            let mut order = InOrder::new(&run.turns);
            let mut names = Names::new(self.forest);
            for (number, directory, hits) in done {
                order.add(number, (directory, hits), |(directory, hits)| {
                    for hit in hits {
                        let path = run.path(&mut names, &directory, hit.nid);
                        let is_over = run.abandoned.load(Ordering::Relaxed);
                        let is_wanted = !is_over
                            && found(Found {
                                path,
                                folder: Arc::clone(&directory.path),
                                nid: hit.nid,
                                lines: hit.lines,
                                made: hit.made,
                            });
                        run.abandoned.fetch_or(!is_wanted, Ordering::Relaxed);
                    }
                });
            }
            Ok(())
        })
    }
}

impl Run<'_> {
    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }

    /// Notes that `ino` could not be read, for the log.
    fn fail(&self, ino: Ino, error: &Error) {
        self.missed.failed.fetch_add(1, Ordering::Relaxed);
        self.search.forest.note(ino, error);
    }

    /// The path of item `nid` of `directory`. It was listed a moment ago: only a failing disk can keep its name.
    fn path(&self, names: &mut Names<'_>, directory: &Directory, nid: u32) -> String {
        if !self.search.named {
            return String::new();
        }
        let name = names.of_item(directory.ino, nid).unwrap_or_else(|error| {
            self.fail(directory.ino, &error);
            None
        });
        join(
            &directory.path,
            &name.unwrap_or_else(|| format!("message {nid:#x}")),
        )
    }

    /// Walks all folders and hands their items to the threads.
    fn walk(&self, sender: &SyncSender<Batch>) {
        let Search {
            forest,
            top,
            filter,
            ..
        } = self.search;
        let mut number = 0;
        let mut walk = FolderWalk::new(forest, *top);
        while !self.is_abandoned() {
            let Some(folder) = walk.next() else {
                if !walk.go_on() {
                    break;
                }
                self.turns.wait_until(number);
                continue;
            };
            match self.directory(folder.ino, &folder.path) {
                Ok(directory) => self.send(&Arc::new(directory), &mut number, sender),
                Err(error) => self.fail(folder.ino, &error),
            }
            match forest.subdirectories(folder.ino) {
                Ok(listing) => walk.enter(&folder, &listing, |path| filter.enters(path)),
                Err(error) => self.fail(folder.ino, &error),
            }
        }
    }

    /// The directory `ino`, with what is known of its items. One that the filter leaves out has none.
    fn directory(&self, ino: Ino, path: &str) -> Result<Directory> {
        let forest = self.search.forest;
        let is_taken = self.search.filter.takes_folder(path);
        let tables = forest.tables(ino).filter(|_| is_taken);
        let items = match tables {
            _ if !is_taken => Items::Listed(Vec::new()),
            // Of a folder that is not there, the listing tells.
            Some(tables) if !tables.iter().all(ContentsTable::is_empty) => Items::Tables(tables),
            _ => Items::Listed(forest.items_of(ino)?),
        };
        Ok(Directory {
            ino,
            path: path.into(),
            items,
        })
    }

    /// Hands the items of `directory` to the threads, in batches that are counted by `number`.
    fn send(&self, directory: &Arc<Directory>, number: &mut u64, sender: &SyncSender<Batch>) {
        let lens: Vec<usize> = match &directory.items {
            Items::Tables(tables) => tables.iter().map(ContentsTable::len).collect(),
            Items::Listed(items) => vec![items.len()],
        };
        for (table, len) in lens.into_iter().enumerate() {
            for start in (0..len).step_by(BATCH) {
                let batch = Batch {
                    number: *number,
                    directory: Arc::clone(directory),
                    table,
                    items: start..len.min(start + BATCH),
                };
                *number += 1;
                // The threads outlive the sender, so sending does not fail.
                sender.send(batch).ok();
            }
        }
    }

    fn look_at_batches<T>(
        &self,
        receiver: &Mutex<Receiver<Batch>>,
        out: &SyncSender<Done<T>>,
        make: &(impl Fn(&Candidate<'_>) -> T + Sync),
    ) {
        while let Some(batch) = next(receiver) {
            self.turns.wait_to_begin(batch.number);
            let mut outcome = Outcome {
                number: batch.number,
                directory: Arc::clone(&batch.directory),
                hits: Vec::new(),
                out,
            };
            if self.is_abandoned() {
                continue;
            }
            // What is wrong with one item must not cost all that follow; the panic itself is printed.
            let looked = catch_unwind(AssertUnwindSafe(|| {
                let hits = &mut outcome.hits;
                self.missed.watch(|| self.look_at(&batch, make, hits));
            }));
            if looked.is_err() {
                self.missed.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Adds what is found in `batch` to `hits`: first by the rows, then in the items that these leave open.
    fn look_at<T>(
        &self,
        batch: &Batch,
        make: &(impl Fn(&Candidate<'_>) -> T + Sync),
        hits: &mut Vec<Hit<T>>,
    ) {
        let directory = &*batch.directory;
        let folders = self.folder_conditions(&directory.path);
        let known = |listed: Option<&Listed<'_>>, condition: &Condition| match condition {
            Condition::Folder(wanted) => {
                let known = folders.iter().find(|(path, _)| path == wanted);
                Answer::of(known.map(|(_, is_so)| *is_so))
            }
            _ => listed.map_or(Answer::Open, |listed| listed.answer(condition)),
        };
        let open = self.by_rows(batch, &known);
        let files = |of_found: bool| -> Vec<Ino> {
            let files = open.iter().filter(|(.., is_found)| *is_found == of_found);
            files.map(|(ino, ..)| *ino).collect()
        };
        let forest = self.search.forest;
        forest.read_ahead(&files(false), Depth::All);
        if let Some(depth) = self.search.reads {
            forest.read_ahead(&files(true), depth);
        }
        let table = match &directory.items {
            Items::Tables(tables) => tables.get(batch.table),
            Items::Listed(_) => None,
        };
        for (ino, nid, listed, is_found) in open {
            if self.is_abandoned() {
                return;
            }
            let known = |condition: &Condition| known(listed.as_ref(), condition);
            let lines = match is_found {
                true => Some(Vec::new()),
                false => self.open(ino, &known),
            };
            if let Some(lines) = lines {
                let made = make(&Candidate {
                    ino,
                    listed: listed.as_ref(),
                    table,
                });
                hits.push(Hit { nid, lines, made });
            }
        }
        for problem in table.into_iter().flat_map(|table| table.problems().list()) {
            self.search.forest.note(directory.ino, &problem);
        }
    }

    /// The items of `batch` whose rows do not rule them out: number, node, row, and whether the row tells that it is found.
    fn by_rows<'d>(
        &self,
        batch: &'d Batch,
        known: &dyn Fn(Option<&Listed<'_>>, &Condition) -> Answer,
    ) -> Vec<(Ino, u32, Option<Listed<'d>>, bool)> {
        let mut open = Vec::new();
        for item in batch.items.clone() {
            let Some((ino, nid, cells)) = self.item(&batch.directory, batch.table, item) else {
                continue;
            };
            if self.is_ruled_out(ino) {
                continue;
            }
            let listed = cells.map(Listed::new);
            let mut ask = |condition: &Condition| known(listed.as_ref(), condition);
            match self.search.query.answer(&mut ask) {
                Answer::No => {}
                Answer::Yes if self.search.lines.is_none() => open.push((ino, nid, listed, true)),
                Answer::Yes | Answer::Open => open.push((ino, nid, listed, false)),
            }
        }
        open
    }

    /// Whether a word index tells that `ino` does not fulfil the query.
    fn is_ruled_out(&self, ino: Ino) -> bool {
        let ruled_out = self.search.ruled_out.get(&ino.file());
        ruled_out.is_some_and(|ruled_out| ruled_out.has(ino))
    }

    /// The conditions on folders, and whether they hold for the one at `path`.
    fn folder_conditions(&self, path: &str) -> Vec<(String, bool)> {
        let mut known = Vec::new();
        self.search.query.each(&mut |condition| {
            if let Condition::Folder(wanted) = condition {
                known.push((wanted.clone(), is_within(path, wanted)));
            }
        });
        known
    }

    /// Item number `item` of `directory`: its file, its node, and its row if it has one.
    fn item<'d>(
        &self,
        directory: &'d Directory,
        table: usize,
        item: usize,
    ) -> Option<(Ino, u32, Option<Cells<'d>>)> {
        match &directory.items {
            Items::Tables(tables) => {
                let cells = tables.get(table)?.cells(item)?;
                let ino = self.search.forest.of_message(directory.ino, cells.nid());
                Some((ino, cells.nid().0, Some(cells)))
            }
            Items::Listed(items) => {
                let (ino, nid) = *items.get(item)?;
                Some((ino, nid, None))
            }
        }
    }

    /// Opens the item `ino`; None if it does not fulfil the query, of which `known` tells what is known. What is wrong with it
    /// is noted.
    fn open(&self, ino: Ino, known: &dyn Fn(&Condition) -> Answer) -> Option<Vec<Line>> {
        let forest = self.search.forest;
        let message = match forest.message(ino) {
            Ok(message) => message,
            Err(error) => {
                self.fail(ino, &error);
                return None;
            }
        };
        let around = Around {
            converter: forest.converter(ino)?,
            now: &self.search.now,
            places: &self.places,
            means: Means {
                pdf: self.search.pdf,
                unseen: &self.missed.unseen,
            },
        };
        let mut opened = Opened::new(&around, &message);
        let is_found = opened.fulfils(self.search.query, known);
        let lines = is_found.then(|| match self.search.lines {
            Some(around) => opened.lines(self.search.query, around),
            None => Vec::new(),
        });
        for problem in opened.problems().flat_map(Problems::list) {
            forest.note(ino, &problem);
        }
        lines
    }
}

/// The next batch. The lock is held while waiting for one, not while working on it.
fn next(receiver: &Mutex<Receiver<Batch>>) -> Option<Batch> {
    receiver.lock().recv().ok()
}
