//! The file that grows: where blocks and pages go, and what is written when all of them are there. [MS-PST] 2.2.2
//!
//! Nothing is written twice but the header. Blocks get ascending ids in the order of the file, so the block B-tree needs no
//! sort. Memory: 8 bytes for a block, 24 for a node, and the stretches that are being written.

use std::collections::HashMap;
use std::fs::File;
use std::io;

use serde::{Deserialize, Serialize};

use super::layout::{self, AMAP_BYTES, MapPage, PAGE, PAGE_DATA, SECTION, SLOT};
use super::stretch::{Stretch, Writer, write_at};
use super::trees;
use crate::ndb::crc::signature;
use crate::ndb::{BlockId, NodeId};

/// Bytes that a block holds beside its trailer.
pub(super) const BLOCK_DATA: usize = 8176;
/// The file is brought to the disk, and the journal written, whenever it has grown by so many bytes and by an eighth of its
/// size, since the journal grows with it.
const SYNC_AFTER_BYTES: u64 = 4 << 20;
const SYNC_AFTER_FRACTION: u64 = 8;
/// References that one block may have before a copy of it is written: `cRef` has 16 bits.
const MAX_REFERENCES: u16 = 65_000;
/// References of a block with one user. [MS-PST] 2.2.2.7.7.3
const ONE_USER: u16 = 2;

/// What a node has, and how large that is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    /// Its data tree.
    pub data: BlockId,
    /// Its subnodes.
    pub subnodes: BlockId,
    /// Bytes of all data blocks of it and of its subnodes, which is what Outlook calls the size of a message.
    pub size: u64,
}

/// An entry of the node B-tree.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct NodeRecord {
    nid: NodeId,
    parent: NodeId,
    data: BlockId,
    subnodes: BlockId,
}

/// A block that was written: its place, size and kind in one number.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Written(u64);

impl Written {
    const SIZE_BITS: u32 = 14;

    fn new(at: u64, len: usize, internal: bool) -> Self {
        Self(((at / SLOT) << 1 | u64::from(internal)) << Self::SIZE_BITS | len as u64)
    }

    fn is_internal(self) -> bool {
        self.0 >> Self::SIZE_BITS & 1 != 0
    }

    fn place(self) -> u64 {
        (self.0 >> (Self::SIZE_BITS + 1)) * SLOT
    }

    fn len(self) -> u16 {
        (self.0 & ((1 << Self::SIZE_BITS) - 1)) as u16
    }
}

/// A file that is being written.
pub(super) struct Output {
    file: File,
    writer: Writer,
    /// What comes next in the file.
    next: Stretch,
    books: Books,
}

/// What is known of a file that is being written, beside its bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Books {
    /// Bytes of the file, when it was last on disk.
    len: u64,
    blocks: Vec<Written>,
    /// `cRef` where it is not [`ONE_USER`].
    references: HashMap<u64, u16>,
    nodes: Vec<NodeRecord>,
    /// Stretches within the written part that nothing has.
    gaps: Vec<(u64, u64)>,
    next_page: u64,
    /// The highest index in use of each type of node.
    last_index: [u32; 32],
    /// PidTagLtpRowVer that was handed out last.
    row_version: u32,
}

/// A state of the file.
pub(super) struct Mark {
    len: u64,
    blocks: usize,
    gaps: usize,
    last_index: [u32; 32],
    row_version: u32,
}

/// The indexes at which the types of a new file start. [MS-PST] 2.2.2.6
const FIRST_INDEX: u32 = 0x400;
const FIRST_INDEX_OF: [(usize, u32); 3] = [(3, 0x4000), (4, 0x1_0000), (8, 0x8000)];

/// Id and place of the roots of both B-trees, and the first id that no block has.
struct Roots {
    nbt: (BlockId, u64),
    bbt: (BlockId, u64),
    next_block: u64,
}

