//! Salvage, above messaging: messages that have lost their nodes are put together by their content, and what was deleted
//! and still lies in the file is found.
#![forbid(unsafe_code)]

mod content;
mod contexts;
mod deleted;
mod fit;
mod identity;
mod leaves;
mod lost_lists;
mod open;
mod order;
mod readable;
mod references;
mod restore;
mod subnodes;
mod survey;

pub use deleted::{Deleted, deleted};
pub use open::{Opening, open};
