//! Reads that a disk has failed: what a thread makes meanwhile is not kept.

use std::cell::Cell;
use std::io;

use crate::error::{Error, Result};

/// Why a read failed though the place is in the file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Failure {
    Changed,
    Io {
        offset: u64,
        length: usize,
        kind: io::ErrorKind,
        number: Option<i32>,
    },
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Changed => Error::Changed,
            Failure::Io {
                offset,
                length,
                kind,
                number,
            } => Error::Io {
                offset,
                length,
                source: number.map_or_else(|| kind.into(), io::Error::from_raw_os_error),
            },
        }
    }
}

thread_local! {
    /// How many reads of this thread have failed.
    static FAILURES: Cell<u64> = const { Cell::new(0) };
    /// Why the last one did.
    static LAST_FAILURE: Cell<Failure> = const { Cell::new(Failure::Changed) };
}

/// Has it be known to [`whole`] and the others that a read of this thread has failed.
pub(super) fn note(failure: Failure) {
    FAILURES.set(FAILURES.get() + 1);
    LAST_FAILURE.set(failure);
}

/// Runs `work`. Layers go around what they cannot read, and rightly so if it is damaged: that it will stay. But a disk
/// may answer the next time, so what a thread makes while reads of it fail is neither shown nor kept: it is that error.
pub fn whole<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = FAILURES.get();
    let result = work();
    if FAILURES.get() == before {
        return result;
    }
    Err(LAST_FAILURE.get().into())
}

/// Runs `work` within [`whole`], for what may lack something all the same.
pub fn partly<T>(work: impl FnOnce() -> T) -> T {
    let before = FAILURES.get();
    let result = work();
    FAILURES.set(before);
    result
}

/// Runs `work`, which makes what is kept for good, once more if reads failed meanwhile: a disk may answer the next time. What it
/// never gives is gone around, as what is damaged: nobody is kept from all else by one bad sector.
pub fn at_best<T>(work: impl Fn() -> T) -> T {
    whole(|| Ok(work())).unwrap_or_else(|_| partly(work))
}
