//! The definition of the command line, with all help text.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use log::LevelFilter;

use super::argument_values::{duration, jobs, text};
use super::exit;
use super::export_arguments::{ExportArguments, FilterArguments, IndexArguments};
use super::options::Takers;
use super::recipes;
use super::summary::SummaryArguments;
use crate::tree::Template;

/// Shows any Outlook data file (.ost or .pst, 1997 to today) as a read-only folder of mail
///
/// Folders are directories, messages are .eml files, attachments lie in a directory beside their message. No Outlook,
/// no Exchange, no password; the file is never written to.
#[derive(Debug, Parser)]
#[command(
    name = "ostfs", version,
    override_usage = "ostfs FILE [MOUNTPOINT]\n       ostfs COMMAND ...",
    after_help = format!("{}\n\n{}", recipes::TOPICS, exit::HELP)
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Mount(MountArguments),
    Open(OpenArguments),
    #[command(visible_alias = "umount")]
    Unmount(UnmountArguments),
    Export(ExportArguments),
    Index(IndexArguments),
    Diff(DiffArguments),
    Search(SearchArguments),
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
    after_help = recipes::with_options(recipes::MOUNT, Takers::Mount),
    after_long_help = format!("{}\n\n{}", recipes::with_options(recipes::MOUNT, Takers::Mount), exit::HELP)
)]
pub(super) struct MountArguments {
    /// The .ost or .pst file, or several, which are only read; and last the directory MOUNTPOINT
    ///
    /// MOUNTPOINT is empty. One that does not exist is made, and removed again at the end. Left out after one FILE, it is
    /// the name of FILE without its extension, in the current directory.
    #[arg(required = true, value_name = "FILE|MOUNTPOINT")]
    pub paths: Vec<PathBuf>,
    /// Options of the mount or the tree; may be repeated
    #[arg(short = 'o', value_name = "OPTION[=VALUE],...")]
    pub options: Vec<String>,
    /// Name items after TEMPLATE: {date}, {date:FORMAT} as strftime(3), {from}, {to}, {subject}, {nid}
    #[arg(long, value_name = "TEMPLATE")]
    pub names: Option<Template>,
    /// Stay in the foreground and log to standard error; Ctrl-C unmounts
    #[arg(short, long)]
    pub foreground: bool,
    /// Unmount when nobody has used it for this long: seconds, or 90s, 10m, 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub idle_timeout: Option<Duration>,
    #[command(flatten)]
    pub verbosity: Verbosity,
}

/// What is logged; `RUST_LOG`, as env_logger has it, overrides that
#[derive(Debug, Clone, Copy, Default, Args)]
#[group(multiple = false)]
pub(super) struct Verbosity {
    /// Log every request, and stay in the foreground
    #[arg(short, long)]
    pub debug: bool,
    /// Log when the mount begins and ends, too
    #[arg(short, long)]
    pub verbose: bool,
    /// Log errors alone
    #[arg(short, long)]
    pub quiet: bool,
}

impl Verbosity {
    pub fn level(self) -> LevelFilter {
        match self {
            Self { debug: true, .. } => LevelFilter::Debug,
            Self { verbose: true, .. } => LevelFilter::Info,
            Self { quiet: true, .. } => LevelFilter::Error,
            _ => LevelFilter::Warn,
        }
    }
}

/// Mount FILE for a desktop, and open its folder in the file manager
///
/// The mount is below $XDG_RUNTIME_DIR/ostfs, and ends when nobody has used it for ten minutes.
#[derive(Debug, Args)]
#[command(after_help = recipes::OPEN)]
pub(super) struct OpenArguments {
    /// The .ost or .pst file; it is only read
    pub file: PathBuf,
}

/// Unmount what ostfs has mounted, or has left behind
#[derive(Debug, Args)]
#[command(after_help = recipes::UNMOUNT)]
pub(super) struct UnmountArguments {
    /// The directory that FILE is mounted on
    pub mountpoint: PathBuf,
    /// Detach it even if it is in use; it ends when the last program leaves it
    #[arg(short = 'z', long)]
    pub lazy: bool,
}

