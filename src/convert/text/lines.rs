//! The lines of a text.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memmem};

/// Text with the lines of Unix: every CRLF and lone CR is LF. Text that is so already is not copied.
pub fn unix_lines<'a>(text: impl Into<Cow<'a, str>>) -> String {
    let text = text.into();
    if memchr(b'\r', text.as_bytes()).is_none() {
        return text.into_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut start = 0;
    for at in memchr_iter(b'\r', text.as_bytes()) {
        out.push_str(text.get(start..at).unwrap_or_default());
        // The LF of a CRLF is copied with what follows it.
        if text.as_bytes().get(at + 1) != Some(&b'\n') {
            out.push('\n');
        }
        start = at + 1;
    }
    out.push_str(text.get(start..).unwrap_or_default());
    out
}

/// As [`unix_lines`], without NUL, which few programs take for text.
pub fn normalise<'a>(text: impl Into<Cow<'a, str>>) -> String {
    let text = unix_lines(text);
    match memchr(0, text.as_bytes()) {
        Some(_) => text.replace('\0', ""),
        None => text,
    }
}

/// As [`str::contains`], at memory speed.
pub fn contains(text: &str, needle: &str) -> bool {
    memmem::find(text.as_bytes(), needle.as_bytes()).is_some()
}

/// `text` on one line: control characters and line separators become blanks.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.into();
    }
    let is_blank =
        |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    if !text.contains(is_blank) {
        return text.into();
    }
    text.replace(is_blank, " ").into()
}

/// As [`one_line`], without blanks at the ends.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    match one_line(text) {
        Cow::Borrowed(text) => text.trim().into(),
        Cow::Owned(text) => text.trim().to_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{normalise, unix_lines};

    #[test]
    fn text_parts_have_unix_lines_and_no_nul() {
        assert_eq!(normalise("a\r\nb\rc\nd\r\r\n"), "a\nb\nc\nd\n\n");
        assert_eq!(normalise("caf\u{e9}\0\r\0\n"), "caf\u{e9}\n\n");
        assert_eq!(normalise(""), "");
        assert_eq!(unix_lines("a\0\r\0\n"), "a\0\n\0\n");
    }
}
