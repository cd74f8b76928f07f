//! Appointments and meetings as VEVENT. RFC 5545 3.6.1, [MS-OXCICAL] 2.1.3.1.1.20
#![forbid(unsafe_code)]

use jiff::civil::DateTime;

use super::attendee;
use super::common;
use super::global_object_id;
use super::ical::{Calendar, Clock, utc};
use super::recurrence::Exception;
use super::schedule::{Schedule, early_end, whole_days};
use super::time_zone::stamp;
use crate::convert::lids::{self, Key};
use crate::convert::parts::Parts;
use crate::convert::reader::Reader;
use crate::messaging::{Message, Recipient};

/// PidLidBusyStatus.
const BUSY_FREE: i32 = 0;
const BUSY_TENTATIVE: i32 = 1;
const BUSY_OUT_OF_OFFICE: i32 = 3;
const BUSY_ELSEWHERE: i32 = 4;
/// PidLidAppointmentStateFlags.
const STATE_MEETING: i32 = 0x1;
const STATE_CANCELED: i32 = 0x4;
/// Changed instances of a series that are written; thousands of daily meetings have fewer.
const MAX_EXCEPTIONS: usize = 2000;
/// Bytes of a calendar beyond which no changed instance is written: each may repeat the text of its series.
const MAX_SIZE: usize = 32 << 20;

/// What a calendar is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The item of a calendar folder.
    Keep,
    /// An invitation, or a change of it.
    Request,
    /// A cancellation.
    Cancel,
    /// An answer, with its PARTSTAT.
    Reply(&'static str),
    /// An answer that proposes another time.
    Counter(&'static str),
}

/// What one VEVENT is of.
struct Instance<'a> {
    start: DateTime,
    end: DateTime,
    is_all_day: bool,
    /// The start that it would have had.
    original: Option<DateTime>,
    exception: Option<&'a Exception>,
}

/// An appointment or a meeting.
pub(in crate::convert) fn event(reader: &Reader<'_>) -> (String, Parts) {
    calendar(reader, Purpose::Keep).finish(None, &reader.problems())
}

/// The calendar of `reader`'s item.
pub(super) fn calendar(reader: &Reader<'_>, purpose: Purpose) -> Calendar {
    let mut calendar = Calendar::default();
    let Some(message) = reader.message() else {
        return calendar;
    };
    let id = reader
        .binary(lids::GLOBAL_OBJECT_ID)
        .or_else(|| reader.binary(lids::CLEAN_GLOBAL_OBJECT_ID));
    let uid = id.as_deref().and_then(global_object_id::uid);
    let event = Event {
        uid: uid.unwrap_or_else(|| reader.uid()),
        purpose,
        recipients: message.recipients(),
        schedule: Schedule::read(reader),
    };
    if event.schedule.is_none() {
        reader.problem("nothing tells when this event is");
    }
    let instance = id.as_deref().and_then(global_object_id::instance);
    let changed = event.write(reader, &mut calendar, message, instance);
    event.write_exceptions(reader, &mut calendar, &changed);
    calendar
}

struct Event {
    uid: String,
    purpose: Purpose,
    recipients: Vec<Recipient>,
    schedule: Option<Schedule>,
}

impl Event {
    /// Writes the event, or the series; returns the messages of changed instances.
    fn write(
        &self,
        reader: &Reader<'_>,
        calendar: &mut Calendar,
        message: &Message,
        instance_day: Option<jiff::civil::Date>,
    ) -> Vec<Message> {
        calendar.components.begin("VEVENT");
        match &self.schedule {
            // A made-up start would be taken for real.
            None => {}
            Some(schedule) => {
                let (start, end) = schedule.local();
                let original = match &schedule.series {
                    Some(_) => None,
                    None => original_start(reader, schedule, instance_day),
                };
                let instance = Instance {
                    start,
                    end,
                    is_all_day: schedule.is_all_day,
                    original,
                    exception: None,
                };
                self.write_times(reader, calendar, schedule, &instance);
                write_series(calendar, schedule);
            }
        }
        self.write_texts(reader, calendar, None, &self.recipients);
        let changed = common::attachments(reader, calendar, message);
        write_alarm(reader, calendar, None);
        calendar.components.end("VEVENT");
        changed
    }

