//! Organizers and attendees. RFC 5545 3.8.4.1, 3.8.4.3; [MS-OXOCAL] 2.2.4.10
#![forbid(unsafe_code)]

use super::ical::Calendar;
use crate::convert::content_line::{mailto, parameter};
use crate::convert::lids::{self, Key};
use crate::convert::people::{Mailbox, Person, REPRESENTING, SENDER};
use crate::convert::reader::Reader;
use crate::ltp::tags;
use crate::messaging::{Message, Recipient, RecipientType};

/// PidTagRecipientFlags.
const FLAG_ORGANIZER: i32 = 0x2;
/// The recipient was deleted from this instance.
const FLAG_EXCEPTIONAL_DELETED: i32 = 0x20;
/// PidTagRecipientTrackStatus and PidLidResponseStatus.
const RESPONSE_ORGANIZED: i32 = 1;
const RESPONSE_TENTATIVE: i32 = 2;
const RESPONSE_ACCEPTED: i32 = 3;
const RESPONSE_DECLINED: i32 = 4;
/// Attendees of one event that are written.
const MAX_ATTENDEES: usize = 10_000;

/// PARTSTAT of a response status.
pub(super) fn participation(status: Option<i32>) -> &'static str {
    match status {
        Some(RESPONSE_TENTATIVE) => "TENTATIVE",
        Some(RESPONSE_ACCEPTED) => "ACCEPTED",
        Some(RESPONSE_DECLINED) => "DECLINED",
        _ => "NEEDS-ACTION",
    }
}

/// Writes the organizer and all attendees of a meeting.
pub(super) fn write(reader: &Reader<'_>, calendar: &mut Calendar, recipients: &[Recipient]) {
    let flags = |recipient: &Recipient| recipient.integer(tags::RECIPIENT_FLAGS).unwrap_or(0);
    let person = |recipient: &Recipient| {
        reader.mailbox(&Person::of_recipient(recipient, reader.code_page()))
    };
    let marked = recipients
        .iter()
        .find(|recipient| flags(recipient) & FLAG_ORGANIZER != 0)
        .and_then(person);
    let organizer = marked.or_else(|| originator(reader));
    if let Some(organizer) = &organizer {
        write_organizer(reader, calendar, organizer);
    }
    let own_response = own_response(reader);
    let mut written = 0;
    for recipient in recipients.iter().take(MAX_ATTENDEES) {
        let kind = recipient.recipient_type();
        let status = recipient.integer(tags::RECIPIENT_TRACK_STATUS);
        if kind == RecipientType::Originator
            || flags(recipient) & (FLAG_ORGANIZER | FLAG_EXCEPTIONAL_DELETED) != 0
            || status == Some(RESPONSE_ORGANIZED)
        {
            continue;
        }
        let Some(attendee) = person(recipient) else {
            continue;
        };
        // Outlook knows its own response better than the list that the organizer sent.
        let status = match &own_response {
            Some((own, response)) if own.address.eq_ignore_ascii_case(&attendee.address) => {
                Some(*response)
            }
            _ => status,
        };
        let role = match kind {
            RecipientType::Cc => ";ROLE=OPT-PARTICIPANT",
            RecipientType::Bcc => ";CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT",
            _ => ";ROLE=REQ-PARTICIPANT",
        };
        write_attendee(reader, calendar, &attendee, role, participation(status));
        written += 1;
    }
    if written == 0 {
        for (key, role) in [
            (lids::TO_ATTENDEES_STRING, ";ROLE=REQ-PARTICIPANT"),
            (lids::CC_ATTENDEES_STRING, ";ROLE=OPT-PARTICIPANT"),
        ] {
            write_names(reader, calendar, key, role, organizer.as_ref());
        }
    }
}

