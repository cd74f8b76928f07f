//! Allocation maps: which parts of the file are in use. [MS-PST] 2.2.2.7.2
//!
//! They are written in place at fixed offsets, so they outlive what they describe: what lies where they have free space
//! belongs to an older state of the file.

use std::ops::Range;

use super::crc::crc;
use super::format::Format;
use super::source::Source;
use crate::bytes::{u8_at, u32_at};
use crate::error::Result;

/// `ptype` of the page, which stands there twice.
pub(crate) const PTYPE: u8 = 0x84;

/// One map, and what it covers: the page itself and what follows it.
pub(crate) struct AllocationMap {
    format: &'static Format,
    /// Byte offset of the page.
    ib: u64,
    page: Vec<u8>,
}

impl AllocationMap {
    /// Bytes of the file that one map covers.
    pub fn interval(format: &Format) -> u64 {
        format.page_data_of_amap() as u64 * 8 * format.block_align as u64
    }

    /// Byte offset of the map that covers byte `offset` of the file; None in front of the first map.
    pub fn place(format: &Format, offset: u64) -> Option<u64> {
        let within = offset.checked_sub(format.first_amap)?;
        Some(offset - within % Self::interval(format))
    }

    /// Reads the page at `ib`, as it is.
    pub fn read(source: &Source, format: &'static Format, ib: u64) -> Result<Self> {
        let mut page = vec![0; format.page_size];
        source.read_exact_at(&mut page, ib)?;
        Ok(Self { format, ib, page })
    }

    /// Whether it really is an allocation map: its types, its CRC, and that it has itself as used.
    fn is_intact(&self) -> bool {
        let data = self.page.get(..self.format.page_data).unwrap_or_default();
        let types = [0, 1].map(|index| u8_at(&self.page, self.format.page_data + index));
        types == [Some(PTYPE); 2]
            && u32_at(&self.page, self.format.page_crc) == Some(crc(data))
            && self.is_used(self.ib) == Some(true)
    }

    fn bits(&self) -> &[u8] {
        let padding = self.format.page_data - self.format.page_data_of_amap();
        let bits = self.page.get(padding..self.format.page_data);
        bits.unwrap_or_default()
    }

    /// Whether the unit at byte `offset` of the file is in use; None when another map covers it.
    pub fn is_used(&self, offset: u64) -> Option<bool> {
        let unit = offset.checked_sub(self.ib)? / self.format.block_align as u64;
        let byte = self.bits().get(usize::try_from(unit / 8).ok()?)?;
        Some(byte & (0x80 >> (unit % 8)) != 0)
    }

    /// Bytes of the file that it has as free.
    pub fn free(&self) -> u64 {
        let unused: u64 = self
            .bits()
            .iter()
            .map(|byte| u64::from(byte.count_zeros()))
            .sum();
        unused * self.format.block_align as u64
    }
}

/// Whether an intact map has byte `offset` of the file as used.
pub(crate) fn is_used(source: &Source, format: &'static Format, offset: u64) -> bool {
    let map = AllocationMap::place(format, offset)
        .and_then(|ib| AllocationMap::read(source, format, ib).ok());
    map.is_some_and(|map| map.is_intact() && map.is_used(offset) == Some(true))
}

/// Whether an intact map has a part of `extent` as free, which does not reach beyond what one map covers.
pub(crate) fn is_free(source: &Source, format: &'static Format, extent: Range<u64>) -> bool {
    let map = AllocationMap::place(format, extent.start)
        .and_then(|ib| AllocationMap::read(source, format, ib).ok());
    let mut units = extent.step_by(format.block_align);
    map.is_some_and(|map| map.is_intact() && units.any(|offset| map.is_used(offset) == Some(false)))
}
