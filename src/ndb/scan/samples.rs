//! How a file fills the trailers of its pages and blocks, and how it encodes its blocks, by a sample of them. Nothing
//! is sampled unless something does not fit.

use std::sync::Arc;

use super::trailer::{Trailer, block, page, page_trailer};
use crate::error::Result;
use crate::ndb::block::read_block;
use crate::ndb::crc::{Checksum, Checksums, crc};
use crate::ndb::crypt::{self, CryptMethod};
use crate::ndb::database::NodeDatabase;
use crate::ndb::header::Header;
use crate::ndb::ids::BlockRef;
use crate::ndb::page::BTreePage;
use crate::ndb::page::BlockEntry;
use crate::ndb::page_type::PageType;
use crate::ndb::source::Source;

/// Pages of one level of a tree, blocks and heaps that are looked at.
const SAMPLES: usize = 64;
/// So many checksums that fit nothing are no damage, if the rest of their trailers is right.
const ENOUGH: usize = 16;
/// Fewer prove nothing.
const LEAST: usize = 2;
pub(super) const METHODS: [CryptMethod; 3] =
    [CryptMethod::Permute, CryptMethod::None, CryptMethod::Cyclic];

/// Checksums of one kind of structure, counted.
#[derive(Debug, Default)]
struct Tally {
    seen: usize,
    right: usize,
    standard: usize,
    first: Option<u32>,
    same_as_first: usize,
}

impl Tally {
    fn add(&mut self, data: &[u8], stored: u32) {
        // Of zeros the CRC is zero, so these do not tell it from one that was never written.
        if crc(data) == 0 {
            return;
        }
        self.seen += 1;
        self.right += usize::from(Checksum::Crc.fits(data, stored));
        self.standard += usize::from(Checksum::Standard.fits(data, stored));
        self.same_as_first += usize::from(*self.first.get_or_insert(stored) == stored);
    }

    /// Random damage leaves some right, and makes no two the same: either keeps the CRC of the format.
    fn scheme(&self) -> Checksum {
        let most = |count: usize| count * 4 >= self.seen * 3;
        if self.seen < LEAST || self.right > 0 {
            Checksum::Crc
        } else if most(self.standard) {
            Checksum::Standard
        } else if most(self.same_as_first) || (self.seen >= ENOUGH && self.standard == 0) {
            Checksum::Meaningless
        } else {
            Checksum::Crc
        }
    }
}

/// The checksums and signatures of pages and blocks that are right in all else.
pub(crate) fn checksums(source: &Source, header: &Header) -> Result<Checksums> {
    let (mut pages, mut blocks) = (Tally::default(), Tally::default());
    let (mut signed, mut unsigned) = (0usize, 0usize);
    let mut count = |trailer: Trailer, at: BlockRef| {
        let is_signed = trailer.is_signed(at.ib);
        signed += usize::from(is_signed && trailer.signature != 0);
        unsigned += usize::from(!is_signed && trailer.signature == 0);
        trailer.bid.key() == at.bid.key() && (is_signed || trailer.signature == 0)
    };
    for page_type in [PageType::Nbt, PageType::Bbt] {
        for (at, bytes, page) in walk(source, header, page_type)? {
            let Some(trailer) = page_trailer(&bytes, header.format) else {
                continue;
            };
            if count(trailer, at) {
                let data = bytes.get(..header.format.page_data).unwrap_or_default();
                pages.add(data, trailer.checksum);
            }
            // All entries of a file of few pages are few blocks.
            let entries = (0..page.len()).filter_map(|index| page.block(index));
            let is_leaf = page_type == PageType::Bbt && page.level == 0;
            for entry in entries.filter(|_| is_leaf).take(SAMPLES) {
                if blocks.seen >= SAMPLES {
                    break;
                }
                if let Some((data, trailer)) = block(source, header.format, entry)?
                    && count(trailer, entry.block)
                {
                    blocks.add(&data, trailer.checksum);
                }
            }
        }
    }
    Ok(Checksums {
        pages: pages.scheme(),
        blocks: blocks.scheme(),
        signatures: signed > 0 || unsigned < LEAST,
        ..header.checksums
    })
}

/// The method under which most heaps of the file are heaps; that of the header, if it has one and no other does better.
/// None if there is no heap under any.
pub(crate) fn crypt_method(ndb: &NodeDatabase) -> Result<Option<CryptMethod>> {
    let header = ndb.header();
    let mut votes = [0usize; METHODS.len()];
    let mut looked_at = 0;
    for (_, _, page) in walk(ndb.source(), header, PageType::Nbt)? {
        let nodes = (0..page.len()).filter_map(|index| page.node(index));
        let is_leaf = page.level == 0;
        for node in nodes.filter(|node| is_leaf && !node.data.is_none()) {
            if looked_at >= SAMPLES || node.data.is_internal() {
                continue;
            }
            let stored = ndb.find_block(node.data).and_then(|entry| {
                let read =
                    |entry| read_block(ndb.source(), header.format, &Checksums::UNCHECKED, entry);
                entry.map(read).transpose()
            });
            match stored {
                Ok(Some(stored)) => {
                    looked_at += 1;
                    for (vote, method) in votes.iter_mut().zip(METHODS) {
                        *vote += usize::from(crypt::is_heap(method, node.data.key(), &stored));
                    }
                }
                Err(error) if error.is_unread() => return Err(error),
                Ok(None) | Err(_) => {}
            }
        }
    }
    let is_declared = |method: CryptMethod| method as u8 == header.crypt_stored;
    let counted = votes.into_iter().zip(METHODS);
    let best = counted.max_by_key(|(votes, method)| (*votes, is_declared(*method)));
    Ok(best
        .filter(|(votes, _)| *votes > 0)
        .map(|(_, method)| method))
}

