//! Address fields as they came: who is in them, and whether every program can read them. RFC 5322 3.4, 4.4
#![forbid(unsafe_code)]

use std::borrow::Cow;

use super::encoded_word::{Folder, decode};
use crate::convert::options::Headers;
use crate::convert::people::{Mailbox, addr_spec};
use crate::convert::text::{is_atext, quoted_string};

/// An address field as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub mailboxes: Vec<Mailbox>,
    /// It has groups (`name: a@b, c@d;`), whose names the mailboxes do not have.
    pub has_groups: bool,
    /// It keeps to the strict grammar, not only to the obsolete one or to what is merely clear.
    pub is_strict: bool,
}

/// Parses an address list; None unless every mailbox has an address with `@`.
pub(crate) fn parse_list(value: &str) -> Option<Parsed> {
    let mut parser = Parser {
        rest: value,
        element: value,
        parsed: Parsed {
            mailboxes: Vec::new(),
            has_groups: false,
            is_strict: true,
        },
        phrase: String::new(),
        quoted: false,
        has_at: false,
        in_group: false,
        after_group: false,
    };
    parser.run()?;
    Some(parser.parsed)
}

/// Those in a decoded address field, each as `Name <address>`; all of it as one where it is none that can be parted.
pub(in crate::convert) fn mailboxes(value: &str) -> Vec<String> {
    let Some(parsed) = parse_list(value) else {
        return vec![value.trim().to_owned()];
    };
    let shown = |mailbox: Mailbox| match mailbox.name.as_str() {
        "" => mailbox.address,
        name => format!("{name} <{}>", mailbox.address),
    };
    parsed.mailboxes.into_iter().map(shown).collect()
}

struct Parser<'a> {
    rest: &'a str,
    /// From the start of the element that `rest` is in: a mailbox, or the name of a group.
    element: &'a str,
    parsed: Parsed,
    /// What stands before `<`, or the address itself when no `<` follows.
    phrase: String,
    quoted: bool,
    /// Whether the phrase has an `@`, so that nobody has to look for it again and again.
    has_at: bool,
    in_group: bool,
    /// A group has just ended: nothing but a comma or the end may follow.
    after_group: bool,
}

impl<'a> Parser<'a> {
    fn run(&mut self) -> Option<()> {
        while let Some(character) = self.rest.chars().next() {
            let after = self.rest.get(character.len_utf8()..).unwrap_or_default();
            match character {
                '"' => self.quoted_string(after)?,
                '(' => self.rest = comment(after)?,
                '<' => self.angle_address(after)?,
                ',' => self.end_element(after)?,
                ':' if !self.in_group => self.start_group(after)?,
                ';' if self.in_group => {
                    // A group may be empty.
                    if !self.element().trim().is_empty() {
                        self.end_element(after)?;
                    }
                    self.in_group = false;
                    self.after_group = true;
                    self.start_element(after);
                }
                ';' | ':' | '>' | ')' => return None,
                '[' | ']' | '\\' if !self.has_at => return None,
                _ => {
                    let blank = character.is_whitespace();
                    if !(blank && (self.phrase.is_empty() || self.phrase.ends_with(' '))) {
                        self.phrase.push(if blank { ' ' } else { character });
                        self.has_at |= character == '@';
                    }
                    self.rest = after;
                }
            }
        }
        if !(self.after_group && self.element().trim().is_empty()) {
            self.end_element("")?;
        }
        (!self.in_group).then_some(())
    }

    /// The element so far.
    fn element(&self) -> &'a str {
        let len = self.element.len() - self.rest.len();
        self.element.get(..len).unwrap_or_default()
    }

    fn start_element(&mut self, rest: &'a str) {
        self.phrase.clear();
        self.quoted = false;
        self.has_at = false;
        self.rest = rest;
        self.element = rest;
    }

    /// A name, or the local part of an address.
    fn quoted_string(&mut self, after: &'a str) -> Option<()> {
        let (text, after) = enclosed(after)?;
        if after.starts_with('@') {
            self.phrase.push_str(&quoted_string(&text));
        } else {
            self.phrase.push_str(&text);
        }
        self.quoted = true;
        self.has_at |= text.contains('@');
        self.rest = after;
        Some(())
    }

    fn angle_address(&mut self, after: &'a str) -> Option<()> {
        let (address, after) = after.split_once('>')?;
        // A route is obsolete: `<@relay:user@host>`.
        let address = address
            .rsplit_once(':')
            .map_or(address, |(_, address)| address);
        let name = std::mem::take(&mut self.phrase);
        self.has_at = false;
        self.parsed.mailboxes.push(Mailbox {
            name: decode(&name),
            address: addr_spec(address)?,
        });
        self.rest = after;
        // Only a comma, the end of a group or a comment may follow.
        let next = after.trim_start().chars().next();
        matches!(next, None | Some(',' | ';' | '(')).then_some(())
    }

    fn start_group(&mut self, after: &'a str) -> Option<()> {
        if self.phrase.trim().is_empty() || self.phrase.contains('@') || self.after_group {
            return None;
        }
        self.parsed.has_groups = true;
        self.parsed.is_strict &= is_phrase(self.element());
        self.in_group = true;
        self.start_element(after);
        Some(())
    }

    /// At a comma or the end: an address without a name may have been collected.
    fn end_element(&mut self, after: &'a str) -> Option<()> {
        let element = self.element();
        let text = std::mem::take(&mut self.phrase);
        let text = text.trim();
        if self.after_group && !element.trim().is_empty() {
            return None;
        }
        if !text.is_empty() {
            let is_address =
                |byte: u8| is_atext(byte) || byte >= 0x80 || matches!(byte, b'.' | b'@');
            if !self.quoted && !text.bytes().all(is_address) {
                return None;
            }
            self.parsed.mailboxes.push(Mailbox {
                name: String::new(),
                address: addr_spec(text)?,
            });
        }
        self.parsed.is_strict &=
            is_mailbox(element) || (self.after_group && element.trim().is_empty());
        self.after_group = false;
        self.start_element(after);
        Some(())
    }
}

