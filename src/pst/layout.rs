//! Where things stand in a Unicode PST, and the bytes of its header and pages. [MS-PST] 2.2.2.6, 2.2.2.7

use crate::ndb::BlockId;
use crate::ndb::crc::crc;

/// Bytes of a page, and of what it holds beside its trailer.
pub(super) const PAGE: u64 = 512;
pub(super) const PAGE_DATA: usize = 496;
/// Bytes of the bitmap of an allocation map.
pub(super) const AMAP_BYTES: usize = PAGE_DATA;
/// Bytes that one bit of an allocation map stands for.
pub(super) const SLOT: u64 = 64;
/// Bytes that one allocation map stands for.
pub(super) const SECTION: u64 = AMAP_BYTES as u64 * 8 * SLOT;
/// Where the first section, and with it the first allocation map, begins.
pub(super) const FIRST_SECTION: u64 = 0x4400;
/// Where the density list is, and its page type.
pub(super) const DLIST_AT: u64 = 0x4200;
pub(super) const DLIST: u8 = 0x86;

/// A page at the beginning of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MapPage {
    /// AMap: which slots of the section are taken.
    Allocation,
    /// A map that nobody uses any more, all ones: its page type.
    Deprecated(u8),
}

impl MapPage {
    const PMAP: MapPage = MapPage::Deprecated(0x83);
    const FMAP: MapPage = MapPage::Deprecated(0x82);
    const FPMAP: MapPage = MapPage::Deprecated(0x85);

    /// Its page type.
    pub fn code(self) -> u8 {
        match self {
            Self::Allocation => 0x84,
            Self::Deprecated(code) => code,
        }
    }
}

/// The map pages at the beginning of section number `section`, in order. [MS-PST] 2.2.2.7.2 to 2.2.2.7.6
pub(super) fn map_pages(section: u64) -> Vec<MapPage> {
    let due = |first: u64, every: u64| section >= first && (section - first).is_multiple_of(every);
    let mut pages = vec![MapPage::Allocation];
    if due(0, 8) {
        pages.push(MapPage::PMAP);
    }
    if due(128, AMAP_BYTES as u64) {
        pages.push(MapPage::FMAP);
    }
    if due(128 * 64, AMAP_BYTES as u64 * 64) {
        pages.push(MapPage::FPMAP);
    }
    pages
}

/// A page with its trailer.
pub(super) fn page(kind: u8, body: &[u8; PAGE_DATA], signature: u16, bid: u64) -> Vec<u8> {
    let mut page = body.to_vec();
    page.extend([kind, kind]);
    page.extend(signature.to_le_bytes());
    page.extend(crc(body).to_le_bytes());
    page.extend(bid.to_le_bytes());
    page
}

/// The fields of the header that differ from file to file.
#[derive(Debug)]
pub(super) struct Header {
    /// `bidNextP`
    pub next_page: u64,
    /// `dwUnique`
    pub unique: u32,
    /// `rgnid`
    pub last_index: [u32; 32],
    /// `ibFileEof`
    pub end: u64,
    /// `ibAMapLast`
    pub last_map: u64,
    /// `cbAMapFree`
    pub free: u64,
    /// Roots: id and place.
    pub nbt: (BlockId, u64),
    pub bbt: (BlockId, u64),
    /// `bidNextB`
    pub next_block: u64,
}

impl Header {
    /// The header of a Unicode PST as Outlook has written it since 2007 SP2: `wVer` 23, blocks permuted.
    pub fn bytes(&self) -> Vec<u8> {
        const VERSION: u16 = 23;
        const CLIENT_VERSION: u16 = 19;
        const MAPS_VALID: u8 = 2;
        const SENTINEL: u8 = 0x80;
        const PERMUTED: u8 = 1;
        /// What `dwCRCPartial` and `dwCRCFull` begin at, and the bytes that each covers.
        const CHECKED: usize = 8;
        const PARTIAL: usize = 471;
        const FULL: usize = 516;
        const SIZE: usize = 564;
        // From `wMagicClient` on; what stands before it depends on it.
        let mut rest = Vec::with_capacity(SIZE);
        rest.extend(b"SM");
        rest.extend(VERSION.to_le_bytes());
        rest.extend(CLIENT_VERSION.to_le_bytes());
        rest.extend([1, 1]);
        rest.extend([0; 8]);
        rest.extend(0u64.to_le_bytes());
        rest.extend(self.next_page.to_le_bytes());
        rest.extend(self.unique.to_le_bytes());
        rest.extend(self.last_index.iter().flat_map(|index| index.to_le_bytes()));
        rest.extend([0; 8]);
        rest.extend([0; 4]);
        for number in [self.end, self.last_map, self.free, 0] {
            rest.extend(number.to_le_bytes());
        }
        for (bid, at) in [self.nbt, self.bbt] {
            rest.extend(bid.0.to_le_bytes());
            rest.extend(at.to_le_bytes());
        }
        rest.extend([MAPS_VALID, 0, 0, 0]);
        rest.extend([0; 4]);
        rest.extend([0xFF; 256]);
        rest.extend([SENTINEL, PERMUTED, 0, 0]);
        rest.extend(self.next_block.to_le_bytes());
        let partial = crc(rest.get(..PARTIAL).unwrap_or_default());
        let full = crc(rest.get(..FULL).unwrap_or_default());
        let mut bytes = b"!BDN".to_vec();
        bytes.extend(partial.to_le_bytes());
        debug_assert_eq!(bytes.len(), CHECKED);
        bytes.extend(rest);
        bytes.extend(full.to_le_bytes());
        bytes.resize(SIZE, 0);
        bytes
    }
}
