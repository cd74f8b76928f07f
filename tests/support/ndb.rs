//! B-trees, blocks, data trees, sub-node trees. [MS-PST] 2.2.
//! Blocks stream to the file in the order in which they are made; only the B-tree entries stay in memory (16 and 24 bytes each).
use std::io::Result;
use std::path::Path;

use super::format::*;
use super::output::Output;
use super::value::Payload;

/// A BBT entry: where a block is. Block `i` of [`Ndb::bbt`] has the counter `i + 1`, so BIDs are sorted.
#[derive(Clone, Copy, Debug)]
pub struct BlockEntry {
    pub ib: u64,
    /// Payload bytes as stored.
    pub stored: u16,
    /// Payload bytes before compression.
    pub inflated: u16,
    pub refs: u16,
    /// Bit 1 of the BID: XBLOCK, XXBLOCK, SLBLOCK, SIBLOCK.
    pub internal: bool,
}

/// An NBT entry.
#[derive(Clone, Copy, Debug)]
pub struct NodeEntry {
    pub nid: u32,
    pub parent: u32,
    pub data: u64,
    pub sub: u64,
}

/// A B-tree page that was written.
#[derive(Clone, Copy, Debug)]
pub struct PageEntry {
    pub ptype: u8,
    /// 0 = leaf.
    pub level: u8,
    pub entries: u16,
    pub ib: u64,
    pub bid: u64,
    /// Smallest key in the page.
    pub key: u64,
}

/// A node inside another node.
#[derive(Clone, Copy, Debug)]
pub struct SubNode {
    pub nid: u32,
    pub data: u64,
    pub sub: u64,
}

/// How to write a file.
#[derive(Clone, Debug)]
pub struct Options {
    pub format: Format,
    pub crypt: Crypt,
    /// Stamp another wVer (15, 21, 37).
    pub version: Option<u16>,
    /// Compress the blocks of a 4K-page file where that gains a unit of allocation, as Outlook does.
    pub compress: bool,
    /// Most entries in a B-tree page, to get deep trees in small files.
    pub fanout: Option<usize>,
    /// Most entries in an XBLOCK, to get XXBLOCKs in small files.
    pub xblock_entries: Option<usize>,
    /// Round the file up to whole AMap intervals, as Outlook does (sparse: it costs no space on disk).
    pub round_up: bool,
    /// Number before the first BID, a multiple of 4.
    pub bid_base: u64,
    /// AMap intervals left out (sparse) before the first block.
    pub skipped: u64,
    /// No two attachments of the file have the same id, as Outlook writes them; else those of each message begin anew.
    pub counts_attachments: bool,
}

impl Options {
    pub fn new(format: Format, crypt: Crypt) -> Options {
        Options {
            format,
            crypt,
            version: None,
            compress: true,
            fanout: None,
            xblock_entries: None,
            round_up: true,
            bid_base: 0,
            skipped: 0,
            counts_attachments: false,
        }
    }
}

/// Everything that the header says of the trees.
#[derive(Clone, Copy, Debug, Default)]
pub struct Roots {
    pub nbt: (u64, u64),
    pub bbt: (u64, u64),
}

pub struct Ndb {
    pub options: Options,
    pub geo: Geometry,
    pub bbt: Vec<BlockEntry>,
    pub nbt: Vec<NodeEntry>,
    pub pages: Vec<PageEntry>,
    pub roots: Roots,
    /// Highest index handed out, by NID type.
    pub rgnid: [u32; 32],
    /// Version of the next row of a table; `dwUnique` of the header in the end.
    pub next_row_version: u32,
    out: Output,
    next_page: u64,
}

impl Ndb {
    pub fn create(path: &Path, options: Options) -> Result<Ndb> {
        let geo = options.format.geometry();
        let skipped = options.skipped;
        Ok(Ndb {
            geo,
            options,
            bbt: Vec::new(),
            nbt: Vec::new(),
            pages: Vec::new(),
            roots: Roots::default(),
            rgnid: [0x400; 32],
            next_row_version: 2,
            out: Output::create(path, geo, skipped)?,
            next_page: 1,
        })
    }

    // Pages.

    fn page_bid(&mut self) -> u64 {
        self.next_page += 1;
        self.next_page - 1
    }

