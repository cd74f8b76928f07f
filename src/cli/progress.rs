//! Progress bars on standard error, if that is a terminal.
#![forbid(unsafe_code)]

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;

use crate::tree;

/// A bar counted in bytes, or in things, with rate and time left.
pub(super) fn bar(what: &'static str, in_bytes: bool) -> ProgressBar {
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let template = if in_bytes {
        "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left"
    } else {
        "{msg} {wide_bar} {pos}/{len}, {per_sec}, {eta} left"
    };
    let style = ProgressStyle::with_template(template);
    ProgressBar::with_draw_target(Some(0), target)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
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