impl Output {
    /// Begins a file in `file`, which is empty.
    pub fn new(file: File) -> io::Result<Self> {
        let mut last_index = [FIRST_INDEX; 32];
        for (of, first) in FIRST_INDEX_OF {
            if let Some(index) = last_index.get_mut(of) {
                *index = first;
            }
        }
        Ok(Self {
            writer: Writer::new(file.try_clone()?)?,
            file,
            next: Stretch::new(layout::FIRST_SECTION),
            books: Books {
                len: layout::FIRST_SECTION,
                blocks: Vec::new(),
                references: HashMap::new(),
                nodes: Vec::new(),
                gaps: Vec::new(),
                next_page: 1,
                last_index,
                row_version: 0,
            },
        })
    }

    /// Goes on with the file that has these `books`; what was written behind them is dropped.
    pub fn resume(&mut self, books: Books) -> io::Result<()> {
        if self.file.metadata()?.len() < books.len {
            return Err(io::Error::other(
                "the unfinished file is shorter than its journal says; begin anew without --resume",
            ));
        }
        self.writer.wait()?;
        self.file.set_len(books.len)?;
        self.next = Stretch::new(books.len);
        self.books = books;
        Ok(())
    }

    /// Whether so much was written since the last time that it is worth being kept.
    pub fn is_due(&self) -> bool {
        let since = self.len() - self.books.len;
        since >= SYNC_AFTER_BYTES.max(self.len() / SYNC_AFTER_FRACTION)
    }

    /// Brings all that was written to the disk; what is known of it then.
    pub fn sync(&mut self) -> io::Result<&Books> {
        self.flush()?;
        self.writer.wait()?;
        self.file.sync_data()?;
        self.books.len = self.len();
        Ok(&self.books)
    }

    /// Bytes that the B-trees will take at most.
    pub fn tree_bytes(&self) -> u64 {
        let (nodes, blocks) = (self.books.nodes.len(), self.books.blocks.len());
        nodes as u64 * trees::NODE_BYTES + blocks as u64 * trees::BLOCK_BYTES
    }

    /// Bytes of the file so far.
    pub fn len(&self) -> u64 {
        self.next.end()
    }

    /// A number that no row has yet.
    pub fn next_row_version(&mut self) -> u32 {
        self.books.row_version += 1;
        self.books.row_version
    }

    /// A node id of `node_type` that nothing in the file has.
    pub fn next_nid(&mut self, node_type: crate::ndb::NodeType) -> NodeId {
        let index = self.books.last_index.get_mut(usize::from(node_type.0));
        let index = index.map_or(0, |index| {
            *index += 1;
            *index
        });
        NodeId(u32::from(node_type.0)).with_index(index)
    }

    /// Notes that a node or subnode has this id.
    pub fn use_nid(&mut self, nid: NodeId) {
        if let Some(last) = self
            .books
            .last_index
            .get_mut(usize::from(nid.node_type().0))
        {
            *last = (*last).max(nid.index());
        }
    }

    /// How far the file is, to come back to if what follows fails.
    pub fn mark(&self) -> Mark {
        Mark {
            len: self.len(),
            blocks: self.books.blocks.len(),
            gaps: self.books.gaps.len(),
            last_index: self.books.last_index,
            row_version: self.books.row_version,
        }
    }

    /// Forgets all blocks since `mark`; there must be no page, node or shared block among what was written.
    pub fn cut(&mut self, mark: Mark) {
        self.books.blocks.truncate(mark.blocks);
        self.books.gaps.truncate(mark.gaps);
        self.books.last_index = mark.last_index;
        self.books.row_version = mark.row_version;
        self.next.cut(mark.len);
    }

    /// Adds a node.
    pub fn node(&mut self, nid: NodeId, parent: NodeId, content: Content) {
        self.use_nid(nid);
        self.books.nodes.push(NodeRecord {
            nid,
            parent,
            data: content.data,
            subnodes: content.subnodes,
        });
    }

