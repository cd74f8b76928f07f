//! Transport headers (PidTagTransportMessageHeaders): a source of fields, never a finished header block. RFC 5322 2.2
//!
//! What is stored is often half a header: without an end, with two blocks, folded wrongly, with text that is no field.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use super::encoded_word::{decode, unstructured};
use crate::convert::options::Headers;

/// Octets of the longest line that is kept. RFC 5322 2.1.1
const MAX_LINE: usize = 998;
/// Bytes looked at.
const MAX_HEADERS: usize = 4 << 20;
/// Fields and other lines that are read: some of what is done with them looks at all others.
const MAX_FIELDS: usize = 5_000;
/// Lines at the start that are not part of the header.
const PREAMBLES: [&str; 3] = ["From ", ">From ", "Microsoft Mail Internet Headers"];
/// Fields that only the writer of a message gives it.
const OWN_FIELDS: [&str; 4] = ["from", "date", "subject", "message-id"];
/// Fields that only whole messages have: what follows an empty line with one of these is still the header.
const MESSAGE_FIELDS: [&str; 8] = [
    "received",
    "return-path",
    "from",
    "to",
    "date",
    "subject",
    "message-id",
    "delivered-to",
];

/// One field: its name, and its value as it came, without the blanks at both ends of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub name: String,
    /// Parted by LF.
    lines: String,
    /// The whole field as it came but for its line ends, which are LF, and NUL, which is gone.
    stored: String,
}

impl Field {
    /// The whole field as it came, lines parted by LF.
    pub fn stored(&self) -> &str {
        &self.stored
    }

    /// The value on one line.
    pub fn unfolded(&self) -> Cow<'_, str> {
        match self.lines.contains('\n') {
            true => self.lines.replace('\n', " ").into(),
            false => self.lines.as_str().into(),
        }
    }

    /// Whether this is the field `name`.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value as it can be written: as it came, unless it breaks the rules or is to be decoded.
    pub fn value(&self, style: Headers) -> String {
        let mut lines = self.lines.split('\n');
        let short = lines.all(|line| line.len() + self.name.len() + 2 <= MAX_LINE);
        let sound = match style {
            Headers::Utf8 => !self.lines.contains("=?"),
            Headers::Encoded | Headers::Original => self.lines.is_ascii(),
        };
        if sound && short {
            self.lines.replace('\n', "\n ")
        } else {
            unstructured(&self.name, &decode(&self.unfolded()), style)
        }
    }
}

/// The fields of stored headers, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Transport {
    pub fields: Vec<Field>,
    /// Lines that are no field.
    pub rejected: Vec<String>,
    /// Whether there was more than is read.
    pub is_cut: bool,
    /// Whether one of the fields belongs to the message itself, not to those who handed it on.
    is_message: bool,
}

impl Transport {
    /// Reads `text` up to the end of the header.
    pub fn parse(text: &str) -> Self {
        let whole = text.len();
        let mut end = whole.min(MAX_HEADERS);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text
            .get(..end)
            .unwrap_or_default()
            .trim_start_matches(['\r', '\n', '\u{feff}']);
        let mut transport = Self {
            is_cut: end < whole,
            ..Self::default()
        };
        let lines = text.split('\n').flat_map(|line| {
            // The CR of a CR LF belongs to it; any other ends a line of its own.
            line.strip_suffix('\r').unwrap_or(line).split('\r')
        });
        let mut after_empty = false;
        for line in lines {
            if line.trim().is_empty() {
                after_empty = true;
                continue;
            }
            if std::mem::take(&mut after_empty) && (transport.is_message || !continues(line)) {
                transport.is_cut = false;
                break;
            }
            if transport.fields.len() + transport.rejected.len() >= MAX_FIELDS {
                transport.is_cut = true;
                break;
            }
            transport.line(line);
        }
        transport
    }

    /// The first field `name`.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// Whether the fields so far are those of a whole message.
    fn line(&mut self, line: &str) {
        // NUL and other controls say nothing here; a tab is a blank.
        let is_plain = line.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let clean: Cow<'_, str> = if is_plain {
            line.into()
        } else {
            line.chars()
                .map(|character| if character == '\t' { ' ' } else { character })
                .filter(|character| {
                    !character.is_control() && !matches!(character, '\u{2028}' | '\u{2029}')
                })
                .collect()
        };
        if clean.trim().is_empty() {
            return;
        }
        let is_first = self.fields.is_empty() && self.rejected.is_empty();
        if is_first
            && PREAMBLES.iter().any(|preamble| clean.starts_with(preamble))
            && field_name(&clean).is_none()
        {
            return;
        }
        if !clean.starts_with(' ')
            && let Some((name, value)) = field_name(&clean)
        {
            self.is_message |= OWN_FIELDS.iter().any(|own| own.eq_ignore_ascii_case(name));
            self.fields.push(Field {
                name: name.to_owned(),
                lines: value.trim().to_owned(),
                stored: line.replace('\0', ""),
            });
            return;
        }
        // A line without a name goes on with the field before it, even when its leading blank was lost.
        let is_continuation = clean.starts_with(' ') || !clean.contains(':');
        match self.fields.last_mut() {
            Some(field) if is_continuation => {
                field.lines.push('\n');
                field.lines.push_str(clean.trim());
                let is_folded = line.starts_with([' ', '\t']);
                field.stored.push_str(if is_folded { "\n" } else { "\n " });
                field.stored.push_str(&line.replace('\0', ""));
            }
            _ => self.rejected.push(clean.trim().to_owned()),
        }
    }
}

