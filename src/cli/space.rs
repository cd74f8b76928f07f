//! Room on the disk that something is written to: asked for before, and told of when it has run out.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;

use crate::output::shown;
use indicatif::HumanBytes;

/// Fails if the file system of `directory` has less than `needed` bytes left, with a line that names the next step. A file
/// system that does not tell is taken to have them.
pub(super) fn look(directory: &Path, needed: u64) -> Result<(), String> {
    let Ok(figures) = rustix::fs::statvfs(directory) else {
        return Ok(());
    };
    let free = figures.f_bavail.saturating_mul(figures.f_frsize);
    if free >= needed {
        return Ok(());
    }
    Err(format!(
        "up to {} will be written, and {} has {} free; make room, choose another place, or go on all the same by --force",
        HumanBytes(needed),
        shown(directory),
        HumanBytes(free)
    ))
}

/// What to do about `error` of writing; nothing if that is not about room.
pub(super) fn advice(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::StorageFull => Some("the disk is full; make room there"),
        io::ErrorKind::QuotaExceeded => Some("your share of the disk is used up; make room there"),
        io::ErrorKind::FileTooLarge => Some(
            "the file would be larger than its file system, or a limit (ulimit -f), allows; write parts of it by --split 3G",
        ),
        _ => None,
    }
}
