//! Which of the two B-trees a page belongs to. [MS-PST] 2.2.2.7.1

/// `ptype` of a page trailer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageType {
    /// Page of the block B-tree.
    Bbt,
    /// Page of the node B-tree.
    Nbt,
}

impl PageType {
    /// The byte in the trailer.
    pub fn code(self) -> u8 {
        match self {
            PageType::Bbt => 0x80,
            PageType::Nbt => 0x81,
        }
    }

    /// Name for messages.
    pub fn name(self) -> &'static str {
        match self {
            PageType::Bbt => "BBT page",
            PageType::Nbt => "NBT page",
        }
    }
}
