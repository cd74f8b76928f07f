//! Data trees: the bytes of a node over one block, an XBLOCK or an XXBLOCK. [MS-PST] 2.2.2.8.3.1, 2.2.2.8.3.2
//!
//! Opening reads the top block only. All leaves but the last are full in every known file, so a position is found by
//! division; where the sizes in the block B-tree say otherwise, exact offsets are made from them.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::NodeDatabase;
use super::ids::BlockId;
use crate::bytes::{copy_at, u8_at, u16_at, u32_at, uint_at};
use crate::error::{Error, Result};

pub(super) const BTYPE_DATA: u8 = 1;
const LEVEL_XBLOCK: u8 = 1;
const LEVEL_XXBLOCK: u8 = 2;
/// Bytes of an XBLOCK or XXBLOCK before its first BID.
const HEADER: usize = 8;

/// The bytes of a node as a stream of known length, and as a sequence of leaf blocks.
#[derive(Debug, Clone)]
pub struct DataTree {
    ndb: Arc<NodeDatabase>,
    shape: Shape,
}

#[derive(Debug, Clone)]
enum Shape {
    Empty,
    Single { bid: BlockId, len: u64 },
    XBlock(Arc<XBlock>),
    XxBlock(Arc<XxBlock>),
}

/// One XBLOCK: its leaves.
#[derive(Debug)]
struct XBlock {
    leaves: Vec<BlockId>,
    len: u64,
    /// End offset of each leaf, made only when the leaves are not all full.
    ends: Option<Vec<u64>>,
}

/// One XXBLOCK: its XBLOCKs, read when something is asked of them.
#[derive(Debug)]
struct XxBlock {
    bid: BlockId,
    children: Vec<BlockId>,
    len: u64,
    /// Where they end, or what is wrong with them: a lie costs one look at all of them, not one for each read.
    index: OnceLock<std::result::Result<Vec<XxEntry>, String>>,
    /// The child used last and its number: reads mostly go on where the last one ended.
    recent: Mutex<Option<(usize, Arc<XBlock>)>>,
}

/// Where the bytes and leaves of one XBLOCK end within its XXBLOCK.
#[derive(Debug)]
struct XxEntry {
    end: u64,
    leaves_end: usize,
}

impl DataTree {
    /// Opens the data tree with the top block `bid`; no block at all is an empty tree.
    pub fn open(ndb: &Arc<NodeDatabase>, bid: BlockId) -> Result<Self> {
        let shape = if bid.is_none() {
            Shape::Empty
        } else if bid.is_internal() {
            open_internal(ndb, bid)?
        } else {
            Shape::Single {
                bid,
                len: ndb.block_len(bid)?,
            }
        };
        let tree = Self {
            ndb: Arc::clone(ndb),
            shape,
        };
        tree.check_len(bid)?;
        Ok(tree)
    }

    /// No writer puts a block twice into a tree. So one with more bytes than the blocks of a file of this size can hold
    /// is a lie, that would have its readers work and store without end.
    fn check_len(&self, bid: BlockId) -> Result<()> {
        let most = self.ndb.most_data();
        if self.len() <= most {
            return Ok(());
        }
        Err(Error::corrupt(
            "data tree",
            bid,
            format_args!(
                "lcbTotal: expected at most {most}, which the file can hold, found {}",
                self.len()
            ),
        ))
    }

