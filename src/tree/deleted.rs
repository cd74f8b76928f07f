//! `lost+found/deleted`: what was deleted and still lies in the file, under the path of the folder that it belonged to. A
//! tree of its own over the same file with the nodes and blocks that are gone from the live one; made on first access,
//! since it takes a scan of the whole file.
//!
//! An item is shown if its properties open and its class is that of an item; what of it is overwritten is a problem of
//! it. It is not shown if it is a revision of a live message (`salvage/identity`: moves and changes leave
//! such), nor if a newer revision is shown. Its inode numbers have a bit of their own.

use std::sync::Arc;

use super::context::Context;
use super::inodes::Inodes;
use super::lost_found::Lost;
use super::options::Options;
use super::replaced::Replaced;
use super::view::View;
use super::watch::RecoveryWatch;
use crate::salvage;

/// What was deleted gets one part of so many of all caches.
pub(super) const CACHE_SHARE: u64 = 8;

/// Looks for what is deleted in the file of `live`.
pub(super) fn find(live: &Context, watch: &RecoveryWatch) -> View {
    let cache = live.options.cache / (CACHE_SHARE - 1);
    let salvage::Deleted { store, items } = salvage::deleted(&live.store, cache / 2, watch);
    let options = Options {
        cache,
        deleted: false,
        ..live.options.clone()
    };
    let inodes = Inodes::of_deleted();
    let problems = Arc::clone(&live.problems);
    let context = Context::new(store, live.root, options, inodes, problems);
    let mut lost = Lost::default();
    for item in &items {
        let at = lost.place(&context, true, item.parent);
        lost.messages.entry(at).or_default().push(item.nid);
    }
    let damaged = items.iter().filter(|item| !item.whole);
    let replaced = Replaced::known(damaged.map(|item| item.nid));
    View::new(context, replaced, Some(lost))
}
