//! Nodes and their subnodes. [MS-PST] 2.2.1.1, 2.2.2.8.3.3
//!
//! Once a page of the node B-tree has turned out to be damaged, a node may be something else than it was
//! (`doubts`): its id is made up; its entry is of a damaged leaf; or its blocks lie in free space, so that the
//! entry is older than what was lost. Allocation maps are written in place, so they show this even in a file that was
//! cut. A problem names the range of nodes that a lost page had.

use std::collections::HashSet;
use std::sync::Arc;

use super::NodeDatabase;
use super::block::Flaw;
use super::data_tree::DataTree;
use super::ids::{BlockId, NodeId};
use super::lost_lists::SubnodeEntry;
use super::page::{BlockEntry, NodeEntry};
use super::repeats::{Cuts, Part};
use super::xblock::parse_internal;
use crate::bytes::{u8_at, u16_at, u32_at, uint_at};
use crate::error::{Error, Result};
use crate::problem::{Problem, Problems};

pub(super) const BTYPE_SUBNODE: u8 = 2;
/// `cLevel` of an SLBLOCK (leaf) and of an SIBLOCK.
const LEVEL_LEAF: u8 = 0;
const LEVEL_INTERMEDIATE: u8 = 1;
/// Subnodes listed of one node at the most: far more than any message has attachments.
const MAX_SUBNODES: usize = 1 << 18;

/// A node of the file or a subnode: data and further subnodes under a NID.
#[derive(Debug, Clone)]
pub struct Node {
    ndb: Arc<NodeDatabase>,
    nid: NodeId,
    data: BlockId,
    subnodes: BlockId,
    parent: NodeId,
    /// The subnode tree that its entry stands in; none for a node of the file.
    within: BlockId,
    /// Whether the list that names it is lost, so that it may be another one.
    is_found: bool,
    /// What is not shown of it and below, because it comes again; None where nothing was asked for.
    cuts: Option<Arc<Cuts>>,
    problems: Problems,
}

impl Node {
    /// The node `nid` of the file. [`Error::NotFound`] when there is none.
    pub fn open(ndb: &Arc<NodeDatabase>, nid: NodeId) -> Result<Self> {
        let entry = ndb.find_node(nid)?.ok_or(Error::NotFound)?;
        Ok(Self::of_entry(ndb, entry))
    }

    /// The node of `entry`, whether the file has an entry of its id or not.
    pub fn of_entry(ndb: &Arc<NodeDatabase>, entry: NodeEntry) -> Self {
        Self {
            ndb: Arc::clone(ndb),
            nid: entry.nid,
            data: entry.data,
            subnodes: entry.subnodes,
            parent: entry.parent,
            within: BlockId::NONE,
            is_found: false,
            cuts: None,
            problems: Problems::default(),
        }
    }

    /// The same node of the file, which shows of blocks that come again only as much as the budget of the file allows.
    /// For all who show what is in it; may look at all messages, once.
    pub fn within_budget(mut self) -> Result<Self> {
        let entry = NodeEntry {
            nid: self.nid,
            data: self.data,
            subnodes: self.subnodes,
            parent: self.parent,
        };
        self.cuts = self.ndb.cuts_of(&entry)?;
        Ok(self)
    }

    /// Why what is in it is not shown, if another place shows the same.
    pub fn is_elsewhere(&self) -> Result<()> {
        self.check_shown(Part::Data)?;
        self.check_shown(Part::Subnodes)
    }

    fn check_shown(&self, part: Part) -> Result<()> {
        match &self.cuts {
            Some(cuts) => cuts.check((self.within, self.nid), part),
            None => Ok(()),
        }
    }

    /// A node that has lost its entry in the B-tree: without data and subnodes.
    pub fn lost(ndb: &Arc<NodeDatabase>, nid: NodeId) -> Self {
        Self {
            ndb: Arc::clone(ndb),
            nid,
            data: BlockId::NONE,
            subnodes: BlockId::NONE,
            parent: NodeId::default(),
            within: BlockId::NONE,
            is_found: false,
            cuts: None,
            problems: Problems::default(),
        }
    }

    /// The same node; what turns out to be wrong with it, its subnodes and all that is read of them goes to `problems`.
    pub fn noting(mut self, problems: &Problems) -> Self {
        self.problems = problems.clone();
        self
    }

    /// Where those who read it note what is wrong.
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    /// Its id; for a subnode, private to its owner.
    pub fn nid(&self) -> NodeId {
        self.nid
    }

    /// `nidParent`: the folder of a folder or message; of a subnode, its owner.
    pub fn parent(&self) -> NodeId {
        self.parent
    }

