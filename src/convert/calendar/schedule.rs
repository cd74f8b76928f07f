//! When an event is: its zone, its start and end, its recurrence. [MS-OXOCAL] 2.2.1
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::ical::{Clock, utc};
use super::instances::{instances, reconciled};
use super::recurrence::{AppointmentRecurrence, parse_appointment};
use super::rrule::{Rule, rule};
use super::time_zone::TimeZone;
use crate::clock;
use crate::convert::lids::{self, Key};
use crate::convert::moment::Moment;
use crate::convert::people::Resolved;
use crate::convert::reader::Reader;
use crate::ltp::{FileTime, tags};
use crate::messaging::{ItemKind, Message};

/// Where the zone of an event is.
const DEFINITIONS: [Key; 2] = [
    lids::TIME_ZONE_DEFINITION_START_DISPLAY,
    lids::TIME_ZONE_DEFINITION_RECUR,
];

/// Instances of a series that are told one by one, if somebody asks when it takes place: of a daily one some ten years.
const MAX_INSTANCES: usize = 4000;

/// An event in time.
pub(super) struct Schedule {
    pub zone: Option<TimeZone>,
    /// The zone of the end, where it is another one.
    pub end_zone: Option<TimeZone>,
    pub is_all_day: bool,
    /// In UTC.
    pub start: DateTime,
    pub end: DateTime,
    pub series: Option<Series>,
}

/// The recurrence of an event.
pub(super) struct Series {
    pub recurrence: AppointmentRecurrence,
    pub rule: Rule,
}

impl Schedule {
    /// None when no property has its time.
    pub fn read(reader: &Reader<'_>) -> Option<Self> {
        let (mut schedule, recurrence) = Self::begun(reader)?;
        let Some(recurrence) = recurrence else {
            schedule.end_zone = reader
                .binary(lids::TIME_ZONE_DEFINITION_END_DISPLAY)
                .and_then(|blob| TimeZone::of_definition(&blob))
                .filter(|_| schedule.zone.is_some());
            return Some(schedule);
        };
        let (clock, offset) = (schedule.clock(), recurrence.start_offset);
        let until = |day: Date| clock.until(at(day, offset));
        match rule(&recurrence.pattern, until) {
            Some(rule) => {
                if rule.is_cut {
                    reader.problem(format_args!(
                        "only the first {} instances are listed",
                        rule.listed.len()
                    ));
                }
                schedule.series = Some(Series { recurrence, rule });
            }
            None => reader.problem("the recurrence has no instance"),
        }
        Some(schedule)
    }

    /// The event, and the recurrence that its series is to be made of.
    fn begun(reader: &Reader<'_>) -> Option<(Self, Option<AppointmentRecurrence>)> {
        let (start, end) = whole(reader)?;
        let recurrence = recurrence(reader);
        let is_all_day = reader.boolean(lids::APPOINTMENT_SUB_TYPE);
        let mut schedule = Self {
            zone: zone(reader, recurrence.is_some()),
            end_zone: None,
            is_all_day,
            start,
            end,
            series: None,
        };
        let Some(mut recurrence) = recurrence else {
            return Some((schedule, None));
        };
        if schedule.zone.is_none() && !is_all_day {
            schedule.zone = fixed_zone(&recurrence, start).map(|zone| match zone_name(reader) {
                Some(name) => zone.known_as(name),
                None => zone,
            });
        }
        let (pattern, problem) = reconciled(recurrence.pattern);
        recurrence.pattern = pattern;
        problem
            .into_iter()
            .for_each(|problem| reader.problem(problem));
        Some((schedule, Some(recurrence)))
    }

    /// When what stands from `start` to `end` on its own clock takes place.
    fn stretch(&self, (start, end): (DateTime, DateTime)) -> (Moment, Moment) {
        if self.is_all_day {
            let (start, end) = whole_days(start, end);
            return (Moment::Day(start.date()), Moment::Day(end.date()));
        }
        let clock = self.clock();
        (time(clock.utc(start)), time(clock.utc(end.max(start))))
    }

