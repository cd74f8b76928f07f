//! Reads structures within binary properties from front to back; every read is checked.
#![forbid(unsafe_code)]

use crate::bytes::array_at;

/// A place in a blob.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let array = array_at(self.bytes, self.at)?;
        self.at += N;
        Some(array)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    /// A block with its length in front.
    pub fn block(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(length as usize)
    }

    /// `count` numbers. Nothing is allocated for numbers that are not there.
    pub fn u32s(&mut self, count: u32) -> Option<Vec<u32>> {
        let length = usize::try_from(count).ok()?.checked_mul(4)?;
        let bytes = self.take(length)?;
        Some(
            bytes
                .chunks_exact(4)
                .filter_map(|number| array_at(number, 0).map(u32::from_le_bytes))
                .collect(),
        )
    }

    /// The offset of what comes next.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes on at offset `at`.
    pub fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// How much is left.
    pub fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }
}
