//! The days of a recurrence pattern, in any calendar. [MS-OXOCAL] 2.2.1.44.1
#![forbid(unsafe_code)]

use icu_calendar::{AnyCalendar, AnyCalendarKind, Date as AnyDate, Iso};
use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

use super::recurrence::{Calendar, End, Pattern, RecurrencePattern};

/// Days, weeks or months that are looked at: more than a thousand years of months.
const MAX_STEPS: usize = 20_000;
/// The week of a month that means the last one.
const LAST: u8 = 5;
/// Year after which the months of calendars by the moon are guesses, and slow ones.
pub(super) const LAST_KNOWN_YEAR: i16 = 2100;

/// The first `limit` days of `recurrence`, deleted ones included; fewer if it ends before.
pub fn instances(recurrence: &RecurrencePattern, limit: usize) -> Vec<Date> {
    let (until, limit) = match recurrence.end {
        End::Until(date) => (date, limit),
        End::Count(count) => (Date::MAX, limit.min(count as usize)),
        End::Never => (Date::MAX, limit),
    };
    let days: &mut dyn Iterator<Item = Date> = match recurrence.pattern {
        Pattern::Day => &mut days(recurrence),
        Pattern::Week { days } => &mut weeks(recurrence, days),
        _ => &mut months(recurrence),
    };
    days.filter(|day| *day >= recurrence.start)
        .take_while(|day| *day <= until)
        .take(limit)
        .collect()
}

/// `recurrence`, up to the later of two ends that contradict each other: so many instances, and a last day behind all of
/// them. With what is to be said of it.
pub fn reconciled(mut recurrence: RecurrencePattern) -> (RecurrencePattern, Option<String>) {
    let (End::Count(count), Some(last)) = (recurrence.end, recurrence.end_date) else {
        return (recurrence, None);
    };
    let counted = count as usize;
    recurrence.end = End::Until(last);
    if instances(&recurrence, counted.saturating_add(1)).len() > counted {
        let problem = format!(
            "the recurrence ends after {count} instances, and on {last}: the later is taken"
        );
        return (recurrence, Some(problem));
    }
    recurrence.end = End::Count(count);
    (recurrence, None)
}

/// Whether `days` has the bit of `day`.
pub(super) fn has_day(days: u8, day: Weekday) -> bool {
    days & (1 << day.to_sunday_zero_offset()) != 0
}

fn add_days(date: Date, days: u32) -> Option<Date> {
    // `days` comes from the file: a span of more days than there are would panic.
    let span = Span::new().try_days(days).ok()?;
    date.checked_add(span).ok()
}

fn days(recurrence: &RecurrencePattern) -> impl Iterator<Item = Date> {
    let period = recurrence.period;
    std::iter::successors(Some(recurrence.start), move |day| add_days(*day, period)).take(MAX_STEPS)
}

fn weeks(recurrence: &RecurrencePattern, days: u8) -> impl Iterator<Item = Date> {
    let start = recurrence.start;
    let first = i64::from(recurrence.first_day_of_week);
    let back = (i64::from(start.weekday().to_sunday_zero_offset()) - first).rem_euclid(7);
    let week = start.checked_sub(back.days()).unwrap_or(start);
    let period = recurrence.period.saturating_mul(7);
    std::iter::successors(Some(week), move |week| add_days(*week, period))
        .take(MAX_STEPS)
        .flat_map(move |week| (0..7).filter_map(move |day| add_days(week, day)))
        .filter(move |day| has_day(days, day.weekday()))
}

fn months(recurrence: &RecurrencePattern) -> impl Iterator<Item = Date> {
    let RecurrencePattern {
        pattern, period, ..
    } = *recurrence;
    let calendar = MonthCalendar::new(recurrence.calendar);
    let first = calendar.month_of(recurrence.start);
    let origin = first.clone().unwrap_or_default();
    let years = (recurrence.is_yearly && period % 12 == 0).then_some(period / 12);
    let mut index: u32 = 0;
    std::iter::successors(first, move |month| {
        calendar.month_of(add_days(month.first, month.length.into())?)
    })
    .take(MAX_STEPS)
    .filter(move |month| {
        let position = index;
        index = index.saturating_add(1);
        match years {
            // By the name of the month: years of some calendars have twelve or thirteen.
            Some(years) => {
                month.number == origin.number
                    && !month.is_leap
                    && (i64::from(month.year) - i64::from(origin.year)).rem_euclid(years.into())
                        == 0
            }
            None => position.is_multiple_of(period),
        }
    })
    .filter_map(move |month| month.day(pattern))
}

/// A month of some calendar.
#[derive(Debug, Clone, Default)]
struct Month {
    /// Its first day.
    first: Date,
    /// Days in it.
    length: u8,
    /// Its number in a year without leap month.
    number: u8,
    is_leap: bool,
    year: i32,
}

impl Month {
    /// The day of the month that `pattern` means.
    fn day(&self, pattern: Pattern) -> Option<Date> {
        match pattern {
            Pattern::Day | Pattern::Week { .. } => None,
            Pattern::MonthEnd => add_days(self.first, u32::from(self.length) - 1),
            Pattern::Month { day } => add_days(
                self.first,
                u32::from(day.min(self.length)).saturating_sub(1),
            ),
            Pattern::MonthNth { days, nth } => {
                let mut matching = (0..u32::from(self.length))
                    .filter_map(|day| add_days(self.first, day))
                    .filter(|day| has_day(days, day.weekday()));
                if nth >= LAST {
                    matching.next_back()
                } else {
                    matching.nth(usize::from(nth).saturating_sub(1))
                }
            }
        }
    }
}

/// Tells months; None for Gregorian ones, which need no tables.
struct MonthCalendar(Option<AnyCalendar>);

impl MonthCalendar {
    fn new(calendar: Calendar) -> Self {
        let kind = match calendar {
            Calendar::Gregorian => return Self(None),
            Calendar::Hijri => AnyCalendarKind::HijriTabularTypeIIFriday,
            Calendar::UmmAlQura => AnyCalendarKind::HijriUmmAlQura,
            Calendar::Hebrew => AnyCalendarKind::Hebrew,
            Calendar::Chinese => AnyCalendarKind::Chinese,
            Calendar::Korean => AnyCalendarKind::Dangi,
            Calendar::Indian => AnyCalendarKind::Indian,
        };
        Self(Some(AnyCalendar::new(kind)))
    }

    /// The month that `day` is in.
    fn month_of(&self, day: Date) -> Option<Month> {
        let Some(calendar) = &self.0 else {
            return Some(Month {
                first: day.first_of_month(),
                length: u8::try_from(day.days_in_month()).ok()?,
                number: u8::try_from(day.month()).ok()?,
                is_leap: false,
                year: day.year().into(),
            });
        };
        if day.year() > LAST_KNOWN_YEAR {
            return None;
        }
        let iso = AnyDate::<Iso>::try_new_iso(
            day.year().into(),
            u8::try_from(day.month()).ok()?,
            u8::try_from(day.day()).ok()?,
        );
        let date = iso.ok()?.to_calendar(icu_calendar::Ref(calendar));
        let back = i64::from(date.day_of_month().0) - 1;
        let month = date.month();
        Some(Month {
            first: day.checked_sub(back.days()).ok()?,
            length: date.days_in_month(),
            number: month.to_input().number(),
            is_leap: month.to_input().is_leap(),
            year: date.year().extended_year(),
        })
    }
}
