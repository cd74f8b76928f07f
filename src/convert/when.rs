//! When an item is, for its name, its dates and whoever picks items by days.
#![forbid(unsafe_code)]

use super::calendar::span;
use super::lids;
use super::moment::Moment;
use super::people::Resolved;
use super::reader::Reader;
use crate::ltp::FileTime;
use crate::messaging::{ItemKind, Message};

/// What tells when an appointment is, apart from zones.
const TELLING: [lids::Key; 3] = [
    lids::APPOINTMENT_START_WHOLE,
    lids::COMMON_START,
    lids::APPOINTMENT_SUB_TYPE,
];

/// When a message is: when an appointment takes place (a series, its first instance), of all else the time that it bears.
pub fn moment(message: &Message) -> Option<Moment> {
    appointment(message).or_else(|| message.time().map(Moment::Time))
}

/// When an appointment takes place, if `message` is one that says so.
pub fn appointment(message: &Message) -> Option<Moment> {
    if message.class().kind != ItemKind::Appointment {
        return None;
    }
    let reader = Reader::new(message, &|_| Resolved::default());
    span(&reader).map(|(start, _)| start)
}

/// Whether damage may have changed what [`appointment`] tells of `message`.
pub fn is_doubtful(message: &Message) -> bool {
    let ids = TELLING.into_iter().filter_map(|key| key.id(message));
    ids.into_iter()
        .any(|id| message.properties().may_be_wrong(id))
}

/// Start and end of an appointment, if `message` is one: of a series those of all of it. Without an end it goes on for
/// ever.
pub fn period(message: &Message) -> Option<(FileTime, Option<FileTime>)> {
    if message.class().kind != ItemKind::Appointment {
        return None;
    }
    let reader = Reader::new(message, &|_| Resolved::default());
    let (start, end) = span(&reader)?;
    let end = match reader.boolean(lids::RECURRING) {
        // The beginning of its last day.
        true => reader.time(lids::CLIP_END).map(FileTime::next_day),
        false => Some(end.start()),
    };
    Some((start.start(), end))
}
