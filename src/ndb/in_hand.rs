//! What those who look things up have in hand: the leaf that the last key was found in, and the pages behind the one that was
//! read last. Who goes through a folder asks for keys that ascend, several in each leaf, and pages of a tree that ascend lie
//! one behind the other in the file. The page cache is no help there, as a large tree is gone from it before the next folder comes.
//!
//! A leaf answers only for a key that it has, so nothing else is found than from the root. Pages that were read along are
//! bytes, which are checked like any others when they are asked for. Nothing is locked while they are read.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::page::BTreePage;
use super::page_type::PageType;
use super::source::{Source, partly};
use crate::error::Result;

/// Bytes that are read at once where pages are asked for in the order of the file, and how near that means.
const RUN: usize = 4 << 10;
/// Threads that have a hand of their own.
const HANDS: usize = 8;

/// A leaf page, and the keys that the pages above it have lookups find in it: what else it holds is out of place.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) page: Arc<BTreePage>,
    pub(super) keys: Range<u64>,
}

/// What the threads have in hand of the two trees of one file.
#[derive(Debug, Default)]
pub(super) struct InHand([Mutex<Hands>; HANDS]);

/// What one thread has.
#[derive(Debug, Default)]
struct Hands {
    nodes: Hand,
    blocks: Hand,
}

/// What it has of one tree.
#[derive(Debug, Default)]
struct Hand {
    leaf: Option<Leaf>,
    pages: Pages,
}

impl Hands {
    fn of(&mut self, page_type: PageType) -> &mut Hand {
        match page_type {
            PageType::Nbt => &mut self.nodes,
            PageType::Bbt => &mut self.blocks,
        }
    }
}

impl InHand {
    /// The leaf in hand and the index of `key` in it, if it has that.
    pub(super) fn leaf(&self, page_type: PageType, key: u64) -> Option<(Leaf, usize)> {
        let mut hands = self.of_thread()?.lock();
        let leaf = hands.of(page_type).leaf.as_ref()?;
        let index = leaf.page.partition(key).checked_sub(1)?;
        let has_key = leaf.keys.contains(&key) && leaf.page.key(index) == Some(key);
        has_key.then(|| (leaf.clone(), index))
    }

    /// Takes `leaf` in hand.
    pub(super) fn take_leaf(&self, page_type: PageType, leaf: &Leaf) {
        if let Some(hands) = self.of_thread() {
            hands.lock().of(page_type).leaf = Some(leaf.clone());
        }
    }

    /// The `size` bytes of the page at byte `at`.
    pub(super) fn page(
        &self,
        source: &Source,
        page_type: PageType,
        at: u64,
        size: usize,
    ) -> Result<Arc<[u8]>> {
        let Some(hands) = self.of_thread() else {
            return Pages::default().page(source, at, size);
        };
        let mut pages = std::mem::take(&mut hands.lock().of(page_type).pages);
        let page = pages.page(source, at, size);
        hands.lock().of(page_type).pages = pages;
        page
    }

    fn of_thread(&self) -> Option<&Mutex<Hands>> {
        self.0.get(number_of_thread() % HANDS)
    }
}

/// A number that this thread has for good; threads that begin one after the other have different ones.
fn number_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    NUMBER.get()
}

/// Pages that were read at once, from byte `start` of the file on.
#[derive(Debug, Default)]
struct Pages {
    start: u64,
    bytes: Vec<u8>,
}

impl Pages {
    fn page(&mut self, source: &Source, at: u64, size: usize) -> Result<Arc<[u8]>> {
        if let Some(page) = self.at(at, size) {
            return Ok(page.into());
        }
        let end = self.start.saturating_add(self.bytes.len() as u64);
        let is_next = !self.bytes.is_empty() && (end..end.saturating_add(RUN as u64)).contains(&at);
        self.start = at;
        if !is_next || !self.read_along(source, size) {
            self.bytes.resize(size, 0);
            if let Err(error) = source.read_exact_at(&mut self.bytes, at) {
                self.bytes.clear();
                return Err(error);
            }
        }
        Ok(self.at(at, size).unwrap_or_default().into())
    }

    /// Reads a page of `size` bytes and those behind it, as far as the file goes. That this fails is for those to tell who ask for
    /// the page alone.
    fn read_along(&mut self, source: &Source, size: usize) -> bool {
        let there = usize::try_from(source.len().saturating_sub(self.start)).unwrap_or(RUN);
        self.bytes.resize(RUN.max(size).min(there), 0);
        partly(|| source.read_exact_at(&mut self.bytes, self.start)).is_ok()
            && self.bytes.len() >= size
    }

    fn at(&self, at: u64, size: usize) -> Option<&[u8]> {
        let start = usize::try_from(at.checked_sub(self.start)?).ok()?;
        self.bytes.get(start..start.checked_add(size)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ndb::pieces::{Piece, Pieces};
    use crate::ndb::whole;
    use std::fs;

    #[test]
    fn pages_in_the_order_of_the_file_are_read_at_once_and_each_is_its_own() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let content: Vec<u8> = (0..40u8).flat_map(|page| [page; 512]).collect();
        fs::write(file.path(), &content).unwrap();
        let source = Source::open(file.path()).unwrap();
        let mut pages = Pages::default();
        let mut page = |number: u64| {
            let page = pages.page(&source, number * 512, 512);
            (page.map(|page| page[0]), pages.bytes.len() / 512)
        };
        assert_eq!(page(0).0.unwrap(), 0);
        let expected = [
            (20, 1),
            (21, 8),
            (28, 8),
            (31, 8),
            (3, 1),
            (35, 1),
            (36, 4),
            (39, 4),
        ];
        for (number, read) in expected {
            let (first, at_once) = page(number);
            assert_eq!((u64::from(first.unwrap()), at_once), (number, read));
        }
        assert!(page(40).0.is_err());
        assert_eq!(page(39).0.unwrap(), 39);
    }

    #[test]
    fn a_page_is_read_though_those_behind_it_are_lost() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), [7; 40 * 512]).unwrap();
        let piece = |original| Piece { original, at: 0 };
        let lost_behind = Pieces::new(vec![piece(0..2 * 512), piece(30 * 512..40 * 512)]);
        let source = Source::open(file.path()).unwrap();
        let source = source.with_pieces(lost_behind);
        let mut pages = Pages::default();
        assert!(pages.page(&source, 0, 512).is_ok());
        let second = whole(|| pages.page(&source, 512, 512));
        assert_eq!(*second.unwrap(), [7; 512]);
        assert!(pages.page(&source, 2 * 512, 512).is_err());
        assert!(pages.page(&source, 30 * 512, 512).is_ok());
    }
}
