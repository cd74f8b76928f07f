//! Blocks: read, check, inflate, decode. [MS-PST] 2.2.2.8.1
//!
//! The order for a compressed block is: CRC over the stored bytes, inflate, then decode. A checksum is evidence, not a gate:
//! of a block whose trailer does not fit comes what is there, with a [`Flaw`] that says which bytes are doubtful and which
//! are missing.

use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use super::NodeDatabase;
use super::crc::{Checksums, crc, signature};
use super::crypt::{self, CryptMethod};
use super::format::Format;
use super::ids::BlockId;
use super::inflate::inflate;
use super::page::BlockEntry;
use super::source::{Gaps, Source};
use crate::bytes::{u16_at, u32_at, uint_at};
use crate::error::{Error, Result};

/// Bytes that are read at once where blocks follow each other in the file: what fits the cache of a processor.
const RUN: usize = 128 << 10;
/// Bytes that a disk loses at the least.
const SECTOR: usize = 512;

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

/// The decoded payload of a block.
#[derive(Debug, Clone)]
pub struct Block {
    bytes: Arc<[u8]>,
    flaw: Option<Arc<Flaw>>,
}

/// Why the bytes of a block may not be what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// What does not fit, with the block and its place.
    pub error: String,
    /// Ranges of the payload that cannot be had, ascending; there are zeros in their place.
    pub missing: Vec<Range<usize>>,
    /// Whether the other bytes are in doubt, since the checksum does not vouch for them.
    pub doubtful: bool,
    /// Whether the disk did not give the missing bytes: it may the next time, so this is not kept.
    pub unread: bool,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.doubtful, self.missing.is_empty()) {
            (true, true) => "may be wrong",
            (true, false) => "may be wrong, and a part is missing",
            (false, false) => "a part is missing",
            (false, true) => "used, since the CRC fits",
        };
        write!(f, "{what}: {}", self.error)
    }
}

impl Flaw {
    /// Whether all bytes are there and the CRC vouches for them: only the rest of the trailer does not fit.
    pub fn vouches(&self) -> bool {
        !self.doubtful && self.missing.is_empty()
    }

    /// The bytes `range`, which cannot be had because of `error`.
    pub(super) fn gap(range: Range<usize>, error: &Error) -> Self {
        Self {
            error: error.to_string(),
            missing: vec![range],
            doubtful: false,
            unread: false,
        }
    }

    /// Bytes that are not what was expected because of `error`.
    pub(super) fn doubt(error: &Error) -> Self {
        Self {
            error: error.to_string(),
            missing: Vec::new(),
            doubtful: true,
            unread: false,
        }
    }
}

impl Block {
    /// A block whose bytes are vouched for.
    #[cfg(test)]
    pub fn intact(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.into(),
            flaw: None,
        }
    }

    /// What is wrong with it.
    pub fn flaw(&self) -> Option<&Arc<Flaw>> {
        self.flaw.as_ref()
    }

    /// Its bytes, shared.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A block as it was read at the place of its entry.
pub(super) enum Read {
    /// Checksum, id, signature and size fit.
    Intact(Block),
    /// It is there, and something of it does not fit.
    Flawed(Block, Flaw, Error),
    /// It is not there: nothing, or something else that is whole itself.
    NotThere(Error),
}

impl NodeDatabase {
    /// Fills `buf` with the payloads of `bids`, which have `len` bytes each but for the last, past the cache: bulk data
    /// would only push out of it what is looked at again and again. Neighbours in the file are read at once. `flawed` hears
    /// of blocks that are not as they were written, by their number in `bids`.
    pub(super) fn read_blocks(
        &self,
        bids: &[BlockId],
        len: usize,
        buf: &mut [u8],
        mut flawed: impl FnMut(usize, Flaw),
    ) -> Result<()> {
        let mut leaf = None;
        let mut run = Run::default();
        for (number, (bid, payload)) in bids.iter().zip(buf.chunks_mut(len.max(1))).enumerate() {
            let bid = bid.key();
            let entry = match self.block_entry(bid, &mut leaf) {
                Ok(entry) if usize::from(entry.inflated) == payload.len() => entry,
                Ok(_) | Err(_) => {
                    self.read_run(std::mem::take(&mut run), &mut flawed)?;
                    self.read_alone(bid, payload, |flaw| flawed(number, flaw))?;
                    continue;
                }
            };
            let extent = self.header.format.block_extent(entry.stored.into());
            if !run.is_continued_by(entry, extent) {
                self.read_run(std::mem::take(&mut run), &mut flawed)?;
            }
            run.extent += extent;
            run.blocks.push(InRun {
                number,
                entry,
                extent,
                payload,
            });
        }
        self.read_run(run, &mut flawed)
    }

