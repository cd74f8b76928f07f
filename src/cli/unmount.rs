//! `ostfs unmount MOUNTPOINT`.
#![forbid(unsafe_code)]

use super::arguments::UnmountArguments;
use super::guard::Guards;
use super::report::{self, Failure};
use crate::fuse::{self, Ended};
use crate::output::shown;

/// Ends a mount of ours, or one that died. Its process ends by itself, a moment later: until then a mount point that was made
/// for it is there, and the next mount would take it for the user's own.
pub(super) fn run(arguments: &UnmountArguments) -> Result<(), Failure> {
    let mountpoint = fuse::resolve(&arguments.mountpoint);
    let guards = Guards::of(&mountpoint);
    let ended = fuse::unmount(&mountpoint, arguments.lazy)?;
    // One that is still in use lives on.
    if ended == Ended::Unmounted
        && let Some(process) = guards.wait_for_one()
    {
        report::note(format!(
            "unmounted; process {process} is still running, and removes {} when it ends if it made that",
            shown(&mountpoint)
        ));
    }
    Ok(())
}
