//! Segments of known lengths, one behind the other. What is at an offset is found by the lengths alone.
#![forbid(unsafe_code)]

use std::ops::Range;

use crate::bytes::copy_at;
use crate::error::Result;

/// Segments in order.
#[derive(Debug)]
pub(crate) struct Segments<T>(Vec<Placed<T>>);

/// A segment, and where it ends, counted from the beginning of the first.
#[derive(Debug)]
struct Placed<T> {
    segment: T,
    end: u64,
}

impl<T> Default for Segments<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Segments<T> {
    /// Adds `segment` of `len` bytes at the end; an empty one is nothing.
    pub fn push(&mut self, segment: T, len: u64) {
        if len > 0 {
            let end = self.len().saturating_add(len);
            self.0.push(Placed { segment, end });
        }
    }

    /// Bytes of all together.
    pub fn len(&self) -> u64 {
        self.0.last().map_or(0, |last| last.end)
    }

    /// Fills `buf` from byte `offset`; `read` is given each segment that is touched, which of its bytes are wanted at most, and
    /// what is left of `buf`, and returns how many it has filled. Returns the bytes written, fewer than asked only at the end.
    pub fn read_at(
        &self,
        offset: u64,
        buf: &mut [u8],
        read: impl Fn(&T, Range<u64>, &mut [u8]) -> Result<usize>,
    ) -> Result<usize> {
        let first = self.0.partition_point(|placed| placed.end <= offset);
        let before = first.checked_sub(1).and_then(|before| self.0.get(before));
        let mut start = before.map_or(0, |before| before.end);
        let mut done = 0;
        for Placed { segment, end } in self.0.iter().skip(first) {
            let rest = buf.get_mut(done..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let at = offset.saturating_add(done as u64).saturating_sub(start);
            done += read(segment, at..end - start, rest)?;
            start = *end;
        }
        Ok(done)
    }

    /// All segments.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|placed| &placed.segment)
    }

    /// Bytes of memory that it takes, beside what segments point to.
    pub fn weight(&self) -> usize {
        self.0.capacity() * size_of::<Placed<T>>()
    }
}

/// Fills `buf` with the `wanted` bytes of `text`, which was made anew; None if it is not as long as it was.
pub(crate) fn copy_made(text: &str, wanted: Range<u64>, buf: &mut [u8]) -> Option<usize> {
    let is_as_long = text.len() as u64 == wanted.end;
    is_as_long.then(|| copy_at(text.as_bytes(), wanted.start, buf))
}

/// A part of a file that is made anew whenever it is read, since all of it would take too much memory.
pub(crate) trait Made: std::fmt::Debug + Send + Sync {
    /// Its exact size in bytes.
    fn len(&self) -> u64;

    /// Fills `buf` from byte `offset`; returns the bytes written, fewer than asked only at its end.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize>;
}
