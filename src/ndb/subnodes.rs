//! Lists of subnodes: SLBLOCKs and SIBLOCKs. [MS-PST] 2.2.2.8.3.3

use std::collections::HashSet;
use std::sync::Arc;

use super::block::{BTYPE_SUBNODE, Flaw};
use super::database::NodeDatabase;
use super::ids::{BlockId, NodeId};
use super::lost_lists::SubnodeEntry;
use super::xblock::{doubt, parse_internal};
use crate::bytes::{u8_at, u16_at, u32_at, uint_at};
use crate::error::{Error, Result};
use crate::problem::{Problem, Problems};

/// `cLevel` of an SLBLOCK (leaf) and of an SIBLOCK.
const LEVEL_LEAF: u8 = 0;
const LEVEL_INTERMEDIATE: u8 = 1;
/// Subnodes listed of one node at the most: far more than any message has attachments.
const MAX_SUBNODES: usize = 1 << 18;

/// The SLBLOCK or SIBLOCK `bid`; if it is damaged, `problems` has it.
fn subnode_block(ndb: &NodeDatabase, bid: BlockId, problems: &Problems) -> Result<SubnodeBlock> {
    let block = SubnodeBlock::read(ndb, bid)?;
    if let Some(flaw) = &block.flaw {
        problems.note(Problem::new("subnodes", flaw));
    }
    Ok(block)
}

fn subnode_leaf(ndb: &NodeDatabase, bid: BlockId, problems: &Problems) -> Result<SubnodeBlock> {
    let block = subnode_block(ndb, bid, problems)?;
    if block.level == LEVEL_LEAF {
        return Ok(block);
    }
    Err(Error::corrupt(
        "SLBLOCK",
        bid,
        "cLevel: expected 0 below an SIBLOCK",
    ))
}

/// The entry of `nid` in the list of subnodes whose top block is `bid`; tells whether all of the list that may have it can
/// be read.
pub(super) fn find_stored(
    ndb: &NodeDatabase,
    bid: BlockId,
    nid: NodeId,
    is_whole: &mut bool,
    problems: &Problems,
) -> Result<Option<SubnodeEntry>> {
    let top = subnode_block(ndb, bid, problems)?;
    let mut within = |block: &SubnodeBlock| {
        *is_whole &= block.is_whole(ndb);
        let mut entries = block.leaf_entries(ndb);
        entries.find(|entry| entry.nid == nid)
    };
    if top.level == LEVEL_LEAF {
        return Ok(within(&top));
    }
    if top.flaw.is_some() {
        // Its keys may be wrong.
        let leaves = top
            .child_entries()
            .map(|(_, bid)| subnode_leaf(ndb, bid, problems));
        let found = leaves.flatten().find_map(|leaf| within(&leaf));
        *is_whole = false;
        return Ok(found);
    }
    let Some((_, bid)) = top
        .child_entries()
        .take_while(|(key, _)| *key <= nid)
        .last()
    else {
        return Ok(None);
    };
    Ok(within(&subnode_leaf(ndb, bid, problems)?))
}

/// The entries of a subnode tree, in the order of the file.
#[derive(Debug, Default)]
pub struct SubnodeList {
    /// Those that can be read.
    pub entries: Vec<SubnodeEntry>,
    /// Whether that is all of them.
    pub is_whole: bool,
}

/// All entries of the subnode tree `bid`. Parts of it that are damaged go to `problems`.
fn subnode_entries(ndb: &NodeDatabase, bid: BlockId, problems: &Problems) -> Result<SubnodeList> {
    let top = subnode_block(ndb, bid, problems)?;
    if top.level == LEVEL_LEAF {
        return Ok(SubnodeList {
            entries: top.leaf_entries(ndb).collect(),
            is_whole: top.is_whole(ndb),
        });
    }
    let mut all = Vec::new();
    let mut is_whole = top.flaw.is_none();
    // A hostile SIBLOCK names the same leaf thousands of times.
    let mut seen = HashSet::new();
    for (_, child) in top.child_entries() {
        let leaf = match subnode_leaf(ndb, child, problems) {
            _ if !seen.insert(child.key()) => {
                Err(Error::corrupt("SIBLOCK", bid, "names a leaf twice"))
            }
            Ok(leaf) if all.len() + leaf.count > MAX_SUBNODES => Err(Error::corrupt(
                "SIBLOCK",
                bid,
                format_args!("more than {MAX_SUBNODES} subnodes"),
            )),
            leaf => leaf,
        };
        match leaf {
            Ok(leaf) => {
                is_whole &= leaf.is_whole(ndb);
                all.extend(leaf.leaf_entries(ndb));
            }
            Err(error) if error.is_unread() || ndb.refuses_damage() => return Err(error),
            Err(error) => {
                is_whole = false;
                problems.note_error("some subnodes", &error);
            }
        }
    }
    Ok(SubnodeList {
        entries: all,
        is_whole,
    })
}

