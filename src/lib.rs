//! Reads any Outlook data file (OST or PST, 1997 to today) and shows it as a read-only tree of files.
//!
//! Layers, each of which knows only those before it (ARCHITECTURE.md tells the whole story):
//! [`ndb`] (header, B-trees, blocks), [`ltp`] (heaps, properties, tables), [`messaging`] (folders, messages,
//! attachments), [`salvage`] (what has lost its nodes or was deleted), [`convert`] (an item as a file), [`tree`] (names,
//! attributes, `read_at`), and with the feature `cli`: `fuse` (the kernel), `cli` (the command line). [`error`], [`problem`] (what is wrong with
//! the file), `page_cache` and [`codepage`] serve all of them.
//!
//! Open a store and walk its folders (`examples/subjects.rs` prints the subjects of all of them):
//!
//! ```no_run
//! use std::sync::Arc;
//! use ostfs::{Folder, Store, tree};
//!
//! let ndb = ostfs::ndb::open("mail.pst".as_ref(), tree::Options::DEFAULT_CACHE)?;
//! let store = Arc::new(Store::open(ndb));
//! for subfolder in Folder::new(&store, store.ipm_subtree()).subfolders() {
//!     println!("{} messages", Folder::new(&store, subfolder.nid).contents().len());
//! }
//! # Ok::<(), ostfs::Error>(())
//! ```
//!
//! Read a message as the bytes of its file:
//!
//! ```no_run
//! # use std::sync::Arc;
//! # fn first_bytes(store: Arc<ostfs::Store>, nid: ostfs::ndb::NodeId) -> Result<(), ostfs::Error> {
//! let message = ostfs::Message::open(&store, nid)?;
//! let converter = ostfs::convert::Converter::new(store, ostfs::convert::Options::default());
//! let file = converter.render(&message);
//! let mut bytes = vec![0; 4096];
//! let length = file.read_at(0, &mut bytes)?;
//! bytes.truncate(length);
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]
#![deny(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod bytes;
pub mod cache;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
mod clock;
pub mod codepage;
pub mod convert;
pub mod error;
pub mod export;
#[cfg(feature = "cli")]
pub mod fuse;
pub mod ltp;
pub mod messaging;
pub mod ndb;
mod output;
mod page_cache;
pub mod problem;
pub mod pst;
#[cfg(feature = "cli")]
mod rename;
pub mod salvage;
#[cfg(feature = "cli")]
pub mod sandbox;
pub mod tree;

pub use convert::Rendition;
pub use error::Error;
pub use messaging::{Attachment, Folder, Message, Store};
pub use tree::Tree;
