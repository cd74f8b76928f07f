//! Layouts: which directories there are, which files an item gives and what they are called.
//!
//! [`rules::Rules`] is what a layout decides; `folders` and `maildir` are the layouts, `items` what they ask of an item.
//! Nothing else in the tree asks which layout it is.

mod folders;
pub(super) mod items;
mod maildir;
pub(super) mod rules;

use std::sync::Arc;

use super::lost_found::LostFound;
use super::options::Layout;
use items::Items;
use rules::Rules;

/// The rules of `layout` for these items.
pub(super) fn rules(layout: Layout, items: Items, lost_found: Arc<LostFound>) -> Arc<dyn Rules> {
    match layout {
        Layout::Folders => Arc::new(folders::Folders::new(items, lost_found)),
        Layout::Maildir => Arc::new(maildir::Maildir::new(items, lost_found)),
    }
}
