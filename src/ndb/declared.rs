//! How large messages say that they are, for who weighs them ([`repeats`](super::repeats)): layers above read it from the
//! tables of the folders.

use std::collections::HashMap;

use super::ids::NodeId;

/// What a message has beside its content: also those that declare nothing count.
const LEAST: u64 = 1 << 10;

/// Sizes in bytes that messages declare, believed as long as all of them together make sense.
#[derive(Debug)]
pub(super) struct DeclaredSizes {
    sizes: HashMap<NodeId, u64>,
    /// Of smaller messages the size is not kept.
    least_kept: u64,
    /// What all together declare.
    total: u64,
    /// What they may declare.
    most: u64,
}

impl DeclaredSizes {
    /// None yet. All together may declare `most` bytes; sizes are kept from `least_kept` bytes on.
    pub(super) fn new(most: u64, least_kept: u64) -> Self {
        Self {
            sizes: HashMap::new(),
            least_kept,
            total: 0,
            most,
        }
    }

    /// Adds the message `nid`, which declares `size` bytes.
    pub(super) fn add(&mut self, nid: NodeId, size: u64) {
        self.total = self.total.saturating_add(size.max(LEAST));
        if size >= self.least_kept && self.are_believed() {
            self.sizes.insert(nid, size);
        }
    }

    /// From now on all together may declare `most` bytes.
    pub(super) fn limit(&mut self, most: u64) {
        self.most = most;
        if !self.are_believed() {
            self.sizes = HashMap::new();
        }
    }

    /// Whether all together are no more than they may be.
    pub(super) fn are_believed(&self) -> bool {
        self.total <= self.most
    }

    /// What `nid` declares, if that is believed.
    pub(super) fn of(&self, nid: NodeId) -> Option<u64> {
        self.sizes
            .get(&nid)
            .copied()
            .filter(|_| self.are_believed())
    }
}
