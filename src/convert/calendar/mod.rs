//! Calendar items as iCalendar (RFC 5545): events, tasks and journal entries. [MS-OXOCAL], [MS-OXOTASK], [MS-OXOJRNL]
//!
//! `recurrence` and `time_zone` read what is stored, `instances` and `rrule` give its days; `event`, `task` and
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

pub(super) use event::event;
pub use ical::{HEAD, TAIL};
pub(super) use journal::{journal, span as journal_span};
pub use meeting::meeting_part;
pub(super) use schedule::{Instances, has_instances, instances_of, span};
pub(super) use task::task;
