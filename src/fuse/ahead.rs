//! Work done before the kernel asks for it, by threads of its own: attributes of the entries that whoever looks at a
//! directory will look at next, the bytes that whoever reads a file in order will read next, and those of the files that
//! whoever reads the files of a directory one after another will read next ([`run`]).
//!
//! All of it is bounded: a few directories and files, the latest ones, and in each a certain way ahead of the last
//! request. A request never waits for this work, but for bytes that a thread is making already.
#![forbid(unsafe_code)]

mod content;
mod run;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use self::content::{Content, WINDOW};
use self::run::{Run, Step, UPCOMING};
use super::panics;
use crate::tree::{Depth, Forest, Ino};

/// Directories whose attributes are worked out, and files that are read: the latest ones. The kernel still asks for the ends of some
/// files when the next one is begun.
const DIRECTORIES: usize = 2;
const FILES: usize = 4;
/// Files of one directory that somebody has to look at, one by one, before more are expected.
const LOOKUPS: usize = 8;
/// Entries that one such look is worth, and those that a request for attributes of a listing is worth.
const CREDIT_OF_LOOKUP: usize = 2;
const CREDIT_OF_LISTING: usize = 512;
/// Entries ahead of the last request at the most: while they are looked up one by one, their content is wanted as well,
/// and is to stay in the cache until then.
const MAX_CREDIT_OF_LOOKUP: usize = 64;
const MAX_CREDIT_OF_LISTING: usize = 4096;
/// Entries that a thread takes on at a time.
const STEP: usize = 16;
/// Requests one after the other that make a reader of all of a file.
const REQUESTS: usize = 4;
/// Windows of a file that are in memory.
const WINDOWS: usize = 2;

/// What is to be done, and what is done.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    plan: Mutex<Plan>,
    /// Something was added to the plan.
    added: Condvar,
    /// Bytes of a window are there.
    made: Condvar,
}

#[derive(Debug, Default)]
struct Plan {
    /// The latest first.
    directories: VecDeque<Directory>,
    files: VecDeque<File>,
    run: Run,
}

/// Somebody looks at the entries of a directory.
#[derive(Debug)]
struct Directory {
    ino: Ino,
    /// Lookups so far that found nothing prepared.
    lookups: usize,
    /// The first entry that no thread has taken on.
    next: usize,
    /// The first entry whose blocks nobody has asked for.
    from_disk: usize,
    /// Entries that may be worked out.
    credit: usize,
    /// Where the last request for attributes of the listing began, and where it presumably ends. What is before the
    /// end is its own work: two at the same entries would take twice the time of one.
    asked: Range<usize>,
}

/// Somebody reads a file.
#[derive(Debug)]
struct File {
    ino: Ino,
    /// Where the last request ended.
    next: u64,
    /// Requests in order so far.
    requests: usize,
    windows: VecDeque<Window>,
}

#[derive(Debug)]
struct Window {
    start: u64,
    content: Content,
}

/// Bytes that were read ahead.
#[derive(Debug)]
pub(super) struct Bytes {
    window: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Bytes {
    pub(super) fn bytes(&self) -> &[u8] {
        self.window.get(self.range.clone()).unwrap_or_default()
    }
}

/// What a thread does next.
enum Task {
    Attributes {
        directory: Ino,
        entries: Range<usize>,
    },
    Read {
        file: Ino,
        start: u64,
    },
    Run(Step),
}

impl Ahead {
    /// A file of `directory` was looked up; `at_hand` if its attributes were.
    pub(super) fn looked_up(&self, directory: Ino, at_hand: bool) {
        let mut plan = self.plan.lock();
        let Some(entry) = plan.directory(directory) else {
            return;
        };
        entry.lookups += usize::from(!at_hand);
        if entry.lookups >= LOOKUPS && entry.credit < MAX_CREDIT_OF_LOOKUP {
            entry.credit += CREDIT_OF_LOOKUP;
            self.added.notify_one();
        }
    }

    /// The attributes of `directory` are listed from entry `first` on, for somebody who has looked at those before. Returns
    /// the entries that should be read ahead from the disk now.
    pub(super) fn listed(&self, directory: Ino, first: usize) -> Option<Range<usize>> {
        let mut plan = self.plan.lock();
        let entry = plan.directory(directory)?;
        // Requests are answered with about as many entries each.
        let count = first.saturating_sub(entry.asked.start);
        entry.asked = first..first.saturating_add(count);
        entry.next = entry.next.max(entry.asked.end);
        if entry.credit < MAX_CREDIT_OF_LISTING {
            entry.credit += CREDIT_OF_LISTING;
            self.added.notify_all();
        }
        let start = entry.from_disk.max(first);
        if start >= first + Forest::READ_AHEAD / 2 {
            return None;
        }
        entry.from_disk = start + Forest::READ_AHEAD;
        Some(start..entry.from_disk)
    }

