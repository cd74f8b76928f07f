//! `ostfs export FILE... DIR`: the tree without FUSE, as files or as an archive; `ostfs index FILE...`: the manifest of it alone.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, BufWriter};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::SystemTime;

use indicatif::ProgressBar;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::dedupe::{self, Dedupe};
use super::early_end::{self, EarlyEnd};
use super::exit::Exit;
use super::export_arguments::{ExportArguments, FilterArguments, IndexArguments, LoadFormat, To};
use super::goal::{self, Goal};
use super::options::{Options, Switch};
use super::outputs::Outputs;
use super::problem_list::{Listed, ProblemList};
use super::records::{Hashed, LoadFile};
use super::report::{self, Failure, MAX_SHOWN, counted};
use super::source::Sources;
use super::summary::Counts;
use super::{progress, records, selection};
use crate::compare::Duplicates;
use crate::convert::{Eol, Items};
use crate::export::{
    Export, Filter, Format, Manifest, Problematic, Progress, Stream, Target, Totals,
};
use crate::sandbox::{self, Need};
use crate::tree::{Attachments, Forest, Layout, ProblemLine};

/// The caches unless said otherwise: what is read once is best forgotten before it leaves those of the processor.
pub(super) const CACHE: &str = "cache=8M";

/// Exports all of the files, and fails at the end when anything could not be exported whole. Everything is opened before
/// the sandbox, and what the files hold is looked at in it alone.
pub(super) fn run(arguments: &ExportArguments, counts: &mut Counts) -> Result<(), Failure> {
    let options = options(arguments)?;
    let mut filter = filter(&arguments.filter)?;
    let (files, others) = arguments.exported_and_others();
    let others = others.map(Sources::open).transpose()?;
    let sources = Sources::open(files)?;
    let resume = options.nonempty || arguments.resume;
    let outputs = Outputs::new(arguments.sources(), arguments.force || resume);
    outputs.look_at_all(arguments.lists(), &arguments.directory)?;
    let mut goal = Goal::open(arguments, resume)?;
    let mut lists = Lists::open(arguments, &goal, &outputs, options.tree.redact)?;
    let algorithms = records::algorithms(&arguments.records, true);
    let custodian = arguments.records.custodian.as_deref().unwrap_or_default();
    let hashed = match lists.manifest.is_some() {
        true => Hashed::open(&sources.paths(), algorithms, custodian)?,
        false => Hashed::default(),
    };
    let signals = early_end::signals(goal.output())?;
    if options.sandbox == Switch::On {
        sandbox::enter(goal.need());
    }
    let progress = Progress::default();
    let early_end = EarlyEnd::listen(
        signals,
        goal.output(),
        &arguments.directory,
        arguments.manifest.as_deref(),
        &progress,
    )?;
    let (forest, lost) = sources.forest(&options.tree)?;
    selection::look(&forest, &filter)?;
    if let Some(others) = others {
        let (others, lost) = others.forest(&options.tree)?;
        // Without one of them too much would be taken.
        lost.end(Ok(()))?;
        dedupe::only_in(&forest, &mut filter, &others);
    }
    let dedupe = lists.dedupe.as_ref();
    let duplicates = dedupe.map(|all| all.find(&forest, &mut filter));
    let stream = goal.stream(&forest)?;
    lists.problems.listen(&forest);
    let load_file = LoadFile::wanted(arguments, &forest, &outputs)?;
    let manifest = manifest(&mut lists.manifest, load_file.as_ref());
    let export = Export {
        forest: &forest,
        target: match &stream {
            Some(stream) => Target::Stream(stream),
            None => Target::Directory(&arguments.directory),
        },
        resume,
        spared: outputs.sources(),
        threads: arguments.jobs.unwrap_or_else(progress::processors),
        filter,
        algorithms,
        custodian: custodian.to_owned(),
        by_family: load_file.is_some(),
    };
    let totals = early_end.in_good_order(|| {
        watched(&export, &progress, manifest, &hashed, &|entry| {
            lists.problems.take(entry)
        })
    });
    if progress.is_abandoned()
        && let Some(stream) = &stream
    {
        // The process may end now, and drops nothing then.
        stream.give_up();
    }
    early_end.told(&progress)?;
    let totals = totals?;
    counts.exported(&totals, &progress);
    counts.not_opened = Some(lost.number());
    selection::taken(&export, &totals, &progress)?;
    if let Some(file) = load_file {
        file.publish(&forest, &arguments.directory)?;
    }
    let tell = goal.tell();
    let (dropped, listed) = lists.publish(&forest, goal, stream, duplicates.as_ref())?;
    table(&totals, options.tree.redact, tell);
    dropped.into_iter().for_each(tell);
    let failed = progress.failed.load(Ordering::Relaxed);
    let problems = listed.count.saturating_sub(failed + listed.paths);
    summary(&progress, problems, tell);
    counts.problems = Some(problems);
    lost.end(outcome(failed, problems, &listed.place))
}

