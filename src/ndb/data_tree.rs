//! Data trees: the bytes of a node over one block, an XBLOCK or an XXBLOCK. [MS-PST] 2.2.2.8.3.1, 2.2.2.8.3.2
//!
//! Opening reads the top block only. All leaves but the last are full in every known file, so a position is found by
//! division; where the sizes in the block B-tree differ, exact offsets are made from them. A leaf that cannot be had
//! is a gap of its size, filled with zeros: what follows stays at its offset.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::block::{Block, Flaw};
use super::database::NodeDatabase;
use super::ids::BlockId;
use super::run::{read_alone, read_blocks, wrong_length};
use super::xblock::{
    HEADER, LEVEL_XBLOCK, LEVEL_XXBLOCK, XBlock, check_xblock, doubt, find_internal, listed_twice,
    read_xblock,
};
use crate::bytes::copy_at;
use crate::error::{Error, Result};

/// The largest `cb` that an entry of the block B-tree can have: more than a block that was ever written.
const LONGEST_BLOCK: usize = u16::MAX as usize;

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

/// Called with the bytes of a data tree that are not as they were written, and why.
pub type OnFlaw<'a> = dyn FnMut(Range<u64>, &Flaw) + 'a;

/// One XXBLOCK: its XBLOCKs, read when something is asked of them.
#[derive(Debug)]
struct XxBlock {
    bid: BlockId,
    children: Vec<BlockId>,
    len: u64,
    /// What is wrong with the list of children itself.
    flaw: Option<Arc<Flaw>>,
    /// Where they end, or what is wrong with them: a lie costs one look at all of them, not one for each read.
    index: OnceLock<std::result::Result<XxIndex, String>>,
    /// The child used last and its number: reads mostly go on where the last one ended.
    recent: Mutex<Option<(usize, Arc<XBlock>)>>,
}

/// The XBLOCKs of an XXBLOCK.
#[derive(Debug)]
struct XxIndex {
    entries: Vec<XxEntry>,
    /// What is wrong with all of them together.
    flaw: Option<Arc<Flaw>>,
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

    /// The one block that it is, if it is whole and has another length than its entry in the B-tree says.
    pub fn of_other_length(&self) -> Option<Block> {
        let Shape::Single { bid, len } = &self.shape else {
            return None;
        };
        let block = self.ndb.find_and_read(*bid).ok()?;
        let is_whole = block.flaw().is_none_or(|flaw| flaw.vouches());
        (is_whole && block.len() as u64 != *len).then_some(block)
    }

