//! Blocks that come again. A file may name the same blocks from many places: copies of a message share them, and a file
//! made on purpose has a thousand messages of one body, or messages within each other in more ways than anyone can walk.
//! What is shown of blocks for the first time is bounded by the file; what is shown of them once more has a budget, which
//! is one for the whole file and is given out in the order of nodes. So it depends on the file alone, never on what was
//! read before.
//!
//! A message that is small beside the mean takes no part: as many of its size as there are messages are no more than
//! the budget. Nor does one that is not much larger than its row in a contents table declares (PidTagMessageSize), if all rows
//! of that table together declare no more than the share of so many messages in what a file of its size may have, or all rows of
//! the file together no more than that. The first reads the table that lists the message, the second all tables. Only when another
//! one is opened are all messages compared, once: that reads the lists of each, where a contents table has some hundred rows in a few
//! blocks.
//!
//! The budget is eight times the size of the file and 16 MiB. The sizes of all messages, and of what is within them,
//! are added up from their lists of blocks, without reading data. An entry that leads to blocks met before, whether a
//! node, a subnode or a leaf of a data tree, takes all that is shown through it from the budget, or is not shown and
//! its problem names the place where the same is.
//!
//! "Small" is at most 32 times the mean. In a file of more than 65,536 messages, where a comparison of all of them
//! would take minutes, only the nodes of the messages are compared, not what is in them.

use std::collections::HashMap;
use std::sync::Arc;

use super::block::BTYPE_DATA;
use super::cuts::{Cuts, Part, Place, TIMES};
use super::database::{LEAST_TIMES_FILE, NodeDatabase};
use super::declared::DeclaredSizes;
use super::ids::{BlockId, NodeId, NodeType};
use super::page::NodeEntry;
use super::page_sizes::least_entry_size;
use super::page_type::PageType;
use super::plan::{self, read_ahead, read_folders_ahead};
use super::source::{at_best, partly};
use super::subnodes::stored_and_lost;
use super::xblock::find_internal;
use crate::bytes::{u8_at, u32_at};
use crate::error::Result;
use crate::problem::Problems;

/// What may be shown of blocks that come again, in bytes: so often the size of the file, and as much for the smallest.
const BUDGET: (u64, u64) = (TIMES, LEAST_TIMES_FILE);
/// What all messages may show that are not compared.
const UNCOMPARED: (u64, u64) = (32, 32 << 20);
/// What all messages together may declare and still be believed: so often the size of the file, and so many bytes more.
const BELIEVED: (u64, u64) = (TIMES, LEAST_TIMES_FILE);
/// The same of one contents table, if it had all messages. Twice as much, since some of the nodes among which it is shared out
/// are none, and half a page may be empty.
const BELIEVED_IN_FOLDER: (u64, u64) = (2 * TIMES, LEAST_TIMES_FILE);
/// How often what it declares a message may show: text is in it in several forms, and blocks are not full.
const TIMES_DECLARED: u64 = 4;
/// Bytes that an attachment or an embedded message takes beside its content: its names, its header fields.
const ENTRY: u64 = 1 << 10;
/// Offset of `lcbTotal` in an XBLOCK or XXBLOCK.
const LCB_TOTAL: usize = 4;
/// Levels of subnodes that are followed: two for each of the messages within each other.
const MAX_LEVELS: usize = 64;
/// Messages whose subnodes are compared. In a larger file, where that would take minutes, only their nodes are.
const MAX_COMPARED: u64 = 1 << 16;
/// Blocks are remembered, and subnodes looked at, in proportion to the file: one for so many bytes. Real files have
/// fewer of both; those that may have the same entries again and again end there.
const BYTES_PER_BLOCK: u64 = 256;
const BYTES_PER_SUBNODE: u64 = 128;
/// Messages whose lists are read at once from a slow disk: the more, the closer together they lie.
const AHEAD: usize = 4096;

