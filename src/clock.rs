//! Moments as calendars write them, up to the last second of the year 9999: zones cannot be applied to its last day, so that
//! is written in UTC.
#![forbid(unsafe_code)]

#[cfg(feature = "cli")]
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::civil::{Date, DateTime, date};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// The moment `seconds` after 1970-01-01 00:00 UTC, in UTC; None outside the years that have four digits.
pub fn utc(seconds: i64) -> Option<DateTime> {
    let epoch = date(1970, 1, 1).at(0, 0, 0, 0);
    let moment = epoch.checked_add(SignedDuration::from_secs(seconds)).ok()?;
    (moment.year() > 0).then_some(moment)
}

/// Whole seconds from 1970-01-01 00:00 UTC to `moment`, which is in UTC; negative before.
pub fn seconds_to(moment: DateTime) -> i64 {
    let epoch = date(1970, 1, 1).at(0, 0, 0, 0);
    epoch.duration_until(moment).as_secs()
}

/// The same to the midnight that `day` begins with in UTC.
pub fn midnight(day: Date) -> i64 {
    seconds_to(day.at(0, 0, 0, 0))
}

/// As [`utc`], in `zone`, for strftime(3).
pub fn in_zone(seconds: i64, zone: &TimeZone) -> Option<BrokenDownTime> {
    let moment = utc(seconds)?;
    if let Ok(timestamp) = Timestamp::from_second(seconds) {
        return Some(BrokenDownTime::from(&timestamp.to_zoned(zone.clone())));
    }
    let mut time = BrokenDownTime::from(moment);
    time.set_offset(Some(Offset::UTC));
    Some(time)
}

/// Whole seconds from 1970-01-01 00:00 UTC to `time`, negative before.
#[cfg(feature = "cli")]
pub fn seconds(time: SystemTime) -> Option<i64> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).ok(),
        Err(before) => {
            let before = before.duration();
            let whole = before.as_secs() + u64::from(before.subsec_nanos() > 0);
            i64::try_from(whole).ok().map(|whole| -whole)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn all_years_of_four_digits_can_be_written_and_no_other() {
        // date -u -d '9999-12-31 23:59:59' +%s, and of 0001-01-01.
        const LAST: i64 = 253_402_300_799;
        const FIRST: i64 = -62_135_596_800;
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let text = |seconds: i64| {
            let format = "%a, %d %b %Y %H:%M:%S %z";
            in_zone(seconds, &berlin)?.to_string(format).ok()
        };
        assert_eq!(text(LAST).unwrap(), "Fri, 31 Dec 9999 23:59:59 +0000");
        assert_eq!(text(0).unwrap(), "Thu, 01 Jan 1970 01:00:00 +0100");
        assert_eq!(utc(FIRST).unwrap().to_string(), "0001-01-01T00:00:00");
        for outside in [LAST + 1, FIRST - 1, i64::MAX, i64::MIN] {
            assert!(utc(outside).is_none() && text(outside).is_none());
        }
    }

    #[test]
    fn seconds_before_1970_are_negative_and_rounded_down() {
        let half = Duration::from_millis(1500);
        assert_eq!(seconds(UNIX_EPOCH + half), Some(1));
        assert_eq!(seconds(UNIX_EPOCH - half), Some(-2));
    }
}
