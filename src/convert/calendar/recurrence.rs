//! How an appointment or a task repeats, as stored. [MS-OXOCAL] 2.2.1.44
//!
//! Times are in the zone of the item, in minutes since 1601, until [`moment`] makes a date of them.
#![forbid(unsafe_code)]

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, date};

use crate::codepage;
use crate::convert::cursor::Cursor;

/// RecurFrequency.
const FREQUENCY_YEARLY: u16 = 0x200D;
/// PatternType.
const PATTERN_DAY: u16 = 0x0;
const PATTERN_WEEK: u16 = 0x1;
const PATTERN_MONTH: u16 = 0x2;
const PATTERN_MONTH_NTH: u16 = 0x3;
const PATTERN_MONTH_END: u16 = 0x4;
const PATTERN_HIJRI_MONTH: u16 = 0xA;
const PATTERN_HIJRI_MONTH_NTH: u16 = 0xB;
const PATTERN_HIJRI_MONTH_END: u16 = 0xC;
/// EndType.
const END_UNTIL: u32 = 0x2021;
const END_COUNT: u32 = 0x2022;
/// An end in this year or later means that there is none: writers differ in the day.
const NO_END_YEAR: i16 = 4500;
/// WriterVersion2 from which exceptions have a change highlight.
const VERSION_CHANGE_HIGHLIGHT: u32 = 0x3009;
/// OverrideFlags of an exception.
const OVERRIDE_SUBJECT: u16 = 0x001;
const OVERRIDE_MEETING_TYPE: u16 = 0x002;
const OVERRIDE_REMINDER_DELTA: u16 = 0x004;
const OVERRIDE_REMINDER: u16 = 0x008;
const OVERRIDE_LOCATION: u16 = 0x010;
const OVERRIDE_BUSY_STATUS: u16 = 0x020;
const OVERRIDE_ATTACHMENT: u16 = 0x040;
const OVERRIDE_SUB_TYPE: u16 = 0x080;
const OVERRIDE_COLOR: u16 = 0x100;
/// The day of a month that means the last one.
const LAST_DAY: u32 = 31;
/// The week of a month that means the last one.
const LAST_WEEK: u32 = 5;
/// The bits of the days of a week, Sunday first.
const ALL_DAYS: u32 = 0x7F;
const MINUTES_PER_DAY: u32 = 24 * 60;
/// Bytes of a pattern that are believed: thousands of exceptions.
const MAX_SIZE: usize = 1 << 20;

/// What recurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Every so many days.
    Day,
    /// On these days of the week: bit 0 is Sunday.
    Week {
        /// Bits of the days.
        days: u8,
    },
    /// On a day of the month; in a shorter month on its last day.
    Month {
        /// 1 to 31.
        day: u8,
    },
    /// On the n-th of these days of the week in the month.
    MonthNth {
        /// Bits of the days.
        days: u8,
        /// 1 to 4, 5 for the last.
        nth: u8,
    },
    /// On the last day of the month.
    MonthEnd,
}

/// The calendar that months are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calendar {
    /// Gregorian, and all calendars that share its months.
    Gregorian,
    /// Tabular Islamic calendar.
    Hijri,
    /// Islamic calendar of Saudi Arabia.
    UmmAlQura,
    /// Hebrew calendar.
    Hebrew,
    /// Chinese lunar calendar, also for its Japanese sister.
    Chinese,
    /// Korean lunar calendar.
    Korean,
    /// Indian national calendar.
    Indian,
}

impl Calendar {
    fn of_stored(calendar: u16, pattern: u16) -> Self {
        match calendar {
            0x06 => Calendar::Hijri,
            0x17 => Calendar::UmmAlQura,
            0x08 => Calendar::Hebrew,
            0x0E | 0x0F | 0x11 | 0x13 => Calendar::Chinese,
            0x12 | 0x14 => Calendar::Korean,
            0x10 => Calendar::Indian,
            _ if (PATTERN_HIJRI_MONTH..=PATTERN_HIJRI_MONTH_END).contains(&pattern) => {
                Calendar::Hijri
            }
            _ => Calendar::Gregorian,
        }
    }
}

