//! One pass over the whole file that recognises B-tree pages (type, CRC, signature) and blocks (trailer, CRC, signature)
//! by themselves, without any tree.

use crate::error::Error;
use crate::ndb::amap::is_free;
use crate::ndb::crc::{Checksum, Checksums};
use crate::ndb::finds::FoundBlock;
use crate::ndb::format::Format;
use crate::ndb::ids::{BlockId, BlockRef};
use crate::ndb::page::NodeEntry;
use crate::ndb::page::{BTreePage, parse_btree_page, parse_damaged_leaf};
use crate::ndb::page_type::PageType;
use crate::ndb::source::Source;
use crate::ndb::trailer::BlockTrailer;

use super::memory::Memory;
use crate::ndb::watch::Watch;

/// Bytes that are made of a page while trees are looked for and put together, beside those of its entries.
const PAGE: usize = 192;
/// Bytes of an entry that is kept: a child of a page, or a node.
const ENTRY: usize = 24;
/// Bytes of an entry of a damaged leaf, with what is noted to tell whether it is right.
const DAMAGED_ENTRY: usize = 256;
/// Bytes read at a time.
const CHUNK: usize = 4 << 20;
/// No block is larger, so one that began in the chunk before is seen whole.
const OVERLAP: usize = 64 << 10;
/// What the disk cannot read in one piece is read in steps of so many bytes, each finer than the one before: so a bad
/// sector costs itself.
const STEPS: [usize; 3] = [64 << 10, 4 << 10, 512];
/// Where neither checksums nor signatures identify a block, its id must be one that a file can have handed out.
const LAST_ID: u64 = 1 << 32;

/// What the scan keeps of a page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) ib: u64,
    pub(crate) bid: BlockId,
    pub(crate) level: u8,
    /// Smallest and largest key.
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) children: Box<[BlockRef]>,
}

/// What is left of a leaf of the node B-tree whose CRC is wrong.
#[derive(Debug)]
pub(crate) struct DamagedLeaf {
    pub(crate) ib: u64,
    pub(crate) bid: BlockId,
    pub(crate) entries: Vec<NodeEntry>,
}

/// All intact pages and blocks of a file, live and stale, and the damaged leaves that are in use, by offset.
#[derive(Debug)]
pub(crate) struct Found {
    format: &'static Format,
    checksums: Checksums,
    pub(crate) nbt: Vec<Page>,
    pub(crate) bbt: Vec<Page>,
    pub(crate) damaged: Vec<DamagedLeaf>,
    pub(crate) blocks: Vec<FoundBlock>,
    /// Blocks, known by id and CRC, that were written for other places.
    pub(crate) moved_blocks: Vec<FoundBlock>,
    /// Blocks, known by id and signature, whose bytes do not fit their CRC.
    pub(crate) damaged_blocks: Vec<FoundBlock>,
    memory: Memory,
}

impl Found {
    fn new(format: &'static Format, checksums: Checksums, memory: Memory) -> Self {
        Self {
            format,
            checksums,
            nbt: Vec::new(),
            bbt: Vec::new(),
            damaged: Vec::new(),
            blocks: Vec::new(),
            moved_blocks: Vec::new(),
            damaged_blocks: Vec::new(),
            memory,
        }
    }

    /// The pages of one tree.
    pub(crate) fn pages(&self, page_type: PageType) -> &[Page] {
        match page_type {
            PageType::Nbt => &self.nbt,
            PageType::Bbt => &self.bbt,
        }
    }

