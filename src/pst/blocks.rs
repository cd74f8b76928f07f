//! Data trees and lists of subnodes. [MS-PST] 2.2.2.8.3

use std::io;

use serde::{Deserialize, Serialize};

use super::output::{BLOCK_DATA, Content, Output};
use crate::ndb::{BlockId, NodeId};

const XBLOCK: u8 = 1;
const SLBLOCK: u8 = 2;
/// Block ids in an XBLOCK or XXBLOCK.
const MAX_CHILDREN: usize = 1021;
/// Bytes of a block id in an XBLOCK.
pub(super) const POINTER: usize = 8;
/// Entries in an SLBLOCK and in an SIBLOCK.
const MAX_SUBNODES: usize = 340;
const MAX_LISTS: usize = 510;
/// Bytes of an entry in an SLBLOCK.
const SUBNODE: usize = 24;
/// Subnodes that one node can have.
pub(super) const MOST_SUBNODES: usize = MAX_SUBNODES * MAX_LISTS;
/// Bytes that one value can have: `lcbTotal` has 32 bits.
pub(super) const MOST_BYTES: u64 = u32::MAX as u64;

/// A data tree that grows at its end.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct DataWriter {
    rest: Vec<u8>,
    leaves: Vec<(BlockId, u32)>,
}

impl DataWriter {
    /// Adds `bytes`.
    pub fn write(&mut self, out: &mut Output, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = BLOCK_DATA - self.rest.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.rest.extend_from_slice(now);
            bytes = later;
            if self.rest.len() == BLOCK_DATA {
                self.end_block(out)?;
            }
        }
        Ok(())
    }

    fn end_block(&mut self, out: &mut Output) -> io::Result<()> {
        let bid = out.data_block(&self.rest)?;
        self.leaves.push((bid, self.rest.len() as u32));
        self.rest.clear();
        Ok(())
    }

    /// Adds a whole block that is written already.
    pub fn add_block(&mut self, bid: BlockId, len: usize) {
        self.leaves.push((bid, len as u32));
    }

    /// Bytes of it that are still to be written at most, with what leads to its blocks.
    pub fn held(&self) -> usize {
        BLOCK_DATA + self.leaves.len() * POINTER
    }

    /// Writes what is left, and the blocks above.
    pub fn finish(mut self, out: &mut Output) -> io::Result<Content> {
        if !self.rest.is_empty() {
            self.end_block(out)?;
        }
        let size = self.leaves.iter().map(|(_, len)| u64::from(*len)).sum();
        let mut level = 0;
        let mut blocks = self.leaves;
        while blocks.len() > 1 {
            level += 1;
            let mut above = Vec::new();
            for children in blocks.chunks(MAX_CHILDREN) {
                let total: u32 = children.iter().map(|(_, len)| *len).sum();
                let mut block = vec![XBLOCK, level];
                block.extend((children.len() as u16).to_le_bytes());
                block.extend(total.to_le_bytes());
                block.extend(children.iter().flat_map(|(bid, _)| bid.0.to_le_bytes()));
                above.push((out.internal_block(&block)?, total));
            }
            blocks = above;
        }
        let data = blocks.first().map_or(BlockId::NONE, |(bid, _)| *bid);
        Ok(Content {
            data,
            subnodes: BlockId::NONE,
            size,
        })
    }
}

/// Writes `bytes` as a data tree.
pub(super) fn write_data(out: &mut Output, bytes: &[u8]) -> io::Result<Content> {
    let mut writer = DataWriter::default();
    writer.write(out, bytes)?;
    writer.finish(out)
}

/// The subnodes of one node.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Subnodes {
    entries: Vec<(NodeId, Content)>,
}

impl Subnodes {
    /// Adds one; its id must be new.
    pub fn add(&mut self, out: &mut Output, nid: NodeId, content: Content) {
        out.use_nid(nid);
        self.entries.push((nid, content));
    }

    /// Bytes of all data blocks in them.
    pub fn size(&self) -> u64 {
        self.entries.iter().map(|(_, content)| content.size).sum()
    }

    /// Bytes that their list will take at most.
    pub fn held(&self) -> usize {
        self.entries.len() * SUBNODE.next_multiple_of(16) + BLOCK_DATA
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Writes the list; no block if there are none.
    pub fn finish(mut self, out: &mut Output) -> io::Result<BlockId> {
        self.entries.sort_by_key(|(nid, _)| *nid);
        let mut lists = Vec::new();
        for entries in self.entries.chunks(MAX_SUBNODES) {
            let mut block = vec![SLBLOCK, 0];
            block.extend((entries.len() as u16).to_le_bytes());
            block.extend([0; 4]);
            for (nid, content) in entries {
                block.extend(u64::from(nid.0).to_le_bytes());
                block.extend(content.data.0.to_le_bytes());
                block.extend(content.subnodes.0.to_le_bytes());
            }
            let first = entries.first().map_or(0, |(nid, _)| nid.0);
            lists.push((first, out.internal_block(&block)?));
        }
        if let [] | [_] = lists.as_slice() {
            return Ok(lists.first().map_or(BlockId::NONE, |(_, bid)| *bid));
        }
        let mut block = vec![SLBLOCK, 1];
        block.extend((lists.len() as u16).to_le_bytes());
        block.extend([0; 4]);
        for (first, bid) in lists {
            block.extend(u64::from(first).to_le_bytes());
            block.extend(bid.0.to_le_bytes());
        }
        out.internal_block(&block)
    }
}
