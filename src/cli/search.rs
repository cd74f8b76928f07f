//! `ostfs search FILE... QUERY`: paths of the items that a query fits.
//!
//! Ends as grep(1) does: 0 if something was found, 1 if not, and above that if there was trouble; what kind, the codes of all
//! commands tell.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::arguments::SearchArguments;
use super::contents::Failures;
use super::exit::Exit;
use super::ls;
use super::options::{Options, Switch};
use super::pdf_readers::PdfReaders;
use super::progress::processors;
use super::report::{self, Failure, Output};
use super::selection;
use super::source::{Lost, Sources, is_named_so};
use super::summary::Counts;
use super::word_indexes::{Asked, WordIndexes, by_number};
use crate::export::Filter;
use crate::output;
use crate::output::quoted;
use crate::sandbox::{self, Need};
use crate::search::{Condition, Found, Line, Missed, PdfReader, Query, Search};
use crate::tree::{Attr, Forest, Ino, People, Summary};

/// Looks for QUERY in the files. In place of 1, which states that nothing was found, trouble without a code of its own has 2.
pub(super) fn run(arguments: &SearchArguments, counts: &mut Counts) -> Result<(), Failure> {
    look(arguments, counts).map_err(|failure| match failure.exit {
        Exit::Failure if !failure.message.is_empty() => {
            Failure::new(Exit::NotFound, failure.message)
        }
        _ => failure,
    })
}

/// The query among the words of a command line that was taken for an option, as a shell takes it.
pub(super) fn mistaken_for_option(arguments: &[OsString]) -> Option<String> {
    let (command, words) = arguments.split_first()?;
    let is_query = |word: &&OsString| {
        let text = word.as_encoded_bytes();
        let is_short = text.starts_with(b"-") && !text.starts_with(b"--");
        is_short && text.contains(&b':')
    };
    let query = words.iter().find(is_query)?;
    let query = query.to_string_lossy().replace('\'', r"'\''");
    (command == "search").then(|| format!("'{query}'"))
}

/// The files that `arguments` name before the query.
pub(super) fn sources(arguments: &SearchArguments) -> &[PathBuf] {
    let parted = arguments.files.split_last();
    parted.map_or(&[], |(_, files)| files)
}

fn look(arguments: &SearchArguments, counts: &mut Counts) -> Result<(), Failure> {
    let options = Options::of_user(&[], &arguments.options, &arguments.names)?;
    let now = Timestamp::now().to_zoned(options.tree.zone.clone());
    let query = match &*arguments.files {
        [_, .., query] => query.to_string_lossy(),
        _ => {
            let reason = "give FILE and QUERY, as in: ostfs search old-mailbox.ost budget";
            return Err(Failure::new(Exit::Usage, reason));
        }
    };
    let query = Query::parse(&query, &now)
        .map_err(|error| Failure::new(Exit::Usage, format!("QUERY, {error}")))?;
    look_at_order(arguments)?;
    let mut sources = Sources::open(sources(arguments))?;
    sources.name(options.tree.redact);
    let directory = arguments.index.as_deref();
    let indexes = WordIndexes::open("--index ", directory, &sources, &options.tree)?;
    let threads = arguments.jobs.unwrap_or_else(processors);
    let pdf = PdfReaders::start(threads);
    let pdf = pdf.as_ref().map(|readers| readers as &dyn PdfReader);
    if options.sandbox == Switch::On {
        sandbox::enter(Need::OpenFiles);
    }
    let asked = Asked {
        query: &query,
        now: &now,
        options: &options.tree,
        threads,
        pdf,
    };
    let ruled_out = indexes.rule_out(&sources, &asked);
    let (forest, lost) = sources.forest(&options.tree)?;
    let filter = Filter {
        folders: arguments.folders.clone(),
        ..Filter::default()
    };
    selection::look(&forest, &filter)?;
    look_for_folders(&forest, &query)?;
    let search = Search {
        forest: &forest,
        top: Ino::ROOT,
        query: &query,
        filter,
        now,
        threads,
        lines: arguments.context,
        reads: None,
        named: !arguments.count,
        pdf,
        ruled_out: by_number(ruled_out, &forest),
    };
    let mut printer = Printer {
        arguments,
        zone: &options.tree.zone,
        redact: options.tree.redact,
        out: BufWriter::new(report::output()),
        found: 0,
        written: Ok(()),
    };
    let missed = Missed::default();
    let searched = search.run(
        &missed,
        |candidate| Facts::of(&forest, candidate.ino, arguments),
        |found| printer.take(&found),
    );
    searched.map_err(|error| Failure::starting(&error))?;
    end(printer, &missed, &forest, lost, counts)
}

/// Fails if the arguments are in the order of grep(1), or if the words of a query are arguments of their own.
fn look_at_order(arguments: &SearchArguments) -> Result<(), Failure> {
    let right = |files: &[PathBuf], query: &[PathBuf]| {
        let files: Vec<_> = files.iter().map(|file| quoted(file)).collect();
        let words: Vec<_> = query.iter().map(|word| word.to_string_lossy()).collect();
        let query = words.join(" ");
        format!(
            "ostfs search {} {}",
            files.join(" "),
            quoted(Path::new(&query))
        )
    };
    let wrong = |word: &Path, why: &str, right: String| {
        let reason = format!("no such file; {why}: {right}");
        Err(Failure::about(Exit::NotFound, word, reason))
    };
    let all = arguments.files.as_slice();
    if let Some((first, files)) = all.split_first()
        && files.last().is_some_and(|last| last.is_file())
        && !first.exists()
    {
        let right = right(files, std::slice::from_ref(first));
        return wrong(first, "QUERY comes last", right);
    }
    let words = all.iter().rev().skip(1).take_while(|file| is_word(file));
    let (files, query) = all.split_at(all.len().saturating_sub(1 + words.count()));
    match query {
        [first, _, ..] if !files.is_empty() => {
            let why = "a query of several words is one argument";
            wrong(first, why, right(files, query))
        }
        _ => Ok(()),
    }
}

