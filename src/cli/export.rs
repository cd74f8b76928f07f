//! `ostfs export FILE... DIR`: the tree without FUSE.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::ExportArguments;
use super::exit::Exit;
use super::options::{Options, Writer};
use super::report::{self, Failure};
use super::source;
use crate::export::{self, Progress};

/// How often the progress bar is redrawn.
const REDRAW: Duration = Duration::from_millis(100);
/// Failures printed one by one; what comes after is only counted.
const MAX_FAILURES_SHOWN: u64 = 100;

/// Exports all of the files, and fails at the end when anything could not be exported whole.
pub(super) fn run(arguments: &ExportArguments) -> Result<(), Failure> {
    let options = Options::parse(&arguments.options, Writer::User)?.with_names(&arguments.names)?;
    let forest = source::open(&arguments.files, &options.tree)?;
    prepare(&arguments.directory, options.nonempty)?;
    let threads = arguments
        .jobs
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    let progress = Progress::default();
    let bar = bar();
    let failed = |path: &Path, reason: &str| {
        if progress.failed.load(Ordering::Relaxed) <= MAX_FAILURES_SHOWN {
            bar.suspend(|| report::error(format_args!("{}: {reason}", path.display())));
        }
    };
    std::thread::scope(|scope| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let (bar, progress) = (&bar, &progress);
        scope.spawn(move || {
            while stopped
                .recv_timeout(REDRAW)
                .is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                show(bar, progress);
            }
        });
        export::export(&forest, &arguments.directory, threads, progress, failed);
        drop(stop);
    });
    bar.finish_and_clear();
    summary(&progress, forest.problem_count())
}

/// Makes the target directory; one with files in it needs `-o nonempty`.
fn prepare(directory: &Path, nonempty: bool) -> Result<(), Failure> {
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
    if !nonempty && entries.next().is_some() {
        return Err(fail(
            "is not empty; choose a new directory, or go on with an earlier export by -o nonempty"
                .into(),
        ));
    }
    Ok(())
}

fn bar() -> ProgressBar {
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} items, {msg}, {elapsed}");
    ProgressBar::with_draw_target(Some(0), target)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(bar: &ProgressBar, progress: &Progress) {
    let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    bar.set_length(get(&progress.found));
    bar.set_position(get(&progress.written) + get(&progress.failed));
    bar.set_message(indicatif::HumanBytes(get(&progress.bytes)).to_string());
}

fn summary(progress: &Progress, problems: u64) -> Result<(), Failure> {
    let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    let (written, kept, failed) = (
        get(&progress.written),
        get(&progress.kept),
        get(&progress.failed),
    );
    report::say(format_args!(
        "{written} files ({kept} there already), {}; {failed} failed, {problems} problems",
        indicatif::HumanBytes(get(&progress.bytes))
    ));
    if failed == 0 && problems == 0 {
        return Ok(());
    }
    let reason = if failed > 0 {
        format!("{failed} entries could not be exported; each is named above with its reason")
    } else {
        format!(
            "{problems} problems, named above; messages that are not whole say so in an X-Ostfs-Problem header"
        )
    };
    Err(Failure::new(Exit::ErrorsFound, reason))
}