    /// Makes the one block that it is, if it is one, as long as `len` bytes.
    pub fn set_length(&mut self, length: u64) {
        if let Shape::Single { len, .. } = &mut self.shape {
            *len = length;
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
    pub fn leaf(&self, index: usize) -> Result<Block> {
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

    /// Fills `buf` from byte `offset`; returns how many bytes there were, fewer than asked only at the end. `on_flaw` is called
    /// with those of them that are doubtful or missing.
    pub fn read_at(&self, offset: u64, buf: &mut [u8], on_flaw: &mut OnFlaw<'_>) -> Result<usize> {
        let wanted = usize::try_from(self.len().saturating_sub(offset))
            .unwrap_or(usize::MAX)
            .min(buf.len());
        let mut done = 0;
        while done < wanted {
            let rest = buf.get_mut(done..wanted).unwrap_or_default();
            done += self.read_piece(offset + done as u64, rest, on_flaw)?;
        }
        if let Some(flaw) = self.list_flaw().filter(|_| wanted > 0) {
            on_flaw(0..self.len(), flaw);
        }
        Ok(done)
    }

    /// What is wrong with the list of its blocks.
    fn list_flaw(&self) -> Option<&Flaw> {
        match &self.shape {
            Shape::Empty | Shape::Single { .. } => None,
            Shape::XBlock(xblock) => xblock.flaw.as_deref(),
            Shape::XxBlock(xxblock) => {
                let index = xxblock.index.get().and_then(|index| index.as_ref().ok());
                let of_index = index.and_then(|index| index.flaw.as_deref());
                xxblock.flaw.as_deref().or(of_index)
            }
        }
    }

    /// Copies from the leaves that hold byte `offset`, which is within the tree, and those behind it. Returns at least 1.
    fn read_piece(&self, offset: u64, buf: &mut [u8], on_flaw: &mut OnFlaw<'_>) -> Result<usize> {
        match &self.shape {
            Shape::Empty => Err(self.lost(offset)),
            Shape::Single { bid, len } => {
                if offset == 0 && buf.len() as u64 == *len {
                    read_blocks(&self.ndb, &[*bid], buf.len(), buf, |_, flaw| {
                        on_flaw(0..*len, &flaw)
                    })?;
                    return Ok(buf.len());
                }
                self.copy_piece(*bid, 0..*len, offset, buf, on_flaw)
            }
            Shape::XBlock(xblock) => self.read_leaves(xblock, 0, offset, buf, on_flaw),
            Shape::XxBlock(xxblock) => {
                let entries = self.xx_index(xxblock)?;
                let child = entries.partition_point(|entry| entry.end <= offset);
                let start = child
                    .checked_sub(1)
                    .and_then(|previous| entries.get(previous))
                    .map_or(0, |entry| entry.end);
                let end = entries.get(child).map_or(start, |entry| entry.end);
                let found = self.xx_child(xxblock, child).and_then(|xblock| {
                    let xblock = xblock.filter(|xblock| offset - start < xblock.len);
                    xblock.ok_or_else(|| self.lost(offset))
                });
                let xblock = match found {
                    Ok(xblock) => xblock,
                    Err(error) if error.is_unread() || self.ndb.refuses_damage() => {
                        return Err(error);
                    }
                    Err(error) => {
                        on_flaw(start..end, &Flaw::gap(0..(end - start) as usize, &error));
                        let there = usize::try_from(end - offset).unwrap_or(usize::MAX);
                        let there = there.min(buf.len());
                        buf.get_mut(..there).unwrap_or_default().fill(0);
                        return Ok(there);
                    }
                };
                if let Some(flaw) = &xblock.flaw {
                    on_flaw(start..end, flaw);
                }
                self.read_leaves(&xblock, start, offset, buf, on_flaw)
            }
        }
    }

    /// Copies from the leaves of `xblock`, which begins at byte `base` of the tree, that hold the bytes from `offset` on: as
    /// many whole ones as are asked for, else a part of one.
    fn read_leaves(
        &self,
        xblock: &XBlock,
        base: u64,
        offset: u64,
        buf: &mut [u8],
        on_flaw: &mut OnFlaw<'_>,
    ) -> Result<usize> {
        let full = self.ndb.header().format.block_payload;
        let within = offset - base;
        let left = usize::try_from(xblock.len.saturating_sub(within)).unwrap_or(usize::MAX);
        // The last leaf is shorter than the others, and as whole.
        let whole = if buf.len() < left {
            buf.len() / full * full
        } else {
            left
        };
        let first = usize::try_from(within / full as u64).unwrap_or(usize::MAX);
        if xblock.ends.is_none()
            && within.is_multiple_of(full as u64)
            && whole > 0
            && let Some(leaves) = xblock
                .leaves
                .get(first..first.saturating_add(whole.div_ceil(full)))
        {
            let buf = buf.get_mut(..whole).unwrap_or_default();
            let end = base + xblock.len;
            read_blocks(&self.ndb, leaves, full, buf, |number, flaw| {
                let start = offset + (number * full) as u64;
                on_flaw(start..end.min(start + full as u64), &flaw);
            })?;
            return Ok(whole);
        }
        let (bid, range) = self.leaf_at(xblock, within)?;
        let range = base + range.start..base + range.end;
        self.copy_piece(bid, range, offset, buf, on_flaw)
    }

    /// Copies from the one leaf `bid`, which has the bytes `range` of the tree.
    fn copy_piece(
        &self,
        bid: BlockId,
        range: Range<u64>,
        offset: u64,
        buf: &mut [u8],
        on_flaw: &mut OnFlaw<'_>,
    ) -> Result<usize> {
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let within = offset - range.start;
        let copied = match self.ndb.block(bid) {
            Ok(leaf) if leaf.len() == length && leaf.flaw().is_none() => {
                copy_at(&leaf, within, buf)
            }
            Err(error) if error.is_unread() => return Err(error),
            Ok(leaf) if leaf.len() != length && self.ndb.refuses_damage() => {
                return Err(wrong_length(bid, length as u64, leaf.len() as u64));
            }
            // A shorter leaf would shift all that follows.
            _ => {
                let payload = self.flawed_leaf(bid, length, |flaw| on_flaw(range, &flaw))?;
                copy_at(&payload, within, buf)
            }
        };
        match copied {
            0 => Err(self.lost(offset)),
            count => Ok(count),
        }
    }

    /// The leaf `bid` in exactly `length` bytes, whatever is wrong with it.
    fn flawed_leaf(
        &self,
        bid: BlockId,
        length: usize,
        flawed: impl FnOnce(Flaw),
    ) -> Result<Vec<u8>> {
        if length > LONGEST_BLOCK {
            return Err(wrong_length(bid, LONGEST_BLOCK as u64, length as u64));
        }
        let mut payload = vec![0; length];
        read_alone(&self.ndb, bid, &mut payload, flawed)?;
        Ok(payload)
    }

    /// The leaf of `xblock` that holds its byte `offset`, and the bytes that it has.
    fn leaf_at(&self, xblock: &XBlock, offset: u64) -> Result<(BlockId, Range<u64>)> {
        let full = self.ndb.header().format.block_payload as u64;
        let (index, range) = match &xblock.ends {
            None => {
                let start = offset / full * full;
                (offset / full, start..(start + full).min(xblock.len))
            }
            Some(ends) => {
                let index = ends.partition_point(|end| *end <= offset);
                let start = index
                    .checked_sub(1)
                    .and_then(|previous| ends.get(previous))
                    .copied();
                let end = ends.get(index).copied().unwrap_or(xblock.len);
                (index as u64, start.unwrap_or(0)..end)
            }
        };
        let bid = usize::try_from(index)
            .ok()
            .and_then(|index| xblock.leaves.get(index))
            .ok_or_else(|| self.lost(offset))?;
        Ok((*bid, range))
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
        match index {
            Ok(index) => Ok(&index.entries),
            Err(problem) => Err(Error::corrupt("XXBLOCK", xxblock.bid, problem)),
        }
    }

    fn read_xx_index(&self, xxblock: &XxBlock) -> Result<XxIndex> {
        let format = self.ndb.header().format;
        let leaves_of_full = (format.block_payload - HEADER) / format.word;
        let full = (leaves_of_full * format.block_payload) as u64;
        let last = xxblock.children.len().saturating_sub(1);
        let mut entries = Vec::with_capacity(xxblock.children.len());
        let (mut end, mut leaves_end) = (0u64, 0usize);
        let mut all_leaves = Vec::new();
        for (number, child) in xxblock.children.iter().enumerate() {
            let (len, leaves) = match read_xblock(&self.ndb, *child) {
                Ok(xblock) => {
                    all_leaves.extend_from_slice(&xblock.leaves);
                    (xblock.len, xblock.leaves.len())
                }
                Err(error) if error.is_unread() || self.ndb.refuses_damage() => return Err(error),
                // All XBLOCKs but the last are full in every known file.
                Err(_) if number < last => (full, leaves_of_full),
                Err(_) => {
                    let len = xxblock.len.saturating_sub(end).min(full);
                    (len, len.div_ceil(format.block_payload as u64) as usize)
                }
            };
            end = end.saturating_add(len);
            leaves_end += leaves;
            entries.push(XxEntry { end, leaves_end });
            if end > xxblock.len {
                break;
            }
        }
        let found = xxblock.len;
        if end == found {
            let flaw = listed_twice(&self.ndb, xxblock.bid, &all_leaves)?;
            return Ok(XxIndex { entries, flaw });
        }
        let problem = format_args!("lcbTotal: expected the sum of its blocks {end}, found {found}");
        let error = Error::corrupt("XXBLOCK", xxblock.bid, problem);
        // So much may be a gap at the end.
        if found > end.saturating_add(full) {
            return Err(error);
        }
        if let Some(last) = entries.last_mut() {
            last.end = last.end.max(found);
        }
        let flaw = doubt(&self.ndb, error)?;
        Ok(XxIndex { entries, flaw })
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

fn open_internal(ndb: &Arc<NodeDatabase>, bid: BlockId) -> Result<Shape> {
    let block = find_internal(ndb, bid)?;
    match block.level {
        LEVEL_XBLOCK => Ok(Shape::XBlock(Arc::new(check_xblock(ndb, bid, block)?))),
        LEVEL_XXBLOCK => Ok(Shape::XxBlock(Arc::new(XxBlock {
            bid,
            len: block.total,
            flaw: match block.flaw {
                None => listed_twice(ndb, bid, &block.children)?,
                flaw => flaw,
            },
            children: block.children,
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
