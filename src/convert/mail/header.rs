//! The header of a message: transport headers where they are sound, and properties where those leave a gap.
//! [MS-OXCMAIL] 2.1.3, RFC 5322 3.6
#![forbid(unsafe_code)]

use super::address_list::{format_list, parse_list};
use super::date::is_date;
use super::encoded_word::{charsets_fit, decode};
use super::fields::Fields;
use super::flags;
use super::handling;
use super::message_id::message_ids;
use super::reserved::{ADDRESS_FIELDS, SINGLE_FIELDS, among, is_written_anew};
use super::synthesis::Synthesis;
use super::transport::{Field, Transport};
use crate::convert::context::Context;
use crate::convert::lookup::Lookup;
use crate::convert::options::Headers;
use crate::ltp::tags;
use crate::messaging::Message;
use crate::problem::Problem;

/// Where a field goes that cannot stay under its name.
const ORIGINAL: &str = "X-Ostfs-Original-";
/// Rejected lines that are kept.
const MAX_REJECTED: usize = 100;

/// All fields of the header of `message` but those of its content.
pub(super) fn of_message(context: &Context, message: &Message, style: Headers) -> Fields {
    let mut fields = Fields::new(style);
    let transport = transport(message);
    if transport.is_cut {
        let text = "more than any message has; only the first are here";
        message
            .problems()
            .note(Problem::new("transport headers", text));
    }
    for field in &transport.fields {
        add_transport(field, &mut fields);
    }
    for line in transport.rejected.iter().take(MAX_REJECTED) {
        fields.push_text("X-Ostfs-Bad-Header", line);
    }
    let lookup = Lookup::new(context);
    let synthesis = Synthesis {
        lookup: &lookup,
        message,
        has_transport: transport.get("To").is_some() || transport.get("From").is_some(),
    };
    synthesis.complete(&mut fields);
    handling::add(&lookup, message, &mut fields);
    lookup.tell(message.problems());
    flags::add(message, &mut fields);
    fields
}

/// These fields of the header of `message`, decoded and on one line.
pub(in crate::convert) fn header<const N: usize>(
    context: &Context,
    message: &Message,
    names: [&str; N],
) -> [Option<String>; N] {
    let fields = of_message(context, message, Headers::Utf8);
    names.map(|name| {
        let lines = fields.get(name)?.lines();
        let unfolded: Vec<&str> = lines.map(str::trim).collect();
        Some(decode(&unfolded.join(" ")))
    })
}

fn transport(message: &Message) -> Transport {
    let properties = message.properties();
    let text = properties
        .string(tags::TRANSPORT_MESSAGE_HEADERS)
        .ok()
        .flatten();
    if let Some(text) = text {
        let transport = Transport::parse(&text);
        if !transport.fields.is_empty() {
            return transport;
        }
    }
    // Exchange keeps the whole header, and those of the parts, in the MIME skeleton.
    let skeleton = properties
        .binary(tags::MIME_SKELETON)
        .ok()
        .flatten()
        .unwrap_or_default();
    Transport::parse(&crate::codepage::decode(crate::codepage::UTF_8, &skeleton))
}

/// Adds one transport field where it can stand, or under another name where it cannot.
fn add_transport(field: &Field, fields: &mut Fields) {
    let style = fields.style();
    if is_written_anew(&field.name) {
        return;
    }
    let (name, value) = if let Some(name) = among(&ADDRESS_FIELDS, &field.name) {
        (name, sound_addresses(field, style))
    } else if let Some(name) = among(&SINGLE_FIELDS, &field.name) {
        let value = field.value(style);
        (name, is_sound(field).then_some(value))
    } else {
        return fields.push(field.name.clone(), field.value(style));
    };
    match value.filter(|_| !fields.has(name)) {
        Some(value) => {
            let kept = style == Headers::Utf8 || charsets_fit(&field.unfolded());
            fields.push(name, value);
            if !kept {
                fields.push(format!("{ORIGINAL}{name}"), field.value(style));
            }
        }
        None if field.unfolded().trim().is_empty() => {}
        None => fields.push_text(format!("{ORIGINAL}{name}"), &decode(&field.unfolded())),
    }
}

/// The value of an address field if every program can parse it: as it came, or rewritten with the same mailboxes.
fn sound_addresses(field: &Field, style: Headers) -> Option<String> {
    let unfolded = field.unfolded();
    let parsed = parse_list(&unfolded)?;
    if parsed.mailboxes.is_empty() && !parsed.has_groups {
        return None;
    }
    let as_it_came = match style {
        Headers::Encoded => unfolded.is_ascii(),
        Headers::Utf8 => !unfolded.contains("=?"),
    };
    if as_it_came && parsed.is_strict && charsets_fit(&unfolded) {
        return Some(field.value(style));
    }
    if parsed.mailboxes.is_empty() {
        return None;
    }
    Some(format_list(&field.name, &parsed.mailboxes, style))
}

