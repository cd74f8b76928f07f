//! How large messages say that they are, for who weighs them ([`repeats`](super::repeats)): layers above read it from the
//! tables of the folders.

use std::collections::HashMap;

use super::ids::NodeId;

/// What a message has beside its content: also those that declare nothing count.
const LEAST: u64 = 1 << 10;

/// Sizes in bytes that messages declare, believed as long as all of them together make sense.
#[derive(Debug)]
pub struct DeclaredSizes {
    sizes: HashMap<NodeId, u64>,
    /// Of smaller messages the size is not kept.
    least_kept: u64,
    /// What may still be declared; None when it was more.
    left: Option<u64>,
}

impl DeclaredSizes {
    /// None yet. All together may declare `most` bytes; sizes are kept from `least_kept` bytes on.
    pub(super) fn new(most: u64, least_kept: u64) -> Self {
        Self {
            sizes: HashMap::new(),
            least_kept,
            left: Some(most),
        }
    }

    /// `rows` messages are about to be added; false if all together are more than the file can have.
    pub fn has_room_for(&mut self, rows: u64) -> bool {
        let least = rows.saturating_mul(LEAST);
        if self.left.is_none_or(|left| left < least) {
            self.left = None;
        }
        self.left.is_some()
    }

    /// Adds the message `nid`, which declares `size` bytes; false if all together are more than the file can have.
    pub fn add(&mut self, nid: NodeId, size: u64) -> bool {
        let left = self.left.and_then(|left| left.checked_sub(size.max(LEAST)));
        self.left = left;
        if size >= self.least_kept {
            self.sizes.insert(nid, size);
        }
        left.is_some()
    }

    /// What `nid` declares, if that is believed.
    pub(super) fn of(&self, nid: NodeId) -> Option<u64> {
        self.left?;
        self.sizes.get(&nid).copied()
    }
}
