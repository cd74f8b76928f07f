//! Recurrence patterns as RRULE. RFC 5545 3.3.10
//!
//! Days that short months lack are listed (RDATE) beside a rule that leaves these months out, as BYSETPOS is misread by
//! ical.js.
#![forbid(unsafe_code)]

use jiff::civil::{Date, Weekday};

use super::instances::{self, has_day, instances};
use super::recurrence::{Calendar, End, Pattern, RecurrencePattern};

/// Instances of a pattern that no RRULE can express, and that are listed instead.
pub const MAX_LISTED: usize = 500;
/// The week of a month that means the last one.
const LAST_WEEK: u8 = 5;
/// Days that every month has.
const SHORTEST_MONTH: u8 = 28;
const LAST_DAY: u8 = 31;
const MONTHS: u32 = 12;
/// Instances of a series among which short months are looked for: a hundred years of months.
const MAX_LOOKED_AT: usize = 1200;

/// What a pattern becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The first instance, which DTSTART must be: many readers count DTSTART as an instance whatever the rule states.
    pub first: Date,
    /// RRULE; None when instances are listed.
    pub rrule: Option<String>,
    /// Instances that the rule does not give; the first among them, as ical.js takes DTSTART for none.
    pub listed: Vec<Date>,
    /// Whether there are more of them.
    pub is_cut: bool,
}

/// The rule of `recurrence`; `until` writes the last day as UNTIL has it. None when it has no instance at all.
pub fn rule(recurrence: &RecurrencePattern, until: impl Fn(Date) -> String) -> Option<Rule> {
    let is_month = !matches!(recurrence.pattern, Pattern::Day | Pattern::Week { .. });
    if is_month && recurrence.calendar != Calendar::Gregorian {
        return listed(recurrence);
    }
    let first = *instances(recurrence, 1).first()?;
    let short = short_months(recurrence);
    let end = match (recurrence.end, &short) {
        // What is listed beside the rule does not count.
        (End::Count(_), Some(short)) => End::Until(short.last),
        (end, _) => end,
    };
    let mut parts = frequency(recurrence, first);
    match end {
        End::Count(count) => parts.push(format!("COUNT={count}")),
        End::Until(date) => parts.push(format!("UNTIL={}", until(date))),
        End::Never => {}
    }
    let is_cut = short.as_ref().is_some_and(|short| short.is_cut);
    Some(Rule {
        first,
        rrule: Some(parts.join(";")),
        listed: short.map(|short| short.days).unwrap_or_default(),
        is_cut,
    })
}

/// The last days of the months that are too short for the day of a pattern.
struct Short {
    days: Vec<Date>,
    /// The last instance of all.
    last: Date,
    /// Whether a series that ends has more instances than are looked at.
    is_cut: bool,
}

/// Outlook takes the last day of a month that is too short, and BYMONTHDAY leaves such a month out. Of the ways to say the
/// former in a rule, each is misread by some program; so these days are listed. None where there are none.
fn short_months(recurrence: &RecurrencePattern) -> Option<Short> {
    let Pattern::Month { day } = recurrence.pattern else {
        return None;
    };
    if day <= SHORTEST_MONTH || day == LAST_DAY || recurrence.period.is_multiple_of(MONTHS) {
        return None;
    }
    let all = instances(recurrence, MAX_LOOKED_AT);
    let last = *all.last()?;
    let is_full = all.len() == MAX_LOOKED_AT;
    let is_short = |date: &Date| date.day().unsigned_abs() < day;
    let mut days: Vec<Date> = all.into_iter().filter(is_short).collect();
    let is_cut = recurrence.end != End::Never && (is_full || days.len() > MAX_LISTED);
    days.truncate(MAX_LISTED);
    (!days.is_empty()).then_some(Short { days, last, is_cut })
}

fn listed(recurrence: &RecurrencePattern) -> Option<Rule> {
    let days = instances(recurrence, MAX_LISTED);
    let is_cut = match recurrence.end {
        End::Never => true,
        End::Count(count) => days.len() < count as usize,
        // A list that is full may have lost its end, one that is not may have come to the end of the known.
        End::Until(until) => days.len() == MAX_LISTED || until.year() > instances::LAST_KNOWN_YEAR,
    };
    Some(Rule {
        first: *days.first()?,
        rrule: None,
        listed: days,
        is_cut,
    })
}

