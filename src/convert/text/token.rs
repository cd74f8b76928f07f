//! Which characters words of header fields may have, and how to quote others. RFC 5322 3.2, RFC 2045 5.1
#![forbid(unsafe_code)]

/// Characters of an atom. RFC 5322 3.2.3
pub(crate) fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// `text` in quotes. RFC 5322 3.2.4
pub(crate) fn quoted_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}

/// Characters of a MIME token. RFC 2045 5.1
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}
