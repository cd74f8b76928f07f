//! The file that has all problems of an export, for whoever opens the copy, or the terminal where there can be no such file;
//! and what of them the terminal shows in any case.
#![forbid(unsafe_code)]

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::goal::Goal;
use super::outputs::Outputs;
use super::report::{self, Failure};
use crate::export::{self, Archive, NotExported, ProblemLines};
use crate::output::shown;
use crate::tree::{Attr, Forest, Ino, Kind, Listener, ProblemLine};

/// Its name at the top of an export; if the tree has that name, the first of the others that it has not.
const NAME: &str = "ostfs-problems.txt";
/// Permissions of the file for long lists.
const LIST_MODE: u32 = 0o600;
/// Failures printed one by one; all of them are in the file.
const MAX_SHOWN: u64 = 100;

/// The problems of an export on their way to where they are listed.
pub(super) struct ProblemList<'a> {
    place: Place<'a>,
    outputs: &'a Outputs,
    lines: Arc<ProblemLines>,
    failed: AtomicU64,
    redact: bool,
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
            (Some(path), _) => Place::Named(path, outputs.list(path)?),
            (None, Some(directory)) => Place::Directory(directory),
            (None, None) if goal.has_files() => Place::Archive,
            (None, None) => Place::Terminal,
        };
        Ok(Self {
            place,
            outputs,
            lines: Arc::new(lines),
            failed: AtomicU64::new(0),
            redact,
        })
    }

    /// Takes down what `forest` meets, and has met so far.
    pub(super) fn listen(&self, forest: &Forest) {
        let lines = Arc::clone(&self.lines);
        let listener: Arc<Listener> = Arc::new(move |problem| lines.add(problem.to_string()));
        forest.listen(&listener);
    }

    /// Takes an entry down that could not be exported; returns what the terminal shows of it, if anything.
    pub(super) fn failed(&self, entry: &NotExported<'_>) -> Option<String> {
        self.lines
            .add(ProblemLine::new(entry.path, entry.reason).to_string());
        if matches!(self.place, Place::Terminal) && !self.redact {
            // It is shown with all others at the end.
            return None;
        }
        let number = self.failed.fetch_add(1, Ordering::Relaxed);
        let shown = match self.redact {
            true => ProblemLine::new(entry.object, entry.reason).redacted(),
            false => ProblemLine::new(shown(entry.target), entry.reason).to_string(),
        };
        (number < MAX_SHOWN).then_some(shown)
    }

    /// Lists them, or removes an older list if there is no problem; returns where they are, and how many lines. The archive is
    /// there if the export is one.
    pub(super) fn finish(
        self,
        forest: &Forest,
        goal: &Goal<'_>,
        archive: Option<&mut (dyn Archive + 'static)>,
    ) -> Result<Option<(String, u64)>, Failure> {
        let name = export::free_name(forest, NAME);
        if self.lines.is_empty() {
            if let Place::Directory(directory) = self.place {
                let path = directory.join(name);
                self.outputs.look_at(&path)?;
                // Of an earlier run, if at all.
                fs::remove_file(path).ok();
                export::renew_root_time(forest, directory);
            }
            return Ok(None);
        }
        let (place, count) = match (self.place, archive) {
            (Place::Named(path, file), _) => {
                let count = write(&self.lines, file, None);
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
        Ok(Some((place, count)))
    }
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
