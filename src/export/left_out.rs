//! Items that an export passes over with all that belongs to them, since something else has them.
#![forbid(unsafe_code)]

use std::fmt;

use crate::tree::{Forest, Ino};

/// Items by the numbers of their files: eight bytes each.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LeftOut(Vec<Ino>);

impl LeftOut {
    /// These `items`.
    pub fn new(mut items: Vec<Ino>) -> Self {
        items.sort_unstable();
        items.shrink_to_fit();
        Self(items)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `ino` shows one of them, or belongs to one.
    pub(super) fn has(&self, forest: &Forest, ino: Ino) -> bool {
        if self.is_empty() {
            return false;
        }
        let item = forest.item_of(ino);
        item.is_some_and(|item| self.0.binary_search(&item).is_ok())
    }
}

impl fmt::Debug for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeftOut({})", self.0.len())
    }
}
