//! Pages: the B-trees, and allocation maps.

use super::super::format::*;
use super::super::ndb::PageEntry;
use super::{Damage, word};

impl Damage<'_> {
    pub fn zero_page(&self, page: PageEntry) {
        self.zero(page.ib, self.layout.geo.page);
    }

    /// Flipped bits in the first entry: the CRC no longer fits.
    pub fn flip_page(&self, page: PageEntry) {
        self.flip(page.ib + 3);
    }

    /// Changes the bytes before the trailer of a page and makes its CRC right again.
    pub fn edit_page(&self, page: PageEntry, edit: impl FnOnce(&mut [u8])) {
        let geo = &self.layout.geo;
        let mut body = self.read(page.ib, geo.page_data);
        edit(&mut body);
        self.write(page.ib, &body);
        let at = geo.page_data + if geo.wide { 4 } else { 8 };
        self.write(page.ib + at as u64, &crc(&body).to_le_bytes());
    }

    /// A page that claims `count` entries.
    pub fn entry_count(&self, page: PageEntry, count: u16) {
        let geo = self.layout.geo;
        self.edit_page(page, |body| {
            let [lo, hi] = count.to_le_bytes();
            body[geo.entries] = lo;
            if geo.is_4k() {
                body[geo.entries + 1] = hi;
            }
        });
    }

    /// The entries of a page in the opposite order.
    pub fn reverse_page(&self, page: PageEntry) {
        let geo = self.layout.geo;
        self.edit_page(page, |body| {
            let size = usize::from(body[geo.entries + if geo.is_4k() { 4 } else { 2 }]);
            let entries = body[..page.entries as usize * size].to_vec();
            let reversed = entries.chunks(size).rev().flatten();
            body.iter_mut()
                .zip(reversed)
                .for_each(|(to, from)| *to = *from);
        });
    }

    /// The first pointer of an intermediate page leads back to the page itself.
    pub fn cyclic_page(&self, page: PageEntry) {
        assert!(page.level > 0, "needs a B-tree of two levels");
        let geo = self.layout.geo;
        self.edit_page(page, |body| {
            let mut pointer = Vec::new();
            geo.put_word(&mut pointer, page.bid);
            geo.put_word(&mut pointer, page.ib);
            body[geo.word()..][..pointer.len()].copy_from_slice(&pointer);
        });
    }

    /// Size of a leaf entry.
    fn leaf_size(&self, ptype: u8) -> usize {
        match (self.layout.geo.wide, ptype) {
            (true, PTYPE_NBT) => 32,
            (true, _) => 24,
            (false, PTYPE_NBT) => 16,
            (false, _) => 12,
        }
    }

    /// Leaf page and byte offset of an entry.
    pub(super) fn leaf_entry(&self, ptype: u8, key: u64) -> (PageEntry, usize) {
        let geo = self.layout.geo;
        let page = self.layout.page(ptype, 0, key);
        let size = self.leaf_size(ptype);
        let body = self.read(page.ib, geo.page_data);
        let at = (0..page.entries as usize).find(|i| word(&body, i * size, geo.word()) == key);
        (page, at.expect("key in the page") * size)
    }

    /// Removes an NBT entry: rows that name the node point nowhere.
    pub fn drop_node(&self, nid: u32) {
        self.drop_entry(PTYPE_NBT, u64::from(nid));
    }

    /// Removes a BBT entry: nodes that use the block miss it.
    pub fn drop_block(&self, bid: u64) {
        self.drop_entry(PTYPE_BBT, bid);
    }

    fn drop_entry(&self, ptype: u8, key: u64) {
        let (page, at) = self.leaf_entry(ptype, key);
        let size = self.leaf_size(ptype);
        let geo = self.layout.geo;
        self.edit_page(page, |body| {
            body.copy_within(at + size..geo.entries, at);
            body[geo.entries] -= 1;
            let end = usize::from(body[geo.entries]) * size;
            body[end..][..size].fill(0);
        });
    }

    /// Overwrites `cRef` of a BBT entry.
    pub fn set_references(&self, bid: u64, references: u16) {
        // `cb`, of which 4K pages have two.
        let at = if self.layout.geo.is_4k() { 4 } else { 2 };
        self.edit_behind_bref(bid, at, &references.to_le_bytes());
    }

    /// Overwrites `cb` of a BBT entry, both in 4K pages.
    pub fn set_length(&self, bid: u64, length: u16) {
        let cb = length.to_le_bytes();
        let both = [cb, cb].concat();
        let size = if self.layout.geo.is_4k() { 4 } else { 2 };
        self.edit_behind_bref(bid, 0, &both[..size]);
    }

    /// Overwrites the inflated size of a BBT entry, which only 4K pages have.
    pub fn set_inflated(&self, bid: u64, inflated: u16) {
        assert!(self.layout.geo.is_4k());
        self.edit_behind_bref(bid, 2, &inflated.to_le_bytes());
    }

    /// Overwrites the place of a BBT entry.
    pub fn set_place(&self, bid: u64, ib: &[u8]) {
        let (page, at) = self.leaf_entry(PTYPE_BBT, bid);
        let at = at + self.layout.geo.word();
        self.edit_page(page, |body| body[at..][..ib.len()].copy_from_slice(ib));
    }

    /// Overwrites what a BBT entry has `at` bytes behind its BREF.
    fn edit_behind_bref(&self, bid: u64, at: usize, bytes: &[u8]) {
        let (page, entry) = self.leaf_entry(PTYPE_BBT, bid);
        let at = entry + 2 * self.layout.geo.word() + at;
        self.edit_page(page, |body| {
            body[at..][..bytes.len()].copy_from_slice(bytes)
        });
    }

    /// Overwrites data, sub-node tree and parent of an NBT entry.
    pub fn set_node(&self, nid: u32, data: u64, sub: u64, parent: u32) {
        let geo = self.layout.geo;
        let (page, at) = self.leaf_entry(PTYPE_NBT, u64::from(nid));
        self.edit_page(page, |body| {
            let mut entry = Vec::new();
            for x in [u64::from(nid), data, sub] {
                geo.put_word(&mut entry, x);
            }
            entry.extend(parent.to_le_bytes());
            body[at..][..entry.len()].copy_from_slice(&entry);
        });
    }

    /// Gives an NBT entry the number of another node.
    pub fn set_nid(&self, nid: u32, other: u32) {
        let (page, at) = self.leaf_entry(PTYPE_NBT, u64::from(nid));
        self.edit_page(page, |body| {
            body[at..][..4].copy_from_slice(&other.to_le_bytes())
        });
    }

    /// Writes a page once more behind the end of the file, under the id of an older page: as a change leaves it. Returns its
    /// offset.
    pub fn leave_stale(&self, page: PageEntry) -> u64 {
        const OLDER: u64 = 1;
        let geo = &self.layout.geo;
        let end = self.file.metadata().expect("a file").len();
        let ib = end.next_multiple_of(geo.page as u64);
        let mut bytes = self.read(page.ib, geo.page);
        let bid = geo.page_data + if geo.wide { 8 } else { 4 };
        bytes[bid..][..geo.word()].copy_from_slice(&OLDER.to_le_bytes()[..geo.word()]);
        let sig = signature(ib, OLDER).to_le_bytes();
        bytes[geo.page_data + 2..][..2].copy_from_slice(&sig);
        self.write(ib, &bytes);
        ib
    }

    /// Writes copies of `page` behind the end of the file, each with keys of its own, and a right CRC or a wrong one.
    pub fn append_pages(&self, page: PageEntry, count: u64, is_right: bool) {
        const NEWER: u64 = 1 << 30;
        let geo = &self.layout.geo;
        let size = match page.level {
            0 => self.leaf_size(page.ptype),
            _ => 3 * geo.word(),
        };
        let body = self.read(page.ib, geo.page_data);
        let mut number = 0;
        self.append(count, geo.page, |ib, bid| {
            let (mut body, bid) = (body.clone(), NEWER + bid);
            for entry in body[..geo.entries].chunks_exact_mut(size) {
                number += 1;
                entry[..4].copy_from_slice(&(number * 4u32).to_le_bytes());
            }
            let crc = crc(&body) ^ u32::from(!is_right);
            body.extend([page.ptype, page.ptype]);
            body.extend(signature(ib, bid).to_le_bytes());
            if geo.wide {
                body.extend(crc.to_le_bytes());
                body.extend(bid.to_le_bytes());
            } else {
                body.extend((bid as u32).to_le_bytes());
                body.extend(crc.to_le_bytes());
            }
            body.resize(geo.page, 0);
            body
        });
    }

    /// Flipped bits in the signature of a page: the CRC still fits.
    pub fn flip_signature(&self, page: PageEntry) {
        self.flip(page.ib + self.layout.geo.page_data as u64 + 2);
    }

    /// Flipped bits in byte `at` of the entry of node `nid`: the CRC of its page no longer fits.
    pub fn flip_node(&self, nid: u32, at: usize) {
        let (page, entry) = self.leaf_entry(PTYPE_NBT, u64::from(nid));
        self.flip(page.ib + (entry + at) as u64);
    }

    /// Marks a block as free, as if its content had been written anew elsewhere.
    pub fn free_block(&self, bid: u64) {
        let geo = self.layout.geo;
        let (entry, interval) = (self.layout.block(bid), geo.amap_interval());
        let ib = entry.ib - (entry.ib - geo.first_amap) % interval;
        let units = geo.block_size(entry.stored as usize) / geo.block_align;
        let first = (entry.ib - ib) as usize / geo.block_align;
        let mut body = self.read(ib, geo.page_data);
        for unit in first..first + units {
            body[geo.amap_start + unit / 8] &= !(0x80 >> (unit % 8));
        }
        self.write(ib, &body);
        let at = geo.page_data + if geo.wide { 4 } else { 8 };
        self.write(ib + at as u64, &crc(&body).to_le_bytes());
    }
}
