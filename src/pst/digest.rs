//! What an item is, in 16 bytes: compared between what was read, and what was written and read back.
//!
//! The two are alike unless the program is wrong, so the hash need not resist anyone who wants two items to have the same;
//! it has to be fast.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

use super::value::Stored;
use crate::ltp::PropertyType;
use crate::ndb::NodeId;

/// Bytes of a hash.
const BYTES: usize = 16;

/// The hash of properties, values or items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest([u8; BYTES]);

/// A value that is hashed in parts.
#[derive(Default)]
pub(super) struct Hash(XxHash3_128);

impl Hash {
    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// What it comes to.
    pub fn finish(self) -> Digest {
        Digest(self.0.finish_128().to_le_bytes())
    }
}

impl Digest {
    fn of(bytes: &[u8]) -> Self {
        Self(XxHash3_128::oneshot(bytes).to_le_bytes())
    }

    /// Of one value.
    pub fn of_value(value: &Stored) -> Self {
        Self::of(&value.bytes).with_type(value.property_type)
    }

    /// The same bytes as a value of a type.
    pub fn with_type(self, property_type: PropertyType) -> Self {
        let mut all = Self::default();
        all.add(property_type.0, &self);
        all
    }

    /// Of an item: its properties, all its recipients, all its attachments.
    pub fn of_item(properties: Self, recipients: &Self, attachments: &Self) -> Self {
        let mut all = properties;
        all.add(NodeId::RECIPIENT_TABLE.0 as u16, recipients);
        all.add(NodeId::ATTACHMENT_TABLE.0 as u16, attachments);
        all
    }

    /// Adds a part under a number.
    pub fn add(&mut self, number: u16, part: &Digest) {
        let mut all = [0; 2 * BYTES + size_of::<u16>()];
        let (own, rest) = all.split_at_mut(BYTES);
        let (other, behind) = rest.split_at_mut(BYTES);
        own.copy_from_slice(&self.0);
        other.copy_from_slice(&part.0);
        behind.copy_from_slice(&number.to_le_bytes());
        *self = Self::of(&all);
    }
}
