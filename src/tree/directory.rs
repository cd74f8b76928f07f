//! Listings: the names in one directory in a compact form, and the builder that keeps them unique.
//!
//! Names are made once per directory, by ascending node: the lowest keeps the plain name, later ones get ` ~` and their
//! node number. So they do not move when mail is added. Subfolders come first and are found without listing the
//! messages beside them.
//!
//! Each time that a listing has so many entries more, these are packed: a huge one takes little memory, and one of a usual
//! size is read at once.

use std::sync::Arc;

use hashbrown::HashTable;

use super::entries::{Entries, Entry};
use super::ino::{Ino, Kind};
use super::packed::{PAGE, Packed};
use super::replaced::Replaced;
use super::{folding, name};

/// Entries that are not packed, at the most: more than most folders have, and some 7 MiB.
const PLAIN: usize = 1 << 16;

/// The names in one directory, in a fixed order: folders, then items by node.
#[derive(Debug)]
pub struct Directory {
    parent: Ino,
    /// Tells which of its files others have taken the place of.
    replaced: Option<Arc<Replaced>>,
    /// The first entries of a huge one.
    packed: Option<Box<Packed>>,
    /// Those that follow.
    entries: Entries,
    /// Their numbers among these by their names, folded.
    by_name: HashTable<u32>,
    /// How many of them there may be before they are packed.
    plain: usize,
}

impl Directory {
    /// An empty directory below `parent`.
    pub fn new(parent: Ino) -> Self {
        Self::packing(parent, PLAIN)
    }

    /// An empty directory that packs each `plain` entries.
    fn packing(parent: Ino, plain: usize) -> Self {
        Self {
            parent,
            replaced: None,
            packed: None,
            entries: Entries::default(),
            by_name: HashTable::new(),
            plain,
        }
    }

    /// The directory that holds this one (the root's is the root).
    pub fn parent(&self) -> Ino {
        self.parent
    }

    /// Number of entries, without "." and "..".
    pub fn len(&self) -> usize {
        self.packed_len() + self.entries.len()
    }

    fn packed_len(&self) -> usize {
        self.packed.as_ref().map_or(0, |packed| packed.len())
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory that it takes.
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.packed.as_ref().map_or(0, |packed| packed.weight())
            + self.entries.weight()
            + self.by_name.allocation_size()
    }

