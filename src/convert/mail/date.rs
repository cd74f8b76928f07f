//! Dates of header fields. RFC 5322 3.3
#![forbid(unsafe_code)]

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;

use crate::clock;
use crate::ltp::FileTime;

/// A date of RFC 5322, for strftime(3).
const DATE_FORMAT: &str = "%a, %d %b %Y %H:%M:%S %z";
/// Years in which mail arrives: a date outside of them in transport headers is a mistake of some program on the way.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2100;

/// Whether `value` is a date that every program understands, in the time of mail.
pub(super) fn is_date(value: &str) -> bool {
    let parser = DateTimeParser::new().relaxed_weekday(true);
    let zoned = parser.parse_zoned(value.trim());
    zoned.is_ok_and(|zoned| YEARS.contains(&zoned.year()))
}

/// Seconds as RFC 5322 has dates, in `zone`; None outside the years of four digits.
pub(super) fn date(time: FileTime, zone: &TimeZone) -> Option<String> {
    let time = clock::in_zone(time.unix_seconds(), zone)?;
    time.to_string(DATE_FORMAT).ok()
}

/// A time as RFC 5322 has dates, in `zone`.
pub(super) fn format_date(time: Timestamp, zone: &TimeZone) -> String {
    let zoned = time.to_zoned(zone.clone());
    zoned.strftime(DATE_FORMAT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_mail() {
        for good in [
            "Thu, 23 Aug 2001 15:49:51 -0700 (PDT)",
            "23 Aug 2001 15:49 GMT",
            "Mon, 23 Aug 2001 15:49:51 +0000",
        ] {
            assert!(is_date(good), "{good}");
        }
        for bad in [
            "",
            "yesterday",
            "23 Aug 4501 00:00:00 +0000",
            "32 Aug 2001 15:49:51 +0000",
        ] {
            assert!(!is_date(bad), "{bad}");
        }
        // 2001-09-09T01:46:40Z is second 1,000,000,000 of Unix time.
        let ticks = (1_000_000_000u64 + 11_644_473_600) * 10_000_000;
        assert_eq!(
            date(FileTime(ticks), &TimeZone::UTC).unwrap(),
            "Sun, 09 Sep 2001 01:46:40 +0000"
        );
        let first = date(FileTime(1), &TimeZone::UTC);
        assert_eq!(first.unwrap(), "Mon, 01 Jan 1601 00:00:00 +0000");
        assert_eq!(date(FileTime(u64::MAX), &TimeZone::UTC), None);
    }
}
