//! Breaks written files on purpose, at places that the [`Layout`] knows. What is edited gets right CRCs again, unless the broken CRC is the point.
use std::fs::{File, OpenOptions};
use std::io::Result;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::format::*;
use super::layout::Layout;
use super::ndb::{PageEntry, SubNode};
use super::templates::contents_table;

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

    // Any bytes.

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

    // Header.

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
        let geo = self.layout.geo;
        let at = if geo.wide { 216 } else { 184 };
        self.edit_header(|header| {
            let mut root = Vec::new();
            geo.put_word(
                &mut root,
                if has_its_id {
                    page.bid
                } else {
                    self.layout.roots.nbt.0
                },
            );
            geo.put_word(&mut root, page.ib);
            header[at..][..root.len()].copy_from_slice(&root);
        });
    }

    // Pages.

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
    fn leaf_entry(&self, ptype: u8, key: u64) -> (PageEntry, usize) {
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

    /// Deletes a message as Outlook does: its node and its blocks leave the B-trees, an older leaf still names the node,
    /// and the blocks stay where they are. Its folder must have lost its contents table.
    pub fn delete_message(&self, nid: u32) {
        self.leave_stale(self.layout.page(PTYPE_NBT, 0, u64::from(nid)));
        self.forget_message(nid);
    }

    /// The same, and the older leaf is overwritten as well.
    pub fn forget_message(&self, nid: u32) {
        let node = self.layout.node(nid);
        self.drop_node(nid);
        let mut blocks = self.tree_blocks(node.data);
        self.subnode_blocks(node.sub, &mut blocks);
        blocks.sort_unstable();
        blocks.dedup();
        for bid in blocks {
            self.drop_block(bid);
        }
    }

    /// Blocks of a data tree, inner ones too.
    fn tree_blocks(&self, bid: u64) -> Vec<u64> {
        let mut blocks = vec![bid];
        if bid & 2 != 0 {
            let size = self.layout.geo.word();
            let data = self.payload(bid);
            for at in (8..data.len()).step_by(size) {
                blocks.extend(self.tree_blocks(word(&data, at, size)));
            }
        }
        blocks.retain(|bid| *bid != 0);
        blocks
    }

    /// Blocks of a sub-node tree and of all that hangs on it.
    fn subnode_blocks(&self, bid: u64, blocks: &mut Vec<u64>) {
        if bid == 0 {
            return;
        }
        let places = self.subnode_places(bid);
        blocks.extend([bid].into_iter().chain(places.iter().map(|place| place.0)));
        for (_, _, node) in places {
            blocks.extend(self.tree_blocks(node.data));
            self.subnode_blocks(node.sub, blocks);
        }
    }

    /// Writes `count` of the smallest blocks that there are behind the end of the file, where only a scan finds them.
    pub fn append_blocks(&self, count: u64) {
        let geo = &self.layout.geo;
        let data = [7; 8];
        let size = geo.block_size(data.len());
        self.append(count, size, |ib, bid| {
            let mut block = data.to_vec();
            block.resize(size - geo.block_trailer, 0);
            block.extend((data.len() as u16).to_le_bytes());
            block.extend(signature(ib, bid).to_le_bytes());
            if geo.wide {
                block.extend(crc(&data).to_le_bytes());
                block.extend(bid.to_le_bytes());
            } else {
                block.extend((bid as u32).to_le_bytes());
                block.extend(crc(&data).to_le_bytes());
            }
            block
        });
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

    // Blocks.

    /// Payload of a block, decoded.
    pub fn payload(&self, bid: u64) -> Vec<u8> {
        let entry = self.layout.block(bid);
        let mut data = self.read(entry.ib, entry.stored as usize);
        if entry.stored != entry.inflated {
            data = miniz_oxide::inflate::decompress_to_vec_zlib(&data).expect("our own stream");
        }
        if !entry.internal {
            decode(self.layout.options.crypt, bid, &mut data);
        }
        data
    }

    /// Flipped bits in a block: the CRC no longer fits.
    pub fn flip_block(&self, bid: u64, offset: u64) {
        let entry = self.layout.block(bid);
        assert!(offset < u64::from(entry.stored));
        self.flip(entry.ib + offset);
    }

    pub fn zero_block(&self, bid: u64) {
        let entry = self.layout.block(bid);
        let size = self.layout.geo.block_size(entry.stored as usize);
        self.zero(entry.ib, size);
    }

    /// Flipped bits in the id that the trailer of a block has.
    pub fn flip_block_id(&self, bid: u64) {
        self.flip(self.block_trailer(bid) + if self.layout.geo.wide { 8 } else { 4 });
    }

    fn block_trailer(&self, bid: u64) -> u64 {
        let (geo, entry) = (&self.layout.geo, self.layout.block(bid));
        entry.ib + (geo.block_size(entry.stored as usize) - geo.block_trailer) as u64
    }

    /// Overwrites the payload of a block; its trailer stays.
    pub fn garble_block(&self, bid: u64) {
        let entry = self.layout.block(bid);
        self.write(entry.ib, &vec![0xA5; entry.stored as usize]);
    }

    /// Writes a block once more behind the end of the file, signed for that place: one that was moved.
    pub fn leave_copy(&self, bid: u64) {
        let geo = &self.layout.geo;
        let end = self.file.metadata().expect("a file").len();
        self.copy_block(bid, end.next_multiple_of(geo.page as u64));
    }

    /// Writes block `other`, which is as large, to the place of block `bid`, and signs it for that place.
    pub fn overwrite_block(&self, bid: u64, other: u64) {
        let (place, other_place) = (self.layout.block(bid), self.layout.block(other));
        assert_eq!(place.stored, other_place.stored);
        self.copy_block(other, place.ib);
    }

    /// Moves a block behind the end of the file, which then ends with its last byte: there is no allocation map for the place.
    pub fn move_block_to_end(&self, bid: u64) {
        self.leave_copy(bid);
        self.zero_block(bid);
        let geo = self.layout.geo;
        let size = geo.block_size(self.layout.block(bid).stored as usize) as u64;
        let end = self.file.metadata().expect("a file").len();
        let (page, at) = self.leaf_entry(PTYPE_BBT, bid);
        let mut ib = Vec::new();
        geo.put_word(&mut ib, end - size);
        self.edit_page(page, |body| {
            body[at + geo.word()..][..ib.len()].copy_from_slice(&ib);
        });
        let mut eof = Vec::new();
        geo.put_word(&mut eof, end);
        let at = if geo.wide { 184 } else { 168 };
        self.edit_header(|header| header[at..][..eof.len()].copy_from_slice(&eof));
    }

    fn copy_block(&self, bid: u64, ib: u64) {
        let entry = self.layout.block(bid);
        let size = self.layout.geo.block_size(entry.stored as usize);
        let mut bytes = self.read(entry.ib, size);
        let sig = (self.block_trailer(bid) - entry.ib) as usize + 2;
        bytes[sig..][..2].copy_from_slice(&signature(ib, bid).to_le_bytes());
        self.write(ib, &bytes);
    }

    /// Changes the payload of a block, whose length stays, and makes its CRC right again.
    pub fn edit_block(&self, bid: u64, edit: impl FnOnce(&mut [u8])) {
        let entry = self.layout.block(bid);
        assert_eq!(
            entry.stored, entry.inflated,
            "write files for damage with `compress: false`"
        );
        let mut data = self.payload(bid);
        edit(&mut data);
        if !entry.internal {
            encode(self.layout.options.crypt, bid, &mut data);
        }
        self.write(entry.ib, &data);
        self.write(self.block_crc(bid), &crc(&data).to_le_bytes());
    }

    /// A flipped bit in the CRC of a block, whose bytes stay right.
    pub fn wrong_block_crc(&self, bid: u64) {
        self.flip(self.block_crc(bid));
    }

    fn block_crc(&self, bid: u64) -> u64 {
        let (geo, entry) = (&self.layout.geo, self.layout.block(bid));
        let from_end = match (geo.wide, geo.is_4k()) {
            (false, _) => 4,
            (true, false) => 12,
            (true, true) => 20,
        };
        entry.ib + geo.block_size(entry.stored as usize) as u64 - from_end
    }

    /// Data blocks of a data tree.
    pub fn leaves(&self, bid: u64) -> Vec<u64> {
        if bid == 0 {
            return Vec::new();
        }
        if bid & 2 == 0 {
            return vec![bid];
        }
        let data = self.payload(bid);
        let size = self.layout.geo.word();
        let children = (8..data.len()).step_by(size);
        children
            .flat_map(|at| self.leaves(word(&data, at, size)))
            .collect()
    }

    /// Overwrites entry count and total of an XBLOCK or XXBLOCK.
    pub fn xblock_lie(&self, bid: u64, count: u16, total: u32) {
        assert!(bid & 2 != 0, "an XBLOCK");
        self.edit_block(bid, |data| {
            data[2..4].copy_from_slice(&count.to_le_bytes());
            data[4..8].copy_from_slice(&total.to_le_bytes());
        });
    }

    /// The XBLOCK points to itself.
    pub fn cyclic_xblock(&self, bid: u64) {
        let geo = self.layout.geo;
        self.edit_block(bid, |data| {
            let mut own = Vec::new();
            geo.put_word(&mut own, bid);
            data[8..][..own.len()].copy_from_slice(&own);
        });
    }

    /// Changes the first block of the heap `data`.
    pub fn edit_heap(&self, data: u64, edit: impl FnOnce(&mut Heap<'_>)) {
        self.edit_block(self.leaves(data)[0], |block| edit(&mut Heap(block)));
    }

    /// The page map of a heap's first block begins outside the block.
    pub fn heap_map_outside(&self, data: u64) {
        self.edit_block(self.leaves(data)[0], |block| block[..2].fill(0xFF));
    }

    /// The page map of a heap's first block names items outside the block.
    pub fn heap_items_outside(&self, data: u64) {
        self.edit_block(self.leaves(data)[0], |block| {
            let map = u16::from_le_bytes([block[0], block[1]]) as usize;
            block[map + 4..].fill(0xFF);
        });
    }

    /// Sub-nodes of a node (SLBLOCKs and SIBLOCKs).
    pub fn subnodes(&self, bid: u64) -> Vec<SubNode> {
        self.subnode_places(bid).into_iter().map(|p| p.2).collect()
    }

    /// Sub-nodes with the SLBLOCK and offset of their entries.
    fn subnode_places(&self, bid: u64) -> Vec<(u64, usize, SubNode)> {
        if bid == 0 {
            return Vec::new();
        }
        let size = self.layout.geo.word();
        let data = self.payload(bid);
        let start = if self.layout.geo.wide { 8 } else { 4 };
        let mut out = Vec::new();
        if data[1] == 1 {
            for at in (start..data.len()).step_by(2 * size) {
                out.extend(self.subnode_places(word(&data, at + size, size)));
            }
            return out;
        }
        for at in (start..data.len()).step_by(3 * size) {
            let node = SubNode {
                nid: word(&data, at, size) as u32,
                data: word(&data, at + size, size),
                sub: word(&data, at + 2 * size, size),
            };
            out.push((bid, at, node));
        }
        out
    }

    /// Data tree of the content of a message's attachment (of more than 3580 bytes, by value or OLE).
    pub fn attachment_data(&self, message: u32, index: u32) -> u64 {
        let nid = (0x401 + index) << 5 | 5;
        let parts = self.subnodes(self.layout.node(message).sub);
        let attachment = parts.iter().find(|n| n.nid == nid).expect("attachment");
        let values = self.subnodes(attachment.sub);
        let content = values.iter().find(|n| matches!(n.nid & 31, 9 | 0x1F));
        content.expect("long content").data
    }

    /// A flipped bit in the content of such an attachment.
    pub fn flip_attachment(&self, message: u32, index: u32) {
        let content = self.attachment_data(message, index);
        self.flip_block(self.leaves(content)[0], 100);
    }

    /// What names the node `nid` in the contents table of `folder`, row index and row, names a node that is not there.
    pub fn unlist(&self, folder: u32, nid: u32) {
        let (from, to) = (nid.to_le_bytes(), (nid + 0x10_0000).to_le_bytes());
        let mut changed = 0;
        let table = self.layout.node(contents_table(folder));
        for block in self.leaves(table.data) {
            self.edit_block(block, |data| {
                while let Some(at) = data.windows(from.len()).position(|bytes| bytes == from) {
                    data[at..][..to.len()].copy_from_slice(&to);
                    changed += 1;
                }
            });
        }
        assert!(changed > 0, "{nid:#x} is not in its table");
    }

    /// The row index of the contents table of `folder` has the rows of two messages, numbers `a` and `b` in it, under each
    /// other's id.
    pub fn swap_rows(&self, folder: u32, a: (u32, u16), b: (u32, u16)) {
        let record = |(nid, number): (u32, u16)| {
            let mut record = nid.to_le_bytes().to_vec();
            record.extend(number.to_le_bytes());
            record
        };
        let table = self.layout.node(contents_table(folder));
        let heap = self.leaves(table.data)[0];
        self.edit_block(heap, |data| {
            for (found, other) in [(a, b), (b, a)] {
                let found = record(found);
                let places = data.windows(found.len()).enumerate();
                let places = places.filter(|(_, bytes)| *bytes == found);
                let places: Vec<usize> = places.map(|(at, _)| at).collect();
                let [at] = *places else {
                    panic!("{found:x?} is at {places:?}");
                };
                // The number is changed in both when both have been found.
                data[at + 4..][..2].copy_from_slice(&(other.1 | 0x8000).to_le_bytes());
            }
            for (nid, other) in [(a.0, b.1), (b.0, a.1)] {
                let marked = record((nid, other | 0x8000));
                let at = data.windows(marked.len()).position(|bytes| bytes == marked);
                data[at.expect("it was changed") + 4..][..2].copy_from_slice(&other.to_le_bytes());
            }
        });
    }

    /// Overwrites data and sub-node tree of a sub-node.
    pub fn set_subnode(&self, tree: u64, nid: u32, data: u64, sub: u64) {
        let geo = self.layout.geo;
        let places = self.subnode_places(tree);
        let (block, at, _) = places.iter().find(|p| p.2.nid == nid).expect("sub-node");
        self.edit_block(*block, |bytes| {
            let mut entry = Vec::new();
            geo.put_word(&mut entry, data);
            geo.put_word(&mut entry, sub);
            bytes[at + geo.word()..][..entry.len()].copy_from_slice(&entry);
        });
    }

    /// The first embedded message of a message becomes that message itself.
    pub fn cyclic_embedded(&self, message: u32) {
        let outer = self.layout.node(message);
        for attachment in self.subnodes(outer.sub) {
            let inner = self.subnodes(attachment.sub);
            let found = inner.iter().find(|n| n.nid & 31 == 4);
            if let (5, Some(inner)) = (attachment.nid & 31, found) {
                self.set_subnode(attachment.sub, inner.nid, outer.data, outer.sub);
                return;
            }
        }
        panic!("{message:#x} has no embedded message");
    }
}

/// The first block of a heap.
pub struct Heap<'a>(pub &'a mut [u8]);

impl Heap<'_> {
    /// Bytes of a record of a property context.
    const RECORD: usize = 8;

    fn number(&self, at: usize) -> usize {
        usize::from(u16::from_le_bytes([self.0[at], self.0[at + 1]]))
    }

    /// Where its page map is.
    pub fn map(&self) -> usize {
        self.number(0)
    }

    /// Sets `hidUserRoot`.
    pub fn root(&mut self, hid: u32) {
        self.0[4..8].copy_from_slice(&hid.to_le_bytes());
    }

    /// The item `hid` of this block.
    pub fn item(&mut self, hid: u32) -> &mut [u8] {
        let entry = self.map() + 4 + 2 * ((hid >> 5) as usize - 1);
        let range = self.number(entry)..self.number(entry + 2);
        &mut self.0[range]
    }

    /// Lets the item of which `is_it` is true begin outside of the block.
    pub fn break_item(&mut self, is_it: impl Fn(&[u8]) -> bool) {
        let count = self.number(self.map()) as u32;
        let mut hids = (1..=count).map(|index| index << 5);
        let hid = hids.find(|hid| is_it(self.item(*hid)));
        let entry = self.map() + 4 + 2 * ((hid.expect("such an item") >> 5) as usize - 1);
        self.0[entry..][..2].fill(0xFF);
    }

    /// The item that `hidUserRoot` names.
    pub fn user_root(&mut self) -> &mut [u8] {
        let hid = word(self.0, 4, 4) as u32;
        self.item(hid)
    }

    /// The records of a property context of one level.
    pub fn records(&mut self) -> &mut [u8] {
        let hid = word(self.user_root(), 4, 4) as u32;
        self.item(hid)
    }

    /// The record of property `id`.
    pub fn record(&mut self, id: u16) -> &mut [u8] {
        let mut records = self.records().chunks_exact_mut(Self::RECORD);
        let found = records.find(|record| record[..2] == id.to_le_bytes());
        found.expect("a record of this property")
    }

    /// The value of property `id`, which is in this block.
    pub fn value(&mut self, id: u16) -> &mut [u8] {
        let hid = word(self.record(id), 4, 4) as u32;
        self.item(hid)
    }
}

/// A little-endian number of 4 or 8 bytes.
fn word(bytes: &[u8], at: usize, size: usize) -> u64 {
    let mut out = [0; 8];
    out[..size].copy_from_slice(&bytes[at..at + size]);
    u64::from_le_bytes(out)
}
