//! FILE, before the library sees it: what is no file at all is told apart from a damaged one.
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::exit::Exit;
use super::report::Failure;

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
