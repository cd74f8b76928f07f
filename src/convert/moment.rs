//! When an item is, for its name, its dates and whoever picks items by days.
//!
//! Names, modification times, `index.csv`, the manifest and the filters all ask here. The contents table has nothing of
//! it for appointments, so a listing opens them.
#![forbid(unsafe_code)]

use jiff::civil::Date;

use super::calendar;
use super::lids;
use super::people::Resolved;
use super::reader::Reader;
use crate::clock;
use crate::ltp::FileTime;
use crate::messaging::{ItemKind, Message};

/// Properties with the time of an appointment, apart from zones.
const TELLING: [lids::Key; 3] = [
    lids::APPOINTMENT_START_WHOLE,
    lids::COMMON_START,
    lids::APPOINTMENT_SUB_TYPE,
];

/// When an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// At a time.
    Time(FileTime),
    /// All of a day, which is the same day wherever it is looked at.
    Day(Date),
}

impl Moment {
    /// Of a message: when an appointment takes place (a series, its first instance), of all else the time that it bears.
    pub fn of(message: &Message) -> Option<Self> {
        appointment(message).or_else(|| message.time().map(Self::Time))
    }

    /// Its beginning. That of a day is midnight in UTC, as it is of days that users name.
    pub fn start(self) -> FileTime {
        match self {
            Self::Time(time) => time,
            Self::Day(day) => FileTime::of_unix_seconds(clock::midnight(day)),
        }
    }

    /// As ISO 8601 has it: a time in UTC, or a day. None outside the years that have four digits.
    pub fn iso8601(self) -> Option<String> {
        match self {
            Self::Time(time) => Some(format!("{}Z", clock::utc(time.unix_seconds())?)),
            Self::Day(day) => Some(day.to_string()),
        }
    }
}

/// When an appointment takes place, if `message` is one and has a time.
pub fn appointment(message: &Message) -> Option<Moment> {
    if message.class().kind != ItemKind::Appointment {
        return None;
    }
    let reader = Reader::new(message, &|_| Resolved::default());
    calendar::span(&reader).map(|(start, _)| start)
}

/// Whether damage may have changed the result of [`appointment`] for `message`.
pub fn is_doubtful(message: &Message) -> bool {
    let ids = TELLING.into_iter().filter_map(|key| key.id(message));
    ids.into_iter()
        .any(|id| message.properties().may_be_wrong(id))
}

/// Start and end of an appointment, if `message` is one: of a series those of all of it. Without an end it goes on for
/// ever.
pub fn appointment_period(message: &Message) -> Option<(FileTime, Option<FileTime>)> {
    if message.class().kind != ItemKind::Appointment {
        return None;
    }
    let reader = Reader::new(message, &|_| Resolved::default());
    let (start, end) = calendar::span(&reader)?;
    let end = match reader.boolean(lids::RECURRING) {
        // The beginning of its last day.
        true => reader.time(lids::CLIP_END).map(FileTime::next_day),
        false => Some(end.start()),
    };
    Some((start.start(), end))
}
