//! Heaps, BTHs, property contexts, table contexts. [MS-PST] 2.3.
//! Heap blocks and row matrix blocks go to the file when they are full; only a heap's first block waits for the end.
use std::collections::BTreeMap;
use std::io::Result;

use super::format::HEAP_ITEM_MAX;
use super::ndb::{DataTree, Ndb, SubNode};
use super::tags;
use super::value::*;

/// Properties by id.
pub type Props = BTreeMap<u16, Value>;

pub const CLIENT_PC: u8 = 0xBC;
pub const CLIENT_TC: u8 = 0x7C;
pub const CLIENT_VALUES: u8 = 0xA5;
pub const CLIENT_MAP: u8 = 0x8C;
pub const NID_TYPE_LTP: u32 = 0x1F;

/// Blocks 8, 136, 264 ... of a heap have a fill-level bitmap for 128 blocks.
const FILL_FIRST: usize = 8;
const FILL_STEP: usize = 128;

#[derive(Default)]
struct HeapBlock {
    data: Vec<u8>,
    allocs: Vec<u16>,
}

pub struct Heap {
    client: u8,
    tree: DataTree,
    first: Option<HeapBlock>,
    current: HeapBlock,
    index: usize,
}

impl HeapBlock {
    fn new(index: usize) -> HeapBlock {
        let header = match index {
            0 => 12,
            i if i >= FILL_FIRST && (i - FILL_FIRST).is_multiple_of(FILL_STEP) => 66,
            _ => 2,
        };
        HeapBlock {
            data: vec![0; header],
            allocs: vec![header as u16],
        }
    }

    fn size_with(&self, more: usize) -> usize {
        (self.data.len() + more).next_multiple_of(2) + 4 + 2 * (self.allocs.len() + 1)
    }

    /// Adds the page map; a block that is not the last of its heap is filled up to `full`.
    fn finish(mut self, full: Option<usize>) -> Vec<u8> {
        let mut data = self.data;
        let used = data.len();
        let map = 4 + 2 * self.allocs.len();
        let at = full.map_or(used.next_multiple_of(2), |full| full - map);
        data.resize(at, 0);
        data[..2].copy_from_slice(&(at as u16).to_le_bytes());
        if self.allocs[0] == 66 {
            data[2..66].fill(0xFF);
        }
        data.extend((self.allocs.len() as u16 - 1).to_le_bytes());
        data.extend([0, 0]);
        for ib in self.allocs.drain(..) {
            data.extend(ib.to_le_bytes());
        }
        data
    }
}

impl Heap {
    pub fn new(client: u8) -> Heap {
        Heap {
            client,
            tree: DataTree::default(),
            first: None,
            current: HeapBlock::new(0),
            index: 0,
        }
    }

    /// Stores an item and returns its HID.
    pub fn add(&mut self, ndb: &mut Ndb, item: &[u8]) -> Result<u32> {
        assert!(item.len() <= HEAP_ITEM_MAX);
        let max_items = (1 << (ndb.geo.hid_block_shift - 5)) - 1;
        if self.current.size_with(item.len()) > ndb.geo.block_max
            || self.current.allocs.len() > max_items
        {
            self.index += 1;
            let full = std::mem::replace(&mut self.current, HeapBlock::new(self.index));
            if self.first.is_none() {
                self.first = Some(full);
            } else {
                self.tree.push(ndb, &full.finish(Some(ndb.geo.block_max)))?;
            }
        }
        assert!(
            self.index < 1 << (32 - ndb.geo.hid_block_shift),
            "heap full"
        );
        let number = self.current.allocs.len() as u32;
        self.current.data.extend(item);
        let end = self.current.data.len() as u16;
        self.current.allocs.push(end);
        Ok(number << 5 | (self.index as u32) << ndb.geo.hid_block_shift)
    }

    /// Overwrites an item of the first block with bytes of the same length.
    pub fn patch(&mut self, hid: u32, item: &[u8]) {
        let block = self.first.as_mut().unwrap_or(&mut self.current);
        let start = block.allocs[(hid >> 5) as usize - 1] as usize;
        block.data[start..start + item.len()].copy_from_slice(item);
    }

    /// Writes the remaining blocks; returns bidData.
    pub fn finish(mut self, ndb: &mut Ndb, root: u32) -> Result<u64> {
        let blocks = self.index + 1;
        let mut first = match self.first.take() {
            Some(first) => {
                let last = self.current.finish(None);
                self.tree.push(ndb, &last)?;
                first
            }
            None => self.current,
        };
        first.data[2] = 0xEC;
        first.data[3] = self.client;
        first.data[4..8].copy_from_slice(&root.to_le_bytes());
        for i in 0..blocks.saturating_sub(1).min(8) {
            first.data[8 + i / 2] |= 0xF << (i % 2 * 4);
        }
        let first = first.finish((blocks > 1).then_some(ndb.geo.block_max));
        self.tree.push_first(ndb, &first)?;
        self.tree.finish(ndb)
    }

