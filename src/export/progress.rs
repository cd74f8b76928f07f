//! How far an export is, and why a part of it failed.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::error::Error;
use crate::tree::MAX_DEPTH;

/// What an export has done so far, for all its threads. Read by a progress bar while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// Items that are done, of those that [`crate::tree::Forest::count_items`] counts.
    pub items: AtomicU64,
    /// Files and links that are there now.
    pub written: AtomicU64,
    /// Of these, files that were there before with the same bytes.
    pub kept: AtomicU64,
    /// Bytes written.
    pub bytes: AtomicU64,
    /// Files, links and directories that could not be read or written.
    pub failed: AtomicU64,
    /// Set once nothing is left to do: all that was wanted is the manifest or an archive, and it cannot be written any more
    /// (`| head`).
    pub abandoned: AtomicBool,
    /// The signal that asks for an end, whatever sets it; 0 if there is none. What is half written by then is removed.
    pub signal: Arc<AtomicUsize>,
    /// Why nothing more can be written: the target has no room.
    full: OnceLock<String>,
}

impl Progress {
    pub(crate) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    pub(crate) fn take_back(counter: &AtomicU64, amount: u64) {
        counter.fetch_sub(amount, Ordering::Relaxed);
    }

    /// Why nothing more can be written, if the target has no room left.
    pub fn full(&self) -> Option<&str> {
        self.full.get().map(String::as_str)
    }

    /// Whether nothing is left to do.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
            || self.signal.load(Ordering::Relaxed) != 0
            || self.full.get().is_some()
    }

    /// Whether `error` ends the whole export; if there is no room, all threads stop.
    pub(super) fn is_ended_by(&self, error: &Failed) -> bool {
        match error {
            Failed::Abandoned => true,
            Failed::Write(error) if is_full(error) => {
                self.full.get_or_init(|| error.to_string());
                true
            }
            _ => false,
        }
    }
}

/// Whether all that follows will fail in the same way.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(
        error.kind(),
        StorageFull | QuotaExceeded | ReadOnlyFilesystem
    )
}

/// Why one entry could not be exported.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("{0}")]
    Read(#[from] Error),
    #[error("cannot be written: {}", reason(.0))]
    Write(#[from] io::Error),
    /// It was whole when it was looked at.
    #[error("{0}; what follows in the archive is zeros")]
    Cut(Error),
    #[error("is nested deeper than {MAX_DEPTH} directories")]
    Depth,
    #[error(
        "another file has this name: the target takes different names for one, or somebody else writes there; choose \
         another directory"
    )]
    Taken,
    #[error(
        "what has this name is no regular file (a link, pipe, socket, device or directory); remove it, or choose a new directory"
    )]
    NotAFile,
    #[error(
        "the file there has other names too (hard links), which writing would change; remove it, or choose a new directory"
    )]
    Linked,
    #[error("what has this name is read by this export; choose a new directory")]
    IsSource,
    /// Nobody wants it any more.
    #[error("was not finished")]
    Abandoned,
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::FileTooLarge => format!(
            "{error}: FAT32 has no file of 4 GiB or more, and a limit may be set (ulimit -f); choose a disk with exFAT, NTFS or ext4"
        ),
        _ => error.to_string(),
    }
}