    /// Length in bytes, known without reading a leaf.
    pub fn len(&self) -> u64 {
        match &self.shape {
            Shape::Empty => 0,
            Shape::Single { len, .. } => *len,
            Shape::XBlock(xblock) => xblock.len,
            Shape::XxBlock(xxblock) => xxblock.len,
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of leaf blocks.
    pub fn leaf_count(&self) -> Result<usize> {
        Ok(match &self.shape {
            Shape::Empty => 0,
            Shape::Single { .. } => 1,
            Shape::XBlock(xblock) => xblock.leaves.len(),
            Shape::XxBlock(xxblock) => self
                .xx_index(xxblock)?
                .last()
                .map_or(0, |entry| entry.leaves_end),
        })
    }

    /// Leaf block number `index`, or an error when there are not so many.
    pub fn leaf(&self, index: usize) -> Result<Arc<[u8]>> {
        let absent = || {
            Error::corrupt(
                "data tree",
                format_args!("leaf {index}"),
                "a block beyond the last one is referred to",
            )
        };
        match &self.shape {
            Shape::Single { bid, .. } if index == 0 => self.ndb.block(*bid),
            Shape::Empty | Shape::Single { .. } => Err(absent()),
            Shape::XBlock(xblock) => self
                .ndb
                .block(*xblock.leaves.get(index).ok_or_else(absent)?),
            Shape::XxBlock(xxblock) => {
                let entries = self.xx_index(xxblock)?;
                let child = entries.partition_point(|entry| entry.leaves_end <= index);
                let before = child
                    .checked_sub(1)
                    .and_then(|previous| entries.get(previous))
                    .map_or(0, |entry| entry.leaves_end);
                let xblock = self.xx_child(xxblock, child)?.ok_or_else(absent)?;
                self.ndb
                    .block(*xblock.leaves.get(index - before).ok_or_else(absent)?)
            }
        }
    }

    /// Fills `buf` from byte `offset`; returns how many bytes there were, fewer than asked only at the end.
    pub fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let wanted = usize::try_from(self.len().saturating_sub(offset))
            .unwrap_or(usize::MAX)
            .min(buf.len());
        let mut done = 0;
        while done < wanted {
            let rest = buf.get_mut(done..wanted).unwrap_or_default();
            done += self.read_piece(offset + done as u64, rest)?;
        }
        Ok(done)
    }

    /// Copies from the leaves that hold byte `offset`, which is within the tree, and those behind it. Returns at least 1.
    fn read_piece(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let (leaf, within) = match &self.shape {
            Shape::Empty => return Err(self.lost(offset)),
            Shape::Single { bid, len } => {
                if offset == 0 && buf.len() as u64 == *len {
                    self.ndb.read_blocks(&[*bid], buf.len(), buf)?;
                    return Ok(buf.len());
                }
                (self.checked_leaf(*bid, *len)?, offset)
            }
            Shape::XBlock(xblock) => return self.read_leaves(xblock, offset, buf),
            Shape::XxBlock(xxblock) => {
                let entries = self.xx_index(xxblock)?;
                let child = entries.partition_point(|entry| entry.end <= offset);
                let start = child
                    .checked_sub(1)
                    .and_then(|previous| entries.get(previous))
                    .map_or(0, |entry| entry.end);
                let xblock = self.xx_child(xxblock, child)?;
                let xblock = xblock.ok_or_else(|| self.lost(offset))?;
                return self.read_leaves(&xblock, offset - start, buf);
            }
        };
        self.copy_piece(&leaf, within, buf)
    }

    /// Copies from the leaves of `xblock` that hold its bytes from `offset` on: as many whole ones as are asked for, else
    /// a part of one.
    fn read_leaves(&self, xblock: &XBlock, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let full = self.ndb.header().format.block_payload;
        let left = usize::try_from(xblock.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        // The last leaf is shorter than the others, and as whole.
        let whole = if buf.len() < left {
            buf.len() / full * full
        } else {
            left
        };
        let first = usize::try_from(offset / full as u64).unwrap_or(usize::MAX);
        if xblock.ends.is_none()
            && offset.is_multiple_of(full as u64)
            && whole > 0
            && let Some(leaves) = xblock
                .leaves
                .get(first..first.saturating_add(whole.div_ceil(full)))
        {
            let buf = buf.get_mut(..whole).unwrap_or_default();
            self.ndb.read_blocks(leaves, full, buf)?;
            return Ok(whole);
        }
        let (leaf, within) = self.leaf_at(xblock, offset)?;
        self.copy_piece(&leaf, within, buf)
    }

    fn copy_piece(&self, leaf: &[u8], within: u64, buf: &mut [u8]) -> Result<usize> {
        match copy_at(leaf, within, buf) {
            0 => Err(self.lost(within)),
            count => Ok(count),
        }
    }

    /// The leaf of `xblock` that holds its byte `offset`, and the offset within the leaf.
    fn leaf_at(&self, xblock: &XBlock, offset: u64) -> Result<(Arc<[u8]>, u64)> {
        let full = self.ndb.header().format.block_payload as u64;
        let (index, start, end) = match &xblock.ends {
            None => {
                let start = offset / full * full;
                (offset / full, start, (start + full).min(xblock.len))
            }
            Some(ends) => {
                let index = ends.partition_point(|end| *end <= offset);
                let start = index
                    .checked_sub(1)
                    .and_then(|previous| ends.get(previous))
                    .copied();
                let end = ends.get(index).copied().unwrap_or(xblock.len);
                (index as u64, start.unwrap_or(0), end)
            }
        };
        let bid = usize::try_from(index)
            .ok()
            .and_then(|index| xblock.leaves.get(index))
            .ok_or_else(|| self.lost(offset))?;
        Ok((self.checked_leaf(*bid, end - start)?, offset - start))
    }

    /// A leaf that must hold exactly `len` bytes: a shorter one would shift all that follows.
    fn checked_leaf(&self, bid: BlockId, len: u64) -> Result<Arc<[u8]>> {
        let leaf = self.ndb.block(bid)?;
        if leaf.len() as u64 == len {
            return Ok(leaf);
        }
        Err(Error::corrupt(
            "data tree",
            bid,
            format_args!("payload: expected {len} bytes, found {}", leaf.len()),
        ))
    }

    fn xx_index<'a>(&self, xxblock: &'a XxBlock) -> Result<&'a [XxEntry]> {
        let index = match xxblock.index.get() {
            Some(index) => index,
            None => match self.read_xx_index(xxblock) {
                Err(error @ Error::Io { .. }) => return Err(error),
                read => xxblock
                    .index
                    .get_or_init(|| read.map_err(|error| error.to_string())),
            },
        };
        let wrong = |problem: &String| Error::corrupt("XXBLOCK", xxblock.bid, problem);
        index.as_deref().map_err(wrong)
    }

