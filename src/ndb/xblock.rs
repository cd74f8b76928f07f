//! XBLOCKs and XXBLOCKs: the lists of the blocks of a data tree. [MS-PST] 2.2.2.8.3.2

use std::sync::Arc;

use super::block::{BTYPE_DATA, Flaw};
use super::database::NodeDatabase;
use super::ids::BlockId;
use crate::bytes::{u8_at, u16_at, u32_at, uint_at};
use crate::error::{Error, Result};

pub(super) const LEVEL_XBLOCK: u8 = 1;
pub(super) const LEVEL_XXBLOCK: u8 = 2;
/// Bytes of an XBLOCK or XXBLOCK before its first BID.
pub(super) const HEADER: usize = 8;

/// One XBLOCK: its leaves.
#[derive(Debug)]
pub(super) struct XBlock {
    pub(super) leaves: Vec<BlockId>,
    pub(super) len: u64,
    /// End offset of each leaf, made only when the leaves are not all full.
    pub(super) ends: Option<Vec<u64>>,
    /// What is wrong with the list of leaves itself.
    pub(super) flaw: Option<Arc<Flaw>>,
}

/// The header and BIDs of an XBLOCK or XXBLOCK.
pub(super) struct InternalBlock {
    pub(super) level: u8,
    pub(super) children: Vec<BlockId>,
    pub(super) total: u64,
    pub(super) flaw: Option<Arc<Flaw>>,
}

/// Reads an XBLOCK or XXBLOCK. Of one that is damaged comes what makes sense.
pub(super) fn parse_internal(ndb: &NodeDatabase, bid: BlockId) -> Result<InternalBlock> {
    let block = ndb.block(bid)?;
    let wrong = |what: &str| Error::corrupt("XBLOCK", bid, what);
    let format = ndb.header().format;
    let header = (
        u8_at(&block, 0),
        u8_at(&block, 1),
        u16_at(&block, 2),
        u32_at(&block, 4),
    );
    let (Some(btype), Some(level), Some(count), Some(total)) = header else {
        return Err(wrong("expected an 8-byte header"));
    };
    let flaw = block.flaw().map(Arc::clone);
    let is_level = (LEVEL_XBLOCK..=LEVEL_XXBLOCK).contains(&level);
    let listed = Listed::of(&block, format.word);
    let needs_all = (total as usize).div_ceil(format.block_payload) == listed.ids.len();
    // One of the two may be wrong, of a block whose CRC is right if all else is.
    if btype != BTYPE_DATA && !(is_level && (flaw.is_some() || needs_all)) {
        return Err(wrong("expected btype 1"));
    }
    let own_level = listed.level(level);
    let own_count = listed.count(own_level, count.into(), total, format.block_payload, &flaw);
    let field = match (btype == BTYPE_DATA, own_level == level) {
        (false, _) => ("btype", BTYPE_DATA.into(), btype.into()),
        (_, false) => ("cLevel", own_level.into(), level.into()),
        _ => ("cEnt", own_count, usize::from(count)),
    };
    let flaw = match (flaw, field) {
        (None, (_, 0, _)) => return Err(wrong("cEnt: none")),
        (None, (what, expected, found)) if expected != found => doubt(
            ndb,
            wrong(&format!("{what}: expected {expected}, found {found}")),
        )?,
        (flaw, _) => flaw,
    };
    let (level, count) = (own_level, own_count);
    let missing = |at: usize| {
        let flaw = flaw.as_ref();
        flaw.is_some_and(|flaw| flaw.missing.iter().any(|range| range.contains(&at)))
    };
    let children = (0..count)
        .map(|index| HEADER + index * format.word)
        .map(|at| match missing(at) {
            true => BlockId::LOST,
            false => uint_at(&block, at, format.word).map_or(BlockId::LOST, BlockId),
        })
        .map(BlockId::key)
        .collect();
    Ok(InternalBlock {
        level,
        children,
        total: total.into(),
        flaw,
    })
}

/// What an XBLOCK or XXBLOCK has behind its header, whatever that says: ids up to its end.
struct Listed {
    ids: Vec<BlockId>,
}

impl Listed {
    fn of(block: &[u8], word: usize) -> Self {
        let ids = block.get(HEADER..).unwrap_or_default().chunks_exact(word);
        let ids = ids.filter_map(|id| uint_at(id, 0, word).map(BlockId));
        Self { ids: ids.collect() }
    }

