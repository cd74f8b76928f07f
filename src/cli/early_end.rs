//! An export that ends before its end: the target is full, or somebody presses Ctrl-C. What is there is whole, and the
//! same command goes on with `--resume`.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::HumanBytes;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use super::exit::Exit;
use super::report::{self, Failure};
use crate::export::Progress;
use crate::output::shown;

/// What the kernel tells of this process, a line for each fact: proc_pid_status(5).
const STATUS: &str = "/proc/self/status";
/// The line with the mask of ignored signals, signal 1 in its lowest bit.
const IGNORED: &str = "SigIgn:";

/// What ends the export early, of what the process that started it lets through: under nohup(1), or in the background, some
/// are ignored, and stay so. To be asked before the sandbox.
pub(super) fn signals() -> Vec<i32> {
    let status = fs::read_to_string(STATUS).unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix(IGNORED));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let is_heard = |signal: &i32| ignored.unwrap_or(0) >> (signal - 1) & 1 == 0;
    let all = [SIGINT, SIGTERM, SIGHUP].into_iter();
    all.filter(is_heard).collect()
}

/// From now on the first of `signals` ends the export of `progress` in good order, a second one at once.
pub(super) fn listen(signals: Vec<i32>, progress: &Progress) -> Result<(), Failure> {
    let register = |signal: i32| -> io::Result<()> {
        let is_second = Arc::new(AtomicBool::new(false));
        flag::register_conditional_default(signal, Arc::clone(&is_second))?;
        flag::register(signal, is_second)?;
        let number = usize::try_from(signal).map_err(io::Error::other)?;
        flag::register_usize(signal, Arc::clone(&progress.signal), number)?;
        Ok(())
    };
    let registered = signals.into_iter().try_for_each(register);
    registered
        .map_err(|error| Failure::new(Exit::Failure, format!("signals cannot be heard: {error}")))
}

/// Tells how far the export into `directory` came if it ended early. After a signal the process ends by it, as whoever sent
/// it expects.
pub(super) fn told(progress: &Progress, directory: &Path) -> Result<(), Failure> {
    let so_far = || {
        format!(
            "{} files, {}, are there and whole",
            progress.written.load(Ordering::Relaxed),
            HumanBytes(progress.bytes.load(Ordering::Relaxed))
        )
    };
    let directory = shown(directory);
    if let Some(reason) = progress.full() {
        let so_far = so_far();
        let message = format!(
            "{directory}: {reason}; {so_far}; make room, then go on by the same command with --resume"
        );
        return Err(Failure::new(Exit::Failure, message));
    }
    let signal = progress.signal.load(Ordering::Relaxed);
    if signal == 0 {
        return Ok(());
    }
    let so_far = so_far();
    let message =
        format!("{directory}: interrupted; {so_far}; go on by the same command with --resume");
    report::error(&message);
    if let Ok(signal) = i32::try_from(signal) {
        low_level::emulate_default_handler(signal).ok();
    }
    Err(Failure::new(Exit::Failure, message))
}
