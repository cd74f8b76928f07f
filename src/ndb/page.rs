//! Pages: trailer checks and the entries of B-tree pages. [MS-PST] 2.2.2.7

use std::sync::Arc;

use super::crc::{Checksums, crc, signature};
use super::format::Format;
use super::ids::{BlockId, BlockRef, NodeId};
use super::page_sizes::{Sizes, entry_size};
use super::page_type::PageType;
use super::source::Source;
use crate::bytes::{u8_at, u16_at, u32_at, uint_at};
use crate::error::{Error, Result};

/// A checked page of one of the two B-trees.
#[derive(Debug, Clone)]
pub struct BTreePage {
    bytes: Arc<[u8]>,
    format: &'static Format,
    /// Which of the two B-trees it is of.
    pub page_type: PageType,
    /// Where the page stands, for messages.
    pub ib: u64,
    /// `bid` of the trailer: the higher, the newer the page.
    pub bid: BlockId,
    /// `cLevel`: 0 for a leaf.
    pub level: u8,
    /// What is wrong with it, if the CRC vouches for the entries all the same: one other field of the trailer, or one bit, which
    /// was put right.
    pub flaw: Option<Arc<str>>,
    /// Keys that were not above the one before them. The entries have been put in order since, those of one key as they stood.
    pub misplaced: Box<[u64]>,
    entry_size: usize,
    count: usize,
}

/// BTENTRY: a child page and the smallest key in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildEntry {
    /// Smallest key in the child.
    pub key: u64,
    /// The child.
    pub page: BlockRef,
}

/// BBTENTRY: where a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockEntry {
    /// The block, and its byte offset.
    pub block: BlockRef,
    /// Payload bytes as stored.
    pub stored: u16,
    /// Payload bytes after inflation; equals `stored` unless the block is compressed.
    pub inflated: u16,
    /// `cRef`: references to the block, plus one.
    pub references: u16,
}

/// NBTENTRY: the data and subnodes of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeEntry {
    /// The node.
    pub nid: NodeId,
    /// `bidData`.
    pub data: BlockId,
    /// `bidSub`.
    pub subnodes: BlockId,
    /// `nidParent`: the folder of a folder or message.
    pub parent: NodeId,
}

/// Reads page `at` and checks type, CRC and signature. A `bid` that differs from the trailer's is accepted: real
/// files have parents one commit behind (a torn write), and the CRC vouches for the page. So it does if the `bid` is right
/// and one other field of the trailer is not.
pub fn read_btree_page(
    source: &Source,
    format: &'static Format,
    checksums: &Checksums,
    page_type: PageType,
    at: BlockRef,
) -> Result<BTreePage> {
    let mut bytes = vec![0; format.page_size];
    source.read_exact_at(&mut bytes, at.ib)?;
    parse_named_page(bytes.into(), format, checksums, page_type, at)
}

/// As [`read_btree_page`], of `bytes` that were read.
pub(super) fn parse_named_page(
    bytes: Arc<[u8]>,
    format: &'static Format,
    checksums: &Checksums,
    page_type: PageType,
    at: BlockRef,
) -> Result<BTreePage> {
    let page = parse_btree_page(bytes, format, checksums, page_type, at.ib)?;
    match &page.flaw {
        // A page that was meant for another place.
        Some(flaw) if page.bid != at.bid => Err(Error::corrupt(
            page_type.name(),
            format_args!("offset {:#x}", at.ib),
            flaw,
        )),
        _ => Ok(page),
    }
}