    /// Entry number `index`, or None past the end.
    pub fn entry(&self, index: usize) -> Option<Entry<'_>> {
        let mut entry = match index.checked_sub(self.packed_len()) {
            Some(index) => self.entries.get(index),
            None => self.packed.as_ref()?.get(index),
        }?;
        if let Some(replaced) = &self.replaced {
            entry.ino = replaced.listed(entry.ino);
        }
        Some(entry)
    }

    /// All entries in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.len()).filter_map(|index| self.entry(index))
    }

    /// The number of an entry whose name has the same hash as `name`, folded, and `is_it`.
    fn position(&self, name: &str, is_it: impl Fn(&str) -> bool) -> Option<usize> {
        let hash = hash_folded(name);
        let packed = self.packed.as_ref();
        packed
            .and_then(|packed| packed.find(hash, &is_it))
            .or_else(|| {
                let is_it = |index: &u32| is_it(self.entries.name(*index as usize));
                let index = self.by_name.find(hash, is_it)?;
                Some(self.packed_len() + *index as usize)
            })
    }

    /// The entry with exactly this name.
    pub fn find(&self, name: &str) -> Option<Entry<'_>> {
        self.entry(self.position(name, |other| other == name)?)
    }

    /// The entry with this name, or else the first one whose name some file system takes for it.
    pub fn find_like(&self, name: &str) -> Option<Entry<'_>> {
        let like = || self.entry(self.position(name, |other| equal_folded(name, other))?);
        self.find(name).or_else(like)
    }

    /// The number of the entry that had this inode when it was added.
    pub(super) fn position_of(&self, ino: Ino) -> Option<usize> {
        let packed = self.packed.as_ref();
        packed.and_then(|packed| packed.find_ino(ino)).or_else(|| {
            let index = self.entries.iter().position(|entry| entry.ino == ino)?;
            Some(self.packed_len() + index)
        })
    }

    /// The name of the entry that had this inode when it was added.
    pub(super) fn name_of(&self, ino: Ino) -> Option<String> {
        let entry = self.entry(self.position_of(ino)?)?;
        Some(entry.name.into_owned())
    }

    /// Whether an entry has a name that some file system takes for this one.
    pub(super) fn has(&self, name: &str) -> bool {
        self.position(name, |other| equal_folded(name, other))
            .is_some()
    }

    /// Makes room for the names of `items` more, which then need not be hashed again as the table grows.
    pub(super) fn reserve(&mut self, items: usize) {
        let most = self.plain.saturating_sub(self.entries.len());
        let entries = &self.entries;
        let hash = |index: &u32| hash_folded(entries.name(*index as usize));
        self.by_name.reserve(items.min(most), hash);
    }

    /// Adds an entry whose name is not taken.
    pub fn add(&mut self, name: &str, ino: Ino, kind: Kind) {
        self.add_plain(name, ino, kind);
        if self.entries.len() >= self.plain {
            self.pack();
        }
    }

    fn add_plain(&mut self, name: &str, ino: Ino, kind: Kind) {
        let Some(index) = self.entries.push(name, ino, kind) else {
            return;
        };
        let entries = &self.entries;
        self.by_name
            .insert_unique(hash_folded(name), index, |index| {
                hash_folded(entries.name(*index as usize))
            });
    }

    /// Packs the entries that are not packed yet, but for the last ones that fill no page.
    fn pack(&mut self) {
        let entries = std::mem::take(&mut self.entries);
        self.by_name = HashTable::new();
        let packed = self.packed.get_or_insert_default();
        let taken = packed.add(&entries, hash_folded);
        for entry in entries.iter().skip(taken) {
            self.add_plain(&entry.name, entry.ino, entry.kind);
        }
    }

    /// The stem under which an item can be added with every extension in `extensions`: `stem` itself if no name is
    /// taken yet, else with ` ~<nid in hex>`. Items come by ascending node, so the lowest keeps the plain name.
    pub fn free_stem(&self, stem: &str, extensions: &[&str], nid: u32) -> String {
        let names = |stem: &str| {
            let names = extensions.iter();
            names
                .map(|extension| format!("{stem}{extension}"))
                .collect()
        };
        self.free_stem_for(stem, names, nid)
    }

    /// The same where `names` gives the names that an item with such a stem has.
    pub fn free_stem_for(
        &self,
        stem: &str,
        names: impl Fn(&str) -> Vec<String>,
        nid: u32,
    ) -> String {
        let free = |stem: &str| names(stem).iter().all(|name| !self.has(name));
        if free(stem) {
            return stem.to_owned();
        }
        let mut suffix = format!(" ~{nid:x}");
        let mut candidate = name::with_suffix(stem, &suffix);
        // Only a subject that imitates the suffix of this very node leads past the first round.
        let mut round = 1;
        while !free(&candidate) {
            round += 1;
            suffix = format!(" ~{nid:x}~{round}");
            candidate = name::with_suffix(stem, &suffix);
        }
        candidate
    }

    /// The directory, in which others take the place of the files that are `replaced`.
    pub(super) fn with_replaced(mut self, replaced: &Arc<Replaced>) -> Self {
        self.replaced = Some(Arc::clone(replaced));
        self
    }

    /// Gives back memory that the growing listing held in reserve.
    pub fn finish(mut self) -> Self {
        if self.packed.is_some() && self.entries.len() >= PAGE {
            self.pack();
        }
        if let Some(packed) = &mut self.packed {
            packed.shrink();
        }
        self.entries.shrink();
        self
    }
}

fn equal_folded(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        return left.eq_ignore_ascii_case(right);
    }
    folding::is_one_name(left, right)
}

