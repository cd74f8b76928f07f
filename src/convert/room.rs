//! Memory for the text of files in the making: one budget for all threads and all open files, as memory is that of the
//! process. The text of a message is in memory several times while its file is made, so a thread that wants to make a
//! large one waits until there is room for it; the others go on with small ones.
//!
//! The budget is 8 MiB at a time, of which less than 256 KiB need not be asked for; a longer text has it alone. Whoever
//! finds on the way that the messages within a message need more gives back what he has and begins anew with all of it,
//! so nobody waits for another who waits for him.
#![forbid(unsafe_code)]

use parking_lot::{Condvar, Mutex};

use crate::ltp::tags;
use crate::messaging::Message;

/// Bytes of stored text that all threads together turn into files at the same time. One larger text has them alone.
const ALL: u64 = 8 << 20;
/// Text that needs no permit: most messages have less.
const FREE: u64 = 256 << 10;
/// Compressed RTF becomes so much longer, mostly.
const RTF_GROWS: u64 = 4;
/// Bytes of text within one file before no more messages are followed: so often the size of the data file, up to the
/// second. They may all share one large body.
const TIMES: u64 = 4;
const MAX_TEXT: u64 = 256 << 20;
/// Messages within one file. A hostile one can embed the same message again and again.
pub(super) const MAX_MESSAGES: usize = 1000;

/// Permits, given in the order in which they are asked for.
#[derive(Debug)]
struct Permits {
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

static PERMITS: Permits = Permits::new();

/// Room that is given back when it is dropped.
struct Permit<'a> {
    permits: &'a Permits,
    bytes: u64,
}

impl Permits {
    const fn new() -> Self {
        Self {
            state: Mutex::new(State {
                used: 0,
                next: 0,
                turn: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Waits until `bytes` are free, at most all of them, and nobody who has asked before waits.
    fn take(&self, bytes: u64) -> Permit<'_> {
        let bytes = bytes.min(ALL);
        let mut state = self.state.lock();
        let number = state.next;
        state.next = number.wrapping_add(1);
        while state.turn != number || state.used + bytes > ALL {
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

/// Room for the text of one file, of which each message in it takes its part.
#[derive(Debug)]
pub(crate) struct Room {
    left: u64,
    is_short: bool,
}

impl Room {
    /// Takes room for the bodies of `message`. Where that fails, nothing is made of it.
    pub fn take(&mut self, message: &Message) -> bool {
        let rest = self.left.checked_sub(text_of(message));
        self.left = rest.unwrap_or(0);
        self.is_short |= rest.is_none();
        rest.is_some()
    }
}

/// The file that `make` makes of `message` once there is room for its text. If the messages within it turn out to have
/// more, it is made once more when there is room for any text; then [`Room`] ends where the file has too much of it.
pub(super) fn with_room<T>(message: &Message, make: impl Fn(&Message, &mut Room) -> T) -> T {
    let own = text_of(message);
    if own <= ALL {
        let wanted = own.max(FREE);
        let _permit = (wanted > FREE).then(|| PERMITS.take(wanted));
        let mut room = Room {
            left: wanted,
            is_short: false,
        };
        let made = make(message, &mut room);
        if !room.is_short {
            return made;
        }
    }
    let _permit = PERMITS.take(ALL);
    let mut room = Room {
        left: own.max(message.store().ndb().longest_text(TIMES, MAX_TEXT)),
        is_short: false,
    };
    // What was too much before is not told.
    make(&message.afresh(), &mut room)
}

/// Bytes of the stored bodies of `message`, as long as they become; nothing of them is read.
fn text_of(message: &Message) -> u64 {
    let Some(context) = message.properties().context() else {
        return 0;
    };
    // Of more, only the beginning is read.
    let longest = context.node().ndb().longest_text(1, MAX_TEXT);
    let bodies = [
        (tags::BODY, 1),
        (tags::HTML, 1),
        (tags::RTF_COMPRESSED, RTF_GROWS),
    ];
    let lengths = bodies.into_iter().map(|(id, times)| {
        // What cannot be opened is told where it is read.
        let stream = context.stream(id).ok().flatten();
        let len = stream.map_or(0, |stream| stream.len());
        len.min(longest).saturating_mul(times)
    });
    lengths.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn no_more_than_all_is_given_at_a_time_and_everyone_gets_some() {
        let permits = Permits::new();
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
