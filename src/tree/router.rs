//! Which of the two trees over a file has an inode: the only place that knows that there are two.

use std::sync::{Arc, OnceLock};

use super::deleted;
use super::ino::Ino;
use super::view::View;
use super::watch::RecoveryWatch;

/// The live tree, and that of what was deleted, once somebody has asked for it.
#[derive(Debug)]
pub(super) struct Router {
    live: View,
    deleted: OnceLock<Box<View>>,
    watch: Arc<RecoveryWatch>,
}

impl Router {
    /// To `live`. `watch` reports how the search for what was deleted gets on.
    pub fn new(live: View, watch: Arc<RecoveryWatch>) -> Self {
        Self {
            live,
            deleted: OnceLock::new(),
            watch,
        }
    }

    /// The live tree.
    pub fn live(&self) -> &View {
        &self.live
    }

    /// The tree that has the entry `ino`. `lost+found/deleted` itself is one of the live tree, so nothing is looked for to
    /// tell its attributes.
    pub fn entry(&self, ino: Ino) -> &View {
        match ino {
            Ino::DELETED => &self.live,
            ino => self.directory(ino),
        }
    }

    /// The tree that lists the directory `ino`.
    pub fn directory(&self, ino: Ino) -> &View {
        if !ino.is_deleted() || !self.live.context().options.deleted {
            return &self.live;
        }
        let find = || Box::new(deleted::find(self.live.context(), &self.watch));
        self.deleted.get_or_init(find)
    }
}