/// Attendees of whom only the names are known.
fn write_names(
    reader: &Reader<'_>,
    calendar: &mut Calendar,
    key: Key,
    role: &str,
    organizer: Option<&Mailbox>,
) {
    let names = reader.string(key).unwrap_or_default();
    for name in names.split(';').map(str::trim).take(MAX_ATTENDEES) {
        let person = Person::of_parts(Some(name.to_owned()), None, None, None);
        let attendee = reader.mailbox(&person).filter(|_| !name.is_empty());
        if let Some(attendee) = attendee.filter(|attendee| Some(attendee) != organizer) {
            write_attendee(reader, calendar, &attendee, role, "NEEDS-ACTION");
        }
    }
}

/// Writes the organizer and the one attendee of a reply.
pub(super) fn write_reply(
    reader: &Reader<'_>,
    calendar: &mut Calendar,
    recipients: &[Recipient],
    status: &str,
) {
    let organizer = recipients
        .iter()
        .find(|recipient| recipient.recipient_type() == RecipientType::To)
        .and_then(|recipient| reader.mailbox(&Person::of_recipient(recipient, reader.code_page())));
    if let Some(organizer) = organizer {
        let lines = &mut calendar.components;
        lines.line(&named("ORGANIZER", &organizer), &mailto(&organizer.address));
    }
    if let Some(attendee) = originator(reader) {
        let by = sent_by(reader, &attendee);
        calendar.components.line(
            &format!("{}{by};PARTSTAT={status}", named("ATTENDEE", &attendee)),
            &mailto(&attendee.address),
        );
    }
}

fn write_organizer(reader: &Reader<'_>, calendar: &mut Calendar, organizer: &Mailbox) {
    let by = sent_by(reader, organizer);
    calendar.components.line(
        &format!("{}{by}", named("ORGANIZER", organizer)),
        &mailto(&organizer.address),
    );
}

fn write_attendee(
    reader: &Reader<'_>,
    calendar: &mut Calendar,
    attendee: &Mailbox,
    role: &str,
    status: &str,
) {
    let wants_response = status == "NEEDS-ACTION" && reader.boolean(tags::RESPONSE_REQUESTED);
    let rsvp = if wants_response { ";RSVP=TRUE" } else { "" };
    calendar.components.line(
        &format!(
            "{}{role};PARTSTAT={status}{rsvp}",
            named("ATTENDEE", attendee)
        ),
        &mailto(&attendee.address),
    );
}

fn named(name: &str, mailbox: &Mailbox) -> String {
    if mailbox.name.is_empty() {
        return name.to_owned();
    }
    format!("{name}{}", parameter("CN", &mailbox.name))
}

/// In whose name the item is.
fn originator(reader: &Reader<'_>) -> Option<Mailbox> {
    let properties = reader.message().map(Message::properties)?;
    let role = |role| reader.mailbox(&Person::of_role(properties, role));
    role(&REPRESENTING).or_else(|| role(&SENDER))
}

/// The delegate who sent the item for `principal`.
fn sent_by(reader: &Reader<'_>, principal: &Mailbox) -> String {
    let sender = reader.message().and_then(|message| {
        let properties = message.properties();
        let of = |role| Person::of_role(properties, role).smtp();
        let (sender, represented) = (of(&SENDER)?, of(&REPRESENTING)?);
        let delegated = !sender.eq_ignore_ascii_case(&represented)
            && represented.eq_ignore_ascii_case(&principal.address);
        delegated.then_some(sender)
    });
    sender.map_or(String::new(), |sender| {
        format!(";SENT-BY=\"{}\"", mailto(&sender))
    })
}

/// Whose copy of the meeting this is, and how they answered.
fn own_response(reader: &Reader<'_>) -> Option<(Mailbox, i32)> {
    let response = reader
        .integer(lids::RESPONSE_STATUS)
        .filter(|response| (RESPONSE_TENTATIVE..=RESPONSE_DECLINED).contains(response))?;
    let own = Person::of_parts(
        reader.string(tags::RECEIVED_BY_NAME),
        None,
        reader.string(tags::RECEIVED_BY_ADDRESS_TYPE),
        reader.string(tags::RECEIVED_BY_EMAIL_ADDRESS),
    );
    Some((reader.mailbox(&own)?, response))
}
