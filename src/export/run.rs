//! An export: one thread walks and makes directories, the others write what they are handed.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use parking_lot::Mutex;

use super::describe::describe;
use super::filter::Filter;
use super::hashes::Algorithms;
use super::manifest::Manifest;
use super::pending::Pending;
use super::progress::{Failed, Progress};
use super::record::Record;
use super::stream;
use super::target::Target;
use super::totals::{FolderTotal, Totals};
use super::walk::{Found, Step, TargetDirectory, Walk};
use super::write::{self, FileKey, Task, Written};
use crate::tree::{Depth, Entry, Forest, Ino, Kind, Part, ProblemLine};

/// Batches that wait for a writer: enough to keep the writers busy, small beside the caches.
const QUEUE: usize = 16;

/// An entry that could not be exported, or is not whole.
#[derive(Debug, Clone, Copy)]
pub struct Problematic<'a> {
    /// Its path from the root of the tree.
    pub path: &'a str,
    /// Where it would be.
    pub target: &'a Path,
    /// What it is, by its number and without a name.
    pub object: &'a str,
    /// Why it could not be exported; None for an item that was, and is not whole: what is wrong is among the problems of
    /// `object`.
    pub failed: Option<&'a str>,
}

impl Problematic<'_> {
    /// The line that tells of it. That of an item that is not whole says which file has the problems of `object`, and stands before
    /// them in a sorted list, as a quotation mark sorts before letters.
    pub fn line(&self) -> ProblemLine {
        match self.failed {
            Some(reason) => ProblemLine::new(self.path, reason),
            None => ProblemLine::not_whole(self.object, self.path),
        }
    }
}

/// Called with each entry that could not be exported or is not whole, from any thread.
pub type Problematics<'a> = dyn Fn(&Problematic<'_>) + Sync + 'a;

/// What to export, and where to.
pub struct Export<'a> {
    /// What is there.
    pub forest: &'a Forest,
    /// Where to.
    pub target: Target<'a>,
    /// Whether an earlier export may have left files in the target: those with the right bytes are kept, the others written
    /// anew. Else nothing that is there is touched.
    pub resume: bool,
    /// What is read, and stays even where an item has its path.
    pub spared: &'a [FileKey],
    /// How many files are written at the same time.
    pub threads: usize,
    /// Which items are taken.
    pub filter: Filter,
    /// The hashes that records have of each file, for which all of it is read.
    pub algorithms: Algorithms,
    /// Whose mail it is, for the records.
    pub custodian: String,
    /// Whether attachments come right behind their items, as load files want it, and not behind all files of the folder. A
    /// stream takes one directory after the other.
    pub by_family: bool,
}

/// Files and links of one directory to write.
struct Batch {
    number: u64,
    directory: Arc<TargetDirectory>,
    entries: Range<usize>,
}

/// What the threads of one export share.
struct Run<'a> {
    export: &'a Export<'a>,
    progress: &'a Progress,
    problematic: &'a Problematics<'a>,
    totals: Totals,
    /// Whether anybody wants records.
    records: bool,
    pending: Pending,
}

/// To the manifest: the records of the batch of this number.
type Records = SyncSender<(u64, Vec<Record>)>;

impl Export<'_> {
    /// What is read of each file.
    fn depth(&self) -> Depth {
        match self.target {
            Target::Nowhere if !self.algorithms.is_any() => Depth::Sizes,
            _ => Depth::All,
        }
    }

    /// Exports what the filter takes. Entries that fail or are not whole go to `problematic`; the records of all files, without those
    /// of the data files, to `manifest`.
    ///
    /// # Errors
    ///
    /// The system has no thread for it; nothing was done then. Where it has fewer than are wanted, these do all.
    pub fn run(
        &self,
        progress: &Progress,
        manifest: &mut Manifest<'_>,
        problematic: &Problematics<'_>,
    ) -> io::Result<Totals> {
        let (records, record_receiver) = sync_channel(QUEUE);
        let run = Run {
            export: self,
            progress,
            problematic,
            totals: Totals::default(),
            records: manifest.is_wanted(),
            pending: Pending::default(),
        };
        let (sender, receiver) = sync_channel::<Batch>(QUEUE);
        let receiver = Mutex::new(receiver);
        if self.filter.is_empty() {
            self.forest.will_read_all(self.depth());
        }
        thread::scope(|scope| {
            let write = || {
                let (run, receiver, records) = (&run, &receiver, records.clone());
                move || run.write_batches(receiver, &records)
            };
            let mut threads = vec![thread::Builder::new().spawn_scoped(scope, write())?];
            let record = move || {
                for (number, records) in record_receiver {
                    let is_written = manifest.add(number, records);
                    if !is_written && matches!(self.target, Target::Nowhere) {
                        progress.abandoned.store(true, Ordering::Relaxed);
                    }
                }
            };
            thread::Builder::new().spawn_scoped(scope, record)?;
            for _ in 1..self.threads {
                // Without a thread the others do its part.
                match thread::Builder::new().spawn_scoped(scope, write()) {
                    Ok(thread) => threads.push(thread),
                    Err(_) => break,
                }
            }
            drop(records);
            let directories = run.walk(sender);
            for thread in threads {
                // A thread that panicked has said so; its files are missing in the totals.
                thread.join().ok();
            }
            // A directory's time changes with every entry made in it, so they are set last.
            run.set_times(directories);
            io::Result::Ok(())
        })?;
        Ok(run.totals)
    }
}

