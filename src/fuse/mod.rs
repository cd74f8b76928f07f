//! The mount: kernel requests to the tree, errors to `errno`, and the life of a session.
//!
//! The only place that knows `fuser`; uses `tree` and `error`. The kernel's side is described in Linux'
//! Documentation/filesystems/fuse and in fuse(4); mount tables in proc_pid_mountinfo(5).
mod activity;
mod adapter;
mod ahead;
mod behaviour;
mod errno;
mod error;
mod mountpoint;
mod options;
mod ownership;
mod panics;
pub(crate) mod process;
mod session;

pub use error::{MountError, UnmountError};
pub use mountpoint::{Ended, Made, Mounted, Mountpoint, resolve, unmount};
pub use options::{Access, Options};
pub use session::{Ender, Session};
