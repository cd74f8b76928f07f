//! The content hash of an item: what two copies of it have in common, in whatever file, and under whatever node, they lie.
//!
//! The recipe is named [`RECIPE`], and docs/CONTENT-HASH.md has it for other programs; a change of what is here is a new
//! recipe with a new name. It is made of fields of the item, never of bytes that hold numbers of nodes, entry ids or what was
//! made up. Attachments are read as streams.
//!
//! `value` has what is hashed of one value, `hash` what is made of all of them; `properties` and `attachments` are two of the
//! parts of an item, and `fields` puts all of them together.
#![forbid(unsafe_code)]

mod attachments;
mod fields;
mod hash;
mod properties;
mod value;

pub use hash::{ContentHash, Hashes, ItemFields, RECIPE};
