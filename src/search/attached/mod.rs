//! The text of attached files: plain text, HTML, RTF, PDF, mail, and documents of Office and OpenDocument. What a file is is told by
//! its first bytes, else by its type or its name, whichever is that of something with words; of what both tell nothing, whether
//! its beginning is text.
//!
//! All of it takes hostile input: a file is read, inflated and parsed up to a limit, nothing recurses, and what cannot be looked
//! into is told with its reason.
#![forbid(unsafe_code)]

mod mail;
mod markup;
mod means;
mod office;
mod pdf;
mod reason;
mod smime;

use crate::codepage;
use crate::convert::text::{html, normalise, rtf};
use crate::convert::{Rendition, is_known_type, type_of_file};

pub(super) use means::Means;
pub use pdf::{PdfReader, text as pdf_text};
use reason::{MAX_TEXT, SVG, has_no_words};
pub use reason::{Reason, Unseen};

/// Bytes of text that are taken from a PDF file.
pub const MAX_PDF_TEXT: u64 = MAX_TEXT as u64;

/// Bytes of a file that is looked into.
const MAX_FILE: u64 = 32 << 20;
/// What files begin with.
const ZIP: &[u8] = b"PK\x03\x04";
const RTF: &[u8] = b"{\\rtf";
/// The header of an entity of S/MIME, which stands alone in its file. [MS-OXOSMIME]
const ENTITY: &[u8] = b"content-";
const COMPOUND_FILE: &[u8] = b"\xD0\xCF\x11\xE0";
/// Bytes that tell what a file is.
const HEAD: usize = 512;
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
/// Types of files that are mail, and what their names end in.
const MAIL: [&str; 2] = ["message/rfc822", "multipart/signed"];
const MAIL_EXTENSION: &str = ".eml";
/// Types of what is signed or encrypted in one piece.
const SMIME: [&str; 2] = ["application/pkcs7-mime", "application/x-pkcs7-mime"];
const SMIME_EXTENSION: &str = ".p7m";
/// What the types of documents of Office begin with.
const OFFICE: &str = "application/vnd.openxmlformats-officedocument.";

/// The text of `file`, whose name and type are these; what is wrong with its bytes is in its problems. What of it cannot be
/// looked into is told by `means`.
pub(super) fn text(
    file: &Rendition,
    name: &str,
    media_type: &str,
    means: Means<'_>,
) -> Result<String, Reason> {
    if has_no_words(media_type) {
        return Ok(String::new());
    }
    let name = name.to_ascii_lowercase();
    let mut head = [0; HEAD];
    let read = file.read_at(0, &mut head).map_err(|_| Reason::Unreadable)?;
    let head = head.get(..read).unwrap_or_default();
    let is_smime = SMIME.contains(&media_type) || name.ends_with(SMIME_EXTENSION);
    let is_mail = MAIL.contains(&media_type)
        || name.ends_with(MAIL_EXTENSION)
        || is_smime
            && head
                .get(..ENTITY.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(ENTITY));
    // Outlook calls a .csv a table of Excel, and many a type has no name that is registered.
    let of_name = type_of_file(None, &name);
    let is = |is_type: &dyn Fn(&str) -> bool| is_type(media_type) || is_type(&of_name);
    let read = match () {
        () if is_mail => return mail::text(&bytes(file)?, means).map(words),
        () if is_smime => {
            let entity = smime::signed(&bytes(file)?)?;
            return mail::text(&entity, means).map(words);
        }
        () if head.starts_with(ZIP) => office::text,
        () if head.starts_with(pdf::START) => {
            return pdf::text_by(means.pdf, &bytes(file)?).map(words);
        }
        () if head.starts_with(RTF) => of_rtf,
        // A password makes a compound file of a document.
        () if head.starts_with(COMPOUND_FILE) && media_type.starts_with(OFFICE) => {
            return Err(Reason::Encrypted);
        }
        () if is(&|of| HTML.contains(&of)) => of_html,
        () if is(&|of| of == SVG || of == "application/xml") => of_markup,
        () if is(&|of| of.starts_with("text/") || TEXTS.contains(&of)) => of_plain,
        () if !is(&is_known_type) && looks_like_text(head) => of_plain,
        () => return Err(Reason::of_type(media_type)),
    };
    read(&bytes(file)?).map(words)
}

/// `text` to look for words in: a NUL ends one.
fn words(text: String) -> String {
    normalise(text.replace('\0', " "))
}

/// Whether a file that begins with `head` is text in ASCII or UTF-8.
fn looks_like_text(head: &[u8]) -> bool {
    let is_of_text = |byte: &u8| !byte.is_ascii_control() || byte.is_ascii_whitespace();
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The last character may be cut off.
        Err(error) => error.error_len().is_none(),
    };
    !head.is_empty() && is_utf8 && head.iter().all(is_of_text)
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
