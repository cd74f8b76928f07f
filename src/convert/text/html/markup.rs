//! Cuts HTML into text and tags, by the rules that browsers follow for broken markup too (HTML Standard, 13.2.5).
#![forbid(unsafe_code)]

use memchr::memchr;

use super::entity;

/// A piece of HTML that a reader sees or that shapes it.
#[derive(Debug, PartialEq)]
pub(super) enum Piece<'a> {
    /// Text, its character references not yet decoded.
    Text(&'a str),
    /// A start tag.
    Start {
        /// As written.
        name: &'a str,
        /// What stands between the name and the `>`, for [`attribute`].
        attributes: &'a str,
    },
    /// An end tag.
    End {
        /// As written.
        name: &'a str,
    },
}

/// The pieces of an HTML text, without comments, declarations and the content of scripts and styles.
pub(super) struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { rest: html }
    }

    /// Takes so many bytes; all that is left where that is no boundary of characters.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Takes all up to a mark and the mark itself; everything if there is none.
    fn skip_past(&mut self, mark: &str) {
        self.rest = self.rest.split_once(mark).map_or("", |(_, rest)| rest);
    }

    /// Skips a comment or declaration; the input begins with `<!`.
    fn skip_declaration(&mut self) {
        match self.rest.strip_prefix("<!--") {
            Some(comment) => {
                self.rest = comment;
                // "<!-->" and "<!--->" are whole comments.
                if let Some(rest) = comment.strip_prefix('>').or(comment.strip_prefix("->")) {
                    self.rest = rest;
                } else {
                    self.skip_past("-->");
                }
            }
            None => self.skip_past(">"),
        }
    }

    /// A start or end tag; the input begins with `<` or `</` and a letter.
    fn tag(&mut self) -> Option<Piece<'a>> {
        let is_end = self.rest.starts_with("</");
        let inner = self.rest.get(1 + usize::from(is_end)..)?;
        let name_end = inner
            .bytes()
            .position(|byte| byte.is_ascii_whitespace() || byte == b'/' || byte == b'>');
        let (name, attributes) = inner.split_at(name_end.unwrap_or(inner.len()));
        let Some(end) = tag_end(attributes) else {
            // A tag cut off at the end of the text.
            self.rest = "";
            return None;
        };
        let (attributes, rest) = attributes.split_at_checked(end)?;
        let whole = self.rest;
        self.rest = rest.strip_prefix('>').unwrap_or(rest);
        if name.contains('@') {
            // An address in angle brackets that nobody escaped.
            return whole.get(..whole.len() - self.rest.len()).map(Piece::Text);
        }
        if is_end {
            return Some(Piece::End { name });
        }
        self.skip_raw_text(name);
        Some(Piece::Start { name, attributes })
    }

    /// Skips the content of elements that hold no text for readers.
    fn skip_raw_text(&mut self, name: &str) {
        let raw = ["script", "style", "title"];
        if raw.iter().any(|raw| name.eq_ignore_ascii_case(raw)) {
            self.rest = end_tag(self.rest, name).unwrap_or_default();
        }
    }
}

/// What begins with the end tag of an element.
fn end_tag<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let mut ends = html.match_indices("</");
    ends.find_map(|(at, _)| {
        let found = html.get(at + 2..at + 2 + name.len())?;
        found.eq_ignore_ascii_case(name).then(|| html.get(at..))?
    })
}

/// Where the `>` of a tag stands that is in no quoted value.
fn tag_end(attributes: &str) -> Option<usize> {
    let bytes = attributes.as_bytes();
    let mut at = 0;
    let mut after_equals = false;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'>' => return Some(at),
            b'"' | b'\'' if after_equals => {
                let value = bytes.get(at + 1..)?;
                at += 1 + value.iter().position(|&b| b == byte)?;
            }
            _ => {}
        }
        after_equals = byte == b'=' || after_equals && byte.is_ascii_whitespace();
        at += 1;
    }
    None
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        loop {
            match self.rest.as_bytes() {
                [] => return None,
                [b'<', b'!', ..] => self.skip_declaration(),
                [b'<', b'?', ..] => self.skip_past(">"),
                [b'<', b'/', letter, ..] | [b'<', letter, ..] if letter.is_ascii_alphabetic() => {
                    return self.tag();
                }
                [b'<', b'/', ..] => self.skip_past(">"),
                [_, after @ ..] => {
                    let length = memchr(b'<', after);
                    let length = length.map_or(self.rest.len(), |length| length + 1);
                    return Some(Piece::Text(self.take(length)));
                }
            }
        }
    }
}

/// The value of an attribute of a start tag, its character references decoded.
pub(super) fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let is_blank = |c: char| c.is_ascii_whitespace() || c == '/';
    let mut rest = attributes.trim_start_matches(is_blank);
    while !rest.is_empty() {
        // An equals sign may begin a name, never end it.
        let name_end = rest
            .char_indices()
            .skip(1)
            .find(|&(_, c)| is_blank(c) || c == '=')
            .map_or(rest.len(), |(at, _)| at);
        let (name, after) = rest.split_at(name_end);
        let (value, after) = match after.trim_start().strip_prefix('=') {
            Some(after) => attribute_value(after.trim_start()),
            None => ("", after),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(entity::decode(value, true).into_owned());
        }
        rest = after.trim_start_matches(is_blank);
    }
    None
}

/// Splits off the value behind an equals sign.
fn attribute_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    let end = text.find(|c: char| c.is_ascii_whitespace());
    text.split_at(end.unwrap_or(text.len()))
}
