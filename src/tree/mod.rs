//! The read-only tree: directories, names, attributes and `read_at`, as a plain library.
//!
//! Uses `convert` and `messaging`; knows nothing of FUSE. The mount, `export` and the tests all use it.
//! Listings, renditions, lists of attachments and times of messages live in caches bounded in bytes; of everything else
//! only the sizes of messages and the times of folders are kept for the life of the tree.
//!
//! From the bottom up, and no file uses one of a later row:
//! * `ino`, `object`, `inodes`, `attr`, `name`, `folding`, `source_names`, `template`, `entries`, `packed`, `replaced`,
//!   `directory`, `listing`, `options`, `gathering`, `problem_log`, `watch`, `known`;
//! * `context`, which is handed to all that follow;
//! * `hidden`, `folders`; `messages`; `conversations`; `lost_found`;
//! * `layout/`, which decides about directories and names;
//! * `files/`, what each file is made of; `directories`, what lists them; `info`, `summary`, `xattr`; `gathered/`,
//!   directories of links to them;
//! * `view`, which puts them together over one store; `deleted`, which makes one of what was deleted;
//! * `router`, which knows which of these two has an inode;
//! * [`Tree`], a file; [`Forest`], several; `path`, where something is; `folder_walk`, the way through all folders;
//!   `gatherers`, what of several files has links.
#![forbid(unsafe_code)]

mod attr;
mod context;
mod conversations;
mod deleted;
mod directories;
mod directory;
mod entries;
mod files;
mod folder_walk;
mod folders;
mod folding;
mod forest;
mod gathered;
mod gatherers;
mod gathering;
mod hidden;
mod info;
mod ino;
mod inodes;
mod known;
mod layout;
mod listing;
mod lost_found;
mod messages;
mod name;
mod object;
mod options;
mod packed;
mod path;
mod problem_log;
mod replaced;
mod router;
mod size_cache;
mod source_names;
mod summary;
mod template;
#[expect(
    clippy::module_inception,
    reason = "a type lives in the file of its name"
)]
mod tree;
mod view;
mod watch;
mod xattr;

pub use crate::ndb::{Damaged, Depth};
pub use attr::{Attr, Statistics};
pub use directory::Directory;
pub use entries::Entry;
pub use folder_walk::{FolderWalk, Visited};
pub use folding::{folded, is_one_name};
pub use forest::{Finder, Forest};
pub use gathered::Finds;
pub use info::{FolderInfo, Info};
pub use ino::{Ino, Kind};
pub use listing::Listing;
pub use options::{Attachments, Layout, Options};
pub use path::{MAX_DEPTH, join};
pub use problem_log::{Listener, ProblemLine};
pub use size_cache::SizeCache;
pub use summary::{Details, Part, People, Summary};
pub use template::{Template, TemplateError};
pub use tree::Tree;
pub use watch::Progress;
pub use xattr::{PREFIX as XATTR_PREFIX, Xattr};
