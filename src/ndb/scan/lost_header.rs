//! A file whose header is lost, wrong, or not at its beginning: its format shows in the layout of its pages, its encoding
//! in its heaps. [MS-PST] 2.2.2.7.2, 2.3.1.2

use memchr::memmem;

use super::pages::{Found, read, scan};
use super::samples::{self, METHODS};
use crate::bytes::{u8_at, u32_at, uint_at};
use crate::error::{Error, Result};
use crate::ndb::amap::{AllocationMap, PTYPE};
use crate::ndb::block::read_block;
use crate::ndb::crc::{Checksum, Checksums, crc};
use crate::ndb::crypt::{self, CryptMethod};
use crate::ndb::format::{ANSI, Format, UNICODE, UNICODE_4K};
use crate::ndb::header::Header;
use crate::ndb::header::{Client, MAGIC};
use crate::ndb::ids::{BlockRef, NodeId};
use crate::ndb::page::read_btree_page;
use crate::ndb::page_type::PageType;
use crate::ndb::pieces::{Piece, Pieces};
use crate::ndb::source::Source;
use crate::ndb::watch::Watch;

static FORMATS: [&Format; 3] = [&UNICODE, &UNICODE_4K, &ANSI];
/// Allocation maps that are looked for at the beginning, where files that were not copied to their end have them, and in all of the
/// file, of which a part may be overwritten.
const FIRST_AMAPS: u64 = 8;
const AMAPS_TRIED: u64 = 64;
/// Bytes of a file that may have its only allocation map where it is overwritten: to scan all of it takes a moment.
const SMALL: u64 = 64 << 20;
/// Blocks that are looked at to tell the encoding.
const SAMPLES: usize = 2000;
/// Where a header is looked for that is not at the beginning, in bytes, and how many places that look like one are tried.
const FRONT: usize = 16 << 20;
const FRONT_TRIED: usize = 64;

/// The format whose allocation maps are where they must be: some reads tell it, so that no other large file is
/// scanned in vain.
pub(crate) fn format(source: &Source) -> Option<&'static Format> {
    let start = source.pieces().next_stored(0)?.start;
    FORMATS.into_iter().find(|format| {
        let interval = AllocationMap::interval(format);
        let lost = start.saturating_sub(format.first_amap).div_ceil(interval);
        let end = source
            .len()
            .saturating_sub(format.first_amap)
            .div_ceil(interval);
        let step = end.saturating_sub(lost).div_ceil(AMAPS_TRIED).max(1);
        let first = lost..end.min(lost.saturating_add(FIRST_AMAPS));
        let mut tried = first.chain((lost..end).step_by(step as usize));
        tried.any(|index| is_amap(source, format, format.first_amap + index * interval))
    })
}

/// Whether a file without allocation maps is worth a scan in each format that nobody has asked for.
pub(crate) fn is_small(source: &Source) -> bool {
    source.len() <= SMALL
}

pub(super) fn is_amap(source: &Source, format: &Format, ib: u64) -> bool {
    let mut page = vec![0; format.page_size];
    ib < source.len()
        && source.read_exact_at(&mut page, ib).is_ok()
        && place_of_amap(format, &page) == Some(ib)
}

/// The place of the allocation map `page`, which it states itself; None if it is none.
fn place_of_amap(format: &Format, page: &[u8]) -> Option<u64> {
    let is_typed = [0, 1].map(|index| u8_at(page, format.page_data + index)) == [Some(PTYPE); 2];
    let place = uint_at(page, format.page_bid, format.word).filter(|_| is_typed)?;
    let is_one = AllocationMap::place(format, place) == Some(place)
        && page.get(..format.page_data).map(crc) == u32_at(page, format.page_crc);
    is_one.then_some(place)
}

/// The format in which most pages are whole, or else most blocks, by a scan in each: for a file whose allocation maps are lost too.
pub(crate) fn format_by_scan(source: &Source, watch: &dyn Watch) -> Option<&'static Format> {
    FORMATS
        .into_iter()
        .map(|format| {
            let found = scan(source, format, &Checksums::default(), watch);
            let pages = found.nbt.len() + found.bbt.len();
            ((pages, found.blocks.len()), format)
        })
        .filter(|(whole, _)| *whole != (0, 0))
        .max_by_key(|(whole, _)| *whole)
        .map(|(_, format)| format)
}

/// The header under the format in which it names two pages that are roots, whatever its other fields are.
pub(crate) fn by_roots(source: &Source) -> Result<Option<Header>> {
    for format in FORMATS {
        if let Some(header) = header_as(source, format)?
            && samples::has_roots(source, &header)?
        {
            return Ok(Some(header));
        }
    }
    Ok(None)
}

