//! Reads any Outlook data file (OST or PST, 1997 to today), damaged ones too, and shows it as a read-only tree of files.
//!
//! * [`open`] gives a [`Store`]. It has [`Folder`]s, these have [`Message`]s, and these have [`Recipient`]s, [`Attachment`]s and
//!   [`Properties`]. All are lazy: nothing is read before it is asked for.
//! * [`Converter`] makes the file of a message: a [`Rendition`] of known length (MIME, iCalendar or vCard) that is read from
//!   any offset.
//! * [`Tree`] has directories, names, attributes and `read_at`: all that a file system needs. With the feature `cli` (on by
//!   default), the module `mount` shows it to the kernel.
//!
//! Every call may come from any thread. Offsets and lengths are in bytes. Text is UTF-8, whatever code page it is stored in;
//! times are [`FileTime`]s, in UTC. What cannot be read does not fail the rest: it is an [`Error`] of its own part, or a
//! [`Problem`] in the list that the part has.
//!
//! Turn the command line off with `default-features = false`: then nothing of the kernel interface is compiled.
//!
//! # Open a store and walk it
//!
//! ```
//! # mod mailbox { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doctest.rs")); }
//! # let mailbox = mailbox::sample();
//! # let path: &std::path::Path = &mailbox;
//! let store = ostfs::open(path)?;
//! let mut subjects = Vec::new();
//! let mut folders = vec![store.ipm_subtree()];
//! while let Some(nid) = folders.pop() {
//!     let folder = ostfs::Folder::new(&store, nid);
//!     for row in folder.contents().rows() {
//!         subjects.extend(row.subject.map(|subject| subject.text));
//!     }
//!     folders.extend(folder.subfolders().iter().map(|subfolder| subfolder.nid));
//! }
//! assert!(subjects.iter().any(|subject| subject == "Team lunch"));
//! # Ok::<(), ostfs::Error>(())
//! ```
//!
//! # Read a message as bytes
//!
//! ```
//! # mod mailbox { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doctest.rs")); }
//! # let mailbox = mailbox::sample();
//! # let path: &std::path::Path = &mailbox;
//! # let store = ostfs::open(path)?;
//! let folders = ostfs::Folder::new(&store, store.ipm_subtree()).subfolders();
//! let folders = folders.iter().map(|folder| ostfs::Folder::new(&store, folder.nid));
//! let mut rows = folders.flat_map(|folder| folder.contents().rows().collect::<Vec<_>>());
//! let first = rows.next().ok_or(ostfs::Error::NotFound)?;
//! let message = ostfs::Message::open(&store, first.nid)?;
//! let converter = ostfs::Converter::new(store, ostfs::convert::Options::default());
//! let file = converter.render(&message);
//! let mut bytes = vec![0; file.len() as usize];
//! let length = file.read_at(0, &mut bytes)?;
//! assert_eq!(length as u64, file.len());
//! assert!(String::from_utf8_lossy(&bytes).contains("\nSubject: "));
//! # Ok::<(), ostfs::Error>(())
//! ```
//!
//! # Show it as files
//!
//! ```
//! # mod mailbox { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/doctest.rs")); }
//! # let mailbox = mailbox::sample();
//! # let path: &std::path::Path = &mailbox;
//! use ostfs::tree::{Ino, Options, Tree};
//!
//! let tree = Tree::open(path, &Options::default())?;
//! if let Some(inbox) = tree.lookup(Ino::ROOT, "Inbox".as_ref())? {
//!     for entry in tree.directory(inbox)?.entries() {
//!         println!("{} {}", entry.name, tree.attr(entry.ino)?.size);
//!     }
//! }
//! # Ok::<(), ostfs::Error>(())
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

mod bytes;
mod cache;
#[doc(hidden)]
pub mod check;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod clock;
#[doc(hidden)]
pub mod codepage;
#[cfg(feature = "cli")]
mod compare;
pub mod convert;
mod error;
#[cfg(feature = "cli")]
mod export;
#[cfg(feature = "cli")]
mod fuse;
#[doc(hidden)]
pub mod ltp;
#[doc(hidden)]
pub mod messaging;
#[doc(hidden)]
pub mod ndb;
mod output;
mod page_cache;
mod problem;
#[cfg(feature = "cli")]
mod pst;
mod salvage;
#[cfg(feature = "cli")]
mod sandbox;
#[cfg(feature = "cli")]
mod search;
pub mod tree;

pub use convert::{Converter, Rendition};
pub use error::{Corrupt, Error, Result};
pub use ltp::{FileTime, PropertyStream, PropertyType, Value, tags};
pub use messaging::{
    AttachMethod, Attachment, AttachmentData, ContentsRow, ContentsTable, Folder, ItemKind,
    Message, MessageClass, Properties, PropertyName, PropertySet, Recipient, RecipientType, Store,
    Subfolder, Subject,
};
pub use ndb::{Damaged, NodeId, Recover};
pub use problem::{Problem, Problems};
pub use salvage::open;
pub use tree::Tree;

/// The tree as a mount of Linux: needs `/dev/fuse`, and the right to mount.
///
/// ```no_run
/// use std::path::PathBuf;
/// use std::sync::Arc;
/// use ostfs::mount::{Mountpoint, Options, Session};
/// use ostfs::tree::{self, Forest, Tree};
///
/// let files = [PathBuf::from("mail.pst")];
/// let tree = Tree::open(&files[0], &tree::Options::default())?;
/// let forest = Forest::new(vec![(&files[0], tree)]).ok_or("too many files")?;
/// let mut mountpoint = Mountpoint::check("/mnt/mail".as_ref(), false, true)?;
/// mountpoint.make()?;
/// let session = Session::mount(&files, &mountpoint, &Options::default())?;
/// // Answers requests until somebody unmounts it, or SIGINT or SIGTERM comes.
/// let ender = Arc::new(session.mounted().clone());
/// session.serve(forest, ender)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "cli")]
pub mod mount {
    pub use crate::fuse::{
        Access, Ended, Ender, MountError, Mounted, Mountpoint, Options, Session, UnmountError,
        unmount,
    };
}
