//! What a new file is made of.

use super::journal::Journal;
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
    /// Bytes that a file may have at most; what is more goes into further ones. A file with one item may be larger.
    pub most: Option<u64>,
    /// Where to write down how far it is.
    pub journal: &'a Journal,
}
