//! What was written, and who is told of what was not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::digest::Digest;
use crate::export::Progress;
use crate::ndb::NodeId;

/// What became of the items of a folder. Hidden ones, and items that a filter passes over, are in none of the figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FolderTotal {
    /// Items that are there.
    pub found: u64,
    /// Those that were copied.
    pub written: u64,
    /// Those that could not be.
    pub failed: u64,
}

/// An item of the new file, to be compared with what is read back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) nid: NodeId,
    pub(super) digest: Digest,
}

/// What has been written.
#[derive(Debug)]
pub struct Written {
    /// Figures by path of the folder.
    pub totals: BTreeMap<String, FolderTotal>,
    /// Problems with items that were copied all the same.
    pub problems: u64,
    pub(super) items: Vec<Item>,
}

/// Called with what goes wrong: where, and why.
pub type Failures<'a> = dyn Fn(&str, &str) + 'a;

/// Who looks on.
pub(super) struct Watch<'a> {
    pub(super) progress: &'a Progress,
    pub(super) failed: &'a Failures<'a>,
    pub(super) problems: AtomicU64,
}

impl Watch<'_> {
    pub(super) fn fail(&self, place: &str, reason: &str) {
        self.progress.failed.fetch_add(1, Ordering::Relaxed);
        (self.failed)(place, reason);
    }
}
