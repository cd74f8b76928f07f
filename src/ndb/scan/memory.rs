//! How much memory the finds of a search may take: in proportion to the file, whatever is in it.
//!
//! The finds of a scan take at most a sixteenth of its size (a fiftieth in real files: 16 bytes for a block, 24 for a
//! node); putting messages without nodes together, or those that were deleted, at most a quarter, and only if all have
//! lost their nodes; 4 MiB if that is more. Tiny blocks and pages made on purpose need more: what is left out is
//! counted in a problem. Pairs of rows and contexts are not listed past 256 for a row, and items are read for at most
//! four times the bytes of the file.

use crate::ndb::source::Source;

/// A scan may take one part of so many of the size of its file. Blocks of real files have more than 1,400 bytes on
/// average, their finds 16.
const SCAN: u64 = 16;
/// Putting messages together may take one part of so many. Messages of real files have more than 7 KB on average, what
/// is compared of them some 1,300 bytes.
const MESSAGES: u64 = 4;
/// What it may take of a small file, in bytes.
const LEAST: u64 = 4 << 20;

/// What one search may still keep.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    left: u64,
    left_out: u64,
}

impl Memory {
    /// The memory for a scan of `source`.
    pub(crate) fn of_scan(source: &Source) -> Self {
        Self::new(source.stored_len() / SCAN)
    }

    /// The memory for putting messages of `source` together.
    pub(crate) fn of_messages(source: &Source) -> Self {
        Self::new(source.stored_len() / MESSAGES)
    }

    fn new(bytes: u64) -> Self {
        Self {
            left: bytes.max(LEAST),
            left_out: 0,
        }
    }

    /// Whether a find that takes `bytes` bytes may be kept; one that may not is counted.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes as u64);
        match left {
            Some(left) => self.left = left,
            None => self.left_out += 1,
        }
        left.is_some()
    }

    /// The line for the user if something was left out of `what`.
    pub(crate) fn problem(&self, what: &str) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "{what}: {} finds were left out, since they are more than a file of this size has",
                self.left_out
            )
        })
    }
}