    fn read_run(&self, run: Run<'_>, flawed: &mut impl FnMut(usize, Flaw)) -> Result<()> {
        let Some(first) = run.blocks.first() else {
            return Ok(());
        };
        let start = first.entry.block.ib;
        with_stored(run.extent, |stored| {
            let is_read = self.source.read_exact_at(stored, start).is_ok();
            let mut rest = &*stored;
            for block in run.blocks {
                let (own, after) = rest.split_at_checked(block.extent).unwrap_or((rest, &[]));
                rest = after;
                if !is_read || !self.unpack_intact(own, block.entry, block.payload) {
                    let bid = block.entry.block.bid;
                    self.read_alone(bid, block.payload, |flaw| flawed(block.number, flaw))?;
                }
            }
            Ok(())
        })
    }

    /// Fills `payload` from the one block `bid`, which should have exactly as many bytes. What is missing keeps its place,
    /// so that what follows does not shift.
    pub(super) fn read_alone(
        &self,
        bid: BlockId,
        payload: &mut [u8],
        flawed: impl FnOnce(Flaw),
    ) -> Result<()> {
        let block = match self.find_and_read(bid) {
            Ok(block) => block,
            Err(error) if error.is_unread() || self.refuses_damage() => return Err(error),
            Err(error) => {
                payload.fill(0);
                flawed(Flaw::gap(0..payload.len(), &error));
                return Ok(());
            }
        };
        let there = block.len().min(payload.len());
        let (own, rest) = payload.split_at_mut(there);
        own.copy_from_slice(block.get(..there).unwrap_or_default());
        rest.fill(0);
        if block.len() == payload.len() {
            if let Some(flaw) = block.flaw() {
                flawed(Flaw::clone(flaw));
            }
            return Ok(());
        }
        let error = wrong_length(bid, payload.len() as u64, block.len() as u64);
        if self.refuses_damage() {
            return Err(error);
        }
        let own = block.flaw().map(|flaw| Flaw::clone(flaw));
        let mut flaw = own.unwrap_or_else(|| Flaw::doubt(&error));
        flaw.missing.retain(|range| range.end <= there);
        if there < payload.len() {
            flaw.missing.push(there..payload.len());
        }
        flawed(flaw);
        Ok(())
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

    /// The block at the place that `entry` names, checked, inflated and decoded. An error is one of the disk.
    pub(super) fn read_at_entry(&self, entry: BlockEntry) -> Result<Read> {
        let extent = match extent(self.header.format, entry) {
            Ok(extent) => extent,
            Err(error) => return Ok(Read::NotThere(error)),
        };
        with_stored(extent, |stored| {
            let gaps = match self.source.read_with_gaps(stored, entry.block.ib) {
                Ok(gaps) => gaps,
                Err(error) if error.is_unread() => return Err(error),
                Err(error) => return Ok(Read::NotThere(error)),
            };
            Ok(self.unpack(stored, entry, gaps))
        })
    }

    /// Inflates and decodes a block as stored into `out`, if all of it fits.
    fn unpack_intact(&self, stored: &[u8], entry: BlockEntry, out: &mut [u8]) -> bool {
        let format = self.header.format;
        let evidence = Evidence::of(stored, format, &self.header.checksums, entry);
        let Some(payload) = stored.get(..entry.stored.into()) else {
            return false;
        };
        if !evidence.is_some_and(|evidence| evidence.is_intact())
            || out.len() != usize::from(entry.inflated)
        {
            return false;
        }
        if is_compressed(format, entry) {
            if inflate(payload, out) != Ok(out.len()) {
                return false;
            }
        } else {
            out.copy_from_slice(payload);
        }
        self.decode(entry.block.bid, out);
        true
    }

    /// What is there of the block of `entry` in `stored`, its extent, of which `gaps` could not be read.
    fn unpack(&self, stored: &[u8], entry: BlockEntry, gaps: Gaps) -> Read {
        let format = self.header.format;
        let payload_len = usize::from(entry.stored);
        let Some(evidence) = Evidence::of(stored, format, &self.header.checksums, entry) else {
            return Read::NotThere(wrong(
                entry,
                "size",
                payload_len as u64,
                stored.len() as u64,
            ));
        };
        let payload = stored.get(..payload_len).unwrap_or_default();
        let (missing, error) = self.lost_ranges(stored, entry, &evidence, gaps.ranges);
        if missing.iter().map(Range::len).sum::<usize>() == payload_len {
            let error = error.unwrap_or_else(|| wrong_text(entry, "all of it is lost"));
            return Read::NotThere(error);
        }
        let flaw = Flaw {
            error: String::new(),
            missing,
            doubtful: !evidence.crc,
            unread: gaps.unread,
        };
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, entry.inflated.into()).collect();
        // Nobody else has it yet.
        let out = Arc::get_mut(&mut bytes).unwrap_or_default();
        let (mut flaw, error) = match is_compressed(format, entry) {
            true => inflate_flawed(payload, entry, out, flaw, error),
            false => {
                let there = payload_len.min(out.len());
                let (own, from) = (out.get_mut(..there), payload.get(..there));
                if let (Some(own), Some(from)) = (own, from) {
                    own.copy_from_slice(from);
                }
                (flaw, error)
            }
        };
        if flaw.missing.first() == Some(&(0..out.len())) {
            let error = error.unwrap_or_else(|| wrong_text(entry, "all of it is lost"));
            return Read::NotThere(error);
        }
        self.decode(entry.block.bid, out);
        for gap in &flaw.missing {
            out.get_mut(gap.clone()).unwrap_or_default().fill(0);
        }
        let block = Block { bytes, flaw: None };
        match error {
            None => Read::Intact(block),
            Some(error) => {
                flaw.error = error.to_string();
                Read::Flawed(block, flaw, error)
            }
        }
    }

