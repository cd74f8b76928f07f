//! How much memory the finds of a search may take: in proportion to the file, whatever is in it.

use crate::ndb::Source;

/// A search may take one part of so many of the size of its file. Blocks of real files have more than 1,400 bytes on
/// average, their finds 16 to 32.
const SHARE: u64 = 16;
/// What it may take of a small file, in bytes.
const LEAST: u64 = 4 << 20;

/// What one search may still keep.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    left: u64,
    left_out: u64,
}

impl Memory {
    /// The memory for one search of `source`.
    pub(super) fn of(source: &Source) -> Self {
        Self::new((source.len() / SHARE).max(LEAST))
    }

    /// Memory of `bytes` bytes.
    pub(super) fn new(bytes: u64) -> Self {
        Self {
            left: bytes,
            left_out: 0,
        }
    }

    /// Whether a find that takes `bytes` bytes may be kept; one that may not is counted.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes as u64);
        match left {
            Some(left) => self.left = left,
            None => self.left_out += 1,
        }
        left.is_some()
    }

    /// The line for the user if something was left out of `what`.
    pub(super) fn problem(&self, what: &str) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "{what}: {} finds were left out, since they are more than a file of this size has",
                self.left_out
            )
        })
    }
}
