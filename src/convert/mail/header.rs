//! The header of a message: transport headers where they are sound, and properties where those leave a gap.
//! [MS-OXCMAIL] 2.1.3, RFC 5322 3.6
#![forbid(unsafe_code)]

use super::address_list::{format_list, parse_list};
use super::date::is_date;
use super::encoded_word::{charsets_fit, decode, unstructured};
use super::fields::Fields;
use super::flags;
use super::handling;
use super::message_id::message_ids;
use super::reserved::{ADDRESS_FIELDS, SINGLE_FIELDS, among, is_misleading, is_written_anew};
use super::synthesis::{Group, Synthesis};
use super::transport::{Field, Transport};
use crate::codepage;
use crate::convert::context::Context;
use crate::convert::lookup::Lookup;
use crate::convert::options::Headers;
use crate::convert::people::Mailbox;
use crate::ltp::{Value, tags};
use crate::messaging::Message;
use crate::problem::Problem;

/// Where a field goes that cannot stay under its name.
const ORIGINAL: &str = "X-Ostfs-Original-";
/// Rejected lines that are kept.
const MAX_REJECTED: usize = 100;

/// All fields of the header of `message` but those of its content.
pub(super) fn of_message(context: &Context, message: &Message, style: Headers) -> Fields {
    of_groups(context, message, style, &|_| true)
}

/// The fields of the groups that are `wanted`, as the whole header has them.
fn of_groups(
    context: &Context,
    message: &Message,
    style: Headers,
    wanted: &dyn Fn(Group) -> bool,
) -> Fields {
    let mut fields = Fields::of_message(style.of_made_fields());
    let transport = transport(message);
    let is_stored = style == Headers::Original && !transport.fields.is_empty();
    if transport.is_cut {
        let text = "more than any message has; only the first are here";
        message
            .problems()
            .note(Problem::new("transport headers", text));
    }
    let property = |name: &str| stored_text(message, name);
    let of_wanted = |field: &&Field| wanted(Group::of(&field.name));
    for field in transport.fields.iter().filter(of_wanted) {
        match is_stored {
            true => add_stored(field, &mut fields),
            false => add_transport(field, &property, &mut fields),
        }
    }
    if wanted(Group::Others) {
        for line in transport.rejected.iter().take(MAX_REJECTED) {
            fields.push_text("X-Ostfs-Bad-Header", line);
        }
    }
    let lookup = Lookup::new(context);
    let synthesis = Synthesis {
        lookup: &lookup,
        message,
        has_transport: transport.get("To").is_some() || transport.get("From").is_some(),
    };
    if is_stored {
        synthesis.complete_stored(&mut fields);
    } else {
        synthesis.complete(&mut fields, wanted);
        if wanted(Group::Others) {
            handling::add(message, &mut fields);
            flags::add(message, &mut fields);
        }
    }
    lookup.tell(message.problems());
    fields
}

/// The header block of `message` as it is stored, octet for octet; None when it has none.
pub(in crate::convert) fn stored(message: &Message) -> Option<Vec<u8>> {
    let properties = message.properties();
    let value = properties.value(tags::TRANSPORT_MESSAGE_HEADERS);
    let block = match value.ok().flatten() {
        Some(Value::String(bytes)) => codepage::decode_utf16le(&bytes).into_bytes(),
        Some(Value::String8(bytes) | Value::Binary(bytes)) => bytes,
        _ => Vec::new(),
    };
    let end = block.iter().rposition(|byte| *byte != 0);
    let block = end.and_then(|end| block.get(..=end)).map(<[u8]>::to_vec);
    block.or_else(|| properties.binary(tags::MIME_SKELETON).ok().flatten())
}

/// Adds a stored field as it came. What would be taken for a field of the body below, or of this program, is under another
/// name.
fn add_stored(field: &Field, fields: &mut Fields) {
    let (name, stored) = match is_misleading(&field.name) {
        true => (
            format!("{ORIGINAL}{}", field.name),
            format!("{ORIGINAL}{}", field.stored()),
        ),
        false => (field.name.clone(), field.stored().to_owned()),
    };
    fields.push_stored(name, field.value(Headers::Encoded), stored);
}

/// What the properties of `message` have of field `name`, if it is one that they know well.
fn stored_text(message: &Message, name: &str) -> Option<String> {
    let string = |id: u16| message.properties().string(id).ok().flatten();
    let text = match name {
        "Subject" => message.subject().ok().flatten()?.text,
        "From" => string(tags::SENT_REPRESENTING_NAME).or_else(|| string(tags::SENDER_NAME))?,
        "Sender" => string(tags::SENDER_NAME)?,
        _ => return None,
    };
    // Whoever wrote the property may have failed to decode the field, too.
    let is_right = !text.trim().is_empty() && !text.contains(char::REPLACEMENT_CHARACTER);
    is_right.then_some(text)
}

/// Fields of the header of a message, decoded, each on one line.
pub struct Header(Fields);

impl Header {
    /// The header of `message`, as far as the fields `names` need it; nothing is read for others.
    pub(in crate::convert) fn of(context: &Context, message: &Message, names: &[&str]) -> Self {
        let wanted = |group: Group| names.iter().any(|name| Group::of(name).needs(group));
        Self(of_groups(context, message, Headers::Utf8, &wanted))
    }

    /// The first field `name`, which is one of those that were asked for.
    pub fn line(&self, name: &str) -> Option<String> {
        let lines = self.0.get(name)?.lines();
        let unfolded: Vec<&str> = lines.map(str::trim).collect();
        Some(decode(&unfolded.join(" ")))
    }
}

