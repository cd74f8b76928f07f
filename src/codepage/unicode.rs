//! UTF-8 and UTF-16 as real writers leave them: with byte order marks, half characters, or bytes of Windows-1252.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How many bytes show whether text is UTF-16.
const UTF_16_SAMPLE: usize = 512;
pub(super) const UTF_8_BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// UTF-8, in which bytes that are not UTF-8 are taken for Windows-1252; a character cut off at the end is U+FFFD.
pub(super) fn decode_utf8(bytes: &[u8]) -> Cow<'_, str> {
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
pub(super) fn is_cut_off(invalid: &[u8]) -> bool {
    std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none())
}

/// Text of a PtypString value. An odd last byte is dropped, a lone surrogate becomes U+FFFD.
pub fn decode_utf16le(bytes: &[u8]) -> String {
    let (units, _) = bytes.as_chunks();
    // Most strings are short and ASCII, for which setting up a decoder would be most of the work.
    if units.iter().all(|[low, high]| low.is_ascii() && *high == 0) {
        let ascii = units.iter().map(|[low, _]| *low).collect();
        return String::from_utf8(ascii).unwrap_or_default();
    }
    decode_utf16_units(UTF_16LE, bytes).into_owned()
}

pub(super) fn decode_utf16_units<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Cow<'a, str> {
    let whole_units = bytes.len() & !1;
    let bytes = bytes.get(..whole_units).unwrap_or_default();
    encoding.decode_without_bom_handling(bytes).0
}

/// Text of bytes that begin with a byte order mark, or have the zero bytes of UTF-16 in every other place.
pub(super) fn decode_marked(bytes: &[u8]) -> Option<Cow<'_, str>> {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => return Some(decode_utf16_units(UTF_16LE, rest)),
        [0xFE, 0xFF, rest @ ..] => return Some(decode_utf16_units(UTF_16BE, rest)),
        _ if bytes.starts_with(&UTF_8_BOM) => return Some(decode_utf8(bytes)),
        _ => {}
    }
    let (pairs, _) = bytes.as_chunks::<2>();
    let sample = pairs.iter().take(UTF_16_SAMPLE / 2);
    let mut seen = 0;
    let mut zero_high = [0, 0];
    for pair in sample {
        seen += 1;
        match pair {
            [0, 0] => {}
            [_, 0] => zero_high[0] += 1,
            [0, _] => zero_high[1] += 1,
            _ => {}
        }
    }
    // Markup is ASCII for the most part, whatever the language of the text.
    match zero_high {
        [little, 0] if little * 4 > seen * 3 => Some(decode_utf16_units(UTF_16LE, bytes)),
        [0, big] if big * 4 > seen * 3 => Some(decode_utf16_units(UTF_16BE, bytes)),
        _ => None,
    }
}