    /// Writes a block of data.
    pub fn data_block(&mut self, data: &[u8]) -> io::Result<BlockId> {
        self.block(data, false)
    }

    /// Writes an XBLOCK, XXBLOCK, SLBLOCK or SIBLOCK.
    pub fn internal_block(&mut self, data: &[u8]) -> io::Result<BlockId> {
        self.block(data, true)
    }

    fn block(&mut self, data: &[u8], internal: bool) -> io::Result<BlockId> {
        let at = self.place(Stretch::extent(data.len()) as u64, SLOT)?;
        let number = self.books.blocks.len() as u64 + 1;
        let bid = BlockId(number * BlockId::STEP);
        let bid = if internal { bid.as_internal() } else { bid };
        self.next.add_block(data, bid);
        self.books
            .blocks
            .push(Written::new(at, data.len(), internal));
        self.flush_if_due()?;
        Ok(bid)
    }

    /// Counts one more user of `bid`; false if it has as many as it may have.
    pub fn share(&mut self, bid: BlockId) -> bool {
        let count = self.books.references.entry(bid.0).or_insert(ONE_USER);
        let may = *count < MAX_REFERENCES;
        *count += u16::from(may);
        may
    }

    /// Writes a page of a B-tree; returns its id and place.
    pub fn page(&mut self, kind: u8, body: &[u8; PAGE_DATA]) -> io::Result<(BlockId, u64)> {
        let at = self.place(PAGE, PAGE)?;
        let bid = BlockId(self.books.next_page);
        self.books.next_page += 1;
        let page = layout::page(kind, body, signature(at, bid), bid.0);
        self.next.add(&page);
        self.flush_if_due()?;
        Ok((bid, at))
    }

    /// Makes room for `extent` bytes at a multiple of `align`, behind map pages and within one section.
    fn place(&mut self, extent: u64, align: u64) -> io::Result<u64> {
        loop {
            let at = self.len();
            let section = (at - layout::FIRST_SECTION) / SECTION;
            let start = layout::FIRST_SECTION + section * SECTION;
            let free = start + layout::map_pages(section).len() as u64 * PAGE;
            if at < free {
                self.pad_to(free)?;
                continue;
            }
            let aligned = at.next_multiple_of(align);
            let end = start + SECTION;
            let to = if aligned + extent > end { end } else { aligned };
            if to > at {
                self.books.gaps.push((at, to));
                self.pad_to(to)?;
            }
            if to == aligned && to != end {
                return Ok(aligned);
            }
        }
    }

    fn pad_to(&mut self, end: u64) -> io::Result<()> {
        let missing = end.saturating_sub(self.len());
        self.next.add_zeros(missing as usize);
        self.flush_if_due()
    }

