//! Mailboxes in header fields: every one has an addr-spec with `@`, so that every program can parse it. RFC 5322 3.4
#![forbid(unsafe_code)]

use super::encoded_word::{Folder, clean, decode, is_atext, quoted_string};
use crate::convert::Headers;

/// Domain of addresses that stand for none: RFC 2606 keeps `.invalid` free of real ones.
const NO_DOMAIN: &str = "ostfs.invalid";
/// Longest address that is shown; what is beyond is no address.
const MAX_ADDRESS: usize = 400;

/// A name, which may be empty, and an address, which always has an `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mailbox {
    pub name: String,
    pub address: String,
}

impl Mailbox {
    /// A mailbox of a name and the best address known for it: an SMTP address, another one that is written in its
    /// IMCEA form, or none.
    pub fn new(name: &str, address: Option<&str>, address_type: &str) -> Self {
        let name = clean(name);
        let address = clean(address.unwrap_or_default());
        let address = match addr_spec(&address) {
            Some(address) => address,
            // What only repeats the name is no address.
            None if address.is_empty() || address.eq_ignore_ascii_case(&name) => {
                format!("unknown@{NO_DOMAIN}")
            }
            None => imcea(address_type, &address),
        };
        Self {
            name: plain_name(&name, &address),
            address,
        }
    }
}

/// Outlook puts a name that is just the address in single quotes; the address says it once.
fn plain_name(name: &str, address: &str) -> String {
    let bare = name
        .strip_prefix('\'')
        .and_then(|name| name.strip_suffix('\''))
        .unwrap_or(name);
    if bare.eq_ignore_ascii_case(address) {
        return String::new();
    }
    if bare.contains('@') { bare } else { name }.to_owned()
}

/// `text` as an addr-spec, its local part quoted if it must be; None when it is none.
pub(crate) fn addr_spec(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('<').trim_end_matches('>');
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let (local, domain) = text.rsplit_once('@')?;
    let is_literal = domain.starts_with('[') && domain.ends_with(']');
    let is_domain = |byte: u8| {
        is_atext(byte) || byte >= 0x80 || byte == b'.' || (is_literal && b"[]:".contains(&byte))
    };
    let dots = |text: &str| text.starts_with('.') || text.ends_with('.') || text.contains("..");
    let domain = domain.trim_end_matches('.');
    if local.is_empty() || domain.is_empty() || text.len() > MAX_ADDRESS {
        return None;
    }
    if !domain.bytes().all(is_domain) || dots(domain) {
        return None;
    }
    let is_local = |byte: u8| is_atext(byte) || byte >= 0x80 || byte == b'.';
    if local.bytes().all(is_local) && !dots(local) {
        return Some(format!("{local}@{domain}"));
    }
    // A local part that is already quoted, or that quotes can hold.
    let inner = local
        .strip_prefix('"')
        .and_then(|local| local.strip_suffix('"'))
        .unwrap_or(local);
    let sound = !inner.contains(['"', '\\', '<', '>', ',', ';', '@', ':']);
    sound.then(|| format!("{}@{domain}", quoted_string(inner)))
}

/// An address of another kind in the form that Exchange gives it, so that it parses and can be searched for.
pub(crate) fn imcea(address_type: &str, address: &str) -> String {
    let kind: String = address_type
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(16)
        .collect();
    let mut local = format!(
        "IMCEA{}-",
        if kind.is_empty() { "UNKNOWN" } else { &kind }.to_ascii_uppercase()
    );
    for byte in address.bytes().take(MAX_ADDRESS) {
        match byte {
            b'/' => local.push('_'),
            b'-' | b'=' => local.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => local.push(char::from(byte)),
            // A dot is fine inside, but not at the end or beside another one.
            b'.' if !local.ends_with(['.', '-']) => local.push('.'),
            _ => local.push_str(&format!("+{byte:02X}")),
        }
    }
    let local = local.trim_end_matches('.');
    format!("{local}@{NO_DOMAIN}")
}

/// Value of the address field `name`.
pub(crate) fn format_list(name: &str, mailboxes: &[Mailbox], style: Headers) -> String {
    let mut folder = Folder::new(name, style);
    for (index, mailbox) in mailboxes.iter().enumerate() {
        if index > 0 {
            folder.suffix(",");
        }
        if mailbox.name.is_empty() {
            folder.word(&mailbox.address);
        } else {
            folder.phrase(&mailbox.name);
            folder.word(&format!("<{}>", mailbox.address));
        }
    }
    folder.out
}