    /// Writes the changed instances; `messages` have what the recurrence lacks of them.
    fn write_exceptions(&self, reader: &Reader<'_>, calendar: &mut Calendar, messages: &[Message]) {
        let Some(schedule) = &self.schedule else {
            return;
        };
        let Some(series) = &schedule.series else {
            return;
        };
        let clock = schedule.clock();
        let keys: Vec<InstanceKey> = messages
            .iter()
            .take(MAX_EXCEPTIONS)
            .map(|message| InstanceKey::of(reader, message, &clock))
            .collect();
        let mut used = vec![false; messages.len()];
        for (index, exception) in series.recurrence.exceptions.iter().enumerate() {
            if index >= MAX_EXCEPTIONS || calendar.components.len() > MAX_SIZE {
                reader.problem("there are too many changed instances to write them all");
                return;
            }
            let at = keys.iter().position(|key| key.is_of(exception));
            if let Some(used) = at.and_then(|at| used.get_mut(at)) {
                *used = true;
            }
            let message = at.and_then(|at| messages.get(at));
            self.write_exception(reader, calendar, schedule, exception, message);
        }
        let unused = messages
            .iter()
            .zip(&keys)
            .zip(used)
            .filter(|(_, used)| !used);
        for ((message, key), _) in unused {
            reader.problem("a changed instance belongs to no exception of the recurrence");
            if let Some(exception) = key.exception(reader, message, &clock) {
                self.write_exception(reader, calendar, schedule, &exception, Some(message));
            }
        }
    }

    fn write_exception(
        &self,
        reader: &Reader<'_>,
        calendar: &mut Calendar,
        schedule: &Schedule,
        exception: &Exception,
        message: Option<&Message>,
    ) {
        let layered = reader.over(message);
        let is_all_day = exception.is_all_day.unwrap_or(schedule.is_all_day);
        let (start, end) = if is_all_day {
            whole_days(exception.start, exception.end)
        } else {
            (exception.start, exception.end.max(exception.start))
        };
        let instance = Instance {
            start,
            end,
            is_all_day,
            original: Some(exception.original_start),
            exception: Some(exception),
        };
        calendar.components.begin("VEVENT");
        self.write_times(&layered, calendar, schedule, &instance);
        let own = message.map(|message| message.recipients());
        let recipients = own.filter(|own| !own.is_empty());
        let recipients = recipients.as_deref().unwrap_or(&self.recipients);
        self.write_texts(&layered, calendar, instance.exception, recipients);
        if let Some(message) = message {
            common::attachments(&layered, calendar, message);
        }
        write_alarm(&layered, calendar, instance.exception);
        calendar.components.end("VEVENT");
    }

    fn write_times(
        &self,
        reader: &Reader<'_>,
        calendar: &mut Calendar,
        schedule: &Schedule,
        instance: &Instance<'_>,
    ) {
        let zone = schedule.zone.as_ref();
        let clock = Clock::new(zone, instance.is_all_day);
        if let Some(original) = instance.original {
            schedule
                .clock()
                .write(calendar, "RECURRENCE-ID", &[original]);
        }
        let proposed = match self.purpose {
            Purpose::Counter(_) => proposed(reader),
            _ => None,
        };
        let (start, end) = match proposed {
            Some((start, end)) => (clock.local(start), clock.local(end)),
            None => (instance.start, instance.end),
        };
        clock.write(calendar, "DTSTART", &[start]);
        match &schedule.end_zone {
            Some(end_zone) if !instance.is_all_day && proposed.is_none() => {
                let end_clock = Clock::new(Some(end_zone), false);
                end_clock.write(calendar, "DTEND", &[end_clock.local(schedule.end)]);
            }
            _ => clock.write(calendar, "DTEND", &[end]),
        }
        // No program takes an event that ends before it begins.
        if instance.original.is_none()
            && let Some(end) = early_end(reader)
        {
            let end = format!("{}Z", stamp(end));
            calendar.components.line("X-OSTFS-DTEND", &end);
        }
    }

