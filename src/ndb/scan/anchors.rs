//! What shows where parts of a file were when it was written, at any byte offset: allocation maps, whose id is their own
//! offset; and pages of the B-trees, whose offset stands in the page above them and in their signature. Of trees that are whole, what
//! they do not name says nothing: it is older, or of another file, a stretch of which was put in.
//! [MS-PST] 2.2.2.7.1, 2.2.2.7.2

use std::collections::HashSet;

use memchr::memchr3_iter;

use super::memory::Memory;
use super::pages::read;
use super::trailer::page_trailer;
use crate::bytes::{u8_at, u16_at, u32_at, uint_at};
use crate::ndb::amap::{AllocationMap, PTYPE};
use crate::ndb::crc::{Checksums, signature};
use crate::ndb::format::Format;
use crate::ndb::header::Header;
use crate::ndb::ids::{BlockId, BlockRef};
use crate::ndb::page::parse_btree_page;
use crate::ndb::page_type::PageType;
use crate::ndb::source::Source;
use crate::ndb::watch::Watch;

/// Bytes read at a time.
const CHUNK: usize = 4 << 20;
/// Pages are checked over so many times the bytes of the file at the most: real data has one place in 20,000 that looks
/// like the end of a page, data made on purpose has one in every byte.
const CHECKS: u64 = 4;
/// What may be checked of a small file, in bytes.
const LEAST_CHECKS: u64 = 64 << 20;
/// No tree has more levels.
const MAX_LEVELS: u8 = 8;
/// Places that pages above may name for one page: it has one, and one more for each time it was moved.
const MOST_PLACES: usize = 8;
/// As many anchors as a map or an intact header counts: neither is an accident.
pub(super) const SURE: usize = 2;
/// Shifts that are considered, those that most anchors have.
pub(super) const MOST_SHIFTS: usize = 64;

/// Something that stood at byte `place` of the file when it was written, and is at byte `at` now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Anchor {
    pub(super) place: u64,
    pub(super) at: u64,
}

impl Anchor {
    /// By how much it has moved towards the end of the file.
    pub(super) fn shift(&self) -> i64 {
        self.at.wrapping_sub(self.place).cast_signed()
    }
}

/// An intact page of a B-tree, wherever it was.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) at: u64,
    pub(super) is_block_leaf: bool,
    pub(super) bid: BlockId,
    page_type: PageType,
    signature: u16,
    /// Pages that it names.
    children: Box<[BlockRef]>,
}

/// All that a search has found.
pub(super) struct Marks {
    format: &'static Format,
    checksums: Checksums,
    maps: Vec<Anchor>,
    pub(super) pages: Vec<Mark>,
    pub(super) memory: Memory,
    /// Bytes that may still be checked.
    checks: u64,
}

/// Searches all of `source`, which is read as it lies.
pub(super) fn marks(source: &Source, header: &Header, watch: &dyn Watch) -> Marks {
    let format = header.format;
    let mut marks = Marks {
        format,
        checksums: header.checksums,
        maps: Vec::new(),
        pages: Vec::new(),
        memory: Memory::of_scan(source),
        checks: source.len().saturating_mul(CHECKS).max(LEAST_CHECKS),
    };
    let mut buffer = Vec::new();
    let (mut base, mut next) = (0, 0);
    while next < source.len() {
        watch.progress(next, source.len());
        let length = (source.len() - next).min(CHUNK as u64) as usize;
        let kept = buffer.len();
        buffer.resize(kept + length, 0);
        read(source, buffer.get_mut(kept..).unwrap_or_default(), next);
        marks.look(&buffer, base);
        next += length as u64;
        // Less than a page: what is whole in it has been seen.
        let seen = buffer.len().saturating_sub(format.page_size - 1);
        buffer.drain(..seen);
        base += seen as u64;
    }
    watch.progress(source.len(), source.len());
    marks
}