    /// The level by what is listed: an XBLOCK has data blocks, an XXBLOCK internal ones. The `stored` one if that tells nothing.
    fn level(&self, stored: u8) -> u8 {
        let known = self.ids.iter().filter(|id| !id.is_none());
        let (internal, data): (Vec<&BlockId>, Vec<_>) = known.partition(|id| id.is_internal());
        match (internal.is_empty(), data.is_empty()) {
            (false, true) => LEVEL_XXBLOCK,
            (true, false) => LEVEL_XBLOCK,
            _ if stored == LEVEL_XXBLOCK => LEVEL_XXBLOCK,
            _ => LEVEL_XBLOCK,
        }
    }

    /// How many of them count: the `stored` number, unless what the total needs, or what stands behind them, says that it is
    /// wrong. Of a damaged block as many as the total needs.
    fn count(
        &self,
        level: u8,
        stored: usize,
        total: u32,
        full: usize,
        flaw: &Option<Arc<Flaw>>,
    ) -> usize {
        let room = self.ids.len();
        let possible = 1..=room;
        let needed = (total as usize).div_ceil(full);
        let needed =
            Some(needed).filter(|needed| level == LEVEL_XBLOCK && possible.contains(needed));
        if flaw.is_some() {
            return needed.unwrap_or(stored.clamp(1, room.max(1)));
        }
        let behind = self.ids.get(stored..).unwrap_or_default();
        let are_more = behind.iter().any(|id| !id.is_none());
        match possible.contains(&stored) && (needed == Some(stored) || !are_more) {
            true => stored,
            false => needed.unwrap_or(room),
        }
    }
}

/// As [`parse_internal`]; for an XBLOCK of which nothing can be had, the leaves that were found for it.
pub(super) fn find_internal(ndb: &NodeDatabase, bid: BlockId) -> Result<InternalBlock> {
    let error = match parse_internal(ndb, bid) {
        Err(error) if !error.is_unread() => error,
        parsed => return parsed,
    };
    let Some(leaves) = ndb.lost_leaves(bid) else {
        return Err(error);
    };
    let total = leaves.iter().map(|leaf| ndb.block_len(*leaf));
    let total = total.sum::<Result<u64>>()?;
    // The last leaf is seldom full.
    let is_full = total.is_multiple_of(ndb.header().format.block_payload as u64);
    let end = if is_full {
        "; the end may be missing"
    } else {
        ""
    };
    let flaw = Flaw::doubt(&Error::corrupt(
        "XBLOCK",
        bid,
        format_args!(
            "lost; the blocks written beside it stand in for those that it listed{end}: {error}"
        ),
    ));
    Ok(InternalBlock {
        level: LEVEL_XBLOCK,
        children: leaves.to_vec(),
        total,
        flaw: Some(Arc::new(flaw)),
    })
}

/// Reads a child of an XXBLOCK.
pub(super) fn read_xblock(ndb: &NodeDatabase, bid: BlockId) -> Result<XBlock> {
    let block = find_internal(ndb, bid)?;
    if block.level == LEVEL_XBLOCK {
        return check_xblock(ndb, bid, block);
    }
    Err(Error::corrupt(
        "XBLOCK",
        bid,
        format_args!("cLevel: expected 1 below an XXBLOCK, found {}", block.level),
    ))
}

/// What is wrong with a list that has one of `children` twice, as none has.
pub(super) fn listed_twice(
    ndb: &NodeDatabase,
    bid: BlockId,
    children: &[BlockId],
) -> Result<Option<Arc<Flaw>>> {
    // As writers hand the ids out.
    if children.is_sorted_by(|one, next| one < next) {
        return Ok(None);
    }
    let mut sorted = children.to_vec();
    sorted.sort_unstable();
    let mut pairs = sorted.iter().zip(sorted.iter().skip(1));
    let Some((child, _)) = pairs.find(|(one, next)| one == next) else {
        return Ok(None);
    };
    let problem = format_args!("lists {child} twice: another block may be lost");
    doubt(ndb, Error::corrupt("XBLOCK", bid, problem))
}

