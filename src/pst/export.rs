//! What a new file is made of.

use crate::export::Filter;
use crate::tree::Forest;

/// What to copy.
pub struct Export<'a> {
    /// What is there.
    pub forest: &'a Forest,
    /// Which items are taken.
    pub filter: Filter,
    /// Name of the new store if the source has none.
    pub name: &'a str,
}
