//! Looks for single blocks by their trailers, of which all but the checksum is known: for a stretch of the file in which
//! nothing tells its own place. [MS-PST] 2.2.2.8.1

use std::ops::Range;

use memchr::memmem;

use super::pages::read;
use super::trailer::block_trailer;
use crate::ndb::format::Format;
use crate::ndb::page::BlockEntry;
use crate::ndb::source::Source;

/// Bytes read at a time.
const CHUNK: usize = 4 << 20;
/// All bytes of the file may be searched so many times.
const SEARCHES: u64 = 4;
/// What may be searched in a small file, in bytes.
const LEAST: u64 = 64 << 20;

/// A search, which ends when it has read enough.
pub(super) struct Strays {
    /// Bytes that may still be searched.
    left: u64,
}

impl Strays {
    pub(super) fn new(file: &Source) -> Self {
        Self {
            left: file.len().saturating_mul(SEARCHES).max(LEAST),
        }
    }

    /// The offset in the file of the trailer of the block of `entry`, which is looked for within `range`.
    pub(super) fn find(
        &mut self,
        file: &Source,
        format: &Format,
        entry: &BlockEntry,
        range: Range<u64>,
    ) -> Option<u64> {
        let bid = entry.block.bid.0.to_le_bytes();
        let id = memmem::Finder::new(bid.get(..format.word)?);
        let mut next = range.start;
        // A trailer that reaches into the next chunk is seen there.
        while next.saturating_add(format.block_trailer as u64) < range.end {
            let length = (range.end - next).min(CHUNK as u64);
            self.left = self.left.checked_sub(length)?;
            let mut bytes = vec![0; length as usize];
            read(file, &mut bytes, next);
            let mut trailers = id.find_iter(&bytes).filter_map(|at| {
                let at = at.checked_sub(format.block_bid)?;
                let (size, trailer) = block_trailer(bytes.get(at..)?, format)?;
                let is_own = size == entry.stored && trailer.is_signed(entry.block.ib);
                is_own.then_some(at as u64)
            });
            if let Some(at) = trailers.next() {
                return Some(next + at);
            }
            next += length - format.block_trailer as u64;
        }
        None
    }
}
