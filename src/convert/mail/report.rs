//! Delivery and read reports as multipart/report. [MS-OXOMSG] 2.2.2, RFC 6522, RFC 3464, RFC 8098
#![forbid(unsafe_code)]

use jiff::tz::TimeZone;

use super::date::date;
use super::fields::Fields;
use crate::convert::attachment::Item;
use crate::convert::context::Context;
use crate::convert::lookup::Lookup;
use crate::convert::options::{Eol, Headers};
use crate::convert::people::{Person, REPRESENTING, SENDER};
use crate::convert::rendition::Writer;
use crate::convert::text::{clean, normalise};
use crate::ltp::tags;
use crate::messaging::{ItemKind, Message, Recipient, ReportKind};
use crate::problem::Problems;

const DELIVERY_STATUS: &str = "message/delivery-status";
const DISPOSITION: &str = "message/disposition-notification";
/// Bytes of a stored machine-readable part.
const MAX_MACHINE_PART: usize = 1 << 20;

/// What PidTagNonDeliveryReportDiagCode means, as subject and detail of an enhanced status code (RFC 3463): the reverse
/// of what a server makes of these, [MS-OXCMAIL] 2.2.3.7.1.3, and what else has one meaning.
const DIAGNOSTICS: [(i32, &str); 21] = [
    (0, "1.1"),
    (1, "1.4"),
    (2, "4.5"),
    (3, "4.6"),
    (4, "2.1"),
    (5, "4.7"),
    (7, "3.4"),
    (8, "6.3"),
    (9, "6.2"),
    (11, "5.4"),
    (13, "2.3"),
    (15, "6.1"),
    (16, "5.3"),
    (18, "3.3"),
    (25, "6.4"),
    (28, "7.2"),
    (29, "7.1"),
    (30, "2.4"),
    (32, "1.3"),
    (35, "1.1"),
    (40, "1.6"),
];
/// The same of PidTagNonDeliveryReportReasonCode, which is less exact.
const REASONS: [(i32, &str); 2] = [(2, "6.5"), (6, "4.3")];
/// PidTagNonDeliveryReportDiagCode that says nothing.
const NO_DIAGNOSTIC: i32 = -1;

/// The result that a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Delivered, failed, delayed, expanded, relayed: the value of `Action`, and the status without a better one.
    Delivery {
        action: &'static str,
        status: &'static str,
    },
    /// Read, or deleted without that: the disposition.
    Disposition(&'static str),
}

impl Kind {
    /// The report that items of `kind` are; None if they are none, or if it is not known how to write it.
    pub fn of(kind: ItemKind) -> Option<Self> {
        let ItemKind::Report(report) = kind else {
            return None;
        };
        let delivery = |action, status| Some(Self::Delivery { action, status });
        match report {
            ReportKind::Delivered => delivery("delivered", "2.0.0"),
            ReportKind::NotDelivered => delivery("failed", "5.0.0"),
            ReportKind::Delayed => delivery("delayed", "4.0.0"),
            ReportKind::Expanded => delivery("expanded", "2.0.0"),
            ReportKind::Relayed => delivery("relayed", "2.0.0"),
            ReportKind::Read => Some(Self::Disposition("displayed")),
            ReportKind::NotRead => Some(Self::Disposition("deleted")),
            ReportKind::Other => None,
        }
    }

    /// Media type of the part that programs read.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Delivery { .. } => DELIVERY_STATUS,
            Self::Disposition(_) => DISPOSITION,
        }
    }
}

/// The text for people where a report has no body.
pub(super) fn text(message: &Message) -> Option<String> {
    let texts = message
        .recipients()
        .into_iter()
        .filter_map(|row| row.string(tags::REPORT_TEXT));
    let own = message
        .properties()
        .string(tags::REPORT_TEXT)
        .ok()
        .flatten();
    let text: Vec<String> = own
        .into_iter()
        .chain(texts)
        .map(|text| normalise(&text))
        .collect();
    (!text.is_empty()).then(|| text.join("\n"))
}

/// The part of a report of `kind` that programs read, made of properties.
pub(super) fn machine_part(
    context: &Context,
    kind: Kind,
    message: &Message,
    problems: &Problems,
) -> String {
    let properties = message.properties();
    let string = |id: u16| properties.string(id).ok().flatten();
    let recipients = message.recipients();
    let lookup = Lookup::new(context);
    let address = |recipient: &Recipient| {
        let person = Person::of_recipient(recipient, properties.code_page());
        lookup.mailbox(&person).map(|mailbox| mailbox.address)
    };
    // The fields of this part are ASCII (RFC 3464 2.1.2).
    let mut first = Fields::new(Headers::Encoded);
    let mut groups = Vec::new();
    match kind {
        Kind::Delivery { action, status } => {
            let mta = string(tags::REPORTING_MTA).map_or_else(
                || "unknown.invalid".to_owned(),
                |mta| clean(&mta).into_owned(),
            );
            first.push_text("Reporting-MTA", &format!("dns; {mta}"));
            let arrival = properties
                .time(tags::ORIGINAL_SUBMIT_TIME)
                .ok()
                .flatten()
                .and_then(|time| date(time, &TimeZone::UTC));
            if let Some(arrival) = arrival {
                first.push("Arrival-Date", arrival);
            }
            groups.extend(
                recipients
                    .iter()
                    .map(|recipient| delivery(recipient, address(recipient), action, status)),
            );
            if groups.is_empty() {
                groups.push(delivery(&Recipient::default(), None, action, status));
            }
        }
        Kind::Disposition(disposition) => {
            // A receipt comes from whoever read the message, and goes to its sender. [MS-OXCMAIL] 2.1.3.6.2
            let of_role = |role| lookup.mailbox(&Person::of_role(properties, role));
            let reader = [&SENDER, &REPRESENTING].into_iter().find_map(of_role);
            let reader = reader.map_or_else(
                || "unknown@ostfs.invalid".to_owned(),
                |mailbox| mailbox.address,
            );
            first.push_text("Final-Recipient", &format!("rfc822; {reader}"));
            if let Some(id) = string(tags::ORIGINAL_MESSAGE_ID) {
                first.push_text("Original-Message-ID", &id);
            }
            first.push(
                "Disposition",
                format!("manual-action/MDN-sent-manually; {disposition}"),
            );
        }
    }
    lookup.tell(problems);
    groups.insert(0, first);
    let groups: Vec<String> = groups.iter().map(lines).collect();
    groups.join("\n")
}

