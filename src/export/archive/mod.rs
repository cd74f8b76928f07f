//! Files one after the other in one stream, or in few files: what a folder of files is packed into.
//!
//! [`Archive`] is what each of them does; `tar`, `zip` and `mbox` are they. None of them seeks, and none keeps the content
//! of a file. The walk, the filters and the order of files are those of any export.

mod entries;
mod mbox;
mod quoting;
mod tar;
mod zip;

pub use entries::{Archive, File};
pub use mbox::{Mbox, Mboxes};
pub use tar::Tar;
pub use zip::Zip;