    /// Ranges of the payload in `stored` that are not those of the block of `entry`, and what does not fit.
    fn lost_ranges(
        &self,
        stored: &[u8],
        entry: BlockEntry,
        evidence: &Evidence,
        gaps: Vec<Range<usize>>,
    ) -> (Vec<Range<usize>>, Option<Error>) {
        let format = self.header.format;
        let length = usize::from(entry.stored);
        let mut missing = gaps;
        let payload = stored.get(..length).unwrap_or_default();
        let mut error = evidence.error(payload, entry);
        if !missing.is_empty() {
            error = Some(wrong_text(entry, "a part of it cannot be read"));
        } else if let Some(foreign) =
            evidence.foreign(stored, format, &self.header.checksums, entry)
        {
            error.get_or_insert_with(|| wrong_text(entry, "another block is in its place"));
            missing.push(foreign);
        } else if !evidence.crc {
            missing = lost_sectors(payload, entry.block.ib, self.header.crypt);
        }
        clip(&mut missing, length);
        (missing, error)
    }

    /// Internal blocks are never encoded. Where the header does not tell the encoding, some writers leave single heaps
    /// plain.
    fn decode(&self, bid: BlockId, bytes: &mut [u8]) {
        let is_plain = self.header.crypt_guessed && crypt::is_heap(CryptMethod::None, bid, bytes);
        if !bid.is_internal() && !is_plain {
            crypt::decode(self.header.crypt, bid, bytes);
        }
    }
}

impl Block {
    /// The same with `flaw`.
    pub(super) fn with_flaw(mut self, flaw: Flaw) -> Self {
        self.flaw = Some(Arc::new(flaw));
        self
    }
}

/// Blocks that follow each other in the file.
#[derive(Default)]
struct Run<'a> {
    blocks: Vec<InRun<'a>>,
    extent: usize,
}

/// A block of a run: its number among those that were asked for, and the place for its payload.
struct InRun<'a> {
    number: usize,
    entry: BlockEntry,
    extent: usize,
    payload: &'a mut [u8],
}

impl Run<'_> {
    fn is_continued_by(&self, entry: BlockEntry, extent: usize) -> bool {
        let end = |last: &InRun<'_>| last.entry.block.ib.checked_add(last.extent as u64);
        self.blocks.last().and_then(end) == Some(entry.block.ib) && self.extent + extent <= RUN
    }
}

/// What of a trailer fits the entry of its block.
#[derive(Debug, Clone, Copy)]
struct Evidence {
    crc: bool,
    cb: bool,
    bid: bool,
    /// `wSig` fits the place, with the id of the entry.
    signature: bool,
    stored: TrailerFields,
}

#[derive(Debug, Clone, Copy)]
struct TrailerFields {
    cb: u16,
    signature: u16,
    crc: u32,
    bid: BlockId,
}

