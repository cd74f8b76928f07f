//! Pages of the B-trees whose entries are right, and whose `cEnt` or keys are not, under a CRC that is right: what they lead to
//! tells. [MS-PST] 2.2.2.7.7.1
//!
//! Outlook leaves entries behind the last one that counts, which it has moved or deleted. Nothing of these is in the file any
//! more: a page that says too few is one behind whose last entry stand others that name what is in use.

use super::block::Read;
use super::database::NodeDatabase;
use super::page::{BTreePage, ChildEntry, NodeEntry, read_btree_page};
use super::page_type::PageType;

/// `cRef` of a block to which one thing refers: it counts one more.
const REFERRED_TO_ONCE: u16 = 2;

/// `page`, all of whose keys are below `end`, with the entries behind those that it counts, if what they name is in use.
pub(super) fn with_uncounted(
    ndb: &NodeDatabase,
    page_type: PageType,
    page: BTreePage,
    end: u64,
) -> BTreePage {
    let behind = page.behind(end);
    if behind == 0 {
        return page;
    }
    let all = page.clone().counting(behind);
    let is_live = |index: usize| match (all.level, page_type) {
        (0, PageType::Nbt) => is_node_live(ndb, all.node(index)?),
        (0, PageType::Bbt) => {
            let entry = all.block(index)?;
            let is_intact = || matches!(ndb.block_reader().read(entry), Ok(Read::Intact(_)));
            Some(ndb.is_used(entry.block.ib) && is_intact())
        }
        _ => {
            let child = all.child(index)?;
            Some(ndb.is_used(child.page.ib) && named_page(ndb, page_type, child).is_some())
        }
    };
    // What tells nothing by itself counts in front of what is in use.
    let verdicts = (page.len()..all.len()).map(is_live);
    let not_dead = verdicts.take_while(|is_live| *is_live != Some(false));
    match not_dead
        .collect::<Vec<_>>()
        .iter()
        .rposition(|is_live| *is_live == Some(true))
    {
        None => page,
        Some(last) => page.counting(last + 1),
    }
}

/// Whether the data of `node` is in use, and no other's; None if it tells nothing, as nodes share what is empty.
fn is_node_live(ndb: &NodeDatabase, node: NodeEntry) -> Option<bool> {
    if node.data.is_none() {
        return None;
    }
    let entry = ndb.find_block(node.data).ok().flatten();
    let Some(entry) = entry.filter(|entry| ndb.is_used(entry.block.ib)) else {
        return Some(false);
    };
    (entry.references == REFERRED_TO_ONCE).then_some(true)
}

/// `page`, whose keys do not ascend, with those that its children begin with.
pub(super) fn with_keys_of_children(
    ndb: &NodeDatabase,
    page_type: PageType,
    page: BTreePage,
) -> BTreePage {
    let children = (0..page.len()).map_while(|index| page.child(index));
    let key = |child: ChildEntry| {
        let own = named_page(ndb, page_type, child);
        own.and_then(|own| own.key(0)).unwrap_or(child.key)
    };
    let keys: Vec<u64> = children.map(key).collect();
    page.with_keys(&keys)
}

/// The very page that is named, past the cache.
fn named_page(ndb: &NodeDatabase, page_type: PageType, child: ChildEntry) -> Option<BTreePage> {
    let header = ndb.header();
    let (format, checksums) = (header.format, &header.checksums);
    let page = read_btree_page(ndb.source(), format, checksums, page_type, child.page).ok()?;
    (page.bid == child.page.bid).then_some(page)
}
