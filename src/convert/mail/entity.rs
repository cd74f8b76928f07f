//! MIME entities: what a message consists of, and how that is written. RFC 2045, RFC 2046
//!
//! Text stays 8bit, so that `grep` finds it, and comes back from every reader as it is stored. A text with a line too
//! long for mail, or a NUL, is quoted-printable: no form of format=flowed is the same to readers that do not know it.
//! HTML is broken at blanks, where that changes nothing.
#![forbid(unsafe_code)]

use super::boundary::{Boundaries, Taken};
use super::fields::Fields;
use crate::convert::byte_range::ByteRange;
use crate::convert::options::Headers;
use crate::convert::rendition::Writer;
use crate::convert::text::{html, normalise};

/// Octets of the longest line that 8bit allows. RFC 5322 2.1.1
const MAX_LINE: usize = 998;
const NO_PARAMETERS: [(&str, &str); 0] = [];

/// A MIME part or message.
#[derive(Debug)]
pub(crate) struct Entity {
    /// For a part, its Content fields; for a message, those before its Content fields.
    pub fields: Fields,
    pub body: Body,
}

/// The content of an entity, from which its Content-Type and encoding follow.
#[derive(Debug)]
pub(crate) enum Body {
    /// text/`subtype` in UTF-8. Lines end with LF.
    Text { subtype: &'static str, text: String },
    /// Text of a machine-readable part, as it is: short lines.
    Lines {
        media_type: String,
        parameters: Vec<(&'static str, String)>,
        text: String,
    },
    /// Text of a known kind byte for byte, such as an armoured message.
    Verbatim {
        media_type: String,
        content: ByteRange,
    },
    /// A file in base64. Parameters are those of its Content-Type.
    File {
        media_type: String,
        parameters: Vec<(&'static str, String)>,
        content: ByteRange,
    },
    /// A message within this one.
    Message(Box<Entity>),
    /// Parts; `parameters` are those beside the boundary.
    Multipart {
        subtype: &'static str,
        parameters: Vec<(&'static str, String)>,
        parts: Vec<Entity>,
    },
    /// A signed entity: its own Content fields, then its body byte for byte.
    Spliced {
        content_fields: Fields,
        rest: ByteRange,
    },
}

impl Entity {
    /// A part without fields of its own.
    pub fn part(body: Body, style: Headers) -> Self {
        Self {
            fields: Fields::new(style),
            body,
        }
    }

    /// text/plain.
    pub fn text(subtype: &'static str, text: String, style: Headers) -> Self {
        Self::part(Body::Text { subtype, text }, style)
    }

    /// The calendar object of a meeting message. RFC 6047 2.4
    pub fn calendar(method: &str, text: &str, style: Headers) -> Self {
        let body = Body::Lines {
            media_type: "text/calendar".to_owned(),
            parameters: vec![
                ("charset", "utf-8".to_owned()),
                ("method", method.to_owned()),
            ],
            text: normalise(text),
        };
        Self::part(body, style)
    }

    /// An item in its own format, `text`, as a file in the message.
    pub fn item(name: &str, media_type: &str, text: &str, style: Headers) -> Self {
        let body = Body::Lines {
            media_type: media_type.to_owned(),
            parameters: vec![("charset", "utf-8".to_owned())],
            text: normalise(text),
        };
        let mut item = Self::part(body, style);
        item.fields
            .push_parameters("Content-Disposition", "attachment", &[("filename", name)]);
        item
    }

    /// A multipart of `parts`; a single part is itself.
    pub fn multipart(subtype: &'static str, parts: Vec<Entity>, style: Headers) -> Self {
        match <[Entity; 1]>::try_from(parts) {
            Ok([part]) => part,
            Err(parts) => Self::part(
                Body::Multipart {
                    subtype,
                    parameters: Vec::new(),
                    parts,
                },
                style,
            ),
        }
    }

    /// The Content-Type, without parameters.
    pub fn media_type(&self) -> String {
        match &self.body {
            Body::Text { subtype, .. } => format!("text/{subtype}"),
            Body::Lines { media_type, .. }
            | Body::Verbatim { media_type, .. }
            | Body::File { media_type, .. } => media_type.clone(),
            Body::Message(_) => "message/rfc822".to_owned(),
            Body::Multipart { subtype, .. } => format!("multipart/{subtype}"),
            Body::Spliced { .. } => "multipart/signed".to_owned(),
        }
    }

    /// Notes what in the texts within could be a boundary. Attachments have none: base64 has no `_`.
    fn note_boundaries<'a>(&'a self, taken: &mut Taken<'a>) {
        match &self.body {
            Body::Text { text, .. } | Body::Lines { text, .. } => taken.add(text),
            Body::Message(message) => message.note_boundaries(taken),
            Body::Multipart { parts, .. } => {
                parts.iter().for_each(|part| part.note_boundaries(taken));
            }
            Body::File { .. } | Body::Verbatim { .. } | Body::Spliced { .. } => {}
        }
    }

    /// Writes header and body; `boundaries` names the multiparts within.
    pub fn write(self, writer: &mut Writer, boundaries: &mut Boundaries) {
        let fields = self.fields;
        match self.body {
            Body::Text { subtype, text } => write_text(fields, subtype, text, writer),
            Body::Lines {
                media_type,
                parameters,
                text,
            } => {
                // All that a part of a report may have. RFC 3464 2.1
                let encoding = if text.is_ascii() { "7bit" } else { "8bit" };
                write_header(fields, &media_type, &parameters, encoding, writer);
                writer.text(&text);
                writer.end_line();
            }
            Body::Verbatim {
                media_type,
                content,
            } => {
                write_header(fields, &media_type, &NO_PARAMETERS, "7bit", writer);
                writer.raw(content);
            }
            Body::File {
                media_type,
                parameters,
                content,
            } => {
                write_header(fields, &media_type, &parameters, "base64", writer);
                if content.is_empty() {
                    writer.text("\n");
                }
                writer.base64(content);
            }
            Body::Message(message) => {
                write_header(fields, "message/rfc822", &NO_PARAMETERS, "8bit", writer);
                message.write(writer, boundaries);
            }
            Body::Multipart {
                subtype,
                mut parameters,
                parts,
            } => {
                let mut taken = Taken::default();
                parts
                    .iter()
                    .for_each(|part| part.note_boundaries(&mut taken));
                let boundary = boundaries.next(&taken);
                parameters.push(("boundary", boundary.clone()));
                let media_type = format!("multipart/{subtype}");
                write_header(fields, &media_type, &parameters, "8bit", writer);
                // The line end in front of a delimiter belongs to it, not to the part. RFC 2046 5.1.1
                let mut before = "";
                for part in parts {
                    delimit(before, &boundary, "\n", writer);
                    part.write(writer, boundaries);
                    before = "\n";
                }
                delimit(before, &boundary, "--\n", writer);
            }
            Body::Spliced {
                content_fields,
                rest,
            } => {
                fields.write(writer);
                content_fields.write(writer);
                writer.text("\n");
                writer.raw(rest);
            }
        }
    }
}

/// Text is 8bit, so that it can be searched. If that has no room for a line or a character, HTML is broken at blanks, where
/// that changes nothing; all other text is quoted-printable: whatever a reader is, it gets back what is stored.
fn write_text(fields: Fields, subtype: &str, text: String, writer: &mut Writer) {
    let media_type = format!("text/{subtype}");
    let parameters = [("charset", "utf-8")];
    if is_8bit(&text) {
        write_header(fields, &media_type, &parameters, "8bit", writer);
        writer.text_owned(text);
    } else if subtype == "html"
        && let Some(wrapped) = html::wrap(&text, MAX_LINE)
    {
        write_header(fields, &media_type, &parameters, "8bit", writer);
        writer.text_owned(wrapped);
    } else {
        write_header(fields, &media_type, &parameters, "quoted-printable", writer);
        let encoded = encodify::qp::BODY.encode(text.as_bytes());
        writer.text(&encoded.replace("\r\n", "\n"));
    }
}

fn write_header(
    mut fields: Fields,
    media_type: &str,
    parameters: &[(&str, impl AsRef<str>)],
    encoding: &'static str,
    writer: &mut Writer,
) {
    fields.push_parameters("Content-Type", media_type, parameters);
    fields.push("Content-Transfer-Encoding", encoding);
    fields.write(writer);
    writer.text("\n");
}

/// Writes a delimiter: `before` it, and `after` its boundary.
fn delimit(before: &str, boundary: &str, after: &str, writer: &mut Writer) {
    for text in [before, "--", boundary, after] {
        writer.text(text);
    }
}

/// Whether `text` has no line that is longer than 8bit allows, and no NUL, which 8bit forbids. RFC 2045 2.8
fn is_8bit(text: &str) -> bool {
    if memchr::memchr(0, text.as_bytes()).is_some() {
        return false;
    }
    let mut start = 0;
    memchr::memchr_iter(b'\n', text.as_bytes())
        .chain([text.len()])
        .all(|end| end - std::mem::replace(&mut start, end + 1) <= MAX_LINE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::options::Eol;

    const STYLE: Headers = Headers::Encoded;

    fn written(entity: Entity, eol: Eol) -> String {
        let mut writer = Writer::new(eol);
        entity.write(&mut writer, &mut Boundaries::new(1));
        let rendition = writer.finish(&crate::problem::Problems::default());
        let mut bytes = vec![0; rendition.len() as usize];
        assert_eq!(rendition.read_at(0, &mut bytes).unwrap(), bytes.len());
        String::from_utf8(bytes).unwrap()
    }

    fn text(text: &str) -> Entity {
        Entity::text("plain", text.to_owned(), STYLE)
    }

    #[test]
    fn text_is_8bit_unless_a_line_is_too_long() {
        let header = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: ";
        for short in ["Gr\u{fc}\u{df}e", "", " \n-- \nFrom \n \t"] {
            assert_eq!(
                written(text(short), Eol::Lf),
                format!("{header}8bit\n\n{short}")
            );
        }
        let long = "\u{e9}=".repeat(400);
        for (subtype, long) in [
            ("html", format!("{long}\nsecond\n")),
            ("plain", format!("{long} \t\n second \nlast")),
            ("plain", "NUL\0\n".to_owned()),
        ] {
            let encoded = written(Entity::text(subtype, long.clone(), STYLE), Eol::Lf);
            assert!(encoded.contains("quoted-printable\n\n") && !encoded.contains('\r'));
            assert!(encoded.lines().all(|line| line.len() <= 76));
            let decoded = encodify::qp::BODY
                .decode(encoded.split_once("\n\n").unwrap().1)
                .unwrap();
            assert_eq!(std::str::from_utf8(&decoded).unwrap(), long);
        }
    }

    #[test]
    fn parts_stand_between_boundaries_with_the_line_ends_of_the_file() {
        let entity = || {
            let file = Body::File {
                media_type: "image/png".into(),
                parameters: Vec::new(),
                content: ByteRange::of_bytes(Vec::new()),
            };
            Entity::multipart(
                "mixed",
                vec![text("a\nb"), Entity::part(file, STYLE)],
                STYLE,
            )
        };
        let boundary = Boundaries::new(1).next(&Taken::default());
        let expected = format!(
            "Content-Type: multipart/mixed;\n boundary=\"{boundary}\"\nContent-Transfer-Encoding: 8bit\n\n\
             --{boundary}\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\na\nb\n\
             --{boundary}\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n\n\n--{boundary}--\n"
        );
        assert_eq!(written(entity(), Eol::Lf), expected);
        assert_eq!(written(entity(), Eol::Crlf), expected.replace('\n', "\r\n"));
    }

    #[test]
    fn one_part_needs_no_multipart() {
        let entity = Entity::multipart("mixed", vec![text("a")], STYLE);
        assert_eq!(entity.media_type(), "text/plain");
    }

    #[test]
    fn no_text_within_can_end_a_multipart() {
        let guessed = Boundaries::new(1).next(&Taken::default());
        let inner = Entity::part(
            Body::Message(Box::new(text(&format!("--{guessed}--\n")))),
            STYLE,
        );
        let entity = Entity::multipart("mixed", vec![text("a"), inner], STYLE);
        let written = written(entity, Eol::Lf);
        assert!(!written.contains(&format!("boundary=\"{guessed}\"")));
        assert_eq!(written.matches(&guessed).count(), 1);
    }
}
