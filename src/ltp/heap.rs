//! Heap-on-node: items within the blocks of a node. [MS-PST] 2.3.1

use std::ops::Range;
use std::sync::Arc;

use super::heap_map::{PageMap, StoredMap};
use crate::bytes::{u8_at, u32_at};
use crate::error::{Error, Result};
use crate::ndb::{Block, DataTree, Flaw, Node, NodeId, NodeType};
use crate::problem::{Problem, Problems};

const HEAP_SIGNATURE: u8 = 0xEC;
/// Offsets of HNHDR: `bSig`, `bClientSig`, `hidUserRoot`.
const SIGNATURE: usize = 2;
const CLIENT_SIGNATURE: usize = 3;
const USER_ROOT: usize = 4;

/// `bClientSig`: what a heap holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientSignature(pub u8);

impl ClientSignature {
    /// Property context.
    pub const PROPERTY_CONTEXT: ClientSignature = ClientSignature(0xBC);
    /// Table context.
    pub const TABLE_CONTEXT: ClientSignature = ClientSignature(0x7C);
    /// Values of a table column kept apart (4K-page OST).
    pub const VALUE_ARRAY: ClientSignature = ClientSignature(0xA5);
    /// A search table of an old layout that nobody has described; only in the search folder 0x723.
    pub const OLD_SEARCH_TABLE: ClientSignature = ClientSignature(0xAC);
    /// OST: map of replica GUIDs.
    pub const REPLICA_MAP: ClientSignature = ClientSignature(0x6C);
    /// OST: map of server ids to nodes.
    pub const ID_MAP: ClientSignature = ClientSignature(0x8C);

    fn is_known(self) -> bool {
        [
            Self::PROPERTY_CONTEXT,
            Self::TABLE_CONTEXT,
            Self::VALUE_ARRAY,
            Self::OLD_SEARCH_TABLE,
            Self::REPLICA_MAP,
            Self::ID_MAP,
        ]
        .contains(&self)
    }
}

/// HID: an item of a heap. Its split into block and item index depends on the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapId(pub u32);

/// HNID: an item of a heap, or a subnode of the heap's node for what is too large; 0 is an empty value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapNodeId(pub u32);

/// What an HNID names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HnidTarget {
    /// Nothing: the value is empty.
    Empty,
    /// An item of the heap.
    Item(HeapId),
    /// A subnode.
    Subnode(NodeId),
}

impl HeapNodeId {
    /// What it names.
    pub fn target(self) -> HnidTarget {
        let nid = NodeId(self.0);
        if self.0 == 0 {
            HnidTarget::Empty
        } else if nid.node_type() == NodeType::HID {
            HnidTarget::Item(HeapId(self.0))
        } else {
            HnidTarget::Subnode(nid)
        }
    }
}

impl HeapId {
    /// The item `index`, which counts from 1, of the first block.
    pub(super) fn of_first_block(index: usize) -> Self {
        let type_only = NodeId(u32::from(NodeType::HID.0));
        Self(type_only.with_index(index as u32).0)
    }

    /// The number of the block that the item is in.
    pub(super) fn block(self, index_bits: u32) -> usize {
        (NodeId(self.0).index() >> index_bits) as usize
    }
}

/// An item: a part of a decoded block, which it keeps alive.
#[derive(Debug, Clone)]
pub struct HeapItem {
    block: Arc<[u8]>,
    range: Range<usize>,
    flaw: Option<Arc<Flaw>>,
}

impl HeapItem {
    /// All of a block.
    pub fn of_block(block: Block) -> Self {
        Self {
            range: 0..block.len(),
            flaw: block.flaw().map(Arc::clone),
            block: Arc::clone(block.bytes()),
        }
    }

    /// An item without bytes.
    pub fn empty() -> Self {
        Self {
            block: Arc::new([]),
            range: 0..0,
            flaw: None,
        }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.block.get(self.range.clone()).unwrap_or_default()
    }

    /// What is wrong with the block that it is in, if that may concern its bytes.
    pub fn flaw(&self) -> Option<&Flaw> {
        let flaw = self.flaw.as_deref()?;
        (flaw.doubtful || flaw.missing.is_empty() || !self.missing().is_empty()).then_some(flaw)
    }

    /// Those of its bytes that cannot be had.
    pub fn missing(&self) -> Vec<Range<usize>> {
        let Some(flaw) = &self.flaw else {
            return Vec::new();
        };
        let within = |gap: &Range<usize>| {
            let start = gap.start.max(self.range.start);
            let end = gap.end.min(self.range.end);
            (start < end).then(|| start - self.range.start..end - self.range.start)
        };
        flaw.missing.iter().filter_map(within).collect()
    }

    /// Bytes of memory that it keeps alive.
    pub fn weight(&self) -> usize {
        self.block.len()
    }

