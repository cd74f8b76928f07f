//! `ostfs export --to pst FILE... PST`: all of it as a new file for Outlook.
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::cell::Cell;
use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::dedupe::{self, Dedupe};
use super::early_end::{self, EarlyEnd, GO_ON, Output};
use super::exit::Exit;
use super::export::{CACHE, filter, show};
use super::export_arguments::{ExportArguments, VerifyHow};
use super::new_file::{self, NewFile};
use super::options::{Options, Switch};
use super::outputs::Outputs;
use super::pst_outcome::{Ended, table};
use super::pst_parts;
use super::pst_targets::{self, Target, Targets};
use super::report::{self, Failure, MAX_SHOWN};
use super::source::{Lost, Sources};
use super::summary::Counts;
use super::{goal, progress, selection, space};
use crate::export::{Filter, Progress};
use crate::ndb::Source;
use crate::output::shown;
use crate::pst::{self, Begin, Export, Failed, Journal, Part, Stage, Verify, Whole, Written};
use crate::sandbox::{self, Need};
use crate::tree::{self, Attachments, Forest, Layout};

/// Bytes of a source that tell it from others: its header.
const START: usize = 4096;

/// Writes all new files, reads each back, and only then gives it its name.
pub(super) fn run(arguments: &ExportArguments, counts: &mut Counts) -> Result<(), Failure> {
    let mut options = Options::of_user(&[CACHE], &arguments.options, &None)?;
    refuse(arguments, &options)?;
    dedupe::refuse(arguments)?;
    // Nobody looks at attachments beside their items.
    options.tree.attachments = Attachments::Eml;
    let replaces = arguments.force || arguments.resume;
    let outputs = Outputs::new(arguments.sources(), replaces);
    outputs.look_at_all(arguments.lists(), &arguments.directory)?;
    let dedupe = Dedupe::open(arguments, None, &outputs)?;
    let filter = filter(&arguments.filter)?;
    let (files, others) = arguments.exported_and_others();
    let others = others.map(Sources::open).transpose()?;
    let mut sources = Sources::open(files)?;
    let targets = pst_targets::of(arguments, files, &outputs)?;
    if arguments.dedupe.is_some() && targets.all.len() > 1 {
        let reason = "--dedupe is for one new PST; name the file, as in: ostfs export --to pst --dedupe a.pst b.pst all.pst";
        return Err(Failure::new(Exit::Usage, reason));
    }
    let signals = early_end::signals(Output::Journaled)?;
    if options.sandbox == Switch::On {
        sandbox::enter(Need::WriteBeneath(&targets.directory));
    }
    let progress = Progress::default();
    let target = &arguments.directory;
    let early_end = EarlyEnd::listen(signals, Output::Journaled, target, None, &progress)?;
    let mut run = Run {
        arguments,
        outputs: &outputs,
        dedupe,
        others: None,
        filter,
        options: options.tree,
        progress,
        early_end,
    };
    run.others = others
        .map(|others| Others::open(others, &run.options))
        .transpose()?;
    let ended = run.write_all(&targets, &mut sources)?;
    let Ended { tally, files, .. } = &ended;
    *counts = Counts {
        items: Some(tally.written + tally.failed),
        files: Some(*files),
        bytes: Some(tally.bytes),
        failed: Some(tally.failed),
        problems: Some(ended.problems),
        not_opened: Some(sources.lost().number()),
        ..Counts::default()
    };
    if ended.files > 0 {
        targets.sweeper.keep();
    }
    sources.lost().end(ended.tell())
}

/// What became of one target.
enum Done {
    /// It was written, or was there already.
    Written(Ended),
    /// The filter takes nothing, so there is no file.
    Nothing(Failure),
    /// None of its sources could be opened.
    Lost,
}

/// What all files of a run have in common.
struct Run<'a> {
    arguments: &'a ExportArguments,
    outputs: &'a Outputs,
    dedupe: Option<Dedupe<'a>>,
    others: Option<Others>,
    filter: Filter,
    options: tree::Options,
    progress: Progress,
    early_end: EarlyEnd,
}

/// What has items that are not to be written.
struct Others {
    forest: Forest,
    /// What tells them from others.
    hash: [u8; 32],
}

impl Others {
    /// All of `sources`: without one of them too much would be written.
    fn open(sources: Sources<'_>, options: &tree::Options) -> Result<Self, Failure> {
        let mut hash = Sha256::new();
        add(&mut hash, &sources);
        let (forest, lost) = sources.forest(options)?;
        lost.end(Ok(()))?;
        let hash = hash.finalize().into();
        Ok(Self { forest, hash })
    }
}

