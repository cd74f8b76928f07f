//! How much memory the finds of a search may take: in proportion to the file, whatever is in it.

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
        Self::new(source.len() / SCAN)
    }

    /// The memory for putting messages of `source` together.
    pub(crate) fn of_messages(source: &Source) -> Self {
        Self::new(source.len() / MESSAGES)
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