/// Whether the header goes on with this line behind an empty one: with the fields of a message, not those of a part.
fn continues(line: &str) -> bool {
    field_name(line)
        .is_some_and(|(name, _)| MESSAGE_FIELDS.contains(&name.to_ascii_lowercase().as_str()))
}

/// Whether `name` can be the name of a field. RFC 5322 3.6.8
pub(super) fn is_field_name(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b':')
}

/// Splits `Name: value`; None when the line is no field.
fn field_name(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_end_matches(' ');
    is_field_name(name).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let fields = Transport::parse(text).fields;
        fields
            .iter()
            .map(|field| (field.name.clone(), field.unfolded().into_owned()))
            .collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn fields_are_unfolded_whatever_ends_their_lines() {
        let expected = [
            pair("Received", "from a by b"),
            pair("Subject", "x"),
            pair("X-Empty", ""),
        ];
        for end in ["\r\n", "\n", "\r"] {
            let text = ["Received: from a", "\tby b", "Subject:x", "X-Empty:"].join(end);
            assert_eq!(pairs(&text), expected);
            assert_eq!(
                pairs(&format!("{end}{text}{end}{end}body: no field{end}")),
                expected
            );
        }
    }

    #[test]
    fn lines_before_the_header_are_passed_over() {
        for first in [
            "Microsoft Mail Internet Headers Version 2.0",
            "From - Mon Jan 01",
            ">From x@y Thu Nov 26",
        ] {
            assert_eq!(
                pairs(&format!("{first}\r\nSubject: x\r\n")),
                [pair("Subject", "x")],
                "{first}"
            );
        }
    }

    #[test]
    fn part_headers_behind_an_empty_line_are_not_the_messages() {
        let text = "Subject: x\r\n\r\nContent-Type: text/plain\r\n\r\nReceived: no\r\n";
        assert_eq!(pairs(text), [pair("Subject", "x")]);
        assert_eq!(
            pairs("X-A: 1\r\n\r\n--boundary\r\nContent-Type: text/plain"),
            [pair("X-A", "1")]
        );
    }

    #[test]
    fn an_empty_line_before_the_real_header_does_not_end_it() {
        let text = "X-Gateway: a\r\n\r\nReceived: b\r\nFrom: c@d\r\n\r\nTo: no@more\r\n";
        assert_eq!(
            pairs(text),
            [
                pair("X-Gateway", "a"),
                pair("Received", "b"),
                pair("From", "c@d")
            ]
        );
    }

    #[test]
    fn hostile_headers_take_linear_time() {
        let begin = std::time::Instant::now();
        for piece in [
            "\n",
            "To: a\n\n",
            "X: a\n",
            "To: a\n",
            "no field: a\n",
            "a\n",
        ] {
            let text = format!("X-A: b\n{}To: c\n", piece.repeat(600_000));
            let transport = Transport::parse(&text);
            assert!(transport.fields.len() <= MAX_FIELDS, "{piece}");
            assert_eq!(transport.is_cut, piece.contains(':'), "{piece}");
        }
        assert!(begin.elapsed().as_secs() < 30);
    }

    #[test]
    fn a_continuation_that_lost_its_blank_stays_with_its_field() {
        assert_eq!(
            pairs("Received: from a\r\nby b with c\r\nTo: x@y"),
            [pair("Received", "from a by b with c"), pair("To", "x@y")]
        );
        let transport = Transport::parse("no name here: x\r\nSubject: y\r\nbad name: z");
        assert_eq!(transport.rejected, ["no name here: x", "bad name: z"]);
        assert_eq!(transport.fields.len(), 1);
    }

    #[test]
    fn values_are_written_as_they_came_unless_that_breaks_the_rules() {
        let field = |text: &str| Transport::parse(text).fields.remove(0);
        assert_eq!(
            field("DKIM-Signature: v=1;\r\n\tb=abc\r\n").value(Headers::Encoded),
            "v=1;\n b=abc"
        );
        assert_eq!(field("X-A: a\0b\x0bc").value(Headers::Encoded), "abc");
        assert_eq!(
            field("X-A: caf\u{e9}").value(Headers::Encoded),
            "=?utf-8?Q?caf=C3=A9?="
        );
        assert_eq!(
            field("X-A: =?utf-8?Q?caf=C3=A9?=").value(Headers::Encoded),
            "=?utf-8?Q?caf=C3=A9?="
        );
        assert_eq!(
            field("X-A: =?utf-8?Q?caf=C3=A9=0D=0AX:y?=").value(Headers::Utf8),
            "caf\u{e9}  X:y"
        );
        let long = field(&format!("X-A: {}", "word ".repeat(500)));
        assert!(
            long.value(Headers::Encoded)
                .lines()
                .all(|line| line.len() < 900)
        );
    }
}
