//! Content whose length is known before it is read.
#![forbid(unsafe_code)]

use std::sync::Arc;

use crate::bytes::copy_at;
use crate::error::{Error, Result};
use crate::ltp::PropertyStream;

/// Bytes that are read at a time to learn whether all can be read.
pub(super) const CHECK_STEP: usize = 1 << 16;

/// Bytes that were made here, or that stay in the file until they are read.
#[derive(Debug, Clone)]
enum Origin {
    Stream(PropertyStream),
    Memory(Arc<[u8]>),
    /// Ranges in a row, each with where it begins.
    Joined(Arc<[(u64, ByteRange)]>),
}

/// A range of the bytes of a stream, all of them mostly.
#[derive(Debug, Clone)]
pub(crate) struct ByteRange {
    origin: Origin,
    start: u64,
    len: u64,
}

impl ByteRange {
    /// All bytes of `stream`.
    pub fn of_stream(stream: PropertyStream) -> Self {
        Self {
            len: stream.len(),
            start: 0,
            origin: Origin::Stream(stream),
        }
    }

    /// Bytes in memory.
    pub fn of_bytes(bytes: Vec<u8>) -> Self {
        Self {
            start: 0,
            len: bytes.len() as u64,
            origin: Origin::Memory(bytes.into()),
        }
    }

    /// The bytes of `ranges`, one after the other.
    pub fn joined(ranges: Vec<ByteRange>) -> Self {
        let mut len: u64 = 0;
        let begins = |range: ByteRange| {
            let start = len;
            len = len.saturating_add(range.len);
            (start, range)
        };
        let ranges = ranges.into_iter().map(begins).collect();
        Self {
            origin: Origin::Joined(ranges),
            start: 0,
            len,
        }
    }

    /// `len` bytes from byte `start` on; None when this range has not so many.
    pub fn part(&self, start: u64, len: u64) -> Option<Self> {
        let end = start.checked_add(len)?;
        (end <= self.len).then(|| Self {
            origin: self.origin.clone(),
            start: self.start + start,
            len,
        })
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` from byte `offset`; fewer bytes only at the end.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = buf.len().min(left);
        let buf = buf.get_mut(..count).unwrap_or_default();
        if !buf.is_empty() {
            self.read_exact_at(offset, buf)?;
        }
        Ok(count)
    }

    /// Fills all of `buf` from byte `offset`; a stream that ends before its length is damaged.
    pub fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let at = self.start.saturating_add(offset);
        let read = match &self.origin {
            Origin::Stream(stream) => stream.read_at(at, buf)?,
            Origin::Memory(bytes) => copy_at(bytes, at, buf),
            Origin::Joined(ranges) => read_joined(ranges, at, buf)?,
        };
        if read < buf.len() {
            return Err(Error::corrupt(
                "data tree",
                format_args!("offset {at:#x}"),
                format_args!("{} bytes expected, {read} found", buf.len()),
            ));
        }
        Ok(())
    }

    /// Reads all of the range and keeps nothing of it, to learn whether it can be read.
    pub fn check(&self) -> Result<()> {
        let mut buffer = vec![0; CHECK_STEP];
        let mut at = 0;
        while at < self.len {
            at += self.read_at(at, &mut buffer)? as u64;
        }
        Ok(())
    }

    /// The first `limit` bytes, or all of them.
    pub fn head(&self, limit: usize) -> Result<Vec<u8>> {
        let len = usize::try_from(self.len).unwrap_or(usize::MAX).min(limit);
        let mut bytes = vec![0; len];
        self.read_exact_at(0, &mut bytes)?;
        Ok(bytes)
    }

    /// Bytes of memory that it takes.
    pub fn weight(&self) -> usize {
        match &self.origin {
            Origin::Stream(stream) => stream.weight(),
            Origin::Memory(bytes) => bytes.len(),
            Origin::Joined(ranges) => {
                let each = size_of::<(u64, ByteRange)>();
                // Ranges of one stream share it.
                let shared = ranges.iter().map(|(_, range)| range.weight()).max();
                ranges.len() * each + shared.unwrap_or(0)
            }
        }
    }
}

/// Fills `buf` from byte `at` of `ranges` in a row; returns how many bytes that was.
fn read_joined(ranges: &[(u64, ByteRange)], at: u64, buf: &mut [u8]) -> Result<usize> {
    let first = ranges.partition_point(|(start, range)| start + range.len <= at);
    let mut filled = 0;
    for (start, range) in ranges.get(first..).unwrap_or_default() {
        let rest = buf.get_mut(filled..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
        let within = (at + filled as u64).saturating_sub(*start);
        filled += range.read_at(within, rest)?;
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_ranges_read_as_one() {
        let of = |text: &str| ByteRange::of_bytes(text.as_bytes().to_vec());
        let joined = ByteRange::joined(vec![
            of("abc"),
            of(""),
            of("xdefx").part(1, 3).unwrap(),
            of("g"),
        ]);
        assert_eq!(joined.head(100).unwrap(), b"abcdefg");
        for start in 0..7 {
            let part = joined.part(start, 7 - start).unwrap();
            let expected = &b"abcdefg"[start as usize..];
            assert_eq!(part.head(100).unwrap(), expected);
            assert_eq!(part.head(2).unwrap(), &expected[..expected.len().min(2)]);
        }
        assert!(joined.part(3, 5).is_none());
        assert_eq!(joined.read_at(7, &mut [0; 4]).unwrap(), 0);
    }

    #[test]
    fn a_stream_shorter_than_it_says_is_an_error_and_not_zeros() {
        let range = ByteRange {
            origin: Origin::Memory(vec![1, 2, 3].into()),
            start: 0,
            len: 10,
        };
        assert_eq!(range.len(), 10);
        assert!(range.read_at(0, &mut [0; 10]).is_err());
    }
}
