//! Writes the tree to disk, or into one stream: the same names, bytes and times that a mount shows, by several threads; and
//! lists it.
//!
//! Uses `tree` alone. One thread walks and makes directories, the others write files; a file that cannot be read
//! whole is left out and reported, never left short. What to take is decided in `filter`, `walk` has the order, `write` one
//! file, `manifest` the records and `columns` what they tell, `totals` the figures of each folder. Where files go is a
//! [`Target`]; of those that are a stream, `archive` has the forms and `stream` the order.
#![forbid(unsafe_code)]

mod archive;
mod columns;
mod describe;
mod filter;
mod hashes;
mod left_out;
mod load_file;
mod manifest;
mod pending;
mod problems;
mod progress;
mod record;
mod run;
mod stream;
mod target;
mod totals;
mod value;
mod walk;
mod write;

pub use archive::{Archive, File, Mbox, Mboxes, Tar, Zip};
pub use columns::COLUMNS;
pub use filter::Filter;
pub(crate) use filter::is_within;
pub use hashes::Algorithms;
pub use left_out::LeftOut;
pub use load_file::FIELDS;
pub use manifest::{Format, Manifest};
pub use problems::ProblemLines;
pub use progress::Progress;
pub use record::Record;
pub use run::{Export, Problematic};
pub use stream::Stream;
pub use target::{Target, free_name};
pub use totals::Totals;
pub use write::{FileKey, renew_root_time};
