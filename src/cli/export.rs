//! `ostfs export FILE... DIR`: the tree without FUSE; `ostfs index FILE...`: the manifest of it alone.
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, SystemTime};

use indicatif::ProgressBar;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::exit::Exit;
use super::options::{Options, Switch, Writer};
use super::report::{self, Failure};
use super::{ExportArguments, FilterArguments, IndexArguments, progress, source};
use crate::export::{Export, Filter, Format, Manifest, Progress, Record, Totals};
use crate::sandbox::{self, Need};

/// The caches unless said otherwise: what is read once is best forgotten before it leaves those of the processor.
const CACHE: &str = "cache=8M";
/// How often the progress bar is redrawn.
const REDRAW: Duration = Duration::from_millis(100);
/// Failures printed one by one; what comes after is only counted.
const MAX_FAILURES_SHOWN: u64 = 100;

/// Exports all of the files, and fails at the end when anything could not be exported whole.
pub(super) fn run(arguments: &ExportArguments) -> Result<(), Failure> {
    let lists = [&[CACHE.to_owned()], arguments.options.as_slice()].concat();
    let options = Options::parse(&lists, Writer::User)?.with_names(&arguments.names)?;
    let filter = filter(&arguments.filter)?;
    let sources = source::open_all(&arguments.files)?;
    let forest = source::forest(&arguments.files, sources, &options.tree)?;
    prepare(&arguments.directory, options.nonempty || arguments.resume)?;
    let mut file = arguments.manifest.as_deref().map(create).transpose()?;
    let manifest = file
        .as_mut()
        .map(|(format, file)| Manifest::new(*format, Box::new(BufWriter::new(file))));
    let export = Export {
        forest: &forest,
        target: Some(&arguments.directory),
        threads: arguments.jobs.unwrap_or_else(processors),
        filter,
        hashes: true,
    };
    let hashed = match manifest.is_some() {
        true => opened(&arguments.files)?,
        false => Vec::new(),
    };
    if options.sandbox == Switch::On {
        sandbox::enter(Need::WriteBeneath(&arguments.directory));
    }
    let progress = Progress::default();
    let totals = watched(&export, &progress, manifest, &hashed)?;
    table(&totals);
    summary(&progress, forest.problem_count())
}

/// Prints the manifest of all of the files.
pub(super) fn index(arguments: &IndexArguments) -> Result<(), Failure> {
    let options = Options::parse(&arguments.options, Writer::User)?.with_names(&arguments.names)?;
    let filter = filter(&arguments.filter)?;
    let sources = source::open_all(&arguments.files)?;
    let forest = source::forest(&arguments.files, sources, &options.tree)?;
    let format = match arguments.json {
        true => Format::JsonLines,
        false => Format::Csv,
    };
    let out = BufWriter::new(io::stdout());
    let export = Export {
        forest: &forest,
        target: None,
        threads: processors(),
        filter,
        hashes: !arguments.no_hash,
    };
    let hashed = match arguments.no_hash {
        true => Vec::new(),
        false => opened(&arguments.files)?,
    };
    if options.sandbox == Switch::On {
        sandbox::enter(Need::OpenFiles);
    }
    let progress = Progress::default();
    let manifest = Some(Manifest::new(format, Box::new(out)));
    watched(&export, &progress, manifest, &hashed)?;
    outcome(&progress, forest.problem_count())
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Opens `files` once more, to be hashed.
fn opened(files: &[PathBuf]) -> Result<Vec<(&Path, File)>, Failure> {
    let open =
        |path: &PathBuf| File::open(path).map_err(|error| (path.display().to_string(), error));
    let opened = files.iter().map(|path| Ok((path.as_path(), open(path)?)));
    opened
        .collect::<Result<_, (String, io::Error)>>()
        .map_err(|(path, error)| {
            Failure::new(Exit::Failure, format!("{path}: cannot be opened: {error}"))
        })
}

/// Runs the export under a progress bar, while another thread hashes `sources` if there is a manifest.
fn watched(
    export: &Export<'_>,
    progress: &Progress,
    manifest: Option<Manifest<'_>>,
    sources: &[(&Path, File)],
) -> Result<Totals, Failure> {
    let bar = progress::bar("exporting", false);
    let failed = |path: &Path, reason: &str| {
        if progress.failed.load(Ordering::Relaxed) <= MAX_FAILURES_SHOWN {
            bar.suspend(|| report::error(format_args!("{}: {reason}", path.display())));
        }
    };
    let (totals, written) = thread::scope(|scope| {
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
        let hashing = manifest.is_some().then(|| {
            scope.spawn(|| {
                sources
                    .iter()
                    .map(|(path, file)| Record::of_source(path, file, progress))
                    .collect()
            })
        });
        let mut manifest = manifest;
        let totals = export.run(progress, manifest.as_mut(), &failed);
        let hashes: io::Result<Vec<Record>> = match hashing.map(thread::ScopedJoinHandle::join) {
            None => Ok(Vec::new()),
            Some(Ok(hashes)) => hashes,
            Some(Err(_)) => Err(io::Error::other("the thread that hashes the file panicked")),
        };
        let written = manifest.map_or(Ok(()), |manifest| manifest.finish(hashes?));
        drop(stop);
        (totals, written)
    });
    bar.finish_and_clear();
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Exit::Failure,
            format!("the manifest is not complete: {error}"),
        )),
        _ => Ok(totals),
    }
}