/// The options of an export in the form that `arguments` ask for.
fn options(arguments: &ExportArguments) -> Result<Options, Failure> {
    let mut options = Options::of_user(&[CACHE], &arguments.options, &None)?;
    refuse(arguments, &options)?;
    dedupe::refuse(arguments)?;
    match arguments.to {
        To::Maildir => options.tree.layout = Layout::Maildir,
        To::Mbox => {
            options.tree.convert.items = Items::Eml;
            options.tree.attachments = Attachments::Eml;
        }
        To::Files | To::Tar | To::Zip | To::Pst => {}
    }
    options.with_names(&arguments.names)
}

/// The records for the file that was named, and for `load_file`.
fn manifest<'a>(
    file: &'a mut Option<(Format, File)>,
    load_file: Option<&'a LoadFile>,
) -> Manifest<'a> {
    let mut manifest = Manifest::default();
    if let Some((format, file)) = file {
        manifest.add_output(*format, Box::new(BufWriter::new(file)));
    }
    if let Some(file) = load_file {
        manifest.add_output(Format::Concordance, file.out());
    }
    manifest
}

/// The lists that are written beside an export.
struct Lists<'a> {
    manifest: Option<(Format, File)>,
    problems: ProblemList<'a>,
    dedupe: Option<Dedupe<'a>>,
    redact: bool,
}

impl<'a> Lists<'a> {
    /// Opens those that `arguments` ask for.
    fn open(
        arguments: &'a ExportArguments,
        goal: &Goal<'a>,
        outputs: &'a Outputs,
        redact: bool,
    ) -> Result<Self, Failure> {
        let create = |path| records::create(path, arguments.csv_safe, outputs);
        let named = arguments.problems.as_deref();
        Ok(Self {
            manifest: arguments.manifest.as_deref().map(create).transpose()?,
            problems: ProblemList::open(goal, named, outputs, redact)?,
            dedupe: Dedupe::open(arguments, goal.directory(), outputs)?,
            redact,
        })
    }

    /// Writes those of duplicates and problems, ends the archive if `stream` is one, and gives what was written its name. Returns
    /// what is to be said of duplicates, and what became of the list of problems.
    fn publish(
        self,
        forest: &Forest,
        goal: Goal<'_>,
        stream: Option<Stream>,
        duplicates: Option<&Duplicates<'_>>,
    ) -> Result<(Option<String>, Listed), Failure> {
        let archive = stream.map(Stream::into_archive).transpose();
        let mut archive = archive.map_err(|error| goal.cannot(&error))?;
        let dropped = self.dedupe.zip(duplicates);
        let dropped = dropped.map(|(dedupe, found)| dedupe.finish(found, forest, self.redact));
        let dropped = dropped.transpose()?;
        let listed = self
            .problems
            .finish(forest, &goal, archive.as_deref_mut())?;
        if let Some(archive) = &mut archive {
            archive.finish().map_err(|error| goal.cannot(&error))?;
        }
        goal.publish()?;
        Ok((dropped, listed.unwrap_or_default()))
    }
}

