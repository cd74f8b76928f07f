//! FILE: what is no file at all is told apart from a damaged one before the library sees it; and several of them.
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::progress;
use super::report::Failure;
use crate::tree::{Forest, Options, Tree};

/// Opens all of `files`, which share the memory for caches. One that cannot be opened is a failure that names it: what is
/// shown or written must not lack a file unnoticed.
pub(super) fn open(files: &[PathBuf], options: &Options) -> Result<Forest, Failure> {
    let options = Options {
        cache: options.cache / (files.len() as u64).max(1),
        ..options.clone()
    };
    let mut trees = Vec::with_capacity(files.len());
    for file in files {
        check(file)?;
        let tree = Tree::open_with(file, &options, progress::scan())
            .map_err(|error| Failure::opening(file, &error))?;
        trees.push((file.as_path(), tree));
    }
    Forest::new(trees).ok_or_else(|| {
        let most = Forest::MAX_FILES;
        Failure::new(
            Exit::Usage,
            format!(
                "{} files are too many; take up to {most} at once",
                files.len()
            ),
        )
    })
}

/// Checks that `file` is a regular file that may be read.
pub(super) fn check(file: &Path) -> Result<(), Failure> {
    let fail =
        |exit, problem: &str| Err(Failure::new(exit, format!("{}: {problem}", file.display())));
    let opened = fs::metadata(file).and_then(|metadata| {
        // Opening a pipe would wait for its writer.
        if metadata.is_file() {
            File::open(file)?;
        }
        Ok(metadata)
    });
    match opened {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(metadata) if metadata.is_dir() => fail(
            Exit::Unsupported,
            "is a directory; name the .ost or .pst file in it",
        ),
        Ok(_) => fail(
            Exit::Unsupported,
            "is not a regular file; copy it into one first",
        ),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => fail(Exit::NotFound, "no such file; check the path"),
            io::ErrorKind::PermissionDenied => fail(
                Exit::Failure,
                "no permission to read it; run ostfs as a user who may, or copy the file",
            ),
            _ => fail(Exit::Failure, &format!("cannot be opened: {error}")),
        },
    }
}
