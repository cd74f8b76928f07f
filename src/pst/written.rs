//! What was written, and who is told of what was not.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::part::Whole;
use crate::export::Progress;
use crate::ndb::NodeId;
use crate::tree::{Forest, Ino};

/// An item of the new file, to be compared with what is read back.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) nid: NodeId,
    pub(super) digest: Digest,
}

/// A file that was written.
#[derive(Debug)]
pub struct Written {
    /// What comes after it, and what was done.
    pub whole: Whole,
    pub(super) items: Vec<Item>,
}

/// Called with what goes wrong, or is not whole: where, and why.
pub type Problematics<'a> = dyn Fn(&str, &str) + 'a;

/// Who looks on.
pub(super) struct Watch<'a> {
    pub(super) progress: &'a Progress,
    pub(super) problematic: &'a Problematics<'a>,
}

impl Watch<'_> {
    pub(super) fn fail(&self, place: &str, reason: &str) {
        self.progress.failed.fetch_add(1, Ordering::Relaxed);
        (self.problematic)(place, reason);
    }

    /// Tells that what was copied of `ino` is not whole.
    pub(super) fn not_whole(&self, forest: &Forest, ino: Ino) {
        if let Some(line) = forest.not_whole_at(ino) {
            (self.problematic)(&line.object, &line.text);
        }
    }
}
