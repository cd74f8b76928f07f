//! Bodies: compressed RTF, HTML hidden in RTF, and plain text out of both.
//!
//! Works on bytes and strings alone and uses only [`crate::codepage`]. Everything here takes hostile input: no
//! recursion, time linear in the input, output bounded by it. [MS-OXRTFCP], [MS-OXRTFEX], [MS-OXBBODY].
#![forbid(unsafe_code)]

pub mod html;
pub mod lzfu;
pub mod rtf;

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