/// An address field as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub mailboxes: Vec<Mailbox>,
    /// It has groups (`name: a@b, c@d;`), whose names the mailboxes do not tell.
    pub has_groups: bool,
    /// It keeps to the strict grammar, not only to the obsolete one.
    pub is_strict: bool,
}

/// Parses an address list; None unless every mailbox has an address with `@`.
pub(crate) fn parse_list(value: &str) -> Option<Parsed> {
    let mut parser = Parser {
        rest: value,
        parsed: Parsed {
            mailboxes: Vec::new(),
            has_groups: false,
            is_strict: true,
        },
        phrase: String::new(),
        quoted: false,
        in_group: false,
    };
    parser.run()?;
    Some(parser.parsed)
}

struct Parser<'a> {
    rest: &'a str,
    parsed: Parsed,
    /// What stands before `<`, or the address itself when no `<` follows.
    phrase: String,
    quoted: bool,
    in_group: bool,
}

impl Parser<'_> {
    fn run(&mut self) -> Option<()> {
        while let Some(character) = self.rest.chars().next() {
            let after = self.rest.get(character.len_utf8()..).unwrap_or_default();
            match character {
                '"' => {
                    let (text, after) = enclosed(after, '"')?;
                    // A quoted string is a name, or the local part of an address.
                    if after.starts_with('@') {
                        self.phrase.push_str(&quoted_string(&text));
                    } else {
                        self.phrase.push_str(&text);
                    }
                    self.quoted = true;
                    self.rest = after;
                }
                '(' => self.rest = comment(after)?,
                '<' => {
                    let (address, after) = after.split_once('>')?;
                    // A route is obsolete: `<@relay:user@host>`.
                    let address = address
                        .rsplit_once(':')
                        .map_or(address, |(_, address)| address);
                    self.push(address)?;
                    self.rest = after;
                    // Only a comma, the end of a group or a comment may follow.
                    let next = self.rest.trim_start().chars().next();
                    if !matches!(next, None | Some(',' | ';' | '(')) {
                        return None;
                    }
                }
                ',' => {
                    self.end_of_address()?;
                    self.rest = after;
                }
                ':' if !self.in_group && !self.phrase.contains('@') => {
                    self.in_group = true;
                    self.parsed.has_groups = true;
                    self.phrase.clear();
                    self.quoted = false;
                    self.rest = after;
                }
                ';' if self.in_group => {
                    self.end_of_address()?;
                    self.in_group = false;
                    self.rest = after;
                }
                ';' | ':' | '>' | ')' => return None,
                '[' | ']' | '\\' if !self.phrase.contains('@') => return None,
                '.' => {
                    self.parsed.is_strict &= !self.phrase.contains(' ');
                    self.phrase.push('.');
                    self.rest = after;
                }
                _ => {
                    let blank = character.is_whitespace();
                    if !(blank && (self.phrase.is_empty() || self.phrase.ends_with(' '))) {
                        self.phrase.push(if blank { ' ' } else { character });
                    }
                    self.rest = after;
                }
            }
        }
        self.end_of_address()?;
        (!self.in_group).then_some(())
    }

    fn push(&mut self, address: &str) -> Option<()> {
        let written = address.trim();
        let address = addr_spec(written)?;
        self.parsed.is_strict &= address == written;
        let name = std::mem::take(&mut self.phrase);
        self.parsed.is_strict &= self.quoted || !name.contains(['.', '@']);
        self.quoted = false;
        self.parsed.mailboxes.push(Mailbox {
            name: decode(&name),
            address,
        });
        Some(())
    }

    /// At a comma or the end: what was collected is an address without a name, or nothing.
    fn end_of_address(&mut self) -> Option<()> {
        let text = std::mem::take(&mut self.phrase);
        let text = text.trim();
        if text.is_empty() {
            return Some(());
        }
        let plain = text
            .bytes()
            .all(|byte| is_atext(byte) || matches!(byte, b'.' | b'@'));
        if !plain && !self.quoted {
            return None;
        }
        self.quoted = true;
        self.push(text)
    }
}

/// The text up to the closing `end`, without backslashes, and what follows.
fn enclosed(text: &str, end: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => out.push(characters.next()?.1),
            _ if character == end => return Some((out, text.get(at + end.len_utf8()..)?)),
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

#[cfg(test)]
mod tests {
    use super::*;

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
            of("\"Doe, J\" <a@b>,\n =?utf-8?Q?=C3=A9?= x (c, (d)) <c@d>"),
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
}
