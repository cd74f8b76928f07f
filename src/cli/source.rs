//! FILE: what is no file at all is told apart from a damaged one before the library sees it; and several of them.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::progress;
use super::report::Failure;
use crate::error::Error;
use crate::fuse::quoted;
use crate::ndb::Source;
use crate::tree::{Damaged, Forest, Options, Progress, Tree};

/// What other programs take for standard input.
const INPUT: &str = "-";

/// Opens all of `files`.
pub(super) fn open_all(files: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    files.iter().map(|file| open(file)).collect()
}

/// `source` for a command that reads all of what it shows once: a gap takes the place of what the disk does not give, unless
/// damage is refused.
pub(super) fn to_the_end(source: Source, options: &Options) -> Source {
    match options.damaged {
        Damaged::Show => source.filling_gaps(),
        Damaged::Refuse => source,
    }
}

/// The trees of `files`, opened as `sources`, which share the memory for caches. One that cannot be read is a failure
/// that names it: what is shown or written must not lack a file unnoticed.
pub(super) fn forest(
    files: &[PathBuf],
    sources: Vec<Source>,
    options: &Options,
) -> Result<Forest, Failure> {
    forest_with(files, sources, options, progress::scan)
}

/// As [`forest`]; what `progress` makes is called with the progress of the scan of each file.
pub(super) fn forest_with(
    files: &[PathBuf],
    sources: Vec<Source>,
    options: &Options,
    progress: impl Fn() -> Box<Progress>,
) -> Result<Forest, Failure> {
    let options = Options {
        cache: options.cache / (files.len() as u64).max(1),
        ..options.clone()
    };
    let mut trees = Vec::with_capacity(files.len());
    for (file, source) in files.iter().zip(sources) {
        let tree = Tree::of_source(source, &options, progress())
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

/// Opens `file`, which must be a regular file or a block device that may be read.
pub(super) fn open(file: &Path) -> Result<Source, Failure> {
    let fail =
        |exit, problem: &str| Err(Failure::new(exit, format!("{}: {problem}", file.display())));
    let error = match fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => {
            return fail(
                Exit::NotOutlook,
                "is a directory; name the .ost or .pst file in it",
            );
        }
        // Opening a pipe would wait for its writer.
        Ok(metadata) if !metadata.is_file() && !metadata.file_type().is_block_device() => {
            let reason = format!(
                "is not a regular file, and is read back and forth; save it first: cat {} >mailbox.ost",
                quoted(file)
            );
            return fail(Exit::NotOutlook, &reason);
        }
        Ok(_) => match Source::open(file) {
            Ok(source) => return Ok(source),
            Err(Error::Open { source, .. }) => source,
            Err(error) => return Err(Failure::opening(file, &error)),
        },
        Err(error) => error,
    };
    match error.kind() {
        io::ErrorKind::NotFound if file == Path::new(INPUT) => {
            let reason =
                "standard input cannot be read back and forth; save it first: cat >mailbox.ost";
            fail(Exit::NotOutlook, reason)
        }
        io::ErrorKind::NotFound => fail(Exit::NotFound, "no such file; check the path"),
        io::ErrorKind::PermissionDenied => fail(
            Exit::Failure,
            "no permission to read it; run ostfs as a user who may, or copy the file",
        ),
        _ => fail(Exit::Failure, &format!("cannot be opened: {error}")),
    }
}
