//! Parts: what one file of several begins with, and what was done in those before it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What became of the items of a folder. Hidden ones, and items that a filter passes over, are in none of the figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderTotal {
    /// Items that are there.
    pub found: u64,
    /// Those that were copied.
    pub written: u64,
    /// Those that could not be.
    pub failed: u64,
    /// Items that are in none of these figures: an OST left them on the server ([`Folder::on_server`](crate::messaging::Folder::on_server)).
    pub on_server: u64,
}

/// What has been done so far, in all parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Figures by path of the folder.
    pub totals: BTreeMap<String, FolderTotal>,
    /// Items that were copied; hidden ones are not counted.
    pub written: u64,
    /// Failures that were told.
    pub failed: u64,
    /// Problems with items that were copied all the same.
    pub problems: u64,
    /// Bytes of the parts that are whole.
    pub bytes: u64,
}

/// A place among all items, in the order in which they are copied: folder of the plan, item of the folder, where hidden ones follow
/// those that are not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub(super) folder: usize,
    pub(super) item: usize,
}

/// A file that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 1.
    pub number: u32,
    /// What was done in those before it.
    pub done: Tally,
    /// Where its items begin.
    pub from: Position,
}

impl Default for Part {
    /// The first part.
    fn default() -> Self {
        Self {
            number: 1,
            done: Tally::default(),
            from: Position::default(),
        }
    }
}

/// A file that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// Its number.
    pub number: u32,
    /// What was done in this file and those before it.
    pub done: Tally,
    /// Where the next one begins, if there is more.
    pub next: Option<Position>,
}

impl Whole {
    /// The file that comes next.
    pub fn next(&self) -> Option<Part> {
        Some(Part {
            number: self.number + 1,
            done: self.done.clone(),
            from: self.next?,
        })
    }
}
