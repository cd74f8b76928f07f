//! Block ids and node ids. [MS-PST] 2.2.2.1, 2.2.2.2, 2.4.1

use std::fmt;

use serde::{Deserialize, Serialize};

/// BID: names a block, or a page (a counter of its own).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct BlockId(pub u64);

impl BlockId {
    /// No block: the node has no data.
    pub const NONE: BlockId = BlockId(0);
    /// In place of a block that was there and cannot be distinguished from others: reading it is an error, not nothing.
    pub const LOST: BlockId = BlockId(!Self::RESERVED);
    const RESERVED: u64 = 1;
    const INTERNAL: u64 = 2;
    /// From one block to the next.
    pub const STEP: u64 = 4;
    /// Ids from here on no file has handed out.
    const MADE_UP: u64 = !0 << 32;

    /// The id `number` of those that no file has, for an internal block that stands for a lost one.
    pub fn made_up(number: u32) -> Self {
        Self(Self::LOST.0 - Self::STEP * (1 + u64::from(number) % (u32::MAX as u64 / Self::STEP)))
    }

    /// Whether it is [`BlockId::LOST`] or made up, so that no block has it.
    pub fn is_lost(self) -> bool {
        self.0 >= Self::MADE_UP
    }

    /// The id as the block B-tree has it: bit 0 is reserved and cleared before a lookup.
    pub fn key(self) -> BlockId {
        BlockId(self.0 & !Self::RESERVED)
    }

    /// Whether bit 0 is set, which no writer does: ScanPST takes such a block for one that is lost.
    pub fn has_reserved_bit(self) -> bool {
        self.0 & Self::RESERVED != 0
    }

    /// Whether this is an internal block (XBLOCK, XXBLOCK, SLBLOCK, SIBLOCK), never encoded.
    pub fn is_internal(self) -> bool {
        self.0 & Self::INTERNAL != 0
    }

    /// The id of an internal block under the same number.
    pub fn as_internal(self) -> BlockId {
        BlockId(self.key().0 | Self::INTERNAL)
    }

    /// The id of a data block under the same number: both kinds of blocks are counted together.
    pub fn as_external(self) -> BlockId {
        BlockId(self.key().0 & !Self::INTERNAL)
    }

    /// Whether there is no block.
    pub fn is_none(self) -> bool {
        self.key().0 == 0
    }
}

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "block {:#x}", self.0)
    }
}

/// NID: names a node of the file, or a subnode within its owner.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The message store's property context.
    pub const MESSAGE_STORE: NodeId = NodeId(0x21);
    /// The named property map.
    pub const NAME_TO_ID_MAP: NodeId = NodeId(0x61);
    /// The root folder; its own parent.
    pub const ROOT_FOLDER: NodeId = NodeId(0x122);
    /// Receive folder table: message class prefix to folder.
    pub const RECEIVE_FOLDER_TABLE: NodeId = NodeId(0x62B);
    /// Attachment table, as a subnode of a message.
    pub const ATTACHMENT_TABLE: NodeId = NodeId(0x671);
    /// Recipient table, as a subnode of a message.
    pub const RECIPIENT_TABLE: NodeId = NodeId(0x692);
    /// `IPM_SUBTREE` of the mailbox in an OST.
    pub const OST_IPM_SUBTREE: NodeId = NodeId(0x2142);
    /// OST: map of replica GUIDs to replica numbers.
    pub const OST_REPLICA_MAP: NodeId = NodeId(0x801);
    /// The folder whose children Outlook shows, in a PST as Outlook makes it.
    pub const IPM_SUBTREE: NodeId = NodeId(0x8022);
    /// OST: map of server folder ids to folder nodes.
    pub const OST_FOLDER_MAP: NodeId = NodeId(0x821);

    const TYPE_BITS: u32 = 5;
    const TYPE_MASK: u32 = (1 << Self::TYPE_BITS) - 1;

    /// Its type: the low 5 bits.
    pub fn node_type(self) -> NodeType {
        NodeType((self.0 & Self::TYPE_MASK) as u8)
    }

    /// Whether it is that of a folder or a search folder.
    pub fn is_folder(self) -> bool {
        [NodeType::NORMAL_FOLDER, NodeType::SEARCH_FOLDER].contains(&self.node_type())
    }

    /// Whether it is that of a message, or of a hidden one.
    pub fn is_message(self) -> bool {
        [NodeType::NORMAL_MESSAGE, NodeType::ASSOC_MESSAGE].contains(&self.node_type())
    }

    /// Its index: the high 27 bits, shared by all nodes of one folder.
    pub fn index(self) -> u32 {
        self.0 >> Self::TYPE_BITS
    }

    /// The node of another index with the same type.
    pub fn with_index(self, index: u32) -> NodeId {
        NodeId(self.0 & Self::TYPE_MASK | index << Self::TYPE_BITS)
    }

    /// The node of another type with the same index, e.g. a folder's contents table.
    pub fn with_type(self, node_type: NodeType) -> NodeId {
        NodeId(self.0 & !Self::TYPE_MASK | u32::from(node_type.0))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {:#x}", self.0)
    }
}

/// BREF: the id of a page or block and its byte offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRef {
    /// Its id.
    pub bid: BlockId,
    /// Its byte offset in the file.
    pub ib: u64,
}

/// Type of a node: the low 5 bits of its NID. Types not named here are legal and ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeType(pub u8);

impl NodeType {
    /// Heap item reference: such an HNID is a HID.
    pub const HID: NodeType = NodeType(0x00);
    /// Folder.
    pub const NORMAL_FOLDER: NodeType = NodeType(0x02);
    /// Search folder.
    pub const SEARCH_FOLDER: NodeType = NodeType(0x03);
    /// Message.
    pub const NORMAL_MESSAGE: NodeType = NodeType(0x04);
    /// Attachment, a subnode of its message.
    pub const ATTACHMENT: NodeType = NodeType(0x05);
    /// Associated (hidden, FAI) message.
    pub const ASSOC_MESSAGE: NodeType = NodeType(0x08);
    /// Attachment table, a subnode of its message.
    pub const ATTACHMENT_TABLE: NodeType = NodeType(0x11);
    /// Recipient table, likewise.
    pub const RECIPIENT_TABLE: NodeType = NodeType(0x12);
    /// What is too large for the heap of its node, as a subnode.
    pub const LTP: NodeType = NodeType(0x1F);
    /// Hierarchy table: the subfolders of a folder.
    pub const HIERARCHY_TABLE: NodeType = NodeType(0x0D);
    /// Contents table: the messages of a folder.
    pub const CONTENTS_TABLE: NodeType = NodeType(0x0E);
    /// Associated contents table: the hidden messages of a folder.
    pub const ASSOC_CONTENTS_TABLE: NodeType = NodeType(0x0F);
    /// Contents table of a search folder.
    pub const SEARCH_CONTENTS_TABLE: NodeType = NodeType(0x10);

    /// Whether it is that of a table of a folder.
    pub fn is_table(self) -> bool {
        (Self::HIERARCHY_TABLE.0..=Self::SEARCH_CONTENTS_TABLE.0).contains(&self.0)
    }
}
