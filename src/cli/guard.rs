//! A child process that unmounts: when the mount asks for it, and when the mount was killed.
//!
//! The mount gives up the right to unmount (see `sandbox`), and a dead mount point is in everyone's way. The guard reads
//! commands from a pipe whose other end only the mount has; the bare end of the pipe means that the mount was killed.
//! It is this program run anew, so it has none of the mount's memory, nor its /dev/fuse, which would keep the mount
//! waiting for answers; and it has another name, so that `killall -9 ostfs` leaves it alone. It reads nothing else.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::anew;
use super::exit::Exit;
use super::report::Failure;
use crate::fuse::{Ended, Ender, Made, Mounted};
use crate::output::shown;

/// The name under which this program is the guard; its arguments are the mount point and, if that was made for the
/// mount, what distinguishes it from other directories.
pub(super) const NAME: &str = "fuse-guard";

/// The running processes, and in the directory of each what it was started with. proc(5)
const PROCESSES: &str = "/proc";
const COMMAND_LINE: &str = "cmdline";
/// What it is, a line for each fact: proc_pid_status(5).
const STATUS: &str = "status";
/// The line with the process that has started it: of a guard, the mount.
const PARENT: &str = "PPid:";
/// How long another process waits for a guard to leave, and how long between two looks. A guard leaves in milliseconds, under a
/// heavy load in seconds.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(2);

/// Command: unmount, and answer with a line that is empty if the mount is gone, else for the log.
const UNMOUNT: u8 = b'u';
/// Command: unmount unless it is in use, and answer with a line that is empty if the mount is gone.
const UNMOUNT_IF_UNUSED: u8 = b'i';
/// Command: all is well, leave.
const DISMISS: u8 = b'.';
/// Command: leave, and leave the directory there too.
const KEEP: u8 = b'k';

/// The mount's ends of the pipes.
#[derive(Debug)]
pub(super) struct Guard {
    commands: ChildStdin,
    answers: Mutex<BufReader<ChildStdout>>,
    /// What the log does not show.
    redacted: Option<String>,
}

impl Guard {
    /// Starts a guard of the mount `mounted`, whose mount point was `made` for it or not.
    /// With `redact` the log does not name the mount point.
    pub(super) fn start(mounted: &Mounted, made: Option<Made>, redact: bool) -> io::Result<Self> {
        let mut child = anew::command(NAME)?
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
            redacted: redact.then(|| shown(mounted.path()).to_string()),
        })
    }

    /// `text` as the log may show it.
    pub(super) fn loggable(&self, text: &str) -> String {
        match &self.redacted {
            Some(name) => text.replace(name, "the mount point"),
            None => text.to_owned(),
        }
    }

    /// The answer to a command; empty if the mount is gone.
    fn ask(&self, command: u8) -> io::Result<String> {
        let mut answer = String::new();
        let mut answers = self.answers.lock();
        (&self.commands).write_all(&[command])?;
        match answers.read_line(&mut answer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(answer.trim_end().to_owned()),
        }
    }

    /// Ends the mount; returns when the guard has left, and has removed a mount point that was made for it.
    pub(super) fn give_up(&self) {
        self.unmount();
        self.leave();
    }

    /// Sends the guard away; returns when it has removed a directory that was made and is empty.
    fn leave(&self) {
        self.dismiss();
        // Nothing comes but the end.
        self.answers.lock().read_line(&mut String::new()).ok();
    }

    /// The mount has ended in good order: the guard may leave.
    pub(super) fn dismiss(&self) {
        // It can only have left already.
        (&self.commands).write_all(&[DISMISS]).ok();
    }
}

/// The guards of a mount point, as another process sees them.
#[derive(Debug)]
pub(super) struct Guards {
    mountpoint: PathBuf,
    /// Their directories in /proc.
    processes: Vec<PathBuf>,
}

impl Guards {
    /// Those of the mounts at `mountpoint`, which is resolved. None where processes of others are hidden.
    pub(super) fn of(mountpoint: &Path) -> Self {
        let processes = fs::read_dir(PROCESSES).into_iter().flatten().flatten();
        let mut guards = Self {
            mountpoint: mountpoint.to_path_buf(),
            processes: processes.map(|process| process.path()).collect(),
        };
        guards.forget_those_that_left();
        guards
    }

    /// Waits until that of the mount that was ended has left, and a mount point that was made is gone with it; the process of the mount
    /// if it has not. One of a mount that was detached earlier, and is still in use, stays.
    pub(super) fn wait_for_one(mut self) -> Option<String> {
        let begun = Instant::now();
        let before = self.processes.len();
        let is_waiting = |guards: &Self| before > 0 && guards.processes.len() == before;
        while is_waiting(&self) && begun.elapsed() < PATIENCE {
            thread::sleep(PAUSE);
            self.forget_those_that_left();
        }
        let guard = is_waiting(&self).then(|| self.processes.pop())??;
        let status = fs::read_to_string(guard.join(STATUS)).ok()?;
        let parent = status.lines().find_map(|line| line.strip_prefix(PARENT))?;
        Some(parent.trim().to_owned())
    }

    fn forget_those_that_left(&mut self) {
        let Self {
            mountpoint,
            processes,
        } = self;
        processes.retain(|process| {
            let line = fs::read(process.join(COMMAND_LINE)).unwrap_or_default();
            let mut arguments = line.split(|byte| *byte == 0);
            arguments.next() == Some(NAME.as_bytes())
                && arguments.next() == Some(mountpoint.as_os_str().as_bytes())
        });
    }
}

/// Removes the directory that was made for an export if nothing comes of it: in the sandbox the export itself cannot,
/// as that takes a right to the directory above.
#[derive(Debug)]
pub(super) struct Sweeper(Option<Guard>);

impl Sweeper {
    /// Waits for the end of an export into `directory`, for which that was `made` or not.
    pub(super) fn start(directory: &Path, made: Option<Made>) -> io::Result<Self> {
        let guard = made.map(|made| {
            let path = fs::canonicalize(directory)?;
            Guard::start(&Mounted::at(path), Some(made), false)
        });
        Ok(Self(guard.transpose()?))
    }

    /// The directory stays, even empty.
    pub(super) fn keep(mut self) {
        if let Some(guard) = self.0.take() {
            // It can only have left already.
            (&guard.commands).write_all(&[KEEP]).ok();
        }
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(guard) = &self.0 {
            guard.leave();
        }
    }
}

impl Ender for Guard {
    fn unmount(&self) {
        match self.ask(UNMOUNT) {
            Ok(answer) if answer.is_empty() => {}
            Ok(answer) => log::warn!("{}", self.loggable(&answer)),
            Err(_) => log::error!("the guard process is gone; unmount with: ostfs unmount --lazy"),
        }
    }

    fn unmount_if_unused(&self) -> bool {
        let answer = self.ask(UNMOUNT_IF_UNUSED);
        answer.is_ok_and(|answer| answer.is_empty())
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
    while ![[DISMISS], [KEEP]].contains(&command) && io::stdin().read_exact(&mut command).is_ok() {
        match command {
            [UNMOUNT] => answer(&unmount(&mounted)),
            [UNMOUNT_IF_UNUSED] => answer(match mounted.end_if_unused() {
                Ok(true) => "",
                Ok(false) | Err(_) => "in use",
            }),
            _ => None,
        };
    }
    if command == [KEEP] {
        return Ok(());
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
            shown(mounted.path())
        ),
        Err(error) => format!("{error}; a second signal ends ostfs at once"),
    }
}