/// Opens a manifest before anything is written; its format is that of its name.
fn create(path: &Path) -> Result<(Format, File), Failure> {
    let fail = |exit, reason: &str| Failure::new(exit, format!("{}: {reason}", path.display()));
    let extension = path.extension().and_then(|extension| extension.to_str());
    let format = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => Format::Csv,
        Some("jsonl" | "ndjson") => Format::JsonLines,
        _ => {
            return Err(fail(
                Exit::Usage,
                "name the manifest .csv or .jsonl, for the format that you want",
            ));
        }
    };
    let file = File::create(path)
        .map_err(|error| fail(Exit::Failure, &format!("cannot be written: {error}")))?;
    Ok((format, file))
}

fn filter(arguments: &FilterArguments) -> Result<Filter, Failure> {
    let time = |date: Date| -> Option<SystemTime> {
        let zoned = date.to_zoned(TimeZone::UTC).ok()?;
        Some(zoned.timestamp().into())
    };
    let day = |option: &str, text: &Option<String>| -> Result<Option<Date>, Failure> {
        let parsed = text.as_ref().map(|text| text.parse::<Date>()).transpose();
        parsed.map_err(|_| {
            Failure::new(
                Exit::Usage,
                format!("{option}: give a day as in {option} 2024-05-31"),
            )
        })
    };
    let last = day("--until", &arguments.until)?;
    Ok(Filter {
        folders: arguments.folders.clone(),
        since: day("--since", &arguments.since)?.and_then(time),
        // The day itself is meant too.
        until: last
            .and_then(|last| last.checked_add(1.day()).ok())
            .and_then(time),
        from: arguments.from.clone(),
        subject: arguments.subject.clone(),
        class: arguments.class.clone(),
    })
}

/// Makes the target directory; one with files in it needs `--resume`.
fn prepare(directory: &Path, resume: bool) -> Result<(), Failure> {
    let fail = |problem: String| {
        Failure::new(Exit::Failure, format!("{}: {problem}", directory.display()))
    };
    match fs::create_dir(directory) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failure::new(
                Exit::NotFound,
                format!(
                    "{}: the directory above it does not exist; make it first",
                    directory.display()
                ),
            ));
        }
        Err(error) => {
            return Err(fail(format!(
                "cannot be made: {error}; choose a place where you may write"
            )));
        }
    }
    let mut entries = fs::read_dir(directory)
        .map_err(|error| fail(format!("cannot be used: {error}; choose a new directory")))?;
    if !resume && entries.next().is_some() {
        return Err(fail(
            "is not empty; choose a new directory, or go on with an earlier export by --resume"
                .into(),
        ));
    }
    Ok(())
}

fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_position(progress.items.load(Ordering::Relaxed));
    let bytes = progress.bytes.load(Ordering::Relaxed);
    bar.set_message(format!("exporting, {}", indicatif::HumanBytes(bytes)));
}

/// What became of the files of each folder.
fn table(totals: &Totals) {
    let folders = totals.folders();
    if folders.is_empty() {
        return;
    }
    let mut text = "   items    found  written   failed  folder".to_owned();
    for (path, total) in folders {
        text.push_str(&format!(
            "\n{:>8} {:>8} {:>8} {:>8}  {}",
            total.items,
            total.found,
            total.written,
            total.failed,
            report::printable(if path.is_empty() { "/" } else { &path })
        ));
    }
    report::say(text);
}

fn summary(progress: &Progress, problems: u64) -> Result<(), Failure> {
    let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    report::say(format_args!(
        "{} files ({} there already), {}; {} failed, {problems} problems",
        get(&progress.written),
        get(&progress.kept),
        indicatif::HumanBytes(get(&progress.bytes)),
        get(&progress.failed)
    ));
    outcome(progress, problems)
}

fn outcome(progress: &Progress, problems: u64) -> Result<(), Failure> {
    let failed = progress.failed.load(Ordering::Relaxed);
    if failed == 0 && problems == 0 {
        return Ok(());
    }
    let reason = if failed > 0 {
        format!(
            "{failed} entries could not be read or written; each is named above with its reason"
        )
    } else {
        format!(
            "{problems} problems, named above; messages that are not whole say so in an X-Ostfs-Problem header"
        )
    };
    Err(Failure::new(Exit::ErrorsFound, reason))
}
