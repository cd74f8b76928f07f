//! A folder between two items: what a journal keeps of it.

use std::io;

use serde::{Deserialize, Serialize};

use super::item::Place;
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
    pub hidden: Table,
}

impl Begun {
    /// One without items.
    pub fn new() -> io::Result<Self> {
        let messages = Table::new(Layout::new(templates::CONTENTS, &[]))?;
        let hidden = Table::new(Layout::new(templates::ASSOCIATED, &[]))?;
        let counts = Counts::default();
        Ok(Self {
            counts,
            messages,
            hidden,
        })
    }

    /// The table with the row of an item at `place`.
    pub fn table(&mut self, place: Place) -> &mut Table {
        match place {
            Place::Hidden => &mut self.hidden,
            Place::Folder | Place::Attachment => &mut self.messages,
        }
    }
}