    /// The answer to a request for `size` bytes of `file`, if it was prepared. Plans what comes behind it.
    pub(super) fn read(&self, file: Ino, offset: u64, size: usize) -> Option<Bytes> {
        let mut plan = self.plan.lock();
        plan.file(file)?;
        if plan.run.has_step() {
            self.added.notify_one();
        }
        let entry = plan.find_mut(file)?;
        // The kernel has several requests on the way, which may come in any order.
        if offset.abs_diff(entry.next) <= 2 * size as u64 {
            entry.requests += 1;
        } else {
            entry.requests = 0;
            entry.windows.clear();
        }
        entry.next = entry.next.max(offset + size as u64);
        if entry.requests == 0 {
            entry.next = offset + size as u64;
        }
        if entry.requests >= REQUESTS && size <= WINDOW / 2 && entry.plan_windows() {
            self.added.notify_one();
        }
        loop {
            let entry = plan.find_mut(file)?;
            let window = entry.window(offset, size)?;
            match &window.content {
                // The threads are behind. This request is faster itself; they may go on behind it.
                Content::Planned => {
                    entry.windows.clear();
                    return None;
                }
                Content::InWork => self.made.wait(&mut plan),
                Content::Made(bytes) => {
                    let start = usize::try_from(offset - window.start).ok()?;
                    let end = (start + size).min(bytes.len());
                    return (start < end).then(|| Bytes {
                        window: Arc::clone(bytes),
                        range: start..end,
                    });
                }
            }
        }
    }

    /// Does what is planned, for ever. For several threads at once.
    pub(super) fn work(&self, forest: &Forest) -> ! {
        loop {
            match self.next_task() {
                Task::Attributes { directory, entries } => {
                    let wanted = entries.len();
                    let done = panics::catch(|| self.attributes(forest, directory, entries));
                    self.worked_out(directory, wanted, done.unwrap_or(Some(wanted)));
                }
                Task::Read { file, start } => {
                    self.has_read(file, start, read_window(forest, file, start, WINDOW));
                }
                Task::Run(Step::Begin(file)) => {
                    let attr = panics::catch(|| forest.attr(file))
                        .ok()
                        .and_then(Result::ok);
                    let size = attr.and_then(|attr| usize::try_from(attr.size).ok());
                    let bytes = read_window(forest, file, 0, size.unwrap_or(WINDOW).min(WINDOW));
                    self.has_read(file, 0, bytes);
                }
                Task::Run(Step::Follow(file)) => {
                    let files = panics::catch(|| {
                        let files = forest.files_after(file, UPCOMING);
                        forest.read_ahead(&files, Depth::All);
                        files
                    });
                    self.plan.lock().run.follow(file, files.unwrap_or_default());
                }
            }
        }
    }

    fn next_task(&self) -> Task {
        let mut plan = self.plan.lock();
        loop {
            if let Some(task) = plan.task() {
                return task;
            }
            self.added.wait(&mut plan);
        }
    }

    /// Works out the attributes of some entries; returns for how many there was something to do, None behind the last one.
    fn attributes(&self, forest: &Forest, directory: Ino, entries: Range<usize>) -> Option<usize> {
        let listing = forest.directory_from(directory, entries.end).ok()?;
        let mut done = 0;
        for index in entries {
            let entry = listing.entry(index)?;
            if !forest.is_attr_at_hand(entry.ino) && !self.is_asked_for(directory, index) {
                done += 1;
                // What fails is noted, and asked for again if anyone wants it.
                forest.attr(entry.ino).ok();
            }
        }
        Some(done)
    }

    /// Whether a request works at this entry of `directory`, or has done so.
    fn is_asked_for(&self, directory: Ino, index: usize) -> bool {
        let plan = self.plan.lock();
        let mut directories = plan.directories.iter();
        directories.any(|entry| entry.ino == directory && index < entry.asked.end)
    }

    /// Gives back the credit for entries that were at hand; None means that the directory has no more.
    fn worked_out(&self, directory: Ino, wanted: usize, done: Option<usize>) {
        let mut plan = self.plan.lock();
        let entry = plan
            .directories
            .iter_mut()
            .find(|entry| entry.ino == directory);
        if let Some(entry) = entry {
            match done {
                Some(done) => entry.credit += wanted.saturating_sub(done),
                None => entry.next = usize::MAX,
            }
        }
    }

