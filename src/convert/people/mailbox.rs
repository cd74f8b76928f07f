//! Mailboxes: a name and an address. Every one has an addr-spec with `@`, so that every program can parse it. RFC 5322 3.4
#![forbid(unsafe_code)]

use std::borrow::Cow;

use crate::convert::text::{clean, is_atext, punycode, quoted_string};

/// Domain of addresses that stand for none: RFC 2606 keeps `.invalid` free of real ones.
const NO_DOMAIN: &str = "ostfs.invalid";
/// PidTagAddressType of Internet mail.
pub(crate) const SMTP: &str = "SMTP";
/// What some writers put in front of an address.
const TYPES: [&str; 2] = ["SMTP:", "mailto:"];
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

/// Whether a field holds nothing but the stand-in for an address.
pub(crate) fn is_stand_in(value: &str) -> bool {
    value.trim() == format!("unknown@{NO_DOMAIN}")
}

impl Mailbox {
    /// A mailbox of a name and what [`addr_spec`] made.
    pub fn of_addr_spec(name: &str, address: String) -> Self {
        let is_usual = |byte: u8| is_atext(byte) || byte == b'.' || byte == b'@';
        if address.bytes().all(is_usual) {
            return Self {
                name: plain_name(&clean(name), &address),
                address,
            };
        }
        Self::new(name, Some(&address), SMTP)
    }

    /// Whether the address is one, rather than a stand-in for none.
    pub fn is_real(&self) -> bool {
        !self.address.ends_with(NO_DOMAIN)
    }

    /// The same mailbox in ASCII: its domain in punycode. A local part has no such form (RFC 6532 3.2): the whole address is
    /// behind the name then, and a stand-in in its place.
    pub fn in_ascii(&self) -> Cow<'_, Self> {
        if self.address.is_ascii() {
            return Cow::Borrowed(self);
        }
        let address = self.address.rsplit_once('@').and_then(|(local, domain)| {
            let domain = punycode::domain(domain)?;
            Some(format!("{local}@{domain}"))
        });
        let address = address.as_deref().unwrap_or(&self.address);
        if address.is_ascii() {
            return Cow::Owned(Self {
                name: self.name.clone(),
                address: address.to_owned(),
            });
        }
        let name = match self.name.as_str() {
            "" => address.to_owned(),
            name => format!("{name} ({address})"),
        };
        Cow::Owned(Self {
            name,
            address: format!("unknown@{NO_DOMAIN}"),
        })
    }
}

/// Outlook puts a name that is just the address in single quotes; the address alone is enough.
fn plain_name(name: &str, address: &str) -> String {
    let bare = name
        .strip_prefix('\'')
        .and_then(|name| name.strip_suffix('\''))
        .unwrap_or(name);
    if bare.eq_ignore_ascii_case(address) {
        return String::new();
    }
    // What stands behind the name once more.
    let own = name.strip_suffix('>').and_then(|rest| {
        let start = rest.len().checked_sub(address.len())?;
        let (own, end) = rest.split_at_checked(start)?;
        own.strip_suffix('<')
            .filter(|_| end.eq_ignore_ascii_case(address))
    });
    match own {
        Some(own) => own.trim().to_owned(),
        None if bare.contains('@') => bare.to_owned(),
        None => name.to_owned(),
    }
}

/// The addr-spec in a stored value: alone, behind its type (`SMTP:`), or in angle brackets behind a name.
pub(crate) fn stored_addr_spec(text: &str) -> Option<String> {
    let text = text.trim();
    let bare = TYPES.iter().find_map(|kind| {
        let (start, rest) = text.split_at_checked(kind.len())?;
        start.eq_ignore_ascii_case(kind).then_some(rest)
    });
    let in_brackets = || {
        let (_name, address) = text.strip_suffix('>')?.rsplit_once('<')?;
        addr_spec(address)
    };
    addr_spec(bare.unwrap_or(text)).or_else(in_brackets)
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
    // Programs decode what looks like an encoded word, even here.
    let looks_encoded = text.contains("=?");
    if looks_encoded || local.is_empty() || domain.is_empty() || text.len() > MAX_ADDRESS {
        return None;
    }
    if !domain.bytes().all(is_domain) || dots(domain) {
        return None;
    }
    let is_local = |byte: u8| is_atext(byte) || byte >= 0x80 || byte == b'.';
    if local.bytes().all(is_local) && !dots(local) {
        return Some([local, "@", domain].concat());
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
fn imcea(address_type: &str, address: &str) -> String {
    let kind: String = address_type
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(16)
        .collect();
    let mut local = format!(
        "IMCEA{}-",
        if kind.is_empty() { "UNKNOWN" } else { &kind }.to_ascii_uppercase()
    );
    for byte in address.bytes() {
        // A byte may take three: with all of them a line of the header would be too long.
        if local.len() > MAX_ADDRESS {
            break;
        }
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
