//! Segments of known lengths, one behind the other. What is at an offset is found by the lengths alone.
#![forbid(unsafe_code)]

use crate::error::Result;

/// Segments in order, and where each ends.
#[derive(Debug)]
pub(crate) struct Segments<T> {
    segments: Vec<T>,
    /// Ascending, counted from the beginning of the first.
    ends: Vec<u64>,
}

impl<T> Default for Segments<T> {
    fn default() -> Self {
        Self {
            segments: Vec::new(),
            ends: Vec::new(),
        }
    }
}

impl<T> Segments<T> {
    /// Adds `segment` of `len` bytes at the end; an empty one is nothing.
    pub fn push(&mut self, segment: T, len: u64) {
        if len > 0 {
            self.ends.push(self.len().saturating_add(len));
            self.segments.push(segment);
        }
    }

    /// Bytes of all together.
    pub fn len(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Fills `buf` from byte `offset`; `read` is given each segment that is touched, the offset in it, and what it has to
    /// fill, and returns how many bytes it has. Returns the bytes written, fewer than asked only at the end.
    pub fn read_at(
        &self,
        offset: u64,
        buf: &mut [u8],
        read: impl Fn(&T, u64, &mut [u8]) -> Result<usize>,
    ) -> Result<usize> {
        let first = self.ends.partition_point(|end| *end <= offset);
        let before = first
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        let mut start = before.copied().unwrap_or(0);
        let mut done = 0;
        for (segment, end) in self.segments.iter().zip(&self.ends).skip(first) {
            let rest = buf.get_mut(done..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let at = offset.saturating_add(done as u64).saturating_sub(start);
            let left = (end - start).saturating_sub(at);
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
            done += read(segment, at, rest.get_mut(..wanted).unwrap_or_default())?;
            start = *end;
        }
        Ok(done)
    }

    /// All segments.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.segments.iter()
    }

    /// Bytes of memory that it takes, beside what segments point to.
    pub fn weight(&self) -> usize {
        self.segments.capacity() * (size_of::<T>() + size_of::<u64>())
    }
}

/// A part of a file that is made anew whenever it is read, since all of it would take too much memory.
pub(crate) trait Made: std::fmt::Debug + Send + Sync {
    /// Its exact size in bytes.
    fn len(&self) -> u64;

    /// Fills `buf`, which does not reach beyond its end, from byte `offset`.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize>;
}
