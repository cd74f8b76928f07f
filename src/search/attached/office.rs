//! Documents that are ZIP archives of XML: those of Office (ECMA-376) and of OpenDocument (ISO/IEC 26300).
#![forbid(unsafe_code)]

use std::io::Read;

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive};

use super::markup::{self, Wanted};
use super::reason::{MAX_TEXT, Reason};
use crate::codepage;

/// Entries of an archive that are looked at.
const MAX_ENTRIES: usize = 10_000;
/// Bytes that all parts of a document may have together once they are unpacked.
const MAX_UNPACKED: u64 = 32 << 20;
/// The part that states that an archive is a document of Office, and the one that has the text of one of OpenDocument.
const OFFICE: &str = "[Content_Types].xml";
const OPEN_DOCUMENT: &str = "content.xml";
/// Directories of parts with text in documents of Office: text, notes and comments; sheets; slides and their notes.
const OFFICE_PARTS: [&str; 7] = [
    "word/",
    "xl/sharedStrings",
    "xl/worksheets/",
    "xl/comments",
    "ppt/slides/",
    "ppt/notesSlides/",
    OFFICE_PROPERTIES,
];
/// Title, author and the like.
const OFFICE_PROPERTIES: &str = "docProps/";
/// Parts below these that have none: definitions, and links to other parts.
const OFFICE_OTHERS: [&str; 8] = [
    "word/styles",
    "word/settings",
    "word/webSettings",
    "word/fontTable",
    "word/theme/",
    "word/numbering",
    "word/glossary/",
    "word/media/",
];
/// Parts with text of OpenDocument: the second has headers and footers.
const OPEN_DOCUMENT_PARTS: [&str; 3] = [OPEN_DOCUMENT, "styles.xml", "meta.xml"];

/// What an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Office,
    OpenDocument,
}

/// The text of the document that the archive `bytes` is.
pub(super) fn text(bytes: &[u8]) -> Result<String, Reason> {
    let archive = ZipArchive::from_slice(bytes).map_err(|_| Reason::Malformed)?;
    let mut names = Vec::new();
    for entry in archive.entries().take(MAX_ENTRIES) {
        names.push(name(&entry.map_err(|_| Reason::Malformed)?));
    }
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let form = match () {
        () if has(OFFICE) => Form::Office,
        () if has(OPEN_DOCUMENT) => Form::OpenDocument,
        () => return Err(Reason::of_type("application/zip")),
    };
    let mut left = MAX_UNPACKED;
    let mut text = String::new();
    for entry in archive.entries().take(MAX_ENTRIES) {
        let entry = entry.map_err(|_| Reason::Malformed)?;
        let name = name(&entry);
        if !form.has_text(&name) {
            continue;
        }
        let xml = unpacked(&archive, &entry, &mut left)?;
        let xml = codepage::decode_html(&xml, None, None);
        markup::text(&xml.text, form.wanted(&name), &mut text)?;
        text.push('\n');
        if text.len() > MAX_TEXT {
            return Err(Reason::Large);
        }
    }
    Ok(text)
}

impl Form {
    /// Whether the part of this name has text for people.
    fn has_text(self, name: &str) -> bool {
        match self {
            Self::Office => {
                let is_below = |parts: &[&str]| parts.iter().any(|part| name.starts_with(part));
                name.ends_with(".xml") && is_below(&OFFICE_PARTS) && !is_below(&OFFICE_OTHERS)
            }
            Self::OpenDocument => OPEN_DOCUMENT_PARTS.contains(&name),
        }
    }

    /// What of the part of this name is text.
    fn wanted(self, name: &str) -> Wanted {
        match self {
            Self::Office if !name.starts_with(OFFICE_PROPERTIES) => Wanted::Runs,
            Self::Office | Self::OpenDocument => Wanted::All,
        }
    }
}

fn name(entry: &ZipFileHeaderRecord<'_>) -> String {
    String::from_utf8_lossy(entry.file_path().as_ref()).into_owned()
}

/// The bytes of `entry`; they are taken off what is `left`.
fn unpacked(
    archive: &ZipSliceArchive<&[u8]>,
    entry: &ZipFileHeaderRecord<'_>,
    left: &mut u64,
) -> Result<Vec<u8>, Reason> {
    if entry.flags().is_encrypted() {
        return Err(Reason::Encrypted);
    }
    let stored = archive.get_entry(entry.wayfinder());
    let stored = stored.map_err(|_| Reason::Malformed)?.data();
    let mut bytes = Vec::new();
    // One byte more tells that there is too much.
    let limit = *left + 1;
    let read = match entry.compression_method() {
        CompressionMethod::STORE => stored.take(limit).read_to_end(&mut bytes),
        CompressionMethod::DEFLATE => DeflateDecoder::new(stored)
            .take(limit)
            .read_to_end(&mut bytes),
        _ => return Err(Reason::Malformed),
    };
    // Of a part that breaks off, what came before that.
    if read.is_err() && bytes.is_empty() {
        return Err(Reason::Malformed);
    }
    *left = left.checked_sub(bytes.len() as u64).ok_or(Reason::Large)?;
    Ok(bytes)
}