/// The parts of the rule but its end.
fn frequency(recurrence: &RecurrencePattern, first: Date) -> Vec<String> {
    let period = recurrence.period;
    let mut parts = Vec::new();
    let mut interval = |name: &str, period: u32| {
        parts.push(format!("FREQ={name}"));
        if period != 1 {
            parts.push(format!("INTERVAL={period}"));
        }
    };
    let month = match recurrence.pattern {
        Pattern::Day => {
            interval("DAILY", period);
            return parts;
        }
        Pattern::Week { days } => {
            interval("WEEKLY", period);
            parts.push(format!("BYDAY={}", day_list(days)));
            parts.push(format!(
                "WKST={}",
                DAY_NAMES
                    .get(usize::from(recurrence.first_day_of_week))
                    .unwrap_or(&"SU")
            ));
            return parts;
        }
        _ if recurrence.is_yearly && period.is_multiple_of(MONTHS) => {
            interval("YEARLY", period / MONTHS);
            parts.push(format!("BYMONTH={}", first.month()));
            Some(first)
        }
        _ => {
            interval("MONTHLY", period);
            period.is_multiple_of(MONTHS).then_some(first)
        }
    };
    parts.extend(day_of_month(recurrence.pattern, month));
    parts
}

/// The day within the month; `month` has the month if it is always the same.
fn day_of_month(pattern: Pattern, month: Option<Date>) -> Vec<String> {
    // A day beyond the one month that there is, which may be a February without the 29th, is its last.
    let is_last = |day: u8| match month {
        Some(month) if month.month() == 2 => day > SHORTEST_MONTH,
        Some(month) => day > month.days_in_month().unsigned_abs(),
        None => day == LAST_DAY,
    };
    match pattern {
        Pattern::MonthEnd => vec!["BYMONTHDAY=-1".into()],
        Pattern::Month { day } if is_last(day) => vec!["BYMONTHDAY=-1".into()],
        Pattern::Month { day } => vec![format!("BYMONTHDAY={day}")],
        Pattern::MonthNth { days, nth } => {
            let nth = if nth >= LAST_WEEK { -1 } else { i16::from(nth) };
            if days.count_ones() == 1 {
                vec![format!("BYDAY={nth}{}", day_list(days))]
            } else {
                vec![
                    format!("BYDAY={}", day_list(days)),
                    format!("BYSETPOS={nth}"),
                ]
            }
        }
        Pattern::Day | Pattern::Week { .. } => Vec::new(),
    }
}

/// Names of the days of the week, Sunday first.
pub(super) const DAY_NAMES: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

fn day_list(days: u8) -> String {
    let weekdays = [
        Weekday::Sunday,
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
    ];
    let names: Vec<&str> = weekdays
        .into_iter()
        .zip(DAY_NAMES)
        .filter(|(day, _)| has_day(days, *day))
        .map(|(_, name)| name)
        .collect();
    names.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A series on the first day of each Hebrew month, from 1 Shevat 5784 on.
    fn hebrew(end: End) -> Rule {
        let recurrence = RecurrencePattern {
            pattern: Pattern::Month { day: 1 },
            calendar: Calendar::Hebrew,
            is_yearly: false,
            period: 1,
            is_sliding: false,
            end,
            first_day_of_week: 0,
            deleted: Vec::new(),
            start: Date::constant(2024, 1, 11),
            end_date: None,
        };
        rule(&recurrence, |date| date.to_string()).unwrap()
    }

    #[test]
    fn a_listed_series_is_cut_where_it_goes_on_and_nowhere_else() {
        let until = hebrew(End::Until(Date::constant(2024, 6, 30)));
        // New moons of 5784, as calendars print them: Shevat, Adar I, Adar II, Nisan, Iyar, Sivan.
        let months = [(1, 11), (2, 10), (3, 11), (4, 9), (5, 9), (6, 7)];
        let months = months.map(|(month, day)| Date::constant(2024, month, day));
        assert_eq!(until.listed, months);
        assert!(!until.is_cut);
        assert!(!hebrew(End::Count(6)).is_cut);
        assert!(hebrew(End::Never).is_cut);
    }
}