/// Refuses what has no meaning for the form of the export.
fn refuse(arguments: &ExportArguments, options: &Options) -> Result<(), Failure> {
    let (to, tree) = (arguments.to, &options.tree);
    let is_one_file = matches!(to, To::Tar | To::Zip);
    let is_mbox = to == To::Mbox;
    let is_recorded = arguments.manifest.is_some() || arguments.records.load_file.is_some();
    let of_records = [
        ("--hash", !arguments.records.hash.is_empty()),
        ("--custodian", arguments.records.custodian.is_some()),
    ];
    if let (Some(option), false) = (first(&of_records), is_recorded) {
        let reason = format!("{option} goes with --manifest or --load-file, or leave it out");
        return Err(Failure::new(Exit::Usage, reason));
    }
    if arguments.csv_safe && arguments.manifest.is_none() && arguments.dedupe.is_none() {
        let reason = "--csv-safe goes with --manifest or --dedupe, or leave it out";
        return Err(Failure::new(Exit::Usage, reason));
    }
    let of_pst = [
        ("--split", arguments.split.is_some()),
        ("--verify", arguments.verify.is_some()),
    ];
    if let Some(option) = first(&of_pst) {
        let reason = format!("{option} goes with --to pst, or leave it out");
        return Err(Failure::new(Exit::Usage, reason));
    }
    let is_list_replaced = arguments.lists().next().is_some();
    if arguments.force && goal::has_many_files(arguments) && !is_list_replaced {
        // Mboxes cannot be gone on with.
        let go_on = match arguments.to {
            To::Mbox => "",
            _ => ", or go on with an earlier export by --resume",
        };
        let reason =
            format!("--force goes with a new file or list to replace; take a new directory{go_on}");
        return Err(Failure::new(Exit::Usage, reason));
    }
    let given = [
        (
            "--load-file",
            (is_one_file || is_mbox) && arguments.records.load_file.is_some(),
        ),
        ("--resume", (is_one_file || is_mbox) && arguments.resume),
        ("--names", is_mbox && arguments.names.is_some()),
        ("-o text", is_mbox && tree.text),
        (
            "-o attachments=dir",
            is_mbox && tree.attachments == Attachments::Dir,
        ),
        ("-o eol=crlf", is_mbox && tree.convert.eol == Eol::Crlf),
        (
            "-o layout=maildir",
            is_mbox && tree.layout == Layout::Maildir,
        ),
    ];
    match first(&given) {
        None => Ok(()),
        Some(option) => Err(Failure::new(
            Exit::Usage,
            format!(
                "--to {} does not go with {option}; leave one of them out",
                to.word()
            ),
        )),
    }
}

/// The first of these options that is given.
fn first<'a>(options: &[(&'a str, bool)]) -> Option<&'a str> {
    let given = options.iter().find(|(_, is_given)| *is_given);
    given.map(|(option, _)| *option)
}

/// Prints the manifest of all of the files.
pub(super) fn index(arguments: &IndexArguments, counts: &mut Counts) -> Result<(), Failure> {
    let options = Options::of_user(&[], &arguments.options, &arguments.names)?;
    let filter = filter(&arguments.filter)?;
    let sources = Sources::open(&arguments.files)?;
    let algorithms = records::algorithms(&arguments.records, !arguments.no_hash);
    let custodian = arguments.records.custodian.as_deref().unwrap_or_default();
    let by_family = arguments.records.load_file.is_some();
    // A load file has no record of a data file.
    let hashed = match arguments.no_hash || by_family {
        true => Hashed::default(),
        false => Hashed::open(&sources.paths(), algorithms, custodian)?,
    };
    if options.sandbox == Switch::On {
        sandbox::enter(Need::OpenFiles);
    }
    let (forest, lost) = sources.forest(&options.tree)?;
    selection::look(&forest, &filter)?;
    let format = match arguments.records.load_file {
        Some(LoadFormat::Dat) => Format::Concordance,
        None if arguments.json => Format::JsonLines,
        None if arguments.csv_safe => Format::SafeCsv,
        None => Format::Csv,
    };
    let out = BufWriter::new(report::output());
    let export = Export {
        forest: &forest,
        target: Target::Nowhere,
        resume: false,
        spared: &[],
        threads: progress::processors(),
        filter,
        algorithms,
        custodian: custodian.to_owned(),
        by_family,
    };
    let progress = Progress::default();
    let mut manifest = Manifest::default();
    manifest.add_output(format, Box::new(out));
    let shown = AtomicU64::new(0);
    let totals = watched(&export, &progress, manifest, &hashed, &|entry| {
        let shown = shown.fetch_add(1, Ordering::Relaxed);
        (shown < MAX_SHOWN).then(|| match (options.tree.redact, entry.failed) {
            (false, _) => Some(entry.line().to_string()),
            (true, Some(reason)) => Some(ProblemLine::new(entry.object, reason).redacted()),
            // The log has it.
            (true, None) => None,
        })?
    })?;
    report::folders_not_whole(&forest, options.tree.redact);
    let failed = progress.failed.load(Ordering::Relaxed);
    let problems = forest.problem_count();
    counts.exported(&totals, &progress);
    counts.problems = Some(problems);
    counts.not_opened = Some(lost.number());
    let place = "the column \"problems\" has those of each file";
    selection::taken(&export, &totals, &progress)?;
    lost.end(outcome(failed, problems, place))
}

