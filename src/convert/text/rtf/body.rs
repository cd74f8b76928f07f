//! An RTF body as what it is of.
#![forbid(unsafe_code)]

use super::flavour::Flavour;
use super::reader;

/// How far into the value the signature may begin: a byte order mark or blanks may come before it.
const SIGNATURE_RANGE: usize = 64;

/// What an RTF body is. Lines end with CRLF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RtfBody {
    /// The HTML that was encapsulated (`\fromhtml1`); its `<meta>` charset, if any, no longer holds.
    Html(String),
    /// The plain text that was encapsulated (`\fromtext`).
    Text(String),
    /// RTF by a word processor.
    Genuine {
        /// The text: paragraphs, cells behind tabs, bullets, links with their addresses, [`super::ATTACHMENT_MARK`].
        text: String,
        /// Whether the RTF shows what text cannot: pictures, objects, attachments, tables, fields or
        /// formatting such as struck-out words.
        has_rich_content: bool,
    },
}

/// Converts decompressed RTF. Damaged RTF gives the text that can be made out.
pub fn convert(rtf: &[u8]) -> RtfBody {
    let start = rtf
        .windows(5)
        .take(SIGNATURE_RANGE)
        .position(|window| window == b"{\\rtf")
        .unwrap_or(0);
    let rtf = rtf.get(start..).unwrap_or_default();
    let flavour = Flavour::of(rtf);
    let (mut text, has_rich_content) = reader::read(rtf, flavour);
    text.truncate(text.trim_end_matches('\0').len());
    match flavour {
        Flavour::Html => RtfBody::Html(text),
        Flavour::Text => RtfBody::Text(text),
        Flavour::Genuine => RtfBody::Genuine {
            text,
            has_rich_content,
        },
    }
}
