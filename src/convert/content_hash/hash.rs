//! What is made of the fields of an item: its hashes, and what tells two items apart.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::value::SHA256;

/// The name of the recipe.
pub const RECIPE: &str = "ostfs-1";
/// What is hashed before the fields of the hash of everything.
const ALL: &str = "ostfs-1 all";
/// Bytes of a hash.
const BYTES: usize = 16;

/// A hash that items with the same content share: the first 128 bits of SHA-256 over their fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; BYTES]);

impl ContentHash {
    /// The hash of `parts` in a row.
    pub(super) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        parts.into_iter().for_each(|part| hash.update(part));
        let mut bytes = [0; BYTES];
        for (to, from) in bytes.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        Self(bytes)
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Something of an item that is part of a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// `subject`; `property 0017` of what has no other name.
    pub name: String,
    /// SHA-256 of its value.
    pub value: [u8; SHA256],
    /// Whether it belongs to the content, rather than to the state of one copy: read, flagged, filed under a category.
    pub is_content: bool,
}

impl Field {
    /// The line that it becomes.
    pub fn line(&self) -> String {
        let hash = self.value.iter().map(|byte| format!("{byte:02x}"));
        format!("{} {}\n", self.name, hash.collect::<String>())
    }
}

/// The hashes of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashes {
    /// Of its content: of mail what was sent; of drafts, contacts, appointments and the like all that is stored of it.
    pub content: ContentHash,
    /// Of all that is stored of it, but for what a file keeps for itself.
    pub all: ContentHash,
    /// What stays the same while an item is changed: PidTagSearchKey, else PidTagInternetMessageId, else class, subject,
    /// sender and time.
    pub key: ContentHash,
    /// Whether something of it is missing or doubtful: then the hashes are those of what could be read.
    pub is_damaged: bool,
}

impl Hashes {
    /// Of an item of which nothing can be read.
    pub const UNREADABLE: Self = Self {
        content: ContentHash([0; BYTES]),
        all: ContentHash([0; BYTES]),
        key: ContentHash([0; BYTES]),
        is_damaged: true,
    };
}

/// All that goes into the hashes of one item.
#[derive(Debug, Clone)]
pub struct ItemFields {
    pub(super) fields: Vec<Field>,
    pub(super) key: ContentHash,
    pub(super) is_damaged: bool,
}

impl ItemFields {
    /// The hashes of these.
    pub fn hashes(&self) -> Hashes {
        let content = self.fields.iter().filter(|field| field.is_content);
        Hashes {
            content: hash_of(RECIPE, content),
            all: hash_of(ALL, self.fields.iter()),
            key: self.key,
            is_damaged: self.is_damaged,
        }
    }

    /// What the content hash is made of: the line of each field, without its end.
    pub fn content_lines(&self) -> impl Iterator<Item = String> {
        let content = self.fields.iter().filter(|field| field.is_content);
        content.map(|field| field.line().trim_end().to_owned())
    }

    /// The names of those that are other than in `other`, in their order, those that one of the two lacks among them.
    pub fn differences<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let is_in = |field: &Field, fields: &[Field]| fields.contains(field);
        let own = self.fields.iter().filter(|own| !is_in(own, &other.fields));
        let mut names: Vec<&str> = own.map(|field| field.name.as_str()).collect();
        for field in other.fields.iter().filter(|own| !is_in(own, &self.fields)) {
            if !names.contains(&field.name.as_str()) {
                names.push(&field.name);
            }
        }
        names
    }
}

/// The hash of `fields`, under the name of what it is a hash of.
fn hash_of<'a>(name: &str, fields: impl Iterator<Item = &'a Field>) -> ContentHash {
    let lines: Vec<String> = fields.map(Field::line).collect();
    let parts = [name, "\n"]
        .into_iter()
        .chain(lines.iter().map(String::as_str));
    ContentHash::of(parts.map(str::as_bytes))
}