    fn write_texts(
        &self,
        reader: &Reader<'_>,
        calendar: &mut Calendar,
        exception: Option<&Exception>,
        recipients: &[Recipient],
    ) {
        let summary = exception.and_then(|exception| exception.subject.clone());
        common::write(
            reader,
            calendar,
            &self.uid,
            summary.or_else(|| reader.subject()),
        );
        let location = exception
            .and_then(|exception| exception.location.clone())
            .or_else(|| reader.string(lids::LOCATION))
            .or_else(|| reader.string(lids::WHERE));
        calendar.components.optional("LOCATION", location);
        let sequence = reader.integer(lids::APPOINTMENT_SEQUENCE).unwrap_or(0);
        calendar
            .components
            .line("SEQUENCE", &sequence.max(0).to_string());
        self.write_state(reader, calendar, exception);
        for (name, key) in lids::ONLINE_MEETING_LINKS {
            calendar.components.optional(name, reader.string(key));
        }
        let link = |key: Key| reader.string(key).filter(|link| link.starts_with("http"));
        let online = lids::ONLINE_MEETING_LINKS
            .iter()
            .find_map(|(_, key)| link(*key));
        let others = [lids::NET_SHOW_URL, lids::MEETING_WORKSPACE_URL].into_iter();
        let mut links = online.into_iter().chain(others.filter_map(link));
        if let Some(link) = links.next() {
            calendar.components.line("URL", link.trim());
        }
        // An entry has one URL.
        for link in links {
            calendar.components.line("X-OSTFS-LINK", link.trim());
        }
        let state = exception
            .and_then(|exception| exception.state_flags)
            .or_else(|| reader.integer(lids::APPOINTMENT_STATE_FLAGS));
        match self.purpose {
            Purpose::Keep if state.unwrap_or(0) & STATE_MEETING == 0 => {}
            Purpose::Reply(status) | Purpose::Counter(status) => {
                attendee::write_reply(reader, calendar, recipients, status);
            }
            _ => attendee::write(reader, calendar, recipients),
        }
    }

    fn write_state(
        &self,
        reader: &Reader<'_>,
        calendar: &mut Calendar,
        exception: Option<&Exception>,
    ) {
        let intended = reader.integer(lids::INTENDED_BUSY_STATUS);
        let own = exception
            .and_then(|exception| exception.busy_status)
            .or_else(|| reader.integer(lids::BUSY_STATUS));
        // In an invitation the own status is how the receiver shows it until the answer.
        let busy = match self.purpose {
            Purpose::Request => intended.or(own),
            _ => own,
        };
        let state = exception
            .and_then(|exception| exception.state_flags)
            .or_else(|| reader.integer(lids::APPOINTMENT_STATE_FLAGS))
            .unwrap_or(0);
        let is_canceled = self.purpose == Purpose::Cancel || state & STATE_CANCELED != 0;
        let lines = &mut calendar.components;
        if is_canceled {
            lines.line("STATUS", "CANCELLED");
        } else if busy == Some(BUSY_TENTATIVE) {
            lines.line("STATUS", "TENTATIVE");
        } else {
            lines.line("STATUS", "CONFIRMED");
        }
        let transparent = matches!(busy, Some(BUSY_FREE | BUSY_ELSEWHERE));
        lines.line("TRANSP", if transparent { "TRANSPARENT" } else { "OPAQUE" });
        if let Some(busy) = busy {
            lines.line("X-MICROSOFT-CDO-BUSYSTATUS", busy_name(busy));
        }
        if let Some(intended) = intended {
            lines.line("X-MICROSOFT-CDO-INTENDEDSTATUS", busy_name(intended));
        }
    }
}

fn busy_name(status: i32) -> &'static str {
    match status {
        BUSY_FREE => "FREE",
        BUSY_TENTATIVE => "TENTATIVE",
        BUSY_OUT_OF_OFFICE => "OOF",
        BUSY_ELSEWHERE => "WORKINGELSEWHERE",
        _ => "BUSY",
    }
}