    pub fn clock(&self) -> Clock<'_> {
        Clock::new(self.zone.as_ref(), self.is_all_day)
    }

    /// Start and end of the event, or of the first instance, on its own clock; days as midnights.
    pub fn local(&self) -> (DateTime, DateTime) {
        let (start, end) = match &self.series {
            Some(series) => series.instance(series.rule.first),
            None => (self.clock().local(self.start), self.clock().local(self.end)),
        };
        if self.is_all_day {
            return whole_days(start, end);
        }
        (start, end.max(start))
    }
}

impl Series {
    /// Start and end of the instance of `day`.
    pub fn instance(&self, day: Date) -> (DateTime, DateTime) {
        let recurrence = &self.recurrence;
        (
            at(day, recurrence.start_offset),
            at(day, recurrence.end_offset),
        )
    }

    /// Starts of the instances that are gone: deleted, and not moved.
    pub fn deleted(&self) -> Vec<DateTime> {
        let recurrence = &self.recurrence;
        let originals = recurrence
            .exceptions
            .iter()
            .map(|exception| exception.original_start.date());
        let moved: BTreeSet<Date> = originals.collect();
        let mut gone = recurrence.pattern.deleted.clone();
        gone.retain(|day| !moved.contains(day));
        gone.sort();
        gone.dedup();
        gone.into_iter().map(|day| self.instance(day).0).collect()
    }
}

/// `day` at `minutes` after its midnight.
fn at(day: Date, minutes: u32) -> DateTime {
    day.at(0, 0, 0, 0)
        .saturating_add(i64::from(minutes).minutes())
}

/// The days from `start` to `end`, rounded to midnights: daylight saving time can be an hour off. At least one day.
pub(super) fn whole_days(start: DateTime, end: DateTime) -> (DateTime, DateTime) {
    let midnight = |moment: DateTime| moment.saturating_add(12.hours()).date().at(0, 0, 0, 0);
    let start = midnight(start);
    (start, midnight(end).max(start.saturating_add(1.day())))
}

/// Whether `message` is a series whose calendar has its changed instances, so that they need no place of their own.
pub(in crate::convert) fn has_instances(message: &Message) -> bool {
    let reader = Reader::new(message, &|_| Resolved::default());
    message.class().kind == ItemKind::Appointment
        && Schedule::read(&reader).is_some_and(|schedule| schedule.series.is_some())
}

/// Start and end of an event, or of the first instance of a series. Of one that lasts all day, the days on the clock of its
/// zone, as DTSTART and DTEND have them.
pub(in crate::convert) fn span(reader: &Reader<'_>) -> Option<(Moment, Moment)> {
    let (start, end) = whole(reader)?;
    if !reader.boolean(lids::APPOINTMENT_SUB_TYPE) {
        return Some((time(start), time(end)));
    }
    let zone = zone(reader, reader.boolean(lids::RECURRING));
    let clock = Clock::new(zone.as_ref(), true);
    let (start, end) = whole_days(clock.local(start), clock.local(end));
    Some((Moment::Day(start.date()), Moment::Day(end.date())))
}

/// When a series takes place.
pub(in crate::convert) struct Instances {
    /// Start and end of each, without those that were deleted and with those that were moved.
    pub told: Vec<(Moment, Moment)>,
    /// Where the last of them begins, if there are more than are told.
    pub rest: Option<Moment>,
}

/// The instances of a series; None of an event that has none, or whose pattern makes no sense.
pub(in crate::convert) fn instances_of(reader: &Reader<'_>) -> Option<Instances> {
    let (schedule, recurrence) = Schedule::begun(reader)?;
    let recurrence = recurrence?;
    let (from, to) = (recurrence.start_offset, recurrence.end_offset);
    let stretch = |day: Date| schedule.stretch((at(day, from), at(day, to)));
    let days = instances(&recurrence.pattern, MAX_INSTANCES);
    let is_cut = days.len() == MAX_INSTANCES;
    let rest = days.last().filter(|_| is_cut).map(|day| stretch(*day).0);
    // Those that were moved are among these, too.
    let deleted: BTreeSet<&Date> = recurrence.pattern.deleted.iter().collect();
    let kept = days.iter().filter(|day| !deleted.contains(day));
    let moved = recurrence.exceptions.iter();
    let moved = moved.map(|exception| schedule.stretch((exception.start, exception.end)));
    let told = kept.map(|day| stretch(*day)).chain(moved).collect();
    Some(Instances { told, rest })
}

