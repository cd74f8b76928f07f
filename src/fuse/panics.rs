//! A panic while a request is answered: its text and place are kept for the log, and the mount lives on.
#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside [`catch`].
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// Text and place of the last panic that [`catch`] stopped.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes the panics that [`catch`] stops silent, so that each is logged once and not printed on every read; all others
/// go to the hook that was there before. Holds for the whole process.
pub(super) fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() {
                LAST.set(Some(info.to_string().replace('\n', " ")));
            } else {
                previous(info);
            }
        }));
    });
}

/// Runs `request`; a panic in it becomes an error that states where it happened.
///
/// `AssertUnwindSafe`: what a request can leave half done is in caches behind locks that do not poison; they hold
/// complete values only.
pub(super) fn catch<T>(request: impl FnOnce() -> T) -> Result<T, String> {
    CATCHING.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(request));
    CATCHING.set(false);
    result.map_err(|_| LAST.take().unwrap_or_else(|| "panicked".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        assert_eq!(catch(|| 5), Ok(5));
        let caught = catch(|| -> u32 { panic!("request went wrong") });
        assert!(caught.is_err());
        assert_eq!(catch(|| 6), Ok(6));
    }
}
