//! Items that are the same: within one file and across several, whatever node they have there.
//!
//! Uses the tree, the filter of `export` and the content hash of `convert`. `survey` reads all items, each once, by several
//! threads, and keeps some bytes of each; `duplicates` finds those that are there more than once, `difference` what sets two
//! files apart.
#![forbid(unsafe_code)]

mod difference;
mod duplicates;
mod survey;

pub use difference::{Counts, Difference, Differences};
pub use duplicates::{Duplicates, Scope};
