//! What a value is that has lost the record which names it: by its first bytes.

use super::stream::PropertyStream;

/// `COMPTYPE` of compressed RTF at its offset: compressed, and not. [MS-OXRTFCP] 2.1.3.1
const COMPTYPE: std::ops::Range<usize> = 8..12;
const RTF_TYPES: [&[u8]; 2] = [b"LZFu", b"MELA"];
/// Bytes at the beginning of a value that tell whether it is a text.
const LOOKED_AT: usize = 512;

/// What a value without a name is, as far as its first bytes show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Compressed RTF.
    Rtf,
    /// Markup.
    Html,
    /// UTF-16.
    Text,
    /// Printable ASCII.
    Ascii,
    /// Anything else.
    Other,
    /// It cannot be read.
    Unreadable,
}

impl ValueKind {
    /// The kind of the value `stream`.
    pub fn of(stream: &PropertyStream) -> Self {
        match stream.read_all(LOOKED_AT) {
            Ok(start) if start.missing.is_empty() => kind_of(&start.bytes, stream.len()),
            _ => Self::Unreadable,
        }
    }
}

/// The kind of a value of `len` bytes that begins with `start`.
fn kind_of(start: &[u8], len: u64) -> ValueKind {
    if start
        .get(COMPTYPE)
        .is_some_and(|found| RTF_TYPES.contains(&found))
    {
        return ValueKind::Rtf;
    }
    if let [b'<', b'!' | b'?' | b'a'..=b'z' | b'A'..=b'Z', ..] = start.trim_ascii_start() {
        return ValueKind::Html;
    }
    if start
        .iter()
        .all(|byte| is_written(u16::from(*byte)) && byte.is_ascii())
    {
        return ValueKind::Ascii;
    }
    let units = start.chunks_exact(2).map(|unit| match unit {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    });
    match len.is_multiple_of(2) && units.clone().all(is_written) {
        true => ValueKind::Text,
        false => ValueKind::Other,
    }
}

/// Whether people write the UTF-16 unit `unit`: no control, nothing of the private use area, no byte order the wrong way.
fn is_written(unit: u16) -> bool {
    const TAB: u16 = 0x09;
    const LINE_FEED: u16 = 0x0A;
    const RETURN: u16 = 0x0D;
    match unit {
        TAB | LINE_FEED | RETURN => true,
        0..0x20 | 0x7F..0xA0 | 0xE000..0xF900 | 0xFFF0.. => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn kind(bytes: &[u8]) -> ValueKind {
        kind_of(bytes, bytes.len() as u64)
    }

    #[test]
    fn a_value_is_known_by_its_first_bytes() {
        assert_eq!(kind(b"\x40\0\0\0\x40\0\0\0LZFu\0\0\0\0abc"), ValueKind::Rtf);
        assert_eq!(kind(b"\r\n<html><body>Hello"), ValueKind::Html);
        assert_eq!(kind(b"<!DOCTYPE html>"), ValueKind::Html);
        assert_eq!(kind(b"Hello, world\r\n"), ValueKind::Ascii);
        assert_eq!(kind(&utf16("Hello, world\r\n")), ValueKind::Text);
        assert_eq!(
            kind(&utf16("\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}")),
            ValueKind::Text
        );
        assert_eq!(kind(b"PK\x03\x04\x14\0\x06\0\x08\0"), ValueKind::Other);
        assert_eq!(kind(&[0; 64]), ValueKind::Other);
    }
}
