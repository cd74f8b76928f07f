//! Blocks: each is read once in the order of the file; then the internal ones are taken apart, and references counted.
//! [MS-PST] 2.2.2.8
//!
//! Takes 33 bytes of memory for a block, whatever is in it.

use std::collections::HashSet;
use std::ops::Range;

use super::checker::Checker;
use super::report::{Phase, Progress};
use crate::bytes::{u8_at, u16_at, u32_at, uint_at};
use crate::ndb::{BlockEntry, BlockId, NodeDatabase, NodeId, read_block};

/// How often progress is reported, in blocks or nodes.
const STEP: usize = 256;
const BTYPE_DATA: u8 = 1;
const BTYPE_SUBNODE: u8 = 2;
/// Bytes before the first BID of an XBLOCK.
const XBLOCK_HEADER: usize = 8;

/// What a block turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unreadable,
    Data,
    XBlock,
    XxBlock,
    SlBlock,
    SiBlock,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Unreadable | Kind::Data => "block",
            Kind::XBlock => "XBLOCK",
            Kind::XxBlock => "XXBLOCK",
            Kind::SlBlock => "SLBLOCK",
            Kind::SiBlock => "SIBLOCK",
        }
    }
}

/// What a reference must lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// `bidData`: a data block, XBLOCK or XXBLOCK.
    Data,
    /// `bidSub`: an SLBLOCK or SIBLOCK.
    Subnodes,
    /// Child of an XBLOCK, XXBLOCK or SIBLOCK.
    Child(Kind),
}

impl Role {
    fn fits(self, kind: Kind) -> bool {
        match self {
            // Why it cannot be read is said already.
            _ if kind == Kind::Unreadable => true,
            Role::Data => matches!(kind, Kind::Data | Kind::XBlock | Kind::XxBlock),
            Role::Subnodes => matches!(kind, Kind::SlBlock | Kind::SiBlock),
            Role::Child(wanted) => kind == wanted,
        }
    }
}

/// All blocks, by id, with what was found about each.
pub(super) struct Blocks {
    entries: Vec<BlockEntry>,
    kinds: Vec<Kind>,
    uses: Vec<u32>,
    /// Numbers of the entries, by their offset in the file.
    order: Vec<u32>,
}

impl Blocks {
    fn index(&self, bid: BlockId) -> Option<usize> {
        self.entries
            .binary_search_by_key(&bid.key(), |entry| entry.block.bid)
            .ok()
    }

    /// Blocks that cannot be read.
    pub(super) fn unreadable(&self) -> HashSet<BlockId> {
        let all = self.entries.iter().zip(&self.kinds);
        all.filter(|(_, kind)| **kind == Kind::Unreadable)
            .map(|(entry, _)| entry.block.bid)
            .collect()
    }

    /// Counts a reference to `bid`, which must be in the role `role`. Returns the entry.
    fn refer(
        &mut self,
        bid: BlockId,
        role: Role,
        mut wrong: impl FnMut(String),
    ) -> Option<BlockEntry> {
        let Some(index) = self.index(bid) else {
            wrong(format!("refers to {bid}, for which there is no entry"));
            return None;
        };
        if let Some(uses) = self.uses.get_mut(index) {
            *uses = uses.saturating_add(1);
        }
        if let Some(kind) = self.kinds.get(index)
            && !role.fits(*kind)
        {
            wrong(format!("refers to {bid}, which is a {}", kind.name()));
        }
        self.entries.get(index).copied()
    }
}

/// What an internal block refers to.
pub(super) struct Internal {
    kind: Kind,
    children: Vec<(BlockId, Role)>,
    /// `lcbTotal` of an XBLOCK or XXBLOCK.
    total: u64,
}

impl Internal {
    /// The blocks that it names.
    pub(super) fn children(&self) -> impl Iterator<Item = BlockId> + '_ {
        self.children.iter().map(|(bid, _)| *bid)
    }
}

/// Checks all blocks; `pages` are the places that pages take, by offset.
pub(super) fn check(
    ndb: &NodeDatabase,
    pages: &[Range<u64>],
    checker: &mut Checker,
    progress: &Progress,
) -> Blocks {
    let mut entries: Vec<BlockEntry> = ndb.blocks().flatten().collect();
    entries.sort_by_key(|entry| entry.block.bid);
    entries.dedup_by_key(|entry| entry.block.bid);
    checker.report.blocks = entries.len() as u64;
    let mut order: Vec<u32> = (0..entries.len() as u32).collect();
    order.sort_by_key(|index| entries.get(*index as usize).map(|entry| entry.block.ib));
    let mut blocks = Blocks {
        order,
        kinds: vec![Kind::Unreadable; entries.len()],
        uses: vec![0; entries.len()],
        entries,
    };
    read_all(ndb, &mut blocks, checker, progress);
    no_overlap(ndb, &blocks, pages, checker);
    internals(ndb, &mut blocks, checker);
    nodes(ndb, &mut blocks, checker);
    references(&blocks, checker);
    blocks
}

