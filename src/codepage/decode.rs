//! Text of bytes whose code page is named.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use super::stateful;
use super::table::{
    HZ, Table, US_ASCII, UTF_7, UTF_8, UTF_16_BIG, UTF_16_LITTLE, canonical, decode_stateless,
};
use super::unicode::{decode_marked, decode_utf8};

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
pub(super) fn decode_page(code_page: u32, bytes: &[u8]) -> Cow<'_, str> {
    match canonical(code_page) {
        UTF_8 | US_ASCII => decode_utf8(bytes),
        UTF_16_LITTLE | UTF_16_BIG => decode_marked(bytes).unwrap_or_else(|| decode_utf8(bytes)),
        UTF_7 if bytes.is_ascii() => encodify::utf7::MAIL.lenient().decode_lossy(bytes).into(),
        HZ => stateful::decode_hz(bytes).into(),
        page if stateful::is_iso_2022(page) => stateful::decode_iso_2022(page, bytes).into(),
        page => decode_stateless(page, bytes),
    }
}