fn transport(message: &Message) -> Transport {
    let properties = message.properties();
    let text = properties
        .string(tags::TRANSPORT_MESSAGE_HEADERS)
        .ok()
        .flatten();
    let of_bytes = || {
        let bytes = properties.binary(tags::TRANSPORT_MESSAGE_HEADERS).ok()??;
        Some(codepage::decode(properties.code_page(), &bytes))
    };
    if let Some(text) = text.or_else(of_bytes) {
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

/// Adds one transport field where it can stand, or under another name where it cannot. `property` has the text of fields
/// that not all programs decode in the same way.
fn add_transport(field: &Field, property: &dyn Fn(&str) -> Option<String>, fields: &mut Fields) {
    let style = fields.style();
    if is_written_anew(&field.name) {
        return;
    }
    let (name, value) = if let Some(name) = among(&ADDRESS_FIELDS, &field.name) {
        (name, sound_addresses(field, property, style))
    } else if let Some(name) = among(&SINGLE_FIELDS, &field.name) {
        (
            name,
            is_sound(field).then(|| single(name, field, property, style)),
        )
    } else {
        return fields.push(field.name.clone(), field.value(style));
    };
    match value.filter(|_| !fields.has(name)) {
        Some(value) => {
            let unfolded = field.unfolded();
            let is_other =
                !charsets_fit(&unfolded) && decode(&value.replace('\n', "")) != decode(&unfolded);
            let lies = unfolded.is_ascii() && !charsets_fit(&unfolded);
            fields.push(name, value);
            if is_other || lies {
                fields.push(format!("{ORIGINAL}{name}"), field.value(style));
            }
        }
        None if field.unfolded().trim().is_empty() => {}
        None => fields.push_text(format!("{ORIGINAL}{name}"), &decode(&field.unfolded())),
    }
}

/// The value of a field that there is one of: as it came, unless programs differ in what they read.
fn single(
    name: &str,
    field: &Field,
    property: &dyn Fn(&str) -> Option<String>,
    style: Headers,
) -> String {
    let unfolded = field.unfolded();
    if charsets_fit(&unfolded) {
        return field.value(style);
    }
    let text = property(name).unwrap_or_else(|| decode(&unfolded));
    unstructured(name, &text, style)
}

/// The value of an address field if every program can parse it: as it came, or rewritten with the same mailboxes.
fn sound_addresses(
    field: &Field,
    property: &dyn Fn(&str) -> Option<String>,
    style: Headers,
) -> Option<String> {
    let unfolded = field.unfolded();
    let mut parsed = parse_list(&unfolded)?;
    if parsed.mailboxes.is_empty() && !parsed.has_groups {
        return None;
    }
    let fits = charsets_fit(&unfolded);
    let as_it_came = style != Headers::Utf8 || !unfolded.contains("=?");
    if as_it_came && parsed.is_strict && fits {
        return Some(field.value(style));
    }
    if !fits
        && let [mailbox] = parsed.mailboxes.as_mut_slice()
        && let Some(name) = property(&field.name)
    {
        *mailbox = Mailbox::of_addr_spec(&name, std::mem::take(&mut mailbox.address));
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
    use crate::convert::options::Eol;
    use crate::convert::rendition::Writer;

    fn fields(text: &str) -> Vec<(String, String)> {
        let mut fields = Fields::new(Headers::Encoded);
        for field in &Transport::parse(text).fields {
            add_transport(field, &|_| None, &mut fields);
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

    #[test]
    fn a_field_that_programs_decode_in_different_ways_is_written_anew_and_kept() {
        let own = |name: &str| (name == "Subject").then(|| "caf\u{e9} au lait".to_owned());
        for (stored, expected, original) in [
            // The bytes are those of Windows-1252.
            ("=?utf-8?Q?caf=E9_au_lait?=", "caf\u{e9} au lait", true),
            ("=?x-nobody?Q?caf=E9?=", "caf\u{e9} au lait", true),
            ("caf\u{c3}\u{a9} au lait", "caf\u{e9} au lait", true),
            ("caf\u{e9} au lait", "caf\u{e9} au lait", false),
            ("=?utf-8?Q?caf=C3=A9?=", "caf\u{e9}", false),
        ] {
            let mut fields = Fields::new(Headers::Encoded);
            let transport = Transport::parse(&format!("Subject: {stored}\nFrom: a@b"));
            for field in &transport.fields {
                add_transport(field, &own, &mut fields);
            }
            assert_eq!(decode(fields.get("Subject").unwrap()), expected, "{stored}");
            assert!(charsets_fit(fields.get("Subject").unwrap()), "{stored}");
            assert_eq!(fields.has("X-Ostfs-Original-Subject"), original, "{stored}");
        }
    }

    #[test]
    fn a_stored_block_stays_octet_for_octet_but_for_fields_of_the_old_body() {
        let block =
            "Received: from a\n\tby b;\tnow\nSubject:  =?utf-8?Q?=C3=A9?=\nX-Long:\n a  b\n";
        let body = "Content-Type: multipart/mixed;\n\tboundary=x\n";
        let mut fields = Fields::new(Headers::Encoded);
        for field in &Transport::parse(&[block, body].concat()).fields {
            add_stored(field, &mut fields);
        }
        assert!(!fields.has("Content-Type") && fields.has("Subject"));
        fields.push("MIME-Version", "1.0");
        let mut writer = Writer::new(Eol::Lf);
        fields.write(&mut writer);
        let expected = format!("{block}X-Ostfs-Original-{body}MIME-Version: 1.0\n");
        assert_eq!(writer.into_text(), expected);
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
                    .for_each(|field| add_transport(field, &|_| None, &mut fields));
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
