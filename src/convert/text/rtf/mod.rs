//! RTF bodies: HTML or plain text that travels inside RTF, and RTF written as such. [MS-OXRTFEX], RTF 1.9.1.
//!
//! `token` cuts the bytes, `reader` follows groups and destinations, `sink` collects bytes into decoded text;
//! `font`, `word` and `field` know the tables. All of it is one pass with a stack of our own.
#![forbid(unsafe_code)]

mod field;
mod font;
mod reader;
mod sink;
mod token;
mod word;

use token::{Token, Tokens};

/// How far into the value the signature may begin: a byte order mark or blanks may come before it.
const SIGNATURE_RANGE: usize = 64;
/// How many tokens of the header may come before `\fromhtml1` or `\fromtext`. [MS-OXRTFEX] 2.1.3.1.1 asks for ten.
const HEADER_TOKENS: usize = 16;

/// Stands in the text of genuine RTF where an attachment is shown (`\objattph`), in rendering order.
pub const ATTACHMENT_MARK: char = '\u{FFFC}';

/// What an RTF body is. Lines end with CRLF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RtfBody {
    /// The HTML that was encapsulated (`\fromhtml1`); its `<meta>` charset, if any, no longer holds.
    Html(String),
    /// The plain text that was encapsulated (`\fromtext`).
    Text(String),
    /// RTF by a word processor.
    Genuine {
        /// The text: paragraphs, cells behind tabs, bullets, links with their addresses, [`ATTACHMENT_MARK`].
        text: String,
        /// Whether the RTF shows what text cannot: pictures, objects, attachments, tables or fields.
        has_rich_content: bool,
    },
}

/// What kind of RTF is read; this decides what groups and control words mean.
#[derive(Clone, Copy, PartialEq)]
enum Flavour {
    Html,
    Text,
    Genuine,
}

/// Converts decompressed RTF. Damaged RTF gives the text that can be made out.
pub fn convert(rtf: &[u8]) -> RtfBody {
    let start = rtf
        .windows(5)
        .take(SIGNATURE_RANGE)
        .position(|window| window == b"{\\rtf")
        .unwrap_or(0);
    let rtf = rtf.get(start..).unwrap_or_default();
    let flavour = flavour(rtf);
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

/// Looks for the control word that says what is encapsulated, before the font table.
fn flavour(rtf: &[u8]) -> Flavour {
    for token in Tokens::new(rtf).take(HEADER_TOKENS) {
        match token {
            Token::Word(b"fromhtml", parameter) if parameter != Some(0) => return Flavour::Html,
            Token::Word(b"fromtext", _) => return Flavour::Text,
            Token::Word(b"fonttbl", _) => break,
            _ => {}
        }
    }
    Flavour::Genuine
}

#[cfg(test)]
mod tests;