impl TrailerFields {
    /// The trailer that ends at byte `end` of `bytes`.
    fn before(bytes: &[u8], end: usize, format: &Format) -> Option<Self> {
        let at = end.checked_sub(format.block_trailer)?;
        Some(Self {
            cb: u16_at(bytes, at)?,
            signature: u16_at(bytes, at + 2)?,
            crc: u32_at(bytes, at + format.block_crc)?,
            bid: BlockId(uint_at(bytes, at + format.block_bid, format.word)?),
        })
    }
}

impl Evidence {
    /// None when `extent` is too short for the block of `entry`.
    fn of(
        extent: &[u8],
        format: &Format,
        checksums: &Checksums,
        entry: BlockEntry,
    ) -> Option<Self> {
        let stored = TrailerFields::before(extent, extent.len(), format)?;
        let payload = extent.get(..entry.stored.into())?;
        let at = entry.block;
        // The CRC of zeros is zero: that of a stretch that was zeroed is none.
        let is_zeroed = stored.cb == 0 && stored.bid.0 == 0 && stored.crc == 0;
        Some(Self {
            crc: !is_zeroed && checksums.blocks.fits(payload, stored.crc),
            cb: stored.cb == entry.stored,
            bid: stored.bid.key() == at.bid.key(),
            // The reserved bit of the id counts where the trailer has it.
            signature: checksums.signature_fits(stored.signature, at.ib, stored.bid)
                || checksums.signature_fits(stored.signature, at.ib, at.bid),
            stored,
        })
    }

    fn is_intact(&self) -> bool {
        self.crc && self.cb && self.bid && self.signature
    }

    /// The first thing that does not fit.
    fn error(&self, payload: &[u8], entry: BlockEntry) -> Option<Error> {
        let TrailerFields {
            cb,
            signature: found,
            crc: stored_crc,
            bid,
        } = self.stored;
        if !self.cb {
            return Some(wrong(
                entry,
                "cb of the trailer",
                entry.stored.into(),
                cb.into(),
            ));
        }
        if !self.bid {
            return Some(wrong(entry, "bid of the trailer", entry.block.bid.0, bid.0));
        }
        if !self.signature {
            let expected = signature(entry.block.ib, entry.block.bid);
            return Some(wrong(entry, "wSig", expected.into(), found.into()));
        }
        (!self.crc).then(|| wrong(entry, "CRC", stored_crc.into(), crc(payload).into()))
    }

    /// The part of the payload that belongs to another block, which vouches for itself: that one was written here later, or
    /// by mistake.
    fn foreign(
        &self,
        extent: &[u8],
        format: &Format,
        checksums: &Checksums,
        entry: BlockEntry,
    ) -> Option<Range<usize>> {
        let other = self.stored;
        if self.bid || other.bid.is_none() {
            return None;
        }
        if self.signature
            && self.cb
            && !checksums.signature_fits(other.signature, entry.block.ib, other.bid)
        {
            // Signature and size are those of this block: it is its id that is wrong.
            return None;
        }
        let length = usize::from(other.cb);
        let start = extent.len().checked_sub(format.block_extent(length))?;
        let payload = extent.get(start..start + length)?;
        let vouches = length > 0
            && checksums.blocks != super::crc::Checksum::Meaningless
            && checksums.blocks.fits(payload, other.crc);
        vouches.then(|| start..usize::from(entry.stored))
    }
}

/// Inflates what can be inflated of `payload` into `out`. What lies behind a gap or fault of a compressed stream is missing.
fn inflate_flawed(
    payload: &[u8],
    entry: BlockEntry,
    out: &mut [u8],
    mut flaw: Flaw,
    mut error: Option<Error>,
) -> (Flaw, Option<Error>) {
    let readable = flaw.missing.first().map_or(payload.len(), |gap| gap.start);
    let there = match inflate(payload.get(..readable).unwrap_or_default(), out) {
        Ok(there) => there,
        Err(fault) => {
            error.get_or_insert_with(|| wrong_text(entry, fault.problem));
            flaw.doubtful = true;
            fault.there
        }
    };
    flaw.missing.clear();
    if there < out.len() {
        let declared = out.len() as u64;
        error.get_or_insert_with(|| wrong(entry, "inflated size", declared, there as u64));
        flaw.missing.push(there..out.len());
    }
    (flaw, error)
}

