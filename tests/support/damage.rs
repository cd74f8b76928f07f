//! Breaks written files on purpose, at places that the [`Layout`] knows. What is edited gets right CRCs again, unless the broken CRC is the point.

mod blocks;
mod objects;
mod pages;

use std::fs::{File, OpenOptions};
use std::io::Result;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::format::*;
use super::layout::Layout;
use super::ndb::PageEntry;
pub use objects::Heap;

/// Offsets in the header.
const CRC_PARTIAL: usize = 4;
const CRC_FULL: usize = 524;
const HEADER: usize = 564;

/// A written file, open for damage.
pub struct Damage<'a> {
    pub layout: &'a Layout,
    file: File,
}

impl<'a> Damage<'a> {
    pub fn open(path: impl AsRef<Path>, layout: &'a Layout) -> Result<Damage<'a>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Damage { layout, file })
    }

    fn read(&self, ib: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.file
            .read_exact_at(&mut bytes, ib)
            .expect("in the file");
        bytes
    }

    fn write(&self, ib: u64, bytes: &[u8]) {
        self.file.write_all_at(bytes, ib).expect("writable");
    }

    pub fn truncate(&self, len: u64) {
        self.file.set_len(len).expect("writable");
    }

    pub fn zero(&self, ib: u64, len: usize) {
        self.write(ib, &vec![0; len]);
    }

    /// Two wrong bits: more than a checksum can put right.
    pub fn flip(&self, ib: u64) {
        self.change(ib, 0x41);
    }

    /// One wrong bit, the `bit`th of the byte.
    pub fn flip_bit(&self, ib: u64, bit: u32) {
        self.change(ib, 1 << bit);
    }

    fn change(&self, ib: u64, bits: u8) {
        let byte = self.read(ib, 1)[0];
        self.write(ib, &[byte ^ bits]);
    }

    fn append(&self, count: u64, size: usize, make: impl FnMut(u64, u64) -> Vec<u8>) {
        const FIRST_BID: u64 = 1 << 28;
        let end = self.file.metadata().expect("a file").len();
        let start = end.next_multiple_of(self.layout.geo.page as u64);
        let mut make = make;
        let places =
            (0..count).map(|number| (start + number * size as u64, FIRST_BID + number * 4));
        let bytes: Vec<u8> = places.flat_map(|(ib, bid)| make(ib, bid)).collect();
        self.write(start, &bytes);
    }

    pub fn zero_header(&self) {
        self.zero(0, HEADER);
    }

    /// Both header CRCs (the one in ANSI files) wrong.
    pub fn wrong_header_crc(&self) {
        self.flip(CRC_PARTIAL as u64);
        if self.layout.geo.wide {
            self.flip(CRC_FULL as u64);
        }
    }

    /// Changes the header and makes its CRCs right again.
    pub fn edit_header(&self, edit: impl FnOnce(&mut [u8])) {
        let mut h = self.read(0, HEADER);
        edit(&mut h);
        if self.layout.geo.wide {
            let full = crc(&h[8..CRC_FULL]);
            h[CRC_FULL..][..4].copy_from_slice(&full.to_le_bytes());
        }
        let partial = crc(&h[8..479]);
        h[CRC_PARTIAL..][..4].copy_from_slice(&partial.to_le_bytes());
        self.write(0, &h);
    }

    /// The header, whose CRCs are right, names another page as the root of the node B-tree, with the id that this has or not.
    pub fn other_root(&self, page: PageEntry, has_its_id: bool) {
        let bid = match has_its_id {
            true => page.bid,
            false => self.layout.roots.nbt.0,
        };
        self.set_root(PTYPE_NBT, bid, page.ib);
    }

    /// The header, whose CRCs are right, names a root that is newer than the tree, and gone.
    pub fn newer_root(&self, ptype: u8) {
        let roots = &self.layout.roots;
        let (bid, _) = if ptype == PTYPE_NBT {
            roots.nbt
        } else {
            roots.bbt
        };
        // Behind the header are zeros.
        let gone = 2 * self.layout.geo.page as u64;
        self.set_root(ptype, bid + 1000, gone);
    }

    /// BREFNBT or BREFBBT, [MS-PST] 2.2.2.5.
    fn set_root(&self, ptype: u8, bid: u64, ib: u64) {
        let geo = self.layout.geo;
        let at = if geo.wide { 216 } else { 184 };
        let at = at + 2 * geo.word() * usize::from(ptype == PTYPE_BBT);
        self.edit_header(|header| {
            let mut root = Vec::new();
            geo.put_word(&mut root, bid);
            geo.put_word(&mut root, ib);
            header[at..][..root.len()].copy_from_slice(&root);
        });
    }
}

/// A little-endian number of 4 or 8 bytes.
fn word(bytes: &[u8], at: usize, size: usize) -> u64 {
    let mut out = [0; 8];
    out[..size].copy_from_slice(&bytes[at..at + size]);
    u64::from_le_bytes(out)
}
