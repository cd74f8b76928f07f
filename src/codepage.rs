//! Code pages: bytes of 8-bit text and the numbers that name their encoding, turned into UTF-8 strings.
//!
//! Serves every layer and knows none of them. Decoding never fails: a page that nobody knows, or a label that the
//! bytes contradict, falls back to UTF-8 where the bytes are valid UTF-8 and to Windows-1252 where they are not.
//! Numbers are those of PidTagMessageCodepage and PidTagInternetCodepage, [MS-OXPROPS] 2.740 and 2.741.
#![forbid(unsafe_code)]

mod detect;
mod johab;
mod stateful;

pub use detect::{Decoded, Doubt, decode_html, decode_text8, detect, is_telling};

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use oem_cp::code_table::DECODING_TABLE_CP_MAP;
use oem_cp::code_table_type::TableType;

/// Windows Latin 1, the page of last resort: every byte has a character.
pub const WINDOWS_LATIN1: u32 = 1252;
/// Seven-bit ASCII; in practice the label of writers that never looked at their bytes.
pub const US_ASCII: u32 = 20127;
/// UTF-8.
pub const UTF_8: u32 = 65001;
/// UTF-7 (RFC 2152).
const UTF_7: u32 = 65000;
/// UTF-16, little-endian; on 8-bit data it says only that the writer was a Unicode program.
const UTF_16_LITTLE: u32 = 1200;
/// UTF-16, big-endian.
const UTF_16_BIG: u32 = 1201;
/// Korean in letters.
const JOHAB: u32 = 1361;
/// HZ (RFC 1843): GB 2312 in seven bits.
const HZ: u32 = 52936;

/// What turns the bytes of a page into characters.
enum Table {
    /// The encodings of the web, which cover the Windows and ISO pages.
    Web(&'static Encoding),
    /// DOS pages: 128 characters above ASCII.
    Oem(&'static TableType),
    Johab,
}

impl Table {
    /// The table of a page without shift states, if there is one.
    fn of(code_page: u32) -> Option<Self> {
        if code_page == JOHAB {
            return Some(Self::Johab);
        }
        let number = u16::try_from(canonical(code_page)).ok()?;
        codepage::to_encoding_no_replacement(number)
            .map(Self::Web)
            .or_else(|| DECODING_TABLE_CP_MAP.get(&number).map(Self::Oem))
    }

    /// Whether a character may take more than one byte.
    fn is_multibyte(&self) -> bool {
        match self {
            Self::Web(encoding) => !encoding.is_single_byte(),
            Self::Oem(_) => false,
            Self::Johab => true,
        }
    }

    /// The text, and whether all bytes were characters of this page.
    fn decode<'a>(&self, bytes: &'a [u8]) -> (Cow<'a, str>, bool) {
        match self {
            Self::Web(encoding) => {
                let (text, malformed) = encoding.decode_without_bom_handling(bytes);
                (text, !malformed)
            }
            Self::Oem(table) => match table.decode_string_checked(bytes) {
                Some(text) => (text.into(), true),
                None => (table.decode_string_lossy(bytes).into(), false),
            },
            Self::Johab => {
                let (text, is_sound) = johab::decode(bytes);
                (text.into(), is_sound)
            }
        }
    }
}

/// The page whose table serves for this one: other numbers of the same encoding, and supersets.
fn canonical(code_page: u32) -> u32 {
    match code_page {
        // IBM's Shift_JIS, and the Macintosh pages of East Asia with their Windows twins.
        943 | 10001 => 932,
        10002 => 950,
        10003 => 949,
        10008 => 936,
        // Macintosh pages that have the letters of another page in the same places.
        10004 | 708 => 28596,
        10005 => 1255,
        10021 => 874,
        10010 | 10079 | 10081 | 10082 => 10000,
        // EUC-JP has two numbers; the table of `codepage` knows one.
        51932 => 20932,
        21010 => UTF_16_LITTLE,
        other => other,
    }
}

/// Whether text in the code page can be read.
pub fn is_known(code_page: u32) -> bool {
    let page = canonical(code_page);
    matches!(page, UTF_8 | UTF_7 | HZ) || stateful::is_iso_2022(page) || Table::of(page).is_some()
}

/// Text of bytes in a Windows, ISO, Macintosh or DOS code page.
///
/// Never fails. 20127 (ASCII) and the UTF-16 pages on 8-bit data mean UTF-8 if the bytes are that, else
/// Windows-1252, as do pages that nobody knows. Bytes that have no character in their page become U+FFFD, unless the
/// whole is valid UTF-8.
pub fn decode(code_page: u32, bytes: &[u8]) -> String {
    decode_page(code_page, bytes).into_owned()
}

/// Whether all of `bytes` are characters of the page, as programs take them that believe its name: pages that others are
/// wider than have no more than is theirs, and one that nobody knows has none.
pub fn fits(code_page: u32, bytes: &[u8]) -> bool {
    match canonical(code_page) {
        US_ASCII => bytes.is_ascii(),
        UTF_8 => std::str::from_utf8(bytes).is_ok(),
        UTF_7 | HZ => bytes.is_ascii(),
        page if stateful::is_iso_2022(page) => bytes.is_ascii(),
        page => Table::of(page).is_some_and(|table| table.decode(bytes).1),
    }
}

/// As [`decode`]; most bodies are UTF-8 already and need no copy.
fn decode_page(code_page: u32, bytes: &[u8]) -> Cow<'_, str> {
    match canonical(code_page) {
        UTF_8 | US_ASCII => decode_utf8(bytes),
        UTF_16_LITTLE | UTF_16_BIG => {
            detect::decode_marked(bytes).unwrap_or_else(|| decode_utf8(bytes))
        }
        UTF_7 if bytes.is_ascii() => encodify::utf7::MAIL.lenient().decode_lossy(bytes).into(),
        HZ => stateful::decode_hz(bytes).into(),
        page if stateful::is_iso_2022(page) => stateful::decode_iso_2022(page, bytes).into(),
        page => match Table::of(page) {
            Some(table) => decode_table(&table, bytes),
            None => decode_utf8(bytes),
        },
    }
}

