//! What became of the files of each folder: found is written and kept and failed, or something was lost.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// Figures of one folder, attachments included. Files that a filter passes over are in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FolderTotal {
    /// Items: messages, appointments, contacts and so on.
    pub items: u64,
    /// Files and links in all.
    pub found: u64,
    /// Of these, those that are there now.
    pub written: u64,
    /// Those that could not be read or written.
    pub failed: u64,
    /// Items that are in none of these figures: an OST left them on the server ([`Folder::on_server`](crate::messaging::Folder::on_server)).
    pub on_server: u64,
}

/// Figures of all folders by path.
#[derive(Debug, Default)]
pub struct Totals(Mutex<BTreeMap<Arc<str>, FolderTotal>>);

impl Totals {
    /// Adds to the figures of `folder`.
    pub(super) fn add(&self, folder: &Arc<str>, amount: FolderTotal) {
        let mut folders = self.0.lock();
        let total = folders.entry(Arc::clone(folder)).or_default();
        total.items += amount.items;
        total.found += amount.found;
        total.written += amount.written;
        total.failed += amount.failed;
        total.on_server += amount.on_server;
    }

    /// Whether there was nothing to export.
    pub fn is_empty(&self) -> bool {
        self.0.lock().values().all(|total| total.found == 0)
    }

    /// The folders that have files, or had some on the server, by path.
    pub fn folders(&self) -> Vec<(Arc<str>, FolderTotal)> {
        let folders = self.0.lock();
        folders
            .iter()
            .map(|(path, total)| (Arc::clone(path), *total))
            .collect()
    }
}
