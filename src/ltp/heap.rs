//! Heap-on-node: items within the blocks of a node. [MS-PST] 2.3.1

use std::ops::Range;
use std::sync::Arc;

use crate::bytes::{u8_at, u16_at, u32_at};
use crate::error::{Error, Result};
use crate::ndb::{DataTree, Node, NodeId, NodeType};

const HEAP_SIGNATURE: u8 = 0xEC;
/// Offsets of HNHDR: `ibHnpm`, `bSig`, `bClientSig`, `hidUserRoot`; `ibHnpm` starts every block.
const PAGE_MAP: usize = 0;
const SIGNATURE: usize = 2;
const CLIENT_SIGNATURE: usize = 3;
const USER_ROOT: usize = 4;
/// Offsets of HNPAGEMAP: `cAlloc`, `rgibAlloc`. `cFree` between them is wrong in files of other writers.
const MAP_COUNT: usize = 0;
const MAP_OFFSETS: usize = 4;

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

/// An item: a part of a decoded block, which it keeps alive.
#[derive(Debug, Clone)]
pub struct HeapItem {
    block: Arc<[u8]>,
    range: Range<usize>,
}

impl HeapItem {
    /// All of a block.
    pub fn of_block(block: Arc<[u8]>) -> Self {
        Self {
            range: 0..block.len(),
            block,
        }
    }

    /// An item without bytes.
    pub fn empty() -> Self {
        Self {
            block: Arc::new([]),
            range: 0..0,
        }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.block.get(self.range.clone()).unwrap_or_default()
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
        })
    }
}

/// The heap of a node.
#[derive(Debug, Clone)]
pub struct Heap {
    node: Node,
    data: DataTree,
    /// The first block, which nearly every lookup needs.
    first: Arc<[u8]>,
    client: ClientSignature,
    user_root: HeapId,
}

impl Heap {
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
            return Err(Error::corrupt(
                "heap",
                "block 0",
                format_args!("bSig: expected {HEAP_SIGNATURE:#x}, found {signature:x?}"),
            ));
        }
        let short = || Error::corrupt("heap", "block 0", "the block ends inside HNHDR");
        Ok(Self {
            client: ClientSignature(u8_at(&first, CLIENT_SIGNATURE).ok_or_else(short)?),
            user_root: HeapId(u32_at(&first, USER_ROOT).ok_or_else(short)?),
            node: node.clone(),
            data,
            first,
        })
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
        Err(Error::corrupt(
            "heap",
            "HNHDR",
            format_args!(
                "bClientSig: expected {:#x}, found {:#x}",
                expected.0, self.client.0
            ),
        )
        .in_node(self.node.nid().0))
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

    /// Reads all blocks and tells `broken` of each whose page map does not lie within it or does not ascend.
    pub fn check_maps(&self, mut broken: impl FnMut(Error)) {
        let count = self.data.leaf_count().unwrap_or_else(|error| {
            broken(error);
            0
        });
        for index in 0..count {
            match self.data.leaf(index) {
                Ok(block) if is_map_sound(&block) => {}
                Ok(_) => broken(
                    Error::corrupt(
                        "heap",
                        format_args!("block {index}"),
                        "HNPAGEMAP: not within the block, or not ascending",
                    )
                    .in_node(self.node.nid().0),
                ),
                Err(error) => broken(error.in_node(self.node.nid().0)),
            }
        }
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
        let index_bits = self.node.ndb().header().format.hid_index_bits;
        let rest = NodeId(hid.0).index();
        let index = (rest & ((1 << index_bits) - 1)) as usize;
        let block_index = (rest >> index_bits) as usize;
        let block = if block_index == 0 {
            Arc::clone(&self.first)
        } else {
            self.data
                .leaf(block_index)
                .map_err(|error| error.in_node(self.node.nid().0))?
        };
        let map =
            usize::from(u16_at(&block, PAGE_MAP).ok_or_else(|| wrong("the block is too short"))?);
        let count =
            u16_at(&block, map + MAP_COUNT).ok_or_else(|| wrong("ibHnpm: beyond the block"))?;
        if index == 0 || index > usize::from(count) {
            return Err(wrong("the index is beyond the items of its block"));
        }
        let offset = |slot: usize| u16_at(&block, map + MAP_OFFSETS + 2 * slot).map(usize::from);
        match (offset(index - 1), offset(index)) {
            (Some(start), Some(end)) if start <= end && end <= block.len() => Ok(HeapItem {
                block,
                range: start..end,
            }),
            _ => Err(wrong("rgibAlloc: the item does not lie within its block")),
        }
    }
}

fn is_map_sound(block: &[u8]) -> bool {
    let Some(map) = u16_at(block, PAGE_MAP).map(usize::from) else {
        return false;
    };
    let Some(count) = u16_at(block, map + MAP_COUNT).map(usize::from) else {
        return false;
    };
    let mut before = 0;
    (0..=count).all(|slot| {
        let offset = u16_at(block, map + MAP_OFFSETS + 2 * slot).map(usize::from);
        offset.is_some_and(|offset| {
            let ascends = before <= offset && offset <= map;
            before = offset;
            ascends
        })
    })
}