/// Tell what sets two files apart: items that only one has, that were changed, or that lie in another folder
///
/// Items are the same if all that is stored of them is, whatever node they have, but for what a file keeps for itself. Of what was
/// changed, the fields and properties are named. The table at the end counts the items of each folder: "in A" is same, changed,
/// away (in another folder of B) and only A; "in B" is same, changed, here (in another folder of A) and only B.
///
/// Exit code 0: the same. 1: they differ. 4: items are not whole, so that may hide or make a difference. 2 and above, any trouble.
#[derive(Debug, Args)]
#[command(after_help = recipes::with_options(recipes::DIFF, Takers::All))]
pub(super) struct DiffArguments {
    /// The .ost or .pst file to begin with; it is only read
    pub a: PathBuf,
    /// The one to compare it with; it is only read
    pub b: PathBuf,
    /// As JSON Lines: an object for each difference, then one for each folder
    #[arg(long)]
    pub json: bool,
    /// Options of the tree; may be repeated
    #[arg(short = 'o', value_name = "OPTION[=VALUE],...")]
    pub options: Vec<String>,
    #[command(flatten)]
    pub filter: FilterArguments,
}

/// Find items by what they say and by what is known of them
///
/// Prints the paths of the items that QUERY fits, one a line, as every other command takes them. What the tables of folders
/// tell decides first; only items that they leave open are opened. Attachments are looked into: text, HTML, RTF, PDF, mail, Office
/// and OpenDocument. What could not be looked into is counted on standard error; pictures have no words.
#[derive(Debug, Args)]
#[command(
    override_usage = "ostfs search [OPTIONS] FILE... QUERY",
    after_help = recipes::with_options(&recipes::search(), Takers::All),
    after_long_help = format!("{}\n\n{}", recipes::with_options(&recipes::search(), Takers::All), exit::HELP)
)]
pub(super) struct SearchArguments {
    /// The .ost or .pst file, or several, which are only read; and last what to look for, in quotes if it has several words, as
    /// in 'from:adams budget'
    #[arg(required = true, value_name = "FILE|QUERY")]
    pub files: Vec<PathBuf>,
    /// Kind, size in bytes and time before each path; the zone is that of names, UTC or -o tz
    #[arg(short, long)]
    pub long: bool,
    /// A NUL behind each path in place of the end of line, for xargs -0
    #[arg(short = '0', long)]
    pub null: bool,
    /// The number of items alone
    #[arg(short, long, conflicts_with_all = ["long", "null", "json", "context"])]
    pub count: bool,
    /// The lines that were found below each path, with NUMBER lines before and behind each
    #[arg(short = 'C', long, value_name = "NUMBER", conflicts_with = "null")]
    pub context: Option<usize>,
    /// As JSON Lines: one object a line
    #[arg(long, conflicts_with_all = ["long", "null"])]
    pub json: bool,
    /// Only this folder and those below it, as in --folder Inbox/Projects; may be repeated
    #[arg(long = "folder", value_name = "PATH", value_parser = text())]
    pub folders: Vec<String>,
    /// Items looked at at the same time [default: one per processor]
    #[arg(short, long, value_name = "NUMBER", value_parser = jobs())]
    pub jobs: Option<usize>,
    /// Keep in DIR which words each item has: the first search reads all items for it, later ones open only those that may be found
    #[arg(long, value_name = "DIR")]
    pub index: Option<PathBuf>,
    /// Name items after TEMPLATE: {date}, {date:FORMAT} as strftime(3), {from}, {to}, {subject}, {nid}
    #[arg(long, value_name = "TEMPLATE")]
    pub names: Option<Template>,
    /// Options of the tree; may be repeated
    #[arg(short = 'o', value_name = "OPTION[=VALUE],...")]
    pub options: Vec<String>,
    #[command(flatten)]
    pub summary: SummaryArguments,
}

