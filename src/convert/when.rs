//! When an item is, for its name, its dates and whoever picks items by days.
//!
//! Names, modification times, `index.csv`, the manifest and the filters all ask here. The contents table has nothing of
//! it for appointments, so a listing opens them.
#![forbid(unsafe_code)]

use super::calendar::{Instances, instances_of, span};
use super::lids;
use super::moment::Moment;
use super::people::Resolved;
use super::reader::Reader;
use crate::ltp::FileTime;
use crate::messaging::{ItemKind, Message};

/// Properties with the time of an appointment, apart from zones.
const TELLING: [lids::Key; 3] = [
    lids::APPOINTMENT_START_WHOLE,
    lids::COMMON_START,
    lids::APPOINTMENT_SUB_TYPE,
];

/// When a message is: when an appointment takes place (a series, its first instance), of all else the time that it bears.
pub fn moment(message: &Message) -> Option<Moment> {
    appointment(message).or_else(|| message.time().map(Moment::Time))
}

/// When an appointment takes place, if `message` is one and has a time.
pub fn appointment(message: &Message) -> Option<Moment> {
    if message.class().kind != ItemKind::Appointment {
        return None;
    }
    let reader = Reader::new(message, &|_| Resolved::default());
    span(&reader).map(|(start, _)| start)
}

/// Whether damage may have changed the result of [`appointment`] for `message`.
pub fn is_doubtful(message: &Message) -> bool {
    let ids = TELLING.into_iter().filter_map(|key| key.id(message));
    ids.into_iter()
        .any(|id| message.properties().may_be_wrong(id))
}

/// A stretch of time that an appointment takes. Without an end it goes on for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// When it begins.
    pub start: Moment,
    /// When it is over.
    pub end: Option<Moment>,
}

/// When an appointment takes place, each instance of a series by itself; none if `message` is no appointment, or has no time.
/// What a series has beyond its first thousands of instances, or one whose pattern makes no sense has at all, is one
/// stretch from the first to the last.
pub fn stretches(message: &Message) -> Vec<Stretch> {
    if message.class().kind != ItemKind::Appointment {
        return Vec::new();
    }
    let reader = Reader::new(message, &|_| Resolved::default());
    let Some((start, end)) = span(&reader) else {
        return Vec::new();
    };
    let stretch = |(start, end)| Stretch {
        start,
        end: Some(end),
    };
    if !reader.boolean(lids::RECURRING) {
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
