//! Blocks: find, read, check, inflate, decode. [MS-PST] 2.2.2.8.1
//!
//! The order for a compressed block is: CRC over the stored bytes, inflate, then decode.

use std::sync::Arc;

use miniz_oxide::inflate::decompress_slice_iter_to_slice;

use super::NodeDatabase;
use super::crc::{crc, signature};
use super::crypt;
use super::ids::BlockId;
use super::page::BlockEntry;
use crate::bytes::{u16_at, u32_at, uint_at};
use crate::error::{Error, Result};

impl NodeDatabase {
    /// The decoded payload of block `bid`, from the cache or the file. Errors when the file has no such block or its
    /// bytes fail a check.
    pub fn block(&self, bid: BlockId) -> Result<Arc<[u8]>> {
        let bid = bid.key();
        if let Some(block) = self.blocks.get(&bid) {
            return Ok(block);
        }
        let data: Arc<[u8]> = self.read_block(self.block_entry(bid)?)?.into();
        let weight = data.len();
        Ok(self.blocks.insert(bid, data, weight))
    }

    /// Payload length of block `bid` after inflation, from the B-tree alone.
    pub fn block_len(&self, bid: BlockId) -> Result<u64> {
        Ok(u64::from(self.block_entry(bid)?.inflated))
    }

    fn block_entry(&self, bid: BlockId) -> Result<BlockEntry> {
        self.find_block(bid)?
            .ok_or_else(|| Error::corrupt("BBT", bid, "no entry for a block that is referred to"))
    }

    fn read_block(&self, entry: BlockEntry) -> Result<Vec<u8>> {
        let format = self.header.format;
        let at = entry.block;
        let wrong = |what: &str, expected: u64, found: u64| {
            Error::corrupt(
                "block",
                format_args!("{}, offset {:#x}", at.bid, at.ib),
                format_args!("{what}: expected {expected:#x}, found {found:#x}"),
            )
        };
        let stored = usize::from(entry.stored);
        if stored == 0 || stored > format.block_payload {
            return Err(wrong(
                "cb at most",
                format.block_payload as u64,
                stored as u64,
            ));
        }
        let extent = format.block_extent(stored);
        if at
            .ib
            .checked_add(extent as u64)
            .is_none_or(|end| end > self.source.len())
        {
            return Err(wrong("end within the file size", self.source.len(), at.ib));
        }
        let mut bytes = vec![0; extent];
        self.source.read_exact_at(&mut bytes, at.ib)?;
        let trailer = extent - format.block_trailer;
        let short = || wrong("size", extent as u64, 0);
        let cb = u16_at(&bytes, trailer).ok_or_else(short)?;
        if cb != entry.stored {
            return Err(wrong("cb of the trailer", entry.stored.into(), cb.into()));
        }
        let stored_crc = u32_at(&bytes, trailer + format.block_crc).ok_or_else(short)?;
        let computed = crc(bytes.get(..stored).ok_or_else(short)?);
        if computed != stored_crc {
            return Err(wrong("CRC", stored_crc.into(), computed.into()));
        }
        // One wrong field of the two is a flipped bit in the trailer; both wrong, and this is another block.
        let bid =
            BlockId(uint_at(&bytes, trailer + format.block_bid, format.word).ok_or_else(short)?);
        let sig = u16_at(&bytes, trailer + 2).ok_or_else(short)?;
        if bid.key() != at.bid && sig != signature(at.ib, at.bid) {
            return Err(wrong("bid of the trailer", at.bid.0, bid.0));
        }
        bytes.truncate(stored);
        if format.compressed && entry.inflated != entry.stored {
            bytes = inflate(&bytes, entry)?;
        }
        if !at.bid.is_internal() {
            crypt::decode(self.header.crypt, at.bid, &mut bytes);
        }
        Ok(bytes)
    }
}

/// Inflates a zlib stream into exactly the bytes that the BBT declares (at most 64 KiB).
fn inflate(stored: &[u8], entry: BlockEntry) -> Result<Vec<u8>> {
    let mut inflated = vec![0; usize::from(entry.inflated)];
    let result =
        decompress_slice_iter_to_slice(&mut inflated, std::iter::once(stored), true, false);
    match result {
        Ok(length) if length == inflated.len() => Ok(inflated),
        Ok(length) => Err(inflate_error(entry, format_args!("{length} bytes"))),
        Err(status) => Err(inflate_error(entry, format_args!("{status:?}"))),
    }
}

fn inflate_error(entry: BlockEntry, found: impl std::fmt::Display) -> Error {
    Error::corrupt(
        "compressed block",
        format_args!("{}, offset {:#x}", entry.block.bid, entry.block.ib),
        format_args!(
            "inflated size: expected {} bytes, found {found}",
            entry.inflated
        ),
    )
}
