//! A child process that unmounts: when the mount asks for it, and when the mount was killed.
//!
//! The mount gives up the right to unmount (see `sandbox`), and a dead mount point is in everyone's way. The guard reads
//! commands from a pipe whose other end only the mount has; the bare end of the pipe means that the mount was killed.
//! It is this program run anew, so it has none of the mount's memory, nor its /dev/fuse, which would keep the mount
//! waiting for answers; and it has another name, so that `killall -9 ostfs` leaves it alone. It reads nothing else.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::exit::Exit;
use super::report::Failure;
use crate::fuse::{Ended, Made, Mounted};

/// The name under which this program is the guard; its arguments are the mount point and, if that was made for the
/// mount, what tells it from other directories.
pub(super) const NAME: &str = "fuse-guard";
/// This program, even if its file was moved or replaced.
const PROGRAM: &str = "/proc/self/exe";

/// Command: unmount, and answer with a line that is empty if the mount is gone, else for the log.
const UNMOUNT: u8 = b'u';
/// Command: all is well, leave.
const DISMISS: u8 = b'.';

/// The mount's ends of the pipes.
#[derive(Debug)]
pub(super) struct Guard {
    commands: ChildStdin,
    answers: Mutex<BufReader<ChildStdout>>,
}

impl Guard {
    /// Starts a guard of the mount `mounted`, whose mount point was `made` for it or not.
    pub(super) fn start(mounted: &Mounted, made: Option<Made>) -> io::Result<Self> {
        let mut child = Command::new(PROGRAM)
            .arg0(NAME)
            .arg(mounted.path())
            .args(made.map(|made| made.to_string()))
            .env_remove("RUST_LOG")
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (Some(commands), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut answers = BufReader::new(answers);
        // An empty line: from now on it knows which mount is ours, and signals do not end it.
        answers.read_line(&mut String::new())?;
        Ok(Self {
            commands,
            answers: Mutex::new(answers),
        })
    }

    /// Ends the mount, and logs what the user should know about that.
    pub(super) fn unmount(&self) {
        let mut answer = String::new();
        let asked = (&self.commands).write_all(&[UNMOUNT]);
        match asked.and_then(|()| self.answers.lock().read_line(&mut answer)) {
            Ok(1..) if answer.trim_end().is_empty() => {}
            Ok(1..) => log::warn!("{}", answer.trim_end()),
            _ => log::error!("the guard process is gone; unmount with: ostfs unmount --lazy"),
        }
    }

    /// The mount has ended in good order: the guard may leave.
    pub(super) fn dismiss(&self) {
        // It can only have left already.
        (&self.commands).write_all(&[DISMISS]).ok();
    }
}

/// Guards the mount of this process's parent; at its end, removes a mount point that was made for it.
pub(super) fn run(arguments: &[OsString]) -> Result<(), Failure> {
    let Some((mountpoint, made)) = arguments.split_first() else {
        return Err(Failure::new(Exit::Usage, "give a mount point"));
    };
    // What ends the mount, from a terminal or from systemd, must not end its guard first.
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))
            .map_err(|error| Failure::new(Exit::Failure, error.to_string()))?;
    }
    let mounted = Mounted::at(PathBuf::from(mountpoint));
    let answer = |line: &str| writeln!(io::stdout(), "{line}").ok();
    answer("");
    let mut command = [0];
    while command != [DISMISS] && io::stdin().read_exact(&mut command).is_ok() {
        if command == [UNMOUNT] {
            answer(&unmount(&mounted));
        }
    }
    if command != [DISMISS] {
        mounted.end_if_dead()?;
    }
    if let Some(made) = made.first().and_then(|made| Made::parse(made.to_str()?)) {
        made.remove(mounted.path());
    }
    Ok(())
}

/// Ends the mount; returns what the user should know.
fn unmount(mounted: &Mounted) -> String {
    match mounted.end() {
        Ok(Ended::Unmounted) => String::new(),
        Ok(Ended::Detached) => format!(
            "{} is still in use; it is detached and ends when the last program leaves it, or at once on a second signal",
            mounted.path().display()
        ),
        Err(error) => format!("{error}; a second signal ends ostfs at once"),
    }
}