    fn read_xx_index(&self, xxblock: &XxBlock) -> Result<Vec<XxEntry>> {
        let mut index = Vec::with_capacity(xxblock.children.len());
        let (mut end, mut leaves_end) = (0u64, 0usize);
        for child in &xxblock.children {
            let xblock = read_xblock(&self.ndb, *child)?;
            end += xblock.len;
            leaves_end += xblock.leaves.len();
            index.push(XxEntry { end, leaves_end });
            if end > xxblock.len {
                break;
            }
        }
        if end != xxblock.len {
            return Err(Error::corrupt(
                "XXBLOCK",
                xxblock.bid,
                format_args!(
                    "lcbTotal: expected the sum of its blocks {end}, found {}",
                    xxblock.len
                ),
            ));
        }
        Ok(index)
    }

    /// XBLOCK number `child` of `xxblock`; None when it has fewer.
    fn xx_child(&self, xxblock: &XxBlock, child: usize) -> Result<Option<Arc<XBlock>>> {
        if let Some((number, xblock)) = &*xxblock.recent.lock()
            && *number == child
        {
            return Ok(Some(Arc::clone(xblock)));
        }
        let Some(bid) = xxblock.children.get(child) else {
            return Ok(None);
        };
        let xblock = Arc::new(read_xblock(&self.ndb, *bid)?);
        *xxblock.recent.lock() = Some((child, Arc::clone(&xblock)));
        Ok(Some(xblock))
    }