/// Checks a page read from byte offset `ib`. One wrong bit is put right.
pub fn parse_btree_page(
    mut bytes: Arc<[u8]>,
    format: &'static Format,
    checksums: &Checksums,
    page_type: PageType,
    ib: u64,
) -> Result<BTreePage> {
    let wrong = |what: &str, expected: u64, found: u64| {
        Error::corrupt(
            page_type.name(),
            format_args!("offset {ib:#x}"),
            format_args!("{what}: expected {expected:#x}, found {found:#x}"),
        )
    };
    let length = bytes.len() as u64;
    let short = || wrong("size", format.page_size as u64, length);
    let at = format.page_data;
    let code = page_type.code();
    let types = [
        u8_at(&bytes, at).ok_or_else(short)?,
        u8_at(&bytes, at + 1).ok_or_else(short)?,
    ];
    let other_type = types.into_iter().find(|found| *found != code);
    if types.into_iter().all(|found| found != code) {
        return Err(wrong("ptype", code.into(), types[0].into()));
    }
    let stored_crc = u32_at(&bytes, format.page_crc).ok_or_else(short)?;
    let data = bytes.get(..format.page_data).ok_or_else(short)?;
    let mut wrong_crc = None;
    if !checksums.pages.fits(data, stored_crc) {
        let error = wrong("CRC", stored_crc.into(), crc(data).into());
        let Some(wrong_bit) = checksums.pages.wrong_bit(data, stored_crc) else {
            return Err(error);
        };
        let mut right = bytes.to_vec();
        wrong_bit.put_right(&mut right);
        bytes = right.into();
        wrong_crc = Some((error, wrong_bit));
    }
    let bid = BlockId(uint_at(&bytes, format.page_bid, format.word).ok_or_else(short)?);
    let stored_signature = u16_at(&bytes, at + 2).ok_or_else(short)?;
    let wrong_signature = (!checksums.signature_fits(stored_signature, ib, bid)).then(|| {
        let expected = signature(ib, bid);
        ("wSig", expected.into(), stored_signature.into())
    });
    let wrong_type = other_type.map(|found| ("ptype", code.into(), found.into()));
    let sizes = Sizes::of(&bytes, format, page_type).ok_or_else(short)?;
    // If one of these is wrong, the others vouch for the entries.
    let flaw = match (wrong_signature, wrong_type, wrong_crc) {
        (Some((what, expected, found)), Some(_), _) => return Err(wrong(what, expected, found)),
        (Some(_), None, Some((error, _))) | (None, Some(_), Some((error, _))) => return Err(error),
        (None, None, Some((_, wrong_bit))) => Some(format!("CRC: {wrong_bit}")),
        (signature, page_type, None) => {
            let flaw = signature.or(page_type).or(sizes.wrong);
            flaw.map(|(what, expected, found): (&str, u64, u64)| {
                format!("{what}: expected {expected:#x}, found {found:#x}")
            })
        }
    };
    let flaw = flaw.map(Arc::from);
    let page = BTreePage {
        bytes,
        format,
        page_type,
        ib,
        bid,
        level: sizes.level,
        flaw,
        misplaced: Box::default(),
        entry_size: sizes.entry,
        count: sizes.count,
    };
    Ok(page.in_order())
}

/// A page whose checksum does not fit, as far as the rest of its trailer and its sizes tell that it is one: one wrong field
/// of these is not what is damaged. Its entries may be wrong. None when it is no such page.
pub fn parse_damaged_page(
    bytes: &[u8],
    format: &'static Format,
    page_type: PageType,
    ib: u64,
) -> Option<BTreePage> {
    let (at, code) = (format.page_data, Some(page_type.code()));
    let bid = BlockId(uint_at(bytes, format.page_bid, format.word)?);
    let width = format.btree_count_width;
    let sizes = format.btree_count + 2 * width;
    let stored_level = u8_at(bytes, sizes + 1)?;
    let level = Some(stored_level).filter(|level| *level < MAX_LEVELS);
    let entry_size = entry_size(format, page_type, level.unwrap_or(0));
    let room = format.btree_entries / entry_size;
    let count = usize::try_from(uint_at(bytes, format.btree_count, width)?).ok()?;
    let evidence = [
        u8_at(bytes, at) == code || u8_at(bytes, at + 1) == code,
        u16_at(bytes, at + 2) == Some(signature(ib, bid)),
        usize::from(u8_at(bytes, sizes)?) == entry_size,
        level.is_some() && count <= room,
    ];
    let fitting = evidence.into_iter().filter(|fits| *fits).count();
    (fitting + 1 >= evidence.len()).then(|| BTreePage {
        bytes: bytes.into(),
        format,
        page_type,
        ib,
        bid,
        level: level.unwrap_or(0),
        flaw: None,
        misplaced: Box::default(),
        entry_size,
        count: count.min(room),
    })
}

