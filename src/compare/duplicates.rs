//! Items that are there more than once. One copy of each is kept: one that is whole, then the first in the order of the tree.
//!
//! A damaged copy is dropped only if a whole one reads the same. Of several that are all damaged none is dropped: what they
//! lack may be different.

use std::collections::BTreeMap;

use super::survey::{Item, Survey, Threads};
use crate::convert::ContentHash;
use crate::export::{Filter, LeftOut, Progress};
use crate::tree::{Forest, Ino};

/// Among which items duplicates are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Within each file.
    Mailbox,
    /// Among all files.
    All,
}

/// What is known of an item: with its number and place, 40 bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Known {
    content: ContentHash,
    is_damaged: bool,
}

/// A copy that is dropped, and the one that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// Path of the copy that is dropped, from the root of the tree.
    pub dropped: String,
    /// Its node.
    pub dropped_nid: u32,
    /// Path of the one that is kept.
    pub kept: String,
    /// Its node.
    pub kept_nid: u32,
    /// What they have in common.
    pub hash: ContentHash,
    /// Whether something of the dropped one is missing or doubtful.
    pub is_damaged: bool,
}

/// All duplicates of a forest.
pub struct Duplicates<'a> {
    survey: Survey<'a, Known>,
    /// Which items are dropped, and for which: by number, in the order of the tree.
    dropped: Vec<(u32, u32)>,
}

impl<'a> Duplicates<'a> {
    /// Looks for duplicates among the items of `forest` that `filter` takes, each of which is read once.
    pub fn find(
        forest: &'a Forest,
        filter: &Filter,
        scope: Scope,
        threads: Threads,
        progress: &Progress,
    ) -> Self {
        let mut survey = Survey::make(forest, filter, threads, progress, |hashes| Known {
            content: hashes.content,
            is_damaged: hashes.is_damaged,
        });
        let file = |ino: Ino| match scope {
            Scope::Mailbox => ino.file(),
            Scope::All => 0,
        };
        let class = |item: &Item<Known>| (file(item.ino), item.known.content);
        survey
            .items
            .sort_unstable_by_key(|item| (class(item), item.known.is_damaged, item.place));
        let mut dropped = Vec::new();
        let mut first = 0;
        for copies in survey
            .items
            .chunk_by(|one, other| class(one) == class(other))
        {
            let is_whole = copies.first().is_some_and(|kept| !kept.known.is_damaged);
            let others = first + 1..first + copies.len() as u32;
            if is_whole {
                dropped.extend(others.map(|other| (other, first)));
            }
            first += copies.len() as u32;
        }
        let place = |number: u32| survey.items.get(number as usize).map(|item| item.place);
        dropped.sort_unstable_by_key(|(dropped, _)| place(*dropped));
        Self { survey, dropped }
    }

    /// How many items were looked at.
    pub fn found(&self) -> usize {
        self.survey.items.len()
    }

    /// How many of these are dropped.
    pub fn count(&self) -> usize {
        self.dropped.len()
    }

    /// Those that are dropped, for a filter.
    pub fn left_out(&self) -> LeftOut {
        let items = self.dropped.iter();
        let numbers = items.filter_map(|(dropped, _)| {
            let item = self.survey.items.get(*dropped as usize)?;
            self.survey.forest.item_of(item.ino)
        });
        LeftOut::new(numbers.collect())
    }

    /// Each that is dropped, in the order of the tree.
    pub fn each(&self) -> impl Iterator<Item = Duplicate> {
        let item = |number: u32| self.survey.items.get(number as usize);
        let nid = |item: &Item<Known>| self.survey.forest.item(item.ino).map(|(nid, _)| nid);
        self.dropped.iter().filter_map(move |(dropped, kept)| {
            let (dropped, kept) = (item(*dropped)?, item(*kept)?);
            Some(Duplicate {
                dropped: self.survey.path(dropped),
                dropped_nid: nid(dropped)?,
                kept: self.survey.path(kept),
                kept_nid: nid(kept)?,
                hash: dropped.known.content,
                is_damaged: dropped.known.is_damaged,
            })
        })
    }

    /// How many items each folder has, and how many of these are dropped, by path.
    pub fn folders(&self) -> BTreeMap<&str, (u64, u64)> {
        let mut folders: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for item in &self.survey.items {
            folders.entry(self.survey.folder(item)).or_default().0 += 1;
        }
        for (dropped, _) in &self.dropped {
            if let Some(item) = self.survey.items.get(*dropped as usize) {
                folders.entry(self.survey.folder(item)).or_default().1 += 1;
            }
        }
        folders
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_takes_no_more_than_forty_bytes() {
        assert!(size_of::<Item<Known>>() <= 40);
    }
}
