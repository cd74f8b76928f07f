//! The lines of a text.
#![forbid(unsafe_code)]

use std::borrow::Cow;

use memchr::{memchr2, memchr2_iter, memmem};

/// Text as it goes into a text part: every CRLF and lone CR is LF, NUL is gone. Text that is so already is not copied.
pub fn normalise<'a>(text: impl Into<Cow<'a, str>>) -> String {
    let text = text.into();
    if memchr2(b'\r', 0, text.as_bytes()).is_none() {
        return text.into_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut start = 0;
    for at in memchr2_iter(b'\r', 0, text.as_bytes()) {
        out.push_str(text.get(start..at).unwrap_or_default());
        let end = text.get(at..).unwrap_or_default();
        // The LF of a CRLF is copied with what follows it.
        if end.starts_with('\r') && !end.starts_with("\r\n") {
            out.push('\n');
        }
        start = at + 1;
    }
    out.push_str(text.get(start..).unwrap_or_default());
    out
}

/// As [`str::contains`], at memory speed.
pub fn contains(text: &str, needle: &str) -> bool {
    memmem::find(text.as_bytes(), needle.as_bytes()).is_some()
}

/// `text` on one line: control characters and line separators become blanks, and none are left at the ends.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.trim_matches(' ').into();
    }
    let is_blank =
        |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    if !text.contains(is_blank) {
        return text.trim().into();
    }
    text.replace(is_blank, " ").trim().to_owned().into()
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn text_parts_have_unix_lines_and_no_nul() {
        assert_eq!(normalise("a\r\nb\rc\nd\r\r\n"), "a\nb\nc\nd\n\n");
        assert_eq!(normalise("caf\u{e9}\0\r\0\n"), "caf\u{e9}\n\n");
        assert_eq!(normalise(""), "");
    }
}
