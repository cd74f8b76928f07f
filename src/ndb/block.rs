//! Blocks: find, read, check, inflate, decode. [MS-PST] 2.2.2.8.1
//!
//! The order for a compressed block is: CRC over the stored bytes, inflate, then decode.

use std::sync::Arc;

use miniz_oxide::inflate::decompress_slice_iter_to_slice;

use super::NodeDatabase;
use super::crc::{crc, signature};
use super::crypt;
use super::format::Format;
use super::ids::BlockId;
use super::page::BlockEntry;
use super::source::Source;
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
        let data: Arc<[u8]> = self.find_and_read(bid)?.into();
        let weight = data.len();
        Ok(self.blocks.insert(bid, data, weight))
    }

    /// Payload length of block `bid` after inflation, from the B-tree alone.
    pub fn block_len(&self, bid: BlockId) -> Result<u64> {
        Ok(u64::from(self.block_entry(bid)?.inflated))
    }

    fn block_entry(&self, bid: BlockId) -> Result<BlockEntry> {
        if let Some(entry) = self.find_block(bid)? {
            return Ok(entry);
        }
        if let Some(entry) = self.added_block(bid.key()) {
            return Ok(entry);
        }
        let error = Error::corrupt("BBT", bid, "no entry for a block that is referred to");
        // A scan has been made already for the blocks that were added.
        let rescue = if self.has_added() {
            None
        } else {
            self.rescue()
        };
        let found = rescue.and_then(|rescue| rescue.block(bid.key()));
        match found {
            Some(entry) => {
                self.gone_around(&error);
                Ok(entry)
            }
            None => Err(error),
        }
    }

    /// The decoded payload. A block that is not where its entry says may be elsewhere; a block that is there and
    /// damaged is lost: an older copy might be an older text.
    fn find_and_read(&self, bid: BlockId) -> Result<Vec<u8>> {
        let entry = self.block_entry(bid)?;
        let stored = match read_stored(&self.source, self.header.format, entry) {
            Ok((stored, _)) => stored,
            Err(Unread::Damaged(error)) => return Err(error),
            Err(Unread::NotThere(error)) => {
                let elsewhere = self
                    .rescue()
                    .and_then(|rescue| rescue.block(bid.key()))
                    .filter(|found| {
                        (found.stored, found.inflated) == (entry.stored, entry.inflated)
                    });
                let Some(found) = elsewhere else {
                    return Err(error);
                };
                let (stored, _) = read_stored(&self.source, self.header.format, found)?;
                self.gone_around(&error);
                stored
            }
        };
        let mut bytes = inflated(stored, self.header.format, entry)?;
        // Where the header does not tell the encoding, some writers leave single heaps plain.
        let is_plain =
            self.header.crypt_guessed && crypt::is_heap(crypt::CryptMethod::None, bid, &bytes);
        if !bid.is_internal() && !is_plain {
            crypt::decode(self.header.crypt, bid, &mut bytes);
        }
        Ok(bytes)
    }
}

/// Reads the block of `entry`, checks and inflates it, and leaves it encoded.
pub fn read_block(source: &Source, format: &'static Format, entry: BlockEntry) -> Result<Vec<u8>> {
    inflated(read_stored(source, format, entry)?.0, format, entry)
}

/// As [`read_block`], and demands what a reader can do without: both the id and the signature of the trailer.
pub fn read_block_strictly(
    source: &Source,
    format: &'static Format,
    entry: BlockEntry,
) -> Result<Vec<u8>> {
    let (stored, flaw) = read_stored(source, format, entry)?;
    flaw.map_or_else(|| inflated(stored, format, entry), Err)
}

/// Why the bytes of a block are not to be had.
enum Unread {
    /// Something else is at its place, or nothing.
    NotThere(Error),
    /// It is there, and its bytes are not what was written.
    Damaged(Error),
}

impl From<Unread> for Error {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::NotThere(error) | Unread::Damaged(error) => error,
        }
    }
}

/// The stored bytes of the block of `entry`, checked against its trailer; and what is wrong with the trailer itself.
fn read_stored(
    source: &Source,
    format: &'static Format,
    entry: BlockEntry,
) -> std::result::Result<(Vec<u8>, Option<Error>), Unread> {
    let at = entry.block;
    let wrong = |what: &str, expected: u64, found: u64| {
        Error::corrupt(
            "block",
            format_args!("{}, offset {:#x}", at.bid, at.ib),
            format_args!("{what}: expected {expected:#x}, found {found:#x}"),
        )
    };
    let not_there =
        |what: &str, expected: u64, found: u64| Unread::NotThere(wrong(what, expected, found));
    let stored = usize::from(entry.stored);
    if stored == 0 || stored > format.block_payload {
        let largest = format.block_payload as u64;
        return Err(not_there("cb at most", largest, stored as u64));
    }
    let extent = format.block_extent(stored);
    if at
        .ib
        .checked_add(extent as u64)
        .is_none_or(|end| end > source.len())
    {
        return Err(not_there("end within the file size", source.len(), at.ib));
    }
    let mut bytes = vec![0; extent];
    source
        .read_exact_at(&mut bytes, at.ib)
        .map_err(Unread::Damaged)?;
    let trailer = extent - format.block_trailer;
    let short = || not_there("size", extent as u64, 0);
    let cb = u16_at(&bytes, trailer).ok_or_else(short)?;
    if cb != entry.stored {
        return Err(not_there(
            "cb of the trailer",
            entry.stored.into(),
            cb.into(),
        ));
    }
    // One wrong field of the two is a flipped bit in the trailer; both wrong, and this is another block.
    let bid = BlockId(uint_at(&bytes, trailer + format.block_bid, format.word).ok_or_else(short)?);
    let sig = u16_at(&bytes, trailer + 2).ok_or_else(short)?;
    let expected = signature(at.ib, bid);
    let flaw = if bid.key() != at.bid {
        if sig != signature(at.ib, at.bid) {
            return Err(not_there("bid of the trailer", at.bid.0, bid.0));
        }
        Some(wrong("bid of the trailer", at.bid.0, bid.0))
    } else {
        (sig != expected).then(|| wrong("wSig", expected.into(), sig.into()))
    };
    let stored_crc = u32_at(&bytes, trailer + format.block_crc).ok_or_else(short)?;
    let computed = crc(bytes.get(..stored).ok_or_else(short)?);
    if computed != stored_crc {
        return Err(Unread::Damaged(wrong(
            "CRC",
            stored_crc.into(),
            computed.into(),
        )));
    }
    bytes.truncate(stored);
    Ok((bytes, flaw))
}

fn inflated(stored: Vec<u8>, format: &'static Format, entry: BlockEntry) -> Result<Vec<u8>> {
    if format.compressed && entry.inflated != entry.stored {
        return inflate(&stored, entry);
    }
    Ok(stored)
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