fn place(entry: &BlockEntry) -> String {
    format!("{}, offset {:#x}", entry.block.bid, entry.block.ib)
}

/// Reads every block, in the order of the file.
fn read_all(ndb: &NodeDatabase, blocks: &mut Blocks, checker: &mut Checker, progress: &Progress) {
    let format = ndb.header().format;
    let stored = |entry: &BlockEntry| u64::from(entry.stored);
    let total: u64 = blocks.entries.iter().map(stored).sum();
    let mut done = 0;
    for (number, index) in blocks.order.iter().enumerate() {
        if number % STEP == 0 {
            progress(Phase::Blocks, done, total);
        }
        let index = *index as usize;
        let (Some(entry), Some(kind)) = (blocks.entries.get(index), blocks.kinds.get_mut(index))
        else {
            continue;
        };
        done += stored(entry);
        let BlockEntry { block, .. } = *entry;
        if block.ib % format.block_align as u64 != 0 {
            checker.error("BBT entry", place(entry), "ib: not aligned", None);
        }
        if block.bid.0 >= ndb.header().next_block {
            checker.warning("BBT entry", place(entry), "bid: not below bidNextB", None);
        }
        match read_block(ndb.source(), format, &ndb.header().checksums, *entry) {
            Err(error) => checker.unreadable(&error, None),
            Ok(_) if !block.bid.is_internal() => *kind = Kind::Data,
            Ok(data) => match internal(ndb, &data) {
                Ok(parts) => *kind = parts.kind,
                Err(problem) => checker.error("internal block", place(entry), problem, None),
            },
        }
    }
    progress(Phase::Blocks, total, total);
}

/// Blocks and pages do not share bytes. What a scan found in place of a lost tree may be stale, and overwritten in part.
fn no_overlap(ndb: &NodeDatabase, blocks: &Blocks, pages: &[Range<u64>], checker: &mut Checker) {
    let format = ndb.header().format;
    let mut pages = pages.iter().peekable();
    let mut end = 0;
    for index in &blocks.order {
        let Some(entry) = blocks.entries.get(*index as usize) else {
            continue;
        };
        if entry.references == 0 {
            continue;
        }
        let start = entry.block.ib;
        let own_end = start.saturating_add(format.block_extent(entry.stored.into()) as u64);
        if start < end {
            checker.error(
                "BBT entry",
                place(entry),
                "overlaps the block before it",
                None,
            );
        }
        while pages.next_if(|page| page.end <= start).is_some() {}
        if pages.peek().is_some_and(|page| page.start < own_end) {
            checker.error("BBT entry", place(entry), "overlaps a page", None);
        }
        end = end.max(own_end);
    }
}

/// What internal blocks refer to is there, is what it should be, and adds up.
fn internals(ndb: &NodeDatabase, blocks: &mut Blocks, checker: &mut Checker) {
    for index in 0..blocks.entries.len() {
        let (Some(entry), Some(kind)) = (blocks.entries.get(index), blocks.kinds.get(index)) else {
            continue;
        };
        if matches!(kind, Kind::Unreadable | Kind::Data) || entry.references == 0 {
            continue;
        }
        let (kind, place) = (*kind, place(entry));
        let Some(parts) = ndb
            .block(entry.block.bid)
            .ok()
            .and_then(|data| internal(ndb, &data).ok())
        else {
            continue;
        };
        let mut listed = HashSet::new();
        let mut listed_below = HashSet::new();
        let mut sum = Some(0);
        let last = parts.children.len().saturating_sub(1);
        let full = ndb.header().format.block_payload;
        for (number, (child, role)) in parts.children.iter().enumerate() {
            let mut wrong = |problem| checker.error(kind.name(), &place, problem, None);
            let found = blocks.refer(*child, *role, &mut wrong);
            if matches!(kind, Kind::XBlock | Kind::XxBlock) && !listed.insert(*child) {
                wrong(format!("lists {child} twice"));
            }
            if let Some(found) = found
                && kind == Kind::XBlock
                && number < last
                && usize::from(found.inflated) != full
            {
                wrong(format!(
                    "{child}: expected {full} bytes, as in all but the last, found {}",
                    found.inflated
                ));
            }
            let length = match (found, kind) {
                (None, _) => None,
                (Some(entry), Kind::XxBlock) => {
                    let below = list(ndb, entry.block.bid);
                    for (child, _) in below.iter().flat_map(|below| &below.children) {
                        if !listed_below.insert(*child) {
                            wrong(format!("{child} is listed twice below it"));
                        }
                    }
                    below.map(|below| below.total)
                }
                (Some(entry), _) => Some(u64::from(entry.inflated)),
            };
            sum = sum.zip(length).map(|(sum, length)| sum + length);
        }
        if let (Kind::XBlock | Kind::XxBlock, Some(sum)) = (kind, sum)
            && sum != parts.total
        {
            let problem = format!("lcbTotal: expected {sum}, found {}", parts.total);
            checker.error(kind.name(), &place, problem, None);
        }
    }
}