/// What is not shown of the node of `entry` and below; None for most nodes, which show all of it.
pub(super) fn cuts_of(ndb: &Arc<NodeDatabase>, entry: &NodeEntry) -> Result<Option<Arc<Cuts>>> {
    if entry.subnodes.is_none() && !entry.data.is_internal() {
        return Ok(None);
    }
    let weight = Walk::new(ndb, None).top(entry)?.in_files(0);
    let all = ndb.times_file(UNCOMPARED);
    let nodes = most_nodes(ndb)?.max(1);
    if weight <= all / nodes || is_as_its_folder_declares(ndb, entry, weight, nodes)? {
        return Ok(None);
    }
    let small = all / count_messages(ndb)?.max(1);
    if weight <= small || is_as_all_declare(ndb, entry.nid, weight, small)? {
        return Ok(None);
    }
    if ndb.stand_ins.restored(entry.nid).is_some() {
        // Which nodes are restored is known only after some are asked for, so each is compared with itself alone.
        return Ok(Some(Arc::new(compare(ndb, [Ok(*entry)])?)));
    }
    if let Some(cuts) = ndb.repeats.cuts.get() {
        return Ok(Some(Arc::clone(cuts)));
    }
    let cuts = Arc::new(compare(ndb, message_entries(ndb))?);
    Ok(Some(Arc::clone(
        ndb.repeats.cuts.get_or_init(|| Arc::clone(&cuts)),
    )))
}

/// Whether `weight` is what the message of `entry` declares in the contents table of its folder, whose rows together declare no more
/// than so many of the `nodes` of the file may.
fn is_as_its_folder_declares(
    ndb: &Arc<NodeDatabase>,
    entry: &NodeEntry,
    weight: u64,
    nodes: u64,
) -> Result<bool> {
    let (Some(read), Some(kind)) = (ndb.read_declared, contents_table_of(entry.nid)) else {
        return Ok(false);
    };
    let table_of = |entry: &NodeEntry| entry.parent.with_type(kind);
    let table = table_of(entry);
    let declared = ndb.repeats.declared_in.get_or_make(table, || {
        let found = || {
            let least_kept = ndb.times_file(UNCOMPARED) / nodes / TIMES_DECLARED;
            let mut sizes = DeclaredSizes::new(u64::MAX, least_kept);
            let mut children = 0;
            if let Ok(Some(rows)) = ndb.live_node(table, &mut (0..0)) {
                read(ndb, rows, &mut |nid, size| {
                    sizes.add(nid, size);
                    // A row counts if it is one of a message of this folder: many tables may have the rows of others, or of none.
                    let node = ndb.live_node(nid, &mut (0..0)).ok().flatten();
                    children += u64::from(node.is_some_and(|node| table_of(&node) == table));
                    true
                });
            }
            sizes.limit((ndb.times_file(BELIEVED_IN_FOLDER) / nodes).saturating_mul(children));
            Arc::new(sizes)
        };
        // What the disk never gives is not believed.
        Ok(partly(|| at_best(found)))
    })?;
    Ok(is_declared(&declared, entry.nid, weight))
}

/// The type of the table that lists messages of the type of `nid`.
fn contents_table_of(nid: NodeId) -> Option<NodeType> {
    match nid.node_type() {
        NodeType::NORMAL_MESSAGE => Some(NodeType::CONTENTS_TABLE),
        NodeType::ASSOC_MESSAGE => Some(NodeType::ASSOC_CONTENTS_TABLE),
        _ => None,
    }
}

/// Whether `weight` is what the message `nid` declares, and all rows of the file together make sense; `small` is what needs no
/// such word.
fn is_as_all_declare(
    ndb: &Arc<NodeDatabase>,
    nid: NodeId,
    weight: u64,
    small: u64,
) -> Result<bool> {
    let Some(read) = ndb.read_declared else {
        return Ok(false);
    };
    let declared = ndb.repeats.declared.get_or_make(|| {
        let most = ndb.times_file(BELIEVED);
        let found = || {
            let mut sizes = DeclaredSizes::new(most, small / TIMES_DECLARED);
            read_folders_ahead(ndb);
            let is_contents_table = |entry: &NodeEntry| {
                let tables = [NodeType::CONTENTS_TABLE, NodeType::ASSOC_CONTENTS_TABLE];
                tables.contains(&entry.nid.node_type())
            };
            for table in ndb.nodes().flatten().filter(is_contents_table) {
                read(ndb, table, &mut |nid, size| {
                    sizes.add(nid, size);
                    sizes.are_believed()
                });
                if !sizes.are_believed() {
                    break;
                }
            }
            sizes
        };
        // A message whose row the disk never gives is compared.
        Ok(partly(|| at_best(found)))
    })?;
    Ok(is_declared(declared, nid, weight))
}

