//! The one order in which a node or a block is looked for.
//!
//! A node: the live tree; where a page of it is lost, the finds of a scan; else nodes that were restored or added.
//!
//! A block: the place that the live tree names; blocks that were added; unless the trailer at that place is that of this very
//! block ([`Damage`]), an intact copy that a scan finds under the same id; then, since a checksum is evidence and not a gate, what stands
//! at the place that the tree names though it does not fit; what a scan knows by id and signature alone; what a damaged page
//! of the tree states. Whatever is not vouched for has a [`Flaw`].
//!
//! A flipped bit has nothing scanned. A block is written once, under an id that is never used again. So if its trailer
//! stands at its place (the id, or else size and signature), the block is there, its bytes are what is damaged, and a
//! search of 50 GB for a copy would hardly find one. Only a place that holds something else, or nothing, has the file
//! scanned: then the tree may be stale, or the block was moved. The same holds for an XBLOCK or SLBLOCK that does not
//! even begin as one, which no single bit does: all below it would be lost, and where Outlook has moved blocks, an old
//! copy may be left. A disk that fails is never scanned for a block. A scan that was made for another reason changes
//! nothing in this: what is shown must not depend on what else was read before.

use std::ops::Range;

use super::amap;
use super::block::{Block, Damage, Flaw, Read};
use super::database::{Damaged, NodeDatabase};
use super::finds::Finds;
use super::ids::{BlockId, NodeId};
use super::page::{BlockEntry, NodeEntry};
use super::page_type::PageType;
use crate::error::{Error, Result};

impl NodeDatabase {
    /// The entry of node `nid`; None when the file has no such node.
    pub fn find_node(&self, nid: NodeId) -> Result<Option<NodeEntry>> {
        let mut keys = 0..0;
        let found = self.live_node(nid, &mut keys).or_else(|error| {
            self.found_instead(PageType::Nbt, &keys, error, |finds| finds.node(nid))
                .map_err(|error| error.in_node(nid.0))
        });
        match found {
            Ok(Some(entry)) => Ok(Some(entry)),
            Ok(None) | Err(_) => self
                .entry_beside(nid)
                .map_or(found, |entry| Ok(Some(entry))),
        }
    }

    /// The entry of a node that no page has: one that was added or restored.
    fn entry_beside(&self, nid: NodeId) -> Option<NodeEntry> {
        let restored = || self.stand_ins.restored(nid);
        self.added.node(nid).or_else(restored)
    }

    /// Whether the entry of node `nid` may come from a page that is no longer in use. Of an entry in a leaf of the tree
    /// this is never so, whatever is found damaged later: what is shown of it stays the same.
    pub(super) fn may_be_stale(&self, nid: NodeId) -> bool {
        let may_lack = self.has_lost_nodes() || self.has_lost_lists();
        !self.added.has_blocks() && may_lack && !self.is_in_tree(nid)
    }

    /// Whether the block of `entry` lies in free space, as far as the maps can be trusted.
    pub fn is_free(&self, entry: BlockEntry) -> bool {
        let start = entry.block.ib;
        let extent = start..start.saturating_add(1);
        self.has_right_maps() && amap::is_free(&self.source, self.header.format, extent)
    }

    /// Whether byte `offset` of the file is in use for sure.
    pub(super) fn is_used(&self, offset: u64) -> bool {
        self.has_right_maps() && amap::is_used(&self.source, self.header.format, offset)
    }

    fn has_right_maps(&self) -> bool {
        // A torn header tells of a torn commit, and so of torn maps.
        self.header.amap_valid && self.header.crc_valid
    }

    /// Whether node `nid` has an entry in a leaf that can be read.
    fn is_in_tree(&self, nid: NodeId) -> bool {
        matches!(self.live_node(nid, &mut (0..0)), Ok(Some(_)))
    }