fn hash_folded(name: &str) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    if name.is_ascii() {
        let mut buffer = [0; 64];
        for chunk in name.as_bytes().chunks(buffer.len()) {
            let lower = buffer.get_mut(..chunk.len()).unwrap_or_default();
            lower.copy_from_slice(chunk);
            lower.make_ascii_lowercase();
            hasher.write(lower);
        }
    } else {
        let mut utf8 = [0; 4];
        for character in folding::folded(name) {
            hasher.write(character.encode_utf8(&mut utf8).as_bytes());
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_node_keeps_the_plain_name_where_a_file_system_takes_two_for_one() {
        let mut directory = Directory::new(Ino::ROOT);
        for (nid, stem) in [
            (0x10, "Hello"),
            (0x20, "HELLO"),
            (0x30, "hello"),
            (0x40, "Straße"),
            (0x50, "STRASSE"),
        ] {
            let stem = directory.free_stem(stem, &[".eml"], nid);
            directory.add(&format!("{stem}.eml"), Ino(u64::from(nid)), Kind::File);
        }
        let names: Vec<_> = directory.entries().map(|entry| entry.name).collect();
        assert_eq!(
            names,
            [
                "Hello.eml",
                "HELLO ~20.eml",
                "hello ~30.eml",
                "Straße.eml",
                "STRASSE ~50.eml"
            ]
        );
        assert_eq!(
            directory.find("HELLO ~20.eml").map(|entry| entry.ino),
            Some(Ino(0x20))
        );
        assert!(directory.find("hello.eml").is_none());
    }

    /// Adds items with these stems, by ascending node, each of two files; then `finish`.
    fn filled(mut directory: Directory, stems: &[String]) -> Directory {
        for (nid, stem) in (1..).zip(stems) {
            let stem = directory.free_stem(stem, &[".eml", name::ATTACHMENTS_SUFFIX], nid);
            let ino = Ino(u64::from(nid));
            directory.add(&format!("{stem}.eml"), ino, Kind::File);
            let ino = Ino(ino.0 | 1 << u32::BITS);
            let beside = format!("{stem}{}", name::ATTACHMENTS_SUFFIX);
            directory.add(&beside, ino, Kind::Directory);
        }
        directory.finish()
    }

    /// Stems of which some come twice, in two cases or with a suffix that others get.
    fn stems(count: u32) -> Vec<String> {
        let stem = |number: u32| match number % 7 {
            0 => format!("Straße {}", number % 5),
            1 => format!("STRASSE {}", number % 3),
            2 => format!("strasse 2 ~{:x}", number + 6),
            3 => String::from("会議"),
            _ => format!("2024-05-01 0932 Report {}", number / 2),
        };
        (0..count).map(stem).collect()
    }

    #[test]
    fn a_packed_listing_has_the_entries_that_it_has_as_text() {
        const ITEMS: u32 = 3_000;
        let text = filled(Directory::new(Ino::ROOT), &stems(ITEMS));
        let packed = filled(Directory::packing(Ino::ROOT, PAGE), &stems(ITEMS));
        assert!(text.packed.is_none() && packed.packed_len() > text.len() - PAGE);
        assert_eq!(text.len(), 2 * ITEMS as usize);
        assert_eq!(text.len(), packed.len());
        assert!(text.entries().eq(packed.entries()));
        assert_eq!(packed.entry(packed.len()), None);
        for (number, entry) in text.entries().enumerate() {
            assert_eq!(text.position_of(entry.ino), Some(number));
            assert_eq!(packed.position_of(entry.ino), Some(number));
            assert_eq!(packed.find(&entry.name).as_ref(), Some(&entry));
            let name = packed.name_of(entry.ino);
            assert_eq!(name.as_deref(), Some(&*entry.name));
            let upper = entry.name.to_uppercase();
            assert_eq!(packed.find(&upper), text.find(&upper));
            assert_eq!(packed.find_like(&upper), Some(entry));
        }
        assert!(packed.find("Straße 9.eml").is_none() && !packed.has("Straße 9.eml"));
        assert_eq!(packed.name_of(Ino(u64::from(ITEMS) + 1)), None);
    }

    #[test]
    fn a_subject_that_imitates_a_suffix_still_gets_a_name_of_its_own() {
        let mut directory = Directory::new(Ino::ROOT);
        for (nid, stem) in [(0x10, "a"), (0x18, "a ~20"), (0x20, "A")] {
            let stem = directory.free_stem(stem, &[".eml"], nid);
            directory.add(&format!("{stem}.eml"), Ino(u64::from(nid)), Kind::File);
        }
        let names: Vec<_> = directory.entries().map(|entry| entry.name).collect();
        assert_eq!(names, ["a.eml", "a ~20.eml", "A ~20~2.eml"]);
    }

    #[test]
    fn an_item_needs_all_of_its_names_free() {
        let mut directory = Directory::new(Ino::ROOT);
        directory.add("x.attachments", Ino(2), Kind::Directory);
        assert_eq!(directory.free_stem("x", &[".eml"], 0x20), "x");
        assert_eq!(
            directory.free_stem("x", &[".eml", name::ATTACHMENTS_SUFFIX], 0x20),
            "x ~20"
        );
    }
}
