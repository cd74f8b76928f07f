//! MIME entities: what a message consists of, and how that is written. RFC 2045, RFC 2046
#![forbid(unsafe_code)]

use super::boundary::Boundaries;
use super::headers::Fields;
use crate::convert::Headers;
use crate::convert::rendition::{ByteRange, Writer};

/// Octets of the longest line that 8bit allows. RFC 5322 2.1.1
const MAX_LINE: usize = 998;

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
    /// Text of a machine-readable part, as it is: ASCII lines.
    Lines { media_type: String, text: String },
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

    /// Whether a text within contains `needle`. Attachments cannot: base64 has no `_`.
    pub fn contains(&self, needle: &str) -> bool {
        match &self.body {
            Body::Text { text, .. } | Body::Lines { text, .. } => text.contains(needle),
            Body::Message(message) => message.contains(needle),
            Body::Multipart { parts, .. } => parts.iter().any(|part| part.contains(needle)),
            Body::File { .. } | Body::Verbatim { .. } | Body::Spliced { .. } => false,
        }
    }

    /// Writes header and body; `boundaries` names the multiparts within.
    pub fn write(&self, writer: &mut Writer, boundaries: &mut Boundaries) {
        match &self.body {
            Body::Text { subtype, text } => self.write_text(subtype, text, writer),
            Body::Lines { media_type, text } => {
                self.write_header(media_type, &[], "8bit", writer);
                writer.text(text);
                writer.end_line();
            }
            Body::Verbatim {
                media_type,
                content,
            } => {
                self.write_header(media_type, &[], "7bit", writer);
                writer.raw(content.clone());
            }
            Body::File {
                media_type,
                parameters,
                content,
            } => {
                self.write_header(media_type, parameters, "base64", writer);
                if content.len() == 0 {
                    writer.text("\n");
                }
                writer.base64(content.clone());
            }
            Body::Message(message) => {
                self.write_header("message/rfc822", &[], "8bit", writer);
                message.write(writer, boundaries);
            }
            Body::Multipart {
                subtype,
                parameters,
                parts,
            } => {
                let boundary =
                    boundaries.next(|candidate| parts.iter().any(|part| part.contains(candidate)));
                let mut parameters = parameters.clone();
                parameters.push(("boundary", boundary.clone()));
                self.write_header(&format!("multipart/{subtype}"), &parameters, "8bit", writer);
                for part in parts {
                    writer.end_line();
                    writer.text(&format!("--{boundary}\n"));
                    part.write(writer, boundaries);
                }
                writer.end_line();
                writer.text(&format!("--{boundary}--\n"));
            }
            Body::Spliced {
                content_fields,
                rest,
            } => {
                self.fields.write(writer);
                content_fields.write(writer);
                writer.text("\n");
                writer.raw(rest.clone());
            }
        }
    }

    fn write_text(&self, subtype: &str, text: &str, writer: &mut Writer) {
        let media_type = format!("text/{subtype}");
        let charset = [("charset", "utf-8".to_owned())];
        if text.lines().all(|line| line.len() <= MAX_LINE) {
            self.write_header(&media_type, &charset, "8bit", writer);
            writer.text(text);
        } else {
            self.write_header(&media_type, &charset, "quoted-printable", writer);
            let encoded = encodify::qp::BODY.encode(text.as_bytes());
            writer.text(&encoded.replace("\r\n", "\n"));
        }
        writer.end_line();
        if text.is_empty() {
            writer.text("\n");
        }
    }

    fn write_header(
        &self,
        media_type: &str,
        parameters: &[(&str, String)],
        encoding: &str,
        writer: &mut Writer,
    ) {
        self.fields.write(writer);
        let parameters: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let mut content = Fields::new(self.fields.style());
        content.push_parameters("Content-Type", media_type, &parameters);
        content.push("Content-Transfer-Encoding", encoding);
        content.write(writer);
        writer.text("\n");
    }
}