/// The header as one of `format`; None if the file is too short for one.
pub(crate) fn header_as(source: &Source, format: &'static Format) -> Result<Option<Header>> {
    match Header::read_as(source, format) {
        Ok(header) => Ok(Some(header)),
        Err(error) if error.is_unread() => Err(error),
        Err(_) => Ok(None),
    }
}

/// The header if only the magic in front of it is wrong: its CRCs, which do not cover that, are right.
pub(crate) fn by_checksums(source: &Source) -> Option<Header> {
    let header = Header::read_behind_magic(source).ok()?;
    (header.checksums.header == Checksum::Crc && header.crc_valid).then_some(header)
}

/// The file at its own offsets, if something stands in front of its header, or its beginning is lost.
pub(crate) fn moved(source: &Source) -> Option<Source> {
    let length = usize::try_from(source.len()).unwrap_or(FRONT).min(FRONT);
    let mut front = vec![0; length];
    read(source, &mut front, 0);
    behind_front(source, &front).or_else(|| by_first_amap(source, &front))
}

/// The file at its own offsets, if the first allocation map in its `front` is not where it states to be: its beginning
/// is lost, or something stands in front of it.
fn by_first_amap(source: &Source, front: &[u8]) -> Option<Source> {
    let amap_in_front = |format: &Format, end: usize| {
        let at = end.checked_sub(format.page_data)?;
        let page = front.get(at..at + format.page_size)?;
        Some((place_of_amap(format, page)?, at as u64))
    };
    let (place, at) = memchr::memchr_iter(PTYPE, front).find_map(|end| {
        let mut formats = FORMATS.into_iter();
        formats.find_map(|format| amap_in_front(format, end))
    })?;
    let (start, skipped) = (place.saturating_sub(at), at.saturating_sub(place));
    let piece = Piece {
        original: start..start.checked_add(source.len() - skipped)?,
        at: skipped,
    };
    (place != at).then(|| source.with_pieces(Pieces::new(vec![piece])))
}

/// The file behind what stands in front of its header, if it has one in its `front`.
fn behind_front(source: &Source, front: &[u8]) -> Option<Source> {
    let places = memmem::find_iter(front, MAGIC).filter(|at| *at > 0);
    let mut places = places.take(FRONT_TRIED).map(|at| {
        let at = at as u64;
        source.with_pieces(Pieces::new(vec![Piece {
            original: 0..source.len() - at,
            at,
        }]))
    });
    places.find(|behind| {
        let header = Header::read(behind);
        header.is_ok_and(|header| {
            header.crc_valid || samples::has_roots(behind, &header).unwrap_or(false)
        })
    })
}

/// A header for a file of which a scan found `found`; None when no encoding makes sense of its blocks.
pub(crate) fn header(source: &Source, format: &'static Format, found: &Found) -> Option<Header> {
    let crypt = method(source, format, found)?;
    // Only an offline store keeps its mail below this node.
    let is_ost = format.compressed || has_node(source, format, found, NodeId::OST_IPM_SUBTREE);
    let client = if is_ost { Client::Ost } else { Client::Pst };
    Some(Header::made_up(format, client, crypt))
}

fn has_node(source: &Source, format: &'static Format, found: &Found, nid: NodeId) -> bool {
    let key = u64::from(nid.0);
    let leaves = found.nbt.iter().filter(|page| page.level == 0);
    let mut covering = leaves.filter(|page| (page.first..=page.last).contains(&key));
    covering.any(|page| {
        let at = BlockRef {
            bid: page.bid,
            ib: page.ib,
        };
        let leaf = read_btree_page(source, format, &Checksums::default(), PageType::Nbt, at);
        leaf.is_ok_and(|leaf| (0..leaf.len()).any(|index| leaf.key(index) == Some(key)))
    })
}

/// The encoding under which most blocks are heaps.
fn method(source: &Source, format: &'static Format, found: &Found) -> Option<CryptMethod> {
    let mut votes = [0usize; METHODS.len()];
    let external = found
        .blocks
        .iter()
        .filter(|block| !block.bid().is_internal());
    for block in external.take(SAMPLES) {
        let Ok(stored) = read_block(source, format, &Checksums::default(), block.entry()) else {
            continue;
        };
        for (vote, method) in votes.iter_mut().zip(METHODS) {
            *vote += usize::from(crypt::is_heap(method, block.bid(), &stored));
        }
    }
    let (votes, method) = votes
        .into_iter()
        .zip(METHODS)
        .max_by_key(|(votes, _)| *votes)?;
    (votes > 0).then_some(method)
}

/// Whether an error of [`Header::read`] may come from damage, not from a file of another kind.
pub(crate) fn may_be_damage(error: &Error) -> bool {
    matches!(
        error,
        Error::NotOutlook(_) | Error::Unsupported(_) | Error::Corrupt(_)
    )
}
