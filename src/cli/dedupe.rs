//! `ostfs export --dedupe` and `--only-in`: which items are left out of an export, and the list of those that were dropped.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;

use super::exit::Exit;
use super::export_arguments::{ExportArguments, Within};
use super::outputs::Outputs;
use super::progress;
use super::report::{Failure, counted, printable};
use crate::compare::{Differences, Duplicates, Scope};
use crate::convert::RECIPE;
use crate::export::{self, Filter, Progress};
use crate::output::{self, shown};
use crate::tree::{Forest, Ino};

/// The name of the list in a directory; if the tree has that name, the first of the others that it has not.
const NAME: &str = "ostfs-duplicates.csv";
/// Its columns.
const COLUMNS: [&str; 8] = [
    "rule",
    "recipe",
    "hash",
    "dropped",
    "dropped_nid",
    "kept",
    "kept_nid",
    "dropped_is_damaged",
];

/// What is to be done about duplicates.
pub(super) struct Dedupe<'a> {
    within: Within,
    outputs: &'a Outputs,
    /// What makes a line of the list.
    line: fn([&str; COLUMNS.len()]) -> String,
    place: Place<'a>,
}

/// Where the list goes.
enum Place<'a> {
    /// The file that the user has named, opened before the sandbox.
    Named(&'a Path, File),
    /// A file at the top of this directory.
    Directory(&'a Path),
}

/// Fails if the first file of `arguments` is what would have to stand behind `--dedupe=`.
pub(super) fn refuse(arguments: &ExportArguments) -> Result<(), Failure> {
    let first = arguments.files.first().filter(|first| !first.exists());
    let word = first.and_then(|first| first.to_str()).unwrap_or_default();
    match Within::from_str(word, false) {
        Ok(_) if arguments.dedupe.is_some() => {
            let reason = format!("{word}: no such file; did you mean --dedupe={word}?");
            Err(Failure::new(Exit::Usage, reason))
        }
        _ => Ok(()),
    }
}

impl<'a> Dedupe<'a> {
    /// What `arguments` ask for, if anything; `directory` is that of an export of files.
    pub(super) fn open(
        arguments: &'a ExportArguments,
        directory: Option<&'a Path>,
        outputs: &'a Outputs,
    ) -> Result<Option<Self>, Failure> {
        let Some(within) = arguments.dedupe else {
            return Ok(None);
        };
        let place = match (arguments.duplicates.as_deref(), directory) {
            (Some(path), _) => Place::Named(path, outputs.list(path)?),
            (None, Some(directory)) => Place::Directory(directory),
            (None, None) => {
                let reason = "--dedupe tells what it drops: name a file for that by --duplicates dropped.csv";
                return Err(Failure::new(Exit::Usage, reason));
            }
        };
        let line = match arguments.csv_safe {
            true => output::safe_csv_line,
            false => output::csv_line,
        };
        Ok(Some(Self {
            within,
            outputs,
            line,
            place,
        }))
    }

    /// Looks for duplicates among the items of `forest` that `filter` takes, which leaves them out from then on.
    pub(super) fn find<'f>(&self, forest: &'f Forest, filter: &mut Filter) -> Duplicates<'f> {
        let scope = match self.within {
            Within::All => Scope::All,
            Within::Mailbox => Scope::Mailbox,
        };
        let running = Progress::default();
        let count = || forest.count_items();
        let found = progress::of_items("looking for duplicates", count, &running, || {
            Duplicates::find(forest, filter, scope, progress::processors(), &running)
        });
        filter.left_out = Arc::new(found.left_out());
        found
    }

    /// Writes the list, and returns what is to be said of it: for each folder in figures, unless names must stay away from
    /// the terminal, and in all.
    pub(super) fn finish(
        &self,
        found: &Duplicates<'_>,
        forest: &Forest,
        redact: bool,
    ) -> Result<String, Failure> {
        let rule = match self.within {
            Within::All => "same content",
            Within::Mailbox => "same content in one file",
        };
        let path = match &self.place {
            Place::Named(path, file) => {
                self.write(found, rule, file)
                    .map_err(|error| Failure::writing(path, &error))?;
                path.to_path_buf()
            }
            Place::Directory(directory) => {
                let path = directory.join(export::free_name(forest, NAME));
                let file = self.outputs.list_within(&path)?;
                let written = self.write(found, rule, &file).and_then(|()| {
                    // As all else that is written, it is the same after each run.
                    let root = forest.attr(Ino::ROOT);
                    root.map_or(Ok(()), |root| file.set_modified(root.mtime))
                });
                written.map_err(|error| Failure::writing(&path, &error))?;
                export::renew_root_time(forest, directory);
                path
            }
        };
        Ok(told(found, &path, redact))
    }

    fn write(&self, found: &Duplicates<'_>, rule: &str, file: &File) -> io::Result<()> {
        let mut out = BufWriter::new(file);
        out.write_all((self.line)(COLUMNS).as_bytes())?;
        for duplicate in found.each() {
            let line = (self.line)([
                rule,
                RECIPE,
                &duplicate.hash.to_string(),
                &duplicate.dropped,
                &format!("{:#x}", duplicate.dropped_nid),
                &duplicate.kept,
                &format!("{:#x}", duplicate.kept_nid),
                if duplicate.is_damaged { "yes" } else { "no" },
            ]);
            out.write_all(line.as_bytes())?;
        }
        out.flush()
    }
}

fn told(found: &Duplicates<'_>, path: &Path, redact: bool) -> String {
    let mut text = String::new();
    if !redact && found.count() > 0 {
        text.push_str("   found  dropped     kept  folder\n");
        for (folder, (items, dropped)) in found.folders() {
            let kept = items - dropped;
            let folder = printable(if folder.is_empty() { "/" } else { folder });
            text.push_str(&format!("{items:>8} {dropped:>8} {kept:>8}  {folder}\n"));
        }
    }
    let (items, dropped) = (found.found(), found.count());
    let kept = items - dropped;
    text.push_str(&format!(
        "{}, {} dropped, {kept} kept; {} has the duplicates",
        counted(items as u64, "item"),
        counted(dropped as u64, "duplicate"),
        shown(path)
    ));
    text
}

/// Has `filter` leave out the items of `forest` whose content `others` have as well.
pub(super) fn only_in(forest: &Forest, filter: &mut Filter, others: &Forest) {
    let running = Progress::default();
    let count = || forest.count_items() + others.count_items();
    let all = Filter::default();
    let found = progress::of_items("comparing", count, &running, || {
        Differences::find(
            (forest, filter),
            (others, &all),
            progress::processors(),
            &running,
        )
    });
    filter.left_out = Arc::new(found.in_both());
}
