//! How far an export is, and why a part of it failed.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::Error;

/// Directories within each other; deeper than any path that a system call takes.
pub(super) const MAX_DEPTH: usize = 200;

/// What an export has done so far, for all its threads. Read by a progress bar while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// Items that are done, of those that [`crate::tree::Forest::count_items`] counts.
    pub items: AtomicU64,
    /// Files and links that are there now.
    pub written: AtomicU64,
    /// Of these, files that were there before with the same size and time.
    pub kept: AtomicU64,
    /// Bytes written.
    pub bytes: AtomicU64,
    /// Files, links and directories that could not be read or written.
    pub failed: AtomicU64,
    /// Set once nothing is left to do: all that was wanted is the manifest or an archive, and it cannot be written any more
    /// (`| head`).
    pub abandoned: AtomicBool,
}

impl Progress {
    pub(super) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }
}

/// Why one entry could not be exported.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error("{0}")]
    Read(#[from] Error),
    #[error("cannot be written: {0}")]
    Write(#[from] io::Error),
    /// It was whole when it was looked at.
    #[error("{0}; what follows in the archive is zeros")]
    Cut(Error),
    #[error("is nested deeper than {MAX_DEPTH} directories")]
    Depth,
}
