//! A folder between two items: what a journal keeps of it.

use std::io;

use serde::{Deserialize, Serialize};

use super::table::{Layout, Table};
use super::templates;

/// What a folder has in its own properties and in the row of its parent's table.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    pub items: i32,
    pub unread: i32,
}

/// A folder some of whose items are copied.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Begun {
    pub counts: Counts,
    pub messages: Table,
}

impl Begun {
    /// One without items.
    pub fn new() -> io::Result<Self> {
        let messages = Table::new(Layout::new(templates::CONTENTS, &[]))?;
        let counts = Counts::default();
        Ok(Self { counts, messages })
    }
}
