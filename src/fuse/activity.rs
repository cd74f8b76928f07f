//! When a mount was last used, for those that end when they are not.
//!
//! Such a mount makes the kernel's caches expire after half of its time-out, so that use reaches the process, and ends
//! by an unmount that fails while a file is open or a working directory is there. `statfs` does not count as use.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The time of the last request.
#[derive(Debug)]
pub(super) struct Activity {
    start: Instant,
    /// Milliseconds after `start`.
    last: AtomicU64,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    /// There is a request.
    pub(super) fn note(&self) {
        let now = self.start.elapsed().as_millis() as u64;
        self.last.store(now, Ordering::Relaxed);
    }

    /// How long ago the last request was.
    fn idle(&self) -> Duration {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.start.elapsed().saturating_sub(last)
    }

    /// Calls `end` whenever there was no request for `timeout`, until it succeeds: a file may be open, or a working
    /// directory be there, without any request.
    pub(super) fn watch(&self, timeout: Duration, end: impl Fn() -> bool) {
        loop {
            let idle = self.idle();
            if idle < timeout {
                thread::sleep(timeout - idle);
            } else if end() {
                return;
            } else {
                self.note();
            }
        }
    }
}