    /// Writes the B-tree over sorted `entries` of `size` bytes; returns (bid, ib) of its root.
    fn btree<const N: usize>(
        &mut self,
        ptype: u8,
        count: usize,
        entry: impl Fn(&Ndb, usize) -> (u64, [u8; N]),
        size: usize,
    ) -> Result<(u64, u64)> {
        let word = self.geo.word();
        let mut level: u8 = 0;
        let mut below: Vec<(u64, u64, u64)> = Vec::new();
        loop {
            let cb = if level == 0 { size } else { 3 * word };
            let total = if level == 0 { count } else { below.len() };
            let max = (self.geo.entries / cb).min(self.max_entries(ptype, level));
            let per_page = self.options.fanout.unwrap_or(max).clamp(2, max);
            let mut above = Vec::new();
            for first in (0..total.max(1)).step_by(per_page) {
                let last = (first + per_page).min(total);
                let mut page = Vec::with_capacity(self.geo.page);
                let mut key = 0;
                if level == 0 {
                    for i in first..last {
                        let (k, bytes) = entry(self, i);
                        page.extend(&bytes[..cb]);
                        key = if i == first { k } else { key };
                    }
                } else {
                    key = below[first].0;
                    for (k, bid, ib) in &below[first..last] {
                        for x in [k, bid, ib] {
                            self.geo.put_word(&mut page, *x);
                        }
                    }
                }
                page.resize(self.geo.entries, 0);
                let n = last - first;
                if self.geo.is_4k() {
                    page.extend((n as u16).to_le_bytes());
                    page.extend((max as u16).to_le_bytes());
                } else {
                    page.extend([n as u8, max as u8]);
                }
                page.extend([cb as u8, level]);
                let bid = self.page_bid();
                let ib = self.out.allocate(self.geo.page, self.geo.page)?;
                let page = self.out.finish_page(page, ptype, bid, ib);
                self.out.put(ib, &page)?;
                self.pages.push(PageEntry {
                    ptype,
                    level,
                    entries: n as u16,
                    ib,
                    bid,
                    key,
                });
                above.push((key, bid, ib));
            }
            if above.len() == 1 {
                return Ok((above[0].1, above[0].2));
            }
            below = above;
            level += 1;
        }
    }

    /// cEntMax as Outlook has it; one less than would fit in some pages.
    fn max_entries(&self, ptype: u8, level: u8) -> usize {
        match (self.geo.wide, self.geo.is_4k(), ptype, level) {
            (_, true, PTYPE_NBT, 0) => 126,
            (_, true, _, _) => 169,
            (false, _, PTYPE_NBT, 0) => 31,
            (false, _, _, _) => 41,
            (true, _, PTYPE_NBT, 0) => 15,
            (true, _, _, _) => 20,
        }
    }

    // Blocks.

    fn next_bid(&self, internal: bool) -> u64 {
        self.options.bid_base + (self.bbt.len() as u64 + 1) * 4 + if internal { 2 } else { 0 }
    }

    fn block(&mut self, payload: &[u8], internal: bool, compress: bool) -> Result<u64> {
        assert!(!payload.is_empty() && payload.len() <= self.geo.block_max);
        let bid = self.next_bid(internal);
        let mut data = payload.to_vec();
        if !internal {
            encode(self.options.crypt, bid, &mut data);
        }
        let inflated = data.len() as u16;
        let geo = self.geo;
        if geo.is_4k()
            && compress
            && self.options.compress
            && geo.block_size(data.len()) > geo.block_align
        {
            let packed = miniz_oxide::deflate::compress_to_vec_zlib(&data, 6);
            if geo.block_size(packed.len()) < geo.block_size(data.len()) {
                data = packed;
            }
        }
        let stored = data.len();
        let size = geo.block_size(stored);
        let ib = self.out.allocate(size, geo.block_align)?;
        let crc = crc(&data);
        data.resize(size - geo.block_trailer, 0);
        data.extend((stored as u16).to_le_bytes());
        data.extend(signature(ib, bid).to_le_bytes());
        if geo.wide {
            data.extend(crc.to_le_bytes());
            data.extend(bid.to_le_bytes());
        } else {
            data.extend((bid as u32).to_le_bytes());
            data.extend(crc.to_le_bytes());
        }
        if geo.is_4k() {
            data.extend(2u16.to_le_bytes());
            data.extend(inflated.to_le_bytes());
            data.extend(0u32.to_le_bytes());
        }
        self.out.put(ib, &data)?;
        self.bbt.push(BlockEntry {
            ib,
            stored: stored as u16,
            inflated,
            refs: 1,
            internal,
        });
        Ok(bid)
    }