fn is_declared(declared: &DeclaredSizes, nid: NodeId, weight: u64) -> bool {
    let size = declared.of(nid).unwrap_or(0);
    weight <= size.saturating_mul(TIMES_DECLARED)
}

/// More nodes than the node B-tree has, from its root page alone.
fn most_nodes(ndb: &NodeDatabase) -> Result<u64> {
    let root = match ndb.root_page(PageType::Nbt) {
        Ok(root) => root,
        Err(error) if error.is_unread() => return Err(error),
        Err(_) => return Ok(u64::MAX),
    };
    let format = ndb.header.format;
    let room =
        |level| (format.btree_entries / least_entry_size(format, PageType::Nbt, level)) as u64;
    let mut nodes = root.len() as u64;
    for level in 0..root.level {
        nodes = nodes.saturating_mul(room(level));
    }
    Ok(nodes)
}

/// How many messages there are: a walk over the node B-tree.
fn count_messages(ndb: &NodeDatabase) -> Result<u64> {
    if let Some(count) = ndb.repeats.messages.get() {
        return Ok(*count);
    }
    let mut count = 0;
    for entry in message_entries(ndb) {
        entry?;
        count += 1;
    }
    Ok(*ndb.repeats.messages.get_or_init(|| count))
}

/// All messages of folders, by ascending node; only what the disk cannot read is an error.
fn message_entries(ndb: &NodeDatabase) -> impl Iterator<Item = Result<NodeEntry>> + '_ {
    let is_message = |entry: &NodeEntry| {
        [NodeType::NORMAL_MESSAGE, NodeType::ASSOC_MESSAGE].contains(&entry.nid.node_type())
    };
    let added = ndb.added.nodes().iter().copied().map(Ok);
    ndb.nodes().chain(added).filter(move |entry| match entry {
        Ok(entry) => is_message(entry),
        Err(error) => error.is_unread(),
    })
}

/// Finds what of `messages` is not shown once more.
fn compare(
    ndb: &NodeDatabase,
    messages: impl IntoIterator<Item = Result<NodeEntry>>,
) -> Result<Cuts> {
    let mut walk = Walk::new(ndb, Some(Comparison::of(ndb)));
    walk.is_shallow = count_messages(ndb)? > MAX_COMPARED;
    let mut messages = messages.into_iter();
    loop {
        let next: Vec<NodeEntry> = messages.by_ref().take(AHEAD).collect::<Result<_>>()?;
        if next.is_empty() {
            break;
        }
        let nids: Vec<NodeId> = next.iter().map(|entry| entry.nid).collect();
        read_ahead(ndb, &nids, plan::Depth::Lists);
        for entry in &next {
            walk.top(entry)?;
        }
    }
    Ok(walk.comparison.unwrap_or_default().cuts)
}

/// What is within a node, in bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    /// Written once.
    once: u64,
    /// In the files of the messages within it: each has the text of all within that one, too.
    files: u64,
}

impl Size {
    /// Of nodes within themselves.
    const ENDLESS: Self = Self {
        once: u64::MAX,
        files: u64::MAX,
    };

    fn plus(self, other: Self) -> Self {
        Self {
            once: self.once.saturating_add(other.once),
            files: self.files.saturating_add(other.files),
        }
    }

    /// In all files, if it is within `depth` embedded messages.
    fn in_files(self, depth: u64) -> u64 {
        let around = self.once.saturating_mul(depth.saturating_add(1));
        self.files.saturating_add(around)
    }
}

/// Goes through nodes and all below them, each subnode tree once.
struct Walk<'a> {
    ndb: &'a NodeDatabase,
    /// Of each subnode tree; None while it is being walked.
    sizes: HashMap<BlockId, Option<Size>>,
    comparison: Option<Comparison>,
    /// Subnodes that may still be looked at.
    left: u64,
    /// Whether only the nodes themselves are compared.
    is_shallow: bool,
}