    /// The file it is in.
    pub fn ndb(&self) -> &Arc<NodeDatabase> {
        &self.ndb
    }

    /// Whether it has neither data nor subnodes, which is legal.
    pub fn is_empty(&self) -> bool {
        self.data.is_none() && self.subnodes.is_none()
    }

    /// `bidData` and `bidSub`: two nodes with the same blocks are the same in all but their ids.
    pub fn blocks(&self) -> (BlockId, BlockId) {
        (self.data.key(), self.subnodes.key())
    }

    /// Its data.
    pub fn data(&self) -> Result<DataTree> {
        self.check_shown(Part::Data)?;
        DataTree::open(&self.ndb, self.data).map_err(|error| error.in_node(self.nid.0))
    }

    /// The subnode `nid`; None when this node has none of that id.
    pub fn subnode(&self, nid: NodeId) -> Result<Option<Node>> {
        if self.subnodes.is_none() {
            return Ok(None);
        }
        self.check_shown(Part::Subnodes)?;
        let found = self.find_subnode(nid);
        found.map_err(|error| error.in_node(self.nid.0))
    }

    /// All subnodes, in the order of the file.
    pub fn subnodes(&self) -> Result<Vec<Node>> {
        if self.subnodes.is_none() {
            return Ok(Vec::new());
        }
        self.check_shown(Part::Subnodes)?;
        let (stored, lost) = stored_and_lost(&self.ndb, self.subnodes, &self.problems)
            .map_err(|error| error.in_node(self.nid.0))?;
        let stored = stored.into_iter().map(|entry| self.owned(entry));
        let lost = lost.into_iter().map(|entry| self.found(entry));
        Ok(stored.chain(lost).collect())
    }

    /// What is wrong with its entry: it was made up for one that is lost, it stands in a damaged page, or it comes from an
    /// older state of the file than what was lost, since the space of its blocks is free. Nothing for an entry in a leaf
    /// of the tree.
    pub fn doubts(&self) -> Vec<Error> {
        let ndb = self.ndb();
        if !ndb.may_be_stale(self.nid()) {
            return Vec::new();
        }
        let made_up = ndb
            .is_made_up(self.nid())
            .then(|| "lost; its id here is made up, and its folder is not known".to_owned());
        let damaged = ndb.damaged_leaf(self.nid()).map(|ib| {
            format!("it stands in the damaged page at offset {ib:#x}: this may be something else")
        });
        let (data, subnodes) = self.blocks();
        let free = [data, subnodes]
            .into_iter()
            .filter(|bid| !bid.is_none())
            .filter_map(|bid| ndb.block_entry(bid, &mut None).ok())
            .find(|entry| ndb.is_free(*entry))
            .map(|BlockEntry { block, .. }| {
                let (bid, ib) = (block.bid, block.ib);
                format!(
                    "{bid} at offset {ib:#x} lies in space that is free again: this may be an older state of it"
                )
            });
        let doubts = [made_up, damaged, free].into_iter().flatten();
        doubts
            .map(|doubt| Error::corrupt("NBT entry", self.nid(), doubt))
            .collect()
    }

    fn owned(&self, entry: SubnodeEntry) -> Node {
        Node {
            ndb: Arc::clone(&self.ndb),
            nid: entry.nid,
            data: entry.data,
            subnodes: entry.subnodes,
            parent: self.nid,
            within: self.subnodes.key(),
            is_found: self.is_found,
            cuts: self.cuts.clone(),
            problems: self.problems.clone(),
        }
    }

    /// As [`Node::owned`], of an entry that stands in for a lost one.
    fn found(&self, entry: SubnodeEntry) -> Node {
        let text = "the list of them is lost; it was put together from blocks that nothing else refers to, so some may \
                    be another item's";
        self.problems.note(Problem::new("subnodes", text));
        Node {
            is_found: true,
            ..self.owned(entry)
        }
    }

    /// Why it, a subnode, may be another one: it or what it is within was found without the list that named it.
    pub fn list_doubt(&self) -> Option<Problem> {
        let text = "found among blocks that nothing else refers to, as the list of subnodes is lost: it may be another one";
        self.is_found.then(|| Problem::new("", text))
    }

    fn find_subnode(&self, nid: NodeId) -> Result<Option<Node>> {
        let mut is_whole = true;
        let stored = self.find_stored_subnode(nid, &mut is_whole);
        let lost = match &stored {
            Ok(Some(entry)) => return Ok(Some(self.owned(*entry))),
            Ok(None) if is_whole => return Ok(None),
            Ok(None) => self.ndb.lost_subnodes(self.subnodes),
            Err(error) => lost_because_of(&self.ndb, self.subnodes, error),
        };
        match lost.iter().find(|entry| entry.nid == nid) {
            Some(entry) => Ok(Some(self.found(*entry))),
            None => stored.map(|_| None),
        }
    }

