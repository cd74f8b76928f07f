//! Spans of time and of size, as they are typed: a value, a comparison or a range.
#![forbid(unsafe_code)]

use jiff::Zoned;
use jiff::civil::Date;

/// Numbers from the first to before the second; without bound where that is None.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The lowest that is within.
    pub from: Option<i64>,
    /// The lowest that is beyond.
    pub until: Option<i64>,
}

/// What to write for a time.
const TIME_ADVICE: &str = "give a time as 2024, 2024-05, 2024-05-31, 2024-05-31T09:30, today, yesterday or 7d (days; also w, m, y), \
                           with <, <=, > or >= before it, or two of these as 2024-01..2024-03";
/// What to write for a size.
const SIZE_ADVICE: &str = "give a size as >1M or <=500K, or a range as 1M..5M";
const DECEMBER: i8 = 12;

impl Span {
    /// From the beginning of this to the end of `other`.
    fn to_end_of(self, other: Self) -> Self {
        Self {
            from: self.from,
            until: other.until,
        }
    }

    /// Whether `number` is within.
    pub fn has(self, number: i64) -> bool {
        self.from.is_none_or(|from| number >= from) && self.until.is_none_or(|until| number < until)
    }

    /// Whether something from `start` to before `end` is within, or that moment itself if nothing lies between; without an
    /// `end` it goes on for ever.
    pub fn meets(self, start: i64, end: Option<i64>) -> bool {
        let is_late_enough = |from: i64| start >= from || end.is_none_or(|end| end > from);
        self.from.is_none_or(is_late_enough) && self.until.is_none_or(|until| start < until)
    }

    /// The seconds since 1970 (UTC) that `text` means at the time `now`, in its zone; an error states what to write.
    pub(super) fn of_time(text: &str, now: &Zoned) -> Result<Self, String> {
        let text = text.to_lowercase();
        // An age alone is all that is no older.
        if let Some(day) = days_back(&text, now) {
            return Ok(Self {
                from: Some(start_of(day, now).ok_or(TIME_ADVICE)?),
                until: None,
            });
        }
        Self::parse(&text, |value| period(value, now)).ok_or_else(|| TIME_ADVICE.to_owned())
    }

    /// The bytes that `text` means; an error states what to write.
    pub(super) fn of_size(text: &str) -> Result<Self, String> {
        let one = |value: &str| {
            let bytes = bytes(value)?;
            Some(Self {
                from: Some(bytes),
                until: Some(bytes.checked_add(1)?),
            })
        };
        let is_bare = !text.starts_with(['<', '>', '=']) && !text.contains("..");
        let span = Self::parse(text, one).filter(|_| !is_bare);
        span.ok_or_else(|| SIZE_ADVICE.to_owned())
    }

    /// A comparison, a range or one value; `one` has the span of a value.
    fn parse(text: &str, one: impl Fn(&str) -> Option<Self>) -> Option<Self> {
        if let Some((first, last)) = text.split_once("..") {
            let bound = |value: &str| match value {
                "" => Some(Self::default()),
                value => one(value),
            };
            let is_bound = !first.is_empty() || !last.is_empty();
            return is_bound
                .then(|| Some(bound(first)?.to_end_of(bound(last)?)))
                .flatten();
        }
        let (comparison, value) = [">=", "<=", ">", "<", "="]
            .into_iter()
            .find_map(|sign| Some((sign, text.strip_prefix(sign)?)))
            .unwrap_or(("=", text));
        let span = one(value)?;
        let (from, until) = match comparison {
            ">=" => (span.from, None),
            "<=" => (None, span.until),
            // Of a time without end nothing lies behind it.
            ">" => (Some(span.until.unwrap_or(i64::MAX)), None),
            "<" => (None, span.from),
            _ => (span.from, span.until),
        };
        Some(Self { from, until })
    }
}