/// The entries of the subnode tree `bid`, and what was found for those that it lacks.
pub(super) fn stored_and_lost(
    ndb: &NodeDatabase,
    bid: BlockId,
    problems: &Problems,
) -> Result<(Vec<SubnodeEntry>, Vec<SubnodeEntry>)> {
    match subnode_entries(ndb, bid, problems) {
        Ok(list) if list.is_whole => Ok((list.entries, Vec::new())),
        Ok(list) => {
            let known: HashSet<NodeId> = list.entries.iter().map(|entry| entry.nid).collect();
            let lost = ndb.lost_subnodes(bid).iter();
            let lost = lost.filter(|entry| !known.contains(&entry.nid));
            Ok((list.entries, lost.copied().collect()))
        }
        Err(error) => match lost_because_of(ndb, bid, &error) {
            [] => Err(error),
            lost => Ok((Vec::new(), lost.to_vec())),
        },
    }
}

/// What stands in for the subnode tree `bid`, which cannot be read because of `error`.
pub(super) fn lost_because_of<'a>(
    ndb: &'a NodeDatabase,
    bid: BlockId,
    error: &Error,
) -> &'a [SubnodeEntry] {
    match error.is_unread() {
        true => &[],
        false => ndb.lost_subnodes(bid),
    }
}

/// The list of subnodes whose top block is `bid`, as far as it can be read.
pub fn subnode_list(ndb: &NodeDatabase, bid: BlockId) -> Result<SubnodeList> {
    subnode_entries(ndb, bid, &Problems::default())
}

/// What the SLBLOCK or SIBLOCK `bid` has: subnodes, or further lists of them.
pub(super) fn subnode_children(
    ndb: &NodeDatabase,
    bid: BlockId,
) -> Result<(Vec<SubnodeEntry>, Vec<BlockId>)> {
    let block = SubnodeBlock::read(ndb, bid)?;
    Ok(match block.level {
        LEVEL_LEAF => (block.leaf_entries(ndb).collect(), Vec::new()),
        _ => (
            Vec::new(),
            block.child_entries().map(|(_, bid)| bid).collect(),
        ),
    })
}

/// Whether the internal block `bid` is an SLBLOCK or SIBLOCK, and all blocks that it refers to.
pub fn children(ndb: &NodeDatabase, bid: BlockId) -> Result<(bool, Vec<BlockId>)> {
    if u8_at(&ndb.block(bid)?, 0) != Some(BTYPE_SUBNODE) {
        return Ok((false, parse_internal(ndb, bid)?.children));
    }
    let block = SubnodeBlock::read(ndb, bid)?;
    let children = if block.level == LEVEL_LEAF {
        let entries = block.leaf_entries(ndb);
        entries
            .flat_map(|entry| [entry.data, entry.subnodes])
            .filter(|bid| !bid.is_none())
            .collect()
    } else {
        block.child_entries().map(|(_, bid)| bid).collect()
    };
    Ok((true, children))
}

/// An SLBLOCK or SIBLOCK.
struct SubnodeBlock {
    bytes: Arc<[u8]>,
    level: u8,
    count: usize,
    word: usize,
    flaw: Option<Arc<Flaw>>,
    /// Whether the number of entries is damaged.
    is_cut: bool,
}

impl SubnodeBlock {
    /// Of one that is damaged comes what makes sense.
    fn read(ndb: &NodeDatabase, bid: BlockId) -> Result<Self> {
        let data = ndb.block(bid)?;
        let word = ndb.header().format.word;
        let wrong = |what: &str| Error::corrupt("SLBLOCK", bid, what);
        let header = (u8_at(&data, 0), u8_at(&data, 1), u16_at(&data, 2));
        let (Some(btype), Some(level), Some(count)) = header else {
            return Err(wrong("expected a header"));
        };
        let flaw = data.flaw().map(Arc::clone);
        let mut block = Self {
            level,
            count: usize::from(count),
            word,
            bytes: Arc::clone(data.bytes()),
            flaw,
            is_cut: false,
        };
        if block.flaw.is_some() {
            block
                .mend_damaged(btype)
                .ok_or_else(|| wrong("expected btype 2"))?;
        } else if let Some(problem) = block.mend(btype) {
            block.flaw = doubt(ndb, wrong(&problem))?;
        } else if btype != BTYPE_SUBNODE {
            return Err(wrong("expected btype 2"));
        }
        if block.level > LEVEL_INTERMEDIATE || block.start(block.count) > block.bytes.len() {
            return Err(wrong("neither a list of subnodes nor one of such lists"));
        }
        Ok(block)
    }