/// What stands for `error`, where that is allowed.
pub(super) fn doubt(ndb: &NodeDatabase, error: Error) -> Result<Option<Arc<Flaw>>> {
    match ndb.refuses_damage() {
        true => Err(error),
        false => Ok(Some(Arc::new(Flaw::doubt(&error)))),
    }
}

/// Checks `lcbTotal` against the last leaf's size, which is one lookup; only if the leaves are not all full, against
/// the sizes of all of them. A leaf that is not in the file has the size that is left for it.
pub(super) fn check_xblock(
    ndb: &NodeDatabase,
    bid: BlockId,
    block: InternalBlock,
) -> Result<XBlock> {
    let InternalBlock {
        children: leaves,
        total: len,
        ..
    } = block;
    let mut flaw = block.flaw;
    if flaw.is_none() {
        flaw = listed_twice(ndb, bid, &leaves)?;
    }
    let full = ndb.header().format.block_payload as u64;
    let before_last = (leaves.len() as u64).saturating_sub(1) * full;
    let size = |leaf: &BlockId| match ndb.block_len(*leaf) {
        Ok(size) => Ok(Some(size)),
        Err(error) if error.is_unread() || ndb.refuses_damage() => Err(error),
        Err(_) => Ok(None),
    };
    let last = leaves.last().map_or(Ok(Some(0)), size)?;
    let is_regular = match last {
        Some(last) => len == before_last + last,
        None => len > before_last && len <= before_last + full,
    };
    if is_regular {
        return Ok(XBlock {
            leaves,
            len,
            ends: None,
            flaw,
        });
    }
    let sizes: Vec<Option<u64>> = leaves.iter().map(size).collect::<Result<_>>()?;
    let sizes = match sizes.iter().flatten().sum::<u64>() == len || ndb.refuses_damage() {
        true => sizes,
        false => own_sizes(ndb, &leaves, sizes)?,
    };
    let unknown = sizes.iter().filter(|size| size.is_none()).count();
    let ends = ends(&sizes, len, full);
    let end = ends.last().copied().unwrap_or(0);
    let before_last = sizes.iter().rev().skip(1);
    if flaw.is_none() && before_last.flatten().any(|size| *size != full) {
        let problem = "expected full blocks, but for the last one: their order may be wrong";
        flaw = doubt(ndb, Error::corrupt("XBLOCK", bid, problem))?;
    }
    let wrong_total = || {
        let problem = format_args!("lcbTotal: expected the sum of its blocks {end}, found {len}");
        Error::corrupt("XBLOCK", bid, problem)
    };
    if ends.len() != leaves.len() {
        return Err(wrong_total());
    }
    if end != len && flaw.is_none() && unknown == 0 {
        flaw = doubt(ndb, wrong_total())?;
    }
    Ok(XBlock {
        leaves,
        len: end,
        ends: Some(ends),
        flaw,
    })
}

/// `sizes` of `leaves`, which do not make up `lcbTotal`: either that is wrong, or what the B-tree has of a leaf, which says itself
/// how long it is.
fn own_sizes(
    ndb: &NodeDatabase,
    leaves: &[BlockId],
    mut sizes: Vec<Option<u64>>,
) -> Result<Vec<Option<u64>>> {
    let full = ndb.header().format.block_payload as u64;
    for (size, leaf) in sizes.iter_mut().zip(leaves) {
        if let Some(size) = size.as_mut().filter(|size| **size != full) {
            *size = ndb.own_len(*leaf)?;
        }
    }
    Ok(sizes)
}

/// Where leaves of these sizes end. The only one that has none takes what is left of `len`, if it may have so much; each of
/// several is `full`. Ends with a leaf without bytes: as leaves have some, their number is bounded by the length that the tree
/// may have.
fn ends(sizes: &[Option<u64>], len: u64, full: u64) -> Vec<u64> {
    let known: u64 = sizes.iter().flatten().sum();
    let gap = match sizes.iter().filter(|size| size.is_none()).count() {
        1 => Some(len.saturating_sub(known)).filter(|gap| (1..=full).contains(gap)),
        _ => None,
    };
    let mut end = 0;
    let mut ends = Vec::with_capacity(sizes.len());
    for size in sizes {
        let size = size.or(gap).unwrap_or(full);
        end += size;
        ends.push(end);
        if size == 0 {
            break;
        }
    }
    ends
}
