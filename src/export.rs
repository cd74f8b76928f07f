//! Writes the tree to disk: the same names, bytes and times that a mount shows, by several threads.
//!
//! Uses `tree` alone. One thread walks and makes directories, the others write files; a file that cannot be read
//! whole is left out and reported, never left short.
#![forbid(unsafe_code)]

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use parking_lot::Mutex;

use crate::error::Error;
use crate::tree::{Attr, Forest, Ino, Kind, Listing};

/// Bytes read and written at a time: what stays in the cache of a processor between the two.
const CHUNK: usize = 256 << 10;
/// Entries of a directory that one writer takes at a time: handing over costs as much as a small file.
const BATCH: usize = 16;
/// Batches that wait for a writer: enough to keep the writers busy, small beside the caches.
const QUEUE: usize = 16;
/// Directories within each other; deeper than any path that a system call takes.
const MAX_DEPTH: usize = 200;

/// What an export has done so far. Read by a progress bar while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// Files, links and directories found by the walk.
    pub found: AtomicU64,
    /// Files and links that are there now.
    pub written: AtomicU64,
    /// Of these, files that were there before with the same size and time.
    pub kept: AtomicU64,
    /// Bytes written.
    pub bytes: AtomicU64,
    /// Files, links and directories that could not be read or written.
    pub failed: AtomicU64,
}

impl Progress {
    fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }
}

/// Files and links of one directory to write.
struct Batch {
    directory: Arc<MadeDirectory>,
    entries: Range<usize>,
}

/// A directory that is there now.
struct MadeDirectory {
    path: PathBuf,
    listing: Listing,
    /// It was there before, perhaps with files of an earlier export.
    is_old: bool,
}

/// One file or link to write.
struct Task {
    ino: Ino,
    kind: Kind,
    path: PathBuf,
    /// An earlier export may have written it.
    may_be_there: bool,
}

/// Why one entry could not be exported.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{0}")]
    Read(#[from] Error),
    #[error("cannot be written: {0}")]
    Write(#[from] io::Error),
    #[error("is nested deeper than {MAX_DEPTH} directories")]
    Depth,
}

/// Exports all of `forest` into the directory `target`, which exists, with `threads` writers. Failures of single entries
/// go to `failed` with the path of the entry.
pub fn export(
    forest: &Forest,
    target: &Path,
    threads: usize,
    progress: &Progress,
    failed: impl Fn(&Path, &str) + Sync,
) {
    let fail = |path: &Path, error: &Failed| {
        Progress::add(&progress.failed, 1);
        failed(path, &error.to_string());
    };
    let (sender, receiver) = sync_channel::<Batch>(QUEUE);
    let receiver = Mutex::new(receiver);
    let mut directories = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                let mut buffer = vec![0; CHUNK];
                while let Some(batch) = next(&receiver) {
                    for task in batch.tasks() {
                        match write(forest, &task, &mut buffer, progress) {
                            Ok(()) => Progress::add(&progress.written, 1),
                            Err(error) => fail(&task.path, &error),
                        }
                    }
                }
            });
        }
        let mut todo = vec![(Ino::ROOT, target.to_path_buf(), 0)];
        while let Some((ino, path, depth)) = todo.pop() {
            let made = match make_directory(forest, ino, &path, depth) {
                Ok(made) => Arc::new(made),
                Err(error) => {
                    fail(&path, &error);
                    continue;
                }
            };
            let found = made.listing.entries().count();
            Progress::add(&progress.found, found as u64);
            for start in (0..found).step_by(BATCH) {
                let batch = Batch {
                    directory: Arc::clone(&made),
                    entries: start..found.min(start + BATCH),
                };
                // The writers outlive the sender, so sending does not fail.
                sender.send(batch).ok();
            }
            let subdirectories: Vec<_> = made
                .listing
                .entries()
                .filter(|entry| entry.kind == Kind::Directory)
                .map(|entry| (entry.ino, path.join(entry.name), depth + 1))
                .collect();
            todo.extend(subdirectories.into_iter().rev());
            directories.push((ino, path));
        }
        drop(sender);
    });
    // A directory's time changes with every entry made in it, so they are set last.
    for (ino, path) in directories.iter().rev() {
        if let Err(error) = set_directory_times(forest, *ino, path) {
            fail(path, &error);
        }
    }
}

