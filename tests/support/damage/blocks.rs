//! Blocks and data trees.

use super::super::format::*;
use super::{Damage, word};

impl Damage<'_> {
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
}
