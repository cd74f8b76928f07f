//! An item as plain text, to read and to search: its header decoded, a field on a line, what is attached, its body.
//!
//! Attached messages follow as text, so that a search finds their words too.
//!
//! There is no text in it that is not in the mail: header fields come from the same place (`header`, in raw UTF-8), the
//! body from the same choice of forms.
#![forbid(unsafe_code)]

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;

use super::date::format_date;
use super::fields::PROBLEM_FIELD;
use super::handling::{FIELD, REACTIONS, REPLY_BY, TIMES, VOTE, VOTING_OPTIONS};
use super::inline::name_marks;
use super::synthesis::TOLD_BCC;
use super::{details, flags, header, report};
use crate::convert::attachment::{Content, Item};
use crate::convert::body::{self, BestBody};
use crate::convert::context::Context;
use crate::convert::item;
use crate::convert::options::Headers;
use crate::convert::people::is_stand_in;
use crate::convert::reader::told;
use crate::convert::rendition::{Rendition, Writer};
use crate::convert::room::{MAX_MESSAGES, Room};
use crate::convert::text::normalise;
use crate::convert::text::rtf::ATTACHMENT_MARK;
use crate::messaging::Message;

/// Fields of the header that are shown, in this order.
const FIELDS: [&str; 25] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    TOLD_BCC,
    "Date",
    "Subject",
    "X-Ostfs-Subject",
    "Keywords",
    "Importance",
    "X-Message-Flag",
    REPLY_BY,
    TIMES[0].0,
    TIMES[1].0,
    "X-Microsoft-Classification",
    "X-Microsoft-ClassDesc",
    VOTING_OPTIONS,
    VOTE,
    REACTIONS,
    FIELD,
    "X-CallingTelephoneNumber",
    "X-VoiceMessageDuration",
    "Message-ID",
];

/// `message` as text in the `room` for it, its times in `zone`.
pub(in crate::convert) fn plain(
    context: &Context,
    message: &Message,
    zone: &TimeZone,
    room: &mut Room,
) -> Rendition {
    let mut text = Text {
        context,
        zone,
        messages_left: MAX_MESSAGES,
        room,
        out: String::new(),
    };
    text.room.take(message);
    text.message(message);
    let mut writer = Writer::new(context.options.eol);
    writer.text(&normalise(text.out));
    writer.finish(message.problems())
}

/// What `message` states beside its header and its attachments, in the `room` for it; times in `zone`.
pub(in crate::convert) fn said(message: &Message, zone: &TimeZone, room: &mut Room) -> Said {
    room.take(message);
    let details = details::lines(message.class().kind, message, zone);
    let body = body_text(body::best(message), message).unwrap_or_default();
    Said {
        details: details.into_iter().map(|(_, text)| text).collect(),
        // Both end a word.
        body: normalise(body.replace([ATTACHMENT_MARK, '\0'], " ")),
    }
}

/// The text of the body `best` of `message`; that of a report without one is made of what it is about.
fn body_text(best: BestBody, message: &Message) -> Option<String> {
    match report::Kind::of(message.class().kind) {
        Some(_) => best.text.or_else(|| report::text(message)),
        None => best.text,
    }
}

/// What an item states, to look for words in: no labels, and nothing that is not of the item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The facts of an item that is no mail: names, places, numbers, a text each.
    pub details: Vec<String>,
    /// The body as text, lines ending with LF.
    pub body: String,
}

/// The text under construction.
struct Text<'a> {
    context: &'a Context,
    zone: &'a TimeZone,
    messages_left: usize,
    room: &'a mut Room,
    out: String,
}

impl Text<'_> {
    fn line(&mut self, name: &str, value: &str) {
        self.out.push_str(&format!("{name}: {value}\n"));
    }

    fn message(&mut self, message: &Message) {
        let fields = header::of_message(self.context, message, Headers::Utf8);
        let kind = message.class().kind;
        let details = details::of_message(kind, message, self.zone);
        let items = item::attachments(message);
        let best = body::best(message);
        let of_name = |name| fields.all(name).map(move |value| (name, value));
        for (name, value) in FIELDS.into_iter().flat_map(of_name) {
            let mut value = value.replace("\n ", " ");
            // A stand-in for nobody tells nothing.
            if value.is_empty() || is_stand_in(&value) {
                continue;
            }
            let is_time = TIMES.iter().any(|(time, _)| *time == name);
            if name == "Date" || name == REPLY_BY || is_time {
                value = self.date(&value);
            }
            let label = if name == REPLY_BY { "Due" } else { name };
            self.line(label, &value);
        }
        self.out.push_str(details.as_deref().unwrap_or_default());
        if fields.has(flags::INCOMPLETE) {
            self.out.push_str(flags::HEADER_ONLY);
        }
        for item in &items {
            let size = match &item.content {
                Content::Bytes(bytes) => format!("{} bytes", bytes.len()),
                Content::Message(_) => "message".to_owned(),
                Content::Unreadable(error) => {
                    let place = format!("attachment {:?}", item.name);
                    message.problems().note_error(place, error);
                    "cannot be read".to_owned()
                }
            };
            self.line("Attachment", &format!("{} ({size})", item.name));
        }
        message.note_circumstances();
        for problem in told(message.problems()) {
            self.line(PROBLEM_FIELD, &problem);
        }
        self.out.push('\n');
        let text = body_text(best, message).or_else(|| {
            let kind = report::Kind::of(kind)?;
            let problems = message.problems();
            Some(report::machine_part(self.context, kind, message, problems))
        });
        self.out
            .push_str(&name_marks(&text.unwrap_or_default(), &items));
        if !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        items.into_iter().for_each(|item| self.attached(item));
    }

    /// An attached message, behind the one that it is attached to.
    fn attached(&mut self, item: Item) {
        let Content::Message(message) = item.content else {
            return;
        };
        self.out.push_str(&format!("\n---- {} ----\n\n", item.name));
        if self.messages_left == 0 || !self.room.take(&message) {
            self.out
                .push_str("(too much text; it is in the attachment)\n");
            return;
        }
        self.messages_left -= 1;
        self.message(&message);
    }

    /// A date of a header in the zone of the user; one that cannot be parsed stays.
    fn date(&self, value: &str) -> String {
        let parser = DateTimeParser::new().relaxed_weekday(true);
        let parsed = parser.parse_timestamp(value.trim());
        parsed.map_or_else(|_| value.to_owned(), |time| format_date(time, self.zone))
    }
}
