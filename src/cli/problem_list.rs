//! The file that has all problems of an export, for whoever opens the copy; and what of them the terminal shows.
#![forbid(unsafe_code)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::exit::Exit;
use super::report::Failure;
use crate::export::{self, NotExported, ProblemLines};
use crate::tree::{Forest, Ino, Listener, ProblemLine};

/// Its name at the top of an export; if the tree has that name, the first of the others that it has not.
const NAME: &str = "ostfs-problems.txt";
/// Failures printed one by one; all of them are in the file.
const MAX_SHOWN: u64 = 100;

/// The problems of an export on their way into their file.
pub(super) struct ProblemList<'a> {
    /// The file that the user has named, opened before the sandbox.
    named: Option<(&'a Path, File)>,
    directory: &'a Path,
    lines: Arc<ProblemLines>,
    failed: AtomicU64,
    redact: bool,
}

impl<'a> ProblemList<'a> {
    /// A list for the export into `directory`, or the file `named`. With `redact` no names are printed.
    pub(super) fn open(
        directory: &'a Path,
        named: Option<&'a Path>,
        redact: bool,
    ) -> Result<Self, Failure> {
        let open = |path: &'a Path| {
            let file = File::create(path).map_err(|error| cannot(path, &error));
            file.map(|file| (path, file))
        };
        Ok(Self {
            named: named.map(open).transpose()?,
            directory,
            lines: Arc::new(ProblemLines::new(directory)),
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
        let number = self.failed.fetch_add(1, Ordering::Relaxed);
        let shown = match self.redact {
            true => ProblemLine::new(entry.object, entry.reason).redacted(),
            false => ProblemLine::new(entry.target.display(), entry.reason).to_string(),
        };
        (number < MAX_SHOWN).then_some(shown)
    }

    /// Writes the file, or removes an older one if there is no problem; returns where it is, and how many lines it has.
    pub(super) fn finish(mut self, forest: &Forest) -> Result<Option<(PathBuf, u64)>, Failure> {
        let named = self.named.take();
        let path = match &named {
            Some((path, _)) => path.to_path_buf(),
            None => self.directory.join(free_name(forest)),
        };
        let in_directory = named.is_none();
        if self.lines.is_empty() {
            if in_directory {
                // Of an earlier run, if at all.
                fs::remove_file(&path).ok();
                export::renew_root_time(forest, self.directory);
            }
            return Ok(None);
        }
        let file = match named {
            Some((_, file)) => Ok(file),
            None => create(&path),
        };
        let written = file.and_then(|file| {
            let mut out = BufWriter::new(file);
            let count = self.lines.write(&mut out)?;
            out.flush()?;
            // As all else that is written, it is the same after each run.
            if let (true, Ok(root)) = (in_directory, forest.attr(Ino::ROOT)) {
                out.get_ref().set_modified(root.mtime)?;
            }
            Ok(count)
        });
        let count = written.map_err(|error| cannot(&path, &error))?;
        if in_directory {
            export::renew_root_time(forest, self.directory);
        }
        Ok(Some((path, count)))
    }
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    let problem = format!("{}: cannot be written: {error}", path.display());
    Failure::new(Exit::Failure, problem)
}

/// An existing link must not lead the list elsewhere.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

/// A name that nothing at the top of `forest` has, not even where case makes no difference.
fn free_name(forest: &Forest) -> String {
    let Ok(root) = forest.directory(Ino::ROOT) else {
        return NAME.to_owned();
    };
    let is_taken = |name: &str| {
        root.entries()
            .any(|entry| entry.name.eq_ignore_ascii_case(name))
    };
    let others = (2..).map(|number| format!("{number} {NAME}"));
    let names = std::iter::once(NAME.to_owned()).chain(others);
    names
        .into_iter()
        .find(|name| !is_taken(name))
        .unwrap_or_default()
}
