//! Salvage, above messaging: messages that have lost their nodes are put together by their content, and what was deleted
//! and still lies in the file is found.
#![forbid(unsafe_code)]

mod contexts;
mod deleted;
mod identity;
mod readable;
mod references;
mod restore;
mod subnodes;

pub use deleted::{Deleted, DeletedItem, deleted};
pub use restore::restore;
