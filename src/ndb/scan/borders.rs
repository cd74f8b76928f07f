//! Where one shift of a file ends and the next one begins, as exactly as blocks tell: the block B-tree lists their places,
//! and their trailers show where they are.

use super::anchors::{Anchor, Mark};
use super::memory::Memory;
use super::strays::Strays;
use super::trailer::{Trailer, block, block_trailer};
use crate::ndb::crc::{Checksum, Checksums};
use crate::ndb::format::Format;
use crate::ndb::header::Header;
use crate::ndb::ids::BlockRef;
use crate::ndb::page::BlockEntry;
use crate::ndb::page::read_btree_page;
use crate::ndb::page_type::PageType;
use crate::ndb::source::Source;

/// Files are mostly lost and doubled in whole sectors.
const SECTOR: u64 = 512;
/// Gaps that are looked at, so that a file made of strays takes no time out of proportion.
const MOST_GAPS: usize = 256;
/// Blocks of a gap that are looked for: those of a stretch that is lost are nowhere.
const TRIES: usize = 8;

/// What lies between the last anchor of one shift and the first one of the next.
#[derive(Debug)]
pub(super) struct Gap {
    before: Anchor,
    after: Anchor,
    blocks: Vec<BlockEntry>,
}

impl Gap {
    pub(super) fn new(before: Anchor, after: Anchor) -> Self {
        Self {
            before,
            after,
            blocks: Vec::new(),
        }
    }

    /// The gaps behind and in front of `anchor`, a block in it: its end is where the gap behind it begins.
    fn divided(self, anchor: Anchor) -> [Self; 2] {
        let index = self
            .blocks
            .partition_point(|entry| entry.block.ib < anchor.place);
        let mut blocks = self.blocks;
        let behind = blocks.split_off(index);
        let front = Self {
            blocks,
            ..Self::new(self.before, anchor)
        };
        let behind = Self {
            blocks: behind,
            ..Self::new(anchor, self.after)
        };
        [behind, front]
    }

    fn is_lost(&self) -> bool {
        self.after.shift() < self.before.shift()
    }
}

/// Where a stretch ends, and where the next one begins: original offsets. What lies between them is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Border {
    pub(super) end: u64,
    pub(super) start: u64,
    /// The shift behind it.
    pub(super) shift: i64,
}

/// The borders in `gaps`, which ascend, and more of them where blocks tell of stretches within a gap. None where the later
/// shift is told by the end of the file alone, and no block has it.
pub(super) fn borders(
    file: &Source,
    header: &Header,
    pages: &[Mark],
    memory: &mut Memory,
    mut gaps: Vec<Gap>,
) -> Vec<Border> {
    for page in pages.iter().filter(|page| page.is_block_leaf) {
        collect(file, header, page, memory, &mut gaps);
    }
    for gap in &mut gaps {
        let order = |entry: &BlockEntry| (entry.block.ib, entry.block.bid, entry.stored);
        gap.blocks.sort_unstable_by_key(order);
        gap.blocks.dedup();
    }
    let mut search = Search {
        file,
        header,
        strays: Strays::new(file),
        tries: MOST_GAPS,
    };
    // The next gap comes last.
    gaps.reverse();
    let mut borders = Vec::new();
    while let Some(gap) = gaps.pop() {
        match search.stray(&gap) {
            Some(stray) => gaps.extend(gap.divided(stray)),
            None => borders.extend(search.border(&gap)),
        }
    }
    borders
}

/// Puts what a leaf of the block B-tree lists to the gap in which it lies.
fn collect(file: &Source, header: &Header, page: &Mark, memory: &mut Memory, gaps: &mut [Gap]) {
    let at = BlockRef {
        bid: page.bid,
        ib: page.at,
    };
    // It is in another place than it was signed for.
    let checksums = Checksums {
        signatures: false,
        ..header.checksums
    };
    let Ok(leaf) = read_btree_page(file, header.format, &checksums, PageType::Bbt, at) else {
        return;
    };
    for entry in (0..leaf.len()).filter_map(|index| leaf.block(index)) {
        let index = gaps.partition_point(|gap| gap.after.place <= entry.block.ib);
        if let Some(gap) = gaps.get_mut(index)
            && gap.before.place < entry.block.ib
            && memory.take(size_of::<BlockEntry>())
        {
            gap.blocks.push(entry);
        }
    }
}

struct Search<'a> {
    file: &'a Source,
    header: &'a Header,
    strays: Strays,
    /// Gaps that may still be looked at for strays.
    tries: usize,
}

