//! Trailers of blocks, and what they prove of the block before them. [MS-PST] 2.2.2.8.1

use std::fmt;
use std::ops::Range;

use super::crc::{Checksum, Checksums, crc, signature};
use super::format::Format;
use super::ids::BlockId;
use super::page::BlockEntry;
use crate::bytes::{u16_at, u32_at, uint_at};
use crate::error::Error;

/// The fields of a trailer that all formats have, as stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockTrailer {
    /// Bytes of the payload as stored.
    pub(super) cb: u16,
    /// `wSig`.
    pub(super) signature: u16,
    /// `dwCRC`.
    pub(super) crc: u32,
    /// `bid`.
    pub(super) bid: BlockId,
    /// Bytes of the payload after inflation; `cb` where no block is compressed.
    pub(super) inflated: u16,
}

/// Offset of the inflated size in the trailer of a 4K-page block.
const INFLATED: usize = 18;

impl BlockTrailer {
    /// The trailer that begins at byte `at` of `bytes`.
    pub(super) fn at(bytes: &[u8], at: usize, format: &Format) -> Option<Self> {
        let cb = u16_at(bytes, at)?;
        Some(Self {
            cb,
            inflated: match format.compressed {
                true => u16_at(bytes, at + INFLATED)?,
                false => cb,
            },
            signature: u16_at(bytes, at + 2)?,
            crc: u32_at(bytes, at + format.block_crc)?,
            bid: BlockId(uint_at(bytes, at + format.block_bid, format.word)?),
        })
    }
}

/// What of a trailer fits the entry of its block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence {
    /// Whether the checksum vouches for the payload.
    pub(super) crc: bool,
    cb: bool,
    inflated: bool,
    bid: bool,
    /// `wSig` fits the place, with the id of the entry or the one that is stored.
    signature: bool,
    /// `wSig` fits the place with the id that is stored.
    signs_itself: bool,
    pub(super) stored: BlockTrailer,
}

impl Evidence {
    /// None when `extent` is too short for the block of `entry`.
    pub(super) fn of(
        extent: &[u8],
        format: &Format,
        checksums: &Checksums,
        entry: BlockEntry,
    ) -> Option<Self> {
        let at = extent.len().checked_sub(format.block_trailer)?;
        let stored = BlockTrailer::at(extent, at, format)?;
        let payload = extent.get(..entry.stored.into())?;
        let at = entry.block;
        // The CRC of zeros is zero: that of a stretch that was zeroed is none.
        let is_zeroed = stored.cb == 0 && stored.bid.0 == 0 && stored.crc == 0;
        // The reserved bit of the id counts where the trailer has it.
        let signs_itself = checksums.signature_fits(stored.signature, at.ib, stored.bid);
        Some(Self {
            crc: !is_zeroed && checksums.blocks.fits(payload, stored.crc),
            cb: stored.cb == entry.stored,
            inflated: stored.inflated == entry.inflated,
            bid: stored.bid.key() == at.bid.key(),
            signature: signs_itself || checksums.signature_fits(stored.signature, at.ib, at.bid),
            signs_itself,
            stored,
        })
    }

    /// Whether all of it fits.
    pub(super) fn is_intact(&self) -> bool {
        self.crc && self.cb && self.inflated && self.bid && self.signature
    }

    /// Whether it is the trailer of this very block, which then is at the place of its entry, whatever is wrong with its bytes.
    pub(super) fn is_own(&self) -> bool {
        // If size and signature are those of this block, it is the stored id that is wrong.
        self.bid || (self.cb && self.signature && !self.signs_itself)
    }

