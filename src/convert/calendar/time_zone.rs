//! Time zones as stored, and as VTIMEZONE. [MS-OXOCAL] 2.2.1.39, 2.2.1.41; RFC 5545 3.6.5
#![forbid(unsafe_code)]

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Weekday, date};
use windows_timezones::WindowsTimezone;

use super::rrule::DAY_NAMES;
use crate::codepage;
use crate::convert::content_line::ContentLines;
use crate::convert::cursor::Cursor;

/// Bytes of a TZRule between its year and its biases.
const RULE_RESERVED: usize = 14;
/// Rules of one definition; Windows has less than twenty.
const MAX_RULES: u16 = 1000;
/// The week of a month that means the last one.
const LAST_WEEK: i32 = 5;
/// Year that the rules of a time zone begin with, unless they name one or the item is older.
const FIRST_YEAR: i16 = 1970;
const MINUTES_PER_DAY: i64 = 24 * 60;

/// When the clock changes: a SYSTEMTIME of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    /// The one year that it is for, or each year.
    year: Option<i16>,
    month: i8,
    /// Days since Sunday.
    weekday: i8,
    /// Week of the month, 5 for the last; with a year, day of the month.
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
}

impl Change {
    /// Reads a SYSTEMTIME; the inner None means that the clock does not change.
    fn read(cursor: &mut Cursor<'_>) -> Option<Option<Self>> {
        let mut field = || cursor.u16();
        let (year, month, weekday, day) = (field()?, field()?, field()?, field()?);
        let (hour, minute, second, _millisecond) = (field()?, field()?, field()?, field()?);
        let small = |value: u16, max: i8| i8::try_from(value).ok().filter(|value| *value <= max);
        let change = || {
            Some(Self {
                year: i16::try_from(year).ok().filter(|year| *year != 0),
                month: small(month, 12).filter(|month| *month > 0)?,
                weekday: small(weekday, 6)?,
                day: small(day, 31)?.max(1),
                hour: small(hour, 23)?,
                minute: small(minute, 59)?,
                second: small(second, 59)?,
            })
        };
        Some(change())
    }

    /// The moment of the change in `year`, on the clock before it.
    fn in_year(self, year: i16) -> Option<DateTime> {
        let day = match self.year {
            Some(only) if only != year => return None,
            Some(_) => Date::new(year, self.month, self.day).ok()?,
            None => {
                let nth = if i32::from(self.day) >= LAST_WEEK {
                    -1
                } else {
                    self.day
                };
                let weekday = Weekday::from_sunday_zero_offset(self.weekday).ok()?;
                let month = Date::new(year, self.month, 1).ok()?;
                month.nth_weekday_of_month(nth, weekday).ok()?
            }
        };
        Some(day.at(self.hour, self.minute, self.second, 0))
    }

    /// As RRULE; None when it happens once.
    fn rrule(self) -> Option<String> {
        if self.year.is_some() {
            return None;
        }
        let nth = if i32::from(self.day) >= LAST_WEEK {
            -1
        } else {
            self.day
        };
        let name = DAY_NAMES.get(usize::try_from(self.weekday).ok()?)?;
        Some(format!(
            "FREQ=YEARLY;BYMONTH={};BYDAY={nth}{name}",
            self.month
        ))
    }
}

/// The clock of a zone from some year on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    year: i16,
    /// Minutes from standard time to UTC: UTC is local time plus this.
    standard: i32,
    /// Minutes from daylight saving time to UTC.
    daylight: i32,
    /// To daylight saving time and back to standard time; None where there is no daylight saving time.
    changes: Option<(Change, Change)>,
}

impl Rule {
    fn new(
        year: i16,
        biases: [i32; 3],
        to_standard: Option<Change>,
        to_daylight: Option<Change>,
    ) -> Option<Self> {
        let [bias, standard, daylight] = biases;
        let (standard, daylight) = (bias.checked_add(standard)?, bias.checked_add(daylight)?);
        // UTC-12 to UTC+14 and an hour or two of daylight saving time: whatever is beyond a day is damage.
        let sound = |bias: i32| i64::from(bias).abs() < MINUTES_PER_DAY;
        (sound(standard) && sound(daylight)).then_some(Self {
            year,
            standard,
            daylight,
            changes: to_daylight
                .zip(to_standard)
                .filter(|_| standard != daylight),
        })
    }