fn is_sound(field: &Field) -> bool {
    let value = field.unfolded();
    if field.is("Date") {
        is_date(&value)
    } else if field.is("Message-ID") {
        message_ids(&value).count() == 1
            && value.trim().starts_with('<')
            && value.trim().ends_with('>')
    } else if field.is("In-Reply-To") || field.is("References") {
        message_ids(&value).next().is_some()
    } else {
        !value.trim().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<(String, String)> {
        let mut fields = Fields::new(Headers::Encoded);
        for field in &Transport::parse(text).fields {
            add_transport(field, &mut fields);
        }
        let pairs = fields.into_pairs().into_iter();
        pairs
            .map(|(name, value)| (name, value.replace("\n ", " ")))
            .collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn fields_of_the_old_body_and_state_are_dropped() {
        let text = "Content-Type: multipart/mixed; boundary=x\nMIME-Version: 1.0\nX-Mozilla-Status: 1\n\
                    X-Ostfs-Problem: forged\nContent-Language: de\nStatus: RO\nX-A: 1\nX-A: 2";
        assert_eq!(
            fields(text),
            [
                pair("Content-Language", "de"),
                pair("X-A", "1"),
                pair("X-A", "2")
            ]
        );
    }

    #[test]
    fn what_cannot_stand_under_its_name_stays_under_another() {
        let text = "Date: Thu, 23 Aug 2001 15:49:51 -0700 (PDT),Thu, 23 Aug 2001\ndate: Thu, 23 Aug 2001 15:49:51 -0700\n\
                    Date: Fri, 24 Aug 2001 15:49:51 -0700\nTo: Administrator\nCc: \nMessage-ID: none";
        let expected = [
            pair(
                "X-Ostfs-Original-Date",
                "Thu, 23 Aug 2001 15:49:51 -0700 (PDT),Thu, 23 Aug 2001",
            ),
            pair("Date", "Thu, 23 Aug 2001 15:49:51 -0700"),
            pair("X-Ostfs-Original-Date", "Fri, 24 Aug 2001 15:49:51 -0700"),
            pair("X-Ostfs-Original-To", "Administrator"),
            pair("X-Ostfs-Original-Message-ID", "none"),
        ];
        assert_eq!(fields(text), expected);
    }

    #[test]
    fn sound_addresses_stay_byte_for_byte_and_obsolete_ones_are_quoted() {
        let text = "From: =?iso-8859-1?Q?J=F6rg?=\n <j@x.org>\nTo: John Q. Public <p@x.org>\nCc: undisclosed-recipients:;";
        let expected = [
            pair("From", "=?iso-8859-1?Q?J=F6rg?= <j@x.org>"),
            pair("To", "\"John Q. Public\" <p@x.org>"),
            pair("Cc", "undisclosed-recipients:;"),
        ];
        assert_eq!(fields(text), expected);
    }

    /// Text out of pieces that headers are made of, and that break them; the same on every run.
    fn scrambled(seed: u64) -> String {
        const PIECES: [&str; 32] = [
            "From",
            "To",
            "Cc",
            "Date",
            "Subject",
            "Message-ID",
            "X-A",
            ":",
            ": ",
            "\r\n",
            "\n",
            "\r",
            "\n ",
            "\t",
            " ",
            "\"",
            "\\",
            "<",
            ">",
            "(",
            ")",
            ",",
            ";",
            "@",
            "a@b.org",
            "=?utf-8?B?DQpYOiB5?=",
            "=?",
            "?=",
            "\0",
            "\u{fc}\u{2028}",
            "Thu, 23 Aug 2001 15:49:51 -0700",
            "word",
        ];
        let mut state = seed;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        let count = next() % 60;
        (0..count).map(|_| PIECES[next() % PIECES.len()]).collect()
    }

    #[test]
    fn whatever_is_stored_the_header_is_sound() {
        for seed in 0..20_000 {
            let text = scrambled(seed);
            for style in [Headers::Encoded, Headers::Utf8] {
                let mut fields = Fields::new(style);
                let transport = Transport::parse(&text);
                transport
                    .fields
                    .iter()
                    .for_each(|field| add_transport(field, &mut fields));
                transport
                    .rejected
                    .iter()
                    .for_each(|line| fields.push_text("X-Ostfs-Bad-Header", line));
                for (name, value) in fields.into_pairs() {
                    let place = format!("{text:?}: {name}: {value:?}");
                    assert!(style == Headers::Utf8 || value.is_ascii(), "{place}");
                    let is_break =
                        |character: char| character.is_control() || character == '\u{2028}';
                    for (index, line) in value.split('\n').enumerate() {
                        assert!(!line.contains(is_break), "{place}");
                        assert!(
                            index == 0 || (line.starts_with(' ') && !line.trim().is_empty()),
                            "{place}"
                        );
                    }
                    if ["From", "To", "Cc"].contains(&name.as_str()) {
                        assert!(parse_list(&value.replace('\n', "")).is_some(), "{place}");
                    }
                    if name == "Date" {
                        assert!(is_date(&value.replace('\n', "")), "{place}");
                    }
                }
            }
        }
    }
}