    /// Whether nothing of the format was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.nbt.is_empty() && self.bbt.is_empty() && self.blocks.is_empty()
    }

    fn take_page(&mut self, bytes: &[u8], ib: u64) {
        let format = self.format;
        let code = bytes.get(format.page_data).copied();
        let page_type = [PageType::Nbt, PageType::Bbt]
            .into_iter()
            .find(|page_type| code == Some(page_type.code()));
        // One with the signature of another place has moved; its CRC vouches for it.
        let intact = page_type.and_then(|page_type| {
            let page = parse_btree_page(bytes.into(), format, &self.checksums, page_type, ib);
            Some((page_type, page.ok()?))
        });
        let Some((page_type, page)) = intact else {
            self.take_damaged(bytes, ib);
            return;
        };
        let (Some(first), Some(last)) = (
            page.key(0),
            page.len().checked_sub(1).and_then(|last| page.key(last)),
        ) else {
            return;
        };
        // The blocks that a leaf names are found by themselves.
        let entries = match (page_type, page.level) {
            (PageType::Bbt, 0) => 0,
            _ => page.len(),
        };
        if !self.memory.take(PAGE + ENTRY * entries) {
            return;
        }
        let children = children(&page);
        let kept = Page {
            ib,
            bid: page.bid,
            level: page.level,
            first,
            last,
            children,
        };
        match page_type {
            PageType::Nbt => self.nbt.push(kept),
            PageType::Bbt => self.bbt.push(kept),
        }
    }

    fn take_damaged(&mut self, bytes: &[u8], ib: u64) {
        if let Some((bid, entries)) = parse_damaged_leaf(bytes, self.format, ib)
            && self.memory.take(PAGE + DAMAGED_ENTRY * entries.len())
        {
            self.damaged.push(DamagedLeaf { ib, bid, entries });
        }
    }

    /// The block that ends at byte `end` of `bytes`, which begin at byte `base` of the file.
    fn take_block(&mut self, bytes: &[u8], base: u64, end: usize) -> Option<()> {
        let (format, checksums) = (self.format, self.checksums);
        let at = end.checked_sub(format.block_trailer)?;
        let trailer = BlockTrailer::at(bytes, at, format)?;
        let (stored, bid) = (trailer.cb, trailer.bid);
        let payload = usize::from(stored);
        if stored == 0 || payload > format.block_payload {
            return None;
        }
        let start = end.checked_sub(format.block_extent(payload))?;
        let ib = base + start as u64;
        let is_here = checksums.signature_fits(trailer.signature, ib, bid);
        if bid.is_none() || (!is_here && bid.0 > LAST_ID) {
            return None;
        }
        let data = bytes.get(start..start + payload)?;
        let is_intact = checksums.blocks.fits(data, trailer.crc);
        let is_told = checksums.signatures || checksums.blocks != Checksum::Meaningless;
        let has_sums = trailer.signature != 0 || trailer.crc != 0;
        if !is_told && (has_sums || bid.0 > LAST_ID) {
            return None;
        }
        let block = FoundBlock::new(bid, ib, stored, trailer.inflated)?;
        let kept = match (is_here, is_intact) {
            (true, true) => &mut self.blocks,
            // A CRC of nothing tells nothing.
            (false, true) if checksums.blocks != Checksum::Meaningless => &mut self.moved_blocks,
            (true, false) => &mut self.damaged_blocks,
            (false, _) => return None,
        };
        if self.memory.take(size_of::<FoundBlock>()) {
            kept.push(block);
        }
        Some(())
    }
}

fn children(page: &BTreePage) -> Box<[BlockRef]> {
    if page.level == 0 {
        return Box::default();
    }
    (0..page.len())
        .filter_map(|index| page.child(index))
        .map(|child| child.page)
        .collect()
}

/// Reads the whole file once. `watch` is called with the progress.
pub(crate) fn scan(
    source: &Source,
    format: &'static Format,
    checksums: &Checksums,
    watch: &dyn Watch,
) -> Found {
    let mut found = Found::new(format, *checksums, Memory::of_scan(source));
    let mut buffer = vec![0; OVERLAP + CHUNK];
    let page_size = format.page_size as u64;
    let mut at = 0;
    while let Some(stored) = source.pieces().next_stored(at) {
        watch.progress(stored.start, source.len());
        let start = at.max(stored.start / page_size * page_size);
        if start > at {
            buffer.fill(0);
            at = start;
        }
        let end = stored.end.next_multiple_of(page_size).min(source.len());
        let length = (end - at).min(CHUNK as u64) as usize;
        let filled = OVERLAP + length;
        let chunk = buffer.get_mut(OVERLAP..filled).unwrap_or_default();
        read(source, chunk, at);
        for (index, page) in chunk.chunks_exact(format.page_size).enumerate() {
            found.take_page(page, at + (index * format.page_size) as u64);
        }
        let before = at.min(OVERLAP as u64) as usize;
        let bytes = buffer.get(OVERLAP - before..filled).unwrap_or_default();
        let base = at - before as u64;
        for end in (before..=bytes.len()).step_by(format.block_align).skip(1) {
            found.take_block(bytes, base, end);
        }
        buffer.copy_within(length..filled, 0);
        at += length as u64;
    }
    found.damaged.retain(|leaf| is_in_use(source, format, leaf));
    watch.progress(source.len(), source.len());
    if let Some(problem) = found.memory.problem("a scan of the whole file") {
        watch.problem(problem);
    }
    found
}

/// Where a part of a page is free, this is what is left of an old one.
fn is_in_use(source: &Source, format: &'static Format, leaf: &DamagedLeaf) -> bool {
    let end = leaf.ib.saturating_add(format.page_size as u64);
    !is_free(source, format, leaf.ib..end)
}

/// Fills `buffer`; what is lost, or the disk cannot read, becomes zeros, which are neither a page nor a block.
pub(super) fn read(source: &Source, buffer: &mut [u8], at: u64) {
    read_in_steps(source, buffer, at, &STEPS);
}

fn read_in_steps(source: &Source, buffer: &mut [u8], at: u64, steps: &[usize]) {
    let Err(error) = source.read_with_gaps(buffer, at) else {
        return;
    };
    match steps {
        [step, finer @ ..] if !matches!(error, Error::Changed) => {
            for (part, at) in buffer.chunks_mut(*step).zip((at..).step_by(*step)) {
                read_in_steps(source, part, at, finer);
            }
        }
        _ => {
            log::warn!("{}", source.log_line(format_args!("scan: {error}")));
            buffer.fill(0);
        }
    }
}
