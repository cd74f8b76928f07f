//! The two B-trees, written leaf by leaf from sorted entries. [MS-PST] 2.2.2.7.7

use std::io;

use super::layout::PAGE_DATA;
use crate::bytes::u64_at;
use crate::ndb::BlockId;

/// One of the trees: page type, bytes of a leaf entry.
pub(super) type Tree = (u8, usize);
/// The node B-tree.
pub(super) const NODES: Tree = (0x81, 32);
/// The block B-tree.
pub(super) const BLOCKS: Tree = (0x80, 24);
/// Bytes that an entry of each takes at most in full pages, with those above.
pub(super) const NODE_BYTES: u64 = 38;
pub(super) const BLOCK_BYTES: u64 = 28;
/// Bytes of an entry above the leaves: key, id and place of a page.
const CHILD: usize = 24;
/// Bytes of a page for entries.
const ENTRIES: usize = 488;

/// Writes a page of a type; returns its id and place.
pub(super) type WritePage<'a> = dyn FnMut(u8, &[u8; PAGE_DATA]) -> io::Result<(BlockId, u64)> + 'a;

/// Writes the tree of `entries`, ascending by the key that each begins with; returns id and place of its root.
pub(super) fn write(
    write_page: &mut WritePage<'_>,
    (kind, size): Tree,
    entries: impl Iterator<Item = Vec<u8>>,
) -> io::Result<(BlockId, u64)> {
    let mut level = 0;
    let mut above = write_level(write_page, kind, size, level, entries)?;
    loop {
        if let [(_, bid, at)] = above.as_slice() {
            return Ok((*bid, *at));
        }
        level += 1;
        let entries = std::mem::take(&mut above)
            .into_iter()
            .map(|(key, bid, at)| {
                [key, bid.0, at]
                    .iter()
                    .flat_map(|field| field.to_le_bytes())
                    .collect()
            });
        above = write_level(write_page, kind, CHILD, level, entries)?;
    }
}

/// Writes all pages of a level; returns first key, id and place of each. There is one at least.
fn write_level(
    write_page: &mut WritePage<'_>,
    kind: u8,
    size: usize,
    level: u8,
    entries: impl Iterator<Item = Vec<u8>>,
) -> io::Result<Vec<(u64, BlockId, u64)>> {
    let most = ENTRIES / size;
    let mut pages = Vec::new();
    let mut page: Vec<u8> = Vec::with_capacity(ENTRIES);
    let mut entries = entries.peekable();
    loop {
        if let Some(entry) = entries.next() {
            page.extend(entry);
        }
        let is_last = entries.peek().is_none();
        if page.len() / size < most && !is_last {
            continue;
        }
        let count = page.len() / size;
        let key = u64_at(&page, 0).unwrap_or(0);
        let mut body = [0; PAGE_DATA];
        for (to, from) in body.iter_mut().zip(page.drain(..)) {
            *to = from;
        }
        if let Some(tail) = body.get_mut(ENTRIES..) {
            for (to, from) in tail
                .iter_mut()
                .zip([count as u8, most as u8, size as u8, level])
            {
                *to = from;
            }
        }
        let (bid, at) = write_page(kind, &body)?;
        pages.push((key, bid, at));
        if is_last {
            return Ok(pages);
        }
    }
}
