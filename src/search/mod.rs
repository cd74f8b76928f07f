//! Finds items by what they say and by what is known of them: a query over the tree, as fast as the file allows.
//!
//! Uses `tree`, and of `export` the filter of folders. What the rows of contents tables tell decides first; only an item that
//! they leave open is opened, and looked into no further than it takes.
//!
//! From the bottom up, and no file uses one of a later row:
//! * `fold`, `span`; `pattern`, `text`;
//! * `query`, what is looked for, and how an answer is found; `field`, `parse`, how it is typed;
//! * `attached/`, the text of attached files;
//! * `listed`, what a row tells; `message_text` and `opened`, what an item tells; `found`, what comes of it;
//! * `word_index`, the file that knows which words each item has;
//! * `turns` and `names`; `run`, which walks the tree; `indexing`, which makes that file; `finder`, which does so for a mount.
#![forbid(unsafe_code)]

mod attached;
mod field;
mod finder;
mod fold;
mod found;
mod indexing;
mod listed;
mod message_text;
mod names;
mod opened;
mod parse;
mod pattern;
mod query;
mod run;
mod span;
mod text;
mod turns;
mod word_index;

pub use attached::{MAX_PDF_TEXT, PdfReader, pdf_text};
pub use finder::Finder;
pub use found::{Found, Missed};
pub use indexing::Indexing;
pub use query::{Condition, Query};
pub use run::Search;
pub use text::Line;
pub use word_index::{RuledOut, WordIndex};
