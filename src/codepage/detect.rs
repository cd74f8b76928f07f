//! Which code page the bytes of a body are in, when the labels around them disagree or say nothing.
//!
//! Real labels are wrong often enough that the bytes come first: text that is valid UTF-8 beyond ASCII is UTF-8,
//! since other encodings hit that pattern only in a few characters by chance.
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::fmt;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

use super::decode::{decode_page, is_known};
use super::label::from_charset_label;
use super::stateful;
use super::table::{
    HZ, Table, US_ASCII, UTF_7, UTF_8, UTF_16_BIG, UTF_16_LITTLE, WINDOWS_LATIN1, canonical,
};
use super::unicode::{decode_marked, is_cut_off};

/// How far into an HTML body a `<meta>` element with the charset is looked for, in bytes.
const META_RANGE: usize = 16 * 1024;
/// How many UTF-8 sequences outweigh the label of a double-byte page: a few GBK characters can look like UTF-8.
const SEQUENCES_AGAINST_DOUBLE_BYTE: usize = 4;
/// First bytes of UTF-8 characters of two bytes or more are not below this.
const FIRST_OF_SEVERAL: u8 = 0xC0;
/// Bytes that are looked at to tell the code page of text.
const SAMPLE: usize = 256 << 10;
/// Bytes above ASCII that tell a code page. Fewer are a name or two, in which every page has letters.
const LEAST_EVIDENCE: usize = 8;

/// Text, and what its labels got wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// Why it may be another one.
    pub doubt: Option<Doubt>,
}

/// A label that the bytes contradict, and no other label to go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// The code page that is named.
    pub declared: u32,
    /// The one that was used.
    pub taken: u32,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { declared, taken } = self;
        write!(
            f,
            "its bytes are no text in code page {declared}, which is named; read as {taken}"
        )
    }
}

/// The code page that 8-bit text seems to be in; None if there is too little of it, or none. Looks at the first 256 KiB.
pub fn detect(bytes: &[u8]) -> Option<u32> {
    let sample = bytes.get(..SAMPLE.min(bytes.len()))?;
    let telling = sample.iter().filter(|byte| !byte.is_ascii()).count();
    if telling < LEAST_EVIDENCE {
        return None;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, sample.len() == bytes.len());
    let encoding = detector.guess(None, Utf8Detection::Allow);
    codepage::from_encoding(encoding).map(u32::from)
}

/// Text of an HTML body (PidTagHtml), given PidTagInternetCodepage and PidTagMessageCodepage where they exist.
///
/// In order: byte order mark, valid UTF-8, the Internet code page unless it states nothing (absent, 20127, UTF-16),
/// the `<meta>` charset, the message code page. A label that the bytes contradict is passed over; without one that is
/// left, the bytes tell, and else it is Windows-1252.
pub fn decode_html(
    bytes: &[u8],
    internet_codepage: Option<u32>,
    message_codepage: Option<u32>,
) -> Decoded<'_> {
    // The element is looked for only when a label before it does not settle the matter.
    let meta = std::iter::once_with(|| meta_charset(bytes)).flatten();
    let labels = internet_codepage.into_iter();
    decode_labelled(bytes, labels.chain(meta).chain(message_codepage))
}

/// Text of a PtypString8 body, given PidTagMessageCodepage and PidTagInternetCodepage where they exist; the message
/// code page comes first, everything else is as in [`decode_html`].
pub fn decode_text8(
    bytes: &[u8],
    message_codepage: Option<u32>,
    internet_codepage: Option<u32>,
) -> Decoded<'_> {
    let labels = message_codepage.into_iter();
    decode_labelled(bytes, labels.chain(internet_codepage))
}

/// Whether the number of a code page states anything about 8-bit text: writers that never look at their bytes name ASCII or
/// UTF-16.
pub fn is_telling(code_page: &u32) -> bool {
    !matches!(
        canonical(*code_page),
        0 | US_ASCII | UTF_16_LITTLE | UTF_16_BIG
    )
}