    /// The entry of node `nid` in the live tree, for which nothing stands in; `keys` becomes the range of the page that was
    /// reached, or that cannot be read.
    pub(super) fn live_node(
        &self,
        nid: NodeId,
        keys: &mut Range<u64>,
    ) -> Result<Option<NodeEntry>> {
        let found = self.descend(PageType::Nbt, u64::from(nid.0), keys)?;
        let entry = found.and_then(|(leaf, index)| leaf.page.node(index));
        Ok(entry.filter(|entry| entry.nid == nid))
    }

    /// The entry of block `bid`; None when the file has no such block.
    pub fn find_block(&self, bid: BlockId) -> Result<Option<BlockEntry>> {
        let bid = bid.key();
        let mut keys = 0..0;
        self.live_entry(bid, &mut keys).or_else(|error| {
            self.found_instead(PageType::Bbt, &keys, error, |finds| finds.block(bid))
        })
    }

    /// The entry of block `bid` in the live tree, for which nothing stands in; `keys` becomes the range of the page that was
    /// reached, or that cannot be read.
    pub(super) fn live_entry(
        &self,
        bid: BlockId,
        keys: &mut Range<u64>,
    ) -> Result<Option<BlockEntry>> {
        let found = self.descend(PageType::Bbt, bid.0, keys)?;
        let entry = found.and_then(|(leaf, index)| leaf.page.block(index));
        Ok(entry.filter(|entry| entry.block.bid == bid))
    }

    /// The answer to a lookup that a bad page made fail: what the scan of the file has, else the error. Without a root
    /// the finds are all there is, so what they lack is not in the file.
    fn found_instead<T>(
        &self,
        page_type: PageType,
        keys: &Range<u64>,
        error: Error,
        find: impl Fn(&Finds) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(finds) = self.finds_for(page_type, &error) else {
            return Err(error);
        };
        self.stand_ins.gone_around_page(page_type, keys, &error);
        match find(finds) {
            None if self.root_page(page_type).is_ok() => Err(error),
            found => Ok(found),
        }
    }

    /// The entry of block `bid`.
    pub(super) fn block_entry(&self, bid: BlockId) -> Result<BlockEntry> {
        let bid = bid.key();
        let error = match self.find_block(bid) {
            Ok(Some(entry)) => return Ok(entry),
            Ok(None) => Error::corrupt("BBT", bid, "no entry for a block that is referred to"),
            Err(error) if error.is_unread() => return Err(error),
            Err(error) => error,
        };
        if let Some(entry) = self.added.block(bid) {
            return Ok(entry);
        }
        if bid.is_lost() {
            return Err(Error::corrupt(
                "NBT entry",
                "bidSub",
                "lost, and which blocks of the file it named cannot be told",
            ));
        }
        match self.stand_in(bid) {
            Some(entry) => {
                self.stand_ins.gone_around(&error);
                Ok(entry)
            }
            None => Err(error),
        }
    }

    /// An entry for a block that the live tree does not have.
    fn stand_in(&self, bid: BlockId) -> Option<BlockEntry> {
        // A scan has been made already for the blocks that were added.
        if self.added.has_blocks() {
            return None;
        }
        let finds = self.finds()?;
        let doubtful = || match self.damaged {
            Damaged::Refuse => None,
            Damaged::Show => finds
                .damaged_block(bid)
                .or_else(|| self.doubtful_block_entry(bid)),
        };
        finds.block(bid).or_else(doubtful)
    }

    /// Payload length of block `bid` after inflation, from the B-tree alone, unless what that has cannot be.
    pub fn block_len(&self, bid: BlockId) -> Result<u64> {
        let entry = self.block_entry(bid)?;
        let sizes = [entry.stored, entry.inflated].map(usize::from);
        let possible = 1..=self.header.format.block_payload;
        // Nothing is compressed to become longer.
        let is_possible = sizes.iter().all(|size| possible.contains(size)) && sizes.is_sorted();
        match is_possible {
            true => Ok(u64::from(entry.inflated)),
            false => self.own_len(bid),
        }
    }