    /// Both changes in `year`, on the clock before each.
    fn in_year(&self, year: i16) -> Option<(DateTime, DateTime)> {
        let (to_daylight, to_standard) = self.changes?;
        Some((to_daylight.in_year(year)?, to_standard.in_year(year)?))
    }

    /// Minutes to UTC at `utc`, which is in `year`.
    fn bias_at(&self, utc: DateTime, year: i16) -> i32 {
        let Some((to_daylight, to_standard)) = self.in_year(year) else {
            return self.standard;
        };
        let starts = shift(to_daylight, self.standard);
        let ends = shift(to_standard, self.daylight);
        let is_daylight = if starts < ends {
            starts <= utc && utc < ends
        } else {
            !(ends <= utc && utc < starts)
        };
        if is_daylight {
            self.daylight
        } else {
            self.standard
        }
    }
}

fn shift(moment: DateTime, minutes: i32) -> DateTime {
    moment.saturating_add(i64::from(minutes).minutes())
}

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone {
    id: String,
    /// At least one, ascending by year.
    rules: Vec<Rule>,
    /// Whether its name alone is known, and the rule is that of one moment: readers know the zone by its name.
    is_only_named: bool,
}

impl TimeZone {
    /// PidLidTimeZoneStruct: one rule without a name. `description` is what people call it.
    pub fn of_struct(bytes: &[u8], description: Option<&str>) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let biases = [cursor.i32()?, cursor.i32()?, cursor.i32()?];
        cursor.u16()?;
        let to_standard = Change::read(&mut cursor)?;
        cursor.u16()?;
        let to_daylight = Change::read(&mut cursor)?;
        let rule = Rule::new(FIRST_YEAR, biases, to_standard, to_daylight)?;
        let id = match description.map(clean_id) {
            Some(id) if !id.is_empty() => id,
            _ => {
                let summer = if rule.changes.is_some() {
                    " with daylight saving time"
                } else {
                    ""
                };
                format!("UTC{}{summer}", offset(rule.standard, ":"))
            }
        };
        Some(Self {
            id,
            rules: vec![rule],
            is_only_named: false,
        })
    }

    /// A TZDEFINITION: rules by year and the name that Windows has for the zone.
    pub fn of_definition(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let (name, count) = definition_header(&mut cursor)?;
        let mut rules = Vec::new();
        for _ in 0..count {
            let Some(rule) = definition_rule(&mut cursor) else {
                break;
            };
            rules.extend(rule);
        }
        rules.sort_by_key(|rule: &Rule| rule.year);
        rules.dedup_by_key(|rule| rule.year);
        let first = rules.first()?;
        let id = match name.parse::<WindowsTimezone>() {
            Ok(zone) => zone.tzdb_id().to_owned(),
            Err(_) => match clean_id(&name) {
                id if id.is_empty() => format!("UTC{}", offset(first.standard, ":")),
                id => id,
            },
        };
        Some(Self {
            id,
            rules,
            is_only_named: false,
        })
    }

    /// The IANA name of a TZDEFINITION whose name is one that Windows has; its rules may be missing.
    pub fn name_of_definition(bytes: &[u8]) -> Option<String> {
        let (name, _) = definition_header(&mut Cursor::new(bytes))?;
        let zone = name.parse::<WindowsTimezone>().ok()?;
        Some(zone.tzdb_id().to_owned())
    }

    /// The same rules under another name.
    pub fn named(self, id: String) -> Self {
        Self { id, ..self }
    }

    /// A zone of which the name is known, and here is what its clock shows at some moment.
    pub fn known_as(self, id: String) -> Self {
        Self {
            is_only_named: true,
            ..self.named(id)
        }
    }

    /// Whether its name alone is known.
    pub fn is_only_named(&self) -> bool {
        self.is_only_named
    }

    /// A zone that is `minutes` ahead of UTC all year.
    pub fn fixed(minutes: i32) -> Self {
        let rule = Rule {
            year: FIRST_YEAR,
            standard: -minutes,
            daylight: -minutes,
            changes: None,
        };
        Self {
            id: format!("UTC{}", offset(-minutes, ":")),
            rules: vec![rule],
            is_only_named: false,
        }
    }

    /// TZID: the IANA name where it can be told, else what the file calls it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The rule of `year`: the first one also holds for the years before.
    fn rule(&self, year: i16) -> Option<&Rule> {
        let later = self.rules.iter().position(|rule| rule.year > year);
        let index = later.unwrap_or(self.rules.len()).saturating_sub(1);
        self.rules.get(index)
    }

    /// Minutes to UTC at `utc`.
    fn bias_at(&self, utc: DateTime) -> i32 {
        // The year on the clock of the zone decides which rule holds.
        let year = self
            .rule(utc.year())
            .map_or(utc.year(), |rule| shift(utc, -rule.standard).year());
        self.rule(year).map_or(0, |rule| rule.bias_at(utc, year))
    }

    /// The time on the clock of the zone.
    pub fn to_local(&self, utc: DateTime) -> DateTime {
        shift(utc, -self.bias_at(utc))
    }

    /// The moment when the clock of the zone shows `local`: the first one where it does so twice; where it never
    /// does, the one that the clock before the change would have given.
    pub fn to_utc(&self, local: DateTime) -> DateTime {
        let Some(rule) = self.rule(local.year()) else {
            return local;
        };
        let (earlier, later) = (
            rule.standard.min(rule.daylight),
            rule.standard.max(rule.daylight),
        );
        let candidate = shift(local, earlier);
        if self.to_local(candidate) == local {
            return candidate;
        }
        shift(local, later)
    }

    /// Writes the zone for items from `year` on.
    pub(crate) fn write(&self, lines: &mut ContentLines, year: i16) {
        // The rules of one moment would be wrong at others.
        if self.is_only_named {
            return;
        }
        lines.begin("VTIMEZONE");
        lines.text("TZID", &self.id);
        let start = FIRST_YEAR.min(year.saturating_sub(1));
        let mut from = start;
        let mut written = false;
        for (index, rule) in self.rules.iter().enumerate() {
            let next = self.rules.get(index + 1).map(|next| next.year);
            let to = next.map(|year| year.saturating_sub(1));
            if to.is_some_and(|to| to < from) {
                continue;
            }
            self.write_boundary(lines, rule, from, written);
            written = true;
            if let Some((to_daylight, to_standard)) = rule.changes {
                Observance {
                    name: "DAYLIGHT",
                    change: to_daylight,
                    before: rule.standard,
                    after: rule.daylight,
                }
                .write(lines, from, to);
                Observance {
                    name: "STANDARD",
                    change: to_standard,
                    before: rule.daylight,
                    after: rule.standard,
                }
                .write(lines, from, to);
            }
            from = next.unwrap_or(from);
        }
        lines.end("VTIMEZONE");
    }

    /// What the clock does when `rule` takes over at the start of `year`; the first rule without changes needs a
    /// beginning as well.
    fn write_boundary(&self, lines: &mut ContentLines, rule: &Rule, year: i16, has_before: bool) {
        let midnight = date(year, 1, 1).at(0, 0, 0, 0);
        let utc = shift(midnight, rule.standard);
        let after = rule.bias_at(utc, year);
        let before = if has_before {
            self.bias_at(utc.saturating_sub(1.day()))
        } else {
            after
        };
        // The first rule tells its state by its first change, unless it has none.
        let is_needed = before != after || (!has_before && rule.changes.is_none());
        if is_needed {
            let is_daylight = rule.changes.is_some() && after == rule.daylight;
            let name = if is_daylight { "DAYLIGHT" } else { "STANDARD" };
            observance(lines, name, midnight, None, before, after);
        }
    }
}