/// Decodes by the first label that the bytes do not contradict.
fn decode_labelled(bytes: &[u8], labels: impl Iterator<Item = u32>) -> Decoded<'_> {
    let sure = |text| Decoded { text, doubt: None };
    if let Some(text) = decode_marked(bytes) {
        return sure(text);
    }
    let mut labels = labels.filter(is_telling).peekable();
    let first = labels.peek().copied();
    if bytes.is_ascii() {
        return sure(decode_page(seven_bit_page(bytes, first, labels), bytes));
    }
    let text = std::str::from_utf8(bytes).ok();
    let evidence = text.map_or_else(|| Evidence::of(bytes), Evidence::of_text);
    if evidence.is_utf8(first) {
        return sure(text.map_or_else(|| decode_page(UTF_8, bytes), Cow::Borrowed));
    }
    let label = labels.find(|&page| page != UTF_8);
    if let Some(page) = label.filter(|page| is_plausible(*page, bytes)) {
        return sure(decode_page(page, bytes));
    }
    let known = label.filter(|page| is_known(*page));
    let taken = detect(bytes).or(known).unwrap_or(WINDOWS_LATIN1);
    Decoded {
        text: decode_page(taken, bytes),
        doubt: first.map(|declared| Doubt { declared, taken }),
    }
}

/// Whether `bytes` can be text of the page, but for a damaged place here and there.
fn is_plausible(page: u32, bytes: &[u8]) -> bool {
    if !is_known(page) {
        return false;
    }
    if Table::of(page).is_none_or(|table| table.decode(bytes).1) {
        return true;
    }
    let text = decode_page(page, bytes);
    let wrong = text.matches(char::REPLACEMENT_CHARACTER).count();
    let others = text
        .chars()
        .filter(|character| !character.is_ascii())
        .count();
    wrong * LEAST_EVIDENCE <= others
}

/// The page of text without any byte above 7F: only the encodings with escape sequences differ from ASCII there.
fn seven_bit_page(bytes: &[u8], first: Option<u32>, labels: impl Iterator<Item = u32>) -> u32 {
    if let Some(page @ (UTF_7 | HZ)) = first {
        return page;
    }
    if memchr::memchr2(stateful::ESCAPE, stateful::SHIFT_OUT, bytes).is_some() {
        let mut labels = labels;
        return labels
            .find(|&page| stateful::is_iso_2022(page))
            .or_else(|| stateful::page_of_escapes(bytes))
            .unwrap_or(US_ASCII);
    }
    US_ASCII
}

/// What speaks for UTF-8 and against it.
struct Evidence {
    /// Well-formed characters of two bytes or more.
    sequences: usize,
    /// Places that are not UTF-8; a character cut off at the very end is none.
    errors: usize,
}

impl Evidence {
    fn of_text(text: &str) -> Self {
        let is_first = |byte: &u8| *byte >= FIRST_OF_SEVERAL;
        Self {
            sequences: text.bytes().filter(is_first).count(),
            errors: 0,
        }
    }

    fn of(bytes: &[u8]) -> Self {
        let mut evidence = Self {
            sequences: 0,
            errors: 0,
        };
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            evidence.sequences += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
            let invalid = chunk.invalid();
            let cut_off = chunks.peek().is_none() && is_cut_off(invalid);
            if !invalid.is_empty() && !cut_off {
                evidence.errors += 1;
            }
        }
        evidence
    }

    /// Whether the bytes are UTF-8, given what their first label states.
    fn is_utf8(&self, label: Option<u32>) -> bool {
        match label {
            // Nothing speaks against it: a damaged place here and there does not make it another encoding.
            None | Some(UTF_8) => self.sequences > self.errors.saturating_mul(4),
            Some(page) if Table::of(page).is_some_and(|table| table.is_multibyte()) => {
                self.errors == 0 && self.sequences >= SEQUENCES_AGAINST_DOUBLE_BYTE
            }
            Some(_) => self.errors == 0 && self.sequences > 0,
        }
    }
}

/// The charset that a `<meta>` element near the start names, if it is one that we know.
fn meta_charset(bytes: &[u8]) -> Option<u32> {
    let head = bytes.get(..META_RANGE.min(bytes.len()))?;
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    head.split("<meta").skip(1).find_map(|rest| {
        let element = rest.split('>').next()?;
        let (_, value) = element.split_once("charset")?;
        let value = value.trim_start().strip_prefix('=')?.trim_start();
        let value = value.trim_start_matches(['"', '\'']);
        let end = value
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.:+".contains(c)))
            .unwrap_or(value.len());
        from_charset_label(value.get(..end)?)
    })
}
