//! What differs between the three formats: widths, offsets and limits, as one value each. [MS-PST] 2.2.2
//!
//! [`Format`] is picked from the header once and carried along; there is one reader for all three.

/// Bytes that the header can need, whatever the format.
pub(super) const HEADER_SIZE: usize = 564;

/// Constants of one on-disk format. Offsets and sizes are in bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Format {
    /// Name for people.
    pub name: &'static str,
    /// Width of a block id, byte index or key: 4 (ANSI) or 8.
    pub word: usize,
    /// Size and alignment of a page.
    pub page_size: usize,
    /// Bytes of a page that its CRC covers: all before the trailer.
    pub page_data: usize,
    /// Offsets within a page of the trailer's `dwCRC` and `bid` (`ptype`, `ptypeRepeat`, `wSig` stand at `page_data`).
    pub page_crc: usize,
    /// See `page_crc`.
    pub page_bid: usize,
    /// Bytes of a BTPAGE that hold entries.
    pub btree_entries: usize,
    /// Offset of `cEnt` in a BTPAGE, and its width (`cEntMax` follows with the same width, then `cbEnt`, `cLevel`).
    pub btree_count: usize,
    /// See `btree_count`.
    pub btree_count_width: usize,
    /// Alignment and size step of blocks.
    pub block_align: usize,
    /// Size of a block's trailer, at the end of the aligned block.
    pub block_trailer: usize,
    /// Offsets within the block trailer of `dwCRC` and `bid` (`cb` and `wSig` stand at 0 and 2).
    pub block_crc: usize,
    /// See `block_crc`.
    pub block_bid: usize,
    /// Largest payload of a block.
    pub block_payload: usize,
    /// Whether BBT entries carry an inflated size and blocks may be zlib streams.
    pub compressed: bool,
    /// Bits of a HID that hold the item index (the block index is above them).
    pub hid_index_bits: u32,
    /// Offset of the first allocation map.
    pub first_amap: u64,
}

/// `wVer` 14 and 15: Outlook 97 to 2002, 32-bit ids.
pub static ANSI: Format = Format {
    name: "ANSI",
    word: 4,
    page_size: 512,
    page_data: 500,
    page_crc: 508,
    page_bid: 504,
    btree_entries: 496,
    btree_count: 496,
    btree_count_width: 1,
    block_align: 64,
    block_trailer: 12,
    block_crc: 8,
    block_bid: 4,
    block_payload: 8180,
    compressed: false,
    hid_index_bits: 11,
    first_amap: 0x4400,
};

/// `wVer` 21, 23 and 37: Outlook 2003 and later, 64-bit ids.
pub static UNICODE: Format = Format {
    name: "Unicode",
    word: 8,
    page_size: 512,
    page_data: 496,
    page_crc: 500,
    page_bid: 504,
    btree_entries: 488,
    btree_count: 488,
    btree_count_width: 1,
    block_align: 64,
    block_trailer: 16,
    block_crc: 4,
    block_bid: 8,
    block_payload: 8176,
    compressed: false,
    hid_index_bits: 11,
    first_amap: 0x4400,
};

/// `wVer` 36: OST of Outlook 2013 and later, 4096-byte pages, compressed blocks. Not in [MS-PST].
pub static UNICODE_4K: Format = Format {
    name: "Unicode with 4K pages",
    word: 8,
    page_size: 4096,
    page_data: 4072,
    page_crc: 4076,
    page_bid: 4080,
    btree_entries: 4056,
    btree_count: 4056,
    btree_count_width: 2,
    block_align: 512,
    block_trailer: 24,
    block_crc: 4,
    block_bid: 8,
    block_payload: 65512,
    compressed: true,
    hid_index_bits: 14,
    first_amap: 0x22000,
};

impl Format {
    /// Whether strings are in 8-bit code pages.
    pub fn is_8bit(&self) -> bool {
        std::ptr::eq(self, &raw const ANSI)
    }

    /// Bytes of an allocation map that hold bits.
    pub fn page_data_of_amap(&self) -> usize {
        // ANSI pages have four bytes of padding in front.
        if self.word == 4 {
            self.page_data - 4
        } else {
            self.page_data
        }
    }

    /// Bytes on disk of a block with `stored` payload bytes: payload, padding and trailer.
    pub fn block_extent(&self, stored: usize) -> usize {
        (stored.saturating_add(self.block_trailer)).next_multiple_of(self.block_align)
    }
}
