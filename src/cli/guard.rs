//! A child process that outlives a killed mount by a moment and takes the dead mount point away.
//!
//! It waits on a pipe whose other end only the mount has: a byte means that all is well, the bare end that the
//! process was killed. It is this program run anew, so it has none of the mount's memory, nor its /dev/fuse, which
//! would keep the mount waiting for answers; and it has another name, so that `killall -9 ostfs` leaves it alone.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::exit::Exit;
use super::report::Failure;
use crate::fuse;

/// The name under which this program is the guard; its only argument is the mount point.
pub(super) const NAME: &str = "fuse-guard";
/// This program, even if its file was moved or replaced.
const PROGRAM: &str = "/proc/self/exe";

/// The mount's end of the pipe.
#[derive(Debug)]
pub(super) struct Guard(Option<ChildStdin>);

impl Guard {
    /// Starts a guard of `mountpoint`. Without one the mount works all the same.
    pub(super) fn start(mountpoint: &Path) -> Self {
        let child = Command::new(PROGRAM)
            .arg0(NAME)
            .arg(mountpoint)
            .env_remove("RUST_LOG")
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match child {
            Ok(child) => Self(child.stdin),
            Err(error) => {
                log::warn!("no guard against a dead mount point: {error}");
                Self(None)
            }
        }
    }

    /// The mount has ended in good order: the guard may leave.
    pub(super) fn dismiss(self) {
        if let Some(mut pipe) = self.0 {
            // It can only have left already.
            pipe.write_all(b".").ok();
        }
    }
}

/// Waits for the end of the mount at `mountpoint` and detaches it if it is dead.
pub(super) fn run(mountpoint: &OsStr) -> Result<(), Failure> {
    // What ends the mount, from a terminal or from systemd, must not end its guard first.
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))
            .map_err(|error| Failure::new(Exit::Failure, error.to_string()))?;
    }
    let mut farewell = Vec::new();
    io::stdin().read_to_end(&mut farewell).ok();
    let mountpoint = Path::new(mountpoint);
    if farewell.is_empty() && fuse::is_dead(mountpoint) {
        fuse::unmount(mountpoint, true)?;
    }
    Ok(())
}
