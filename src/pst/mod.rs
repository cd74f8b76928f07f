//! Writes a Unicode PST: folders, messages, recipients and attachments of any source, property by property and not through
//! MIME. docs/PST-OUT.md tells what is carried over, changed and left out.
//!
//! Beside `export`: uses `tree` for what is there, and the layers below for what is read.
//!
//! | files | what they do |
//! |---|---|
//! | `layout`, `stretch`, `trees`, `output` | pages, blocks, maps, the two B-trees: the file that grows |
//! | `blocks`, `heap`, `bth`, `digest`, `rtf`, `value`, `context`, `table` with `templates`, `empty` | data trees, subnodes, heaps; property contexts and tables, and hashes of them |
//! | `names`, `changes`, `copier`, `recipients`, `members`, `conversation`, `attachments`, `item` | an item, property by property |
//! | `key`, `part`, `begun`, `journal`, `written`, `failed`, `export` | several files; going on after a crash; what was done |
//! | `plan`, `opened`, `folders`, `store`, `write` | which folders there are, in which order all is written |
//! | `verify`, `room` | comparing what was written; how much room it takes |
#![forbid(unsafe_code)]

mod attachments;
mod begun;
mod blocks;
mod bth;
mod changes;
mod context;
mod conversation;
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
mod rtf;
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
