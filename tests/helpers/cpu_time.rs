//! Time of a processor, which does not grow with what else the machine has to do, as that of a clock does.

use std::fs;
use std::time::Duration;

/// What this thread has taken so far.
pub fn of_this_thread() -> Duration {
    // Nanoseconds on a processor, nanoseconds of waiting for one, turns. proc(5)
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux keeps it");
    let taken = text.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(taken.expect("a number"))
}

/// Does `work` in this thread, which must take less than `limit` for it.
pub fn within<T>(limit: Duration, work: impl FnOnce() -> T) -> T {
    let before = of_this_thread();
    let done = work();
    let taken = of_this_thread() - before;
    assert!(taken < limit, "{taken:?} of a processor, at most {limit:?}");
    done
}
