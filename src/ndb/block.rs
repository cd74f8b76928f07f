//! Blocks: read, check, inflate, decode. [MS-PST] 2.2.2.8.1
//!
//! The order for a compressed block is: CRC over the stored bytes, inflate, then decode. A checksum is evidence, not a gate:
//! of a block whose trailer does not fit comes what is there, with a [`Flaw`]: which bytes are doubtful and which
//! are missing. It is more than evidence where one bit is wrong: then it tells which, and that is put right before the block is
//! inflated. The bytes still count as doubtful, since other damage may look so by chance.

use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use super::crc::{Checksums, WrongBit};
use super::crypt::{self, CryptMethod};
use super::format::Format;
use super::header::Header;
use super::ids::BlockId;
use super::inflate::inflate;
use super::lost_sectors::lost_sectors;
use super::page::BlockEntry;
use super::source::{Gaps, Source};
use super::trailer::{Evidence, wrong, wrong_text};
use crate::bytes::u8_at;
use crate::error::{Error, Result};

/// `btype` of an internal block that lists data: XBLOCK, XXBLOCK.
pub(super) const BTYPE_DATA: u8 = 1;
/// `btype` of an internal block that lists subnodes: SLBLOCK, SIBLOCK.
pub(super) const BTYPE_SUBNODE: u8 = 2;
/// The highest `cLevel` of an internal block: that of an XXBLOCK.
const HIGHEST_LEVEL: u8 = 2;

