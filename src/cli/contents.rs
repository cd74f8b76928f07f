//! What `ls` and `cat` share: a tree to look into, entries by path, and how such a command ends.
#![forbid(unsafe_code)]

use std::io;
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::options::{Options, Switch};
use super::report::Failure;
use super::selection;
use super::source::{self, Lost, Sources};
use crate::error::Error;
use crate::output::shown;
use crate::sandbox::{self, Need};
use crate::tree::{Forest, Ino};

/// What `ls` or `cat` look into.
pub(super) struct Contents<'a> {
    /// The tree of one file, or of several.
    pub(super) forest: Forest,
    /// What to show of it.
    pub(super) paths: &'a [PathBuf],
    /// The files that are not in it.
    pub(super) lost: Lost,
}

/// Opens what `arguments` begin with: the first is a file, and so are those behind it that are data files by their names
/// and are there. All others are paths in the tree.
pub(super) fn open<'a>(
    arguments: &'a [PathBuf],
    options: &Options,
) -> Result<Contents<'a>, Failure> {
    let more = arguments
        .iter()
        .skip(1)
        .take_while(|path| source::is_named_so(path) && path.is_file());
    let (files, paths) = arguments
        .split_at_checked(1 + more.count())
        .unwrap_or_default();
    let sources = Sources::open(files)?;
    if options.sandbox == Switch::On {
        sandbox::enter(Need::OpenFiles);
    }
    let (forest, lost) = sources.forest(&options.tree)?;
    Ok(Contents {
        forest,
        paths,
        lost,
    })
}

/// The entry at `path`.
pub(super) fn find(forest: &Forest, path: &Path) -> Result<Ino, Failure> {
    match forest.find(path) {
        Ok(Some(ino)) => Ok(ino),
        Ok(None) => Err(missing(forest, path)),
        Err(error) => Err(failed(path, &error)),
    }
}

/// That there is nothing at `path`, with what its directory has of nearly that name.
fn missing(forest: &Forest, path: &Path) -> Failure {
    let above = path
        .parent()
        .map_or(Ok(Some(Ino::ROOT)), |above| forest.find(above));
    let listing = above
        .ok()
        .flatten()
        .and_then(|above| forest.directory(above).ok());
    let (Some(listing), Some(name)) = (listing, path.file_name()) else {
        return failed(path, &Error::NotFound);
    };
    let names = listing.entries().map(|entry| entry.name.to_string());
    let offered = selection::nearest(&name.to_string_lossy(), names.collect());
    Failure::about(
        Exit::NotFound,
        path,
        format!("no such file in it; {offered}"),
    )
}

/// Why the entry at `path` could not be shown.
pub(super) fn failed(path: &Path, error: &Error) -> Failure {
    let (exit, reason) = match error {
        Error::NotFound => (
            Exit::NotFound,
            "no such file in it; `ostfs ls` shows what is there".to_owned(),
        ),
        Error::IsADirectory => (
            Exit::Failure,
            "is a directory; `ostfs ls` lists it".to_owned(),
        ),
        error => (Exit::ErrorsFound, error.to_string()),
    };
    Failure::new(exit, format!("{}: {reason}", shown(path)))
}

/// The paths that could not be shown. Each is printed; the last one decides the exit code.
#[derive(Default)]
pub(super) struct Failures(Option<Failure>);

impl Failures {
    pub(super) fn add(&mut self, failure: Failure) {
        if let Some(before) = self.0.replace(failure) {
            super::report(&before);
        }
    }

    /// Something that was shown may not be right, or not whole; the problem was printed when it was met. Of more weight than a path that
    /// is not there.
    pub(super) fn add_problems(&mut self, count: u64) {
        let met = super::report::counted(count, "problem");
        let reason = format!("met {met}, see above; what was written may not be whole");
        self.add(Failure::new(Exit::ErrorsFound, reason));
    }

    /// How the command ends, after `written` of all that it could show.
    pub(super) fn end(self, written: io::Result<()>) -> Result<(), Failure> {
        match (written, self.0) {
            // Whoever read has seen enough (`| head`).
            (Err(error), _) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            (Err(error), _) => Err(Failure::new(
                Exit::Failure,
                format!("standard output: {error}; what follows is not written"),
            )),
            (Ok(()), Some(failure)) => Err(failure),
            (Ok(()), None) => Ok(()),
        }
    }
}