impl Marks {
    /// Takes the pages in `bytes`, which begin at byte `base` of the file.
    fn look(&mut self, bytes: &[u8], base: u64) {
        let (nbt, bbt) = (PageType::Nbt.code(), PageType::Bbt.code());
        for at in memchr3_iter(PTYPE, nbt, bbt, bytes) {
            let code = bytes.get(at).copied();
            if code != bytes.get(at + 1).copied() {
                continue;
            }
            let page = at.checked_sub(self.format.page_data).and_then(|start| {
                let page = bytes.get(start..start + self.format.page_size)?;
                Some((base + start as u64, page))
            });
            let Some((at, page)) = page else {
                continue;
            };
            if code == Some(PTYPE) {
                self.take_map(page, at);
            } else {
                let types = [PageType::Nbt, PageType::Bbt];
                let page_type = types.into_iter().find(|kind| code == Some(kind.code()));
                page_type.and_then(|page_type| self.take_page(page, page_type, at));
            }
        }
    }

    /// Whether the page is intact, as long as checks last.
    fn is_intact(&mut self, page: &[u8]) -> bool {
        let data = page.get(..self.format.page_data).unwrap_or_default();
        let Some(left) = self.checks.checked_sub(data.len() as u64) else {
            return false;
        };
        self.checks = left;
        let stored = u32_at(page, self.format.page_crc);
        stored.is_some_and(|stored| self.checksums.pages.fits(data, stored))
    }

    fn take_map(&mut self, page: &[u8], at: u64) {
        let format = self.format;
        let place = uint_at(page, format.page_bid, format.word).unwrap_or_default();
        let is_map = u16_at(page, format.page_data + 2) == Some(0)
            && AllocationMap::place(format, place) == Some(place);
        if is_map && self.is_intact(page) && self.memory.take(SURE * size_of::<Anchor>()) {
            self.maps.push(Anchor { place, at });
        }
    }

    fn take_page(&mut self, page: &[u8], page_type: PageType, at: u64) -> Option<()> {
        let format = self.format;
        let width = format.btree_count_width;
        let level = u8_at(page, format.btree_count + 2 * width + 1)?;
        let count = uint_at(page, format.btree_count, width)?;
        let size = u64::from(u8_at(page, format.btree_count + 2 * width)?);
        let fits = count.saturating_mul(size) <= format.btree_entries as u64;
        if level >= MAX_LEVELS || !fits || !self.is_intact(page) {
            return None;
        }
        let unchecked = &Checksums::UNCHECKED;
        let parsed = parse_btree_page(page.into(), format, unchecked, page_type, at).ok()?;
        let trailer = page_trailer(page, format)?;
        let children = match level {
            0 => 0,
            _ => parsed.len(),
        };
        let bytes = size_of::<Mark>() + size_of::<Anchor>() + children * size_of::<BlockRef>();
        if self.memory.take(bytes) {
            let named = (0..children).filter_map(|index| parsed.child(index));
            self.pages.push(Mark {
                at,
                is_block_leaf: level == 0 && page_type == PageType::Bbt,
                bid: trailer.bid,
                page_type,
                signature: trailer.signature,
                children: named.map(|child| child.page).collect(),
            });
        }
        Some(())
    }