    pub fn data_block(&mut self, payload: &[u8]) -> Result<u64> {
        self.block(payload, false, true)
    }

    pub fn internal_block(&mut self, payload: &[u8]) -> Result<u64> {
        self.block(payload, true, true)
    }

    /// Counts one more use of a block.
    pub fn add_ref(&mut self, bid: u64) {
        if bid != 0 {
            let entry = &mut self.bbt[((bid - self.options.bid_base) / 4) as usize - 1];
            entry.refs = entry.refs.checked_add(1).expect("a block's uses");
        }
    }

    /// A whole payload as a data tree; 0 for an empty one.
    pub fn payload(&mut self, payload: &Payload) -> Result<u64> {
        // Random bytes never get shorter: the result is the same without trying.
        let compress = !matches!(payload, Payload::Random { .. });
        let mut tree = DataTree::default();
        let mut buffer = vec![0; self.geo.block_max];
        let mut at = 0;
        while at < payload.len() {
            let n = (payload.len() - at).min(buffer.len() as u64) as usize;
            payload.read_at(at, &mut buffer[..n]);
            let bid = self.block(&buffer[..n], false, compress)?;
            tree.note(bid, n);
            at += n as u64;
        }
        tree.finish(self)
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> Result<u64> {
        self.payload(&Payload::from(bytes))
    }

    /// The sub-node tree of `nodes`: an SLBLOCK, or a SIBLOCK over several; 0 for none.
    pub fn subnodes(&mut self, mut nodes: Vec<SubNode>) -> Result<u64> {
        if nodes.is_empty() {
            return Ok(0);
        }
        nodes.sort_by_key(|n| n.nid);
        let geo = self.geo;
        let header = |level: u8, n: usize| {
            let mut out = vec![2, level];
            out.extend((n as u16).to_le_bytes());
            out.resize(if geo.wide { 8 } else { 4 }, 0);
            out
        };
        let mut leaves = Vec::new();
        for chunk in nodes.chunks((geo.block_max - 8) / (3 * geo.word())) {
            let mut block = header(0, chunk.len());
            for node in chunk {
                geo.put_word(&mut block, u64::from(node.nid));
                geo.put_word(&mut block, node.data);
                geo.put_word(&mut block, node.sub);
                self.add_ref(node.data);
                self.add_ref(node.sub);
            }
            leaves.push((chunk[0].nid, self.internal_block(&block)?));
        }
        if let [(_, only)] = leaves[..] {
            return Ok(only);
        }
        let mut block = header(1, leaves.len());
        for (nid, bid) in leaves {
            geo.put_word(&mut block, u64::from(nid));
            geo.put_word(&mut block, bid);
            self.add_ref(bid);
        }
        self.internal_block(&block)
    }

    /// Enters a node in the NBT.
    pub fn node(&mut self, nid: u32, data: u64, sub: u64, parent: u32) {
        self.add_ref(data);
        self.add_ref(sub);
        self.used_nid(nid);
        self.nbt.push(NodeEntry {
            nid,
            parent,
            data,
            sub,
        });
    }

    /// Notes in rgnid that `nid` was handed out.
    pub fn used_nid(&mut self, nid: u32) {
        let highest = &mut self.rgnid[(nid & 31) as usize];
        *highest = (*highest).max(nid >> 5);
    }

    /// Writes the B-trees, the last maps and the header.
    pub fn finish(&mut self) -> Result<()> {
        let word = self.geo.word();
        self.nbt.sort_by_key(|n| n.nid);
        let nbt_entry = |ndb: &Ndb, i: usize| {
            let n = ndb.nbt[i];
            let mut out = Vec::with_capacity(32);
            ndb.geo.put_word(&mut out, u64::from(n.nid));
            ndb.geo.put_word(&mut out, n.data);
            ndb.geo.put_word(&mut out, n.sub);
            out.extend(n.parent.to_le_bytes());
            out.resize(32, 0);
            (u64::from(n.nid), out.try_into().expect("32 bytes"))
        };
        let bbt_entry = |ndb: &Ndb, i: usize| {
            let b = ndb.bbt[i];
            let bid = ndb.options.bid_base + (i as u64 + 1) * 4 + if b.internal { 2 } else { 0 };
            let mut out = Vec::with_capacity(24);
            ndb.geo.put_word(&mut out, bid);
            ndb.geo.put_word(&mut out, b.ib);
            out.extend(b.stored.to_le_bytes());
            if ndb.geo.is_4k() {
                out.extend(b.inflated.to_le_bytes());
            }
            out.extend(b.refs.to_le_bytes());
            out.resize(24, 0);
            (bid, out.try_into().expect("24 bytes"))
        };
        let nbt_size = 4 * word;
        let bbt_size = if self.geo.wide { 24 } else { 12 };
        let nodes = self.nbt.len();
        let blocks = self.bbt.len();
        self.roots.nbt = self.btree::<32>(PTYPE_NBT, nodes, nbt_entry, nbt_size)?;
        self.roots.bbt = self.btree::<24>(PTYPE_BBT, blocks, bbt_entry, bbt_size)?;
        let dlist = self.page_bid();
        let (eof, map) = self.out.finish(dlist, self.options.round_up)?;
        let header = super::header::header(self, eof, map);
        self.out.write_header(&header)
    }

    pub fn next_block_bid(&self) -> u64 {
        self.next_bid(false)
    }

    pub fn next_page_bid(&self) -> u64 {
        self.next_page
    }
}

/// A data tree under way: leaf blocks go to the file at once, their BIDs are kept.
#[derive(Default)]
pub struct DataTree {
    pub bids: Vec<u64>,
    total: u64,
    sizes: Vec<u32>,
}

impl DataTree {
    pub fn push(&mut self, ndb: &mut Ndb, payload: &[u8]) -> Result<()> {
        let bid = ndb.data_block(payload)?;
        self.note(bid, payload.len());
        Ok(())
    }