/// Runs the export under a progress bar, while another thread hashes `sources`. What `problematic` makes of an entry is printed.
fn watched(
    export: &Export<'_>,
    progress: &Progress,
    mut manifest: Manifest<'_>,
    sources: &Hashed<'_>,
    problematic: &(dyn Fn(&Problematic<'_>) -> Option<String> + Sync),
) -> Result<Totals, Failure> {
    let bar = progress::bar("exporting", false);
    let problematic = |entry: &Problematic<'_>| {
        if let Some(line) = problematic(entry) {
            bar.suspend(|| report::error(line));
        }
    };
    let work = || {
        thread::scope(|scope| {
            let hash = || sources.records(progress);
            let hashing = thread::Builder::new().spawn_scoped(scope, hash);
            let totals = export.run(progress, &mut manifest, &problematic);
            let panicked = || io::Error::other("the thread that hashes the file panicked");
            let hashed = match hashing {
                Ok(hashing) => hashing.join().unwrap_or_else(|_| Err(panicked())),
                Err(_) => hash(),
            };
            // The record of a data file stands at the end of a manifest that is complete.
            let records = hashed.map(|records| match progress.is_abandoned() {
                true => Vec::new(),
                false => records,
            });
            (totals, records.and_then(|records| manifest.finish(records)))
        })
    };
    let count = || export.forest.count_items();
    let (totals, written) = progress::under(&bar, count, |bar| show(bar, progress), work);
    let totals = totals.map_err(|error| Failure::starting(&error))?;
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Exit::Failure,
            format!("the manifest is not complete: {error}"),
        )),
        written => {
            records::tell(written.unwrap_or(0));
            Ok(totals)
        }
    }
}

pub(super) fn filter(arguments: &FilterArguments) -> Result<Filter, Failure> {
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
        left_out: Arc::default(),
    })
}

pub(super) fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_position(progress.items.load(Ordering::Relaxed));
    let bytes = progress.bytes.load(Ordering::Relaxed);
    bar.set_message(format!("exporting, {}", indicatif::HumanBytes(bytes)));
}

/// What became of the files of each folder; nothing where names must stay away from the terminal.
fn table(totals: &Totals, redact: bool, tell: fn(String)) {
    let folders = totals.folders();
    if folders.is_empty() || redact {
        return;
    }
    let mut text = "   items    found  written   failed  folder".to_owned();
    for (path, total) in folders {
        text.push_str(&format!(
            "\n{:>8} {:>8} {:>8} {:>8}  {}{}",
            total.items,
            total.found,
            total.written,
            total.failed,
            report::printable(if path.is_empty() { "/" } else { &path }),
            report::left_on_server(total.on_server)
        ));
    }
    tell(text);
}

fn summary(progress: &Progress, problems: u64, tell: fn(String)) {
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    tell(format!(
        "{} ({} there already), {}; {} failed, {}",
        counted(get(&progress.written), "file"),
        get(&progress.kept),
        indicatif::HumanBytes(get(&progress.bytes)),
        get(&progress.failed),
        counted(problems, "problem")
    ));
}

/// How it ends. The first failures and problems were named one by one; `place` is where all of them are.
fn outcome(failed: u64, problems: u64, place: &str) -> Result<(), Failure> {
    if failed == 0 && problems == 0 {
        return Ok(());
    }
    let failed = match failed {
        0 => String::new(),
        failed => format!(
            "{} could not be read or written, ",
            counted(failed, "entry")
        ),
    };
    let reason = format!("{failed}{}; {place}", counted(problems, "problem"));
    Err(Failure::new(Exit::ErrorsFound, reason))
}