/// List what a mount of FILE would show
///
/// For machines without FUSE, and for scripts. Names are sorted, one a line.
#[derive(Debug, Args)]
#[command(
    override_usage = "ostfs ls [OPTIONS] FILE... [PATH]...",
    after_help = recipes::with_options(recipes::LS, Takers::All)
)]
pub(super) struct LsArguments {
    /// The .ost or .pst file, or several, which are only read; then what to list, from the root of the tree [default: the root]
    ///
    /// Of several files, paths begin with the name of a file, as in a mount. Where no name is the same, case does not count.
    #[arg(required = true, value_name = "FILE|PATH")]
    pub files: Vec<PathBuf>,
    /// Kind, size in bytes and time before each name; the zone is that of names, UTC or -o tz
    #[arg(short, long)]
    pub long: bool,
    /// Everything below as well, with paths from the root
    #[arg(short = 'R', long)]
    pub recursive: bool,
    /// Name items after TEMPLATE: {date}, {date:FORMAT} as strftime(3), {from}, {to}, {subject}, {nid}
    #[arg(long, value_name = "TEMPLATE")]
    pub names: Option<Template>,
    /// Options of the tree; may be repeated
    #[arg(short = 'o', value_name = "OPTION[=VALUE],...")]
    pub options: Vec<String>,
}

/// Write files out of FILE to standard output
///
/// The bytes that a mount would show under the same path: a message, an attachment, or .ostfs/index.csv.
#[derive(Debug, Args)]
#[command(
    override_usage = "ostfs cat [OPTIONS] FILE... PATH...",
    after_help = recipes::with_options(recipes::CAT, Takers::All)
)]
pub(super) struct CatArguments {
    /// The .ost or .pst file, or several, which are only read; then what to write, from the root of the tree
    ///
    /// Of several files, paths begin with the name of a file, as in a mount. Where no name is the same, case does not count.
    #[arg(required = true, value_name = "FILE|PATH")]
    pub files: Vec<PathBuf>,
    /// Of a message, only the header block that arrived, octet for octet as it is stored
    #[arg(long)]
    pub headers: bool,
    /// Name items after TEMPLATE: {date}, {date:FORMAT} as strftime(3), {from}, {to}, {subject}, {nid}
    #[arg(long, value_name = "TEMPLATE")]
    pub names: Option<Template>,
    /// Options of the tree; may be repeated
    #[arg(short = 'o', value_name = "OPTION[=VALUE],...")]
    pub options: Vec<String>,
}

/// Tell what FILE is: format, version, encryption, size, and its folders with their declared and found counts
#[derive(Debug, Args)]
#[command(after_help = recipes::INFO)]
pub(super) struct InfoArguments {
    /// The .ost or .pst file, or several; they are only read
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Tell of every folder: search folders, and empty ones that Outlook keeps for itself, too
    #[arg(short, long)]
    pub verbose: bool,
    /// As JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// Options of the tree; may be repeated
    #[arg(short = 'o', value_name = "OPTION[=VALUE],...")]
    pub options: Vec<String>,
    #[command(flatten)]
    pub summary: SummaryArguments,
}

/// Check FILE as ScanPST does, and more, without changing it
///
/// Reads every page and block, all folders and all messages. Prints nothing if no error is found (exit code 0), else a
/// summary and each error with what it touches (exit code 4). Warnings are about books that do not balance, as many
/// healthy files have them; they touch no mail and are printed with -v.
#[derive(Debug, Args)]
#[command(after_help = recipes::CHECK)]
pub(super) struct CheckArguments {
    /// The .ost or .pst file, or several; they are only read
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print warnings too, and what was checked
    #[arg(short, long)]
    pub verbose: bool,
    /// As JSON, for programs: everything that was found
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub summary: SummaryArguments,
}
