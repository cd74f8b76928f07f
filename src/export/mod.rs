//! Writes the tree to disk, or into one stream: the same names, bytes and times that a mount shows, by several threads; and
//! lists it.
//!
//! Uses `tree` alone. One thread walks and makes directories, the others write files; a file that cannot be read
//! whole is left out and reported, never left short. What to take is decided in `filter`, `write` has one file, `manifest`
//! the records, `totals` the figures of each folder. Where files go is a [`Target`]; of those that are a stream, `archive`
//! has the forms and `stream` the order.
#![forbid(unsafe_code)]

mod archive;
mod filter;
mod left_out;
mod manifest;
mod pending;
mod problems;
mod progress;
mod stream;
mod target;
mod totals;
mod write;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::tree::{Depth, Entry, Forest, Ino, Kind, Listing, Part};

pub use archive::{Archive, File, Mbox, Mboxes, Tar, Zip};
pub use filter::Filter;
pub(crate) use filter::is_within;
pub use left_out::LeftOut;
pub use manifest::{Format, Manifest, Record};
pub use problems::ProblemLines;
pub use progress::Progress;
pub use stream::Stream;
pub use target::{Target, free_name};
pub use totals::{FolderTotal, Totals};

use pending::Pending;
use progress::{Failed, MAX_DEPTH};
use write::{Task, Written};

/// Entries of a directory that one writer takes at a time: handing over costs as much as a small file.
const BATCH: usize = 16;
/// Batches that wait for a writer: enough to keep the writers busy, small beside the caches.
const QUEUE: usize = 16;
/// Entries of a directory that are read at once from a slow disk, before their batches are handed over.
const AHEAD: usize = 64 * BATCH;

/// An entry that could not be exported.
#[derive(Debug, Clone, Copy)]
pub struct NotExported<'a> {
    /// Its path from the root of the tree.
    pub path: &'a str,
    /// Where it would be.
    pub target: &'a Path,
    /// What it is, by its number and without a name.
    pub object: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// Hears of entries that could not be exported, from any thread.
pub type Failures<'a> = dyn Fn(&NotExported<'_>) + Sync + 'a;

/// What to export, and where to.
pub struct Export<'a> {
    /// What is there.
    pub forest: &'a Forest,
    /// Where to.
    pub target: Target<'a>,
    /// Whether an earlier export may have left files in the target: those with the right bytes are kept, the others written
    /// anew. Else nothing that is there is touched.
    pub resume: bool,
    /// How many files are written at the same time.
    pub threads: usize,
    /// Which items are taken.
    pub filter: Filter,
    /// Whether records have the hash of each file, for which all of it is read.
    pub hashes: bool,
}

/// Files and links of one directory to write.
struct Batch {
    number: u64,
    directory: Arc<TargetDirectory>,
    entries: Range<usize>,
}

/// A directory on its way to disk.
struct TargetDirectory {
    ino: Ino,
    /// Path from the root of the tree.
    path: String,
    /// Path of the folder whose items or attachments are in it.
    folder: Arc<str>,
    listing: Listing,
    /// Once it is there: whether it was there before, perhaps with files of an earlier export.
    made: OnceLock<bool>,
}

/// What the threads of one export share.
struct Run<'a> {
    export: &'a Export<'a>,
    progress: &'a Progress,
    failed: &'a Failures<'a>,
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
            Target::Nowhere if !self.hashes => Depth::Sizes,
            _ => Depth::All,
        }
    }

    /// Exports what the filter takes. Failures of single entries go to `failed`; the records of all files, without those
    /// of the data files, to `manifest`.
    pub fn run(
        &self,
        progress: &Progress,
        mut manifest: Option<&mut Manifest<'_>>,
        failed: &Failures<'_>,
    ) -> Totals {
        let (records, record_receiver) = sync_channel(QUEUE);
        let run = Run {
            export: self,
            progress,
            failed,
            totals: Totals::default(),
            records: manifest.is_some(),
            pending: Pending::default(),
        };
        let (sender, receiver) = sync_channel::<Batch>(QUEUE);
        let receiver = Mutex::new(receiver);
        if self.filter.is_empty() && self.depth() == Depth::All {
            self.forest.will_read_all();
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.threads.max(1))
                .map(|_| {
                    let (run, receiver, records) = (&run, &receiver, records.clone());
                    scope.spawn(move || run.write_batches(receiver, &records))
                })
                .collect();
            drop(records);
            scope.spawn(move || {
                for (number, records) in record_receiver {
                    let manifest = manifest.as_mut();
                    let is_written = manifest.is_none_or(|out| out.add(number, records));
                    if !is_written && matches!(self.target, Target::Nowhere) {
                        progress.abandoned.store(true, Ordering::Relaxed);
                    }
                }
            });
            let directories = run.walk(sender);
            for thread in threads {
                // A thread that panicked has said so; its files are missing in the totals.
                thread.join().ok();
            }
            // A directory's time changes with every entry made in it, so they are set last.
            run.set_times(directories);
        });
        run.totals
    }
}