/// Adds to `hash` what tells `sources` from others.
fn add(hash: &mut Sha256, sources: &Sources<'_>) {
    for source in sources.iter().filter_map(|(_, source)| source) {
        hash.update(format!("{} {:?}", source.len(), source.modified()));
        let mut start = vec![0; usize::try_from(source.len()).unwrap_or(START).min(START)];
        // What cannot be read here is told when it is read for good.
        source.read_exact_at(&mut start, 0).ok();
        hash.update(start);
    }
}

fn failure(path: &Path, reason: &str) -> Failure {
    Failure::about(Exit::Failure, path, reason)
}

impl Run<'_> {
    /// Writes all `targets`, each out of its part of `sources`.
    fn write_all(&self, targets: &Targets, sources: &mut Sources<'_>) -> Result<Ended, Failure> {
        let mut ended = Ended::default();
        for target in &targets.all {
            let own = sources.take(target.files.len());
            let (done, lost) = self.write(target, own, targets)?;
            sources.go_on(lost);
            match done {
                Done::Nothing(why) => {
                    if targets.all.len() > 1 {
                        let path = shown(&target.part(1)).to_string();
                        report::error(format_args!("{path}: not written: {}", why.message));
                    }
                    ended.nothing.get_or_insert(why);
                }
                Done::Written(one) => {
                    if !self.options.redact {
                        table(&one.tally.totals);
                    }
                    ended.add(one);
                }
                Done::Lost => {}
            }
        }
        Ok(ended)
    }

    /// Writes `target`, all parts of it, out of `sources`; tells which files could not be opened so far.
    fn write(
        &self,
        target: &Target,
        sources: Sources<'_>,
        targets: &Targets,
    ) -> Result<(Done, Lost), Failure> {
        let first = target.part(1);
        let journal = Journal::new(target.journal(), self.hash(&sources));
        let stage = match self.arguments.resume {
            true => self.earlier(&journal, &first)?,
            false => None,
        };
        let is_done = stage.is_none() && fs::symlink_metadata(&first).is_ok();
        // What is begun beside it was to replace it.
        let is_done = is_done && new_file::begun(&first).is_none();
        let goes_on = self.arguments.resume && targets.named_after_sources;
        if is_done && goes_on && !self.arguments.force {
            report::say(format_args!("{} is there already", shown(&first)));
            return Ok((Done::Written(Ended::default()), sources.lost()));
        }
        if !self.arguments.force {
            pst_parts::look_at_names(target, stage.as_ref(), self.arguments.split)?;
        }
        let (forest, lost) = sources.forest(&self.options)?;
        if forest.stores().next().is_none() {
            return Ok((Done::Lost, lost));
        }
        let mut filter = self.filter.clone();
        if let Err(nothing) = selection::look(&forest, &filter) {
            return Ok((Done::Nothing(nothing), lost));
        }
        if let Some(others) = &self.others {
            dedupe::only_in(&forest, &mut filter, &others.forest);
        }
        let duplicates = self
            .dedupe
            .as_ref()
            .map(|all| (all, all.find(&forest, &mut filter)));
        if filter.is_empty() && !self.arguments.force {
            pst_parts::look_at_room(&forest, target, stage.is_some())?;
        }
        let name = target.name();
        let export = Export {
            forest: &forest,
            filter: filter.clone(),
            name: &name,
            most: self.arguments.split,
            journal: &journal,
        };
        let whole = self.write_parts(&export, target, stage)?;
        journal
            .remove()
            .map_err(|error| failure(&target.journal(), &error.to_string()))?;
        let Some(Whole { number, done, .. }) = whole else {
            return Ok((Done::Nothing(selection::nothing(&forest, &filter)), lost));
        };
        if let Some((all, found)) = &duplicates {
            report::say(all.finish(found, &forest, self.options.redact)?);
        }
        if self.arguments.force && targets.named_after_sources {
            pst_parts::tell_others(targets, target, number)?;
        }
        let ended = Ended {
            tally: done,
            problems: forest.problem_count(),
            ..Ended::default()
        };
        Ok((Done::Written(ended), lost))
    }

    /// What tells this export from others that could have begun the same file.
    fn hash(&self, sources: &Sources<'_>) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        let ExportArguments { split, dedupe, .. } = self.arguments;
        let filter = &self.filter;
        hash.update(format!(
            "{:?} {filter:?} {split:?} {dedupe:?}",
            self.options
        ));
        add(&mut hash, sources);
        if let Some(others) = &self.others {
            hash.update(others.hash);
        }
        hash.finalize().into()
    }

    /// How far an earlier export was.
    fn earlier(&self, journal: &Journal, first: &Path) -> Result<Option<Stage<'static>>, Failure> {
        journal.load().map_err(|error| {
            let reason = format!("{error}; begin anew without --resume, or take the same again");
            failure(first, &reason)
        })
    }

    /// Writes the parts of `target` that an earlier export, which came to `stage`, has not. None if there is nothing to write.
    fn write_parts(
        &self,
        export: &Export<'_>,
        target: &Target,
        stage: Option<Stage<'static>>,
    ) -> Result<Option<Whole>, Failure> {
        let mut begin = match stage {
            None => Begin::New(Part::default()),
            Some(Stage::Writing(saved)) => Begin::Again(saved),
            Some(Stage::Whole(whole)) => {
                let path = target.part(whole.number);
                // It may have its name already.
                if new_file::begun(&path).is_some() {
                    let new = NewFile::resume(&path, self.arguments.force);
                    let published = new.and_then(NewFile::publish);
                    published.map_err(|error| Failure::writing(&path, &error))?;
                }
                match whole.next() {
                    Some(part) => Begin::New(part),
                    None => return Ok(Some(whole.into_owned())),
                }
            }
        };
        loop {
            let Some(whole) = self.write_part(export, target, begin)? else {
                return Ok(None);
            };
            match whole.next() {
                Some(part) => begin = Begin::New(part),
                None => return Ok(Some(whole)),
            }
        }
    }

    /// Writes one part, reads it back, and gives it its name. None if the filter takes nothing, so that there is no file.
    fn write_part(
        &self,
        export: &Export<'_>,
        target: &Target,
        begin: Begin,
    ) -> Result<Option<Whole>, Failure> {
        let force = self.arguments.force;
        let path = target.part(begin.number());
        self.outputs.look_at_new(&path)?;
        if let (Begin::New(part), 1) = (&begin, begin.number()) {
            debug_assert_eq!(*part, Part::default());
            pst_parts::forget(target, export.journal, self.outputs)?;
        }
        let new = match &begin {
            Begin::New(_) => NewFile::create(&path, force),
            Begin::Again(_) => NewFile::resume(&path, force),
        };
        let mut new = new.map_err(|error| Failure::writing(&path, &error))?;
        let (file, again) = new
            .take()
            .map_err(|error| Failure::writing(&path, &error))?;
        new.goes_on_by(target.journal());
        let (progress, redact) = (&self.progress, self.options.redact);
        let work = || watched(export, file, begin, progress, redact);
        let written = self.early_end.in_good_order(work);
        self.early_end.told(progress)?;
        let written = written.map_err(|error| stopped(export, &path, &error))?;
        let done = &written.whole.done;
        if !export.filter.is_empty() && done.written + done.failed == 0 {
            export.journal.remove().ok();
            return Ok(None);
        }
        if let Err(reason) = check(again, &written, self.arguments.verify.unwrap_or_default()) {
            export.journal.remove().ok();
            return Err(failure(&path, &reason));
        }
        let stage = Stage::Whole(Cow::Borrowed(&written.whole));
        let saved = export.journal.save(&stage).map_err(Failed::from);
        saved.map_err(|error| stopped(export, &path, &error))?;
        new.publish()
            .map_err(|error| Failure::writing(&path, &error))?;
        Ok(Some(written.whole))
    }
}

