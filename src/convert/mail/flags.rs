//! State of a message as header fields: read, flagged, important, categories. [MS-OXCMSG] 2.2.1, [MS-OXCMAIL] 2.1.3.2
#![forbid(unsafe_code)]

use super::fields::Fields;
use crate::convert::lids;
use crate::ltp::{Value, tags};
use crate::messaging::{Folder, MSGFLAG_READ, MSGFLAG_UNSENT, Message, PropertySet, State};
use crate::problem::{Problem, Problems};

/// PidTagMessageFlags.
pub(crate) const FLAG_FROM_ME: i32 = 0x20;
/// The field of a message of which the store has only the header.
pub(super) const INCOMPLETE: &str = "X-Ostfs-Incomplete";
/// The text of such a message.
pub(super) const HEADER_ONLY: &str =
    "(Only the header of this message is in the file: its body was not fetched from the server.)\n";
/// The properties of which any has a body.
const BODIES: [u16; 3] = [tags::BODY, tags::HTML, tags::RTF_COMPRESSED];
const KEYWORDS: &str = "Keywords";
/// PidLidHeaderItem of PSETID_Common: not 0 while only the header has been downloaded.
const HEADER_ITEM: u32 = 0x8578;
/// PidTagMessageStatus: MSGSTATUS_REMOTE_DOWNLOAD, the content is still on the server. [MS-OXCMSG] 2.2.1.8
const STATUS_REMOTE_DOWNLOAD: i32 = 0x1000;

/// PidTagMessageFlags, 0 when absent.
pub(crate) fn message_flags(message: &Message) -> i32 {
    message
        .properties()
        .integer(tags::MESSAGE_FLAGS)
        .ok()
        .flatten()
        .unwrap_or(0)
}

/// PidNameKeywords: the categories that its reader has put it in.
pub(in crate::convert) fn categories(message: &Message) -> Vec<String> {
    message
        .named_string(PropertySet::PUBLIC_STRINGS, KEYWORDS)
        .and_then(|id| message.properties().strings(id).ok())
        .unwrap_or_default()
}

/// A category in a list that commas part. RFC 5322 3.6.5
fn phrase(keyword: String) -> String {
    match keyword.contains([',', '"']) {
        true => format!("\"{}\"", keyword.replace('\\', "\\\\").replace('"', "\\\"")),
        false => keyword,
    }
}

/// Adds the fields that mail programs keep the state of a message in.
pub(crate) fn add(message: &Message, fields: &mut Fields) {
    let properties = message.properties();
    let integer = |id: u16| properties.integer(id).ok().flatten();
    let flags = message_flags(message);
    match integer(tags::IMPORTANCE) {
        Some(2) => {
            fields.push("Importance", "high");
            fields.push("X-Priority", "1");
        }
        Some(0) => {
            fields.push("Importance", "low");
            fields.push("X-Priority", "5");
        }
        _ => {}
    }
    match integer(tags::PRIORITY) {
        Some(1) => fields.push("Priority", "urgent"),
        Some(-1) => fields.push("Priority", "non-urgent"),
        _ => {}
    }
    match integer(tags::SENSITIVITY) {
        Some(1) => fields.push("Sensitivity", "Personal"),
        Some(2) => fields.push("Sensitivity", "Private"),
        Some(3) => fields.push("Sensitivity", "Company-Confidential"),
        _ => {}
    }
    let keywords = categories(message);
    if !keywords.is_empty() {
        let words: Vec<String> = keywords.into_iter().map(phrase).collect();
        fields.push_text("Keywords", &words.join(", "));
    }
    let request = lids::FLAG_REQUEST
        .id(message)
        .and_then(|id| properties.string(id).ok().flatten());
    if let Some(request) = request {
        fields.push_text("X-Message-Flag", &request);
    }
    if flags & MSGFLAG_UNSENT != 0 {
        fields.push("X-Unsent", "1");
    }
    if is_header_only(message) {
        fields.push(INCOMPLETE, "header-only");
    }
    fields.push("Status", if flags & MSGFLAG_READ != 0 { "RO" } else { "O" });
    let done = State::of(integer);
    let mut state = String::new();
    if done.replied {
        state.push('A');
    }
    if done.flagged {
        state.push('F');
    }
    if flags & MSGFLAG_UNSENT != 0 {
        state.push('T');
    }
    if !state.is_empty() {
        fields.push("X-Status", state);
    }
}

/// Whether the message is marked as one of which the store has only the header. One that has a body is asked for little: that
/// spares the rest of the properties, and the contents table.
fn is_header_only(message: &Message) -> bool {
    let properties = message.properties();
    let integer = |id: u16| properties.integer(id).ok().flatten();
    let is_remote = |status: i32| status & STATUS_REMOTE_DOWNLOAD != 0;
    let header_item = message.named(PropertySet::COMMON, HEADER_ITEM);
    let status = integer(tags::MESSAGE_STATUS);
    let is_marked = header_item.and_then(integer).is_some_and(|item| item != 0)
        || status.is_some_and(is_remote);
    let may_lack_body = !BODIES.into_iter().any(|id| properties.has(id));
    let is_marked_elsewhere = || {
        message.class().is_header_only
            || status.is_none() && status_in_row(message).is_some_and(is_remote)
    };
    is_marked || may_lack_body && is_marked_elsewhere()
}

/// PidTagMessageStatus, which Outlook keeps in the contents table alone.
fn status_in_row(message: &Message) -> Option<i32> {
    if message.depth() > 0 {
        return None;
    }
    let folder = Folder::new(message.store(), message.node().parent());
    let problems = Problems::default();
    let rows = folder.item_rows(message.nid().node_type(), &problems);
    let cells = rows.cells(message.nid(), |id| id == tags::MESSAGE_STATUS);
    if !problems.is_empty() {
        let text = "whether its body was fetched is told by a damaged contents table";
        message.problems().note(Problem::new("", text));
    }
    cells.into_iter().find_map(|cell| match cell {
        (_, Value::Integer(status)) => Some(status),
        _ => None,
    })
}