/// When it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With the last instance on or before this day.
    Until(Date),
    /// After so many instances, deleted ones included.
    Count(u32),
    /// Never.
    Never,
}

/// RecurrencePattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecurrencePattern {
    /// What recurs.
    pub pattern: Pattern,
    /// The calendar that months are of.
    pub calendar: Calendar,
    /// Whether it was made as a yearly pattern; the period is in months all the same.
    pub is_yearly: bool,
    /// Days, weeks or months between instances; at least 1.
    pub period: u32,
    /// Whether a task regenerates after it is done instead of recurring by date.
    pub is_sliding: bool,
    /// When it ends.
    pub end: End,
    /// Day that weeks begin with; 0 is Sunday.
    pub first_day_of_week: u8,
    /// Days of the instances that were deleted or changed.
    pub deleted: Vec<Date>,
    /// The day that it starts on.
    pub start: Date,
    /// EndDate; None when there is none. Outlook writes the last instance, whatever the end is by.
    pub end_date: Option<Date>,
}

/// An instance that differs: ExceptionInfo and ExtendedException.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// New start, in the zone of the item.
    pub start: DateTime,
    /// New end.
    pub end: DateTime,
    /// When it would have started.
    pub original_start: DateTime,
    /// Its subject, if that differs.
    pub subject: Option<String>,
    /// Its place, if that differs.
    pub location: Option<String>,
    /// AppointmentStateFlags, if they differ.
    pub state_flags: Option<i32>,
    /// Minutes before the start, if they differ.
    pub reminder_delta: Option<i32>,
    /// Whether there is a reminder, if that differs.
    pub reminder_set: Option<bool>,
    /// Busy status, if that differs.
    pub busy_status: Option<i32>,
    /// Whether it lasts all day, if that differs.
    pub is_all_day: Option<bool>,
}

/// AppointmentRecurrencePattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppointmentRecurrence {
    /// The pattern.
    pub pattern: RecurrencePattern,
    /// Minutes from the midnight of an instance to its start.
    pub start_offset: u32,
    /// Minutes from the midnight of an instance to its end.
    pub end_offset: u32,
    /// Instances that differ.
    pub exceptions: Vec<Exception>,
    /// What is wrong with the part behind the pattern, which is then incomplete.
    pub problem: Option<String>,
}

/// The moment `minutes` after the start of 1601.
pub fn moment(minutes: u32) -> DateTime {
    let epoch = date(1601, 1, 1).at(0, 0, 0, 0);
    // Four billion minutes after 1601 is before the year 9999.
    epoch.saturating_add(i64::from(minutes).minutes())
}

/// Reads the pattern of a task. The error is what is wrong.
pub fn parse_pattern(bytes: &[u8]) -> Result<RecurrencePattern, String> {
    pattern(&mut Cursor::new(bytes)).map(|(pattern, _)| pattern)
}

/// Reads the pattern of an appointment. Damage behind the pattern leaves what is before it.
pub fn parse_appointment(bytes: &[u8], code_page: u32) -> Result<AppointmentRecurrence, String> {
    let mut cursor = Cursor::new(bytes);
    let (pattern, modified) = pattern(&mut cursor)?;
    let mut recurrence = AppointmentRecurrence {
        pattern,
        start_offset: 0,
        end_offset: 0,
        exceptions: Vec::new(),
        problem: None,
    };
    if rest(&mut cursor, code_page, &mut recurrence).is_none() {
        let at = bytes.len() - cursor.left();
        recurrence.problem = Some(format!(
            "AppointmentRecurrencePattern ends at byte {at} of {}, within its exceptions",
            bytes.len()
        ));
    } else if recurrence.exceptions.len() != modified {
        recurrence.problem = Some(format!(
            "AppointmentRecurrencePattern has {} exceptions, but {modified} dates of them",
            recurrence.exceptions.len()
        ));
    }
    Ok(recurrence)
}

