//! Writes a Unicode PST: folders, messages, recipients and attachments of any source, property by property and not through
//! MIME. docs/PST-OUT.md tells what is carried over, changed and left out.
//!
//! Beside `export`: uses `tree` for what is there, and the layers below for what is read. From the bottom up: `layout` and
//! `output` (pages, blocks, maps), `trees`, `blocks` (data trees, subnodes), `heap`, `bth`, `context` and `table` (with
//! `templates`), `empty`, `names`, `value` and `changes`, `copier`, `recipients`, `members`, `attachments` and `item`; `part`,
//! `begun` and `journal` (several files, and going on after a crash); `plan`, `folders`, `store`, `write`, `verify`, `room`.
#![forbid(unsafe_code)]

mod attachments;
mod begun;
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
mod journal;
mod key;
mod layout;
mod members;
mod names;
mod opened;
mod output;
mod part;
mod plan;
mod recipients;
mod room;
mod store;
mod stretch;
mod table;
mod templates;
mod trees;
mod value;
mod verify;
mod write;
mod written;

pub use export::Export;
pub use failed::Failed;
pub use journal::{Begin, Journal, Stage};
pub use part::{FolderTotal, Part, Tally, Whole};
pub use room::room;
pub use verify::{Verify, verify};
pub use written::Written;