fn write_series(calendar: &mut Calendar, schedule: &Schedule) {
    let Some(series) = &schedule.series else {
        return;
    };
    let clock = schedule.clock();
    if let Some(rrule) = &series.rule.rrule {
        calendar.components.line("RRULE", rrule);
    }
    let deleted = series.deleted();
    let mut listed: Vec<DateTime> = series
        .rule
        .listed
        .iter()
        .map(|day| series.instance(*day).0)
        .collect();
    listed.retain(|start| !deleted.contains(start));
    clock.write(calendar, "RDATE", &listed);
    clock.write(calendar, "EXDATE", &deleted);
}

/// The start that an instance without its series would have had.
fn original_start(
    reader: &Reader<'_>,
    schedule: &Schedule,
    day: Option<jiff::civil::Date>,
) -> Option<DateTime> {
    let clock = schedule.clock();
    let replaced = reader
        .time(lids::EXCEPTION_REPLACE_TIME)
        .and_then(utc)
        .map(|start| clock.local(start));
    replaced
        .filter(|_| day.is_some())
        .or_else(|| Some(day?.to_datetime(schedule.local().0.time())))
}

/// By what the message of a changed instance is found.
struct InstanceKey {
    /// The start that it would have had.
    original: Option<DateTime>,
    start: Option<DateTime>,
    is_all_day: bool,
}

impl InstanceKey {
    fn of(reader: &Reader<'_>, message: &Message, clock: &Clock<'_>) -> Self {
        let instance = reader.other(message);
        let local = |key| {
            instance
                .time(key)
                .and_then(utc)
                .map(|moment| clock.local(moment))
        };
        Self {
            original: local(lids::EXCEPTION_REPLACE_TIME),
            start: local(lids::APPOINTMENT_START_WHOLE),
            is_all_day: clock.is_all_day,
        }
    }

    /// Properties of an instance that the recurrence does not have.
    fn exception(
        &self,
        reader: &Reader<'_>,
        message: &Message,
        clock: &Clock<'_>,
    ) -> Option<Exception> {
        let start = self.start.or(self.original)?;
        let end = reader
            .other(message)
            .time(lids::APPOINTMENT_END_WHOLE)
            .and_then(utc);
        Some(Exception {
            start,
            end: end.map_or(start, |end| clock.local(end)),
            original_start: self.original.unwrap_or(start),
            subject: None,
            location: None,
            state_flags: None,
            reminder_delta: None,
            reminder_set: None,
            busy_status: None,
            is_all_day: None,
        })
    }

    fn is_of(&self, exception: &Exception) -> bool {
        match self.original {
            Some(original) if self.is_all_day => {
                whole_days(original, original).0.date() == exception.original_start.date()
            }
            Some(original) => original == exception.original_start,
            None => self.start == Some(exception.start),
        }
    }
}

/// The time that an answer proposes, in UTC.
fn proposed(reader: &Reader<'_>) -> Option<(DateTime, DateTime)> {
    let start = utc(reader.time(lids::APPOINTMENT_PROPOSED_START_WHOLE)?)?;
    let end = utc(reader.time(lids::APPOINTMENT_PROPOSED_END_WHOLE)?)?;
    Some((start, end.max(start)))
}

fn write_alarm(reader: &Reader<'_>, calendar: &mut Calendar, exception: Option<&Exception>) {
    let is_set = exception
        .and_then(|exception| exception.reminder_set)
        .unwrap_or_else(|| reader.boolean(lids::REMINDER_SET));
    let delta = exception
        .and_then(|exception| exception.reminder_delta)
        .or_else(|| reader.integer(lids::REMINDER_DELTA));
    let Some(minutes) = common::reminder_minutes(delta).filter(|_| is_set) else {
        return;
    };
    let summary = exception
        .and_then(|exception| exception.subject.clone())
        .or_else(|| reader.subject())
        .unwrap_or_else(|| "Reminder".into());
    let trigger = if minutes == 0 {
        "PT0S".to_owned()
    } else {
        format!("-PT{minutes}M")
    };
    common::alarm(calendar, ("TRIGGER", &trigger), &summary);
}