/// What to say if writing ended before its time.
fn stopped(export: &Export<'_>, path: &Path, error: &Failed) -> Failure {
    let mut reason = error.to_string();
    let advice = match error {
        Failed::Write(error) => space::advice(error),
        _ => None,
    };
    if let Some(advice) = advice {
        let again = match export.journal.is_there() {
            true => GO_ON,
            false => "try again",
        };
        reason.push_str(&format!("; {advice}, then {again}"));
    }
    failure(path, &reason)
}

/// Refuses what has no meaning for a PST.
fn refuse(arguments: &ExportArguments, options: &Options) -> Result<(), Failure> {
    if arguments.directory == Path::new(goal::OUTPUT) {
        return Err(goal::no_archive(&arguments.files));
    }
    let given = [
        ("--names", arguments.names.is_some()),
        ("--jobs", arguments.jobs.is_some()),
        ("--problems", arguments.problems.is_some()),
        ("--manifest", arguments.manifest.is_some()),
        ("--load-file", arguments.records.load_file.is_some()),
        ("--hash", !arguments.records.hash.is_empty()),
        ("--custodian", arguments.records.custodian.is_some()),
        (
            "--csv-safe",
            arguments.csv_safe && arguments.dedupe.is_none(),
        ),
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
    begin: Begin,
    progress: &Progress,
    redact: bool,
) -> Result<Written, Failed> {
    let bar = progress::bar("exporting", false);
    let told = Cell::new(0);
    let problematic = |place: &str, reason: &str| {
        told.set(told.get() + 1);
        if told.get() <= MAX_SHOWN && !redact {
            let line = format!("{}: {reason}", report::printable(place));
            bar.suspend(|| report::error(line));
        }
    };
    let count = || export.forest.count_items();
    let work = || export.write(file, begin, progress, &problematic);
    progress::under(&bar, count, |bar| show(bar, progress), work)
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
            "is not kept, since it differs from what was read in {}, the first: {first}; please report this",
            report::counted(count, "item")
        )),
    }
}
