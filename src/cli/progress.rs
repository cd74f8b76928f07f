//! Progress bars on standard error, if that is a terminal.
#![forbid(unsafe_code)]

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use parking_lot::Mutex;

use crate::export::Progress;
use crate::tree;

/// How often a bar is redrawn.
const REDRAW: Duration = Duration::from_millis(100);

/// A bar counted in bytes, or in items, with rate and time left.
pub(super) fn bar(what: &'static str, in_bytes: bool) -> ProgressBar {
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let template = if in_bytes {
        "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left"
    } else {
        "{msg} {wide_bar} {pos}/{len}, {rate}, {eta} left"
    };
    let style = ProgressStyle::with_template(template).map(|style| {
        style.with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            // What is of another kind than items is counted in bytes.
            write!(out, "{} items/s", HumanCount(state.per_sec() as u64)).ok();
        })
    });
    ProgressBar::with_draw_target(Some(0), target)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
}

/// How many threads work at the same time unless the user sets it.
pub(super) fn processors() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// What `work` returns, under a bar with how many of `count` items are done in `progress`.
pub(super) fn of_items<T>(
    what: &'static str,
    count: impl Fn() -> u64 + Send,
    progress: &Progress,
    work: impl FnOnce() -> T,
) -> T {
    let bar = bar(what, false);
    let redraw = |bar: &ProgressBar| bar.set_position(progress.items.load(Ordering::Relaxed));
    under(&bar, count, redraw, work)
}

/// What `work` returns, under `bar`, which has the length `count` and is redrawn by `redraw` as long as it takes.
pub(super) fn under<T>(
    bar: &ProgressBar,
    count: impl Fn() -> u64 + Send,
    redraw: impl Fn(&ProgressBar) + Send,
    work: impl FnOnce() -> T,
) -> T {
    let done = thread::scope(|scope| {
        let (stop, stopped) = channel::<()>();
        let redraw = move || {
            // Nobody waits for the count where nobody sees the bar.
            if !bar.is_hidden() {
                bar.set_length(count());
            }
            while stopped.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
                redraw(bar);
            }
        };
        // Without a thread there is no bar.
        thread::Builder::new().spawn_scoped(scope, redraw).ok();
        let done = work();
        drop(stop);
        done
    });
    bar.finish_and_clear();
    done
}

/// Shows how far the scan of a damaged file is; nothing is drawn unless there is one.
pub(super) fn scan() -> Box<tree::Progress> {
    let shown: Mutex<Option<ProgressBar>> = Mutex::new(None);
    Box::new(move |done, total| {
        let mut shown = shown.lock();
        let bar = shown.get_or_insert_with(|| bar("looking for lost mail", true));
        bar.set_length(total);
        bar.set_position(done);
        if done == total {
            bar.finish_and_clear();
            *shown = None;
        }
    })
}
