//! An export that ends before its end: the target is full, or somebody presses Ctrl-C. What stays is whole, or `--resume` goes
//! on with it; all else is removed, and one line says so.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use indicatif::HumanBytes;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

use super::exit::Exit;
use super::new_file::{self, Left};
use super::report::{self, Failure};
use crate::export::Progress;
use crate::output::shown;

/// What the kernel tells of this process, a line for each fact: proc_pid_status(5).
const STATUS: &str = "/proc/self/status";
/// The line with the mask of ignored signals, signal 1 in its lowest bit.
const IGNORED: &str = "SigIgn:";
/// How an export that can be gone on with is gone on with.
pub(super) const GO_ON: &str = "go on by the same command with --resume";

/// What is written, which decides what an early end leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// A stream to somebody else, who has to see that it is not whole: nothing is waited for.
    Stream,
    /// Files in a directory, each of them whole.
    Files,
    /// An mbox for each folder in a directory.
    Mboxes,
    /// A new file that has to be written in one go.
    File,
    /// A new file, or several, with a journal.
    Journaled,
}

/// What ends an export early. Made before the sandbox, as that takes away what it is made with.
pub(super) fn signals(output: Output) -> Result<Signals, Failure> {
    let signals = match output {
        Output::Stream => Vec::new(),
        _ => handled(),
    };
    Signals::new(signals).map_err(|error| unhandled(&error))
}

/// The signals that the process that started this one lets through: under nohup(1), or in the background, some are ignored, and
/// stay so.
fn handled() -> Vec<i32> {
    let status = fs::read_to_string(STATUS).unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix(IGNORED));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let is_let_through = |signal: &i32| ignored.unwrap_or(0) >> (signal - 1) & 1 == 0;
    let all = [SIGINT, SIGTERM, SIGHUP].into_iter();
    all.filter(is_let_through).collect()
}

fn unhandled(error: &io::Error) -> Failure {
    Failure::new(Exit::Failure, format!("signals cannot be handled: {error}"))
}

/// Waits for a signal as long as the export runs.
pub(super) struct EarlyEnd {
    place: Arc<Place>,
}

/// What an early end leaves, and where.
struct Place {
    output: Output,
    target: PathBuf,
    /// A list of what is exported.
    manifest: Option<PathBuf>,
    /// Whether somebody looks at `signal`, and ends in good order.
    is_watched: AtomicBool,
    signal: Arc<AtomicUsize>,
}

impl EarlyEnd {
    /// From now on one of `signals` ends the export to `target`, of which `manifest` is written beside.
    pub(super) fn listen(
        mut signals: Signals,
        output: Output,
        target: &Path,
        manifest: Option<&Path>,
        progress: &Progress,
    ) -> Result<Self, Failure> {
        let place = Arc::new(Place {
            output,
            target: target.to_path_buf(),
            manifest: manifest.map(Path::to_path_buf),
            is_watched: AtomicBool::new(false),
            signal: Arc::clone(&progress.signal),
        });
        let handler = Arc::clone(&place);
        let thread = thread::Builder::new().name("signals".to_owned());
        let started = thread.spawn(move || {
            for signal in signals.forever() {
                handler.handle(signal);
            }
        });
        started.map_err(|error| unhandled(&error))?;
        Ok(Self { place })
    }

    /// What `work` returns, which looks at the signal of its progress: the first one ends it in good order, a second one at
    /// once.
    pub(super) fn in_good_order<T>(&self, work: impl FnOnce() -> T) -> T {
        self.place.is_watched.store(true, Ordering::SeqCst);
        let done = work();
        self.place.is_watched.store(false, Ordering::SeqCst);
        done
    }

    /// Tells how far the export came if it ended early. After a signal the process ends by it, as whoever sent it expects.
    pub(super) fn told(&self, progress: &Progress) -> Result<(), Failure> {
        let so_far = match self.place.output {
            Output::Files => format!(
                "{}, {}, are there and whole; ",
                report::counted(progress.written.load(Ordering::Relaxed), "file"),
                HumanBytes(progress.bytes.load(Ordering::Relaxed))
            ),
            _ => String::new(),
        };
        if let (Output::Files, Some(reason)) = (self.place.output, progress.full()) {
            let message = self
                .place
                .message(&format!("{reason}; {so_far}make room, then {GO_ON}"));
            return Err(Failure::new(Exit::Failure, message));
        }
        match i32::try_from(self.place.signal.load(Ordering::SeqCst)) {
            Ok(signal) if signal != 0 => Err(self.place.end(signal, &so_far)),
            _ => Ok(()),
        }
    }
}

impl Place {
    fn handle(&self, signal: i32) {
        let number = usize::try_from(signal).unwrap_or_default();
        let is_first = self.signal.swap(number, Ordering::SeqCst) == 0;
        if !is_first || !self.is_watched.load(Ordering::SeqCst) {
            self.end(signal, "");
        }
    }

    /// Ends the process by `signal`, with a word on what is left. Returns what to say where that does not end it.
    fn end(&self, signal: i32, so_far: &str) -> Failure {
        let left = new_file::remove_unfinished();
        let next = match (self.output, left) {
            (Output::Files, _) | (Output::Journaled, Left::Something) => GO_ON,
            (Output::Mboxes, _) => {
                "what is there is whole, but not all, and cannot be gone on with; begin anew in another directory"
            }
            (Output::File, _) => {
                "what was written of it cannot be gone on with, and is removed; begin anew by the same command"
            }
            (Output::Journaled | Output::Stream, _) => {
                "nothing of it is left; begin anew by the same command"
            }
        };
        let message = self.message(&format!("interrupted; {so_far}{next}"));
        report::error(&message);
        low_level::emulate_default_handler(signal).ok();
        Failure::new(Exit::Failure, message)
    }

    fn message(&self, what: &str) -> String {
        let manifest = self
            .manifest
            .as_ref()
            .map(|manifest| format!("; {} is not complete", shown(manifest)));
        let manifest = manifest.unwrap_or_default();
        format!("{}: {what}{manifest}", shown(&self.target))
    }
}
