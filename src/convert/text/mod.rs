//! Bodies: compressed RTF, HTML hidden in RTF, and plain text out of both.
//!
//! Works on bytes and strings alone and uses only [`crate::codepage`]. Everything here takes hostile input: no
//! recursion, time linear in the input, output bounded by it. [MS-OXRTFCP], [MS-OXRTFEX], [MS-OXBBODY].
#![forbid(unsafe_code)]

pub mod html;
pub mod lzfu;
pub mod rtf;

/// Text as it goes into a text part: every CRLF and lone CR is LF, NUL is gone.
pub fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\r', '\0']) {
        let (line, end) = rest.split_at(at);
        out.push_str(line);
        rest = if let Some(after) = end.strip_prefix("\r\n") {
            out.push('\n');
            after
        } else if let Some(after) = end.strip_prefix('\r') {
            out.push('\n');
            after
        } else {
            end.strip_prefix('\0').unwrap_or_default()
        };
    }
    out.push_str(rest);
    out
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
