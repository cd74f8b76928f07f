//! What an item is, in 16 bytes: compared between what was read, and what was written and read back.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::value::Stored;
use crate::ltp::PropertyType;

/// Bytes kept of each hash: enough that no two are the same by chance.
const KEPT: usize = 16;

/// The hash of properties, values or items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest([u8; KEPT]);

/// A value that is hashed in parts.
#[derive(Default)]
pub(super) struct Hash(Sha256);

impl Hash {
    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// What it comes to.
    pub fn finish(self) -> Digest {
        let hash = self.0.finalize();
        let mut kept = [0; KEPT];
        for (to, from) in kept.iter_mut().zip(hash) {
            *to = from;
        }
        Digest(kept)
    }
}

impl Digest {
    /// Of one value.
    pub fn of_value(value: &Stored) -> Self {
        let mut hash = Hash::default();
        hash.update(&value.bytes);
        hash.finish().with_type(value.property_type)
    }

    /// The same bytes as a value of a type.
    pub fn with_type(self, property_type: PropertyType) -> Self {
        let mut all = Self::default();
        all.add(property_type.0, &self);
        all
    }

    /// Adds a part under a number.
    pub fn add(&mut self, number: u16, part: &Digest) {
        let mut hash = Hash::default();
        hash.update(&self.0);
        hash.update(&number.to_le_bytes());
        hash.update(&part.0);
        *self = hash.finish();
    }
}
