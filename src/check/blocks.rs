//! Blocks: each is read once in the order of the file; internal ones are taken apart and references counted.
//! [MS-PST] 2.2.2.8
//!
//! Takes some 48 bytes of memory for a block.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::{Checker, Phase, Progress};
use crate::bytes::{u8_at, u16_at, u32_at, uint_at};
use crate::ndb::{BlockEntry, BlockId, NodeDatabase, NodeId, read_block_strictly};

/// How often progress is told, in blocks or nodes.
const STEP: usize = 256;
const BTYPE_DATA: u8 = 1;
const BTYPE_SUBNODE: u8 = 2;
/// Bytes before the first BID of an XBLOCK.
const XBLOCK_HEADER: usize = 8;

/// What the other checks need to know.
pub(super) struct Blocks {
    /// Blocks that cannot be read.
    pub(super) blocks: HashSet<BlockId>,
    /// Where live blocks are, by offset.
    pub(super) extents: Vec<Range<u64>>,
}

/// What an internal block refers to.
pub(super) struct Internal {
    pub(super) children: Vec<BlockId>,
    /// `lcbTotal` of an XBLOCK whose children are leaves, or of an XXBLOCK.
    total: Option<u64>,
}

pub(super) fn check(ndb: &NodeDatabase, checker: &mut Checker, progress: &Progress) -> Blocks {
    let mut entries: Vec<BlockEntry> = ndb.blocks().flatten().collect();
    entries.sort_by_key(|entry| entry.block.ib);
    let format = ndb.header().format;
    let bytes: u64 = entries.iter().map(|entry| u64::from(entry.stored)).sum();
    let mut found = Blocks {
        blocks: HashSet::new(),
        extents: Vec::with_capacity(entries.len()),
    };
    let mut uses: BTreeMap<BlockId, u32> = BTreeMap::new();
    let mut totals: Vec<(BlockId, u64, Vec<BlockId>)> = Vec::new();
    let mut lengths: BTreeMap<BlockId, u64> = BTreeMap::new();
    let (mut end, mut done) = (0, 0);
    for (index, entry) in entries.iter().enumerate() {
        if index % STEP == 0 {
            progress(Phase::Blocks, done, bytes);
        }
        done += u64::from(entry.stored);
        let BlockEntry { block, stored, .. } = *entry;
        let extent = format.block_extent(stored.into()) as u64;
        let place = || format!("{}, offset {:#x}", block.bid, block.ib);
        if block.ib % format.block_align as u64 != 0 {
            checker.error("BBT entry", place(), "ib: not aligned", None);
        }
        // What a scan found in place of a lost tree may be stale, and overwritten in part.
        let is_listed = entry.references != 0;
        if block.ib < end && is_listed {
            checker.error("BBT entry", place(), "overlaps the block before it", None);
        }
        if block.bid.0 >= ndb.header().next_block {
            checker.warning("BBT entry", place(), "bid: not below bidNextB", None);
        }
        end = block.ib.saturating_add(extent);
        found.extents.push(block.ib..end);
        let data = match read_block_strictly(ndb.source(), format, *entry) {
            Ok(data) => data,
            Err(error) => {
                found.blocks.insert(block.bid);
                checker.unreadable(&error, None);
                continue;
            }
        };
        if !block.bid.is_internal() {
            lengths.insert(block.bid, data.len() as u64);
            continue;
        }
        match internal(ndb, &data) {
            Ok(parts) => {
                for child in parts.children.iter().filter(|_| is_listed) {
                    *uses.entry(*child).or_default() += 1;
                }
                if let (Some(total), true) = (parts.total, is_listed) {
                    lengths.insert(block.bid, total);
                    totals.push((block.bid, total, parts.children));
                }
            }
            Err(problem) => {
                found.blocks.insert(block.bid);
                checker.error("internal block", place(), problem, None);
            }
        }
    }
    progress(Phase::Blocks, bytes, bytes);
    for (bid, total, children) in totals {
        let sum: Option<u64> = children
            .iter()
            .map(|child| lengths.get(child).copied())
            .sum();
        if let Some(sum) = sum.filter(|sum| *sum != total) {
            let problem = format!("lcbTotal: expected {sum}, found {total}");
            checker.error("XBLOCK", bid, problem, None);
        }
    }
    nodes(ndb, &entries, &mut uses, checker);
    references(&entries, &uses, checker);
    checker.report.blocks = entries.len() as u64;
    found
}

