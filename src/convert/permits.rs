//! Permits for parts of a budget, given in the order in which they are asked for.
#![forbid(unsafe_code)]

use parking_lot::{Condvar, Mutex};

/// A budget in bytes, of which everybody waits for their part.
#[derive(Debug)]
pub struct Permits {
    all: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    used: u64,
    /// The number that the next one who asks gets, and the number whose turn it is.
    next: u64,
    turn: u64,
}

/// Room that is given back when it is dropped.
#[derive(Debug)]
pub struct Permit<'a> {
    permits: &'a Permits,
    bytes: u64,
}

impl Permits {
    /// A budget of `all` bytes.
    pub const fn new(all: u64) -> Self {
        Self {
            all,
            state: Mutex::new(State {
                used: 0,
                next: 0,
                turn: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Waits until `bytes` are free, at most all of them, and nobody who has asked before waits.
    pub fn take(&self, bytes: u64) -> Permit<'_> {
        let bytes = bytes.min(self.all);
        let mut state = self.state.lock();
        let number = state.next;
        state.next = number.wrapping_add(1);
        while state.turn != number || state.used + bytes > self.all {
            self.changed.wait(&mut state);
        }
        state.turn = state.turn.wrapping_add(1);
        state.used += bytes;
        drop(state);
        self.changed.notify_all();
        Permit {
            permits: self,
            bytes,
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.permits.state.lock();
        state.used = state.used.saturating_sub(self.bytes);
        drop(state);
        self.permits.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    const ALL: u64 = 8 << 20;

    #[test]
    fn no_more_than_all_is_given_at_a_time_and_everyone_gets_some() {
        let permits = Permits::new(ALL);
        let used = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..8u64 {
                let (permits, used) = (&permits, &used);
                scope.spawn(move || {
                    for round in 0..200 {
                        let bytes = (1 + (thread + round) % 9) * (ALL / 8);
                        let permit = permits.take(bytes);
                        let before = used.fetch_add(permit.bytes, Ordering::SeqCst);
                        assert!(before + permit.bytes <= ALL);
                        used.fetch_sub(permit.bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(permits.state.lock().used, 0);
    }
}
