//! Where an export goes.

use std::path::Path;

use super::stream::Stream;
use crate::tree::{Forest, Ino};

/// Where an export goes.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// Nowhere: it is only listed.
    Nowhere,
    /// Into a directory, which exists.
    Directory(&'a Path),
    /// Into an archive.
    Stream(&'a Stream),
}

impl Target<'_> {
    /// The directory, if it is one.
    pub(super) fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(directory) => Some(directory),
            Self::Nowhere | Self::Stream(_) => None,
        }
    }

    /// Whether what shows an item once more is left out, and what belongs to none.
    pub(super) fn takes_items_alone(&self) -> bool {
        matches!(self, Self::Stream(stream) if stream.is_of_items())
    }
}

/// `name`, or if the top of `forest` has that, the first of `2 name` and so on that nothing there has, not even where case
/// makes no difference.
pub fn free_name(forest: &Forest, name: &str) -> String {
    let Ok(root) = forest.directory(Ino::ROOT) else {
        return name.to_owned();
    };
    let is_taken = |name: &str| {
        root.entries()
            .any(|entry| entry.name.eq_ignore_ascii_case(name))
    };
    let others = (2..).map(|number| format!("{number} {name}"));
    let mut names = std::iter::once(name.to_owned()).chain(others);
    names.find(|name| !is_taken(name)).unwrap_or_default()
}
