//! `ostfs check FILE...`: what is wrong with the file, and which mail that touches.
#![forbid(unsafe_code)]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use indicatif::ProgressBar;
use parking_lot::Mutex;
use serde::Serialize;

use super::arguments::CheckArguments;
use super::exit::Exit;
use super::report::{self, Failure};
use super::summary::{Counts, add};
use super::{progress, source};
use crate::check::{self, Finding, Phase, Report, Severity};
use crate::ndb::Source;
use crate::output::{self, shown};
use crate::sandbox::{self, Need};

/// Checks each file and prints what was found; errors are a failure of their own code. Of several files the worst counts.
pub(super) fn run(arguments: &CheckArguments, counts: &mut Counts) -> Result<(), Failure> {
    let sources: Vec<_> = arguments
        .files
        .iter()
        .map(|file| {
            let source = source::open(file)?;
            Ok(match arguments.files.len() {
                1 => source,
                _ => source.logged_as(&report::printable(&file.to_string_lossy())),
            })
        })
        .collect();
    sandbox::enter(Need::OpenFiles);
    let is_one = arguments.files.len() == 1;
    let mut bad = 0;
    let mut worst = None;
    for (file, source) in arguments.files.iter().zip(sources) {
        match one(arguments, file, source, counts) {
            Err(failure) if failure.exit == Exit::Failure => return Err(failure),
            Err(failure) if is_one => return Err(failure),
            Err(failure) => {
                report::error(&failure.message);
                bad += 1;
                worst = match worst {
                    Some(Exit::NotChecked) => worst,
                    _ => Some(failure.exit),
                };
            }
            Ok(()) => {}
        }
    }
    let of = arguments.files.len();
    let message = format!(
        "{bad} of {}: errors, or cannot be checked, see above",
        report::counted(of as u64, "file")
    );
    match worst {
        Some(exit) => Err(Failure::new(exit, message)),
        None => Ok(()),
    }
}

/// Checks `file`.
fn one(
    arguments: &CheckArguments,
    file: &Path,
    source: Result<Source, Failure>,
    counts: &mut Counts,
) -> Result<(), Failure> {
    let not_checked = |failure: Failure| Failure::new(Exit::NotChecked, failure.message);
    let checked = source.and_then(|source| {
        let report = check::check_source(source, watch());
        report.map_err(|error| Failure::opening(file, &error))
    });
    add(&mut counts.not_opened, checked.is_err().into());
    let report = checked.map_err(not_checked)?;
    add(&mut counts.items, report.messages);
    add(&mut counts.problems, report.errors);
    let told = Told {
        file: file.display().to_string(),
        report: &report,
    };
    let text = if arguments.json {
        output::pretty_json(&told).map_err(|error| {
            Failure::new(
                Exit::NotChecked,
                format!("cannot be written as JSON: {error}"),
            )
        })?
    } else {
        text(&report, arguments.verbose)
    };
    if !text.is_empty() {
        let is_one = arguments.json || arguments.files.len() == 1;
        report::result(match is_one {
            true => text.trim_end().to_owned(),
            false => format!("{}:\n{}", shown(file), text.trim_end()),
        })?;
    }
    if report.errors == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Exit::ErrorsFound,
        format!(
            "{}: {}; the file was not changed, and what can be saved is shown by ostfs mount or export",
            shown(file),
            report::counted(report.errors, "error")
        ),
    ))
}

/// A report as JSON has it.
#[derive(Serialize)]
struct Told<'a> {
    /// Path of the file.
    file: String,
    #[serde(flatten)]
    report: &'a Report,
}

/// A bar for each phase.
fn watch() -> Arc<check::Progress> {
    let shown: Mutex<Option<(Phase, ProgressBar)>> = Mutex::new(None);
    Arc::new(move |phase, done, total| {
        let mut shown = shown.lock();
        if shown.as_ref().is_none_or(|(current, _)| *current != phase) {
            let bar = match phase {
                Phase::Scan => progress::bar("looking for lost mail", true),
                Phase::Blocks => progress::bar("checking blocks", true),
                Phase::Nodes => progress::bar("checking items", false),
            };
            *shown = Some((phase, bar));
        }
        if let Some((_, bar)) = &*shown {
            bar.set_length(total);
            bar.set_position(done);
            if done == total {
                bar.finish_and_clear();
            }
        }
    })
}

fn text(report: &Report, verbose: bool) -> String {
    let is_shown = |severity: Severity| verbose || severity == Severity::Error;
    let mut text = String::new();
    // Writing to a string does not fail.
    if verbose {
        writeln!(
            text,
            "checked {}: {}, {}, {}, {}",
            report::counted(report.size, "byte"),
            report::counted(report.pages, "page"),
            report::counted(report.blocks, "block"),
            report::counted(report.nodes, "node"),
            report::counted(report.messages, "message")
        )
        .ok();
    }
    for kind in report.summary.iter().filter(|kind| is_shown(kind.severity)) {
        let name = name(kind.severity);
        writeln!(text, "{:>8} {name:<8} {}", kind.count, kind.structure).ok();
    }
    for finding in report
        .findings
        .iter()
        .filter(|finding| is_shown(finding.severity))
    {
        writeln!(text, "{}", line(finding)).ok();
    }
    text
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn line(finding: &Finding) -> String {
    let mut line = format!("{}: {}", name(finding.severity), finding.structure);
    if !finding.place.is_empty() {
        write!(line, " ({})", finding.place).ok();
    }
    write!(line, ": {}", finding.problem).ok();
    if let Some(node) = finding.node {
        write!(line, "; touches node {node:#x}").ok();
    }
    if let Some(item) = &finding.item {
        write!(line, ", {}", report::printable(item)).ok();
    }
    if let Some(said) = finding.scanpst {
        write!(line, "; ScanPST: {said}").ok();
    }
    report::printable(&line)
}