/// Ranges of `payload`, a damaged block as stored at byte `ib` of the file, whose sectors were never written or are lost:
/// filled with zeros, or with ones where no text encodes to that.
fn lost_sectors(payload: &[u8], ib: u64, method: CryptMethod) -> Vec<Range<usize>> {
    let is_lost = |sector: &[u8]| {
        let fill = |value: u8| sector.iter().all(|byte| *byte == value);
        fill(0) || (method != CryptMethod::None && fill(u8::MAX))
    };
    let sector = SECTOR as u64;
    let first = (ib.next_multiple_of(sector) - ib) as usize;
    let mut lost: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    let mut end = first.min(payload.len());
    while start < payload.len() {
        let bytes = payload.get(start..end).unwrap_or_default();
        // A part of a sector counts only beside a whole one.
        if !bytes.is_empty() && is_lost(bytes) {
            match lost.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => lost.push(start..end),
            }
        }
        start = end;
        end = (start + SECTOR).min(payload.len());
    }
    lost.retain(|range| range.len() >= SECTOR.min(payload.len()));
    lost
}

/// Cuts `ranges` to those within the first `len` bytes.
fn clip(ranges: &mut Vec<Range<usize>>, len: usize) {
    for range in ranges.iter_mut() {
        range.end = range.end.min(len);
    }
    ranges.retain(|range| range.start < range.end);
}

pub(super) fn wrong_length(bid: BlockId, expected: u64, found: u64) -> Error {
    Error::corrupt(
        "data tree",
        bid,
        format_args!("payload: expected {expected} bytes, found {found}"),
    )
}

/// Reads the block of `entry`, checks and inflates it, and leaves it encoded. A trailer that does not fit is an error.
pub fn read_block(
    source: &Source,
    format: &'static Format,
    checksums: &Checksums,
    entry: BlockEntry,
) -> Result<Vec<u8>> {
    let mut bytes = vec![0; extent(format, entry)?];
    source.read_exact_at(&mut bytes, entry.block.ib)?;
    let short = || wrong(entry, "size", entry.stored.into(), bytes.len() as u64);
    let evidence = Evidence::of(&bytes, format, checksums, entry).ok_or_else(short)?;
    bytes.truncate(entry.stored.into());
    if let Some(error) = evidence.error(&bytes, entry) {
        return Err(error);
    }
    if !is_compressed(format, entry) {
        return Ok(bytes);
    }
    let mut inflated = vec![0; entry.inflated.into()];
    match inflate(&bytes, &mut inflated) {
        Ok(there) if there == inflated.len() => Ok(inflated),
        Ok(there) => Err(wrong(
            entry,
            "inflated size",
            inflated.len() as u64,
            there as u64,
        )),
        Err(fault) => Err(wrong_text(entry, fault.problem)),
    }
}

fn wrong(entry: BlockEntry, what: &str, expected: u64, found: u64) -> Error {
    wrong_text(
        entry,
        format_args!("{what}: expected {expected:#x}, found {found:#x}"),
    )
}

fn wrong_text(entry: BlockEntry, text: impl std::fmt::Display) -> Error {
    Error::corrupt(
        "block",
        format_args!("{}, offset {:#x}", entry.block.bid, entry.block.ib),
        text,
    )
}

/// Bytes that the block of `entry` takes in the file, trailer and all, if that is possible.
fn extent(format: &'static Format, entry: BlockEntry) -> Result<usize> {
    let stored = usize::from(entry.stored);
    if stored == 0 || stored > format.block_payload {
        let largest = format.block_payload as u64;
        return Err(wrong(entry, "cb at most", largest, stored as u64));
    }
    Ok(format.block_extent(stored))
}

fn is_compressed(format: &'static Format, entry: BlockEntry) -> bool {
    format.compressed && entry.inflated != entry.stored
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_of_zeros_are_lost_and_shorter_runs_are_data() {
        // The block begins 64 bytes behind the start of a sector.
        let ib = 0x4440;
        let start = SECTOR - 64;
        let lost = |payload: &[u8], method: CryptMethod| {
            let lost = lost_sectors(payload, ib, method);
            lost.first().map(|first| (first.clone(), lost.len()))
        };
        let mut payload = vec![7u8; 4 * SECTOR];
        payload[100..500].fill(0);
        assert_eq!(lost(&payload, CryptMethod::None), None);
        let sector = Some((start..start + SECTOR, 1));
        payload[start..start + SECTOR].fill(0);
        assert_eq!(lost(&payload, CryptMethod::None), sector);
        payload[start..start + SECTOR].fill(0xFF);
        assert_eq!(lost(&payload, CryptMethod::None), None);
        assert_eq!(lost(&payload, CryptMethod::Permute), sector);
    }
}
