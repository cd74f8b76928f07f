//! The names of a huge directory, packed: a million take a quarter of the memory that they have as text.
//!
//! Names of neighbours have much in common: the day, words of their subjects, the stem that an item shares with its
//! attachments. So they are deflated (RFC 1951), a page of them at a time, and a page is inflated when one of its entries is
//! asked for. Which page that is, of a name the hashes tell, and of an inode the nodes.

use std::sync::Arc;

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec;

use super::entries::{Entries, Entry};
use super::ino::{Ino, Kind};
use crate::cache::ByteLru;

/// Entries of a page: with twice as many, names take a tenth less, and one that is looked up by itself twice the time.
pub(super) const PAGE: usize = 256;
/// How hard the deflater tries, from 1 to 9: at 6 names take a tenth less, and longer to be packed.
const LEVEL: u8 = 1;
/// Bytes of the pages that stay inflated: of a few that read the directory at different places.
const INFLATED: u64 = 1 << 20;
/// Stands behind each name, which cannot have it.
const SEPARATOR: char = '/';
/// Bytes of a record before the names: how far the inode number is from that before, and the kind.
const RECORD: usize = size_of::<u64>() + 1;
/// Kinds by their bytes.
const KINDS: [Kind; 3] = [Kind::Directory, Kind::File, Kind::Symlink];

/// Entries by number, of whole pages.
#[derive(Debug)]
pub(super) struct Packed {
    /// The deflated pages, one behind the other.
    bytes: Vec<u8>,
    pages: Vec<Page>,
    /// An entry each, ascending: the upper half of the hash of the name above, the number of the entry below.
    hashes: Vec<u64>,
    inflated: ByteLru<usize, Arc<Entries>>,
}

#[derive(Debug)]
struct Page {
    /// Where it ends in the bytes; it starts where the one before ends.
    end: usize,
    /// The lowest and the highest of what [`node_bits`] gives of its inodes.
    nodes: [u32; 2],
}

impl Default for Packed {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            pages: Vec::new(),
            hashes: Vec::new(),
            inflated: ByteLru::new(INFLATED, 1),
        }
    }
}

impl Packed {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.pages.len() * PAGE
    }

    /// Bytes of memory that they take.
    pub fn weight(&self) -> usize {
        self.bytes.capacity()
            + self.pages.capacity() * size_of::<Page>()
            + self.hashes.capacity() * size_of::<u64>()
            + INFLATED as usize
    }

    /// Adds those of `entries` that fill whole pages, the first ones, by the hashes of their names; returns how many.
    pub fn add(&mut self, entries: &Entries, hash: impl Fn(&str) -> u64) -> usize {
        let taken = entries.len() / PAGE * PAGE;
        for start in (0..taken).step_by(PAGE) {
            let first = self.len();
            let page = || (start..start + PAGE).filter_map(|index| entries.get(index));
            let hashes = page().zip(first..);
            self.hashes
                .extend(hashes.map(|(entry, index)| hash_and_number(hash(&entry.name), index)));
            let nodes = || page().map(|entry| node_bits(entry.ino));
            self.bytes.extend(deflate(page()));
            self.pages.push(Page {
                end: self.bytes.len(),
                nodes: [nodes().min(), nodes().max()].map(Option::unwrap_or_default),
            });
        }
        self.hashes.sort_unstable();
        taken
    }

    /// Entry number `index`, or None past the end.
    pub fn get(&self, index: usize) -> Option<Entry<'static>> {
        let page = self.page(index / PAGE)?;
        page.get(index % PAGE).map(Entry::into_owned)
    }

    /// The number of the first entry whose name has this hash and `is_it`.
    pub fn find(&self, hash: u64, is_it: impl Fn(&str) -> bool) -> Option<usize> {
        let first = hash_and_number(hash, 0);
        let start = self.hashes.partition_point(|known| *known < first);
        let equal = self.hashes.get(start..)?.iter();
        let equal = equal.take_while(|known| *known >> u32::BITS == first >> u32::BITS);
        let mut numbers = equal.map(|known| *known as u32 as usize);
        numbers.find(|index| {
            let page = self.page(index / PAGE);
            page.is_some_and(|page| is_it(page.name(index % PAGE)))
        })
    }

    /// The number of the entry with this inode.
    pub fn find_ino(&self, ino: Ino) -> Option<usize> {
        let node = node_bits(ino);
        let pages = self.pages.iter().enumerate();
        let mut pages = pages.filter(
            |(
                _,
                Page {
                    nodes: [low, high], ..
                },
            )| { (*low..=*high).contains(&node) },
        );
        pages.find_map(|(number, _)| {
            let page = self.page(number)?;
            let index = page.iter().position(|entry| entry.ino == ino)?;
            Some(number * PAGE + index)
        })
    }

    /// Page number `number`, inflated.
    fn page(&self, number: usize) -> Option<Arc<Entries>> {
        if let Some(page) = self.inflated.get(&number) {
            return Some(page);
        }
        let before = number.checked_sub(1).map(|before| self.pages.get(before));
        let start = before.flatten().map_or(0, |page| page.end);
        let page = Arc::new(inflate(
            self.bytes.get(start..self.pages.get(number)?.end)?,
        )?);
        let weight = page.weight();
        Some(self.inflated.insert(number, page, weight))
    }

    /// Gives back memory that was held in reserve.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.pages.shrink_to_fit();
        self.hashes.shrink_to_fit();
    }
}

fn hash_and_number(hash: u64, index: usize) -> u64 {
    hash >> u32::BITS << u32::BITS | u64::from(index as u32)
}

/// The node in the inode number of an item and of what belongs to it: items are listed by ascending node.
fn node_bits(ino: Ino) -> u32 {
    ino.0 as u32
}

/// The entries of a page in few bytes.
fn deflate<'a>(page: impl Iterator<Item = Entry<'a>>) -> Vec<u8> {
    let mut plain = Vec::with_capacity(PAGE * RECORD);
    let mut names = String::new();
    let mut before = 0;
    for entry in page {
        plain.extend(entry.ino.0.wrapping_sub(before).to_le_bytes());
        plain.push(entry.kind as u8);
        before = entry.ino.0;
        names.push_str(&entry.name);
        names.push(SEPARATOR);
    }
    plain.extend(names.into_bytes());
    compress_to_vec(&plain, LEVEL)
}

/// The entries that [`deflate`] has put into `bytes`.
fn inflate(bytes: &[u8]) -> Option<Entries> {
    let plain = decompress_to_vec(bytes).ok()?;
    let (records, names) = plain.split_at_checked(PAGE * RECORD)?;
    let names = std::str::from_utf8(names).ok()?;
    let mut entries = Entries::default();
    let mut ino = Ino(0);
    let records = records.as_chunks::<RECORD>().0.iter();
    for (record, name) in records.zip(names.split_terminator(SEPARATOR)) {
        let (step, kind) = record.split_first_chunk()?;
        ino = Ino(ino.0.wrapping_add(u64::from_le_bytes(*step)));
        entries.push(name, ino, *KINDS.get(usize::from(*kind.first()?))?)?;
    }
    entries.shrink();
    Some(entries)
}
