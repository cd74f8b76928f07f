//! This program run anew under another name: for what must not share a process with the rest.
//!
//! The process runs again from its beginning, with nothing but its name to tell it what it is for. Only a program that hands its own
//! arguments to [`run`](super::run) looks at that name. Any other, as one built upon the library or a test, would do over again
//! whatever it does, and its copies likewise, without end: it is refused.
#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

/// This program, even if its file was moved or replaced.
const PROGRAM: &str = "/proc/self/exe";

/// Whether the process looks at the name under which it was started.
static LOOKS_AT_ITS_NAME: AtomicBool = AtomicBool::new(false);

/// Notes whether `arguments`, which [`run`](super::run) was called with, are those of the process.
pub(super) fn look_at(arguments: &[OsString]) {
    let is_own = env::args_os().eq(arguments.iter().cloned());
    LOOKS_AT_ITS_NAME.store(is_own, Ordering::Relaxed);
}

/// This program under the name `name`, to be given arguments and started.
///
/// # Errors
///
/// `Unsupported` in a program that does not look at its name.
pub(super) fn command(name: &str) -> io::Result<Command> {
    if !LOOKS_AT_ITS_NAME.load(Ordering::Relaxed) {
        let reason =
            "only the program ostfs itself can start what this needs; use its command line";
        return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
    }
    let mut command = Command::new(PROGRAM);
    command.arg0(name);
    Ok(command)
}
