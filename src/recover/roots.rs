//! Finds B-tree roots by a scan of the whole file: pages are recognised by type, CRC and signature.
//!
//! A root is a page that no other page points to and below which every page is whole. Page ids are handed out in
//! ascending order, so of several roots the one with the highest id is the newest.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::ndb::format::Format;
use crate::ndb::page::{PageType, parse_btree_page};
use crate::ndb::{BlockId, BlockRef, Source};

/// Bytes read at a time.
const CHUNK: usize = 4 << 20;

/// What the scan keeps of a page.
struct Page {
    bid: BlockId,
    level: u8,
    children: Box<[BlockRef]>,
}

/// All intact B-tree pages of a file, live and stale, by tree and offset.
pub(super) struct Pages {
    nbt: HashMap<u64, Page>,
    bbt: HashMap<u64, Page>,
}

/// Reads the whole file once. A part that the disk cannot read is passed over.
pub(super) fn scan(source: &Source, format: &'static Format) -> Result<Pages> {
    let mut pages = Pages {
        nbt: HashMap::new(),
        bbt: HashMap::new(),
    };
    let page_size = format.page_size;
    let mut buffer = vec![0; CHUNK];
    let mut at = 0;
    while at < source.len() {
        let length = (source.len() - at).min(CHUNK as u64) as usize;
        let chunk = buffer.get_mut(..length).unwrap_or_default();
        if let Err(error) = source.read_exact_at(chunk, at) {
            log::warn!("scan: {error}");
        } else {
            for (index, bytes) in chunk.chunks_exact(page_size).enumerate() {
                pages.take(bytes, format, at + (index * page_size) as u64);
            }
        }
        at += length as u64;
    }
    if pages.nbt.is_empty() && pages.bbt.is_empty() {
        return Err(Error::Unsupported(
            "no page of a B-tree in the whole file: it is overwritten, encrypted from outside, or no Outlook data \
             file behind its header"
                .into(),
        ));
    }
    Ok(pages)
}

impl Pages {
    fn of(&self, page_type: PageType) -> &HashMap<u64, Page> {
        match page_type {
            PageType::Nbt => &self.nbt,
            PageType::Bbt => &self.bbt,
        }
    }

    fn take(&mut self, bytes: &[u8], format: &'static Format, ib: u64) {
        let code = bytes.get(format.page_data).copied();
        let page_type = match code {
            Some(code) if code == PageType::Nbt.code() => PageType::Nbt,
            Some(code) if code == PageType::Bbt.code() => PageType::Bbt,
            _ => return,
        };
        let Ok(page) = parse_btree_page(bytes.into(), format, page_type, ib) else {
            return;
        };
        let children = if page.level == 0 {
            Box::default()
        } else {
            (0..page.len())
                .filter_map(|index| page.child(index))
                .map(|child| child.page)
                .collect()
        };
        let kept = Page {
            bid: page.bid,
            level: page.level,
            children,
        };
        match page_type {
            PageType::Nbt => self.nbt.insert(ib, kept),
            PageType::Bbt => self.bbt.insert(ib, kept),
        };
    }

    /// The newest root of a whole tree.
    pub(super) fn newest(&self, page_type: PageType) -> Option<BlockRef> {
        let pages = self.of(page_type);
        let mut by_level: Vec<(&u64, &Page)> = pages.iter().collect();
        by_level.sort_by_key(|(ib, page)| (page.level, **ib));
        // Children come before their parents, so one pass settles which trees are whole.
        let mut whole = HashSet::new();
        let mut referenced = HashSet::new();
        for (ib, page) in &by_level {
            referenced.extend(page.children.iter().map(|child| (child.ib, child.bid.0)));
            let is_whole = page.children.iter().all(|child| {
                whole.contains(&child.ib)
                    && pages.get(&child.ib).is_some_and(|found| {
                        found.bid == child.bid && found.level.checked_add(1) == Some(page.level)
                    })
            });
            if is_whole {
                whole.insert(**ib);
            }
        }
        by_level
            .iter()
            .filter(|(ib, page)| whole.contains(*ib) && !referenced.contains(&(**ib, page.bid.0)))
            .max_by_key(|(_, page)| page.bid)
            .map(|(ib, page)| BlockRef {
                bid: page.bid,
                ib: **ib,
            })
    }
}
