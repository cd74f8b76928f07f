//! Memory for the text of files in the making: one budget for all threads and all open files, as memory is that of the
//! process. The text of a message is in memory several times while its file is made, so a thread that wants to make a
//! large one waits until there is room for it; the others go on with small ones.
//!
//! The budget is 8 MiB at a time, of which less than 256 KiB need not be asked for; a longer text has it alone. Whoever
//! finds on the way that the messages within a message need more gives back what he has and begins anew with all of it,
//! so nobody waits for another who waits for him.
#![forbid(unsafe_code)]

use super::permits::Permits;
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

static PERMITS: Permits = Permits::new(ALL);

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