impl Run<'_> {
    fn fail(&self, ino: Ino, path: &str, error: &Failed) {
        if self.progress.is_ended_by(error) {
            return;
        }
        Progress::add(&self.progress.failed, 1);
        (self.failed)(&NotExported {
            path,
            target: &self.target(path),
            object: &self.export.forest.object_of(ino),
            reason: &error.to_string(),
        });
    }

    /// Where the entry at `path` of the tree is written, or would be.
    fn target(&self, path: &str) -> PathBuf {
        let target = self.export.target.directory().unwrap_or(Path::new(""));
        target.join(path.trim_start_matches('/'))
    }

    /// Walks all directories and hands their files to the writers; returns the directories. `lost+found` comes when all else
    /// is written: what turns out to be lost meanwhile is in it, too.
    fn walk(&self, sender: SyncSender<Batch>) -> Vec<Arc<TargetDirectory>> {
        let mut directories = Vec::new();
        let mut number = 0;
        let mut todo = vec![(Ino::ROOT, String::new(), None, 0)];
        let mut last = Vec::new();
        while !self.progress.is_abandoned() {
            let Some((ino, path, folder, depth)) = todo.pop() else {
                if last.is_empty() {
                    break;
                }
                self.pending.wait();
                todo = std::mem::take(&mut last);
                continue;
            };
            let directory = match self.directory(ino, path.clone(), folder, depth) {
                Ok(directory) => Arc::new(directory),
                Err(error) => {
                    self.fail(ino, &path, &error);
                    continue;
                }
            };
            let found = directory.listing.entries().count();
            // A directory that is empty is a batch as well: in an archive it comes in its turn.
            for start in (0..found.max(1)).step_by(BATCH) {
                if start.is_multiple_of(AHEAD) {
                    self.read_ahead(&directory.listing, start..found.min(start + AHEAD));
                }
                let batch = Batch {
                    number,
                    directory: Arc::clone(&directory),
                    entries: start..found.min(start + BATCH),
                };
                number += 1;
                self.pending.add_one();
                // The writers outlive the sender, so sending does not fail.
                sender.send(batch).ok();
            }
            let below: Vec<_> = directory
                .listing
                .entries()
                .filter(|entry| entry.kind == Kind::Directory)
                .filter_map(|entry| {
                    let path = join(&directory.path, entry.name);
                    let of_item = self.export.forest.item(entry.ino).is_some();
                    let folder = of_item.then(|| Arc::clone(&directory.folder));
                    let entered = of_item || self.export.filter.enters(&path);
                    entered.then_some((entry.ino, path, folder, depth + 1))
                })
                .collect();
            let is_lost_found = |ino: Ino| self.export.forest.is_lost_found(ino);
            let (lost, below): (Vec<_>, Vec<_>) = below
                .into_iter()
                .rev()
                .partition(|(ino, ..)| is_lost_found(*ino));
            last.extend(lost);
            todo.extend(below);
            directories.push(directory);
        }
        directories
    }

    /// Has read what will be needed of these entries.
    fn read_ahead(&self, listing: &Listing, entries: Range<usize>) {
        let entries = entries.filter_map(|index| listing.entry(index));
        let files: Vec<Ino> = entries.map(|entry| entry.ino).collect();
        self.export.forest.read_ahead(&files, self.export.depth());
    }

    /// The directory `ino`, which is made at once unless it may stay empty because of the filter.
    fn directory(
        &self,
        ino: Ino,
        path: String,
        folder: Option<Arc<str>>,
        depth: usize,
    ) -> Result<TargetDirectory, Failed> {
        if depth > MAX_DEPTH {
            return Err(Failed::Depth);
        }
        let directory = TargetDirectory {
            ino,
            listing: self.export.forest.directory(ino)?,
            folder: folder.unwrap_or_else(|| path.as_str().into()),
            path,
            made: OnceLock::new(),
        };
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
        for entry in batch.entries.clone() {
            let Some(entry) = directory.listing.entry(entry) else {
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
            let written = self.write(directory, entry, stream.as_deref_mut(), buffer);
            self.export.forest.forget(entry.ino);
            let is_over = |error| self.progress.is_ended_by(error) || self.progress.is_abandoned();
            if written.as_ref().is_err_and(is_over) {
                break;
            }
            total.found += 1;
            total.items += u64::from(is_item);
            if let Err(error) = &written {
                total.failed += 1;
                self.fail(entry.ino, &join(&directory.path, entry.name), error);
            } else {
                total.written += 1;
                Progress::add(&self.progress.written, 1);
            }
            if self.records {
                records.push(self.record(directory, entry, item, written));
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
        entry: Entry<'_>,
        stream: Option<&mut stream::Batch<'_>>,
        buffer: &mut [u8],
    ) -> Result<Written, Failed> {
        let may_be_there = self.make(directory)? && self.export.resume;
        let path = join(&directory.path, entry.name);
        let target = self.export.target.directory().map(|_| self.target(&path));
        let task = Task {
            forest: self.export.forest,
            ino: entry.ino,
            kind: entry.kind,
            path: target.as_deref(),
            may_be_there,
            hash: self.export.hashes && self.records,
        };
        match stream {
            Some(stream) => stream.write(&task, &path, buffer),
            None => task.run(buffer, self.progress),
        }
    }

    fn record(
        &self,
        directory: &TargetDirectory,
        entry: Entry<'_>,
        item: Option<(u32, Part)>,
        written: Result<Written, Failed>,
    ) -> Record {
        let forest = self.export.forest;
        let summary = forest.summary(entry.ino);
        let mut problems = Vec::new();
        let (ino, size, sha256) = match written {
            Ok(written) => (written.ino, written.size, written.sha256),
            Err(error) => {
                problems.push(error.to_string());
                (entry.ino, 0, String::new())
            }
        };
        let part = item.map(|(_, part)| part);
        if matches!(part, Some(Part::Item | Part::Attachment)) {
            problems.extend(forest.item_problems(ino));
        }
        let mut record = Record {
            path: join(&directory.path, entry.name),
            nid: item.map_or_else(String::new, |(nid, _)| format!("{nid:#x}")),
            folder: directory.folder.to_string(),
            date: summary
                .as_ref()
                .and_then(|item| item.moment?.iso8601())
                .unwrap_or_default(),
            class: match part {
                Some(Part::Attachment) => Record::ATTACHMENT.to_owned(),
                Some(Part::Text) => Record::TEXT.to_owned(),
                _ => String::new(),
            },
            size,
            sha256,
            problems: problems.join("; "),
            ..Record::default()
        };
        if matches!(part, Some(Part::Item | Part::Link)) {
            let people = forest.people(entry.ino);
            (record.from, record.to) = (people.from, people.to);
            let (subject, class) = summary
                .map(|item| (item.subject, item.class))
                .unwrap_or_default();
            (record.subject, record.class) = (subject, class);
        }
        record
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

/// Gives the root of an export the time of the tree once more: files were added beside those of the tree.
pub fn renew_root_time(forest: &Forest, target: &Path) {
    // That it cannot be set is told of the first time.
    write::set_directory_times(forest, Ino::ROOT, target).ok();
}

/// The path of entry `name` of the directory at `path`.
fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}/{name}"),
    }
}

/// The next batch. The lock is held while waiting for one, not while working on it.
fn next(receiver: &Mutex<Receiver<Batch>>) -> Option<Batch> {
    receiver.lock().recv().ok()
}
