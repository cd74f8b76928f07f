//! The command line: its definition and all help text here, each command in a file of its own.
//!
//! Uses `fuse` and `tree`; `report` alone prints, `exit` alone knows exit codes.
#![forbid(unsafe_code)]

mod cat;
mod check;
mod contents;
mod exit;
mod export;
mod guard;
mod helper;
mod info;
mod logging;
mod ls;
mod mount;
mod options;
mod problem_list;
mod progress;
mod report;
mod source;
mod unmount;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand};
use log::LevelFilter;

pub use exit::Exit;
pub use report::Failure;

use crate::tree::Template;
use options::Writer;

/// Shows any Outlook data file (.ost or .pst, 1997 to today) as a read-only folder of mail
///
/// Folders are directories, messages are .eml files, attachments lie in a directory beside their message. No Outlook,
/// no Exchange, no password; the file is never written to.
#[derive(Debug, Parser)]
#[command(name = "ostfs", version, after_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Mount(MountArguments),
    #[command(visible_alias = "umount")]
    Unmount(UnmountArguments),
    Export(ExportArguments),
    Index(IndexArguments),
    Ls(LsArguments),
    Cat(CatArguments),
    Info(InfoArguments),
    Check(CheckArguments),
}

/// Mount FILE, or several, on the directory MOUNTPOINT
///
/// Returns as soon as the files are there and goes on in the background. `ostfs unmount MOUNTPOINT` ends it. Several files
/// get a directory each, named as the file.
#[derive(Debug, Args)]
#[command(
    override_usage = "ostfs mount [OPTIONS] FILE... [MOUNTPOINT]",
    after_help = options::help(), after_long_help = format!("{}\n\n{}", options::help(), exit::HELP)
)]
struct MountArguments {
    /// The .ost or .pst file, or several, which are only read; and last the directory MOUNTPOINT
    ///
    /// MOUNTPOINT is empty. One that does not exist is made, and removed again at the end. Left out after one FILE, it is
    /// the name of FILE without its extension, in the current directory.
    #[arg(required = true, value_name = "FILE|MOUNTPOINT")]
    paths: Vec<PathBuf>,
    /// Options of the mount or the tree; may be repeated
    #[arg(short = 'o', value_name = "OPTION[=VALUE],...")]
    options: Vec<String>,
    /// Name items after TEMPLATE: {date}, {date:FORMAT} as strftime(3), {from}, {to}, {subject}, {nid}
    #[arg(long, value_name = "TEMPLATE")]
    names: Option<Template>,
    /// Stay in the foreground and log to standard error; Ctrl-C unmounts
    #[arg(short, long)]
    foreground: bool,
    /// Unmount when nobody has used it for this long: seconds, or 90s, 10m, 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    idle_timeout: Option<Duration>,
    #[command(flatten)]
    verbosity: Verbosity,
}

/// What is logged; `RUST_LOG`, as env_logger has it, overrides that
#[derive(Debug, Clone, Copy, Default, Args)]
#[group(multiple = false)]
struct Verbosity {
    /// Log every request, and stay in the foreground
    #[arg(short, long)]
    debug: bool,
    /// Log when the mount begins and ends, too
    #[arg(short, long)]
    verbose: bool,
    /// Log errors alone
    #[arg(short, long)]
    quiet: bool,
}

/// As `-o idle_timeout=` takes it.
fn duration(text: &str) -> Result<Duration, String> {
    options::duration(text).map_err(|wanted| format!("give {wanted}"))
}

impl Verbosity {
    fn level(self) -> LevelFilter {
        match self {
            Self { debug: true, .. } => LevelFilter::Debug,
            Self { verbose: true, .. } => LevelFilter::Info,
            Self { quiet: true, .. } => LevelFilter::Error,
            _ => LevelFilter::Warn,
        }
    }
}

/// Unmount what ostfs has mounted, or has left behind
#[derive(Debug, Args)]
struct UnmountArguments {
    /// The directory that FILE is mounted on
    mountpoint: PathBuf,
    /// Detach it even if it is in use; it ends when the last program leaves it
    #[arg(short = 'z', long)]
    lazy: bool,
}

