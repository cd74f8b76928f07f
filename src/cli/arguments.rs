//! The definition of the command line, with all help text.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, RangedU64ValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use log::LevelFilter;

use super::columns;
use super::exit::{self, Exit};
use super::options::{self, Takers};
use super::recipes;
use super::report::Failure;
use super::summary::SummaryArguments;
use crate::tree::Template;

/// The largest value of `--jobs`.
const MAX_JOBS: u64 = 1024;

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

/// What is looked for. Nothing, as of a variable of the shell that is not set, would be found everywhere.
fn text() -> NonEmptyStringValueParser {
    NonEmptyStringValueParser::new()
}

/// How many threads may be asked for: more than any machine has processors for.
fn jobs() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=MAX_JOBS)
}

/// As `-o idle_timeout=` takes it.
fn duration(text: &str) -> Result<Duration, String> {
    options::duration(text).map_err(|wanted| format!("give {wanted}"))
}

/// As `-o cache=` takes it.
fn size(text: &str) -> Result<u64, String> {
    options::size(text).map_err(|wanted| format!("give {wanted}"))
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

/// Write what a mount of FILE, or of several, shows into the directory DIR
///
/// The same names, bytes and times, without FUSE. The filters take what fulfils all of them; without any, everything is
/// taken. At the end a table tells for each folder what was found, written and failed.
///
/// With --to tar or zip, these files in an archive: the new file DIR, or standard output if DIR is "-". With --to mbox, all
/// items as mail (mboxrd), attachments inside, in one such file; or if DIR is a directory or ends with a slash, one for each
/// folder, those below it in NAME.sbd.
///
/// With --to pst, PSTs for Outlook instead: folders, messages and all that belongs to them, property by property. If DIR is a
/// directory, ends with a slash, or with --split, each FILE becomes a .pst of its name in it; else all become the file DIR.
#[derive(Debug, Args)]
#[command(
    override_usage = "ostfs export [OPTIONS] FILE... DIR",
    after_help = recipes::with_options(recipes::EXPORT, Takers::All),
    after_long_help = format!("{}\n\n{}", recipes::with_options(recipes::EXPORT, Takers::All), exit::HELP)
)]
pub(super) struct ExportArguments {
    /// The .ost or .pst file, or several, each into a directory of its own, which are only read; and last a new or empty directory,
    /// with --to pst the new file, or a directory for one of each FILE, with --to tar, zip or mbox the new file, or - for standard
    /// output
    #[arg(required = true, value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
    /// DIR, which [`ExportArguments::with_directory`] takes off the end of `files`: options may stand between all of them.
    #[arg(skip)]
    pub directory: PathBuf,
    /// What to write
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    pub to: To,
    /// With --to pst: parts of at most SIZE, as in 10G, that open by themselves: NAME.pst, NAME-2.pst and so on in DIR
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub split: Option<u64>,
    /// Replace the new file, or a list that is named, if it is there already; with --to pst, write even if there may be too little room
    /// for it, too. What is read is never replaced
    #[arg(long)]
    pub force: bool,
    /// With --to pst: read the new file and compare all properties, only open its items, or do neither [default: full]
    #[arg(long, value_name = "HOW", value_enum)]
    pub verify: Option<VerifyHow>,
    /// Options of the tree; may be repeated
    #[arg(short = 'o', value_name = "OPTION[=VALUE],...")]
    pub options: Vec<String>,
    /// Name items after TEMPLATE: {date}, {date:FORMAT} as strftime(3), {from}, {to}, {subject}, {nid}
    #[arg(long, value_name = "TEMPLATE")]
    pub names: Option<Template>,
    /// Files written at the same time [default: one per processor]
    #[arg(short, long, value_name = "NUMBER", value_parser = jobs())]
    pub jobs: Option<usize>,
    /// Go on with an earlier export: keep the files that have the right bytes, and write all others; with --to pst, go on in
    /// the file that was begun
    #[arg(long)]
    pub resume: bool,
    /// Write all problems into PATH, which is empty if there are none [default: ostfs-problems.txt in DIR or the archive; with an mbox file,
    /// standard error]
    #[arg(long, value_name = "PATH")]
    pub problems: Option<PathBuf>,
    /// Write a record of every file, and of FILE, with its SHA-256 into PATH, a .csv or .jsonl file
    #[arg(long, value_name = "PATH")]
    pub manifest: Option<PathBuf>,
    /// In a .csv manifest and the list of duplicates, an apostrophe before what a spreadsheet would run as a formula
    #[arg(long)]
    pub csv_safe: bool,
    /// Of items with the same content, write one: that is whole, else the first. Among all of FILE, or within each
    #[arg(
        long,
        value_name = "SCOPE",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all"
    )]
    pub dedupe: Option<Within>,
    /// Write which items were dropped, and which kept for them, into PATH [default: ostfs-duplicates.csv in DIR, if that is a
    /// directory of files]
    #[arg(long, value_name = "PATH", requires = "dedupe")]
    pub duplicates: Option<PathBuf>,
    /// Write the items of A whose content none of FILE has, or has whole
    #[arg(long, value_name = "A", conflicts_with = "dedupe")]
    pub only_in: Option<PathBuf>,
    #[command(flatten)]
    pub records: RecordArguments,
    #[command(flatten)]
    pub summary: SummaryArguments,
    #[command(flatten)]
    pub filter: FilterArguments,
}