    /// Writes a BTH over sorted `records`; returns its header.
    fn bth(&mut self, ndb: &mut Ndb, key: usize, value: usize, records: &[u8]) -> Result<Vec<u8>> {
        let mut level = 0;
        let mut size = key + value;
        let mut root = 0;
        let mut records = records.to_vec();
        while !records.is_empty() {
            let mut above = Vec::new();
            for chunk in records.chunks(HEAP_ITEM_MAX / size * size) {
                root = self.add(ndb, chunk)?;
                above.extend(&chunk[..key]);
                above.extend(root.to_le_bytes());
            }
            size = key + 4;
            if above.len() == size {
                break;
            }
            records = above;
            level += 1;
        }
        let mut header = vec![0xB5, key as u8, value as u8, level];
        header.extend(u32::to_le_bytes(root));
        Ok(header)
    }
}

/// A heap that holds one BTH of (key, value) bytes (property contexts and the maps of an OST): fills in its `header`.
pub fn bth_heap(
    ndb: &mut Ndb,
    mut heap: Heap,
    (key, value): (usize, usize),
    records: &[u8],
    header: u32,
    root: u32,
) -> Result<u64> {
    let bytes = heap.bth(ndb, key, value, records)?;
    heap.patch(header, &bytes);
    heap.finish(ndb, root)
}

/// Sub-nodes of one node, with the numbering of those for long values.
#[derive(Default)]
pub struct SubNodes {
    pub nodes: Vec<SubNode>,
    values: u32,
}

impl SubNodes {
    /// Adds a node for a long value; returns its NID.
    fn add_value(&mut self, ndb: &mut Ndb, data: u64) -> u32 {
        self.values += 1;
        let nid = (0x400 + self.values) << 5 | NID_TYPE_LTP;
        ndb.used_nid(nid);
        self.nodes.push(SubNode { nid, data, sub: 0 });
        nid
    }
}

/// Stores a value in a heap or a sub-node; returns the HNID.
fn store_value(ndb: &mut Ndb, heap: &mut Heap, subs: &mut SubNodes, v: Stored) -> Result<u32> {
    match v {
        Stored::Inline(n) => Ok(n),
        Stored::Bytes(b) if b.is_empty() => Ok(0),
        Stored::Bytes(b) if b.len() <= HEAP_ITEM_MAX => heap.add(ndb, &b),
        Stored::Bytes(b) => {
            let data = ndb.bytes(&b)?;
            Ok(subs.add_value(ndb, data))
        }
        Stored::Stream(p) if p.len() <= HEAP_ITEM_MAX as u64 => {
            store_value(ndb, heap, subs, Stored::Bytes(p.to_vec()))
        }
        Stored::Stream(p) => {
            let data = ndb.payload(p)?;
            Ok(subs.add_value(ndb, data))
        }
    }
}

/// Writes a property context; returns bidData and bidSub. `subs` holds further sub-nodes of the node.
pub fn property_context(
    ndb: &mut Ndb,
    props: &Props,
    text: Text,
    mut subs: SubNodes,
) -> Result<(u64, u64)> {
    let mut heap = Heap::new(CLIENT_PC);
    let header = heap.add(ndb, &[0; 8])?;
    let mut records = Vec::with_capacity(8 * props.len());
    for (id, value) in props {
        let word = store_value(ndb, &mut heap, &mut subs, value.stored(text))?;
        records.extend(id.to_le_bytes());
        records.extend(value.ptype(text).to_le_bytes());
        records.extend(word.to_le_bytes());
    }
    let data = bth_heap(ndb, heap, (2, 6), &records, header, header)?;
    Ok((data, ndb.subnodes(subs.nodes)?))
}

/// A column: property id and type.
pub type Column = (u16, u16);

/// Columns that each row has: row id and row version.
const ROW_ID: u16 = tags::LTP_ROW_ID;
const ROW_VERSION: u16 = tags::LTP_ROW_VERSION;
/// Columns of a 4K contents table whose values are in heaps of their own: property, sub-node.
const SIDE_HEAPS: [(u16, u32); 2] = [
    (tags::SENT_REPRESENTING_NAME, 0x541),
    (tags::CONVERSATION_ID, 0x521),
];

struct Cell {
    id: u16,
    ptype: u16,
    offset: usize,
    size: usize,
    bit: usize,
}

/// A table context under way.
pub struct Table {
    cells: Vec<Cell>,
    /// Ends of the 4/8-byte, 2-byte, 1-byte cells and of the row.
    ends: [usize; 4],
    heap: Heap,
    info: u32,
    index_header: u32,
    side: Vec<(u16, u32, Heap)>,
    matrix: DataTree,
    rows: Vec<u8>,
    index: Vec<(u32, u32)>,
    subs: SubNodes,
}

fn cell_size(ptype: u16) -> usize {
    match ptype {
        PT_BOOL => 1,
        PT_I16 => 2,
        PT_F64 | PT_CURRENCY | PT_APPTIME | PT_I64 | PT_TIME => 8,
        _ => 4,
    }
}