/// The pattern, and how many instances are modified.
fn pattern(cursor: &mut Cursor<'_>) -> Result<(RecurrencePattern, usize), String> {
    if cursor.left() > MAX_SIZE {
        return Err(format!("RecurrencePattern has {} bytes", cursor.left()));
    }
    let short = || "RecurrencePattern is too short".to_owned();
    let stored = Stored::read(cursor).ok_or_else(short)?;
    let wrong = |what: &str, value: u32| format!("RecurrencePattern has {what} {value:#x}");
    let days = |mask: u32| match mask & ALL_DAYS {
        0 => Err(wrong("day mask", mask)),
        days => Ok(days as u8),
    };
    let [first, second] = stored.specific;
    let pattern = match stored.pattern_type {
        PATTERN_DAY => Pattern::Day,
        PATTERN_WEEK => Pattern::Week { days: days(first)? },
        PATTERN_MONTH | PATTERN_HIJRI_MONTH if (1..=LAST_DAY).contains(&first) => {
            Pattern::Month { day: first as u8 }
        }
        PATTERN_MONTH | PATTERN_HIJRI_MONTH => return Err(wrong("day of month", first)),
        PATTERN_MONTH_NTH | PATTERN_HIJRI_MONTH_NTH if (1..=LAST_WEEK).contains(&second) => {
            Pattern::MonthNth {
                days: days(first)?,
                nth: second as u8,
            }
        }
        PATTERN_MONTH_NTH | PATTERN_HIJRI_MONTH_NTH => return Err(wrong("week of month", second)),
        PATTERN_MONTH_END | PATTERN_HIJRI_MONTH_END => Pattern::MonthEnd,
        other => return Err(wrong("pattern type", other.into())),
    };
    let period = match pattern {
        Pattern::Day => stored.period / MINUTES_PER_DAY,
        _ => stored.period,
    };
    let end_date = Some(moment(stored.end_date).date())
        .filter(|date| stored.end_date != 0 && date.year() < NO_END_YEAR);
    let recurrence = RecurrencePattern {
        pattern,
        calendar: Calendar::of_stored(stored.calendar, stored.pattern_type),
        is_yearly: stored.frequency == FREQUENCY_YEARLY,
        period: period.max(1),
        is_sliding: stored.sliding != 0,
        end: match (stored.end_type, end_date) {
            (END_COUNT, _) if stored.count > 0 => End::Count(stored.count),
            (END_UNTIL | END_COUNT, Some(date)) => End::Until(date),
            _ => End::Never,
        },
        first_day_of_week: (stored.first_day_of_week % 7) as u8,
        deleted: stored
            .deleted
            .iter()
            .map(|day| moment(*day).date())
            .collect(),
        start: moment(stored.start_date).date(),
        end_date,
    };
    Ok((recurrence, stored.modified.len()))
}

/// The fields of a RecurrencePattern that count.
struct Stored {
    frequency: u16,
    pattern_type: u16,
    calendar: u16,
    period: u32,
    sliding: u32,
    specific: [u32; 2],
    end_type: u32,
    count: u32,
    first_day_of_week: u32,
    deleted: Vec<u32>,
    modified: Vec<u32>,
    start_date: u32,
    end_date: u32,
}

impl Stored {
    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let (_reader_version, _writer_version) = (cursor.u16()?, cursor.u16()?);
        let (frequency, pattern_type, calendar) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
        let _first_date_time = cursor.u32()?;
        let (period, sliding) = (cursor.u32()?, cursor.u32()?);
        let specific = match pattern_type {
            PATTERN_DAY => [0, 0],
            PATTERN_MONTH_NTH | PATTERN_HIJRI_MONTH_NTH => [cursor.u32()?, cursor.u32()?],
            _ => [cursor.u32()?, 0],
        };
        let (end_type, count, first_day_of_week) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
        let mut dates = || {
            let count = cursor.u32()?;
            cursor.u32s(count)
        };
        let (deleted, modified) = (dates()?, dates()?);
        Some(Self {
            frequency,
            pattern_type,
            calendar,
            period,
            sliding,
            specific,
            end_type,
            count,
            first_day_of_week,
            deleted,
            modified,
            start_date: cursor.u32()?,
            end_date: cursor.u32()?,
        })
    }
}

