//! Nodes: data and subnodes under a NID. [MS-PST] 2.2.1.1
//!
//! Once a page of the node B-tree has turned out to be damaged, a node may be something else than it was (`doubts`):
//! its id is made up; its entry is of a damaged leaf; or its blocks lie in free space, so that the entry is older than
//! what was lost. Allocation maps are written in place, so they show this even in a file that was cut. A problem names
//! the range of nodes that a lost page had.

use std::sync::Arc;

use super::cuts::{Cuts, Part};
use super::data_tree::DataTree;
use super::database::NodeDatabase;
use super::ids::{BlockId, NodeId};
use super::lost_lists::SubnodeEntry;
use super::page::{BlockEntry, NodeEntry};
use super::repeats::cuts_of;
use super::run::keep_pair;
use super::subnodes::{find_stored, lost_because_of, stored_and_lost};
use crate::error::{Error, Result};
use crate::problem::{Problem, Problems};

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
        keep_pair(&self.ndb, [self.data, self.subnodes]);
        self.cuts = cuts_of(&self.ndb, &entry)?;
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
        let damaged = ndb.stand_ins.damaged_leaf(self.nid()).map(|ib| {
            format!("it stands in the damaged page at offset {ib:#x}: this may be something else")
        });
        let (data, subnodes) = self.blocks();
        let free = [data, subnodes]
            .into_iter()
            .filter(|bid| !bid.is_none())
            .filter_map(|bid| ndb.block_entry(bid).ok())
            .find(|entry| ndb.is_free(*entry))
            .map(|BlockEntry { block, .. }| {
                let (bid, ib) = (block.bid, block.ib);
                format!(
                    "{bid} at offset {ib:#x} lies in space that is free again: this may be an older state of it"
                )
            });
        let guessed = ndb.stand_ins.is_guessed(subnodes).then(|| {
            "its recipients and attachments were found by what they are like, and may be those of another message".to_owned()
        });
        let doubts = [made_up, guessed, damaged, free].into_iter().flatten();
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
        let text = "the list of them is lost; it was put together from blocks that nothing else refers to, so some \
                    may be wrong: those of another item";
        self.problems.note(Problem::new("subnodes", text));
        Node {
            is_found: true,
            ..self.owned(entry)
        }
    }

    /// Why it, a subnode, may be another one: it or what it is within was found without the list that named it.
    pub fn list_doubt(&self) -> Option<Problem> {
        let text = "found among blocks that nothing else refers to, as the list of subnodes is lost: it may be wrong, that of another";
        self.is_found.then(|| Problem::new("", text))
    }

    fn find_subnode(&self, nid: NodeId) -> Result<Option<Node>> {
        let mut is_whole = true;
        let stored = find_stored(&self.ndb, self.subnodes, nid, &mut is_whole, &self.problems);
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
}