/// A number of bytes, with K, M or G for powers of 1024.
fn bytes(text: &str) -> Option<i64> {
    let (digits, unit) = match text.char_indices().next_back()? {
        (at, 'k' | 'K') => (text.get(..at)?, 10),
        (at, 'm' | 'M') => (text.get(..at)?, 20),
        (at, 'g' | 'G') => (text.get(..at)?, 30),
        _ => (text, 0),
    };
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    let number: i64 = is_number.then(|| digits.parse().ok()).flatten()?;
    number.checked_mul(1 << unit)
}

/// The day that lies so far back, as `7d` has it.
fn days_back(text: &str, now: &Zoned) -> Option<Date> {
    let (at, unit) = text.char_indices().next_back()?;
    let number: i64 = text.get(..at)?.parse().ok().filter(|number| *number >= 0)?;
    let back = match unit {
        'd' => jiff::Span::new().try_days(number),
        'w' => jiff::Span::new().try_weeks(number),
        'm' => jiff::Span::new().try_months(number),
        'y' => jiff::Span::new().try_years(number),
        _ => return None,
    };
    now.date().checked_sub(back.ok()?).ok()
}

/// When `day` begins in the zone of `now`.
pub(super) fn start_of(day: Date, now: &Zoned) -> Option<i64> {
    let zoned = day.to_zoned(now.time_zone().clone()).ok()?;
    Some(zoned.timestamp().as_second())
}

/// The year, month, day, minute or second that `text` means.
fn period(text: &str, now: &Zoned) -> Option<Span> {
    let start = |day: Date| start_of(day, now);
    let days = |first: Date, next: Option<Date>| {
        Some(Span {
            from: Some(start(first)?),
            until: next.and_then(start),
        })
    };
    let day = |day: Date| days(day, day.tomorrow().ok());
    match text {
        "today" => return day(now.date()),
        "yesterday" => return day(now.date().yesterday().ok()?),
        _ => {}
    }
    if let Some(back) = days_back(text, now) {
        return day(back);
    }
    let number = |digits: &str, len: usize| -> Option<i16> {
        let is_number = digits.len() == len && digits.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| digits.parse().ok()).flatten()
    };
    let mut parts = text.splitn(3, '-');
    let year = number(parts.next()?, 4)?;
    let Some(month) = parts.next() else {
        return days(Date::new(year, 1, 1).ok()?, Date::new(year + 1, 1, 1).ok());
    };
    let month = i8::try_from(number(month, 2)?).ok()?;
    let Some(rest) = parts.next() else {
        let next = match month {
            DECEMBER => Date::new(year + 1, 1, 1),
            month => Date::new(year, month + 1, 1),
        };
        return days(Date::new(year, month, 1).ok()?, next.ok());
    };
    match rest.split_once('t') {
        None => day(text.parse().ok()?),
        Some(_) => time(text, now),
    }
}