thread_local! {
    /// Blocks as stored, on their way to those who asked for them: at most a run of neighbours a thread (`ndb/run`).
    static STORED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends the buffer of this thread to `work`, resized to `len`.
pub(super) fn with_stored<T>(len: usize, work: impl FnOnce(&mut [u8]) -> T) -> T {
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

    /// The same with `flaw`.
    pub(super) fn with_flaw(mut self, flaw: Flaw) -> Self {
        self.flaw = Some(Arc::new(flaw));
        self
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
    /// Something does not fit.
    Damaged(Damage),
}

/// What is wrong at the place of an entry.
pub(super) struct Damage {
    /// What is there of the block all the same; None if nothing is, or another block that is whole itself.
    pub(super) there: Option<(Block, Flaw)>,
    pub(super) error: Error,
    /// Whether a copy is worth a scan: nothing shows that this is its place, or it is a list of blocks of which nothing is
    /// left; and it was not the disk that kept silent.
    pub(super) may_be_elsewhere: bool,
}

impl Read {
    /// Nothing can be at the place of the entry.
    fn nowhere(error: Error) -> Self {
        Self::Damaged(Damage {
            there: None,
            error,
            may_be_elsewhere: true,
        })
    }
}

/// Reads blocks of `source` as `header` tells, past all caches.
#[derive(Clone, Copy)]
pub(super) struct BlockReader<'a> {
    pub(super) source: &'a Source,
    pub(super) header: &'a Header,
}

impl BlockReader<'_> {
    /// The block at the place that `entry` names, checked, inflated and decoded; with the sizes that it has itself, if only those
    /// of the entry are wrong. An error is one of the disk.
    pub(super) fn read(&self, entry: BlockEntry) -> Result<Read> {
        let damage = match self.read_as_listed(entry)? {
            Read::Damaged(damage) => damage,
            intact => return Ok(intact),
        };
        let Some(own) = self.own_entry(entry) else {
            return Ok(Read::Damaged(damage));
        };
        Ok(match self.read_as_listed(own)? {
            Read::Intact(block) => Read::Damaged(Damage {
                there: Some((block, wrong_sizes(entry, own))),
                error: damage.error,
                may_be_elsewhere: false,
            }),
            Read::Damaged(_) => Read::Damaged(damage),
        })
    }

    /// The entry by the trailer of the block itself, if that has other sizes: then it is the entry that is wrong.
    fn own_entry(&self, entry: BlockEntry) -> Option<BlockEntry> {
        let format = self.header.format;
        with_stored(format.block_extent(format.block_payload), |bytes| {
            let gaps = self.source.read_with_gaps(bytes, entry.block.ib).ok()?;
            let end = gaps.ranges.first().map_or(bytes.len(), |gap| gap.start);
            let bytes = bytes.get(..end).unwrap_or_default();
            Evidence::own_entry(bytes, format, &self.header.checksums, entry)
        })
    }

    fn read_as_listed(&self, entry: BlockEntry) -> Result<Read> {
        let extent = match extent(self.header.format, entry) {
            Ok(extent) => extent,
            Err(error) => return Ok(Read::nowhere(error)),
        };
        with_stored(extent, |stored| {
            let gaps = match self.source.read_with_gaps(stored, entry.block.ib) {
                Ok(gaps) => gaps,
                Err(error) if error.is_unread() => return Err(error),
                Err(error) => return Ok(Read::nowhere(error)),
            };
            Ok(self.unpack(stored, entry, gaps))
        })
    }

    /// Inflates and decodes a block as stored into `out`, if all of it fits.
    pub(super) fn unpack_intact(&self, stored: &[u8], entry: BlockEntry, out: &mut [u8]) -> bool {
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

    /// The block of `entry` in `stored`, its extent, if all of it fits.
    pub(super) fn intact(&self, stored: &[u8], entry: BlockEntry) -> Option<Block> {
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, entry.inflated.into()).collect();
        // Nobody else has it yet.
        let out = Arc::get_mut(&mut bytes)?;
        self.unpack_intact(stored, entry, out)
            .then_some(Block { bytes, flaw: None })
    }

    /// What is there of the block of `entry` in `stored`, its extent, of which `gaps` could not be read.
    fn unpack(&self, stored: &mut [u8], entry: BlockEntry, gaps: Gaps) -> Read {
        let format = self.header.format;
        let payload_len = usize::from(entry.stored);
        let Some(evidence) = Evidence::of(stored, format, &self.header.checksums, entry) else {
            let (expected, found) = (payload_len as u64, stored.len() as u64);
            return Read::nowhere(wrong(entry, "size", expected, found));
        };
        let damaged = |there: Option<(Block, Flaw)>, error: Error| {
            let list = there.as_ref().filter(|(block, flaw)| is_list(block, flaw));
            let is_lost_list = entry.block.bid.is_internal() && list.is_none();
            Read::Damaged(Damage {
                there,
                error,
                may_be_elsewhere: !gaps.unread && (!evidence.is_own() || is_lost_list),
            })
        };
        let all_lost = |error: Option<Error>| {
            let lost = || wrong_text(entry, "all of it is lost");
            damaged(None, error.unwrap_or_else(lost))
        };
        let (mut missing, error) = self.lost_ranges(stored, entry, &evidence, &gaps);
        let wrong_bit = self.wrong_bit(stored, entry, &evidence, &gaps);
        let payload = stored.get_mut(..payload_len).unwrap_or_default();
        if let Some(wrong_bit) = wrong_bit {
            wrong_bit.put_right(payload);
            missing.clear();
        }
        if missing.iter().map(Range::len).sum::<usize>() == payload_len {
            return all_lost(error);
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
            return all_lost(error);
        }
        self.decode(entry.block.bid, out);
        for gap in &flaw.missing {
            out.get_mut(gap.clone()).unwrap_or_default().fill(0);
        }
        let block = Block { bytes, flaw: None };
        match error {
            None => Read::Intact(block),
            Some(error) => {
                flaw.error = match wrong_bit {
                    Some(wrong_bit) => format!("{error}; {wrong_bit}"),
                    None => error.to_string(),
                };
                damaged(Some((block, flaw)), error)
            }
        }
    }

    /// What the checksum of a block that stands at its place tells of it, if one bit is wrong.
    fn wrong_bit(
        &self,
        stored: &[u8],
        entry: BlockEntry,
        evidence: &Evidence,
        gaps: &Gaps,
    ) -> Option<WrongBit> {
        let is_whole = gaps.ranges.is_empty() && evidence.is_own();
        let payload = stored.get(..entry.stored.into())?;
        let checksum = self.header.checksums.blocks;
        (is_whole && !evidence.crc)
            .then(|| checksum.wrong_bit(payload, evidence.stored.crc))
            .flatten()
    }

    /// Ranges of the payload in `stored` that are not those of the block of `entry`, and what does not fit.
    fn lost_ranges(
        &self,
        stored: &[u8],
        entry: BlockEntry,
        evidence: &Evidence,
        gaps: &Gaps,
    ) -> (Vec<Range<usize>>, Option<Error>) {
        let format = self.header.format;
        let length = usize::from(entry.stored);
        let mut missing = gaps.ranges.clone();
        let payload = stored.get(..length).unwrap_or_default();
        let mut error = evidence.error(payload, entry);
        if gaps.unread {
            let unread: usize = missing.iter().map(Range::len).sum();
            let text = format_args!("the disk cannot read {unread} of its bytes");
            error = Some(wrong_text(entry, text));
        } else if !missing.is_empty() {
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

    /// Internal blocks are never encoded. Where the header does not have the encoding, some writers leave single heaps
    /// plain.
    fn decode(&self, bid: BlockId, bytes: &mut [u8]) {
        let is_plain = self.header.crypt_guessed && crypt::is_heap(CryptMethod::None, bid, bytes);
        if !bid.is_internal() && !is_plain {
            crypt::decode(self.header.crypt, bid, bytes);
        }
    }
}

/// What is wrong with a block that is whole by its `own` sizes, which are not those of its `entry`.
fn wrong_sizes(entry: BlockEntry, own: BlockEntry) -> Flaw {
    let (what, expected, found) = match own.stored == entry.stored {
        true => ("cbInflated of the BBT entry", own.inflated, entry.inflated),
        false => ("cb of the BBT entry", own.stored, entry.stored),
    };
    Flaw {
        error: wrong(entry, what, expected.into(), found.into()).to_string(),
        missing: Vec::new(),
        doubtful: false,
        unread: false,
    }
}

/// Whether a damaged internal block begins as one, so that its reader can do with it: of type and level one is right.
fn is_list(bytes: &[u8], flaw: &Flaw) -> bool {
    let has_header = flaw.missing.first().is_none_or(|gap| gap.start > 0);
    let btype = u8_at(bytes, 0).filter(|btype| [BTYPE_DATA, BTYPE_SUBNODE].contains(btype));
    let level = u8_at(bytes, 1).filter(|level| *level <= HIGHEST_LEVEL);
    has_header && (btype.is_some() || level.is_some())
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

/// Cuts `ranges` to those within the first `len` bytes.
fn clip(ranges: &mut Vec<Range<usize>>, len: usize) {
    for range in ranges.iter_mut() {
        range.end = range.end.min(len);
    }
    ranges.retain(|range| range.start < range.end);
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
