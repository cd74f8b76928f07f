//! Writes a Unicode PST: folders, messages, recipients and attachments of any source, property by property and not through
//! MIME. docs/PST-OUT.md tells what is carried over, changed and left out.
//!
//! Beside `export`: uses `tree` for what is there, and the layers below for what is read. From the bottom up: `layout` and
//! `output` (pages, blocks, maps), `trees`, `blocks` (data trees, subnodes), `heap`, `bth`, `context` and `table` (with
//! `templates`), `empty`, `names`,
//! `value` and `changes`, `copier`, `recipients`, `attachments` and `item`, `plan`, `folders`, `store`, `write`, `verify`.
#![forbid(unsafe_code)]

mod attachments;
mod blocks;
mod bth;
mod changes;
mod context;
mod copier;
mod digest;
mod empty;
mod export;
mod failed;
mod folders;
mod heap;
mod item;
mod key;
mod layout;
mod names;
mod output;
mod plan;
mod recipients;
mod store;
mod table;
mod templates;
mod trees;
mod value;
mod verify;
mod write;
mod written;

pub use export::Export;
pub use failed::Failed;
pub use verify::{Verify, verify};
pub use written::{FolderTotal, Written};