    /// The item of the bytes `start..start + len` of this one; None when they are not all there.
    pub fn part(&self, start: usize, len: usize) -> Option<HeapItem> {
        let start = self.range.start.checked_add(start)?;
        let end = start.checked_add(len)?;
        (end <= self.range.end).then(|| HeapItem {
            block: Arc::clone(&self.block),
            range: start..end,
            flaw: self.flaw.clone(),
        })
    }
}

/// The heap of a node.
#[derive(Debug, Clone)]
pub struct Heap {
    node: Node,
    data: DataTree,
    /// The first block, which nearly every lookup needs.
    first: Block,
    /// The map of that: of a damaged block it takes long to find.
    map: Option<PageMap>,
    client: ClientSignature,
    user_root: HeapId,
}

impl Heap {
    /// Whether `block` begins a heap: has `bSig` and a `bClientSig` that is known.
    pub fn is_heap(block: &[u8]) -> bool {
        let client = u8_at(block, CLIENT_SIGNATURE).map(ClientSignature);
        u8_at(block, SIGNATURE) == Some(HEAP_SIGNATURE)
            && client.is_some_and(ClientSignature::is_known)
    }

    /// Opens the heap of `node`; fails when its first block has no heap header.
    pub fn open(node: Node) -> Result<Self> {
        Self::open_inner(&node).map_err(|error| error.in_node(node.nid().0))
    }

    fn open_inner(node: &Node) -> Result<Self> {
        let data = node.data()?;
        if data.is_empty() {
            return Err(Error::corrupt("heap", "block 0", "the node has no data"));
        }
        let first = data.leaf(0)?;
        let signature = u8_at(&first, SIGNATURE);
        if signature != Some(HEAP_SIGNATURE) {
            let found = signature.map_or_else(|| "nothing".into(), |found| format!("{found:#x}"));
            let error = Error::corrupt(
                "heap",
                "block 0",
                format_args!("bSig: expected {HEAP_SIGNATURE:#x}, found {found}"),
            );
            // In a damaged block this byte may be what is wrong: what is in the heap tells.
            if first.flaw().is_none() {
                return Err(error);
            }
            node.problems().note_error("", &error);
        }
        let short = || Error::corrupt("heap", "block 0", "the block ends inside HNHDR");
        Ok(Self {
            client: ClientSignature(u8_at(&first, CLIENT_SIGNATURE).ok_or_else(short)?),
            user_root: HeapId(u32_at(&first, USER_ROOT).ok_or_else(short)?),
            node: node.clone(),
            data,
            map: map_of(&first),
            first,
        })
    }

    /// The same heap; what turns out to be wrong with it goes to `problems`.
    pub(super) fn noting(mut self, problems: &Problems) -> Self {
        self.node = self.node.noting(problems);
        self
    }

    /// What is wrong with the first block, which has what the heap holds and where.
    pub fn flaw(&self) -> Option<&Flaw> {
        self.first.flaw().map(|flaw| &**flaw)
    }