/// What an appointment has behind the pattern; None when it ends early.
fn rest(
    cursor: &mut Cursor<'_>,
    code_page: u32,
    recurrence: &mut AppointmentRecurrence,
) -> Option<()> {
    let (_reader_version, writer_version) = (cursor.u32()?, cursor.u32()?);
    (recurrence.start_offset, recurrence.end_offset) = (cursor.u32()?, cursor.u32()?);
    let count = cursor.u16()?;
    let mut flags = Vec::new();
    for _ in 0..count {
        let (exception, overrides) = exception(cursor, code_page)?;
        recurrence.exceptions.push(exception);
        flags.push(overrides);
    }
    // Old writers end here.
    if cursor.left() == 0 {
        return Some(());
    }
    cursor.block()?;
    for (exception, flags) in recurrence.exceptions.iter_mut().zip(flags) {
        if writer_version >= VERSION_CHANGE_HIGHLIGHT {
            cursor.block()?;
        }
        extended(cursor, flags, exception)?;
    }
    Some(())
}

fn exception(cursor: &mut Cursor<'_>, code_page: u32) -> Option<(Exception, u16)> {
    let (start, end, original_start) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
    let flags = cursor.u16()?;
    let has = |flag: u16| flags & flag != 0;
    let mut exception = Exception {
        start: moment(start),
        end: moment(end),
        original_start: moment(original_start),
        subject: None,
        location: None,
        state_flags: None,
        reminder_delta: None,
        reminder_set: None,
        busy_status: None,
        is_all_day: None,
    };
    if has(OVERRIDE_SUBJECT) {
        exception.subject = Some(text8(cursor, code_page)?);
    }
    if has(OVERRIDE_MEETING_TYPE) {
        exception.state_flags = Some(cursor.i32()?);
    }
    if has(OVERRIDE_REMINDER_DELTA) {
        exception.reminder_delta = Some(cursor.i32()?);
    }
    if has(OVERRIDE_REMINDER) {
        exception.reminder_set = Some(cursor.u32()? != 0);
    }
    if has(OVERRIDE_LOCATION) {
        exception.location = Some(text8(cursor, code_page)?);
    }
    if has(OVERRIDE_BUSY_STATUS) {
        exception.busy_status = Some(cursor.i32()?);
    }
    if has(OVERRIDE_ATTACHMENT) {
        cursor.u32()?;
    }
    if has(OVERRIDE_SUB_TYPE) {
        exception.is_all_day = Some(cursor.u32()? != 0);
    }
    if has(OVERRIDE_COLOR) {
        cursor.u32()?;
    }
    Some((exception, flags))
}

/// Text in a code page: its length plus one, its length, its bytes.
fn text8(cursor: &mut Cursor<'_>, code_page: u32) -> Option<String> {
    let (_length_with_nul, length) = (cursor.u16()?, cursor.u16()?);
    let bytes = cursor.take(length.into())?;
    Some(codepage::decode(code_page, bytes))
}

/// The same texts once more, in UTF-16.
fn extended(cursor: &mut Cursor<'_>, flags: u16, exception: &mut Exception) -> Option<()> {
    cursor.block()?;
    let text16 = |cursor: &mut Cursor<'_>| {
        let length = cursor.u16()?;
        let bytes = cursor.take(usize::from(length) * 2)?;
        Some(codepage::decode_utf16le(bytes))
    };
    if flags & (OVERRIDE_SUBJECT | OVERRIDE_LOCATION) != 0 {
        let (_start, _end, _original_start) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
        if flags & OVERRIDE_SUBJECT != 0 {
            exception.subject = Some(text16(cursor)?);
        }
        if flags & OVERRIDE_LOCATION != 0 {
            exception.location = Some(text16(cursor)?);
        }
        cursor.block()?;
    }
    Some(())
}
