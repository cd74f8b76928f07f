//! `--summary FILE`: one line of JSON about the run itself, for who runs ostfs over thousands of files on many machines.
//!
//! Several runs may share FILE: each appends its line by one write, under a lock where the file system has such, and takes back
//! what a full disk has cut. A run that is killed writes none.
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::exit::Exit;
use super::outputs::Outputs;
use super::report::{self, Failure};
use crate::export::{Algorithms, Progress, Record, Totals};
use crate::output;

/// What is told of the run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Summary")]
pub(super) struct SummaryArguments {
    /// Append a line of JSON about this run to PATH: sources, counts, seconds, exit code. Several runs may share it
    #[arg(long, value_name = "PATH")]
    pub summary: Option<PathBuf>,
    /// With the SHA-256 of each FILE in it, which reads all of FILE once more
    #[arg(long, requires = "summary")]
    pub summary_sha256: bool,
}

/// What a command has counted; None where it counts no such thing, or did not come so far.
#[derive(Debug, Default, Serialize)]
pub(super) struct Counts {
    /// Items that were written, recorded, found or looked at.
    pub items: Option<u64>,
    /// Files that were written or recorded.
    pub files: Option<u64>,
    /// Bytes of these.
    pub bytes: Option<u64>,
    /// What could not be read or written at all.
    pub failed: Option<u64>,
    /// What is not whole; of `check`, errors.
    pub problems: Option<u64>,
    /// Attachments that `search` could not look into.
    pub not_searched: Option<u64>,
    /// Sources that could not be opened.
    pub not_opened: Option<u64>,
}

impl Counts {
    /// Takes what an export or index has done.
    pub fn exported(&mut self, totals: &Totals, progress: &Progress) {
        let get = |counter: &AtomicU64| Some(counter.load(Ordering::Relaxed));
        let folders = totals.folders();
        self.items = Some(folders.iter().map(|(_, total)| total.items).sum());
        self.files = get(&progress.written);
        self.bytes = get(&progress.bytes);
        self.failed = get(&progress.failed);
    }
}

/// Adds `more` to a count.
pub(super) fn add(count: &mut Option<u64>, more: u64) {
    *count = Some(count.unwrap_or(0).saturating_add(more));
}

/// The line.
#[derive(Serialize)]
struct Line<'a> {
    /// Version of the program.
    ostfs: &'static str,
    command: &'a str,
    sources: Vec<Source>,
    #[serde(flatten)]
    counts: Counts,
    seconds: f64,
    exit: u8,
    /// Why the run failed, as it was printed.
    message: &'a str,
}

/// A data file; names as in the manifest.
#[derive(Serialize)]
struct Source {
    path: String,
    size: Option<u64>,
    sha256: Option<String>,
}

/// Runs `command` on `sources` by `run`, and appends what is to be told of that if `asked` to.
pub(super) fn told<'a>(
    asked: &SummaryArguments,
    command: &str,
    sources: impl IntoIterator<Item = &'a PathBuf>,
    run: impl FnOnce(&mut Counts) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut counts = Counts::default();
    let Some(path) = &asked.summary else {
        return run(&mut counts);
    };
    let start = Instant::now();
    let sources: Vec<&Path> = sources.into_iter().map(PathBuf::as_path).collect();
    // Before the sandbox.
    let mut file = Outputs::new(&sources, false).shared_list(path)?;
    let sources: Vec<Opened<'_>> = sources
        .into_iter()
        .map(|source| Opened::new(source, asked.summary_sha256))
        .collect();
    let ended = run(&mut counts);
    let failure = ended.as_ref().err();
    let line = Line {
        ostfs: env!("CARGO_PKG_VERSION"),
        command,
        sources: sources.into_iter().map(Opened::told).collect(),
        counts,
        seconds: start.elapsed().as_secs_f64(),
        exit: failure.map_or(Exit::Success, |failure| failure.exit) as u8,
        message: failure.map_or("", |failure| &failure.message),
    };
    let written = output::json(&line)
        .map_err(io::Error::from)
        .and_then(|line| append(&mut file, &line));
    match (ended, written) {
        (ended, Ok(())) => ended,
        (Ok(()), Err(error)) => Err(Failure::writing(path, &error)),
        (Err(failure), Err(error)) => {
            report::error(&Failure::writing(path, &error).message);
            Err(failure)
        }
    }
}

/// Appends `line` by one write, so that it stays whole beside those of other runs, or not at all.
fn append(file: &mut File, line: &str) -> io::Result<()> {
    // A file system without locks does without, as does a pipe.
    file.lock().ok();
    let before = file.metadata()?.len();
    let line = format!("{line}\n");
    let written = loop {
        match file.write(line.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            written => break written?,
        }
    };
    if written == line.len() {
        return Ok(());
    }
    file.set_len(before)?;
    Err(io::Error::other(
        "there is room for a part of the line alone",
    ))
}

/// A data file as it was when the run began.
struct Opened<'a> {
    path: &'a Path,
    size: Option<u64>,
    file: Option<File>,
}

impl<'a> Opened<'a> {
    /// That at `path`, opened before the sandbox if it is to be hashed.
    fn new(path: &'a Path, is_hashed: bool) -> Self {
        let metadata = fs::metadata(path).ok();
        // Opening a pipe would wait for its writer.
        let is_read = |file: &fs::Metadata| file.is_file() || file.file_type().is_block_device();
        let is_hashed = is_hashed && metadata.as_ref().is_some_and(is_read);
        let size = metadata.filter(fs::Metadata::is_file);
        Self {
            path,
            size: size.map(|file| file.len()),
            file: is_hashed.then(|| File::open(path).ok()).flatten(),
        }
    }

    fn told(self) -> Source {
        let progress = Progress::default();
        let record = |file| Record::of_source(self.path, &file, Algorithms::SHA256, &progress);
        let record = self.file.and_then(|file| record(file).ok());
        Source {
            path: self.path.display().to_string(),
            size: self.size,
            sha256: record.map(|record| record.hashes.sha256),
        }
    }
}