    /// The items of the first block: where to look for what a damaged header does not lead to any more.
    pub(super) fn items_of_first_block(&self) -> impl Iterator<Item = (HeapId, HeapItem)> + '_ {
        let map = PageMap::of_damaged(&self.first);
        let count = map.map_or(0, |map| map.count());
        (1..=count).filter_map(|index| {
            let hid = HeapId::of_first_block(index);
            Some((hid, self.item(hid).ok()?))
        })
    }

    /// How many items the one block has of which the heap consists; None if it has more, or is damaged.
    pub(super) fn items_of_one_block(&self) -> Option<usize> {
        let is_one = matches!(self.data.leaf_count(), Ok(1)) && self.first.flaw().is_none();
        let map = PageMap::stored(&self.first).filter(|_| is_one)?;
        map.is_sound(&self.first).then(|| map.count())
    }

    /// The number of item `hid` within the first block; None if it is in another.
    pub(super) fn index_in_first_block(&self, hid: HeapId) -> Option<usize> {
        let index_bits = self.index_bits();
        let index = NodeId(hid.0).index() & ((1 << index_bits) - 1);
        (hid.block(index_bits) == 0).then_some(index as usize)
    }

    /// Whether item `index` of the first block has bytes.
    pub(super) fn has_bytes(&self, index: usize) -> bool {
        let map = PageMap::stored(&self.first);
        let item = map.and_then(|map| map.item(&self.first, index));
        item.is_some_and(|item| !item.is_empty())
    }

    /// Item `hid` of the first block with all that follows it there: of a damaged map, that may be what is left of it.
    pub fn from_start_of(&self, hid: HeapId) -> Option<HeapItem> {
        let index_bits = self.index_bits();
        if hid.block(index_bits) != 0 {
            return None;
        }
        let index = (NodeId(hid.0).index() & ((1 << index_bits) - 1)) as usize;
        let start = PageMap::of_damaged(&self.first)?.start(&self.first, index)?;
        let len = self.first.len().checked_sub(start)?;
        HeapItem::of_block(self.first.clone()).part(start, len)
    }

    /// What the heap holds.
    pub fn client(&self) -> ClientSignature {
        self.client
    }

    /// Fails unless the heap holds `expected`.
    pub fn expect_client(&self, expected: ClientSignature) -> Result<()> {
        if self.client == expected {
            return Ok(());
        }
        let error = Error::corrupt(
            "heap",
            "HNHDR",
            format_args!(
                "bClientSig: expected {:#x}, found {:#x}",
                expected.0, self.client.0
            ),
        )
        .in_node(self.node.nid().0);
        // As with `bSig`; but a heap that is of another kind for certain stays one.
        if self.first.flaw().is_none() || self.client.is_known() {
            return Err(error);
        }
        self.node.problems().note_error("", &error);
        Ok(())
    }

    /// The item that everything else in the heap hangs on.
    pub fn user_root(&self) -> HeapId {
        self.user_root
    }

    /// Bytes in all of its blocks.
    pub fn len(&self) -> u64 {
        self.data.len()
    }

    /// Never true of an opened heap, whose header is there.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The node whose heap this is.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Reads all blocks, and gives an error for each whose page map does not lie within it or does not ascend.
    pub fn broken_maps(&self) -> impl Iterator<Item = Error> + '_ {
        let (count, error) = match self.data.leaf_count() {
            Ok(count) => (count, None),
            Err(error) => (0, Some(error)),
        };
        let broken = |index: usize| {
            let error = match self.data.leaf(index) {
                Ok(block) if PageMap::stored(&block).is_some_and(|map| map.is_sound(&block)) => {
                    return None;
                }
                Ok(_) => Error::corrupt(
                    "heap",
                    format_args!("block {index}"),
                    "HNPAGEMAP: not within the block, or not ascending",
                ),
                Err(error) => error,
            };
            Some(error.in_node(self.node.nid().0))
        };
        error.into_iter().chain((0..count).filter_map(broken))
    }

    /// The page maps of all blocks that can be read, with the numbers of the blocks, as stored.
    pub fn page_maps(&self) -> impl Iterator<Item = (usize, StoredMap)> + '_ {
        let count = self.data.leaf_count().unwrap_or(0);
        (0..count).filter_map(|number| {
            let block = self.data.leaf(number).ok()?;
            Some((number, PageMap::stored(&block)?.account(&block)?))
        })
    }

    /// The item `hid`. HID 0 and freed items have no bytes; an id out of range is an error.
    pub fn item(&self, hid: HeapId) -> Result<HeapItem> {
        if hid.0 == 0 {
            return Ok(HeapItem::empty());
        }
        let wrong = |problem: &str| {
            Error::corrupt("heap item", format_args!("HID {:#x}", hid.0), problem)
                .in_node(self.node.nid().0)
        };
        if NodeId(hid.0).node_type() != NodeType::HID {
            return Err(wrong("expected the HID type, found another"));
        }
        let index_bits = self.index_bits();
        let index = (NodeId(hid.0).index() & ((1 << index_bits) - 1)) as usize;
        let (block, map) = match hid.block(index_bits) {
            0 => (self.first.clone(), self.map),
            number => {
                let block = self.data.leaf(number);
                let block = block.map_err(|error| error.in_node(self.node.nid().0))?;
                let map = map_of(&block);
                (block, map)
            }
        };
        let map = map.ok_or_else(|| wrong("ibHnpm: beyond the block"))?;
        if index == 0 || index > map.count() {
            return Err(wrong("the index is beyond the items of its block"));
        }
        let range = map
            .item(&block, index)
            .ok_or_else(|| wrong("rgibAlloc: the item does not lie within its block"))?;
        Ok(HeapItem {
            range,
            ..HeapItem::of_block(block)
        })
    }

    /// Bits of a HID that are the item within its block.
    pub(super) fn index_bits(&self) -> u32 {
        self.node.ndb().header().format.hid_index_bits
    }

    /// Notes what is wrong with the block of an item, for the part `place` of the object.
    pub(super) fn note(&self, place: impl std::fmt::Display, flaw: &Flaw) {
        self.node.problems().note(Problem {
            node: Some(self.node.nid().0),
            ..Problem::new(place, flaw)
        });
    }
}

/// The map of `block`, as well as it can be found.
fn map_of(block: &Block) -> Option<PageMap> {
    match block.flaw() {
        None => PageMap::stored(block),
        Some(_) => PageMap::of_damaged(block),
    }
}
