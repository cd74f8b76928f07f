//! Content lines, the form that iCalendar and vCard share: escaped, folded, ended by CRLF. RFC 5545 3.1, RFC 6350 3.2
#![forbid(unsafe_code)]

use std::borrow::Cow;

use super::text::punycode;
use crate::output::is_active;

/// Octets of a line without its line end.
const WIDTH: usize = 75;

/// Lines on their way into a file.
#[derive(Debug, Default)]
pub(crate) struct ContentLines {
    out: String,
}

impl ContentLines {
    /// The start of a component.
    pub fn begin(&mut self, component: &str) {
        self.line("BEGIN", component);
    }

    /// The end of a component.
    pub fn end(&mut self, component: &str) {
        self.line("END", component);
    }

    /// A line whose value is in its final form. `name` may carry parameters.
    pub fn line(&mut self, name: &str, value: &str) {
        let mut column = 0;
        let characters = name.chars().chain([':']).chain(value.chars());
        // Such a character would end the line, be refused by those who read it, or act on what shows it.
        for character in characters.filter(|character| !is_active(*character) || *character == '\t')
        {
            let width = character.len_utf8();
            if column + width > WIDTH {
                self.out.push_str("\r\n ");
                column = 1;
            }
            self.out.push(character);
            column += width;
        }
        self.out.push_str("\r\n");
    }

    /// A line with text, which is escaped.
    pub fn text(&mut self, name: &str, value: &str) {
        self.line(name, &escape(value));
    }

    /// A line with text, if there is any.
    pub fn optional(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.text(name, &value);
        }
    }

    /// A line with a list of texts, if there are any.
    pub fn list(&mut self, name: &str, values: &[String]) {
        let values: Vec<String> = values.iter().map(|value| escape(value)).collect();
        if !values.is_empty() {
            self.line(name, &values.join(","));
        }
    }

    /// Lines that are finished.
    pub fn append(&mut self, lines: &ContentLines) {
        self.out.push_str(&lines.out);
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    pub fn into_string(self) -> String {
        self.out
    }
}

/// Text as a value: backslashes, separators and line ends escaped. Every kind of line end is one.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut characters = text.trim_end_matches(['\r', '\n']).chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(character);
            }
            '\r' => {
                characters.next_if_eq(&'\n');
                out.push_str("\\n");
            }
            '\n' | '\u{b}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push_str("\\n"),
            _ => out.push(character),
        }
    }
    out
}

/// A parameter, quoted where it must be. There is no way to write a quotation mark that every reader knows.
pub(crate) fn parameter(name: &str, value: &str) -> String {
    let blank = |character: char| match character {
        '"' => '\'',
        _ if is_active(character) => ' ',
        _ => character,
    };
    let value: String = value.chars().map(blank).collect();
    let value = value.trim();
    if value.contains([':', ';', ',']) {
        format!(";{name}=\"{value}\"")
    } else {
        format!(";{name}={value}")
    }
}

/// An address as a URI, its domain in ASCII: few programs decode what URIs have for other letters. RFC 6068
pub(crate) fn mailto(address: &str) -> String {
    let in_ascii = || {
        let (local, domain) = address.rsplit_once('@')?;
        Some(format!("{local}@{}", punycode::domain(domain)?))
    };
    let address: Cow<'_, str> = match address.is_ascii() {
        true => address.into(),
        false => in_ascii().map_or(address.into(), Cow::Owned),
    };
    let mut out = String::from("mailto:");
    for byte in address.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~+=@!$&'*/{}|^`".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Bytes as a value.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    encodify::base64::STANDARD.encode_append(bytes, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_at_most_75_octets_and_no_character_is_split() {
        let mut lines = ContentLines::default();
        lines.text("SUMMARY", &"Größe 会議 ".repeat(40));
        let out = lines.into_string();
        assert!(out.split("\r\n").all(|line| line.len() <= WIDTH));
        assert_eq!(
            out.replace("\r\n ", ""),
            format!("SUMMARY:{}\r\n", "Größe 会議 ".repeat(40))
        );
    }

    #[test]
    fn separators_and_line_ends_are_escaped_and_nothing_can_start_a_line() {
        assert_eq!(
            escape("a,b;c\\d\r\ne\rf\ng\r\n"),
            "a\\,b\\;c\\\\d\\ne\\nf\\ng"
        );
        let mut lines = ContentLines::default();
        lines.line("X-A", "b\r\nEND:VCALENDAR\0");
        assert_eq!(lines.into_string(), "X-A:bEND:VCALENDAR\r\n");
        let mut lines = ContentLines::default();
        lines.text("FN", "a\u{2028}b\u{9b}c\u{202e}d\u{2069}");
        lines.line("URL", "a\u{2029}b");
        assert_eq!(lines.into_string(), "FN:a\\nbcd\r\nURL:ab\r\n");
        assert_eq!(parameter("CN", "Doe, \"J\"\r\n"), ";CN=\"Doe, 'J'\"");
        assert_eq!(mailto("\"a b\"@c.org"), "mailto:%22a%20b%22@c.org");
        assert_eq!(
            mailto("j\u{f6}rg@m\u{fc}ller.example"),
            "mailto:j%C3%B6rg@xn--mller-kva.example"
        );
    }
}