    fn lost(&self, offset: u64) -> Error {
        Error::corrupt(
            "data tree",
            format_args!("byte {offset}"),
            "no block holds it",
        )
    }
}

/// The header and BIDs of an XBLOCK or XXBLOCK.
pub(super) fn parse_internal(ndb: &NodeDatabase, bid: BlockId) -> Result<(u8, Vec<BlockId>, u64)> {
    let block = ndb.block(bid)?;
    let wrong = |what: &str| Error::corrupt("XBLOCK", bid, what);
    let word = ndb.header().format.word;
    let btype = u8_at(&block, 0);
    let level = u8_at(&block, 1);
    let count = u16_at(&block, 2);
    let total = u32_at(&block, 4);
    let (Some(BTYPE_DATA), Some(level), Some(count), Some(total)) = (btype, level, count, total)
    else {
        return Err(wrong("expected btype 1 and an 8-byte header"));
    };
    let count = usize::from(count);
    if count == 0 || count * word > block.len() - HEADER {
        return Err(wrong("cEnt: more entries than the block holds, or none"));
    }
    let bids = (0..count)
        .filter_map(|index| uint_at(&block, HEADER + index * word, word))
        .map(|bid| BlockId(bid).key())
        .collect();
    Ok((level, bids, total.into()))
}

fn open_internal(ndb: &Arc<NodeDatabase>, bid: BlockId) -> Result<Shape> {
    let (level, bids, total) = parse_internal(ndb, bid)?;
    match level {
        LEVEL_XBLOCK => Ok(Shape::XBlock(Arc::new(check_xblock(
            ndb, bid, bids, total,
        )?))),
        LEVEL_XXBLOCK => Ok(Shape::XxBlock(Arc::new(XxBlock {
            bid,
            children: bids,
            len: total,
            index: OnceLock::new(),
            recent: Mutex::new(None),
        }))),
        other => Err(Error::corrupt(
            "XBLOCK",
            bid,
            format_args!("cLevel: expected 1 or 2, found {other}"),
        )),
    }
}

fn read_xblock(ndb: &NodeDatabase, bid: BlockId) -> Result<XBlock> {
    match parse_internal(ndb, bid)? {
        (LEVEL_XBLOCK, leaves, total) => check_xblock(ndb, bid, leaves, total),
        (level, _, _) => Err(Error::corrupt(
            "XBLOCK",
            bid,
            format_args!("cLevel: expected 1 below an XXBLOCK, found {level}"),
        )),
    }
}

/// Checks `lcbTotal` against the last leaf's size, which is one lookup; only if the leaves are not all full, against
/// the sizes of all of them.
fn check_xblock(
    ndb: &NodeDatabase,
    bid: BlockId,
    leaves: Vec<BlockId>,
    len: u64,
) -> Result<XBlock> {
    let full = ndb.header().format.block_payload as u64;
    let before_last = (leaves.len() as u64).saturating_sub(1) * full;
    let last = leaves.last().map_or(Ok(0), |last| ndb.block_len(*last))?;
    if len == before_last + last {
        return Ok(XBlock {
            leaves,
            len,
            ends: None,
        });
    }
    let mut end = 0;
    let mut ends = Vec::with_capacity(leaves.len());
    for leaf in &leaves {
        let leaf_len = ndb.block_len(*leaf)?;
        end += leaf_len;
        ends.push(end);
        // Leaves have bytes, so that their number is bounded by the length that the tree may have.
        if leaf_len == 0 || end > len {
            break;
        }
    }
    if end != len || ends.len() < leaves.len() {
        return Err(Error::corrupt(
            "XBLOCK",
            bid,
            format_args!("lcbTotal: expected the sum of its blocks {end}, found {len}"),
        ));
    }
    Ok(XBlock {
        leaves,
        len,
        ends: Some(ends),
    })
}