/// The next batch. The lock is held while waiting for one, not while working on it.
fn next(receiver: &Mutex<Receiver<Batch>>) -> Option<Batch> {
    receiver.lock().recv().ok()
}

impl Batch {
    fn tasks(&self) -> impl Iterator<Item = Task> + '_ {
        let directory = &self.directory;
        let entries = self.entries.clone();
        entries
            .filter_map(|index| directory.listing.entry(index))
            .filter(|entry| entry.kind != Kind::Directory)
            .map(|entry| Task {
                ino: entry.ino,
                kind: entry.kind,
                path: directory.path.join(entry.name),
                may_be_there: directory.is_old,
            })
    }
}

/// Makes the directory `path`, unless it is there.
fn make_directory(
    forest: &Forest,
    ino: Ino,
    path: &Path,
    depth: usize,
) -> Result<MadeDirectory, Failed> {
    if depth > MAX_DEPTH {
        return Err(Failed::Depth);
    }
    let listing = forest.directory(ino)?;
    let is_old = match fs::create_dir(path) {
        Err(error)
            if error.kind() == io::ErrorKind::AlreadyExists
                && path.symlink_metadata()?.is_dir() =>
        {
            true
        }
        other => {
            other?;
            false
        }
    };
    Ok(MadeDirectory {
        path: path.to_path_buf(),
        listing,
        is_old,
    })
}

fn write(
    forest: &Forest,
    task: &Task,
    buffer: &mut [u8],
    progress: &Progress,
) -> Result<(), Failed> {
    if task.kind == Kind::Symlink {
        let target = forest.read_link(task.ino)?;
        return match symlink(&target, &task.path) {
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists
                    && fs::read_link(&task.path)
                        .is_ok_and(|present| present.as_os_str() == target.as_str()) =>
            {
                Ok(())
            }
            other => Ok(other?),
        };
    }
    let mut attr = forest.attr(task.ino)?;
    if task.may_be_there && is_there(&task.path, &attr) {
        Progress::add(&progress.kept, 1);
        return Ok(());
    }
    // An existing link must not lead the bytes elsewhere.
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(&task.path)?;
    let mut copied = copy(forest, &attr, &file, buffer, progress);
    // A message in which an attachment turned out damaged has a file with a placeholder in its place.
    if let (Err(Failed::Read(_)), Some(replacement)) = (&copied, forest.replacement(task.ino)) {
        attr = forest.attr(replacement)?;
        file.set_len(0)?;
        io::Seek::rewind(&mut &file)?;
        copied = copy(forest, &attr, &file, buffer, progress);
    }
    let copied = copied.and_then(|()| Ok(set_times(&file, &attr)?));
    if copied.is_err() {
        // What is there is not the file; that it cannot be removed is no other failure than the one reported.
        fs::remove_file(&task.path).ok();
    }
    copied
}

/// Whether an earlier run has written this file: same size and time, as rsync judges it.
fn is_there(path: &Path, attr: &Attr) -> bool {
    path.symlink_metadata().is_ok_and(|present| {
        present.is_file()
            && present.len() == attr.size
            && present.modified().is_ok_and(|time| time == attr.mtime)
    })
}

fn copy(
    forest: &Forest,
    attr: &Attr,
    mut file: &File,
    buffer: &mut [u8],
    progress: &Progress,
) -> Result<(), Failed> {
    let mut offset = 0;
    while offset < attr.size {
        let read = forest.read_at(attr.ino, offset, buffer)?;
        if read == 0 {
            return Err(Failed::Read(Error::corrupt(
                "file",
                format_args!("byte {offset}"),
                format_args!("expected {} bytes, the content ends before", attr.size),
            )));
        }
        file.write_all(buffer.get(..read).unwrap_or_default())?;
        offset += read as u64;
        Progress::add(&progress.bytes, read as u64);
    }
    Ok(())
}

fn set_times(file: &File, attr: &Attr) -> io::Result<()> {
    file.set_times(
        FileTimes::new()
            .set_modified(attr.mtime)
            .set_accessed(attr.mtime),
    )
}

fn set_directory_times(forest: &Forest, ino: Ino, path: &Path) -> Result<(), Failed> {
    let attr = forest.attr(ino)?;
    Ok(set_times(&File::open(path)?, &attr)?)
}
