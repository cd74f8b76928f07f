//! What a failed command prints: the one place of the command line that prints.
#![forbid(unsafe_code)]

use std::fmt::Display;
use std::io::{self, BufWriter, Stdout, Write};
use std::path::Path;

use super::exit::Exit;
use super::space;
use crate::error::Error;
use crate::fuse::{MountError, UnmountError, process};
pub(super) use crate::output::printable;
use crate::output::{self, quoted, shown};
use crate::tree::Forest;

/// Entries that are named on the terminal: who has more of them reads the list.
pub(super) const MAX_SHOWN: u64 = 100;

/// Why nothing new can be made, as a rule.
const NO_DIRECTORY: &str = "the directory above it does not exist; make it first";

/// Why a command failed, in a line that names the next step, and the exit code that goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// What the user reads, without the leading "ostfs: "; nothing if the exit code is enough.
    pub message: String,
}

impl Failure {
    /// A failure with its message.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }

    /// A failure about the file `path`.
    pub fn about(exit: Exit, path: &Path, reason: impl Display) -> Self {
        Self::new(exit, format!("{}: {reason}", shown(path)))
    }

    /// That `path` cannot be written.
    pub fn writing(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::about(Exit::NotFound, path, NO_DIRECTORY),
            _ => Self::about(
                Exit::Failure,
                path,
                format_args!("cannot be written: {error}; {}", elsewhere(error)),
            ),
        }
    }

    /// That the system refuses the threads without which nothing can be done.
    pub fn starting(error: &io::Error) -> Self {
        let reason = format!(
            "no thread can be started: {error}; end other programs, or raise the limit (ulimit -u)"
        );
        Self::new(Exit::Failure, reason)
    }

    /// What the library said about opening `file`.
    pub fn opening(file: &Path, error: &Error) -> Self {
        let exit = match error {
            Error::NotOutlook(_) => Exit::NotOutlook,
            Error::Unsupported(_) => Exit::Unsupported,
            Error::Truncated(_) => Exit::Truncated,
            Error::Corrupt(_) => Exit::Damaged,
            Error::NotFound => Exit::NotFound,
            Error::Open { .. }
            | Error::Io { .. }
            | Error::Changed
            | Error::Repeated(_)
            | Error::NotADirectory
            | Error::IsADirectory => Exit::Failure,
        };
        let advice = match error {
            Error::Io { .. } => {
                "; copy the file from the failing disk (ddrescue), then try the copy"
            }
            _ => "",
        };
        // Commands to type next name the file.
        let error = error.to_string().replace("FILE", &quoted(file));
        Self::new(exit, format!("{}: {error}{advice}", shown(file)))
    }
}

/// What to do about `error` of writing.
pub(super) fn elsewhere(error: &io::Error) -> &'static str {
    space::advice(error).unwrap_or("choose a place where you may write")
}

impl From<MountError> for Failure {
    fn from(error: MountError) -> Self {
        let exit = match error {
            MountError::Missing(_) => Exit::NotFound,
            _ => Exit::MountFailed,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<UnmountError> for Failure {
    fn from(error: UnmountError) -> Self {
        Self::new(Exit::MountFailed, error.to_string())
    }
}

/// Prints "ostfs: MESSAGE" on standard error. That it cannot be printed is no reason to fail otherwise.
pub fn error(message: impl Display) {
    writeln!(io::stderr(), "ostfs: {}", harmless(message)).ok();
}

/// Prints which files and folders of `forest` reads have found not to be whole, unless names are kept out by `redact`: problems tell
/// them by their numbers.
pub(super) fn not_whole(forest: &Forest, redact: bool) {
    if !redact {
        forest
            .not_whole(MAX_SHOWN as usize)
            .into_iter()
            .for_each(error);
    }
}

/// The same of folders alone, where items are told as they come.
pub(super) fn folders_not_whole(forest: &Forest, redact: bool) {
    if !redact {
        let folders = forest.folders_not_whole().into_iter();
        folders.take(MAX_SHOWN as usize).for_each(error);
    }
}

/// Prints a message on standard output. A reader that went away (`| head`) is no failure.
pub(super) fn say(text: impl Display) {
    writeln!(io::stdout(), "{}", harmless(text)).ok();
}

/// Prints what the command is for on standard output. A reader that went away (`| head`) is no failure, a full disk is.
pub(super) fn result(text: impl Display) -> Result<(), Failure> {
    let mut out = output();
    printed(writeln!(out, "{}", harmless(text)).and_then(|()| out.flush()))
}

/// Standard output for what a command is for; that it is closed is an error of the first write.
pub(super) fn output() -> Output {
    Output(io::stdout())
}

/// What [`output`] gives.
pub(super) struct Output(Stdout);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match process::is_output_closed() {
            true => Err(closed()),
            false => self.0.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// What the system says of a write to what is closed.
pub(super) fn closed() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADF)
}

/// What it means that standard output was `written` so: a reader that went away (`| head`) is no failure, a full disk is.
pub(super) fn printed(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Exit::Failure,
            format!("standard output cannot be written: {error}; what is there is not all"),
        )),
        _ => Ok(()),
    }
}

/// Prints a result on standard error, as standard output has something else.
pub(super) fn note(text: impl Display) {
    writeln!(io::stderr(), "{}", harmless(text)).ok();
}

/// Standard error, for long lists of what is safe to be shown.
pub(super) fn errors() -> impl Write {
    BufWriter::new(io::stderr())
}

/// What is told of a folder of which an OST left items on the server; nothing if it left none.
pub(super) fn left_on_server(count: u64) -> String {
    match count {
        0 => String::new(),
        count => format!(" ({count} more on the server alone)"),
    }
}

/// What is printed, whoever has said it: the parser of the command line and other programs repeat what was typed.
fn harmless(text: impl Display) -> String {
    let is_harmful = |c: char| output::is_active(c) && !matches!(c, '\n' | '\t');
    let harmless = |c: char| {
        if is_harmful(c) {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    text.to_string().chars().map(harmless).collect()
}

/// Prints the help or version text that clap hands over as an error; in colour if a terminal shows it.
pub(super) fn help(text: &clap::Error) -> Result<(), Failure> {
    printed(match process::is_output_closed() {
        true => Err(closed()),
        false => text.print(),
    })
}

/// `count` of what `one` is called.
pub(super) fn counted(count: u64, one: &str) -> String {
    match (count, one.strip_suffix('y')) {
        (1, _) => format!("1 {one}"),
        (count, Some(stem)) => format!("{count} {stem}ies"),
        (count, None) => format!("{count} {one}s"),
    }
}