    /// Everything whose place is known, and its shifts, those of most anchors first. `known` are places
    /// that are known otherwise.
    pub(super) fn anchors(&mut self, header: &Header, known: &[Anchor]) -> (Vec<Anchor>, Vec<i64>) {
        let trees = header
            .roots()
            .map(|(page_type, root)| (page_type, self.whole_tree(root)));
        let mut named: Vec<BlockRef> = Vec::new();
        for (page_type, whole) in &trees {
            let pages = self.pages.iter();
            let pages = pages.filter(|page| page.page_type == *page_type);
            match whole {
                Some(whole) => named.extend(whole),
                None => named.extend(pages.flat_map(|page| &*page.children)),
            }
        }
        named.extend(header.roots().map(|(_, root)| root));
        named.sort_unstable_by_key(|named| (named.bid, named.ib));
        named.dedup();
        let is_whole = |page: &&Mark| {
            let mut trees = trees.iter();
            trees.any(|(page_type, whole)| *page_type == page.page_type && whole.is_some())
        };
        let mut anchors = known.to_vec();
        let mut unnamed = Vec::new();
        for page in &self.pages {
            let first = named.partition_point(|named| named.bid < page.bid);
            let places = named.get(first..).unwrap_or_default().iter();
            let places = places.take_while(|named| named.bid == page.bid);
            let mut places = places
                .take(MOST_PLACES)
                .map(|named| named.ib)
                .filter(|place| self.can_be(page, *place));
            match (places.next(), places.next()) {
                (Some(place), None) => anchors.push(Anchor { place, at: page.at }),
                // What a tree that is whole does not name, is older, or another file's.
                _ if is_whole(&page) => {}
                _ => unnamed.push(page),
            }
        }
        let are_whole = trees.iter().all(|(_, whole)| whole.is_some());
        let mut maps = std::mem::take(&mut self.maps);
        if are_whole {
            keep_own(&mut maps, &anchors);
        }
        anchors.extend(maps.iter().flat_map(|map| std::iter::repeat_n(*map, SURE)));
        let shifts = most_frequent(&anchors);
        for page in unnamed {
            let places = shifts.iter().filter_map(|shift| {
                let place = page.at.checked_add_signed(shift.checked_neg()?)?;
                self.can_be(page, place).then_some(place)
            });
            anchors.extend(places.take(1).map(|place| Anchor { place, at: page.at }));
        }
        anchors.retain(|anchor| shifts.contains(&anchor.shift()));
        anchors.sort_unstable();
        // What other pages list is not where this file has it, either.
        let is_own = |page: &Mark| {
            let first = named.partition_point(|named| named.bid < page.bid);
            let places = named.get(first..).unwrap_or_default().iter();
            let mut places = places.take_while(|named| named.bid == page.bid);
            !is_whole(&page) || places.any(|named| self.can_be(page, named.ib))
        };
        let own: Vec<bool> = self.pages.iter().map(is_own).collect();
        let mut own = own.into_iter();
        self.pages.retain(|_| own.next().unwrap_or(true));
        (anchors, shifts)
    }

    /// All pages that the tree below `root` names, if they are all there, wherever that is.
    fn whole_tree(&self, root: BlockRef) -> Option<Vec<BlockRef>> {
        let mut by_id: Vec<&Mark> = self.pages.iter().collect();
        by_id.sort_by_key(|page| page.bid);
        let mut all = vec![root];
        let mut next = 0;
        while let Some(named) = all.get(next).copied() {
            next += 1;
            // No more than there are, or some are named twice.
            if all.len() > self.pages.len() {
                return None;
            }
            let first = by_id.partition_point(|page| page.bid < named.bid);
            let pages = by_id.get(first..).unwrap_or_default().iter();
            let mut pages = pages.take_while(|page| page.bid == named.bid);
            let page = pages.find(|page| self.can_be(page, named.ib))?;
            all.extend(&*page.children);
        }
        Some(all)
    }

    /// Whether `page` can have stood at `place`.
    fn can_be(&self, page: &Mark, place: u64) -> bool {
        place.is_multiple_of(self.format.page_size as u64)
            && (!self.checksums.signatures || page.signature == signature(place, page.bid))
    }
}

/// Drops those of `maps` that are another file's: there is another one of the same place, which has moved as a part of what is
/// known of this one.
fn keep_own(maps: &mut Vec<Anchor>, known: &[Anchor]) {
    let shifts: HashSet<i64> = known.iter().map(Anchor::shift).collect();
    let is_sure = |map: &Anchor| shifts.contains(&map.shift());
    let sure = maps.iter().filter(|map| is_sure(map));
    let places: HashSet<u64> = sure.map(|map| map.place).collect();
    maps.retain(|map| is_sure(map) || !places.contains(&map.place));
}

/// The shifts of `anchors`, the most frequent first.
fn most_frequent(anchors: &[Anchor]) -> Vec<i64> {
    let mut shifts: Vec<i64> = anchors.iter().map(Anchor::shift).collect();
    shifts.sort_unstable();
    let runs = shifts.chunk_by(|one, next| one == next);
    let mut counted: Vec<(usize, i64)> = runs
        .filter_map(|run| Some((run.len(), *run.first()?)))
        .collect();
    counted.sort_by_key(|(count, shift)| (std::cmp::Reverse(*count), shift.unsigned_abs(), *shift));
    let most = counted.into_iter().take(MOST_SHIFTS);
    most.map(|(_, shift)| shift).collect()
}