impl ExportArguments {
    /// The arguments with DIR, the last of the paths, apart.
    pub fn with_directory(mut self) -> Result<Self, Failure> {
        match self.files.pop() {
            Some(directory) if !self.files.is_empty() => Ok(Self { directory, ..self }),
            _ => {
                let reason = "give FILE and DIR, as in: ostfs export old-mailbox.ost mail";
                Err(Failure::new(Exit::Usage, reason))
            }
        }
    }

    /// All files that are read.
    pub fn sources(&self) -> impl Iterator<Item = &PathBuf> {
        self.only_in.iter().chain(&self.files)
    }

    /// The lists that are written beside the export, where the user wants them.
    pub fn lists(&self) -> impl Iterator<Item = &PathBuf> {
        let lists = [&self.problems, &self.manifest, &self.duplicates];
        lists.into_iter().flatten()
    }
}

/// What is recorded of files.
#[derive(Debug, Args)]
#[command(next_help_heading = "Records")]
pub(super) struct RecordArguments {
    /// Further hashes beside SHA-256: of each file and of FILE, and of the content of each item
    #[arg(long, value_name = "NAME,...", value_enum, value_delimiter = ',')]
    pub hash: Vec<HashName>,
    /// Whose mail it is, for the column custodian
    #[arg(long, value_name = "NAME")]
    pub custodian: Option<String>,
    /// A load file for review tools: export writes it beside the files, as ostfs-load-file.dat, index prints it in place of
    /// CSV. Families are together in it
    #[arg(long, value_name = "FORM", value_enum)]
    pub load_file: Option<LoadFormat>,
}

/// A hash that is not always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum HashName {
    /// SHA-1
    Sha1,
    /// MD5
    Md5,
    /// The content hash of items, which all copies of one share, and what it is made of
    Content,
}

/// A form of load files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LoadFormat {
    /// Concordance, in UTF-8
    Dat,
}

/// Among which items duplicates are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Within {
    /// Among all of FILE
    All,
    /// Within each FILE
    Mailbox,
}

/// What an export makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum To {
    /// A directory with a file for each item
    #[default]
    Files,
    /// A directory that is a Maildir: all items as mail; as -o layout=maildir
    Maildir,
    /// A PST
    Pst,
    /// A tar archive of these files
    Tar,
    /// A ZIP archive of these files
    Zip,
    /// All items as mail in one mbox file, or in a directory one for each folder, as Thunderbird has them
    Mbox,
}

impl To {
    /// As it is typed.
    pub fn word(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// How a new PST is compared with its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum VerifyHow {
    /// All properties of all items
    #[default]
    Full,
    /// Every item is opened
    Fast,
    /// Not at all
    Off,
}

/// Which items are taken.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct FilterArguments {
    /// Only this folder and those below it, as in --folder Inbox/Projects; may be repeated
    #[arg(long = "folder", value_name = "PATH", value_parser = text())]
    pub folders: Vec<String>,
    /// Only items of this day (UTC) or later: by delivery, else submission, else creation; appointments by when they take
    /// place
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = text())]
    pub since: Option<String>,
    /// Only items of this day (UTC) or earlier, by the same times
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = text())]
    pub until: Option<String>,
    /// Only items with this text in the name or address of their sender
    #[arg(long, value_name = "TEXT", value_parser = text())]
    pub from: Option<String>,
    /// Only items with this text in their subject
    #[arg(long, value_name = "TEXT", value_parser = text())]
    pub subject: Option<String>,
    /// Only items of this message class, as in --class IPM.Note
    #[arg(long, value_name = "CLASS", value_parser = text())]
    pub class: Option<String>,
}

/// Print a record of every file that export would write
///
/// CSV with a line of names, or the same as JSON; --help has all columns. Attachments have the class "attachment", FILE itself
/// the class "source".
#[derive(Debug, Args)]
#[command(
    after_help = recipes::with_options(recipes::INDEX, Takers::All),
    after_long_help = format!("{}\n\n{}", recipes::with_options(recipes::INDEX, Takers::All), columns::help())
)]
pub(super) struct IndexArguments {
    /// The .ost or .pst file, or several; they are only read
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// As JSON Lines: one object a line
    #[arg(long, conflicts_with = "load_file")]
    pub json: bool,
    /// For spreadsheets: an apostrophe before what they would run as a formula, as in =1+1
    #[arg(long, conflicts_with_all = ["json", "load_file"])]
    pub csv_safe: bool,
    /// Name items after TEMPLATE: {date}, {date:FORMAT} as strftime(3), {from}, {to}, {subject}, {nid}
    #[arg(long, value_name = "TEMPLATE")]
    pub names: Option<Template>,
    /// Leave out SHA-256 and the record of FILE: reads no attachment, and is much faster
    #[arg(long, conflicts_with = "hash")]
    pub no_hash: bool,
    /// Options of the tree; may be repeated
    #[arg(short = 'o', value_name = "OPTION[=VALUE],...")]
    pub options: Vec<String>,
    #[command(flatten)]
    pub records: RecordArguments,
    #[command(flatten)]
    pub summary: SummaryArguments,
    #[command(flatten)]
    pub filter: FilterArguments,
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
/// tell decides first; only items that they leave open are opened. Attachments are looked into: text, HTML, RTF, mail, Office
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
    /// Kind, size in bytes and time (UTC) before each path
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
    /// Kind, size in bytes and time (UTC) before each name
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