/// Whether `element` is a mailbox in the strict grammar: `name <address>` or an address, and a comment at the end.
fn is_mailbox(element: &str) -> bool {
    let mut element = element.trim();
    if let Some(inner) = element.strip_suffix(')') {
        let Some((before, comment)) = inner.rsplit_once('(') else {
            return false;
        };
        if comment.contains([')', '\\', '"']) {
            return false;
        }
        element = before.trim();
    }
    let (name, address) = match element.strip_suffix('>') {
        Some(inner) => match inner.rsplit_once('<') {
            Some(parts) => parts,
            None => return false,
        },
        None => ("", element),
    };
    let plain = !address.contains('"') && addr_spec(address).as_deref() == Some(address);
    // An encoded word ends with a blank (RFC 2047 5).
    let is_open = name.contains("=?") && !name.ends_with(char::is_whitespace);
    plain && !is_open && (name.trim().is_empty() || is_phrase(name))
}

/// Whether `text` is a phrase in the strict grammar: atoms and quoted strings, parted by blanks.
fn is_phrase(text: &str) -> bool {
    let mut rest = text.trim();
    while !rest.is_empty() {
        let after = match rest.strip_prefix('"') {
            Some(inside) => match enclosed(inside) {
                // Encoded words are not decoded within quotes, though some writers hope so.
                Some((text, after)) if !text.contains("=?") => after,
                _ => return false,
            },
            None => rest.trim_start_matches(|character: char| {
                u8::try_from(character).map_or(true, |byte| is_atext(byte) || byte >= 0x80)
            }),
        };
        let next = after.trim_start();
        let word = rest.get(..rest.len() - after.len()).unwrap_or_default();
        let is_encoded =
            word.starts_with("=?") && word.ends_with("?=") && word.matches('?').count() == 4;
        let is_parted = after.is_empty() || next.len() < after.len();
        if word.is_empty() || !is_parted || (word.contains("=?") && !is_encoded) {
            return false;
        }
        rest = next;
    }
    !text.trim().is_empty()
}

/// The text up to the closing quote, without backslashes, and what follows.
fn enclosed(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => out.push(characters.next()?.1),
            '"' => return Some((out, text.get(at + 1..)?)),
            _ => out.push(character),
        }
    }
    None
}

/// What follows a comment, which may hold others.
fn comment(text: &str) -> Option<&str> {
    let mut depth = 1usize;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next()?;
            }
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(at + 1..);
        }
    }
    None
}