/// Blocks that nodes name must be there.
fn nodes(
    ndb: &NodeDatabase,
    entries: &[BlockEntry],
    uses: &mut BTreeMap<BlockId, u32>,
    checker: &mut Checker,
) {
    let known: HashSet<BlockId> = entries.iter().map(|entry| entry.block.bid).collect();
    for (child, _) in uses.iter() {
        if !known.contains(child) {
            let problem = "no entry for a block that an internal block refers to";
            checker.error("BBT", child, problem, None);
        }
    }
    for node in ndb.nodes().flatten() {
        let named = [("bidData", node.data), ("bidSub", node.subnodes)];
        for (field, bid) in named.into_iter().filter(|(_, bid)| !bid.is_none()) {
            *uses.entry(bid.key()).or_default() += 1;
            if !known.contains(&bid.key()) {
                let problem = format!("{field} {:#x}: no such block", bid.0);
                checker.error("NBT entry", node.nid, problem, Some(node.nid));
            }
        }
    }
}

/// `cRef` is one more than the references to a block; of no reference at all, nobody needs the block.
fn references(entries: &[BlockEntry], uses: &BTreeMap<BlockId, u32>, checker: &mut Checker) {
    for entry in entries {
        let bid = entry.block.bid;
        let expected = uses.get(&bid).copied().unwrap_or(0) + 1;
        if entry.references == 0 {
            continue;
        }
        if expected == 1 {
            checker.warning("BBT entry", bid, "nothing refers to this block", None);
        } else if u32::from(entry.references) != expected {
            let problem = format!("cRef: expected {expected}, found {}", entry.references);
            checker.warning("BBT entry", bid, problem, None);
        }
    }
}

/// Takes an XBLOCK, XXBLOCK, SLBLOCK or SIBLOCK apart, and says what is wrong with it.
pub(super) fn internal(ndb: &NodeDatabase, data: &[u8]) -> Result<Internal, String> {
    let word = ndb.header().format.word;
    let (Some(btype), Some(level), Some(count)) = (u8_at(data, 0), u8_at(data, 1), u16_at(data, 2))
    else {
        return Err("the block ends inside its header".into());
    };
    let count = usize::from(count);
    let bid = |at: usize| uint_at(data, at, word).map(|bid| BlockId(bid).key());
    match (btype, level) {
        (BTYPE_DATA, 1 | 2) => {
            if count == 0 || XBLOCK_HEADER + count * word > data.len() {
                return Err(format!("cEnt: {count} entries do not fit"));
            }
            let children = (0..count).filter_map(|index| bid(XBLOCK_HEADER + index * word));
            Ok(Internal {
                children: children.collect(),
                total: u32_at(data, 4).map(u64::from),
            })
        }
        (BTYPE_SUBNODE, 0 | 1) => {
            let words = if level == 0 { 3 } else { 2 };
            let start = |index: usize| word * (1 + index * words);
            if start(count) > data.len() {
                return Err(format!("cEnt: {count} entries do not fit"));
            }
            let keys: Vec<NodeId> = (0..count)
                .filter_map(|index| u32_at(data, start(index)).map(NodeId))
                .collect();
            if !keys.is_sorted_by(|one, next| one < next) {
                return Err("nid: out of order, or there twice".into());
            }
            let children = (0..count)
                .flat_map(|index| (1..words).map(move |field| start(index) + field * word))
                .filter_map(bid)
                .filter(|bid| !bid.is_none());
            Ok(Internal {
                children: children.collect(),
                total: None,
            })
        }
        _ => Err(format!("btype {btype:#x}, cLevel {level}: no such block")),
    }
}