    /// The entry of `nid` in the list of subnodes; and whether all of the list that may have it can be read.
    fn find_stored_subnode(
        &self,
        nid: NodeId,
        is_whole: &mut bool,
    ) -> Result<Option<SubnodeEntry>> {
        let top = subnode_block(&self.ndb, self.subnodes, &self.problems)?;
        let mut within = |block: &SubnodeBlock| {
            *is_whole &= block.is_whole(&self.ndb);
            let mut entries = block.leaf_entries(&self.ndb);
            entries.find(|entry| entry.nid == nid)
        };
        if top.level == LEVEL_LEAF {
            return Ok(within(&top));
        }
        if top.flaw.is_some() {
            // Its keys may be wrong.
            let leaves = top
                .child_entries()
                .map(|(_, bid)| subnode_leaf(&self.ndb, bid, &self.problems));
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
        Ok(within(&subnode_leaf(&self.ndb, bid, &self.problems)?))
    }
}

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

/// The entries of a subnode tree, in the order of the file.
#[derive(Debug, Default)]
pub struct SubnodeList {
    /// Those that can be read.
    pub entries: Vec<SubnodeEntry>,
    /// Whether that is all of them.
    pub is_whole: bool,
}

/// All entries of the subnode tree `bid`. Parts of it that are damaged go to `problems`.
pub(super) fn subnode_entries(
    ndb: &NodeDatabase,
    bid: BlockId,
    problems: &Problems,
) -> Result<SubnodeList> {
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
fn lost_because_of<'a>(ndb: &'a NodeDatabase, bid: BlockId, error: &Error) -> &'a [SubnodeEntry] {
    match error.is_unread() {
        true => &[],
        false => ndb.lost_subnodes(bid),
    }
}

impl NodeDatabase {
    /// The list of subnodes whose top block is `bid`, as far as it can be read.
    pub fn subnode_list(&self, bid: BlockId) -> Result<SubnodeList> {
        subnode_entries(self, bid, &Problems::default())
    }

    /// What the SLBLOCK or SIBLOCK `bid` has: subnodes, or further lists of them.
    pub(super) fn subnode_children(
        &self,
        bid: BlockId,
    ) -> Result<(Vec<SubnodeEntry>, Vec<BlockId>)> {
        let block = SubnodeBlock::read(self, bid)?;
        Ok(match block.level {
            LEVEL_LEAF => (block.leaf_entries(self).collect(), Vec::new()),
            _ => (
                Vec::new(),
                block.child_entries().map(|(_, bid)| bid).collect(),
            ),
        })
    }

    /// Whether the internal block `bid` is an SLBLOCK or SIBLOCK, and all blocks that it refers to.
    pub fn children(&self, bid: BlockId) -> Result<(bool, Vec<BlockId>)> {
        if u8_at(&self.block(bid)?, 0) != Some(BTYPE_SUBNODE) {
            return Ok((false, parse_internal(self, bid)?.children));
        }
        let block = SubnodeBlock::read(self, bid)?;
        let children = if block.level == LEVEL_LEAF {
            let entries = block.leaf_entries(self);
            entries
                .flat_map(|entry| [entry.data, entry.subnodes])
                .filter(|bid| !bid.is_none())
                .collect()
        } else {
            block.child_entries().map(|(_, bid)| bid).collect()
        };
        Ok((true, children))
    }
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
        let is_level = level <= LEVEL_INTERMEDIATE;
        // Of a damaged block one of the two may be wrong.
        if btype != BTYPE_SUBNODE && !(flaw.is_some() && is_level) {
            return Err(wrong("expected btype 2"));
        }
        if !is_level && flaw.is_none() {
            return Err(wrong("cLevel: expected 0 or 1"));
        }
        let mut block = Self {
            level: if is_level { level } else { LEVEL_LEAF },
            count: usize::from(count),
            word,
            bytes: Arc::clone(data.bytes()),
            flaw,
            is_cut: !is_level,
        };
        if block.start(block.count) > block.bytes.len() {
            if block.flaw.is_none() {
                return Err(wrong("cEnt: more entries than the block holds"));
            }
            let entry = block.start(1) - block.start(0);
            block.is_cut = true;
            block.count = block.bytes.len().saturating_sub(block.start(0)) / entry;
        }
        Ok(block)
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
            let is_there = |bid: BlockId| ndb.block_entry(bid, &mut None).is_ok();
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
