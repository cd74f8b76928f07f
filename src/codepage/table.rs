//! The pages without shift states, by number, and what decodes each.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use encoding_rs::Encoding;
use oem_cp::code_table::DECODING_TABLE_CP_MAP;
use oem_cp::code_table_type::TableType;

use super::unicode::decode_utf8;
use super::{johab, mac};

/// Windows Latin 1, the page of last resort: every byte has a character.
pub const WINDOWS_LATIN1: u32 = 1252;
/// Seven-bit ASCII; in practice the label of writers that never looked at their bytes.
pub const US_ASCII: u32 = 20127;
/// UTF-8.
pub const UTF_8: u32 = 65001;
/// UTF-7 (RFC 2152).
pub(super) const UTF_7: u32 = 65000;
/// UTF-16, little-endian; on 8-bit data it states only that the writer was a Unicode program.
pub(super) const UTF_16_LITTLE: u32 = 1200;
/// UTF-16, big-endian.
pub(super) const UTF_16_BIG: u32 = 1201;
/// Korean in letters.
pub(super) const JOHAB: u32 = 1361;
/// HZ (RFC 1843): GB 2312 in seven bits.
pub(super) const HZ: u32 = 52936;

/// What turns the bytes of a page into characters.
pub(super) enum Table {
    /// The encodings of the web, which cover the Windows and ISO pages.
    Web(&'static Encoding),
    /// DOS pages: 128 characters above ASCII.
    Oem(&'static TableType),
    Johab,
    /// Pages of the Macintosh: 128 characters above ASCII.
    Mac(&'static str),
}

impl Table {
    /// The table of a page without shift states, if there is one.
    pub(super) fn of(code_page: u32) -> Option<Self> {
        if code_page == JOHAB {
            return Some(Self::Johab);
        }
        if let Some(page) = mac::of(code_page) {
            return Some(Self::Mac(page));
        }
        let number = u16::try_from(canonical(code_page)).ok()?;
        codepage::to_encoding_no_replacement(number)
            .map(Self::Web)
            .or_else(|| DECODING_TABLE_CP_MAP.get(&number).map(Self::Oem))
    }

    /// Whether a character may take more than one byte.
    pub(super) fn is_multibyte(&self) -> bool {
        match self {
            Self::Web(encoding) => !encoding.is_single_byte(),
            Self::Oem(_) | Self::Mac(_) => false,
            Self::Johab => true,
        }
    }

    /// The text, and whether all bytes were characters of this page.
    pub(super) fn decode<'a>(&self, bytes: &'a [u8]) -> (Cow<'a, str>, bool) {
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
            Self::Mac(page) => (mac::decode(page, bytes).into(), true),
        }
    }
}

/// The page whose table serves for this one: other numbers of the same encoding, and supersets.
pub(super) fn canonical(code_page: u32) -> u32 {
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
        // EUC-JP has two numbers; the table of `codepage` knows one.
        51932 => 20932,
        21010 => UTF_16_LITTLE,
        other => other,
    }
}

/// Text of bytes in a page without shift states; of bytes in any other page, as UTF-8.
pub(super) fn decode_stateless(page: u32, bytes: &[u8]) -> Cow<'_, str> {
    match Table::of(page) {
        Some(table) => decode_table(&table, bytes),
        None => decode_utf8(bytes),
    }
}

fn decode_table<'a>(table: &Table, bytes: &'a [u8]) -> Cow<'a, str> {
    match table.decode(bytes) {
        (text, true) => text,
        (text, false) => std::str::from_utf8(bytes).map_or(text, Cow::Borrowed),
    }
}