/// The entries of a leaf of the node B-tree whose CRC is wrong, and the id of the page: those that are in order. One of
/// them may still be wrong. None when this is no such leaf.
pub fn parse_damaged_leaf(
    bytes: &[u8],
    format: &'static Format,
    ib: u64,
) -> Option<(BlockId, Vec<NodeEntry>)> {
    let page = parse_damaged_page(bytes, format, PageType::Nbt, ib)?;
    if page.level != 0 {
        return None;
    }
    let entries = (0..page.count).filter_map(|index| page.node(index));
    // What is left of a page that was written over in part has zeros.
    let entries = entries.filter(|entry| entry.nid != NodeId::default());
    Some((page.bid, ascending(entries.collect())))
}

/// The longest list of `entries` whose ids ascend: a wrong id between right ones is left out.
fn ascending(entries: Vec<NodeEntry>) -> Vec<NodeEntry> {
    // Of each entry, how many can stand in front of it, and the last of these.
    let mut best: Vec<(usize, Option<usize>)> = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let before = best.iter().zip(&entries).enumerate().take(index);
        let before = before.filter(|(_, (_, other))| other.nid < entry.nid);
        let longest = before.max_by_key(|(_, ((length, _), _))| *length);
        best.push(match longest {
            Some((before, ((length, _), _))) => (length + 1, Some(before)),
            None => (1, None),
        });
    }
    let last = (0..best.len()).max_by_key(|index| best.get(*index));
    let chain = std::iter::successors(last, |index| best.get(*index)?.1);
    let mut kept: Vec<NodeEntry> = chain
        .filter_map(|index| entries.get(index).copied())
        .collect();
    kept.reverse();
    kept
}

/// Levels of the deepest tree that is followed; a 50 GB file has six.
pub(super) const MAX_LEVELS: u8 = 8;

