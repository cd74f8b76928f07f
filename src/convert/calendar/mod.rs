//! Calendar items as iCalendar (RFC 5545): events, tasks and journal entries. [MS-OXOCAL], [MS-OXOTASK], [MS-OXOJRNL]
//!
//! `recurrence` and `time_zone` read what is stored, `instances` and `rrule` say when it happens; `event`, `task` and
//! `journal` write components, `ical` the calendar around them. Nothing here fails: what cannot be read is a problem.
#![forbid(unsafe_code)]

mod attendee;
mod common;
mod event;
mod global_object_id;
mod ical;
pub mod instances;
mod journal;
mod meeting;
pub mod recurrence;
pub mod rrule;
mod schedule;
mod task;
pub mod time_zone;

pub use ical::{HEAD, Parts, TAIL, parts};
pub use meeting::meeting_part;

use super::reader::Reader;

/// An appointment or a meeting.
pub(super) fn event(reader: &Reader<'_>) -> String {
    let calendar = event::calendar(reader, event::Purpose::Keep);
    calendar.finish(None, &reader.problems())
}

/// A task.
pub(super) fn task(reader: &Reader<'_>) -> String {
    let calendar = task::calendar(reader);
    calendar.finish(None, &reader.problems())
}

/// A journal entry.
pub(super) fn journal(reader: &Reader<'_>) -> String {
    let calendar = journal::calendar(reader);
    calendar.finish(None, &reader.problems())
}
