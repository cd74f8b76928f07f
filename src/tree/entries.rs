//! Entries of a directory in the order in which they were added: their names in one piece of memory.

use std::borrow::Cow;

use super::ino::{Ino, Kind};

/// One entry of a [`Directory`](super::Directory).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Name, valid UTF-8, never "." or "..", at most 255 bytes, without '/' and NUL.
    pub name: Cow<'a, str>,
    /// Inode number.
    pub ino: Ino,
    /// Kind.
    pub kind: Kind,
}

impl Entry<'_> {
    /// The entry with a name of its own.
    pub(super) fn into_owned(self) -> Entry<'static> {
        Entry {
            name: Cow::Owned(self.name.into_owned()),
            ino: self.ino,
            kind: self.kind,
        }
    }
}

/// Entries, by number.
#[derive(Debug, Default)]
pub(super) struct Entries {
    names: String,
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Where the name ends in `names`; it starts where the one before ends.
    end: u32,
    kind: Kind,
    ino: Ino,
}

impl Entries {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Bytes of memory that they take.
    pub fn weight(&self) -> usize {
        self.names.capacity() + self.slots.capacity() * size_of::<Slot>()
    }

    /// Entry number `index`, or None past the end.
    pub fn get(&self, index: usize) -> Option<Entry<'_>> {
        let slot = self.slots.get(index)?;
        Some(Entry {
            name: Cow::Borrowed(self.name(index)),
            ino: slot.ino,
            kind: slot.kind,
        })
    }

    /// All in order.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// The name of entry number `index`; nothing past the end.
    pub fn name(&self, index: usize) -> &str {
        let start = index
            .checked_sub(1)
            .and_then(|before| self.slots.get(before))
            .map_or(0, |slot| slot.end as usize);
        let end = self
            .slots
            .get(index)
            .map_or(start, |slot| slot.end as usize);
        self.names.get(start..end).unwrap_or_default()
    }

    /// Adds an entry; returns its number. None if there are more than 4 GiB of names.
    pub fn push(&mut self, name: &str, ino: Ino, kind: Kind) -> Option<u32> {
        let end = u32::try_from(self.names.len() + name.len()).ok()?;
        let index = u32::try_from(self.slots.len()).ok()?;
        self.names.push_str(name);
        self.slots.push(Slot { end, kind, ino });
        Some(index)
    }

    /// Gives back memory that was held in reserve.
    pub fn shrink(&mut self) {
        self.names.shrink_to_fit();
        self.slots.shrink_to_fit();
    }
}
