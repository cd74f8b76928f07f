//! Messages, their parts, and the heaps and tables that they are made of.

use super::super::format::PTYPE_NBT;
use super::super::ndb::{NodeEntry, SubNode};
use super::super::templates::contents_table;
use super::{Damage, word};

impl Damage<'_> {
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
        for bid in self.blocks_of(node) {
            self.drop_block(bid);
        }
    }

    /// All blocks of a node and of what hangs on it.
    pub fn blocks_of(&self, node: NodeEntry) -> Vec<u64> {
        let mut blocks = self.tree_blocks(node.data);
        self.subnode_blocks(node.sub, &mut blocks);
        blocks.sort_unstable();
        blocks.dedup();
        blocks
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
