//! Finds the root of a whole B-tree among the pages of a scan.
//!
//! A root is a page that no other page points to and below which every page is whole. Page ids are handed out in
//! ascending order, so of several roots the one with the highest id is the newest. If the true root is lost, its
//! children look like roots; so a root counts only if no intact leaf lies outside its range of keys.

use std::collections::{HashMap, HashSet};

use super::scan::Page;
use crate::ndb::BlockRef;

/// The root of the newest whole tree among `pages`; None when the tree has lost a page that counts.
pub(super) fn newest(pages: &[Page]) -> Option<BlockRef> {
    let by_offset: HashMap<u64, &Page> = pages.iter().map(|page| (page.ib, page)).collect();
    let mut by_level: Vec<&Page> = pages.iter().collect();
    by_level.sort_by_key(|page| (page.level, page.ib));
    // Children come before their parents, so one pass settles which trees are whole, and where their keys end.
    let mut whole: HashMap<u64, u64> = HashMap::new();
    let mut referenced = HashSet::new();
    for page in &by_level {
        referenced.extend(page.children.iter().map(|child| (child.ib, child.bid)));
        let is_whole = page.children.iter().all(|child| {
            whole.contains_key(&child.ib)
                && by_offset.get(&child.ib).is_some_and(|found| {
                    found.bid == child.bid && found.level.checked_add(1) == Some(page.level)
                })
        });
        if is_whole {
            let below = page.children.last().and_then(|child| whole.get(&child.ib));
            let last = below.copied().unwrap_or(page.last);
            whole.insert(page.ib, last);
        }
    }
    let root = by_level
        .iter()
        .filter(|page| whole.contains_key(&page.ib) && !referenced.contains(&(page.ib, page.bid)))
        .max_by_key(|page| page.bid)?;
    let last = whole.get(&root.ib)?;
    let mut leaves = pages.iter().filter(|page| page.level == 0);
    leaves
        .all(|leaf| root.first <= leaf.first && leaf.last <= *last)
        .then_some(BlockRef {
            bid: root.bid,
            ib: root.ib,
        })
}