    /// Takes of a damaged block what makes sense; None if it is no list of subnodes.
    fn mend_damaged(&mut self, btype: u8) -> Option<()> {
        let is_level = self.level <= LEVEL_INTERMEDIATE;
        // One of the two may be wrong.
        if btype != BTYPE_SUBNODE && !is_level {
            return None;
        }
        if !is_level {
            (self.level, self.is_cut) = (LEVEL_LEAF, true);
        }
        if self.start(self.count) > self.bytes.len() {
            (self.count, self.is_cut) = (self.room(), true);
        }
        Some(())
    }

    /// Puts right what the entries say is wrong with the header of a block whose CRC is right, and says what that was: all of the
    /// block are entries, of one level or the other, and their ids ascend.
    fn mend(&mut self, btype: u8) -> Option<String> {
        let levels = [self.level, LEVEL_LEAF, LEVEL_INTERMEDIATE];
        let is_level = self.level <= LEVEL_INTERMEDIATE;
        let is_of_type = btype == BTYPE_SUBNODE;
        if is_of_type && is_level && self.count == self.room() {
            return None;
        }
        let as_level = |level: u8| Self {
            level,
            bytes: Arc::clone(&self.bytes),
            flaw: None,
            ..*self
        };
        let mut found = levels
            .into_iter()
            .skip(usize::from(!is_level))
            .map(as_level);
        let found = found.find(|found| found.is_filled())?;
        let (level, count) = (found.level, found.room());
        let problem = match (is_of_type, self.level == level) {
            (false, _) => format!("btype: expected {BTYPE_SUBNODE}, found {btype}"),
            (_, false) => format!("cLevel: expected {level}, found {}", self.level),
            _ => format!("cEnt: expected {count}, found {}", self.count),
        };
        (self.level, self.count) = (level, count);
        Some(problem)
    }

    /// How many entries can be in it.
    fn room(&self) -> usize {
        let entry = self.start(1) - self.start(0);
        self.bytes.len().saturating_sub(self.start(0)) / entry
    }

    /// Whether entries of its level fill it, whose ids ascend.
    fn is_filled(&self) -> bool {
        let room = self.room();
        let nids = || (0..room).map(|index| self.nid(self.start(index)));
        let lists = || {
            self.level == LEVEL_LEAF
                || (0..room).all(|index| {
                    let bid = self.bid(self.start(index) + self.word);
                    bid.is_some_and(BlockId::is_internal)
                })
        };
        let ascends = || nids().zip(nids().skip(1)).all(|(one, next)| one < next);
        room > 0 && self.start(room) == self.bytes.len() && ascends() && lists()
    }

    /// Byte offset of entry `index`: the header is one word, an entry three words (leaf) or two.
    fn start(&self, index: usize) -> usize {
        let words = if self.level == LEVEL_LEAF { 3 } else { 2 };
        self.word * (1 + index * words)
    }

    /// The upper half of a 64-bit NID field is garbage in real files: only the low 32 bits count.
    fn nid(&self, start: usize) -> Option<NodeId> {
        u32_at(&self.bytes, start).map(NodeId)
    }

    fn bid(&self, at: usize) -> Option<BlockId> {
        uint_at(&self.bytes, at, self.word).map(BlockId)
    }

    /// Whether all of its entries are there and make sense.
    fn is_whole(&self, ndb: &NodeDatabase) -> bool {
        self.flaw.is_none()
            || !self.is_cut
                && self.level == LEVEL_LEAF
                && self.leaf_entries(ndb).count() == self.count
    }

    /// The entries of a leaf; of a damaged one those whose data is in the file.
    fn leaf_entries<'a>(
        &'a self,
        ndb: &'a NodeDatabase,
    ) -> impl Iterator<Item = SubnodeEntry> + 'a {
        let entry = |index: usize| {
            let start = self.start(index);
            Some(SubnodeEntry {
                nid: self.nid(start)?,
                data: self.bid(start + self.word)?,
                subnodes: self.bid(start + 2 * self.word)?,
            })
        };
        let is_sound = |entry: &SubnodeEntry| {
            let is_there = |bid: BlockId| ndb.block_entry(bid).is_ok();
            self.flaw.is_none()
                || (entry.nid != NodeId::default()
                    && (is_there(entry.data) || entry.data.is_none() && is_there(entry.subnodes)))
        };
        (0..self.count).filter_map(entry).filter(is_sound)
    }

    fn child_entries(&self) -> impl Iterator<Item = (NodeId, BlockId)> + '_ {
        (0..self.count).filter_map(|index| {
            let start = self.start(index);
            Some((self.nid(start)?, self.bid(start + self.word)?))
        })
    }
}
