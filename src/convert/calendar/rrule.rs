//! Recurrence patterns as RRULE. RFC 5545 3.3.10
#![forbid(unsafe_code)]

use jiff::civil::{Date, Weekday};

use super::instances::{self, has_day, instances};
use super::recurrence::{Calendar, End, Pattern, RecurrencePattern};

/// Instances of a pattern that no RRULE can say, and that are listed instead.
pub const MAX_LISTED: usize = 500;
/// The week of a month that means the last one.
const LAST_WEEK: u8 = 5;
/// Days that every month has.
const SHORTEST_MONTH: u8 = 28;
const LAST_DAY: u8 = 31;

/// What a pattern becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The first instance, which DTSTART must be: many readers count DTSTART as an instance whatever the rule says.
    pub first: Date,
    /// RRULE; None when instances are listed.
    pub rrule: Option<String>,
    /// The instances after the first, where they are listed.
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
    let mut parts = frequency(recurrence, first);
    match recurrence.end {
        End::Count(count) => parts.push(format!("COUNT={count}")),
        End::Until(date) => parts.push(format!("UNTIL={}", until(date))),
        End::Never => {}
    }
    Some(Rule {
        first,
        rrule: Some(parts.join(";")),
        listed: Vec::new(),
        is_cut: false,
    })
}

fn listed(recurrence: &RecurrencePattern) -> Option<Rule> {
    let mut days = instances(recurrence, MAX_LISTED);
    let is_cut = match recurrence.end {
        End::Never => true,
        End::Count(count) => days.len() < count as usize,
        // A list that is full may have lost its end, one that is not may have come to the end of the known.
        End::Until(until) => days.len() == MAX_LISTED || until.year() > instances::LAST_KNOWN_YEAR,
    };
    let rest = days.split_off(days.len().min(1));
    Some(Rule {
        first: *days.first()?,
        rrule: None,
        listed: rest,
        is_cut,
    })
}

/// The parts of the rule that do not tell when it ends.
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
        _ if recurrence.is_yearly && period.is_multiple_of(12) => {
            interval("YEARLY", period / 12);
            parts.push(format!("BYMONTH={}", first.month()));
            Some(first)
        }
        _ => {
            interval("MONTHLY", period);
            None
        }
    };
    parts.extend(day_of_month(recurrence.pattern, month));
    parts
}

/// The day within the month; `month` has the month if it is always the same.
fn day_of_month(pattern: Pattern, month: Option<Date>) -> Vec<String> {
    // February of a year that is not a leap year, for the days that every such month has.
    let length = month.map_or(SHORTEST_MONTH, |month| match month.month() {
        2 => SHORTEST_MONTH,
        _ => month.days_in_month().unsigned_abs(),
    });
    match pattern {
        Pattern::Month { day } if day <= length => vec![format!("BYMONTHDAY={day}")],
        Pattern::Month { day: LAST_DAY } | Pattern::MonthEnd => vec!["BYMONTHDAY=-1".into()],
        // Outlook takes the last day of a month that is too short; BYMONTHDAY alone would leave the month out.
        Pattern::Month { day } => {
            let days: Vec<String> = (length..=day).map(|day| day.to_string()).collect();
            vec![
                format!("BYMONTHDAY={}", days.join(",")),
                "BYSETPOS=-1".into(),
            ]
        }
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
