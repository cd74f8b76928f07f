//! An archive that several threads write to, each in its turn: they read in parallel, and what comes out is in the order of
//! the tree whatever their number.
//!
//! A thread gathers the small files of its batch, up to a bound, while others write. A file above the bound is looked at
//! once before it is written: what has begun in a stream cannot be taken back, and its size stands before it.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::Ordering;

use parking_lot::{Condvar, Mutex};

use super::archive::{Archive, File};
use super::hashes::{Hasher, Hashes};
use super::progress::{Failed, Progress};
use super::write::{Task, Written};
use crate::tree::{Attr, Kind};

/// Bytes of files that a thread gathers before its turn: most files are read once, and a thread takes that much memory.
const GATHERED: usize = 4 << 20;

/// An archive, and whose turn it is. Batches are numbered from 0 without gaps, and each takes its turn.
pub struct Stream {
    state: Mutex<State>,
    changed: Condvar,
    is_of_items: bool,
}

struct State {
    /// The batch whose turn it is.
    turn: u64,
    /// None while a batch has it, and after an error.
    archive: Option<Box<dyn Archive>>,
    /// The directory that was added last.
    directory: String,
    error: Option<io::Error>,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl Stream {
    /// A stream of all files.
    pub fn of_files(archive: impl Archive + 'static) -> Self {
        Self::new(archive, false)
    }

    /// A stream of items alone, each with its sender; files that show one once more, or are made of several, are left out.
    pub fn of_items(archive: impl Archive + 'static) -> Self {
        Self::new(archive, true)
    }

    fn new(archive: impl Archive + 'static, is_of_items: bool) -> Self {
        Self {
            state: Mutex::new(State {
                turn: 0,
                archive: Some(Box::new(archive)),
                directory: String::new(),
                error: None,
            }),
            changed: Condvar::new(),
            is_of_items,
        }
    }

    /// Whether it takes nothing but items.
    pub(super) fn is_of_items(&self) -> bool {
        self.is_of_items
    }

    /// Drops the archive, which nobody will finish.
    pub fn give_up(&self) {
        self.state.lock().archive = None;
    }

    /// The archive, for what comes at its end; the error that ended it before.
    pub fn into_archive(self) -> io::Result<Box<dyn Archive>> {
        let state = self.state.into_inner();
        match (state.error, state.archive) {
            (None, Some(archive)) => Ok(archive),
            (error, _) => Err(error.unwrap_or_else(|| io::ErrorKind::Interrupted.into())),
        }
    }

    /// What writes batch `number`, with the memory of the thread for what it gathers. Dropping it lets the next one have its turn.
    pub(super) fn batch<'a>(
        &'a self,
        number: u64,
        progress: &'a Progress,
        bytes: &'a mut Vec<u8>,
    ) -> Batch<'a> {
        bytes.clear();
        let turn = Turn {
            stream: self,
            progress,
            number,
            is_there: false,
            archive: None,
        };
        Batch {
            turn,
            waiting: Vec::new(),
            bytes,
        }
    }
}

/// The turn of a batch.
struct Turn<'a> {
    stream: &'a Stream,
    progress: &'a Progress,
    number: u64,
    is_there: bool,
    archive: Option<Box<dyn Archive>>,
}

impl Turn<'_> {
    /// Waits until it is there. All batches before are with threads that need nothing of this one.
    fn wait(&mut self) {
        if self.is_there {
            return;
        }
        let mut state = self.stream.state.lock();
        while state.turn != self.number {
            self.stream.changed.wait(&mut state);
        }
        self.archive = state.archive.take();
        self.is_there = true;
    }

    /// Whether the directory at `path` is another one than before. The root has no entry.
    fn begins(&mut self, path: &str) -> bool {
        self.wait();
        let mut state = self.stream.state.lock();
        if state.directory == path {
            return false;
        }
        state.directory = path.to_owned();
        true
    }

    /// Writes to the archive, which is given up if that fails, and the export with it.
    fn write(
        &mut self,
        write: impl FnOnce(&mut dyn Archive) -> io::Result<()>,
    ) -> Result<(), Failed> {
        self.wait();
        let Some(archive) = &mut self.archive else {
            return Err(Failed::Write(io::ErrorKind::BrokenPipe.into()));
        };
        write(archive.as_mut()).map_err(|error| {
            self.archive = None;
            self.progress.abandoned.store(true, Ordering::Relaxed);
            let kind = error.kind();
            self.stream.state.lock().error = Some(error);
            Failed::Write(kind.into())
        })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.wait();
        let mut state = self.stream.state.lock();
        // What a panic has left half written is no archive.
        state.archive = self.archive.take().filter(|_| !std::thread::panicking());
        state.turn += 1;
        self.stream.changed.notify_all();
    }
}

/// An entry that waits for its turn.
enum Waiting {
    Directory(String, Attr),
    Link(String, Attr, String),
    File {
        path: String,
        attr: Attr,
        sender: String,
        /// Where its content is among the bytes that were gathered.
        content: Range<usize>,
    },
}

/// A batch of entries on its way into the archive.
pub(super) struct Batch<'a> {
    turn: Turn<'a>,
    waiting: Vec<Waiting>,
    bytes: &'a mut Vec<u8>,
}

