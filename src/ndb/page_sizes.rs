//! Number and size of the entries of a B-tree page, and its level. [MS-PST] 2.2.2.7.7.1
//!
//! One of these may be wrong under a CRC that is right. They tell of each other: all writers give entries one size in each kind
//! of page, put into `cEntMax` how many of these fit, and only an entry of a leaf of the block B-tree names a place and a
//! size that a block can have.

use super::format::Format;
use super::page_type::PageType;
use crate::bytes::{u8_at, u16_at, uint_at};

/// The sizes of a page as they are to be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Number of entries.
    pub(super) count: usize,
    /// Bytes of an entry.
    pub(super) entry: usize,
    /// `cLevel`; 1 if it is known only that the page is no leaf.
    pub(super) level: u8,
    /// The field that is wrong, what it should have, and what it has.
    pub(super) wrong: Option<(&'static str, u64, u64)>,
}

impl Sizes {
    /// None when `bytes` are too short for a page.
    pub(super) fn of(bytes: &[u8], format: &Format, page_type: PageType) -> Option<Self> {
        let width = format.btree_count_width;
        let count = uint_at(bytes, format.btree_count, width)?;
        let most = uint_at(bytes, format.btree_count + width, width)?;
        let size = u8_at(bytes, format.btree_count + 2 * width)?;
        let stored_level = u8_at(bytes, format.btree_count + 2 * width + 1)?;
        let mut wrong = None;
        let mut level = stored_level;
        if !is_of_level(bytes, format, page_type, level) {
            level = u8::from(level == 0);
            wrong = Some(("cLevel", u64::from(level), u64::from(stored_level)));
        }
        let usual = entry_size(format, page_type, level);
        let mut entry = usize::from(size);
        let is_usual = entry == usual;
        // Other writers may put more behind what is used.
        let can_be = entry >= least_entry_size(format, page_type, level)
            && most != (format.btree_entries / usual) as u64;
        if !is_usual && !can_be {
            wrong.get_or_insert(("cbEnt", usual as u64, entry as u64));
            entry = usual;
        }
        let room = format.btree_entries / entry;
        let mut number = usize::try_from(count).ok()?;
        if number > room {
            number = room.min(usize::try_from(most).ok()?);
            wrong.get_or_insert(("cEnt", number as u64, count));
        }
        Some(Self {
            count: number,
            entry,
            level,
            wrong,
        })
    }
}

/// Whether a page can be a leaf, if that is what `level` says, or can be none. Where entries of both have one size, those of a
/// leaf of the block B-tree show what they are.
fn is_of_level(bytes: &[u8], format: &Format, page_type: PageType, level: u8) -> bool {
    let width = format.btree_count_width;
    let size = u8_at(bytes, format.btree_count + 2 * width).map(usize::from);
    let [leaf, other] = [0, 1].map(|level| entry_size(format, page_type, level));
    let is_leaf = level == 0;
    if page_type == PageType::Nbt {
        let (own, others) = if is_leaf {
            (leaf, other)
        } else {
            (other, leaf)
        };
        let most = uint_at(bytes, format.btree_count + width, width);
        let fits = |size: usize| most == Some((format.btree_entries / size) as u64);
        // One of the three may be wrong.
        return size == Some(own) || size != Some(others) || !fits(others);
    }
    let word = format.word;
    let names_block = |entry: &[u8]| {
        let (ib, cb) = (uint_at(entry, word, word), u16_at(entry, 2 * word));
        let is_place = ib.is_some_and(|ib| ib > 0 && ib.is_multiple_of(format.block_align as u64));
        is_place && cb.is_some_and(|cb| (1..=format.block_payload).contains(&cb.into()))
    };
    let names_page = |entry: &[u8]| {
        let ib = uint_at(entry, 2 * word, word);
        ib.is_some_and(|ib| ib > 0 && ib.is_multiple_of(format.page_size as u64))
    };
    let count = uint_at(bytes, format.btree_count, width).unwrap_or(0);
    let entries = || {
        let entries = bytes.get(..format.btree_entries).unwrap_or_default();
        entries.chunks_exact(leaf).take(count as usize)
    };
    let blocks = entries().filter(|entry| names_block(entry)).count();
    let pages = entries().filter(|entry| names_page(entry)).count();
    if is_leaf {
        blocks >= pages
    } else {
        pages >= blocks
    }
}

/// Bytes of an entry as all writers lay it out.
pub(super) fn entry_size(format: &Format, page_type: PageType, level: u8) -> usize {
    least_entry_size(format, page_type, level).next_multiple_of(format.word)
}

/// Bytes of an entry that the reader uses; what follows is padding and may be garbage.
pub(super) fn least_entry_size(format: &Format, page_type: PageType, level: u8) -> usize {
    match (level, page_type) {
        (0, PageType::Bbt) if format.compressed => 22,
        (0, PageType::Bbt) => 2 * format.word + 4,
        (0, PageType::Nbt) => 3 * format.word + 4,
        _ => 3 * format.word,
    }
}