fn decode_table<'a>(table: &Table, bytes: &'a [u8]) -> Cow<'a, str> {
    match table.decode(bytes) {
        (text, true) => text,
        (text, false) => std::str::from_utf8(bytes).map_or(text, Cow::Borrowed),
    }
}

/// UTF-8, in which bytes that are not UTF-8 are taken for Windows-1252; a character cut off at the end is U+FFFD.
fn decode_utf8(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(&UTF_8_BOM).unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.into();
    }
    let mut text = String::with_capacity(bytes.len());
    let mut multibyte_seen = false;
    let mut chunks = bytes.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        multibyte_seen |= !chunk.valid().is_ascii();
        text.push_str(chunk.valid());
        let invalid = chunk.invalid();
        if multibyte_seen && chunks.peek().is_none() && is_cut_off(invalid) {
            text.push(char::REPLACEMENT_CHARACTER);
        } else {
            text.push_str(&WINDOWS_1252.decode_without_bom_handling(invalid).0);
        }
    }
    text.into()
}

/// Whether bytes that are not UTF-8 are the beginning of a character.
fn is_cut_off(invalid: &[u8]) -> bool {
    std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none())
}

const UTF_8_BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Text of a PtypString value. An odd last byte is dropped, a lone surrogate becomes U+FFFD.
pub fn decode_utf16le(bytes: &[u8]) -> String {
    let (units, _) = bytes.as_chunks();
    // Most strings are short and ASCII, for which setting up a decoder would be most of the work.
    if units.iter().all(|[low, high]| low.is_ascii() && *high == 0) {
        return units.iter().map(|[low, _]| char::from(*low)).collect();
    }
    decode_utf16_units(UTF_16LE, bytes).into_owned()
}

fn decode_utf16_units<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Cow<'a, str> {
    let whole_units = bytes.len() & !1;
    let bytes = bytes.get(..whole_units).unwrap_or_default();
    encoding.decode_without_bom_handling(bytes).0
}

/// The code page that a charset label of MIME or HTML names, e.g. `iso-8859-1` or `GB2312`; `None` for labels that
/// nobody knows.
pub fn from_charset_label(label: &str) -> Option<u32> {
    let label = label
        .trim_matches(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'')
        .to_ascii_lowercase();
    // Labels that the web has no decoder for, and those that it maps to a wider page.
    let own = match label.as_str() {
        "us-ascii" | "ascii" | "ansi_x3.4-1968" | "iso646-us" => US_ASCII,
        "utf-7" | "utf7" | "unicode-1-1-utf-7" | "csunicode11utf7" => UTF_7,
        "hz-gb-2312" | "hz" => HZ,
        "iso-2022-kr" | "csiso2022kr" => 50225,
        "iso-2022-cn" | "iso-2022-cn-ext" => 50227,
        "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-3" | "iso-2022-jp-ms" => 50221,
        "utf-16" | "utf-16le" | "unicode" | "ucs-2" => UTF_16_LITTLE,
        "utf-16be" | "unicodefffe" => UTF_16_BIG,
        "euc-jp" | "x-euc-jp" | "x-euc" => 51932,
        _ => return from_web_label(&label).or_else(|| from_numbered_label(&label)),
    };
    Some(own)
}

fn from_web_label(label: &str) -> Option<u32> {
    let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
    codepage::from_encoding(encoding).map(u32::from)
}

/// Labels that carry the number of their page: `cp850`, `ibm437`, `windows-31` and the like.
fn from_numbered_label(label: &str) -> Option<u32> {
    let prefixes = ["windows-", "cp-", "cp", "ibm-", "ibm", "dos-", "x-cp", "ms"];
    let digits = prefixes
        .iter()
        .find_map(|prefix| label.strip_prefix(prefix))?;
    let number = digits.parse().ok()?;
    Table::of(number).map(|_| number)
}

#[cfg(test)]
mod tests;