/// Whether what stands in the place of a file is rather a word of a query: nothing that is there, or looks like a path.
fn is_word(file: &Path) -> bool {
    !file.exists() && !is_named_so(file) && file.components().count() == 1
}

/// Fails if a folder of `query` is not there.
fn look_for_folders(forest: &Forest, query: &Query) -> Result<(), Failure> {
    let mut looked = Ok(());
    query.each(&mut |condition| {
        if let Condition::Folder(path) = condition
            && looked.is_ok()
        {
            looked = selection::look_for(forest, "folder:", path);
        }
    });
    looked
}

/// How the command ends, after all was looked at or nobody wants to read more.
fn end(
    printer: Printer<'_>,
    missed: &Missed,
    forest: &Forest,
    lost: Lost,
    counts: &mut Counts,
) -> Result<(), Failure> {
    let (found, redact) = (printer.found, printer.redact);
    let written = printer.finish();
    let failed = missed.failed.load(Ordering::Relaxed);
    let problems = forest.problem_count().max(failed);
    *counts = Counts {
        items: Some(found),
        failed: Some(failed),
        problems: Some(problems),
        not_searched: Some(missed.unseen.number()),
        not_opened: Some(lost.number()),
        ..Counts::default()
    };
    let mut failures = Failures::default();
    if written.is_ok() {
        if let Some(told) = missed.unseen.told() {
            report::error(report::printable(&told));
        }
        report::not_whole(forest, redact);
        if problems > 0 {
            failures.add(Failure::new(
                Exit::ErrorsFound,
                format!(
                    "met {}; something may not have been found",
                    report::counted(problems, "problem")
                ),
            ));
        }
    }
    let is_written = written.is_ok();
    lost.end(failures.end(written))?;
    match found == 0 && is_written {
        true => Err(Failure::new(Exit::Failure, "")),
        false => Ok(()),
    }
}

/// What is told of an item beside its path.
#[derive(Default)]
struct Facts {
    attr: Option<Attr>,
    summary: Option<Summary>,
    people: People,
}

impl Facts {
    /// Those of the item `ino` that are wanted.
    fn of(forest: &Forest, ino: Ino, arguments: &SearchArguments) -> Self {
        let is_wanted = arguments.long || arguments.json;
        let is_described = arguments.json;
        Self {
            attr: is_wanted.then(|| forest.attr(ino).ok()).flatten(),
            summary: is_described.then(|| forest.summary(ino)).flatten(),
            people: match is_described {
                true => forest.people(ino),
                false => People::default(),
            },
        }
    }
}

/// An item as JSON; names as in `ostfs index`.
#[derive(Serialize)]
struct Record<'a> {
    path: &'a str,
    nid: String,
    folder: &'a str,
    date: String,
    from: &'a str,
    to: &'a str,
    subject: &'a str,
    class: &'a str,
    /// Bytes of the file; null if it cannot be read.
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<&'a [Line]>,
}

/// Prints what is found.
struct Printer<'a> {
    arguments: &'a SearchArguments,
    zone: &'a TimeZone,
    /// Whether names are kept out of what is told.
    redact: bool,
    out: BufWriter<Output>,
    found: u64,
    written: io::Result<()>,
}

impl Printer<'_> {
    /// Prints `found`; returns whether more is wanted.
    fn take(&mut self, found: &Found<Facts>) -> bool {
        self.found += 1;
        if !self.arguments.count {
            self.written = self.print(found);
        }
        self.written.is_ok()
    }

    fn print(&mut self, found: &Found<Facts>) -> io::Result<()> {
        if self.arguments.json {
            let line = output::json(&self.record(found))?;
            return writeln!(self.out, "{line}");
        }
        if let Some(attr) = found.made.attr.filter(|_| self.arguments.long) {
            write!(self.out, "{} ", ls::long(&attr, self.zone))?;
        }
        let end = if self.arguments.null { '\0' } else { '\n' };
        write!(self.out, "{}{end}", found.path)?;
        for line in &found.lines {
            // As grep tells a line that was found from those around it.
            let sign = if line.found { ':' } else { '-' };
            let place = output::cell(&line.place);
            let text = output::cell(&line.text);
            writeln!(self.out, "  {place}{sign}{}{sign} {text}", line.line)?;
        }
        Ok(())
    }

    fn record<'f>(&self, found: &'f Found<Facts>) -> Record<'f> {
        let Facts {
            attr,
            summary,
            people,
        } = &found.made;
        let text = |of: fn(&Summary) -> &String| summary.as_ref().map_or("", |summary| of(summary));
        let date = summary.as_ref().and_then(|item| item.moment?.iso8601());
        Record {
            path: &found.path,
            nid: format!("{:#x}", found.nid),
            folder: &found.folder,
            date: date.unwrap_or_default(),
            from: &people.from,
            to: &people.to,
            subject: text(|item| &item.subject),
            class: text(|item| &item.class),
            size: attr.map(|attr| attr.size),
            lines: self.arguments.context.map(|_| found.lines.as_slice()),
        }
    }

    /// Writes what is left.
    fn finish(mut self) -> io::Result<()> {
        self.written?;
        if self.arguments.count {
            writeln!(self.out, "{}", self.found)?;
        }
        self.out.flush()
    }
}
