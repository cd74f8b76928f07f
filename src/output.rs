//! Text from files, and names of files, on their way onto a terminal, into JSON, CSV and the like: characters that end lines, steer
//! terminals or turn the direction of writing do not get there raw.
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::Serialize;

/// Whether `character` acts on what shows it: C0 and C1 controls, the separators of lines and paragraphs, and what embeds,
/// overrides or isolates a direction of writing.
pub fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// `text` as a terminal may see it: such characters are U+FFFD.
pub fn printable(text: &str) -> String {
    text.replace(is_active, "\u{FFFD}")
}

/// `text` for a cell of a table: such characters are U+FFFD, line ends and tabs blanks.
pub fn cell(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return text.into();
    }
    let shown = |character: char| match character {
        '\t' | '\r' | '\n' => ' ',
        _ if is_active(character) => char::REPLACEMENT_CHARACTER,
        _ => character,
    };
    text.chars().map(shown).collect::<String>().into()
}

/// A path as a message names it: as it is, or where that is no text, or would act on a terminal, as [`quoted`] has it.
pub fn shown(path: &Path) -> Cow<'_, str> {
    match path.to_str() {
        Some(text) if !text.contains(is_active) => text.into(),
        _ => quoted(path).into(),
    }
}

/// A path as a word of a shell command that the user can copy, exact to the byte: where a byte is no text, or would act on a
/// terminal, in the quotes that have octal escapes. POSIX.1-2024 XCU 2.2.4
pub fn quoted(path: &Path) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    let bytes = path.as_os_str().as_bytes();
    let lead = if bytes.starts_with(b"-") { "./" } else { "" };
    match path.to_str() {
        Some(text) if !text.is_empty() && lead.is_empty() && text.chars().all(is_plain) => {
            text.to_owned()
        }
        Some(text) if !text.contains(is_active) => {
            format!("'{lead}{}'", text.replace('\'', r"'\''"))
        }
        _ => {
            let mut word = format!("$'{lead}");
            for chunk in bytes.utf8_chunks() {
                for c in chunk.valid().chars() {
                    match c {
                        '\'' | '\\' => word.extend(['\\', c]),
                        _ if is_active(c) => {
                            escape(&mut word, c.encode_utf8(&mut [0; 4]).as_bytes())
                        }
                        _ => word.push(c),
                    }
                }
                escape(&mut word, chunk.invalid());
            }
            word.push('\'');
            word
        }
    }
}

/// Adds `bytes` to `word` as octal escapes.
fn escape(word: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string does not fail.
        write!(word, "\\{byte:03o}").ok();
    }
}

/// What formulas begin with (OWASP, CSV Injection).
#[cfg(feature = "cli")]
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// As [`cell`], for spreadsheets: an apostrophe stands before what they would take for a formula, and run.
#[cfg(feature = "cli")]
pub fn safe_cell(text: &str) -> Cow<'_, str> {
    let shown = cell(text);
    match shown.starts_with(FORMULA) {
        true => format!("'{shown}").into(),
        false => shown,
    }
}

/// A line of a table: fields as RFC 4180 has them, but with LF.
pub fn csv_line<const N: usize>(fields: [&str; N]) -> String {
    line_of(fields.map(cell))
}

/// The same, of [`safe_cell`]s.
#[cfg(feature = "cli")]
pub fn safe_csv_line<const N: usize>(fields: [&str; N]) -> String {
    line_of(fields.map(safe_cell))
}

fn line_of<const N: usize>(cells: [Cow<'_, str>; N]) -> String {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    // Writing to memory does not fail.
    let written = writer
        .write_record(cells.iter().map(|cell| cell.as_bytes()))
        .ok()
        .and_then(|()| writer.into_inner().ok());
    String::from_utf8(written.unwrap_or_default()).unwrap_or_default()
}

/// `value` as JSON on one line, such characters escaped.
#[cfg(feature = "cli")]
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string(value).map(escaped)
}

/// `value` as JSON on several lines, such characters escaped.
pub fn pretty_json(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(escaped)
}

/// JSON has such characters within strings alone, but for the line ends between its values.
fn escaped(text: String) -> String {
    let is_raw = |character: char| is_active(character) && character != '\n';
    if !text.contains(is_raw) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 64);
    for character in text.chars() {
        match is_raw(character) {
            true => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            false => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    const HOSTILE: &str = "a\u{2028}b\u{2029}c\u{9b}d\u{202e}e\u{1b}[2J\u{2066}f\u{7f}";

    #[test]
    fn json_tells_all_characters_and_has_none_that_act() {
        for text in [json(&[HOSTILE]), pretty_json(&[HOSTILE])] {
            let text = text.unwrap();
            assert!(!text.contains(|character| is_active(character) && character != '\n'));
            let [back] = serde_json::from_str::<[String; 1]>(&text).unwrap();
            assert_eq!(back, HOSTILE);
        }
    }

    #[test]
    fn a_terminal_gets_none_that_act() {
        assert!(!printable(HOSTILE).contains(is_active));
        assert_eq!(printable("plain \u{e9}"), "plain \u{e9}");
    }

    #[test]
    fn commands_in_messages_can_be_copied() {
        for (path, expected) in [
            (&b"/mnt/mail"[..], "/mnt/mail"),
            (b"/mnt/my mail", "'/mnt/my mail'"),
            (b"/mnt/Jane's", r"'/mnt/Jane'\''s'"),
            (b"/mnt/$(rm x)", "'/mnt/$(rm x)'"),
            (b"-o", "'./-o'"),
            (b"", "''"),
            ("/mnt/Grüße".as_bytes(), "/mnt/Grüße"),
            (b"\xff", r"$'\377'"),
            (b"-\x1b]0;\x07", r"$'./-\033]0;\007'"),
            (b"it's\n\\x\xc3", r"$'it\'s\012\\x\303'"),
            ("a\u{202e}ü".as_bytes(), r"$'a\342\200\256ü'"),
        ] {
            assert_eq!(quoted(Path::new(OsStr::from_bytes(path))), expected);
        }
    }

    #[test]
    fn a_path_is_shown_as_it_is_where_that_does_nothing() {
        for (path, expected) in [("/mnt/my mail", "/mnt/my mail"), ("a\u{1b}b", r"$'a\033b'")] {
            assert_eq!(shown(Path::new(path)), expected);
        }
    }

    #[test]
    fn a_cell_is_one_line_that_does_nothing() {
        assert!(!cell(HOSTILE).contains(is_active));
        assert_eq!(cell("a\tb\nc"), "a b c");
        assert!(matches!(cell("plain \u{e9}"), Cow::Borrowed(_)));
    }
}