/// Value of the address field `name`.
pub(crate) fn format_list(name: &str, mailboxes: &[Mailbox], style: Headers) -> String {
    let mut folder = Folder::new(name, style);
    for (index, mailbox) in mailboxes.iter().enumerate() {
        if index > 0 {
            folder.suffix(",");
        }
        let mailbox = match style {
            Headers::Utf8 => Cow::Borrowed(mailbox),
            _ => mailbox.in_ascii(),
        };
        if mailbox.name.is_empty() {
            folder.word(&mailbox.address);
        } else {
            folder.phrase(&mailbox.name);
            folder.angle_address(&mailbox.address);
        }
    }
    folder.out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_atoms_quoted_strings_and_encoded_words_of_their_own() {
        for phrase in [
            "Joe Doe",
            "\"Doe, Joe\" Jr",
            "\"a \\\" b\"",
            "=?utf-8?Q?J=C3=B6rg?= x",
        ] {
            assert!(is_phrase(phrase), "{phrase}");
        }
        // RFC 2047 5: no encoded word is within a quoted string, or beside another character.
        for other in [
            "",
            "Doe, Joe",
            "\"open",
            "\"=?utf-8?Q?J=C3=B6rg?=\"",
            "x=?utf-8?Q?J=C3=B6rg?=",
            "\"a\"b",
        ] {
            assert!(!is_phrase(other), "{other}");
        }
    }

    #[test]
    fn hostile_lists_take_linear_time() {
        let begin = std::time::Instant::now();
        let many = |piece: &str| piece.repeat(1 << 20);
        for list in [
            format!("{} <a@b>", many("a ")),
            format!("{} <a@b>", many("\"a\" ")),
            format!("{}@{}", many("a"), many("[")),
            many("(a)"),
            many("a@b,"),
            many("(\\"),
            format!("a:{}", many("b@c;")),
        ] {
            parse_list(&list);
        }
        assert!(begin.elapsed().as_secs() < 30);
    }

    #[test]
    fn lists_are_parsed_as_the_grammar_has_them() {
        let of = |value: &str| {
            parse_list(value).map(|parsed| {
                let pairs = parsed
                    .mailboxes
                    .into_iter()
                    .map(|mailbox| (mailbox.name, mailbox.address));
                (pairs.collect::<Vec<_>>(), parsed.is_strict)
            })
        };
        let pair = |name: &str, address: &str| (name.to_owned(), address.to_owned());
        assert_eq!(of("a@b.org"), Some((vec![pair("", "a@b.org")], true)));
        assert_eq!(
            of("\"Doe, J\" <a@b>,\n =?utf-8?Q?=C3=A9?= x <c@d> (c)"),
            Some((vec![pair("Doe, J", "a@b"), pair("\u{e9} x", "c@d")], true))
        );
        assert_eq!(
            of("John Q. Public <a@b>"),
            Some((vec![pair("John Q. Public", "a@b")], false))
        );
        assert_eq!(of("undisclosed-recipients:;"), Some((vec![], true)));
        assert_eq!(
            of("team: a@b, C <c@d>;, e@f").map(|(list, _)| list.len()),
            Some(3)
        );
        assert_eq!(
            of("<@relay:a@b>").map(|(list, _)| list),
            Some(vec![pair("", "a@b")])
        );
        assert_eq!(
            of("\"a b\"@c.d").map(|(list, _)| list),
            Some(vec![pair("", "\"a b\"@c.d")])
        );
        for wrong in [
            "Administrator",
            "a@b c@d",
            "\"open <a@b>",
            "a@b>",
            "x <a>",
            "<a@b> y",
            "team: a@b",
            "a@b; c@d",
            "Smith, John <a@b>",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    fn format(name: &str, address: Option<&str>, kind: &str) -> String {
        let mailbox = Mailbox::new(name, address, kind);
        format_list("To", &[mailbox], Headers::Encoded)
    }

    #[test]
    fn names_are_plain_quoted_or_encoded() {
        let of = |name: &str| format(name, Some("a@b.org"), "SMTP");
        assert_eq!(of("Jane Doe"), "Jane Doe <a@b.org>");
        assert_eq!(
            of("Doe, Jane \"JD\" \\"),
            "\"Doe, Jane \\\"JD\\\" \\\\\" <a@b.org>"
        );
        assert_eq!(of("J\u{f6}rg"), "=?utf-8?Q?J=C3=B6rg?= <a@b.org>");
        assert_eq!(of("'A@b.org'"), "a@b.org");
        assert_eq!(of("'x@y.org'"), "\"x@y.org\" <a@b.org>");
        assert_eq!(of("x\r\nBcc: y@z"), "\"x  Bcc: y@z\" <a@b.org>");
    }

    #[test]
    fn an_international_address_is_punycode_or_stands_behind_the_name() {
        let address = "bob@m\u{fc}ller.example";
        let raw = [Mailbox::new("Bob", Some(address), "SMTP")];
        assert_eq!(
            format("Bob", Some(address), "SMTP"),
            "Bob <bob@xn--mller-kva.example>"
        );
        let expected = "Bob <bob@m\u{fc}ller.example>";
        assert_eq!(format_list("To", &raw, Headers::Utf8), expected);
        let local = format("", Some("j\u{f6}rg@m\u{fc}ller.example"), "SMTP");
        let [mailbox] = &parse_list(&local).unwrap().mailboxes[..] else {
            panic!("{local}");
        };
        assert_eq!(mailbox.address, "unknown@ostfs.invalid");
        assert_eq!(mailbox.name, "j\u{f6}rg@xn--mller-kva.example");
    }

    #[test]
    fn every_mailbox_has_an_address_that_parses() {
        let dn = "/o=ExchangeLabs/ou=Exchange Group (X)/cn=Recipients/cn=a.b";
        let expected = "Me <IMCEAEX-_o=ExchangeLabs_ou=Exchange+20Group+20+28X+29_cn=Recipients_cn=a.b@ostfs.invalid>";
        assert_eq!(format("Me", Some(dn), "EX").replace("\n", ""), expected);
        assert_eq!(format("Me", None, ""), "Me <unknown@ostfs.invalid>");
        assert_eq!(
            format("", Some("+49 30 1"), "FAX"),
            "IMCEAFAX-+2B49+2030+201@ostfs.invalid"
        );
        for address in [
            "a b@c",
            "a@@b",
            "a,b@c.d",
            "\r\nx@y",
            "<>",
            "a@b>,<c@d",
            ".a@b",
            "a..b@c",
            "@",
            "a@",
            "@b",
            "a@b c",
            "\"@x",
        ] {
            let text = format("N", Some(address), "SMTP");
            let parsed = parse_list(&text);
            assert_eq!(
                parsed.map(|parsed| parsed.mailboxes.len()),
                Some(1),
                "{address:?} {text}"
            );
        }
    }
}