/// The fields of one recipient of a delivery report.
fn delivery(recipient: &Recipient, address: Option<String>, action: &str, status: &str) -> Fields {
    let mut fields = Fields::new(Headers::Encoded);
    let address = address.unwrap_or_else(|| "unknown@ostfs.invalid".to_owned());
    fields.push_text("Final-Recipient", &format!("rfc822; {address}"));
    fields.push("Action", action.to_owned());
    let diagnostic = recipient
        .string(tags::SUPPLEMENTARY_INFO)
        .map(|info| clean(&info).into_owned());
    let stated = diagnostic.as_deref().and_then(status_code);
    let stated = stated
        .or_else(|| stored_status(recipient))
        .or_else(|| status_of_codes(recipient, status));
    fields.push("Status", stated.unwrap_or_else(|| status.to_owned()));
    if let Some(mta) = recipient.string(tags::REMOTE_MTA) {
        fields.push_text("Remote-MTA", &format!("dns; {}", clean(&mta)));
    }
    let diagnostic = diagnostic.map(|diagnostic| format!("smtp; {diagnostic}"));
    if let Some(diagnostic) = diagnostic.or_else(|| codes(recipient)) {
        fields.push_text("Diagnostic-Code", &diagnostic);
    }
    fields
}

/// PidTagNonDeliveryReportStatusCode: the digits of a status code as one number. [MS-OXCMAIL] 2.2.3.7.1.3
fn stored_status(recipient: &Recipient) -> Option<String> {
    let code = recipient.integer(tags::NON_DELIVERY_REPORT_STATUS_CODE)?;
    let (class, subject, detail) = (code / 100, code / 10 % 10, code % 10);
    matches!(class, 2 | 4 | 5).then(|| format!("{class}.{subject}.{detail}"))
}

/// What the codes of MAPI mean, with the class of `status`.
fn status_of_codes(recipient: &Recipient, status: &str) -> Option<String> {
    let find = |id: u16, table: &[(i32, &'static str)]| {
        let code = recipient.integer(id)?;
        let row = table.iter().find(|(own, _)| *own == code)?;
        Some(row.1)
    };
    let meaning = find(tags::NON_DELIVERY_REPORT_DIAG_CODE, &DIAGNOSTICS)
        .or_else(|| find(tags::NON_DELIVERY_REPORT_REASON_CODE, &REASONS))?;
    let class = status.split('.').next()?;
    Some(format!("{class}.{meaning}"))
}

/// The codes of MAPI, if there is one that says something.
fn codes(recipient: &Recipient) -> Option<String> {
    let diagnostic = recipient.integer(tags::NON_DELIVERY_REPORT_DIAG_CODE);
    let codes = [
        (
            "reason",
            recipient.integer(tags::NON_DELIVERY_REPORT_REASON_CODE),
        ),
        (
            "diagnostic",
            diagnostic.filter(|code| *code != NO_DIAGNOSTIC),
        ),
    ];
    let words = codes
        .iter()
        .filter_map(|(name, code)| Some(format!("{name} {}", (*code)?)));
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| format!("x-mapi; {}", words.join(", ")))
}

/// The first enhanced status code (`5.1.1`) in a text. RFC 3463
fn status_code(text: &str) -> Option<String> {
    text.split(|character: char| !character.is_ascii_digit() && character != '.')
        .find(|word| {
            let numbers: Vec<&str> = word.split('.').collect();
            let sound = |number: &&str| (1..=3).contains(&number.len());
            numbers.len() == 3
                && numbers.iter().all(sound)
                && matches!(numbers.first(), Some(&("2" | "4" | "5")))
        })
        .map(str::to_owned)
}

fn lines(fields: &Fields) -> String {
    let mut writer = Writer::new(Eol::Lf);
    fields.write(&mut writer);
    writer.into_text()
}

/// Whether `item` is a stored part that programs read.
pub(super) fn is_machine_part(item: &Item) -> bool {
    item.is_stated(DELIVERY_STATUS) || item.is_stated(DISPOSITION)
}

/// A stored machine-readable part, if it is text.
pub(super) fn machine_text(item: &Item) -> Option<String> {
    let range = item
        .bytes()
        .filter(|range| range.len() <= MAX_MACHINE_PART as u64)?;
    let text = String::from_utf8(range.head(MAX_MACHINE_PART).ok()?).ok()?;
    let text = normalise(&text);
    // Blocks of fields, parted by empty lines; none before the first.
    let text = text.trim_matches(['\n', ' ']).to_owned();
    (text.contains(':') && text.lines().all(|line| line.len() <= 998)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_found_in_the_words_of_a_server() {
        assert_eq!(
            status_code("<mx.example #5.1.1 smtp; 550 no such user>").as_deref(),
            Some("5.1.1")
        );
        assert_eq!(
            status_code("550 from 10.0.0.1: 4.4.7 expired").as_deref(),
            Some("4.4.7")
        );
        assert_eq!(status_code("no code 10.0.0.1"), None);
    }
}
