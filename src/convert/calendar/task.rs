//! Tasks as VTODO. RFC 5545 3.6.2, [MS-OXOTASK]
#![forbid(unsafe_code)]

use jiff::civil::{Date, DateTime};

use super::common;
use super::ical::{Calendar, Clock, utc, utc_stamp};
use super::instances::reconciled;
use super::recurrence::parse_pattern;
use super::rrule::rule;
use super::schedule::whole_days;
use crate::convert::content_line::{mailto, parameter};
use crate::convert::lids::{self, Key};
use crate::convert::parts::Parts;
use crate::convert::people::Person;
use crate::convert::reader::Reader;

/// PidLidTaskStatus.
const STATUS_IN_PROGRESS: i32 = 1;
const STATUS_COMPLETE: i32 = 2;
const STATUS_WAITING: i32 = 3;
const STATUS_DEFERRED: i32 = 4;

/// A task.
pub(in crate::convert) fn task(reader: &Reader<'_>) -> (String, Parts) {
    calendar(reader).finish(None, &reader.problems())
}

/// The calendar of a task.
fn calendar(reader: &Reader<'_>) -> Calendar {
    let mut calendar = Calendar::default();
    let Some(message) = reader.message() else {
        return calendar;
    };
    calendar.components.begin("VTODO");
    let summary = reader.subject();
    common::write(reader, &mut calendar, &reader.uid(), summary.clone());
    write_dates(reader, &mut calendar);
    write_progress(reader, &mut calendar);
    write_people(reader, &mut calendar);
    common::attachments(reader, &mut calendar, message);
    let reminder = [lids::REMINDER_TIME, lids::REMINDER_SIGNAL_TIME]
        .into_iter()
        .find_map(|key| reader.time(key).and_then(utc_stamp));
    if let Some(time) = reminder.filter(|_| reader.boolean(lids::REMINDER_SET)) {
        let summary = summary.unwrap_or_else(|| "Reminder".into());
        common::alarm(&mut calendar, ("TRIGGER;VALUE=DATE-TIME", &time), &summary);
    }
    calendar.components.end("VTODO");
    calendar
}

/// A day: `local` has it on the clock of the user, whatever the time of day; `other` has the midnight that it begins with
/// there, in UTC.
fn day(reader: &Reader<'_>, local: Key, other: Key) -> Option<Date> {
    let moment = |key: Key| reader.time(key).and_then(utc);
    let nearest_midnight = |moment| whole_days(moment, moment).0.date();
    moment(local)
        .map(DateTime::date)
        .or_else(|| moment(other).map(nearest_midnight))
}

fn write_dates(reader: &Reader<'_>, calendar: &mut Calendar) {
    let clock = Clock::new(None, true);
    let midnight = |day: Date| day.at(0, 0, 0, 0);
    let start = day(reader, lids::TASK_START_DATE, lids::COMMON_START);
    let due = day(reader, lids::TASK_DUE_DATE, lids::COMMON_END);
    let pattern = reader
        .binary(lids::TASK_RECURRENCE)
        .filter(|_| reader.flag(lids::TASK_RECURRING) != Some(false))
        .and_then(|blob| match parse_pattern(&blob) {
            Ok(pattern) => Some(pattern),
            Err(problem) => {
                reader.problem(problem);
                None
            }
        });
    let pattern = pattern.map(|pattern| {
        let (pattern, problem) = reconciled(pattern);
        problem
            .into_iter()
            .for_each(|problem| reader.problem(problem));
        pattern
    });
    // A task that comes back after it was done has no days to list: its next one is made then.
    let is_sliding = pattern.as_ref().is_some_and(|pattern| pattern.is_sliding);
    let rule = pattern
        .as_ref()
        .filter(|_| !is_sliding)
        .and_then(|pattern| rule(pattern, |day| clock.until(midnight(day))));
    // DTSTART is the first instance; due dates keep their distance to it.
    let (start, due) = match &rule {
        Some(rule) => {
            let length = start.zip(due).map(|(start, due)| start.until(due));
            let due = length.and_then(|length| rule.first.checked_add(length.ok()?).ok());
            (Some(rule.first), due)
        }
        None => (start, due),
    };
    if let Some(start) = start {
        clock.write(calendar, "DTSTART", &[midnight(start)]);
    }
    // DUE must not be before DTSTART.
    if let Some(due) = due.filter(|due| start.is_none_or(|start| start <= *due)) {
        clock.write(calendar, "DUE", &[midnight(due)]);
    } else if let Some(due) = due {
        calendar.components.line("X-OSTFS-DUE", &due.to_string());
    }
    if is_sliding {
        calendar
            .components
            .line("X-OSTFS-RECURS", "AFTER-COMPLETION");
    }
    let Some((rule, pattern)) = rule.zip(pattern) else {
        return;
    };
    if let Some(rrule) = &rule.rrule {
        calendar.components.line("RRULE", rrule);
    }
    let listed: Vec<DateTime> = rule.listed.iter().map(|day| midnight(*day)).collect();
    clock.write(calendar, "RDATE", &listed);
    let deleted: Vec<DateTime> = pattern.deleted.iter().map(|day| midnight(*day)).collect();
    clock.write(calendar, "EXDATE", &deleted);
}

fn write_progress(reader: &Reader<'_>, calendar: &mut Calendar) {
    let status = reader.integer(lids::TASK_STATUS);
    let percent = reader
        .float(lids::PERCENT_COMPLETE)
        .filter(|part| (0.0..=1.0).contains(part));
    let is_complete = status == Some(STATUS_COMPLETE) || reader.boolean(lids::TASK_COMPLETE);
    let lines = &mut calendar.components;
    let name = match status {
        _ if is_complete => "COMPLETED",
        Some(STATUS_IN_PROGRESS) => "IN-PROCESS",
        _ => "NEEDS-ACTION",
    };
    lines.line("STATUS", name);
    match status {
        Some(STATUS_WAITING) => lines.line("X-OSTFS-STATUS", "WAITING"),
        Some(STATUS_DEFERRED) => lines.line("X-OSTFS-STATUS", "DEFERRED"),
        _ => {}
    }
    if let Some(percent) = percent {
        lines.line("PERCENT-COMPLETE", &format!("{:.0}", percent * 100.0));
    }
    if is_complete && let Some(time) = reader.time(lids::TASK_DATE_COMPLETED).and_then(utc_stamp) {
        lines.line("COMPLETED", &time);
    }
    for (name, key) in [
        ("X-OSTFS-ACTUAL-MINUTES", lids::TASK_ACTUAL_EFFORT),
        ("X-OSTFS-ESTIMATED-MINUTES", lids::TASK_ESTIMATED_EFFORT),
    ] {
        if let Some(minutes) = reader.integer(key).filter(|minutes| *minutes != 0) {
            lines.line(name, &minutes.to_string());
        }
    }
}

fn write_people(reader: &Reader<'_>, calendar: &mut Calendar) {
    let lines = &mut calendar.components;
    if let Some(owner) = reader.string(lids::TASK_OWNER) {
        let person = Person::of_parts(Some(owner.clone()), None, None, None);
        // A name alone is no calendar address.
        match person.smtp() {
            Some(address) => {
                let name = format!("ORGANIZER{}", parameter("CN", &owner));
                lines.line(&name, &mailto(&address));
            }
            None => lines.text("X-OSTFS-OWNER", &owner),
        }
    }
    lines.optional("X-OSTFS-ASSIGNER", reader.string(lids::TASK_ASSIGNER));
    lines.optional("X-OSTFS-ROLE", reader.string(lids::TASK_ROLE));
}