/// A change of the clock that recurs.
struct Observance {
    name: &'static str,
    change: Change,
    before: i32,
    after: i32,
}

impl Observance {
    /// Writes the changes of the years `from` to `to`.
    fn write(&self, lines: &mut ContentLines, from: i16, to: Option<i16>) {
        // A change of one year stands in that year alone.
        let first = self.change.year.unwrap_or(from);
        if first < from || to.is_some_and(|to| first > to) {
            return;
        }
        let Some(start) = self.change.in_year(first) else {
            return;
        };
        let rrule = self
            .change
            .rrule()
            .filter(|_| to != Some(first))
            .map(|rrule| {
                let last = to.and_then(|to| self.change.in_year(to));
                match last {
                    Some(last) => format!("{rrule};UNTIL={}Z", stamp(shift(last, self.before))),
                    None => rrule,
                }
            });
        observance(lines, self.name, start, rrule, self.before, self.after);
    }
}

fn observance(
    lines: &mut ContentLines,
    name: &str,
    start: DateTime,
    rrule: Option<String>,
    before: i32,
    after: i32,
) {
    lines.begin(name);
    lines.line("DTSTART", &stamp(start));
    if let Some(rrule) = rrule {
        lines.line("RRULE", &rrule);
    }
    lines.line("TZOFFSETFROM", &offset(before, ""));
    lines.line("TZOFFSETTO", &offset(after, ""));
    lines.end(name);
}

