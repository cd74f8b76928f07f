//! Batches that several threads work on and that come out in their order, with a bound on how far ahead anybody is.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use parking_lot::{Condvar, Mutex};

/// Batches that may be done before the one whose turn it is.
const AHEAD: u64 = 64;

/// Which batch is the next to come out.
#[derive(Default)]
pub(super) struct Turns {
    next: Mutex<u64>,
    changed: Condvar,
}

impl Turns {
    /// Waits until batch `number` is not too far ahead.
    pub fn wait_to_begin(&self, number: u64) {
        self.wait_until(number.saturating_sub(AHEAD));
    }

    /// Waits until all batches before `number` have come out.
    pub fn wait_until(&self, number: u64) {
        let mut next = self.next.lock();
        while *next < number {
            self.changed.wait(&mut next);
        }
    }

    /// Notes that all batches before `number` have come out.
    fn came_to(&self, number: u64) {
        *self.next.lock() = number;
        self.changed.notify_all();
    }
}

/// Batches that are done before their turn.
pub(super) struct InOrder<'a, T> {
    turns: &'a Turns,
    next: u64,
    early: BTreeMap<u64, T>,
}

impl<'a, T> InOrder<'a, T> {
    pub fn new(turns: &'a Turns) -> Self {
        Self {
            turns,
            next: 0,
            early: BTreeMap::new(),
        }
    }

    /// Takes batch `number`, and hands those whose turn has come to `out`, in order.
    pub fn add(&mut self, number: u64, batch: T, mut out: impl FnMut(T)) {
        self.early.insert(number, batch);
        while let Some(batch) = self.early.remove(&self.next) {
            out(batch);
            self.next += 1;
        }
        self.turns.came_to(self.next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_come_out_in_their_order_and_nobody_is_far_ahead() {
        let turns = Turns::default();
        let mut order = InOrder::new(&turns);
        let mut out = Vec::new();
        for number in [2, 0, 3, 1, 4] {
            order.add(number, number, |batch| out.push(batch));
        }
        assert_eq!(out, [0, 1, 2, 3, 4]);
        turns.wait_until(5);
        turns.wait_to_begin(5 + AHEAD);
        let is_waiting = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| turns.wait_to_begin(6 + AHEAD));
            std::thread::sleep(std::time::Duration::from_millis(20));
            let is_waiting = !waiting.is_finished();
            order.add(5, 5, |_| {});
            is_waiting
        });
        assert!(is_waiting);
    }
}
