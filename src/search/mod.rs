//! Finds items by what they say and by what is known of them: a query over the tree, as fast as the file allows.
//!
//! Uses `tree`, and of `export` the filter of folders. What the rows of contents tables tell decides first; only an item that
//! they leave open is opened, and looked into no further than it takes.
//!
//! From the bottom up, and no file uses one of a later row:
//! * `fold`, `span`; `pattern`, `text`;
//! * `query`, what is looked for, and how an answer is found; `field`, `parse`, how it is typed;
//! * `attached/`, the text of attached files;
//! * `listed`, what a row tells; `opened`, what an item tells;
//! * `turns` and `names`; `run`, which walks the tree.
#![forbid(unsafe_code)]

mod attached;
mod field;
mod fold;
mod listed;
mod names;
mod opened;
mod parse;
mod pattern;
mod query;
mod run;
mod span;
mod text;
mod turns;

pub use attached::Reason;
pub use query::{Condition, Query};
pub use run::{Found, Missed, Search};
pub use text::Line;
