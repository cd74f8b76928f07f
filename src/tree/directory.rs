//! Listings: the names in one directory in a compact form, and the builder that keeps them unique.
//!
//! Names are made once per directory, by ascending node: the lowest keeps the plain name, later ones get ` ~` and their
//! node number. So they do not move when mail is added. Subfolders come first and are found without listing the
//! messages beside them.

use hashbrown::HashTable;

use super::ino::{Ino, Kind};
use super::{folding, name};

/// One entry of a [`Directory`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Name, valid UTF-8, never "." or "..", at most 255 bytes, without '/' and NUL.
    pub name: &'a str,
    /// Inode number.
    pub ino: Ino,
    /// Kind.
    pub kind: Kind,
}

/// The names in one directory, in a fixed order: folders, then items by node.
#[derive(Debug)]
pub struct Directory {
    parent: Ino,
    names: String,
    entries: Vec<Slot>,
    /// Entry numbers by their names, folded.
    by_name: HashTable<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Where the name ends in `names`; it starts where the one before ends.
    end: u32,
    kind: Kind,
    ino: Ino,
}

impl Directory {
    /// An empty directory below `parent`.
    pub fn new(parent: Ino) -> Self {
        Self {
            parent,
            names: String::new(),
            entries: Vec::new(),
            by_name: HashTable::new(),
        }
    }

    /// The directory that holds this one (the root's is the root).
    pub fn parent(&self) -> Ino {
        self.parent
    }

    /// Number of entries, without "." and "..".
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of memory that it takes.
    pub fn weight(&self) -> usize {
        self.names.capacity()
            + self.entries.capacity() * size_of::<Slot>()
            + self.by_name.capacity() * (size_of::<u32>() + 1)
    }

    /// Entry number `index`, or None past the end.
    pub fn entry(&self, index: usize) -> Option<Entry<'_>> {
        let slot = self.entries.get(index)?;
        Some(Entry {
            name: name_of(&self.names, &self.entries, index),
            ino: slot.ino,
            kind: slot.kind,
        })
    }

    /// All entries in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.len()).filter_map(|index| self.entry(index))
    }

    /// The entry with exactly this name.
    pub fn find(&self, name: &str) -> Option<Entry<'_>> {
        let found = self.by_name.find(hash_folded(name), |index| {
            name_of(&self.names, &self.entries, *index as usize) == name
        })?;
        self.entry(*found as usize)
    }

    /// The entry with this name, or else the first one whose name some file system takes for it.
    pub fn find_like(&self, name: &str) -> Option<Entry<'_>> {
        let like =
            |index: &u32| equal_folded(name, name_of(&self.names, &self.entries, *index as usize));
        self.find(name).or_else(|| {
            let found = self.by_name.find(hash_folded(name), like)?;
            self.entry(*found as usize)
        })
    }

    /// The name of the entry with this inode.
    pub(super) fn name_of(&self, ino: Ino) -> Option<String> {
        let found = self.entries().find(|entry| entry.ino == ino);
        found.map(|entry| entry.name.to_owned())
    }

    /// Whether an entry has a name that some file system takes for this one.
    pub(super) fn has(&self, name: &str) -> bool {
        let equal =
            |index: &u32| equal_folded(name, name_of(&self.names, &self.entries, *index as usize));
        self.by_name.find(hash_folded(name), equal).is_some()
    }

    /// Adds an entry whose name is not taken. More than 4 GiB of names cannot be listed; that many do not fit in a file.
    pub fn add(&mut self, name: &str, ino: Ino, kind: Kind) {
        let Ok(end) = u32::try_from(self.names.len() + name.len()) else {
            return;
        };
        let index = self.entries.len() as u32;
        self.names.push_str(name);
        self.entries.push(Slot { end, kind, ino });
        let (names, entries) = (&self.names, &self.entries);
        self.by_name
            .insert_unique(hash_folded(name), index, |index| {
                hash_folded(name_of(names, entries, *index as usize))
            });
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

    /// Gives back memory that the growing listing held in reserve.
    pub fn finish(mut self) -> Self {
        self.names.shrink_to_fit();
        self.entries.shrink_to_fit();
        self
    }
}

fn name_of<'a>(names: &'a str, entries: &[Slot], index: usize) -> &'a str {
    let start = index
        .checked_sub(1)
        .and_then(|before| entries.get(before))
        .map_or(0, |slot| slot.end as usize);
    let end = entries.get(index).map_or(start, |slot| slot.end as usize);
    names.get(start..end).unwrap_or_default()
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
        let names: Vec<&str> = directory.entries().map(|entry| entry.name).collect();
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

    #[test]
    fn a_subject_that_imitates_a_suffix_still_gets_a_name_of_its_own() {
        let mut directory = Directory::new(Ino::ROOT);
        for (nid, stem) in [(0x10, "a"), (0x18, "a ~20"), (0x20, "A")] {
            let stem = directory.free_stem(stem, &[".eml"], nid);
            directory.add(&format!("{stem}.eml"), Ino(u64::from(nid)), Kind::File);
        }
        let names: Vec<&str> = directory.entries().map(|entry| entry.name).collect();
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
