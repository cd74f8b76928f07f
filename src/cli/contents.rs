//! What `ls` and `cat` share: a tree to look into, entries by path, and how such a command ends.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;

use super::exit::Exit;
use super::options::{Options, Switch};
use super::report::Failure;
use super::{progress, source};
use crate::error::Error;
use crate::sandbox::{self, Need};
use crate::tree::{Ino, Tree};

/// The tree of `file`.
pub(super) fn open(file: &Path, options: &Options) -> Result<Tree, Failure> {
    let source = source::to_the_end(source::open(file)?, &options.tree);
    if options.sandbox == Switch::On {
        sandbox::enter(Need::OpenFiles);
    }
    Tree::of_source(source, &options.tree, progress::scan())
        .map_err(|error| Failure::opening(file, &error))
}

/// The entry at `path`.
pub(super) fn find(tree: &Tree, path: &Path) -> Result<Ino, Failure> {
    match tree.find(path) {
        Ok(Some(ino)) => Ok(ino),
        Ok(None) => Err(failed(path, &Error::NotFound)),
        Err(error) => Err(failed(path, &error)),
    }
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
    Failure::new(exit, format!("{}: {reason}", path.display()))
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
        let number = match count {
            1 => "1 problem was".to_owned(),
            count => format!("{count} problems were"),
        };
        let reason = format!("{number} met, see above; what was written may not be whole");
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
