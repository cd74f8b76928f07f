//! The text of attached files: plain text, HTML, RTF, and documents of Office and OpenDocument. What a file is is told by its
//! first bytes, else by its type.
//!
//! All of it takes hostile input: a file is read, inflated and parsed up to a limit, nothing recurses, and what cannot be looked
//! into is told with its reason.
#![forbid(unsafe_code)]

mod markup;
mod office;
mod reason;

use crate::codepage;
use crate::convert::Rendition;
use crate::convert::text::{html, normalise, rtf};

pub use reason::{Reason, Unseen};

/// Bytes of a file that is looked into.
const MAX_FILE: u64 = 32 << 20;
/// What files begin with.
const PDF: &[u8] = b"%PDF-";
const ZIP: &[u8] = b"PK\x03\x04";
const RTF: &[u8] = b"{\\rtf";
const COMPOUND_FILE: &[u8] = b"\xD0\xCF\x11\xE0";
/// Bytes that tell what a file is.
const HEAD: usize = 8;
/// Types that are text though their name does not begin so.
const TEXTS: [&str; 9] = [
    "application/json",
    "application/jsonl",
    "application/xml",
    "application/yaml",
    "application/sql",
    "application/x-sh",
    "application/x-httpd-php",
    "application/internet-shortcut",
    "application/mbox",
];
const HTML: [&str; 2] = ["text/html", "application/xhtml+xml"];
/// What the types of documents of Office begin with.
const OFFICE: &str = "application/vnd.openxmlformats-officedocument.";
/// Types that have no words.
const WORDLESS: [&str; 4] = ["image/", "audio/", "video/", "font/"];
/// An image that is text.
const SVG: &str = "image/svg+xml";

/// The text of `file`, whose type is `media_type`; what is wrong with its bytes is in its problems.
pub(super) fn text(file: &Rendition, media_type: &str) -> Result<String, Reason> {
    let is_svg = media_type == SVG;
    if !is_svg && WORDLESS.iter().any(|kind| media_type.starts_with(kind)) {
        return Err(Reason::of_type(media_type));
    }
    let mut head = [0; HEAD];
    let read = file.read_at(0, &mut head).map_err(|_| Reason::Unreadable)?;
    let head = head.get(..read).unwrap_or_default();
    let read = match () {
        () if head.starts_with(ZIP) => office::text,
        () if head.starts_with(PDF) => return Err(Reason::of_type("application/pdf")),
        () if head.starts_with(RTF) => of_rtf,
        // A password makes a compound file of a document.
        () if head.starts_with(COMPOUND_FILE) && media_type.starts_with(OFFICE) => {
            return Err(Reason::Encrypted);
        }
        () if HTML.contains(&media_type) => of_html,
        () if is_svg || media_type == "application/xml" => of_markup,
        () if media_type.starts_with("text/") || TEXTS.contains(&media_type) => of_plain,
        () => return Err(Reason::of_type(media_type)),
    };
    let text = read(&bytes(file)?)?;
    Ok(normalise(text))
}

/// All bytes of `file`.
fn bytes(file: &Rendition) -> Result<Vec<u8>, Reason> {
    if file.len() > MAX_FILE {
        return Err(Reason::Large);
    }
    let len = usize::try_from(file.len()).map_err(|_| Reason::Large)?;
    let mut bytes = vec![0; len];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(filled as u64, rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(_) => return Err(Reason::Unreadable),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

fn of_plain(bytes: &[u8]) -> Result<String, Reason> {
    Ok(codepage::decode_text8(bytes, None, None).text.into_owned())
}

fn of_html(bytes: &[u8]) -> Result<String, Reason> {
    Ok(html::to_text(
        &codepage::decode_html(bytes, None, None).text,
    ))
}

fn of_markup(bytes: &[u8]) -> Result<String, Reason> {
    let mut text = String::new();
    markup::all_text(&codepage::decode_html(bytes, None, None).text, &mut text)?;
    Ok(text)
}

fn of_rtf(bytes: &[u8]) -> Result<String, Reason> {
    Ok(match rtf::convert(bytes) {
        rtf::RtfBody::Html(html) => html::to_text(&html),
        rtf::RtfBody::Text(text) | rtf::RtfBody::Genuine { text, .. } => text,
    })
}
