//! How many batches of an export are under way.

use parking_lot::{Condvar, Mutex};

/// How many batches are still to be written.
#[derive(Default)]
pub(super) struct Pending {
    count: Mutex<u64>,
    none: Condvar,
}

/// One batch that is being written.
pub(super) struct OnePending<'a>(&'a Pending);

impl Drop for OnePending<'_> {
    fn drop(&mut self) {
        let mut count = self.0.count.lock();
        *count -= 1;
        if *count == 0 {
            self.0.none.notify_all();
        }
    }
}

impl Pending {
    pub(super) fn add_one(&self) {
        *self.count.lock() += 1;
    }

    /// Counts one as written when what is returned is dropped, also in a thread that panics.
    pub(super) fn one(&self) -> OnePending<'_> {
        OnePending(self)
    }

    pub(super) fn wait(&self) {
        let mut count = self.count.lock();
        while *count > 0 {
            self.none.wait(&mut count);
        }
    }
}