/// The minute or the second that `text` means.
fn time(text: &str, now: &Zoned) -> Option<Span> {
    const MINUTE: usize = "2024-05-31t09:30".len();
    const SECOND: usize = "2024-05-31t09:30:00".len();
    let seconds = match text.len() {
        MINUTE => 60,
        SECOND => 1,
        _ => return None,
    };
    let time: jiff::civil::DateTime = text.parse().ok()?;
    let zoned = time.to_zoned(now.time_zone().clone()).ok()?;
    let from = zoned.timestamp().as_second();
    Some(Span {
        from: Some(from),
        until: Some(from + seconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Friday in Berlin, where it is an hour later than in UTC.
    fn now() -> Zoned {
        let berlin = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let now: jiff::Timestamp = "2024-03-01T11:00:00Z".parse().unwrap();
        now.to_zoned(berlin)
    }

    /// The bounds of a time as RFC 3339 has them in UTC.
    fn time(text: &str) -> (String, String) {
        let span = Span::of_time(text, &now()).unwrap();
        let shown = |bound: Option<i64>| {
            let shown = bound.map(|at| jiff::Timestamp::from_second(at).unwrap().to_string());
            shown.unwrap_or_default()
        };
        (shown(span.from), shown(span.until))
    }

    /// The zone is that of Berlin: summer time began on 2024-03-31. Each line was compared with GNU date, as in
    /// `TZ=Europe/Berlin date -u -d 'TZ="Europe/Berlin" 2024-04-01' +%FT%TZ`.
    #[test]
    fn a_time_is_all_of_what_it_names_in_the_zone_of_the_user() {
        for (text, from, until) in [
            ("2024", "2023-12-31T23:00:00Z", "2024-12-31T23:00:00Z"),
            ("2024-03", "2024-02-29T23:00:00Z", "2024-03-31T22:00:00Z"),
            ("2024-12", "2024-11-30T23:00:00Z", "2024-12-31T23:00:00Z"),
            ("2024-02-29", "2024-02-28T23:00:00Z", "2024-02-29T23:00:00Z"),
            (
                "2024-05-31T09:30",
                "2024-05-31T07:30:00Z",
                "2024-05-31T07:31:00Z",
            ),
            (
                "2024-05-31t09:30:15",
                "2024-05-31T07:30:15Z",
                "2024-05-31T07:30:16Z",
            ),
            ("today", "2024-02-29T23:00:00Z", "2024-03-01T23:00:00Z"),
            ("Yesterday", "2024-02-28T23:00:00Z", "2024-02-29T23:00:00Z"),
        ] {
            assert_eq!(time(text), (from.to_owned(), until.to_owned()), "{text}");
        }
    }

    #[test]
    fn comparisons_and_ranges_take_whole_periods() {
        let day = "2024-02-28T23:00:00Z";
        let next = "2024-02-29T23:00:00Z";
        for (text, from, until) in [
            (">=2024-02-29", day, ""),
            (">2024-02-29", next, ""),
            ("<2024-02-29", "", day),
            ("<=2024-02-29", "", next),
            ("=2024-02-29", day, next),
            ("2024-02-29..", day, ""),
            ("..2024-02-29", "", next),
            ("2024-01..2024-02-29", "2023-12-31T23:00:00Z", next),
            ("1d", "2024-02-28T23:00:00Z", ""),
            ("1w", "2024-02-22T23:00:00Z", ""),
            ("1m", "2024-01-31T23:00:00Z", ""),
            ("1y", "2023-02-28T23:00:00Z", ""),
            ("2d..1d", "2024-02-27T23:00:00Z", next),
            (">=1d", day, ""),
        ] {
            assert_eq!(time(text), (from.to_owned(), until.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_or_size_is_told_with_what_is() {
        for wrong in [
            "",
            "..",
            ">",
            "24",
            "2024-13",
            "2024-02-30",
            "2024-5-1",
            "-1d",
            "x..y",
            "2024-05-31T9",
            "99999999999y",
        ] {
            assert!(
                Span::of_time(wrong, &now())
                    .unwrap_err()
                    .contains("2024-05-31"),
                "{wrong}"
            );
        }
        for wrong in ["", "1M", "..", ">", ">1T", ">-1", ">M", ">9999999999999G"] {
            assert!(Span::of_size(wrong).unwrap_err().contains(">1M"), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_in_powers_of_1024() {
        let size = |text: &str| Span::of_size(text).unwrap();
        assert!(size(">1M").has((1 << 20) + 1) && !size(">1M").has(1 << 20));
        assert!(size(">=1m").has(1 << 20) && !size("<1m").has(1 << 20));
        assert!(size("1K..2k").has(2048) && !size("1K..2k").has(2049));
        assert!(size("<500").has(0) && size("..500").has(500));
    }

    #[test]
    fn what_lasts_is_met_by_any_part_of_it() {
        let span = Span {
            from: Some(10),
            until: Some(20),
        };
        assert!(span.meets(0, Some(11)) && span.meets(19, Some(30)) && span.meets(0, None));
        assert!(span.meets(10, Some(10)));
        assert!(!span.meets(0, Some(10)) && !span.meets(20, None));
    }
}
