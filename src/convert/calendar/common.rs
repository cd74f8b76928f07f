//! What events, tasks and journal entries have in common.
#![forbid(unsafe_code)]

use super::ical::{Calendar, utc_stamp};
use crate::convert::attachment::{self, Content, Item};

use crate::convert::content_line::{base64, parameter};
use crate::convert::lids::{self, Key};
use crate::convert::reader::Reader;
use crate::ltp::tags;
use crate::messaging::Message;

/// Attachments up to this size are in the calendar; larger ones are files beside it alone, since programs keep
/// calendars in memory.
const MAX_INLINE: u64 = 256 << 10;
/// All attachments that are in one calendar.
const MAX_INLINE_TOTAL: u64 = 4 << 20;
/// PidLidReminderDelta that stands for the default of the user.
const REMINDER_DEFAULT: i32 = 0x5AE9_80E1;
const REMINDER_DEFAULT_MINUTES: i32 = 15;
/// Where an event, a journal entry or a task has its start.
const STARTS: [Key; 5] = [
    lids::APPOINTMENT_START_WHOLE,
    lids::LOG_START,
    lids::TASK_START_DATE,
    lids::COMMON_START,
    Key::Tag(tags::START_DATE),
];
/// The remark of an item whose start is all that it has of times.
const STAMPED_BY_START: &str = "DTSTAMP, which every entry of a calendar has, is its start";
/// More is damage: forty years.
const REMINDER_MAX_MINUTES: i32 = 60 * 24 * 366 * 40;

/// Identity, times and texts of an item.
pub(super) fn write(
    reader: &Reader<'_>,
    calendar: &mut Calendar,
    uid: &str,
    summary: Option<String>,
) {
    let (text, html) = reader.body();
    let lines = &mut calendar.components;
    lines.text("UID", uid);
    if let Some(stamp) = stamp(reader) {
        lines.line("DTSTAMP", &stamp);
    }
    if let Some(created) = reader.time(tags::CREATION_TIME).and_then(utc_stamp) {
        lines.line("CREATED", &created);
    }
    if let Some(modified) = reader
        .time(tags::LAST_MODIFICATION_TIME)
        .and_then(utc_stamp)
    {
        lines.line("LAST-MODIFIED", &modified);
    }
    lines.optional("SUMMARY", summary);
    lines.optional("DESCRIPTION", text);
    if let Some(html) = html {
        lines.text("X-ALT-DESC;FMTTYPE=text/html", &html);
    }
    if let Some(class) = reader.class() {
        lines.line("CLASS", class);
    }
    if let Some(priority) = reader.priority() {
        lines.line("PRIORITY", priority);
    }
    lines.list("CATEGORIES", &reader.strings(lids::KEYWORDS));
    for contact in reader.strings(lids::CONTACTS) {
        lines.text("CONTACT", &contact);
    }
    let companies = reader.strings(lids::COMPANIES);
    lines.list("X-OSTFS-COMPANIES", &companies);
    lines.optional("X-OSTFS-BILLING", reader.string(lids::BILLING));
    lines.optional("X-OSTFS-MILEAGE", reader.string(lids::MILEAGE));
    for (name, text) in reader.user_fields() {
        lines.text(
            &format!("X-OSTFS-FIELD{}", parameter("X-NAME", name)),
            &text,
        );
    }
}

/// DTSTAMP, without which programs refuse an entry (RFC 5545 3.6.1): when the item was changed or came, else its start, which
/// is said. None is made up.
fn stamp(reader: &Reader<'_>) -> Option<String> {
    let bears = reader.modified().and_then(utc_stamp);
    bears.or_else(|| {
        let starts = STARTS.into_iter().find_map(|key| reader.time(key));
        let stamp = starts.and_then(utc_stamp)?;
        reader.remark(STAMPED_BY_START);
        Some(stamp)
    })
}

/// Attachments of `message` that people see; returns the messages of its changed instances.
pub(super) fn attachments(
    reader: &Reader<'_>,
    calendar: &mut Calendar,
    message: &Message,
) -> Vec<Message> {
    let mut instances = Vec::new();
    let mut room = MAX_INLINE_TOTAL;
    for item in attachment::list(message) {
        match &item.content {
            Content::Message(instance) if item.is_hidden => instances.push((**instance).clone()),
            Content::Unreadable(error) => {
                reader.problem(format_args!("attachment {}: {error}", item.name));
            }
            _ => attach(reader, calendar, &item, &mut room),
        }
    }
    instances
}

fn attach(reader: &Reader<'_>, calendar: &mut Calendar, item: &Item, room: &mut u64) {
    let name = parameter("X-FILENAME", &item.name);
    let small = item
        .bytes()
        .filter(|bytes| bytes.len() <= MAX_INLINE.min(*room));
    let Some(bytes) = small else {
        calendar.components.text("X-OSTFS-ATTACHMENT", &item.name);
        return;
    };
    match bytes.head(MAX_INLINE as usize) {
        Ok(content) => {
            *room = room.saturating_sub(bytes.len());
            let parameters = format!(
                "ATTACH{};ENCODING=BASE64;VALUE=BINARY{name}",
                parameter("FMTTYPE", &item.media_type)
            );
            calendar.components.line(&parameters, &base64(&content));
        }
        Err(error) => reader.problem(format_args!("attachment {}: {error}", item.name)),
    }
}

/// Minutes before the start at which a reminder is due, from PidLidReminderDelta.
pub(super) fn reminder_minutes(delta: Option<i32>) -> Option<i32> {
    match delta {
        None | Some(REMINDER_DEFAULT) => Some(REMINDER_DEFAULT_MINUTES),
        Some(minutes) => (0..=REMINDER_MAX_MINUTES)
            .contains(&minutes)
            .then_some(minutes),
    }
}

/// A reminder; `trigger` is the whole name and value.
pub(super) fn alarm(calendar: &mut Calendar, trigger: (&str, &str), description: &str) {
    let lines = &mut calendar.components;
    lines.begin("VALARM");
    lines.line("ACTION", "DISPLAY");
    lines.text("DESCRIPTION", description);
    lines.line(trigger.0, trigger.1);
    lines.end("VALARM");
}
