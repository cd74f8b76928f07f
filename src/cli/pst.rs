//! `ostfs export --to pst FILE... PST`: all of it as a new file for Outlook.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;

use super::arguments::{ExportArguments, VerifyHow};
use super::exit::Exit;
use super::export::{CACHE, REDRAW, filter, show};
use super::new_file::{NewFile, directory_of};
use super::options::{Options, Switch, Writer};
use super::report::{self, Failure};
use super::{progress, source};
use crate::export::Progress;
use crate::ndb::Source;
use crate::pst::{self, Export, Failed, FolderTotal, Verify, Written};
use crate::sandbox::{self, Need};
use crate::tree::{Attachments, Layout};

/// Failures that are printed one by one.
const MAX_SHOWN: u64 = 100;

/// Writes the new file, reads it back, and only then gives it its name.
pub(super) fn run(arguments: &ExportArguments) -> Result<(), Failure> {
    let target = arguments.directory.as_path();
    let fail = |exit, reason: &str| Failure::new(exit, format!("{}: {reason}", target.display()));
    let lists = [&[CACHE.to_owned()], arguments.options.as_slice()].concat();
    let mut options = Options::parse(&lists, Writer::User)?;
    refuse(arguments, &options)?;
    // Nobody looks at attachments beside their items.
    options.tree.attachments = Attachments::Eml;
    let filter = filter(&arguments.filter)?;
    let sources = source::open_all(&arguments.files)?;
    if fs::symlink_metadata(target).is_ok() && !arguments.force {
        return Err(fail(
            Exit::Failure,
            "is there already; choose another name, or replace it by --force",
        ));
    }
    let cannot =
        |error: std::io::Error| fail(Exit::Failure, &format!("cannot be written: {error}"));
    let mut new = NewFile::create(target, arguments.force).map_err(cannot)?;
    let (file, again) = new.take().map_err(cannot)?;
    if options.sandbox == Switch::On {
        sandbox::enter(Need::WriteBeneath(directory_of(target)));
    }
    let sources = sources.into_iter();
    let sources = sources.map(|source| source::to_the_end(source, &options.tree));
    let forest = source::forest(&arguments.files, sources.collect(), &options.tree)?;
    let name = target.file_stem().unwrap_or_default().to_string_lossy();
    let export = Export {
        forest: &forest,
        filter,
        name: &name,
    };
    let progress = Progress::default();
    let written = watched(&export, file, &progress, options.tree.redact);
    let written = written.map_err(|error| fail(Exit::Failure, &error.to_string()))?;
    check(again, &written, arguments.verify).map_err(|reason| fail(Exit::Failure, &reason))?;
    new.publish().map_err(cannot)?;
    if !options.tree.redact {
        table(&written.totals);
    }
    let failed = progress.failed.load(Ordering::Relaxed);
    let problems = written.problems + forest.problem_count();
    report::say(format_args!(
        "{} items, {}; {failed} failed, {problems} problems",
        progress.written.load(Ordering::Relaxed),
        indicatif::HumanBytes(progress.bytes.load(Ordering::Relaxed)),
    ));
    match failed + problems {
        0 => Ok(()),
        _ => Err(Failure::new(
            Exit::ErrorsFound,
            format!(
                "{failed} items could not be copied, {problems} problems; items that are not whole have the category \"ostfs: damaged\""
            ),
        )),
    }
}

/// Refuses what has no meaning for a PST.
fn refuse(arguments: &ExportArguments, options: &Options) -> Result<(), Failure> {
    let given = [
        ("--names", arguments.names.is_some()),
        ("--jobs", arguments.jobs.is_some()),
        ("--resume", arguments.resume),
        ("--problems", arguments.problems.is_some()),
        ("--manifest", arguments.manifest.is_some()),
        ("-o all", options.tree.all),
        ("-o text", options.tree.text),
        (
            "-o layout=maildir",
            options.tree.layout != Layout::default(),
        ),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((option, _)) => Err(Failure::new(
            Exit::Usage,
            format!("--to pst does not go with {option}; leave one of them out"),
        )),
    }
}

/// Writes under a progress bar.
fn watched(
    export: &Export<'_>,
    file: fs::File,
    progress: &Progress,
    redact: bool,
) -> Result<Written, Failed> {
    let bar = progress::bar("exporting", false);
    let failed = |place: &str, reason: &str| {
        if progress.failed.load(Ordering::Relaxed) <= MAX_SHOWN && !redact {
            let line = format!("{}: {reason}", report::printable(place));
            bar.suspend(|| report::error(line));
        }
    };
    let written = thread::scope(|scope| {
        let (stop, stopped) = channel::<()>();
        let bar = &bar;
        scope.spawn(move || {
            // Nobody waits for the count where nobody sees the bar.
            if !bar.is_hidden() {
                bar.set_length(export.forest.count_items());
            }
            while stopped.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
                show(bar, progress);
            }
        });
        let written = export.write(file, progress, &failed);
        drop(stop);
        written
    });
    bar.finish_and_clear();
    written
}

/// Reads the new file back.
fn check(file: fs::File, written: &Written, how: VerifyHow) -> Result<(), String> {
    let how = match how {
        VerifyHow::Full => Verify::Full,
        VerifyHow::Fast => Verify::Fast,
        VerifyHow::Off => Verify::Off,
    };
    let cannot = |error: &dyn std::fmt::Display| format!("cannot be read back: {error}");
    let source = Source::of_file(file).map_err(|error| cannot(&error))?;
    let mut first = None;
    let mut note = |line: &str| _ = first.get_or_insert_with(|| line.to_owned());
    let count = pst::verify(source, written, how, &mut note).map_err(|error| cannot(&error))?;
    match first {
        None => Ok(()),
        Some(first) => Err(format!(
            "is not kept, since {count} items in it are not as they were read, the first: {first}; please report this"
        )),
    }
}

/// What became of the items of each folder.
fn table(totals: &BTreeMap<String, FolderTotal>) {
    if totals.is_empty() {
        return;
    }
    let mut text = "   found  written   failed  folder".to_owned();
    for (path, total) in totals {
        let path = if path.is_empty() { "/" } else { path };
        text.push_str(&format!(
            "\n{:>8} {:>8} {:>8}  {}",
            total.found,
            total.written,
            total.failed,
            report::printable(path)
        ));
    }
    report::say(text);
}