impl Run<'_> {
    fn fail(&self, ino: Ino, path: &str, error: &Failed) {
        if self.progress.is_ended_by(error) {
            return;
        }
        Progress::add(&self.progress.failed, 1);
        self.tell(ino, path, Some(&error.to_string()));
    }

    fn tell(&self, ino: Ino, path: &str, failed: Option<&str>) {
        (self.problematic)(&Problematic {
            path,
            target: &self.target(path),
            object: &self.export.forest.object_in_file(ino),
            failed,
        });
    }

    /// Whether what was written of an item lacks something, or may be wrong. Nothing is looked at in a file without problems.
    fn is_damaged(&self, written: &Written) -> bool {
        let forest = self.export.forest;
        forest.problem_count() > 0 && !forest.item_problems(written.ino).is_empty()
    }

    /// Where the entry at `path` of the tree is written, or would be.
    fn target(&self, path: &str) -> PathBuf {
        let target = self.export.target.directory().unwrap_or(Path::new(""));
        target.join(path.trim_start_matches('/'))
    }

    /// Walks all directories and hands their files to the writers; returns the directories. `lost+found` comes when all else
    /// is written: what turns out to be lost meanwhile is in it, too.
    fn walk(&self, sender: SyncSender<Batch>) -> Vec<Arc<TargetDirectory>> {
        let Export {
            forest,
            filter,
            by_family,
            ..
        } = self.export;
        let mut directories = Vec::new();
        let mut number = 0;
        let mut walk = Walk::new(forest, filter, *by_family);
        while !self.progress.is_abandoned() {
            match walk.next() {
                None => {
                    self.pending.wait();
                    if !walk.go_on() {
                        break;
                    }
                }
                Some(Step::Directory(found)) => match self.directory(&found) {
                    Ok(directory) => {
                        let directory = Arc::new(directory);
                        self.count_on_server(&directory);
                        walk.enter(&directory, &found);
                        directories.push(directory);
                    }
                    Err(error) => self.fail(found.ino, &found.path, &error),
                },
                Some(Step::Batch(directory, entries)) => {
                    Walk::read_ahead(&directory, &entries, |files| {
                        forest.read_ahead(files, self.export.depth());
                    });
                    let batch = Batch {
                        number,
                        directory,
                        entries,
                    };
                    number += 1;
                    self.pending.add_one();
                    // The writers outlive the sender, so sending does not fail.
                    sender.send(batch).ok();
                }
            }
        }
        directories
    }

    /// Counts what of a folder was on the server alone.
    fn count_on_server(&self, directory: &TargetDirectory) {
        let Export { forest, filter, .. } = self.export;
        let is_folder = directory.family.is_none() && filter.takes_folder(&directory.path);
        let on_server = match is_folder {
            true => forest.left_on_server(directory.ino),
            false => 0,
        };
        if on_server > 0 {
            let total = FolderTotal {
                on_server,
                ..FolderTotal::default()
            };
            self.totals.add(&directory.folder, total);
        }
    }

    /// The directory `found`, which is made at once unless it may stay empty because of the filter.
    fn directory(&self, found: &Found) -> Result<TargetDirectory, Failed> {
        let directory = found.read(self.export.forest)?;
        if self.export.filter.is_empty() {
            self.make(&directory)?;
        }
        Ok(directory)
    }

    /// Makes the directory unless it is there; returns whether it was there before this export.
    fn make(&self, directory: &TargetDirectory) -> Result<bool, Failed> {
        if let Some(is_old) = directory.made.get() {
            return Ok(*is_old);
        }
        let is_old = match self.export.target.directory() {
            Some(_) => write::make_directory(&self.target(&directory.path))?,
            None => false,
        };
        // Of two threads that make it at once the second finds it there: it then looks for old files in vain.
        Ok(*directory.made.get_or_init(|| is_old))
    }

    fn write_batches(&self, receiver: &Mutex<Receiver<Batch>>, manifest: &Records) {
        let mut buffer = vec![0; write::CHUNK];
        let mut gathered = Vec::new();
        while let Some(batch) = next(receiver) {
            let _written = self.pending.one();
            // Each batch has its turn, also one of which nothing is written any more.
            let mut stream = match self.export.target {
                Target::Stream(stream) => {
                    Some(stream.batch(batch.number, self.progress, &mut gathered))
                }
                Target::Nowhere | Target::Directory(_) => None,
            };
            if self.progress.is_abandoned() {
                continue;
            }
            let records = self.write_batch(&batch, stream.as_mut(), &mut buffer);
            drop(stream);
            if self.records {
                // The receiver outlives the writers, so sending does not fail.
                manifest.send((batch.number, records)).ok();
            }
        }
    }

    /// Writes the files of a batch and reports what became of them.
    fn write_batch(
        &self,
        batch: &Batch,
        mut stream: Option<&mut stream::Batch<'_>>,
        buffer: &mut [u8],
    ) -> Vec<Record> {
        let directory = &batch.directory;
        let mut total = FolderTotal::default();
        let mut records = Vec::new();
        let mut is_begun = false;
        if self.export.filter.is_empty()
            && let Some(stream) = &mut stream
        {
            self.begin(directory, stream);
            is_begun = true;
        }
        for index in batch.entries.clone() {
            let Some(entry) = directory.listing.entry(index) else {
                break;
            };
            if self.progress.is_abandoned() {
                break;
            }
            let item = self.export.forest.item(entry.ino);
            let is_item = matches!(item, Some((_, Part::Item)));
            Progress::add(&self.progress.items, u64::from(is_item));
            let is_left_out = !is_item && self.export.target.takes_items_alone();
            if entry.kind == Kind::Directory || is_left_out || !self.takes(directory, entry.ino) {
                continue;
            }
            if let Some(stream) = stream.as_mut().filter(|_| !is_begun) {
                self.begin(directory, stream);
                is_begun = true;
            }
            let written = self.write(directory, &entry, stream.as_deref_mut(), buffer);
            if is_item
                && written
                    .as_ref()
                    .is_ok_and(|written| self.is_damaged(written))
            {
                self.tell(entry.ino, &directory.path_of(&entry.name), None);
            }
            self.export.forest.forget(entry.ino);
            let is_over = |error| self.progress.is_ended_by(error) || self.progress.is_abandoned();
            if written.as_ref().is_err_and(is_over) {
                break;
            }
            total.found += 1;
            total.items += u64::from(is_item);
            if let Err(error) = &written {
                total.failed += 1;
                self.fail(entry.ino, &directory.path_of(&entry.name), error);
            } else {
                total.written += 1;
                Progress::add(&self.progress.written, 1);
            }
            if self.records {
                records.push(self.record(directory, index, written));
            }
        }
        if let Some(stream) = stream {
            // The stream itself tells why it failed; then nothing that follows is written.
            stream.flush().ok();
        }
        if total.found > 0 {
            self.totals.add(&directory.folder, total);
        }
        records
    }

    /// Announces the directory of the entries that follow.
    fn begin(&self, directory: &TargetDirectory, stream: &mut stream::Batch<'_>) {
        match self.export.forest.attr(directory.ino) {
            Ok(attr) => stream.directory(&directory.path, attr),
            Err(error) => self.fail(directory.ino, &directory.path, &error.into()),
        }
    }

    fn takes(&self, directory: &TargetDirectory, ino: Ino) -> bool {
        let filter = &self.export.filter;
        filter.is_empty()
            || filter.takes_folder(&directory.folder) && filter.takes(self.export.forest, ino)
    }

    fn write(
        &self,
        directory: &TargetDirectory,
        entry: &Entry<'_>,
        stream: Option<&mut stream::Batch<'_>>,
        buffer: &mut [u8],
    ) -> Result<Written, Failed> {
        let may_be_there = self.make(directory)? && self.export.resume;
        let path = directory.path_of(&entry.name);
        let target = self.export.target.directory().map(|_| self.target(&path));
        let task = Task {
            forest: self.export.forest,
            ino: entry.ino,
            kind: entry.kind,
            path: target.as_deref(),
            may_be_there,
            spared: self.export.spared,
            algorithms: match self.records {
                true => self.export.algorithms,
                false => Algorithms::default(),
            },
            counted: Cell::default(),
        };
        match stream {
            Some(stream) => stream.write(&task, &path, buffer),
            None => task.run(buffer, self.progress),
        }
    }

    fn record(
        &self,
        directory: &TargetDirectory,
        index: usize,
        written: Result<Written, Failed>,
    ) -> Record {
        let record = describe(
            self.export.forest,
            directory,
            index,
            written,
            self.export.algorithms,
        );
        Record {
            custodian: self.export.custodian.clone(),
            ..record
        }
    }

    fn set_times(&self, directories: Vec<Arc<TargetDirectory>>) {
        for directory in directories.iter().rev() {
            if self.export.target.directory().is_none() || directory.made.get().is_none() {
                continue;
            }
            let path = self.target(&directory.path);
            let set = write::set_directory_times(self.export.forest, directory.ino, &path);
            if let Err(error) = set {
                self.fail(directory.ino, &directory.path, &error);
            }
        }
    }
}

/// The next batch. The lock is held while waiting for one, not while working on it.
fn next(receiver: &Mutex<Receiver<Batch>>) -> Option<Batch> {
    receiver.lock().recv().ok()
}
