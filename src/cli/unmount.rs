//! `ostfs unmount MOUNTPOINT`.
#![forbid(unsafe_code)]

use super::arguments::UnmountArguments;
use super::report::Failure;
use crate::fuse;

/// Ends a mount of ours, or one that died; its process ends by itself.
pub(super) fn run(arguments: &UnmountArguments) -> Result<(), Failure> {
    Ok(fuse::unmount(&arguments.mountpoint, arguments.lazy)?)
}
