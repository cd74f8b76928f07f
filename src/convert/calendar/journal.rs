//! Journal entries as VJOURNAL. RFC 5545 3.6.3, [MS-OXOJRNL]
#![forbid(unsafe_code)]

use super::common;
use super::ical::{Calendar, utc_stamp};
use crate::convert::lids;
use crate::convert::parts::Parts;
use crate::convert::reader::Reader;

/// A journal entry.
pub(in crate::convert) fn journal(reader: &Reader<'_>) -> (String, Parts) {
    calendar(reader).finish(None, &reader.problems())
}

/// The calendar of a journal entry.
fn calendar(reader: &Reader<'_>) -> Calendar {
    let mut calendar = Calendar::default();
    let Some(message) = reader.message() else {
        return calendar;
    };
    calendar.components.begin("VJOURNAL");
    common::write(reader, &mut calendar, &reader.uid(), reader.subject());
    let time = |key| reader.time(key).and_then(utc_stamp);
    let lines = &mut calendar.components;
    let start = time(lids::LOG_START).or_else(|| time(lids::COMMON_START));
    if let Some(start) = start {
        lines.line("DTSTART", &start);
    }
    // VJOURNAL may have neither DTEND nor DURATION.
    if let Some(end) = time(lids::LOG_END) {
        lines.line("X-OSTFS-DTEND", &end);
    }
    if let Some(minutes) = reader
        .integer(lids::LOG_DURATION)
        .filter(|minutes| *minutes > 0)
    {
        lines.line("X-OSTFS-DURATION", &format!("PT{minutes}M"));
    }
    let kind = reader
        .string(lids::LOG_TYPE_DESCRIPTION)
        .or_else(|| reader.string(lids::LOG_TYPE));
    lines.optional("CATEGORIES", kind);
    common::attachments(reader, &mut calendar, message);
    calendar.components.end("VJOURNAL");
    calendar
}
