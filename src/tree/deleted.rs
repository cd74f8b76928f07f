//! `lost+found/deleted`: what was deleted and still lies in the file, under the path of the folder that it belonged to. A
//! tree of its own over the same file with the nodes and blocks that are gone from the live one; made on first access,
//! since it takes a scan of the whole file.

use std::sync::Arc;

use super::ino::{Ino, Inodes, Kind, Object, Special};
use super::lost_found::LostFound;
use super::{Attr, Options, Times, Tree};
use crate::ndb::NodeId;
use crate::salvage;

/// What was deleted gets one part of so many of all caches.
pub(super) const CACHE_SHARE: u64 = 8;
/// Its name in `lost+found`.
pub(super) const DELETED: &str = "deleted";

impl Tree {
    /// The tree that `ino` belongs to if that is what was deleted; None for all that is live, and while nobody has
    /// asked for what was deleted.
    pub(super) fn deleted_of(&self, ino: Ino) -> Option<&Tree> {
        let is_theirs = ino.is_deleted() && self.options.deleted;
        is_theirs.then(|| &**self.deleted.get_or_init(|| Box::new(self.find_deleted())))
    }

    /// Attributes of `lost+found/deleted`, which do not tell what is in it: nothing is looked for yet.
    pub(super) fn deleted_attr(&self) -> Attr {
        let Times {
            mtime,
            ctime,
            btime,
        } = Times::all(self.source_time);
        Attr {
            ino: Ino::DELETED,
            kind: Kind::Directory,
            size: 0,
            nlink: 1,
            mtime,
            ctime,
            btime,
            changing: false,
        }
    }

    /// The directory that has `lost+found`; of what was deleted, `lost+found` itself.
    pub(super) fn above_lost_found(&self) -> Ino {
        match self.inodes.is_of_deleted() {
            true => Inodes::default().number(&Object::Special(Special::LostFound)),
            false => Ino::ROOT,
        }
    }

    /// In the tree of what was deleted, the directory that has message `nid`.
    pub(super) fn place_of_deleted(&self, nid: NodeId) -> Ino {
        let parent = self.parent_of(nid);
        let known = parent.filter(|parent| self.is_below_root(*parent));
        self.lost_ino(known.unwrap_or(self.root))
    }

    fn find_deleted(&self) -> Tree {
        let cache = self.options.cache / (CACHE_SHARE - 1);
        let salvage::Deleted { store, items } =
            salvage::deleted(&self.store, cache / 2, &*self.watch);
        let options = Options {
            cache,
            deleted: false,
            ..self.options.clone()
        };
        let mut tree = Tree::of_store(store, self.root, options, Arc::clone(&self.watch));
        tree.inodes = Inodes::of_deleted();
        let mut lost = LostFound::default();
        for item in &items {
            let at = tree.lost_place(&mut lost, true, item.parent);
            lost.messages.entry(at).or_default().push(item.nid);
        }
        let damaged = items.iter().filter(|item| !item.whole);
        tree.damaged.lock().extend(damaged.map(|item| item.nid));
        tree.lost_found = lost.into();
        tree
    }
}