/// Where a walk is: levels of subnodes, and embedded messages around.
#[derive(Debug, Clone, Copy)]
struct Depth {
    level: usize,
    messages: u64,
}

impl<'a> Walk<'a> {
    fn new(ndb: &'a NodeDatabase, comparison: Option<Comparison>) -> Self {
        Self {
            ndb,
            sizes: HashMap::new(),
            comparison,
            left: ndb.times_file((1, BUDGET.1)) / BYTES_PER_SUBNODE,
            is_shallow: false,
        }
    }

    /// A node of the file.
    fn top(&mut self, entry: &NodeEntry) -> Result<Size> {
        if let Some(comparison) = &mut self.comparison {
            comparison.top = entry.nid;
        }
        let depth = Depth {
            level: 0,
            messages: 0,
        };
        self.node(
            (BlockId::NONE, entry.nid),
            entry.data,
            entry.subnodes,
            depth,
        )
    }

    fn node(&mut self, at: Place, data: BlockId, below: BlockId, depth: Depth) -> Result<Size> {
        let kind = at.1.node_type();
        let is_embedded = depth.level > 0 && kind == NodeType::NORMAL_MESSAGE;
        let inner = Depth {
            messages: depth.messages + u64::from(is_embedded),
            ..depth
        };
        let own = self.data(at, data.key(), inner)?;
        let mut size = self.below(at, below.key(), inner)?;
        size.once = size.once.saturating_add(own);
        if is_embedded {
            size.files = size.files.saturating_add(size.once);
        }
        if is_embedded || kind == NodeType::ATTACHMENT {
            size.once = size.once.saturating_add(ENTRY);
        }
        Ok(size)
    }

    /// Bytes of a data tree, unless they are not shown.
    fn data(&mut self, at: Place, bid: BlockId, depth: Depth) -> Result<u64> {
        let len = read(data_len(self.ndb, bid))?;
        let Some(comparison) = &mut self.comparison else {
            return Ok(len);
        };
        let again = Size {
            once: comparison.note(self.ndb, bid, len)?,
            files: 0,
        };
        let is_shown = comparison.takes(again.in_files(depth.messages));
        if !is_shown {
            comparison.cut(at, Part::Data, bid);
        }
        Ok(if is_shown { len } else { 0 })
    }

    /// What is in a subnode tree, unless it is not shown.
    fn below(&mut self, at: Place, bid: BlockId, depth: Depth) -> Result<Size> {
        if bid.is_none() {
            return Ok(Size::default());
        }
        let size = match self.sizes.get(&bid) {
            Some(Some(size)) => *size,
            Some(None) if self.is_shallow => self.measure(bid, depth)?,
            Some(None) => Size::ENDLESS,
            None if depth.level >= MAX_LEVELS || self.left == 0 => Size::ENDLESS,
            None if self.is_shallow => return self.note_alone(bid),
            None => return self.first(bid, depth),
        };
        let Some(comparison) = &mut self.comparison else {
            return Ok(size);
        };
        if comparison.takes(size.in_files(depth.messages)) {
            return Ok(size);
        }
        comparison.cut(at, Part::Subnodes, bid);
        Ok(Size::default())
    }

    /// What is in a subnode tree that was not met before.
    fn first(&mut self, bid: BlockId, depth: Depth) -> Result<Size> {
        // The weight of most messages is found without a map: a circle through the first tree is met deeper.
        let is_noted = depth.level > 0 || self.comparison.is_some();
        if is_noted {
            self.sizes.insert(bid, None);
        }
        if let Some(comparison) = &mut self.comparison {
            comparison.remember(bid);
        }
        let deeper = Depth {
            level: depth.level + 1,
            ..depth
        };
        let mut size = Size::default();
        let (stored, lost) = read(stored_and_lost(self.ndb, bid, &Problems::default()))?;
        for entry in stored.into_iter().chain(lost) {
            self.left = self.left.saturating_sub(1);
            let at = (bid, entry.nid);
            size = size.plus(self.node(at, entry.data, entry.subnodes, deeper)?);
        }
        if is_noted {
            self.sizes.insert(bid, Some(size));
        }
        Ok(size)
    }