    fn flush_if_due(&mut self) -> io::Result<()> {
        match self.next.is_due() {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let next = Stretch::new(self.len());
        self.writer.write(std::mem::replace(&mut self.next, next))
    }

    /// Writes the B-trees, the maps and the header; all is on disk when it returns.
    pub fn finish(mut self) -> io::Result<File> {
        let Roots {
            nbt,
            bbt,
            next_block,
        } = self.write_trees()?;
        let used = self.len();
        self.flush()?;
        self.writer.wait()?;
        let sections = (used - layout::FIRST_SECTION).div_ceil(SECTION);
        let end = layout::FIRST_SECTION + sections * SECTION;
        // Behind the end may be what was cut away.
        self.file.set_len(used)?;
        self.file.set_len(end)?;
        let free = self.write_maps(sections, used)?;
        let dlist = BlockId(self.books.next_page);
        let body = [0; PAGE_DATA];
        let list = layout::page(
            layout::DLIST,
            &body,
            signature(layout::DLIST_AT, dlist),
            dlist.0,
        );
        write_at(&self.file, &list, layout::DLIST_AT)?;
        self.file.sync_all()?;
        let header = layout::Header {
            next_page: self.books.next_page + 1,
            unique: self.books.row_version + 1,
            last_index: self.own_last_index(),
            end,
            last_map: end - SECTION,
            free,
            nbt,
            bbt,
            next_block,
        };
        write_at(&self.file, &header.bytes(), 0)?;
        self.file.sync_all()?;
        Ok(self.file)
    }

    /// Writes the B-trees.
    fn write_trees(&mut self) -> io::Result<Roots> {
        self.books.nodes.sort_by_key(|node| node.nid);
        let nodes = std::mem::take(&mut self.books.nodes);
        let nbt = trees::write(
            &mut |kind, body| self.page(kind, body),
            trees::NODES,
            nodes.iter().map(|node| {
                let mut entry = u64::from(node.nid.0).to_le_bytes().to_vec();
                entry.extend(node.data.0.to_le_bytes());
                entry.extend(node.subnodes.0.to_le_bytes());
                entry.extend(node.parent.0.to_le_bytes());
                entry.extend([0; 4]);
                entry
            }),
        )?;
        let blocks = std::mem::take(&mut self.books.blocks);
        let references = std::mem::take(&mut self.books.references);
        let bbt = trees::write(
            &mut |kind, body| self.page(kind, body),
            trees::BLOCKS,
            blocks.iter().zip(1..).map(|(block, number): (_, u64)| {
                let bid = BlockId(number * BlockId::STEP);
                let bid = if block.is_internal() {
                    bid.as_internal()
                } else {
                    bid
                };
                let count = references.get(&bid.0).copied().unwrap_or(ONE_USER);
                let mut entry = bid.0.to_le_bytes().to_vec();
                entry.extend(block.place().to_le_bytes());
                entry.extend(block.len().to_le_bytes());
                entry.extend(count.to_le_bytes());
                entry.extend([0; 4]);
                entry
            }),
        )?;
        Ok(Roots {
            nbt,
            bbt,
            next_block: (blocks.len() as u64 + 1) * BlockId::STEP,
        })
    }

    /// `rgnid`: tables of folders have the indexes of their folders.
    fn own_last_index(&self) -> [u32; 32] {
        const FOLDER: usize = 2;
        let mut last = self.books.last_index;
        let [_, _, folder, ..] = last;
        for table in [0x0D, 0x0E, 0x0F] {
            if let Some(index) = last.get_mut(table) {
                *index = folder;
            }
        }
        debug_assert_eq!(last.get(FOLDER), Some(&folder));
        last
    }

    /// Writes the maps of all sections; returns how many bytes are free in all of them.
    fn write_maps(&mut self, sections: u64, used: u64) -> io::Result<u64> {
        let mut free = 0;
        let mut gaps = self.books.gaps.iter().peekable();
        for section in 0..sections {
            let start = layout::FIRST_SECTION + section * SECTION;
            let mut map = [0xFF; AMAP_BYTES];
            let mut clear = |from: u64, to: u64| {
                for slot in (from - start) / SLOT..(to.min(start + SECTION) - start) / SLOT {
                    if let Some(byte) = map.get_mut((slot / 8) as usize) {
                        *byte &= !(0x80 >> (slot % 8));
                        free += SLOT;
                    }
                }
            };
            while let Some((from, to)) = gaps.next_if(|(from, _)| *from < start + SECTION) {
                clear(*from, *to);
            }
            if used < start + SECTION {
                clear(used.max(start).next_multiple_of(SLOT), start + SECTION);
            }
            for (index, kind) in layout::map_pages(section).iter().enumerate() {
                let at = start + index as u64 * PAGE;
                let body = match kind {
                    MapPage::Allocation => map,
                    MapPage::Deprecated(_) => [0xFF; AMAP_BYTES],
                };
                let page = layout::page(kind.code(), &body, 0, at);
                write_at(&self.file, &page, at)?;
            }
        }
        Ok(free)
    }
}