    /// The first thing that does not fit.
    pub(super) fn error(&self, payload: &[u8], entry: BlockEntry) -> Option<Error> {
        let BlockTrailer {
            cb,
            signature: found,
            crc: stored_crc,
            bid,
            inflated,
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
        if !self.crc {
            let (expected, found) = (stored_crc.into(), crc(payload).into());
            return Some(wrong(entry, "CRC", expected, found));
        }
        let (expected, found) = (entry.inflated.into(), inflated.into());
        (!self.inflated).then(|| wrong(entry, "inflated size of the trailer", expected, found))
    }

    /// The entry of the block that begins with `bytes`, at the place of `entry`, by its own trailer: its id is that of `entry`, its
    /// CRC is right, and a size differs. None if no trailer says so.
    pub(super) fn own_entry(
        bytes: &[u8],
        format: &Format,
        checksums: &Checksums,
        entry: BlockEntry,
    ) -> Option<BlockEntry> {
        if checksums.blocks == Checksum::Meaningless {
            return None;
        }
        let ends = (format.block_align..=bytes.len()).step_by(format.block_align);
        let found = ends.filter_map(|end| {
            let trailer = BlockTrailer::at(bytes, end.checked_sub(format.block_trailer)?, format)?;
            let (stored, inflated) = (trailer.cb, trailer.inflated);
            let is_own = trailer.bid.key() == entry.block.bid.key()
                && format.block_extent(stored.into()) == end
                && checksums.signature_fits(trailer.signature, entry.block.ib, trailer.bid)
                && checksums
                    .blocks
                    .fits(bytes.get(..stored.into())?, trailer.crc);
            (is_own && stored > 0).then_some(BlockEntry {
                stored,
                inflated,
                ..entry
            })
        });
        let mut found =
            found.filter(|found| (found.stored, found.inflated) != (entry.stored, entry.inflated));
        found.next()
    }

    /// The part of the payload that belongs to another block, which vouches for itself: that one was written here later, or
    /// by mistake.
    pub(super) fn foreign(
        &self,
        extent: &[u8],
        format: &Format,
        checksums: &Checksums,
        entry: BlockEntry,
    ) -> Option<Range<usize>> {
        let other = self.stored;
        if self.is_own() || other.bid.is_none() {
            return None;
        }
        let length = usize::from(other.cb);
        let start = extent.len().checked_sub(format.block_extent(length))?;
        let payload = extent.get(start..start + length)?;
        let vouches = length > 0
            && checksums.blocks != Checksum::Meaningless
            && checksums.blocks.fits(payload, other.crc);
        vouches.then(|| start..usize::from(entry.stored))
    }
}

/// The error of `what`, a number that is `found` and not as `expected`, in the block of `entry`.
pub(super) fn wrong(entry: BlockEntry, what: &str, expected: u64, found: u64) -> Error {
    wrong_text(
        entry,
        format_args!("{what}: expected {expected:#x}, found {found:#x}"),
    )
}

/// An error with `text` about the block of `entry`.
pub(super) fn wrong_text(entry: BlockEntry, text: impl fmt::Display) -> Error {
    Error::corrupt(
        "block",
        format_args!("{}, offset {:#x}", entry.block.bid, entry.block.ib),
        text,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ndb::BlockRef;
    use crate::ndb::format::UNICODE;

    const IB: u64 = 0x4_4440;
    const OWN: BlockId = BlockId(0x1234);
    const OTHER: BlockId = BlockId(0x5678);
    const PAYLOAD: u16 = 40;

    /// Whether a trailer with these fields is that of block [`OWN`] at [`IB`].
    fn is_own(cb: u16, wsig: u16, bid: BlockId, checksums: &Checksums) -> bool {
        let mut extent = vec![7; UNICODE.block_extent(PAYLOAD.into()) - UNICODE.block_trailer];
        extent.extend(cb.to_le_bytes());
        extent.extend(wsig.to_le_bytes());
        extent.extend([0; 4]);
        extent.extend(bid.0.to_le_bytes());
        let entry = BlockEntry {
            block: BlockRef { bid: OWN, ib: IB },
            stored: PAYLOAD,
            inflated: PAYLOAD,
            references: 0,
        };
        let evidence = Evidence::of(&extent, &UNICODE, checksums, entry).unwrap();
        assert!(!evidence.crc);
        evidence.is_own()
    }

    #[test]
    fn a_trailer_with_any_one_field_damaged_is_that_of_its_block() {
        let checksums = Checksums::default();
        let wsig = signature(IB, OWN);
        assert!(is_own(PAYLOAD, wsig, OWN, &checksums));
        assert!(is_own(PAYLOAD ^ 1, wsig, OWN, &checksums));
        assert!(is_own(PAYLOAD, wsig ^ 1, OWN, &checksums));
        assert!(is_own(PAYLOAD, wsig, BlockId(OWN.0 ^ 4), &checksums));
        assert!(is_own(PAYLOAD, wsig, BlockId::NONE, &checksums));
    }

    /// What stands at the place of a block of [`PAYLOAD`] bytes whose entry has another size.
    fn own_size(cb: u16, wsig: u16, crc: u32, bid: BlockId) -> Option<u16> {
        let mut extent = vec![7; UNICODE.block_extent(PAYLOAD.into()) - UNICODE.block_trailer];
        extent.extend(cb.to_le_bytes());
        extent.extend(wsig.to_le_bytes());
        extent.extend(crc.to_le_bytes());
        extent.extend(bid.0.to_le_bytes());
        let entry = BlockEntry {
            block: BlockRef { bid: OWN, ib: IB },
            stored: PAYLOAD + 9,
            inflated: PAYLOAD + 9,
            references: 0,
        };
        let found = Evidence::own_entry(&extent, &UNICODE, &Checksums::default(), entry);
        found.map(|entry| entry.stored)
    }

    #[test]
    fn the_size_of_a_trailer_counts_where_all_of_it_is_that_of_the_block() {
        let (wsig, right) = (signature(IB, OWN), crc(&[7; PAYLOAD as usize]));
        assert_eq!(own_size(PAYLOAD, wsig, right, OWN), Some(PAYLOAD));
        assert_eq!(own_size(PAYLOAD, wsig, right, OTHER), None);
        assert_eq!(own_size(PAYLOAD, wsig ^ 1, right, OWN), None);
        assert_eq!(own_size(PAYLOAD, wsig, right ^ 1, OWN), None);
        assert_eq!(own_size(PAYLOAD + 64, wsig, right, OWN), None);
    }

    #[test]
    fn a_trailer_of_zeros_or_of_another_block_is_not() {
        let unsigned = Checksums {
            signatures: false,
            ..Checksums::default()
        };
        for (checksums, wsig) in [(Checksums::default(), signature(IB, OTHER)), (unsigned, 0)] {
            assert!(!is_own(0, 0, BlockId::NONE, &checksums));
            assert!(!is_own(PAYLOAD, wsig, OTHER, &checksums));
        }
    }
}