    /// The same where only nodes are compared: what is in it is of interest once it comes again.
    fn note_alone(&mut self, bid: BlockId) -> Result<Size> {
        self.sizes.insert(bid, None);
        if let Some(comparison) = &mut self.comparison {
            comparison.remember(bid);
        }
        Ok(Size::default())
    }

    fn measure(&mut self, bid: BlockId, depth: Depth) -> Result<Size> {
        let size = Walk::new(self.ndb, None).first(bid, depth)?;
        self.sizes.insert(bid, Some(size));
        Ok(size)
    }
}

/// What was met of all messages, and what is left of the budget.
#[derive(Debug, Default)]
struct Comparison {
    left: u64,
    room: u64,
    top: NodeId,
    /// The node of the file in which a block was met first.
    first: HashMap<BlockId, NodeId>,
    cuts: Cuts,
}

impl Comparison {
    fn of(ndb: &NodeDatabase) -> Self {
        Self {
            left: ndb.times_file(BUDGET),
            room: ndb.times_file((1, BUDGET.1)) / BYTES_PER_BLOCK,
            ..Self::default()
        }
    }

    /// Takes `bytes` from the budget; false if it has not so many.
    fn takes(&mut self, bytes: u64) -> bool {
        let rest = self.left.checked_sub(bytes);
        self.left = rest.unwrap_or(self.left);
        rest.is_some()
    }

    fn cut(&mut self, at: Place, part: Part, bid: BlockId) {
        let first = self.first.get(&bid).copied().unwrap_or(self.top);
        self.cuts.insert(at, part, first);
    }

    /// Whether the block was not met before. When no more can be remembered, all were.
    fn remember(&mut self, bid: BlockId) -> bool {
        if self.first.contains_key(&bid) || self.first.len() as u64 >= self.room {
            return false;
        }
        self.first.insert(bid, self.top);
        true
    }

    /// Bytes of the data tree `bid`, which has `len`, that were met before: in all of it, or in some of its leaves.
    fn note(&mut self, ndb: &NodeDatabase, bid: BlockId, len: u64) -> Result<u64> {
        if bid.is_none() {
            return Ok(0);
        }
        if !self.remember(bid) {
            return Ok(len);
        }
        if !bid.is_internal() {
            return Ok(0);
        }
        let children = read(find_internal(ndb, bid).map(|block| block.children))?;
        let mut again = 0u64;
        for child in children {
            again = again.saturating_add(self.note_child(ndb, child)?);
        }
        Ok(again)
    }

    /// The same of a block that an XBLOCK or XXBLOCK names: a leaf, or an XBLOCK of leaves.
    fn note_child(&mut self, ndb: &NodeDatabase, child: BlockId) -> Result<u64> {
        let payload = ndb.header.format.block_payload as u64;
        if !self.remember(child) {
            return read(data_len(ndb, child));
        }
        if !child.is_internal() {
            return Ok(0);
        }
        let leaves = read(find_internal(ndb, child).map(|block| block.children))?;
        let again = leaves.into_iter().filter(|leaf| !self.remember(*leaf));
        Ok(payload.saturating_mul(again.count() as u64))
    }
}

/// Length of the data tree `bid`; that of one block is its largest.
fn data_len(ndb: &NodeDatabase, bid: BlockId) -> Result<u64> {
    if bid.is_none() {
        return Ok(0);
    }
    if !bid.is_internal() {
        return Ok(ndb.header.format.block_payload as u64);
    }
    // What is no XBLOCK or XXBLOCK, readers refuse, and more than the file can hold.
    let len = match ndb.block(bid) {
        Ok(block) if u8_at(&block, 0) == Some(BTYPE_DATA) => {
            u64::from(u32_at(&block, LCB_TOTAL).unwrap_or(0))
        }
        Err(error) if error.is_unread() => return Err(error),
        // What stands in for a list that is lost comes again as well.
        Ok(_) | Err(_) => match find_internal(ndb, bid) {
            Ok(block) => block.total,
            Err(_) => 0,
        },
    };
    Ok(if len <= ndb.most_data() { len } else { 0 })
}

/// What cannot be read because it is damaged is nothing; a failing disk is an error.
fn read<T: Default>(result: Result<T>) -> Result<T> {
    match result {
        Err(error) if error.is_unread() => Err(error),
        other => Ok(other.unwrap_or_default()),
    }
}