impl Search<'_> {
    /// A block that is neither where the shift before the gap has it nor where the one behind it has it, and is whole
    /// somewhere between.
    fn stray(&mut self, gap: &Gap) -> Option<Anchor> {
        self.tries = self.tries.checked_sub(1)?;
        let (before, after) = (gap.before.shift(), gap.after.shift());
        let is_stray =
            |entry: &&BlockEntry| !self.ends_there(entry, before) && !self.ends_there(entry, after);
        let lost: Vec<BlockEntry> = gap.blocks.iter().filter(is_stray).copied().collect();
        let step = lost.len().div_ceil(TRIES).max(1);
        let range = gap.before.at..gap.after.at;
        lost.into_iter().step_by(step).find_map(|entry| {
            let trailer = self
                .strays
                .find(self.file, self.format(), &entry, range.clone())?;
            let extent = self.format().block_extent(entry.stored.into());
            let end = trailer + self.format().block_trailer as u64;
            let anchor = Anchor {
                place: entry.block.ib,
                at: end.checked_sub(extent as u64)?,
            };
            self.is_whole(&entry, anchor.shift()).then_some(anchor)
        })
    }

    fn border(&self, gap: &Gap) -> Option<Border> {
        let blocks = &gap.blocks;
        let (before, after) = (gap.before.shift(), gap.after.shift());
        let fits: Vec<(bool, bool)> = blocks
            .iter()
            .map(|entry| {
                (
                    self.ends_there(entry, before),
                    self.ends_there(entry, after),
                )
            })
            .collect();
        let split = split(&fits);
        let last = blocks.iter().zip(&fits).take(split);
        let last = last.rev().find(|(_, (fits, _))| *fits);
        let mut first = blocks.iter().zip(&fits).skip(split);
        let first = first.find(|(_, (_, fits))| *fits).map(|(entry, _)| entry);
        let is_end = gap.after.place == self.header.file_eof;
        if is_end && first.is_none() {
            return None;
        }
        // Offsets in the file: from where on, and up to where the border can be.
        let low = match last {
            Some((entry, _)) => place(self.end(entry), before)?,
            None => {
                let size = self.format().page_size as u64;
                gap.before.at.saturating_add(size)
            }
        };
        let (high, is_exact) = match first {
            Some(entry) if self.is_whole(entry, after) => (place(entry.block.ib, after)?, true),
            Some(entry) => {
                let trailer = self.header.format.block_trailer as u64;
                (
                    place(self.end(entry), after)?.saturating_sub(trailer),
                    false,
                )
            }
            None => (gap.after.at, true),
        };
        let at = if gap.is_lost() {
            // Bytes in front of the border are the head of a block of which the rest is lost, those behind it the end of
            // one of which the head is.
            let has_head = blocks.iter().any(|entry| {
                let at = place(entry.block.ib, before);
                at.is_some_and(|at| (low..high).contains(&at))
            });
            match (has_head, is_exact) {
                (true, true) => high,
                (false, false) => low,
                _ => self.likely(gap, low, high),
            }
        } else {
            // Nothing is lost: the border is the same original offset on both sides.
            let high = place(high.checked_add_signed(after.checked_neg()?)?, before)?;
            if is_exact {
                high
            } else {
                self.likely(gap, low, high)
            }
        };
        let end = at.checked_add_signed(before.checked_neg()?)?;
        let start = if gap.is_lost() {
            at.checked_add_signed(after.checked_neg()?)?
        } else {
            end
        };
        Some(Border {
            end,
            start,
            shift: after,
        })
    }

    /// A border between two offsets of the file, of which nothing more is known.
    fn likely(&self, gap: &Gap, low: u64, high: u64) -> u64 {
        let high = high.max(low);
        let length = gap.before.shift().abs_diff(gap.after.shift());
        if !length.is_multiple_of(SECTOR) {
            return low.midpoint(high);
        }
        // The roundest number.
        let bits = (0..u64::BITS).rev();
        let mut rounded = bits.map(|bit| high >> bit << bit);
        rounded.find(|at| *at >= low && *at > 0).unwrap_or(high)
    }

    fn format(&self) -> &'static Format {
        self.header.format
    }

    /// The original offset behind a block.
    fn end(&self, entry: &BlockEntry) -> u64 {
        let extent = self.format().block_extent(entry.stored.into()) as u64;
        entry.block.ib.saturating_add(extent)
    }

    fn is_its_own(&self, entry: &BlockEntry, trailer: &Trailer) -> bool {
        let is_signed = trailer.is_signed(entry.block.ib) || !self.header.checksums.signatures;
        trailer.bid.key() == entry.block.bid && is_signed
    }

    /// Whether the trailer of the block is where `shift` has it.
    fn ends_there(&self, entry: &BlockEntry, shift: i64) -> bool {
        let format = self.format();
        let mut bytes = vec![0; format.block_trailer];
        let at = place(self.end(entry), shift).and_then(|end| end.checked_sub(bytes.len() as u64));
        let found = at
            .filter(|at| self.file.read_exact_at(&mut bytes, *at).is_ok())
            .and_then(|_| block_trailer(&bytes, format));
        found
            .is_some_and(|(size, trailer)| size == entry.stored && self.is_its_own(entry, &trailer))
    }

    /// Whether the whole block is where `shift` has it.
    fn is_whole(&self, entry: &BlockEntry, shift: i64) -> bool {
        let Some(ib) = place(entry.block.ib, shift) else {
            return false;
        };
        let moved = BlockEntry {
            block: BlockRef { ib, ..entry.block },
            ..*entry
        };
        let found = block(self.file, self.format(), moved).ok().flatten();
        found.is_some_and(|(data, trailer)| {
            let scheme = self.header.checksums.blocks;
            scheme != Checksum::Meaningless && scheme.fits(&data, trailer.checksum)
        })
    }
}

/// The offset in the file of an original offset, or the reverse by the opposite shift.
fn place(offset: u64, shift: i64) -> Option<u64> {
    offset.checked_add_signed(shift)
}

/// How many blocks to put in front of the border, so that the most fit: each is known to fit the one shift, the other, or
/// both.
fn split(fits: &[(bool, bool)]) -> usize {
    let behind = fits.iter().filter(|(_, after)| *after).count();
    let mut score = behind as i64;
    let (mut best, mut at) = (score, 0);
    for (index, (before, after)) in fits.iter().enumerate() {
        score += i64::from(*before) - i64::from(*after);
        // Where a stretch is doubled, the first copy is as good as the second, and the border is behind it.
        if score >= best {
            (best, at) = (score, index + 1);
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_border_is_where_most_blocks_fit() {
        let (one, other, both, none) = ((true, false), (false, true), (true, true), (false, false));
        assert_eq!(split(&[one, one, other, other]), 2);
        assert_eq!(split(&[one, both, both, other]), 3);
        assert_eq!(split(&[one, other, one, one, none, other]), 5);
        assert_eq!(split(&[other, other]), 0);
        assert_eq!(split(&[]), 0);
    }
}