/// The name of a TZDEFINITION and how many rules it has; they follow.
fn definition_header(cursor: &mut Cursor<'_>) -> Option<(String, u16)> {
    let _version = cursor.u16()?;
    let header = cursor.u16()?;
    let mut header = Cursor::new(cursor.take(header.into())?);
    let _reserved = header.u16()?;
    let name = header.u16()?;
    let name = codepage::decode_utf16le(header.take(usize::from(name) * 2)?);
    Some((name, header.u16()?.min(MAX_RULES)))
}

/// A TZRule; the inner None is one that makes no sense.
fn definition_rule(cursor: &mut Cursor<'_>) -> Option<Option<Rule>> {
    let _version = cursor.u16()?;
    let size = cursor.u16()?;
    let mut cursor = Cursor::new(cursor.take(size.into())?);
    let _flags = cursor.u16()?;
    let year = cursor.u16()?;
    cursor.take(RULE_RESERVED)?;
    let biases = [cursor.i32()?, cursor.i32()?, cursor.i32()?];
    let to_standard = Change::read(&mut cursor)?;
    let to_daylight = Change::read(&mut cursor)?;
    let year = i16::try_from(year).ok().filter(|year| *year < 9000);
    Some(year.and_then(|year| Rule::new(year, biases, to_standard, to_daylight)))
}

/// A moment as iCalendar writes it.
pub(super) fn stamp(moment: DateTime) -> String {
    moment.strftime("%Y%m%dT%H%M%S").to_string()
}

/// `bias` as an offset from UTC: the other way round.
fn offset(bias: i32, separator: &str) -> String {
    let sign = if bias > 0 { '-' } else { '+' };
    let minutes = bias.unsigned_abs();
    format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
}

/// A name as TZID: on one line, without what parameters cannot hold.
fn clean_id(name: &str) -> String {
    let blank = |character: char| match character {
        '"' | '\\' => ' ',
        _ if character.is_control() => ' ',
        _ => character,
    };
    let name: String = name.chars().take(100).map(blank).collect();
    name.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;

    /// On `day` of `month`, the n-th Sunday unless there is a year.
    fn change(year: Option<i16>, month: i8, day: i8, hour: i8) -> Change {
        Change {
            year,
            month,
            weekday: 0,
            day,
            hour,
            minute: 0,
            second: 0,
        }
    }

    fn zone(biases: [i32; 3], to_standard: Change, to_daylight: Change) -> Rule {
        Rule::new(2007, biases, Some(to_standard), Some(to_daylight)).unwrap()
    }

    /// The changes of 2024 as the tz database has them.
    #[test]
    fn clocks_change_when_the_rule_says_north_and_south_of_the_equator() {
        let berlin = zone([-60, 0, -60], change(None, 10, 5, 3), change(None, 3, 5, 2));
        let sydney = zone(
            [-600, 0, -60],
            change(None, 4, 1, 3),
            change(None, 10, 1, 2),
        );
        for (rule, month, day, hour, before, after) in [
            (&berlin, 3, 31, 1, -60, -120),
            (&berlin, 10, 27, 1, -120, -60),
            (&sydney, 4, 6, 16, -660, -600),
            (&sydney, 10, 5, 16, -600, -660),
        ] {
            let moment = |hour, minute| datetime(2024, month, day, hour, minute, 0, 0);
            assert_eq!(rule.bias_at(moment(hour - 1, 59), 2024), before);
            assert_eq!(rule.bias_at(moment(hour, 0), 2024), after);
        }
    }

    #[test]
    fn a_change_with_a_year_is_on_that_day_of_that_year_alone() {
        let once = change(Some(2024), 3, 14, 2);
        assert_eq!(once.in_year(2024), Some(datetime(2024, 3, 14, 2, 0, 0, 0)));
        assert_eq!(once.in_year(2023), None);
    }
}
