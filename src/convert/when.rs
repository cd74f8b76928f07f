//! When an item is, for its name, its dates and whoever picks items by days.
//!
//! Names, modification times, `index.csv`, the manifest and the filters all ask here. The contents table has nothing of
//! it for appointments and journal entries, so a listing opens them.
#![forbid(unsafe_code)]

use super::calendar::{Instances, instances_of, journal_span, span};
use super::lids;
use super::moment::Moment;
use super::people::Resolved;
use super::reader::Reader;
use crate::ltp::FileTime;
use crate::messaging::{ItemKind, Message};

/// Properties that tell when something takes place, apart from zones.
const TELLING: [lids::Key; 4] = [
    lids::APPOINTMENT_START_WHOLE,
    lids::COMMON_START,
    lids::APPOINTMENT_SUB_TYPE,
    lids::LOG_START,
];

/// When a message is: when it takes place (a series, its first instance), of all else the time that it bears.
pub fn moment(message: &Message) -> Option<Moment> {
    takes_place(message).or_else(|| message.time().map(Moment::Time))
}

/// When `message` takes place, if it does and has a time.
pub fn takes_place(message: &Message) -> Option<Moment> {
    of_reader(&reader(message)?).map(|(start, _)| start)
}

/// What reads `message` if it takes place.
fn reader(message: &Message) -> Option<Reader<'_>> {
    let takes_place = message.class().kind.takes_place();
    takes_place.then(|| Reader::new(message, &|_| Resolved::default()))
}

/// From when to when an item takes place; None if it does not, or has no time.
fn of_reader(reader: &Reader<'_>) -> Option<(Moment, Moment)> {
    match reader.message()?.class().kind {
        ItemKind::Appointment => span(reader),
        ItemKind::Journal => journal_span(reader),
        _ => None,
    }
}

/// Whether damage may have changed the result of [`takes_place`] for `message`.
pub fn is_doubtful(message: &Message) -> bool {
    let ids = TELLING.into_iter().filter_map(|key| key.id(message));
    ids.into_iter()
        .any(|id| message.properties().may_be_wrong(id))
}

/// A stretch of time that an item takes. Without an end it goes on for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// When it begins.
    pub start: Moment,
    /// When it is over.
    pub end: Option<Moment>,
}

/// When `message` takes place, each instance of a series by itself; none if it does not, or has no time.
/// What a series has beyond its first thousands of instances, or one whose pattern makes no sense has at all, is one
/// stretch from the first to the last.
pub fn stretches(message: &Message) -> Vec<Stretch> {
    let Some(reader) = reader(message) else {
        return Vec::new();
    };
    let Some((start, end)) = of_reader(&reader) else {
        return Vec::new();
    };
    let stretch = |(start, end)| Stretch {
        start,
        end: Some(end),
    };
    let is_series =
        message.class().kind == ItemKind::Appointment && reader.boolean(lids::RECURRING);
    if !is_series {
        return vec![stretch((start, end))];
    }
    // The beginning of its last day.
    let last = reader.time(lids::CLIP_END).map(FileTime::next_day);
    let all_from = |start: Moment| Stretch {
        start,
        end: last.map(|last| start.alike(last)),
    };
    match instances_of(&reader) {
        Some(Instances { told, rest }) => {
            let told = told.into_iter().map(stretch);
            told.chain(rest.map(all_from)).collect()
        }
        None => vec![all_from(start)],
    }
}