impl BTreePage {
    /// `cEntMax`: how many entries its writer would put in it; None never.
    pub fn most(&self) -> Option<u64> {
        let width = self.format.btree_count_width;
        uint_at(&self.bytes, self.format.btree_count + width, width)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether the page has no entries.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn entry(&self, index: usize) -> Option<&[u8]> {
        if index >= self.count {
            return None;
        }
        let start = index * self.entry_size;
        self.bytes.get(start..start + self.entry_size)
    }

    /// Key of entry `index`: a BID without its reserved bit, or a NID (whose upper 32 bits may hold garbage).
    pub fn key(&self, index: usize) -> Option<u64> {
        let key = uint_at(self.entry(index)?, 0, self.format.word)?;
        Some(match self.page_type {
            PageType::Bbt => BlockId(key).key().0,
            PageType::Nbt => key & u64::from(u32::MAX),
        })
    }

    /// The ids of blocks in entry `index` of a leaf, by the names of their fields, as stored.
    pub fn stored_ids(&self, index: usize) -> Vec<(&'static str, BlockId)> {
        let word = self.format.word;
        let fields: &[(_, usize)] = match self.page_type {
            PageType::Bbt => &[("bid", 0)],
            PageType::Nbt => &[("bidData", 1), ("bidSub", 2)],
        };
        let entry = self.entry(index).unwrap_or_default();
        let ids = fields.iter().filter_map(|(name, field)| {
            Some((*name, BlockId(uint_at(entry, field * word, word)?)))
        });
        ids.collect()
    }

    /// Entry `index` of an intermediate page.
    pub fn child(&self, index: usize) -> Option<ChildEntry> {
        let entry = self.entry(index)?;
        let word = self.format.word;
        Some(ChildEntry {
            key: self.key(index)?,
            page: BlockRef {
                bid: BlockId(uint_at(entry, word, word)?),
                ib: uint_at(entry, 2 * word, word)?,
            },
        })
    }

    /// Entry `index` of a leaf of the block B-tree.
    pub fn block(&self, index: usize) -> Option<BlockEntry> {
        let entry = self.entry(index)?;
        let word = self.format.word;
        let stored = u16_at(entry, 2 * word)?;
        let (inflated, references) = if self.format.compressed {
            (u16_at(entry, 2 * word + 2)?, u16_at(entry, 2 * word + 4)?)
        } else {
            (stored, u16_at(entry, 2 * word + 2)?)
        };
        Some(BlockEntry {
            block: BlockRef {
                bid: BlockId(self.key(index)?),
                ib: uint_at(entry, word, word)?,
            },
            stored,
            inflated,
            references,
        })
    }

    /// Entry `index` of a leaf of the node B-tree.
    pub fn node(&self, index: usize) -> Option<NodeEntry> {
        let entry = self.entry(index)?;
        let word = self.format.word;
        Some(NodeEntry {
            nid: NodeId(u32_at(entry, 0)?),
            data: BlockId(uint_at(entry, word, word)?),
            subnodes: BlockId(uint_at(entry, 2 * word, word)?),
            parent: NodeId(u32_at(entry, 3 * word)?),
        })
    }

    /// How many entries stand behind the last one that counts, with keys that go on to ascend and are below `end`: what was
    /// once in the page, or what `cEnt` should count.
    pub(super) fn behind(&self, end: u64) -> usize {
        let room = self.format.btree_entries / self.entry_size;
        let all = Self {
            count: room,
            ..self.clone()
        };
        let mut last = self.count.checked_sub(1).and_then(|last| self.key(last));
        let goes_on = |index: &usize| {
            let key = all.key(*index).filter(|key| *key != 0 && *key < end);
            let ascends = key > last;
            last = key;
            ascends
        };
        (self.count..room).take_while(goes_on).count()
    }

    /// The page with `more` of the entries that stand behind the last one that counts, and with that as its flaw.
    pub(super) fn counting(self, more: usize) -> Self {
        let count = self.count + more;
        let flaw = format!("cEnt: expected {count:#x}, found {:#x}", self.count);
        Self {
            count,
            flaw: self.flaw.or_else(|| Some(flaw.into())),
            ..self
        }
    }

    /// The page with the `keys` of its children, which are its own but for one or the other; they are told as misplaced.
    pub(super) fn with_keys(mut self, keys: &[u64]) -> Self {
        let word = self.format.word;
        let mut bytes = self.bytes.to_vec();
        let entries = bytes.chunks_exact_mut(self.entry_size);
        for (entry, key) in entries.zip(keys) {
            let key = key.to_le_bytes();
            if let (Some(own), Some(key)) = (entry.get_mut(..word), key.get(..word)) {
                own.copy_from_slice(key);
            }
        }
        let misplaced = std::mem::take(&mut self.misplaced);
        self.bytes = bytes.into();
        Self {
            misplaced,
            ..self.in_order()
        }
    }

    /// The page with its entries in the order of their keys, which lookups need.
    pub fn in_order(mut self) -> Self {
        let is_misplaced = |index: &usize| self.key(*index) <= self.key(index - 1);
        let misplaced = (1..self.count).filter(is_misplaced);
        let misplaced: Box<[u64]> = misplaced.filter_map(|index| self.key(index)).collect();
        if misplaced.is_empty() {
            return self;
        }
        let mut order: Vec<usize> = (0..self.count).collect();
        order.sort_by_key(|index| self.key(*index));
        let entries = order.iter().filter_map(|index| self.entry(*index));
        let mut bytes = entries.collect::<Vec<_>>().concat();
        bytes.extend_from_slice(self.bytes.get(bytes.len()..).unwrap_or_default());
        self.bytes = bytes.into();
        self.misplaced = misplaced;
        self
    }

    /// What to tell of a key that is [misplaced](BTreePage::misplaced).
    pub fn why_misplaced(&self, key: u64) -> &'static str {
        let before = self.partition(key).checked_sub(2);
        match before.and_then(|index| self.key(index)) == Some(key) {
            true => "there twice, the last one is used",
            false => "out of order",
        }
    }

    /// Number of entries whose key is at most `key` (keys ascend).
    pub fn partition(&self, key: u64) -> usize {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            match self.key(middle) {
                Some(found) if found <= key => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }
}
