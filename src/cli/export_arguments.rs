//! The command line of `export` and `index`, with its help text.

use std::path::PathBuf;
use std::slice;

use clap::{Args, ValueEnum};

use super::argument_values::{jobs, size, text};
use super::columns;
use super::exit::{self, Exit};
use super::options::Takers;
use super::recipes;
use super::report::Failure;
use super::summary::SummaryArguments;
use crate::tree::Template;

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
                let (new, example) = match self.to {
                    To::Files | To::Maildir => ("DIR", "mail"),
                    To::Pst => ("the new file", "mailbox.pst"),
                    To::Tar => ("the new file", "mail.tar"),
                    To::Zip => ("the new file", "mail.zip"),
                    To::Mbox => ("the new file", "mail.mbox"),
                };
                let to = match self.to {
                    To::Files => String::new(),
                    to => format!("--to {} ", to.word()),
                };
                let reason = format!(
                    "give FILE and {new}, as in: ostfs export {to}old-mailbox.ost {example}"
                );
                Err(Failure::new(Exit::Usage, reason))
            }
        }
    }

    /// All files that are read.
    pub fn sources(&self) -> impl Iterator<Item = &PathBuf> {
        self.only_in.iter().chain(&self.files)
    }

    /// The files whose items are exported, and those whose items are not.
    pub fn exported_and_others(&self) -> (&[PathBuf], Option<&[PathBuf]>) {
        match &self.only_in {
            Some(file) => (slice::from_ref(file), Some(&self.files)),
            None => (&self.files, None),
        }
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
    /// Only items of this day (UTC) or later: by delivery, else submission, else creation; appointments and journal
    /// entries by when they take place
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
