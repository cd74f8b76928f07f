//! The file that has all problems of an export, for whoever opens the copy, or the terminal where there can be no such file;
//! and what of them the terminal shows in any case.
#![forbid(unsafe_code)]

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::SystemTime;

use super::goal::Goal;
use super::outputs::Outputs;
use super::report::{self, Failure, MAX_SHOWN};
use crate::export::{self, Archive, ProblemLines, Problematic};
use crate::output::shown;
use crate::tree::{Attr, Forest, Ino, Kind, Listener, ProblemLine};

/// Its name at the top of an export; if the tree has that name, the first of the others that it has not.
const NAME: &str = "ostfs-problems.txt";
/// What a list has as long as the export runs: an empty one would tell that there is no problem.
const UNFINISHED: &str = "The export has not come to its end: its problems are not listed.\n";
/// Permissions of the file for long lists.
const LIST_MODE: u32 = 0o600;

/// The problems of an export on their way to where they are listed.
pub(super) struct ProblemList<'a> {
    place: Place<'a>,
    outputs: &'a Outputs,
    lines: Arc<ProblemLines>,
    /// Whether one is of a message.
    of_messages: Arc<AtomicBool>,
    failed: AtomicU64,
    /// Items that are not whole.
    not_whole: AtomicU64,
    redact: bool,
}

/// What became of the list.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Where it is, and where else messages state it, for whoever wants to read it.
    pub place: String,
    /// How many lines it has.
    pub count: u64,
    /// How many of them only tell which file an item is.
    pub paths: u64,
}

