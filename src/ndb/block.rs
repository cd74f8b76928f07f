//! Blocks: find, read, check, inflate, decode. [MS-PST] 2.2.2.8.1
//!
//! The order for a compressed block is: CRC over the stored bytes, inflate, then decode.

use std::cell::Cell;
use std::sync::Arc;

use miniz_oxide::inflate::decompress_slice_iter_to_slice;

use super::NodeDatabase;
use super::btree::Leaf;
use super::crc::{Checksums, crc, signature};
use super::crypt;
use super::format::Format;
use super::ids::BlockId;
use super::page::BlockEntry;
use super::source::Source;
use crate::bytes::{u16_at, u32_at, uint_at};
use crate::error::{Error, Result};

/// Bytes that are read at once where blocks follow each other in the file: what fits the cache of a processor.
const RUN: usize = 128 << 10;

thread_local! {
    /// Blocks as stored, on their way to those who asked for them: at most [`RUN`] bytes a thread.
    static STORED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends the buffer of this thread to `work`, resized to `len`.
fn with_stored<T>(len: usize, work: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut stored = STORED.take();
    stored.resize(len.max(stored.len()), 0);
    let result = work(stored.get_mut(..len).unwrap_or_default());
    STORED.set(stored);
    result
}

impl NodeDatabase {
    /// The decoded payload of block `bid`, from the cache or the file. Errors when the file has no such block or its
    /// bytes fail a check.
    pub fn block(&self, bid: BlockId) -> Result<Arc<[u8]>> {
        let bid = bid.key();
        if let Some(block) = self.blocks.get(&bid) {
            return Ok(block);
        }
        let data = self.find_and_read(bid)?;
        let weight = data.len();
        Ok(self.blocks.insert(bid, data, weight))
    }

    /// Fills `buf` with the payloads of `bids`, which have `len` bytes each but for the last, past the cache: bulk data
    /// would only push out of it what is looked at again and again. Neighbours in the file are read at once.
    pub(super) fn read_blocks(&self, bids: &[BlockId], len: usize, buf: &mut [u8]) -> Result<()> {
        let mut leaf = None;
        let mut run = Run::default();
        for (bid, payload) in bids.iter().zip(buf.chunks_mut(len.max(1))) {
            let entry = self.block_entry(bid.key(), &mut leaf)?;
            let extent = self.header.format.block_extent(entry.stored.into());
            if !run.is_continued_by(entry, extent) {
                self.read_run(std::mem::take(&mut run))?;
            }
            run.extent += extent;
            run.blocks.push((entry, extent, payload));
        }
        self.read_run(run)
    }

    fn read_run(&self, run: Run<'_>) -> Result<()> {
        let Some((first, ..)) = run.blocks.first() else {
            return Ok(());
        };
        let start = first.block.ib;
        with_stored(run.extent, |stored| {
            let is_read = self.source.read_exact_at(stored, start).is_ok();
            let mut rest = &*stored;
            for (entry, extent, payload) in run.blocks {
                let (own, after) = rest.split_at_checked(extent).unwrap_or((rest, &[]));
                rest = after;
                if !is_read || self.unpack_checked(own, entry, payload).is_err() {
                    // What is wrong with it, or where else it is, is found out alone.
                    self.copy_block(entry.block.bid, payload)?;
                }
            }
            Ok(())
        })
    }

    /// Fills `payload` from the one block `bid`, which must have exactly as many bytes: a shorter one would shift all
    /// that follows.
    fn copy_block(&self, bid: BlockId, payload: &mut [u8]) -> Result<()> {
        let block = self.find_and_read(bid)?;
        if block.len() != payload.len() {
            return Err(wrong_length(bid, payload.len() as u64, block.len() as u64));
        }
        payload.copy_from_slice(&block);
        Ok(())
    }

    /// Payload length of block `bid` after inflation, from the B-tree alone.
    pub fn block_len(&self, bid: BlockId) -> Result<u64> {
        Ok(u64::from(self.block_entry(bid.key(), &mut None)?.inflated))
    }

    /// More bytes than all blocks of the file together can hold, inflated where they may be compressed.
    pub(crate) fn most_data(&self) -> u64 {
        let format = self.header.format;
        let (size, unit) = (self.source.len(), format.block_align as u64);
        if format.compressed {
            (size / unit).saturating_mul(format.block_payload as u64)
        } else {
            size
        }
    }

    /// The entry of block `bid`; `leaf` is the page that the one before it was in.
    pub(super) fn block_entry(&self, bid: BlockId, leaf: &mut Option<Leaf>) -> Result<BlockEntry> {
        if let Some(entry) = self.find_block_near(bid, leaf)? {
            return Ok(entry);
        }
        if let Some(entry) = self.added_block(bid) {
            return Ok(entry);
        }
        if bid.key() == BlockId::LOST {
            return Err(Error::corrupt(
                "NBT entry",
                "bidSub",
                "lost, and which blocks of the file it named cannot be told",
            ));
        }
        let error = Error::corrupt("BBT", bid, "no entry for a block that is referred to");
        // A scan has been made already for the blocks that were added.
        let finds = if self.has_added() { None } else { self.finds() };
        let found = finds.and_then(|finds| finds.block(bid));
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
    fn find_and_read(&self, bid: BlockId) -> Result<Arc<[u8]>> {
        let entry = self.block_entry(bid, &mut None)?;
        match self.read_payload(entry) {
            Ok(payload) => Ok(payload),
            Err(Unread::Damaged(error)) => Err(error),
            Err(Unread::NotThere(error)) => {
                let elsewhere = self
                    .finds()
                    .and_then(|finds| finds.block(bid))
                    .filter(|found| {
                        (found.stored, found.inflated) == (entry.stored, entry.inflated)
                    });
                let Some(found) = elsewhere else {
                    return Err(error);
                };
                let payload = self.read_payload(found)?;
                self.gone_around(&error);
                Ok(payload)
            }
        }
    }

    fn read_payload(&self, entry: BlockEntry) -> std::result::Result<Arc<[u8]>, Unread> {
        let extent = extent(&self.source, self.header.format, entry)?;
        let mut payload: Arc<[u8]> = std::iter::repeat_n(0, entry.inflated.into()).collect();
        // Nobody else has it yet.
        let out = Arc::get_mut(&mut payload).unwrap_or_default();
        with_stored(extent, |stored| {
            self.source
                .read_exact_at(stored, entry.block.ib)
                .map_err(|error| match error.is_unread() {
                    true => Unread::Damaged(error),
                    // In a stretch that is lost.
                    false => Unread::NotThere(error),
                })?;
            self.unpack_checked(stored, entry, out)
        })?;
        Ok(payload)
    }

    /// Checks, inflates and decodes a block as stored into `out`, which has the length of its payload.
    fn unpack_checked(
        &self,
        stored: &[u8],
        entry: BlockEntry,
        out: &mut [u8],
    ) -> std::result::Result<(), Unread> {
        let (stored, _) = checked(stored, self.header.format, &self.header.checksums, entry)?;
        let bid = entry.block.bid;
        if is_compressed(self.header.format, entry) {
            inflate(stored, entry, out).map_err(Unread::Damaged)?;
        } else if stored.len() != out.len() {
            let error = wrong_length(bid, out.len() as u64, stored.len() as u64);
            return Err(Unread::Damaged(error));
        } else {
            out.copy_from_slice(stored);
        }
        if self.is_encoded(bid, out) {
            crypt::decode(self.header.crypt, bid, out);
        }
        Ok(())
    }

    /// Internal blocks are never encoded. Where the header does not tell the encoding, some writers leave single heaps
    /// plain.
    fn is_encoded(&self, bid: BlockId, bytes: &[u8]) -> bool {
        let is_plain =
            self.header.crypt_guessed && crypt::is_heap(crypt::CryptMethod::None, bid, bytes);
        !bid.is_internal() && !is_plain
    }
}

/// Blocks that follow each other in the file, with their extents and the places for their payloads.
#[derive(Default)]
struct Run<'a> {
    blocks: Vec<(BlockEntry, usize, &'a mut [u8])>,
    extent: usize,
}

impl Run<'_> {
    fn is_continued_by(&self, entry: BlockEntry, extent: usize) -> bool {
        let end =
            |(last, extent, _): &(BlockEntry, usize, _)| last.block.ib.checked_add(*extent as u64);
        self.blocks.last().and_then(end) == Some(entry.block.ib) && self.extent + extent <= RUN
    }
}

fn wrong_length(bid: BlockId, expected: u64, found: u64) -> Error {
    Error::corrupt(
        "data tree",
        bid,
        format_args!("payload: expected {expected} bytes, found {found}"),
    )
}

/// Reads the block of `entry`, checks and inflates it, and leaves it encoded.
pub fn read_block(
    source: &Source,
    format: &'static Format,
    checksums: &Checksums,
    entry: BlockEntry,
) -> Result<Vec<u8>> {
    read_encoded(source, format, checksums, entry, false)
}

/// As [`read_block`], and demands what a reader can do without: both the id and the signature of the trailer.
pub fn read_block_strictly(
    source: &Source,
    format: &'static Format,
    checksums: &Checksums,
    entry: BlockEntry,
) -> Result<Vec<u8>> {
    read_encoded(source, format, checksums, entry, true)
}

fn read_encoded(
    source: &Source,
    format: &'static Format,
    checksums: &Checksums,
    entry: BlockEntry,
    strictly: bool,
) -> Result<Vec<u8>> {
    let mut bytes = vec![0; extent(source, format, entry)?];
    source.read_exact_at(&mut bytes, entry.block.ib)?;
    let (stored, flaw) = checked(&bytes, format, checksums, entry)?;
    if let Some(flaw) = flaw.filter(|_| strictly) {
        return Err(flaw);
    }
    if is_compressed(format, entry) {
        let mut inflated = vec![0; entry.inflated.into()];
        inflate(stored, entry, &mut inflated)?;
        return Ok(inflated);
    }
    bytes.truncate(entry.stored.into());
    Ok(bytes)
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

fn wrong(entry: BlockEntry, what: &str, expected: u64, found: u64) -> Error {
    Error::corrupt(
        "block",
        format_args!("{}, offset {:#x}", entry.block.bid, entry.block.ib),
        format_args!("{what}: expected {expected:#x}, found {found:#x}"),
    )
}

fn not_there(entry: BlockEntry, what: &str, expected: u64, found: u64) -> Unread {
    Unread::NotThere(wrong(entry, what, expected, found))
}

/// Bytes that the block of `entry` takes in the file, trailer and all, if that is possible.
fn extent(
    source: &Source,
    format: &'static Format,
    entry: BlockEntry,
) -> std::result::Result<usize, Unread> {
    let stored = usize::from(entry.stored);
    if stored == 0 || stored > format.block_payload {
        let largest = format.block_payload as u64;
        return Err(not_there(entry, "cb at most", largest, stored as u64));
    }
    let extent = format.block_extent(stored);
    let end = entry.block.ib.checked_add(extent as u64);
    if end.is_none_or(|end| end > source.len()) {
        return Err(not_there(
            entry,
            "end within the file size",
            source.len(),
            entry.block.ib,
        ));
    }
    Ok(extent)
}

/// The stored payload in `bytes`, the extent of the block of `entry`, checked against its trailer; and what is wrong
/// with the trailer itself.
fn checked<'a>(
    bytes: &'a [u8],
    format: &'static Format,
    checksums: &Checksums,
    entry: BlockEntry,
) -> std::result::Result<(&'a [u8], Option<Error>), Unread> {
    let at = entry.block;
    let short = || not_there(entry, "size", entry.stored.into(), bytes.len() as u64);
    let trailer = bytes
        .len()
        .checked_sub(format.block_trailer)
        .ok_or_else(short)?;
    let cb = u16_at(bytes, trailer).ok_or_else(short)?;
    if cb != entry.stored {
        return Err(not_there(
            entry,
            "cb of the trailer",
            entry.stored.into(),
            cb.into(),
        ));
    }
    // One wrong field of the two is a flipped bit in the trailer; both wrong, and this is another block.
    let bid = BlockId(uint_at(bytes, trailer + format.block_bid, format.word).ok_or_else(short)?);
    let sig = u16_at(bytes, trailer + 2).ok_or_else(short)?;
    let expected = signature(at.ib, bid);
    let flaw = if bid.key() != at.bid {
        if !checksums.signatures || sig != signature(at.ib, at.bid) {
            return Err(not_there(entry, "bid of the trailer", at.bid.0, bid.0));
        }
        Some(wrong(entry, "bid of the trailer", at.bid.0, bid.0))
    } else {
        (!checksums.signature_fits(sig, at.ib, bid))
            .then(|| wrong(entry, "wSig", expected.into(), sig.into()))
    };
    let stored_crc = u32_at(bytes, trailer + format.block_crc).ok_or_else(short)?;
    let stored = bytes.get(..entry.stored.into()).ok_or_else(short)?;
    if !checksums.blocks.fits(stored, stored_crc) {
        return Err(Unread::Damaged(wrong(
            entry,
            "CRC",
            stored_crc.into(),
            crc(stored).into(),
        )));
    }
    Ok((stored, flaw))
}

fn is_compressed(format: &'static Format, entry: BlockEntry) -> bool {
    format.compressed && entry.inflated != entry.stored
}

/// Inflates a zlib stream into exactly the bytes that the BBT declares (at most 64 KiB).
fn inflate(stored: &[u8], entry: BlockEntry, out: &mut [u8]) -> Result<()> {
    if out.len() != usize::from(entry.inflated) {
        let declared = entry.inflated.into();
        return Err(wrong_length(entry.block.bid, out.len() as u64, declared));
    }
    match decompress_slice_iter_to_slice(out, std::iter::once(stored), true, false) {
        Ok(length) if length == out.len() => Ok(()),
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
