//! Journal entries as VJOURNAL. RFC 5545 3.6.3, [MS-OXOJRNL]
#![forbid(unsafe_code)]

use super::common;
use super::ical::{Calendar, utc_stamp};
use crate::convert::lids;
use crate::convert::moment::Moment;
use crate::convert::parts::Parts;
use crate::convert::reader::Reader;
use crate::ltp::FileTime;

/// A journal entry.
pub(in crate::convert) fn journal(reader: &Reader<'_>) -> (String, Parts) {
    calendar(reader).finish(None, &reader.problems())
}

/// When what a journal entry is about began.
fn start(reader: &Reader<'_>) -> Option<FileTime> {
    reader
        .time(lids::LOG_START)
        .or_else(|| reader.time(lids::COMMON_START))
}

/// From when to when it was.
pub(in crate::convert) fn span(reader: &Reader<'_>) -> Option<(Moment, Moment)> {
    let start = start(reader)?;
    let end = reader.time(lids::LOG_END).filter(|end| *end >= start);
    Some((Moment::Time(start), Moment::Time(end.unwrap_or(start))))
}

/// The calendar of a journal entry.
fn calendar(reader: &Reader<'_>) -> Calendar {
    let mut calendar = Calendar::default();
    let Some(message) = reader.message() else {
        return calendar;
    };
    calendar.components.begin("VJOURNAL");
    common::write(reader, &mut calendar, &reader.uid(), reader.subject());
    let lines = &mut calendar.components;
    if let Some(start) = start(reader).and_then(utc_stamp) {
        lines.line("DTSTART", &start);
    }
    // VJOURNAL may have neither DTEND nor DURATION.
    if let Some(end) = reader.time(lids::LOG_END).and_then(utc_stamp) {
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