/// Whether the block of `entry` is a whole one by its trailer, and begins like a heap under the method of the header.
pub(crate) fn is_heap(ndb: &NodeDatabase, entry: BlockEntry) -> Result<bool> {
    let header = ndb.header();
    match read_block(ndb.source(), header.format, &header.checksums, entry) {
        Ok(stored) => Ok(crypt::is_heap(header.crypt, entry.block.bid, &stored)),
        Err(error) if error.is_unread() => Err(error),
        Err(_) => Ok(false),
    }
}

/// Whether the roots of both trees that `header` names are such pages: in all but the checksum at the least.
pub(crate) fn has_roots(source: &Source, header: &Header) -> Result<bool> {
    let format = header.format;
    for (page_type, at) in header.roots() {
        let is_root = page(source, format, page_type, at)?.is_some_and(|(bytes, _)| {
            page_trailer(&bytes, format).is_some_and(|trailer| {
                trailer.bid == at.bid && (trailer.is_signed(at.ib) || trailer.signature == 0)
            })
        });
        if !is_root {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the pages and blocks of the block B-tree that lie last in the file are where it states. What lies behind the end
/// of the file does not count.
pub(crate) fn are_in_place(source: &Source, header: &Header) -> Result<bool> {
    let format = header.format;
    let is_inside = |at: u64, size: usize| {
        let end = at.checked_add(size as u64);
        end.is_some_and(|end| end <= source.len())
    };
    let mut entries = Vec::new();
    for (_, _, parent) in walk(source, header, PageType::Bbt)? {
        if parent.level == 0 {
            entries.extend((0..parent.len()).filter_map(|index| parent.block(index)));
            continue;
        }
        let children = (0..parent.len()).filter_map(|index| parent.child(index));
        for child in children.take(SAMPLES) {
            if is_inside(child.page.ib, format.page_size)
                && page(source, format, PageType::Bbt, child.page)?.is_none()
            {
                return Ok(false);
            }
        }
    }
    entries.retain(|entry| is_inside(entry.block.ib, format.block_extent(entry.stored.into())));
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.block.ib));
    for entry in entries.into_iter().take(SAMPLES) {
        let found = block(source, format, entry)?;
        if found.is_none_or(|(_, trailer)| trailer.bid.key() != entry.block.bid) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A page with its place, as stored and parsed.
type Sampled = (BlockRef, Arc<[u8]>, BTreePage);

/// Some pages of each level of a tree, from the root down; the leaves are at the end.
fn walk(source: &Source, header: &Header, page_type: PageType) -> Result<Vec<Sampled>> {
    let roots = header.roots().into_iter();
    let mut level: Vec<BlockRef> = roots
        .filter(|(of, _)| *of == page_type)
        .map(|(_, at)| at)
        .collect();
    let mut above = None;
    let mut found = Vec::new();
    while !level.is_empty() {
        let mut children = Vec::new();
        let mut reached = None;
        for at in spread(&level) {
            let Some((bytes, page)) = page(source, header.format, page_type, at)? else {
                continue;
            };
            // Levels fall by one, so this ends.
            if above.is_some_and(|above: u8| above.checked_sub(1) != Some(page.level)) {
                continue;
            }
            reached = Some(page.level);
            if page.level > 0 {
                let entries = (0..page.len()).filter_map(|index| page.child(index));
                children.extend(entries.map(|child| child.page));
            }
            found.push((at, bytes, page));
        }
        above = reached;
        level = children;
    }
    Ok(found)
}

/// At most [`SAMPLES`] of `all`, evenly.
fn spread<T: Copy>(all: &[T]) -> impl Iterator<Item = T> + '_ {
    let step = all.len().div_ceil(SAMPLES).max(1);
    all.iter().step_by(step).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(samples: &[(&[u8], u32)]) -> Checksum {
        let mut tally = Tally::default();
        for (data, stored) in samples {
            tally.add(data, *stored);
        }
        tally.scheme()
    }

    #[test]
    fn checksums_that_are_wrong_in_one_way_are_told_from_damage() {
        let standard = |data: &[u8]| crc32fast::hash(data);
        let (one, two): (&[u8], &[u8]) = (b"one", b"two");
        assert_eq!(tally(&[(one, 0), (two, 0)]), Checksum::Meaningless);
        let samples = [(one, standard(one)), (two, standard(two))];
        assert_eq!(tally(&samples), Checksum::Standard);
        // One that is right tells that the others are damaged.
        assert_eq!(tally(&[(one, 0), (two, crc(two))]), Checksum::Crc);
        assert_eq!(tally(&[(one, 1), (two, 2)]), Checksum::Crc);
        // Nothing is to be seen, or too little.
        assert_eq!(tally(&[(one, 0), (&[0; 9], 0)]), Checksum::Crc);
        assert_eq!(tally(&[]), Checksum::Crc);
    }
}