/// Write what a mount of FILE, or of several, shows into the directory DIR
///
/// The same names, bytes and times, without FUSE. The filters take what fulfils all of them; without any, everything is
/// taken. At the end a table tells for each folder what was found, written and failed.
#[derive(Debug, Args)]
#[command(after_help = options::help(), after_long_help = format!("{}\n\n{}", options::help(), exit::HELP))]
struct ExportArguments {
    /// The .ost or .pst file, or several, each into a directory of its own; they are only read
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A new or empty directory
    directory: PathBuf,
    /// Options of the tree; may be repeated
    #[arg(short = 'o', value_name = "OPTION[=VALUE],...")]
    options: Vec<String>,
    /// Name items after TEMPLATE: {date}, {date:FORMAT} as strftime(3), {from}, {to}, {subject}, {nid}
    #[arg(long, value_name = "TEMPLATE")]
    names: Option<Template>,
    /// Files written at the same time [default: one per processor]
    #[arg(short, long, value_name = "NUMBER")]
    jobs: Option<usize>,
    /// Go on with an earlier export: write only what is missing or has another size or time
    #[arg(long)]
    resume: bool,
    /// Write all problems into PATH, if there are any [default: ostfs-problems.txt in DIR]
    #[arg(long, value_name = "PATH")]
    problems: Option<PathBuf>,
    /// Write a record of every file, and of FILE, with its SHA-256 into PATH, a .csv or .jsonl file
    #[arg(long, value_name = "PATH")]
    manifest: Option<PathBuf>,
    #[command(flatten)]
    filter: FilterArguments,
}

/// Which items are taken.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
struct FilterArguments {
    /// Only this folder and those below it, as in --folder Inbox/Projects; may be repeated
    #[arg(long = "folder", value_name = "PATH")]
    folders: Vec<String>,
    /// Only items of this day (UTC) or later: by delivery, else submission, else creation; appointments by when they take
    /// place
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<String>,
    /// Only items of this day (UTC) or earlier, by the same times
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<String>,
    /// Only items with this text in the name or address of their sender
    #[arg(long, value_name = "TEXT")]
    from: Option<String>,
    /// Only items with this text in their subject
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// Only items of this message class, as in --class IPM.Note
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
}

/// Print a record of every file that export would write
///
/// CSV with a line of names: path, nid, folder, date, from, to, subject, class, size, sha256, problems. Attachments have the
/// class "attachment", FILE itself the class "source".
#[derive(Debug, Args)]
#[command(after_help = options::help())]
struct IndexArguments {
    /// The .ost or .pst file, or several; they are only read
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// As JSON Lines: one object a line
    #[arg(long)]
    json: bool,
    /// Name items after TEMPLATE: {date}, {date:FORMAT} as strftime(3), {from}, {to}, {subject}, {nid}
    #[arg(long, value_name = "TEMPLATE")]
    names: Option<Template>,
    /// Leave out SHA-256 and the record of FILE: reads no attachment, and is much faster
    #[arg(long)]
    no_hash: bool,
    /// Options of the tree; may be repeated
    #[arg(short = 'o', value_name = "OPTION[=VALUE],...")]
    options: Vec<String>,
    #[command(flatten)]
    filter: FilterArguments,
}

/// List what a mount of FILE would show
///
/// For machines without FUSE, and for scripts. Names are sorted, one a line.
#[derive(Debug, Args)]
#[command(after_help = options::help())]
struct LsArguments {
    /// The .ost or .pst file; it is only read
    file: PathBuf,
    /// What to list, from the root of the tree [default: the root]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Kind, size in bytes and time (UTC) before each name
    #[arg(short, long)]
    long: bool,
    /// Everything below as well, with paths from the root
    #[arg(short = 'R', long)]
    recursive: bool,
    /// Options of the tree; may be repeated
    #[arg(short = 'o', value_name = "OPTION[=VALUE],...")]
    options: Vec<String>,
}

