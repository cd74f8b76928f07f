//! Finds the root of a whole B-tree among the pages of a scan.
//!
//! A root is a page that no other page points to and below which every page is whole. Page ids are handed out in
//! ascending order, leaves before what is above them, so of several roots the one with the highest id is the newest, and
//! newer than any other page. If the true root is lost, its children look like roots, and so do older ones; so a root
//! counts only if no page is newer and no intact leaf lies outside its range of keys.

use super::pages::{DamagedLeaf, Page};
use crate::ndb::ids::BlockRef;

/// What is known of a page.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Where the keys below it end, if all pages there are whole.
    last: Option<u64>,
    /// Whether a page above it is there.
    referenced: bool,
}

/// The root of the newest whole tree among `pages`, which ascend by offset; None when the tree has lost a page that
/// counts, as one of the `damaged` leaves does that are in use.
pub(crate) fn newest(pages: &[Page], damaged: &[DamagedLeaf]) -> Option<BlockRef> {
    let find = |at: &BlockRef| {
        let index = pages.binary_search_by_key(&at.ib, |page| page.ib).ok()?;
        let page = pages.get(index)?;
        (page.bid == at.bid).then_some((index, page))
    };
    let mut seen = vec![Seen::default(); pages.len()];
    let mut by_level: Vec<(u8, u32)> = (0u32..)
        .zip(pages)
        .map(|(index, page)| (page.level, index))
        .collect();
    by_level.sort_unstable();
    // Children come before their parents, so one pass settles which trees are whole, and where their keys end.
    for (_, index) in by_level {
        let index = index as usize;
        let Some(page) = pages.get(index) else {
            continue;
        };
        let mut last = Some(page.last);
        for child in &page.children {
            let found = find(child).and_then(|(index, child)| Some((child, seen.get_mut(index)?)));
            let Some((child, known)) = found else {
                last = None;
                continue;
            };
            known.referenced = true;
            let is_below = child.level.checked_add(1) == Some(page.level);
            last = last.and(known.last.filter(|_| is_below));
        }
        if let Some(own) = seen.get_mut(index) {
            own.last = last;
        }
    }
    let whole = pages.iter().zip(&seen);
    let (root, last) = whole
        .filter(|(_, seen)| !seen.referenced)
        .filter_map(|(page, seen)| Some((page, seen.last?)))
        .max_by_key(|(page, _)| page.bid)?;
    let mut leaves = pages.iter().filter(|page| page.level == 0);
    let bids = pages.iter().map(|page| page.bid);
    let mut bids = bids.chain(damaged.iter().map(|leaf| leaf.bid));
    let nodes = damaged.iter().flat_map(|leaf| &leaf.entries);
    let mut keys = nodes.map(|node| u64::from(node.nid.0));
    let is_newest = bids.all(|bid| bid <= root.bid)
        && leaves.all(|leaf| root.first <= leaf.first && leaf.last <= last)
        && keys.all(|key| root.first <= key && key <= last);
    is_newest.then_some(BlockRef {
        bid: root.bid,
        ib: root.ib,
    })
}