fn time(utc: DateTime) -> Moment {
    Moment::Time(FileTime::of_unix_seconds(clock::seconds_to(utc)))
}

/// Start and end in UTC, from the first pair of properties that has a start.
fn whole(reader: &Reader<'_>) -> Option<(DateTime, DateTime)> {
    let (start, end) = stored(reader)?;
    Some((start, end.max(start)))
}

/// The end of an event that has one before its start.
pub(super) fn early_end(reader: &Reader<'_>) -> Option<DateTime> {
    let (start, end) = stored(reader)?;
    (end < start).then_some(end)
}

/// Start and end as they are stored.
fn stored(reader: &Reader<'_>) -> Option<(DateTime, DateTime)> {
    const PAIRS: [(Key, Key); 3] = [
        (lids::APPOINTMENT_START_WHOLE, lids::APPOINTMENT_END_WHOLE),
        (lids::COMMON_START, lids::COMMON_END),
        (Key::Tag(tags::START_DATE), Key::Tag(tags::END_DATE)),
    ];
    let time = |key: Key| reader.time(key).and_then(utc);
    let start = PAIRS.into_iter().find_map(|(start, _)| time(start))?;
    let end = PAIRS.into_iter().find_map(|(_, end)| time(end));
    let by_duration = || {
        let minutes = reader.integer(lids::APPOINTMENT_DURATION).unwrap_or(0);
        start.saturating_add(i64::from(minutes.max(0)).minutes())
    };
    Some((start, end.unwrap_or_else(by_duration)))
}

fn recurrence(reader: &Reader<'_>) -> Option<AppointmentRecurrence> {
    let blob = reader
        .binary(lids::APPOINTMENT_RECUR)
        .filter(|_| reader.flag(lids::RECURRING) != Some(false))?;
    match parse_appointment(&blob, reader.code_page()) {
        Ok(recurrence) => {
            if let Some(problem) = &recurrence.problem {
                reader.problem(problem);
            }
            Some(recurrence)
        }
        Err(problem) => {
            reader.problem(problem);
            None
        }
    }
}

/// The zone of the event: the one that its recurrence is in, else the one that it is shown in.
fn zone(reader: &Reader<'_>, is_recurring: bool) -> Option<TimeZone> {
    let mut definitions = DEFINITIONS;
    if is_recurring {
        definitions.reverse();
    }
    let defined = definitions.into_iter().find_map(|key| {
        let blob = reader.binary(key)?;
        let zone = TimeZone::of_definition(&blob);
        if zone.is_none() && TimeZone::name_of_definition(&blob).is_none() {
            reader.problem("a time zone definition makes no sense");
        }
        zone
    });
    defined.or_else(|| {
        let blob = reader.binary(lids::TIME_ZONE_STRUCT)?;
        let description = reader.string(lids::TIME_ZONE_DESCRIPTION);
        let zone = TimeZone::of_struct(&blob, description.as_deref())?;
        Some(match zone_name(reader) {
            Some(name) => zone.named(name),
            None => zone,
        })
    })
}

/// The IANA name of the zone, from a definition that may have no rules.
fn zone_name(reader: &Reader<'_>) -> Option<String> {
    DEFINITIONS
        .into_iter()
        .find_map(|key| TimeZone::name_of_definition(&reader.binary(key)?))
}

/// The zone of a series that names none: the same distance to UTC as its first instance has.
fn fixed_zone(recurrence: &AppointmentRecurrence, start: DateTime) -> Option<TimeZone> {
    const MAX_MINUTES: i64 = 24 * 60;
    let local = at(recurrence.pattern.start, recurrence.start_offset);
    let seconds = start.duration_until(local).as_secs();
    let minutes = seconds / 60;
    (minutes.abs() < MAX_MINUTES).then(|| TimeZone::fixed(minutes as i32))
}