/// Write files out of FILE to standard output
///
/// The bytes that a mount would show under the same path: a message, an attachment, or .ostfs/index.csv.
#[derive(Debug, Args)]
#[command(after_help = options::help())]
struct CatArguments {
    /// The .ost or .pst file; it is only read
    file: PathBuf,
    /// What to write, from the root of the tree
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Of a message, only the header block that arrived, octet for octet as it is stored
    #[arg(long)]
    headers: bool,
    /// Options of the tree; may be repeated
    #[arg(short = 'o', value_name = "OPTION[=VALUE],...")]
    options: Vec<String>,
}

/// Tell what FILE is: format, version, encryption, size, and its folders with their declared and found counts
#[derive(Debug, Args)]
struct InfoArguments {
    /// The .ost or .pst file; it is only read
    file: PathBuf,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Check FILE as ScanPST does, and more, without changing it
///
/// Reads every page and block, all folders and all messages. Prints nothing if no error is found (exit code 0), else a
/// summary and each error with what it touches (exit code 4). Warnings are about books that do not balance, as many
/// healthy files have them; they touch no mail and are printed with -v.
#[derive(Debug, Args)]
struct CheckArguments {
    /// The .ost or .pst file; it is only read
    file: PathBuf,
    /// Print warnings too, and what was checked
    #[arg(short, long)]
    verbose: bool,
    /// As JSON, for programs: everything that was found
    #[arg(long)]
    json: bool,
}

/// Does what the command line says; the first argument is the name under which the program was called.
pub fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let name = arguments
        .first()
        .and_then(|name| Path::new(name).file_name()?.to_str())
        .unwrap_or_default();
    let first = arguments.get(1);
    if name == guard::NAME {
        return guard::run(arguments.get(1..).unwrap_or_default());
    }
    if helper::is_called(name, first) {
        return parse(&arguments)?.map_or(Ok(()), helper::run);
    }
    let Some(Cli { command }) = parse(&arguments)? else {
        return Ok(());
    };
    logging::start(match &command {
        Command::Mount(arguments) => arguments.verbosity.level(),
        _ => Verbosity::default().level(),
    });
    match command {
        Command::Mount(arguments) => mount::run(&arguments, Writer::User),
        Command::Unmount(arguments) => unmount::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Index(arguments) => export::index(&arguments),
        Command::Ls(arguments) => ls::run(&arguments),
        Command::Cat(arguments) => cat::run(&arguments),
        Command::Info(arguments) => info::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
    }
}

/// The definition of the command line: of `ostfs` with all its commands, and of `mount.fuse.ostfs`. Man pages and shell
/// completions are made from it.
pub fn definitions() -> [clap::Command; 2] {
    [Cli::command(), helper::HelperArguments::command()]
}

/// Prints why a command failed.
pub fn report(failure: &Failure) {
    report::error(&failure.message);
}

/// Parses the arguments; None when all they asked for was help, which is printed then.
fn parse<T: Parser>(arguments: &[OsString]) -> Result<Option<T>, Failure> {
    let error = match T::try_parse_from(arguments) {
        Ok(parsed) => return Ok(Some(parsed)),
        Err(error) => error,
    };
    if !error.use_stderr() {
        report::help(&error);
        return Ok(None);
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
    Err(Failure::new(Exit::Usage, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        for command in definitions() {
            command.debug_assert();
        }
    }

    #[test]
    fn help_documents_every_exit_code() {
        for exit in [
            Exit::Success,
            Exit::Failure,
            Exit::NotFound,
            Exit::NotOutlook,
            Exit::ErrorsFound,
            Exit::Damaged,
            Exit::MountFailed,
            Exit::Truncated,
            Exit::NotChecked,
            Exit::Unsupported,
            Exit::Usage,
        ] {
            let line = format!("\n  {:>2}  ", exit as u8);
            assert!(exit::HELP.contains(&line), "{exit:?}");
        }
    }
}