/// What the XBLOCK `bid` has.
fn list(ndb: &NodeDatabase, bid: BlockId) -> Option<Internal> {
    let data = ndb.block(bid).ok()?;
    internal(ndb, &data).ok()
}

/// Blocks that nodes name are there, and what they should be.
fn nodes(ndb: &NodeDatabase, blocks: &mut Blocks, checker: &mut Checker) {
    for node in ndb.nodes().flatten() {
        let named = [
            ("bidData", node.data, Role::Data),
            ("bidSub", node.subnodes, Role::Subnodes),
        ];
        for (field, bid, role) in named.into_iter().filter(|(_, bid, _)| !bid.is_none()) {
            blocks.refer(bid, role, |problem| {
                let problem = format!("{field}: {problem}");
                checker.error("NBT entry", node.nid, problem, Some(node.nid));
            });
        }
    }
}

/// `cRef` is one more than the references to a block; of no reference at all, nobody needs the block.
fn references(blocks: &Blocks, checker: &mut Checker) {
    for (entry, uses) in blocks.entries.iter().zip(&blocks.uses) {
        let expected = uses.saturating_add(1);
        // What a scan found has no count.
        if entry.references == 0 {
            continue;
        }
        // Outlook keeps blocks that it is done with for a while, with the count of nobody; ScanPST removes them.
        if u32::from(entry.references) == expected {
            continue;
        }
        if expected == 1 {
            checker.warning(
                "BBT entry",
                place(entry),
                "nothing refers to this block",
                None,
            );
        } else {
            let problem = format!("cRef: expected {expected}, found {}", entry.references);
            checker.warning("BBT entry", place(entry), problem, None);
        }
    }
}

/// The places that blocks take, by offset.
pub(super) fn extents(ndb: &NodeDatabase, blocks: &Blocks) -> impl Iterator<Item = Range<u64>> {
    let format = ndb.header().format;
    blocks.order.iter().filter_map(|index| {
        let entry = blocks.entries.get(*index as usize)?;
        let extent = format.block_extent(entry.stored.into()) as u64;
        Some(entry.block.ib..entry.block.ib.saturating_add(extent))
    })
}

/// Takes an XBLOCK, XXBLOCK, SLBLOCK or SIBLOCK apart, and reports what is wrong with it.
pub(super) fn internal(ndb: &NodeDatabase, data: &[u8]) -> Result<Internal, String> {
    let word = ndb.header().format.word;
    let (Some(btype), Some(level), Some(count)) = (u8_at(data, 0), u8_at(data, 1), u16_at(data, 2))
    else {
        return Err("the block ends inside its header".into());
    };
    let count = usize::from(count);
    let bid = |at: usize| uint_at(data, at, word).map(|bid| BlockId(bid).key());
    let kind = match (btype, level) {
        (BTYPE_DATA, 1) => Kind::XBlock,
        (BTYPE_DATA, 2) => Kind::XxBlock,
        (BTYPE_SUBNODE, 0) => Kind::SlBlock,
        (BTYPE_SUBNODE, 1) => Kind::SiBlock,
        _ => return Err(format!("btype {btype:#x}, cLevel {level}: no such block")),
    };
    if let Kind::XBlock | Kind::XxBlock = kind {
        if count == 0 || XBLOCK_HEADER + count * word > data.len() {
            return Err(format!("cEnt: {count} entries do not fit"));
        }
        let role = match kind {
            Kind::XBlock => Role::Child(Kind::Data),
            _ => Role::Child(Kind::XBlock),
        };
        let children = (0..count).filter_map(|index| bid(XBLOCK_HEADER + index * word));
        return Ok(Internal {
            kind,
            children: children.map(|bid| (bid, role)).collect(),
            total: u32_at(data, 4).map_or(0, u64::from),
        });
    }
    let roles: &[Role] = match kind {
        Kind::SlBlock => &[Role::Data, Role::Subnodes],
        _ => &[Role::Child(Kind::SlBlock)],
    };
    let start = |index: usize| word * (1 + index * (1 + roles.len()));
    if start(count) > data.len() {
        return Err(format!("cEnt: {count} entries do not fit"));
    }
    let keys: Vec<NodeId> = (0..count)
        .filter_map(|index| u32_at(data, start(index)).map(NodeId))
        .collect();
    if !keys.is_sorted_by(|one, next| one < next) {
        return Err("nid: out of order, or there twice".into());
    }
    let children = (0..count).flat_map(|index| {
        let first = start(index) + word;
        let fields = roles.iter().enumerate();
        fields.filter_map(move |(field, role)| Some((bid(first + field * word)?, *role)))
    });
    Ok(Internal {
        kind,
        children: children.filter(|(bid, _)| !bid.is_none()).collect(),
        total: 0,
    })
}