    fn has_read(&self, file: Ino, start: u64, bytes: Vec<u8>) {
        let made = Content::Made(Arc::new(bytes));
        let mut plan = self.plan.lock();
        for content in plan.contents(file, start) {
            *content = made.clone();
        }
        self.made.notify_all();
    }
}

/// Up to `len` bytes of `file` from `start` on. What fails here is asked for again, and fails there.
fn read_window(forest: &Forest, file: Ino, start: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let read = panics::catch(|| forest.read_at(file, start, &mut bytes));
    bytes.truncate(read.ok().and_then(Result::ok).unwrap_or(0));
    bytes
}

impl Plan {
    fn directory(&mut self, ino: Ino) -> Option<&mut Directory> {
        let new = || Directory {
            ino,
            lookups: 0,
            next: 0,
            from_disk: 0,
            credit: 0,
            asked: 0..0,
        };
        latest(
            &mut self.directories,
            DIRECTORIES,
            |entry| entry.ino == ino,
            new,
        )
    }

    fn file(&mut self, ino: Ino) -> Option<&mut File> {
        let run = &mut self.run;
        let new = || File {
            ino,
            next: 0,
            requests: 0,
            windows: run.begin(ino).map(Window::first).into_iter().collect(),
        };
        latest(&mut self.files, FILES, |entry| entry.ino == ino, new)
    }

    /// What is there, or will be, of the window of `file` at `start`: of a file that is read, and of the same one where it is
    /// expected again. Nobody else comes back to what is in work, so none may be left out.
    fn contents(&mut self, file: Ino, start: u64) -> impl Iterator<Item = &mut Content> {
        let files = self.files.iter_mut().filter(move |entry| entry.ino == file);
        let windows = files.flat_map(|entry| &mut entry.windows);
        let read = windows.filter(move |window| window.start == start);
        let expected = self.run.content(file).filter(|_| start == 0);
        read.map(|window| &mut window.content).chain(expected)
    }

    fn find_mut(&mut self, file: Ino) -> Option<&mut File> {
        self.files.iter_mut().find(|entry| entry.ino == file)
    }

    /// Takes a task on. Bytes come first: somebody will wait for them. Attributes of files that will be read come with these.
    fn task(&mut self) -> Option<Task> {
        for file in &mut self.files {
            let mut windows = file.windows.iter_mut();
            if let Some(window) = windows.find(|window| window.content.is_planned()) {
                window.content = Content::InWork;
                return Some(Task::Read {
                    file: file.ino,
                    start: window.start,
                });
            }
        }
        if let Some(step) = self.run.step() {
            return Some(Task::Run(step));
        }
        let entry = self
            .directories
            .iter_mut()
            .find(|entry| entry.credit > 0 && entry.next < usize::MAX)?;
        let count = entry.credit.min(STEP);
        let start = entry.next;
        entry.credit -= count;
        entry.next = start.saturating_add(count);
        Some(Task::Attributes {
            directory: entry.ino,
            entries: start..entry.next,
        })
    }
}

impl Window {
    /// The one at the beginning of a file.
    fn first(content: Content) -> Self {
        Self { start: 0, content }
    }
}

impl File {
    /// Plans the windows that the next requests will want; whether there are new ones.
    fn plan_windows(&mut self) -> bool {
        let passed = |window: &Window| {
            window.start + WINDOW as u64 <= self.next.saturating_sub(WINDOW as u64 / 2)
        };
        while self.windows.front().is_some_and(passed) {
            self.windows.pop_front();
        }
        let ended = |window: &Window| matches!(&window.content, Content::Made(bytes) if bytes.len() < WINDOW);
        let mut new = false;
        while self.windows.len() < WINDOWS && !self.windows.back().is_some_and(ended) {
            let start = match self.windows.back() {
                Some(last) => last.start + WINDOW as u64,
                None => self.next,
            };
            self.windows.push_back(Window {
                start,
                content: Content::Planned,
            });
            new = true;
        }
        new
    }

    /// The window that holds `size` bytes from `offset` on.
    fn window(&self, offset: u64, size: usize) -> Option<&Window> {
        self.windows.iter().find(|window| {
            window.start <= offset && offset + size as u64 <= window.start + WINDOW as u64
        })
    }
}

/// The entry that `is_it`, made first; the oldest one leaves when there are more than `most`.
fn latest<T>(
    entries: &mut VecDeque<T>,
    most: usize,
    is_it: impl Fn(&T) -> bool,
    new: impl FnOnce() -> T,
) -> Option<&mut T> {
    let entry = match entries.iter().position(is_it) {
        Some(index) => entries.remove(index),
        None => None,
    };
    entries.push_front(entry.unwrap_or_else(new));
    entries.truncate(most);
    entries.front_mut()
}