/// Where they are listed.
#[derive(Debug)]
enum Place<'a> {
    /// In the file that the user has named, opened before the sandbox.
    Named(&'a Path, File),
    /// In a file at the top of this directory.
    Directory(&'a Path),
    /// In the last file of an archive.
    Archive,
    /// On the terminal, since what is written has no place for them.
    Terminal,
}

impl<'a> ProblemList<'a> {
    /// A list for the export to `goal`, or the file `named`. With `redact` no names are printed.
    pub(super) fn open(
        goal: &Goal<'a>,
        named: Option<&'a Path>,
        outputs: &'a Outputs,
        redact: bool,
    ) -> Result<Self, Failure> {
        let lines = match goal.directory() {
            Some(directory) => ProblemLines::new(directory),
            None => ProblemLines::spilling_into(nameless()),
        };
        let place = match (named, goal.directory()) {
            (Some(path), _) => {
                let begun = begin(outputs.list(path)?);
                Place::Named(path, begun.map_err(|error| Failure::writing(path, &error))?)
            }
            (None, Some(directory)) => Place::Directory(directory),
            (None, None) if goal.has_files() => Place::Archive,
            (None, None) => Place::Terminal,
        };
        Ok(Self {
            place,
            outputs,
            lines: Arc::new(lines),
            of_messages: Arc::default(),
            failed: AtomicU64::new(0),
            not_whole: AtomicU64::new(0),
            redact,
        })
    }

    /// Takes down what `forest` meets, and has met so far.
    pub(super) fn listen(&self, forest: &Forest) {
        let lines = Arc::clone(&self.lines);
        let of_messages = Arc::clone(&self.of_messages);
        let listener: Arc<Listener> = Arc::new(move |problem| {
            of_messages.fetch_or(problem.is_of_message(), Ordering::Relaxed);
            lines.add(problem.to_string());
        });
        forest.listen(&listener);
    }

    /// Takes an entry down that could not be exported or is not whole; returns what the terminal shows of it, if anything.
    pub(super) fn take(&self, entry: &Problematic<'_>) -> Option<String> {
        let Some(reason) = entry.failed else {
            return self.not_whole(entry);
        };
        self.lines.add(entry.line().to_string());
        if matches!(self.place, Place::Terminal) && !self.redact {
            // It is shown with all others at the end.
            return None;
        }
        let number = self.failed.fetch_add(1, Ordering::Relaxed);
        let shown = match self.redact {
            true => ProblemLine::new(entry.object, reason).redacted(),
            false => ProblemLine::new(shown(entry.target), reason).to_string(),
        };
        (number < MAX_SHOWN).then_some(shown)
    }

    /// Takes down which file an item is that is not whole.
    fn not_whole(&self, entry: &Problematic<'_>) -> Option<String> {
        let line = entry.line().to_string();
        let number = self.not_whole.fetch_add(1, Ordering::Relaxed);
        let is_shown = number < MAX_SHOWN && !self.redact && !matches!(self.place, Place::Terminal);
        let shown = is_shown.then(|| line.clone());
        self.lines.add(line);
        shown
    }

    /// Lists them, or removes an older list if there is no problem; None then. The archive is there if the export is one.
    pub(super) fn finish(
        self,
        forest: &Forest,
        goal: &Goal<'_>,
        archive: Option<&mut (dyn Archive + 'static)>,
    ) -> Result<Option<Listed>, Failure> {
        let name = export::free_name(forest, NAME);
        let is_on_terminal = matches!(self.place, Place::Terminal);
        report::folders_not_whole(forest, self.redact || is_on_terminal);
        for folder in forest.folders_not_whole() {
            self.lines.add(folder.to_string());
            self.not_whole.fetch_add(1, Ordering::Relaxed);
        }
        let paths = self.not_whole.load(Ordering::Relaxed);
        if self.lines.is_empty() {
            return self.remove(forest, &name).map(|()| None);
        }
        let elsewhere = match self.of_messages.load(Ordering::Relaxed) {
            true => "; messages that are not whole say so in an X-Ostfs-Problem header",
            false => "",
        };
        let (place, count) = match (self.place, archive) {
            (Place::Named(path, file), _) => {
                let count = emptied(file).and_then(|file| write(&self.lines, file, None));
                let count = count.map_err(|error| Failure::writing(path, &error))?;
                (format!("all are in {}", shown(path)), count)
            }
            (Place::Directory(directory), _) => {
                let path = directory.join(name);
                // As all else that is written, it is the same after each run.
                let time = forest.attr(Ino::ROOT).map(|root| root.mtime).ok();
                let count = write(&self.lines, self.outputs.list_within(&path)?, time);
                let count = count.map_err(|error| Failure::writing(&path, &error))?;
                export::renew_root_time(forest, directory);
                (format!("all are in {}", shown(&path)), count)
            }
            (Place::Archive, Some(archive)) => {
                let count = add(&self.lines, forest, &name, archive);
                let count = count.map_err(|error| goal.cannot(&error))?;
                (format!("all are in {name}, the last file in it"), count)
            }
            (Place::Archive | Place::Terminal, _) => match self.redact {
                true => {
                    let count = self.lines.write(&mut io::sink()).unwrap_or(0);
                    ("--problems PATH keeps them".to_owned(), count)
                }
                false => {
                    // That they cannot be printed is no reason to fail otherwise.
                    let count = self.lines.write(&mut report::errors()).unwrap_or(0);
                    ("all are named above".to_owned(), count)
                }
            },
        };
        let place = format!("{place}{elsewhere}");
        Ok(Some(Listed {
            place,
            count,
            paths,
        }))
    }

    /// Leaves no list, nor one of an earlier run under `name`.
    fn remove(self, forest: &Forest, name: &str) -> Result<(), Failure> {
        match self.place {
            Place::Named(path, file) => {
                emptied(file).map_err(|error| Failure::writing(path, &error))?;
            }
            Place::Directory(directory) => {
                let path = directory.join(name);
                self.outputs.look_at(&path)?;
                // Of an earlier run, if at all.
                fs::remove_file(path).ok();
                export::renew_root_time(forest, directory);
            }
            Place::Archive | Place::Terminal => {}
        }
        Ok(())
    }
}

/// Begins the list in `file`, so that one that is not finished can be told from one without problems.
fn begin(mut file: File) -> io::Result<File> {
    // A pipe cannot take anything back.
    if file.metadata()?.is_file() {
        file.write_all(UNFINISHED.as_bytes())?;
    }
    Ok(file)
}

/// `file` without what it was begun with.
fn emptied(mut file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
        file.rewind()?;
    }
    Ok(file)
}

/// Writes `lines` into `file`, which gets the time `time`; returns how many there are.
fn write(lines: &ProblemLines, file: File, time: Option<SystemTime>) -> io::Result<u64> {
    let mut out = BufWriter::new(file);
    let count = lines.write(&mut out)?;
    out.flush()?;
    time.map_or(Ok(()), |time| out.get_ref().set_modified(time))?;
    Ok(count)
}

/// Adds `lines` as the file `name` to `archive`, with the time of the root; returns how many there are.
fn add(
    lines: &ProblemLines,
    forest: &Forest,
    name: &str,
    archive: &mut dyn Archive,
) -> io::Result<u64> {
    // Its size stands before it.
    let mut size = Size(0);
    let count = lines.write(&mut size)?;
    let root = forest.attr(Ino::ROOT).map_err(io::Error::other)?;
    let attr = Attr {
        kind: Kind::File,
        size: size.0,
        ..root
    };
    let file = export::File {
        path: name,
        attr: &attr,
        sender: "",
    };
    archive.file(file, &mut |mut out| lines.write(&mut out).map(drop))?;
    Ok(count)
}

/// Counts bytes.
struct Size(u64);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file for long lists, without a name. Where there is none, the list states what it lacks.
fn nameless() -> Option<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(LIST_MODE);
    let file = options.custom_flags(libc::O_TMPFILE).open(env::temp_dir());
    file.ok()
}
