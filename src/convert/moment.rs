//! A time or a day, as an item has it.
#![forbid(unsafe_code)]

use jiff::civil::Date;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use crate::clock;
use crate::ltp::FileTime;

/// When an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// At a time.
    Time(FileTime),
    /// All of a day, which is the same day wherever it is looked at.
    Day(Date),
}

impl Moment {
    /// Its beginning. That of a day is midnight in UTC, as it is of days that users name.
    pub fn start(self) -> FileTime {
        match self {
            Self::Time(time) => time,
            Self::Day(day) => FileTime::of_unix_seconds(clock::midnight(day)),
        }
    }

    /// `time` as a moment of this kind: as the time that it is, or the day that has it in UTC.
    pub(super) fn alike(self, time: FileTime) -> Self {
        let day = clock::utc(time.unix_seconds()).map(|time| Self::Day(time.date()));
        match (self, day) {
            (Self::Day(_), Some(day)) => day,
            _ => Self::Time(time),
        }
    }

    /// As it is in `zone`, for strftime(3); a day is the same in every zone. None outside the years that have four digits.
    pub(crate) fn in_zone(self, zone: &TimeZone) -> Option<BrokenDownTime> {
        let zone = match self {
            Self::Time(_) => zone,
            Self::Day(_) => &TimeZone::UTC,
        };
        clock::in_zone(self.start().unix_seconds(), zone)
    }

    /// As ISO 8601 has it: a time in UTC, or a day. None outside the years that have four digits.
    pub fn iso8601(self) -> Option<String> {
        match self {
            Self::Time(time) => Some(format!("{}Z", clock::utc(time.unix_seconds())?)),
            Self::Day(day) => Some(day.to_string()),
        }
    }
}