    /// Payload length of block `bid`, whatever the B-tree says of it; what that says, if nothing of the block can be had.
    pub(super) fn own_len(&self, bid: BlockId) -> Result<u64> {
        match self.block(bid) {
            Ok(block) => Ok(block.len() as u64),
            Err(error) if error.is_unread() => Err(error),
            Err(_) => Ok(u64::from(self.block_entry(bid)?.inflated)),
        }
    }

    /// The decoded payload of block `bid`, from the cache or the file. Errors when nothing of it can be had, or if it is
    /// damaged and [`Damaged::Refuse`] was chosen.
    pub fn block(&self, bid: BlockId) -> Result<Block> {
        let bid = bid.key();
        if let Some(block) = self.caches.blocks.get(&bid) {
            return Ok(block);
        }
        let block = self.find_and_read(bid)?;
        if block.flaw().is_some_and(|flaw| flaw.unread) {
            return Ok(block);
        }
        let weight = block.len();
        Ok(self.caches.blocks.insert(bid, block, weight))
    }

    /// The decoded payload, past the cache.
    pub(super) fn find_and_read(&self, bid: BlockId) -> Result<Block> {
        let entry = self.block_entry(bid)?;
        let damage = match self.block_reader().read(entry)? {
            Read::Intact(block) => return Ok(block),
            Read::Damaged(damage) => damage,
        };
        let Damage {
            there,
            error,
            may_be_elsewhere,
        } = damage;
        let there = match there {
            // Only the trailer is damaged: the CRC vouches for the bytes.
            Some((block, flaw)) if flaw.vouches() => return Ok(self.flawed(block, flaw)),
            there => there,
        };
        if may_be_elsewhere && let Some(copy) = self.intact_copy(entry)? {
            self.stand_ins.gone_around(&error);
            return Ok(copy);
        }
        match (there, self.damaged) {
            (Some((block, flaw)), Damaged::Show) => Ok(self.flawed(block, flaw)),
            (None, Damaged::Show) if may_be_elsewhere => self.damaged_copy(entry)?.ok_or(error),
            _ => Err(error),
        }
    }

    /// `block` with `flaw`. Where damage is refused it has none: no damaged block gets that far.
    fn flawed(&self, block: Block, flaw: Flaw) -> Block {
        match self.damaged {
            Damaged::Show => block.with_flaw(flaw),
            Damaged::Refuse => block,
        }
    }

    /// Another copy of the block of `entry`, with the same id and size and the right CRC. Ids are never used again, so it
    /// is the same block.
    fn intact_copy(&self, entry: BlockEntry) -> Result<Option<Block>> {
        let found = self.finds().and_then(|finds| finds.block(entry.block.bid));
        let found = found.filter(|found| {
            found.block.ib != entry.block.ib
                && (found.stored, found.inflated) == (entry.stored, entry.inflated)
        });
        match found
            .map(|found| self.block_reader().read(found))
            .transpose()?
        {
            Some(Read::Intact(block)) => Ok(Some(block)),
            Some(Read::Damaged(Damage {
                there: Some((block, flaw)),
                ..
            })) if flaw.vouches() => {
                // Its signature is that of another place.
                Ok(Some(block))
            }
            _ => Ok(None),
        }
    }

    /// A copy whose bytes do not fit its CRC, of a block that is not at all at its place.
    fn damaged_copy(&self, entry: BlockEntry) -> Result<Option<Block>> {
        let bid = entry.block.bid;
        let found = self.finds().and_then(|finds| finds.damaged_block(bid));
        let found = found.filter(|found| found.block.ib != entry.block.ib);
        match found
            .map(|found| self.block_reader().read(found))
            .transpose()?
        {
            Some(Read::Damaged(Damage {
                there: Some((block, flaw)),
                ..
            })) => Ok(Some(self.flawed(block, flaw))),
            _ => Ok(None),
        }
    }
}