impl Batch<'_> {
    /// Begins the directory at `path`, in which everything is that follows. All batches of it are in a row.
    pub(super) fn directory(&mut self, path: &str, attr: Attr) {
        self.waiting.push(Waiting::Directory(path.to_owned(), attr));
    }

    /// Adds the entry of `task`, which is at `path`.
    pub(super) fn write(
        &mut self,
        task: &Task<'_>,
        path: &str,
        buffer: &mut [u8],
    ) -> Result<Written, Failed> {
        let attr = task.forest.attr(task.ino)?;
        if task.kind == Kind::Symlink {
            let target = task.forest.read_link(task.ino)?;
            let written = Written {
                ino: task.ino,
                size: target.len() as u64,
                hashes: Hashes::default(),
            };
            self.waiting
                .push(Waiting::Link(path.to_owned(), attr, target));
            return Ok(written);
        }
        let sender = match self.turn.stream.is_of_items {
            true => task.forest.people(task.ino).from,
            false => String::new(),
        };
        if attr.size > GATHERED as u64 {
            return self.large(task, attr, path, &sender, buffer);
        }
        if attr.size + self.bytes.len() as u64 > GATHERED as u64 {
            self.flush()?;
        }
        let start = self.bytes.len();
        let bytes = &mut *self.bytes;
        let progress = self.turn.progress;
        let gathered = read(task, attr, buffer, progress, |piece| {
            match piece {
                None => bytes.truncate(start),
                Some(piece) => bytes.extend_from_slice(piece),
            }
            Ok(())
        });
        let (attr, hasher) = gathered.inspect_err(|_| self.bytes.truncate(start))?;
        self.waiting.push(Waiting::File {
            path: path.to_owned(),
            attr,
            sender,
            content: start..self.bytes.len(),
        });
        Ok(Written::new(&attr, hasher))
    }

    /// A file that is too large to be gathered.
    fn large(
        &mut self,
        task: &Task<'_>,
        attr: Attr,
        path: &str,
        sender: &str,
        buffer: &mut [u8],
    ) -> Result<Written, Failed> {
        let progress = self.turn.progress;
        let (attr, _) = read(task, attr, buffer, progress, |_| Ok(()))?;
        self.flush()?;
        let file = File {
            path,
            attr: &attr,
            sender,
        };
        let mut hasher = Hasher::new(task.algorithms);
        let mut cut = None;
        self.turn.write(|archive| {
            archive.file(file, &mut |out| {
                let mut left = attr.size;
                let copied = task.copy(&attr, buffer, &mut hasher, progress, |bytes| {
                    out.write_all(bytes)?;
                    left = left.saturating_sub(bytes.len() as u64);
                    Progress::add(&progress.bytes, bytes.len() as u64);
                    Ok(())
                });
                match copied {
                    Ok(()) => Ok(()),
                    Err(Failed::Write(error)) => Err(error),
                    Err(Failed::Abandoned) => Err(io::ErrorKind::Interrupted.into()),
                    Err(error) => {
                        cut = Some(error);
                        io::copy(&mut io::repeat(0).take(left), out).map(drop)
                    }
                }
            })
        })?;
        match cut {
            Some(Failed::Read(error)) => Err(Failed::Cut(error)),
            Some(error) => Err(error),
            None => Ok(Written::new(&attr, hasher)),
        }
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> Result<(), Failed> {
        let waiting = std::mem::take(&mut self.waiting);
        let progress = self.turn.progress;
        for entry in &waiting {
            let bytes = &*self.bytes;
            if let Waiting::Directory(path, _) = entry
                && !self.turn.begins(path)
            {
                continue;
            }
            self.turn.write(|archive| match entry {
                Waiting::Directory(path, attr) => archive.directory(path, attr),
                Waiting::Link(path, attr, target) => archive.link(path, attr, target),
                Waiting::File {
                    path,
                    attr,
                    sender,
                    content,
                } => {
                    let content = bytes.get(content.clone()).unwrap_or_default();
                    Progress::add(&progress.bytes, content.len() as u64);
                    let file = File { path, attr, sender };
                    archive.file(file, &mut |out| out.write_all(content))
                }
            })?;
        }
        self.bytes.clear();
        Ok(())
    }
}

/// Reads the file of `task` with its hash, or the one that turns out to take its place; returns the attributes of what was
/// read. `take` gets the bytes, or nothing where it begins anew.
fn read(
    task: &Task<'_>,
    mut attr: Attr,
    buffer: &mut [u8],
    progress: &Progress,
    mut take: impl FnMut(Option<&[u8]>) -> io::Result<()>,
) -> Result<(Attr, Hasher), Failed> {
    let mut hasher = Hasher::new(task.algorithms);
    let mut copied = task.copy(&attr, buffer, &mut hasher, progress, |bytes| {
        take(Some(bytes))
    });
    // A message in which an attachment turned out damaged has a file in its place that states it.
    if matches!(copied, Ok(()) | Err(Failed::Read(_)))
        && let Some(replacement) = task.forest.replacement(task.ino)
    {
        attr = task.forest.attr(replacement)?;
        take(None)?;
        hasher = Hasher::new(task.algorithms);
        copied = task.copy(&attr, buffer, &mut hasher, progress, |bytes| {
            take(Some(bytes))
        });
    }
    copied.map(|()| (attr, hasher))
}