impl Table {
    /// A table of `columns` (row id and version are added). `side_heaps`: a contents table of a 4K-page file.
    pub fn new(ndb: &mut Ndb, columns: &[Column], side_heaps: bool) -> Result<Table> {
        let mut all = vec![(ROW_ID, PT_I32), (ROW_VERSION, PT_I32)];
        all.extend(columns);
        let mut cells = Vec::new();
        let mut offset = 0;
        let mut ends = [0; 4];
        for (i, sizes) in [4..=8, 2..=2, 1..=1].into_iter().enumerate() {
            for (bit, &(id, ptype)) in all.iter().enumerate() {
                let size = cell_size(ptype);
                if sizes.contains(&size) {
                    cells.push(Cell {
                        id,
                        ptype,
                        offset,
                        size,
                        bit,
                    });
                    offset += size;
                }
            }
            ends[i] = offset;
        }
        ends[3] = offset + all.len().div_ceil(8);
        cells.sort_by_key(|c| c.id);
        let mut heap = Heap::new(CLIENT_TC);
        let index_header = heap.add(ndb, &[0; 8])?;
        let info = heap.add(ndb, &vec![0; 22 + 8 * cells.len()])?;
        let side: &[(u16, u32)] = if side_heaps { &SIDE_HEAPS } else { &[] };
        Ok(Table {
            cells,
            ends,
            heap,
            info,
            index_header,
            side: side
                .iter()
                .map(|&(id, nid)| (id, nid, Heap::new(CLIENT_VALUES)))
                .collect(),
            matrix: DataTree::default(),
            rows: Vec::new(),
            index: Vec::new(),
            subs: SubNodes::default(),
        })
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Adds a row with the values of `props` for which there are columns.
    pub fn add(&mut self, ndb: &mut Ndb, id: u32, text: Text, props: &Props) -> Result<()> {
        let number = self.index.len() as u32;
        self.index.push((id, number));
        let mut row = vec![0; self.ends[3]];
        for cell in &self.cells {
            let word = match cell.id {
                ROW_ID => u64::from(id),
                ROW_VERSION => {
                    ndb.next_row_version += 1;
                    u64::from(ndb.next_row_version - 1)
                }
                _ => match props.get(&cell.id) {
                    None => continue,
                    Some(v) => match (v.stored(text), cell.size) {
                        (Stored::Bytes(mut b), 8) => {
                            b.resize(8, 0);
                            u64::from_le_bytes(b.try_into().expect("8-byte cell"))
                        }
                        (stored, _) => {
                            let side = self.side.iter_mut().find(|s| s.0 == cell.id);
                            let heap = side.map_or(&mut self.heap, |s| &mut s.2);
                            u64::from(store_value(ndb, heap, &mut self.subs, stored)?)
                        }
                    },
                },
            };
            row[cell.offset..][..cell.size].copy_from_slice(&word.to_le_bytes()[..cell.size]);
            row[self.ends[2] + cell.bit / 8] |= 0x80 >> (cell.bit % 8);
        }
        if self.rows.len() + row.len() > ndb.geo.block_max {
            self.rows.resize(ndb.geo.block_max, 0);
            self.matrix.push(ndb, &self.rows)?;
            self.rows.clear();
        }
        self.rows.extend(row);
        Ok(())
    }

    /// Writes what is left; returns bidData and bidSub.
    pub fn finish(mut self, ndb: &mut Ndb) -> Result<(u64, u64)> {
        for (_, nid, heap) in self.side {
            let data = heap.finish(ndb, 0)?;
            self.subs.nodes.push(SubNode { nid, data, sub: 0 });
        }
        let rows = if self.matrix.is_empty() && self.rows.len() <= HEAP_ITEM_MAX {
            store_value(
                ndb,
                &mut self.heap,
                &mut self.subs,
                Stored::Bytes(self.rows),
            )?
        } else {
            self.matrix.push(ndb, &self.rows)?;
            let data = self.matrix.finish(ndb)?;
            self.subs.add_value(ndb, data)
        };
        self.index.sort_unstable();
        let wide_index = ndb.geo.wide || self.index.len() > 0xFFFF;
        let mut records = Vec::new();
        for (id, number) in &self.index {
            records.extend(id.to_le_bytes());
            records.extend(&number.to_le_bytes()[..if wide_index { 4 } else { 2 }]);
        }
        let header = self
            .heap
            .bth(ndb, 4, if wide_index { 4 } else { 2 }, &records)?;
        self.heap.patch(self.index_header, &header);
        let mut info = vec![CLIENT_TC, self.cells.len() as u8];
        for end in self.ends {
            info.extend((end as u16).to_le_bytes());
        }
        for word in [self.index_header, rows, 0] {
            info.extend(word.to_le_bytes());
        }
        for c in &self.cells {
            for half in [c.ptype, c.id, c.offset as u16] {
                info.extend(half.to_le_bytes());
            }
            info.extend([c.size as u8, c.bit as u8]);
        }
        self.heap.patch(self.info, &info);
        let data = self.heap.finish(ndb, self.info)?;
        Ok((data, ndb.subnodes(self.subs.nodes)?))
    }
}