    fn note(&mut self, bid: u64, len: usize) {
        self.bids.push(bid);
        self.sizes.push(len as u32);
        self.total += len as u64;
    }

    /// Puts a block before all others (the first block of a heap is finished last).
    pub fn push_first(&mut self, ndb: &mut Ndb, payload: &[u8]) -> Result<()> {
        self.push(ndb, payload)?;
        self.bids.rotate_right(1);
        self.sizes.rotate_right(1);
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.bids.is_empty()
    }

    /// BID of the tree: nothing, a block, an XBLOCK or an XXBLOCK.
    pub fn finish(self, ndb: &mut Ndb) -> Result<u64> {
        let per_block = (ndb.geo.block_max - 8) / ndb.geo.word();
        if self.bids.len() <= 1 {
            return Ok(self.bids.first().copied().unwrap_or(0));
        }
        let per_xblock = ndb.options.xblock_entries.unwrap_or(per_block);
        let mut tops = Vec::new();
        for (bids, sizes) in self
            .bids
            .chunks(per_xblock)
            .zip(self.sizes.chunks(per_xblock))
        {
            let total = sizes.iter().sum();
            tops.push(xblock(ndb, 1, bids, total)?);
        }
        match tops[..] {
            [only] => Ok(only),
            _ => {
                assert!(tops.len() <= per_block, "more than an XXBLOCK can list");
                let total = u32::try_from(self.total).expect("a node of 4 GB");
                xblock(ndb, 2, &tops, total)
            }
        }
    }
}

fn xblock(ndb: &mut Ndb, level: u8, bids: &[u64], total: u32) -> Result<u64> {
    let mut block = vec![1, level];
    block.extend((bids.len() as u16).to_le_bytes());
    block.extend(total.to_le_bytes());
    for &bid in bids {
        ndb.geo.put_word(&mut block, bid);
        ndb.add_ref(bid);
    }
    ndb.internal_block(&block)
}
