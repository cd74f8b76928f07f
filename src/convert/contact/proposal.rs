//! Those whom Outlook proposes while an address is typed, as cards. RFC 2426, RFC 6350
#![forbid(unsafe_code)]

use super::vcard::Card;
use crate::convert::options::VcardVersion;
use crate::convert::people::{Entry, Mailbox, Resolved};

/// Type of an "address" that names a distribution list of the mailbox: it has none.
const PERSONAL_LIST: &str = "MAPIPDL";

/// The card of `entry`. `resolve` finds the SMTP address of one with an Exchange name alone, which is in lower case.
pub(in crate::convert) fn proposal(
    entry: &Entry,
    version: VcardVersion,
    resolve: &dyn Fn(&str) -> Resolved,
) -> String {
    let mut card = Card::new(version);
    let mut problems = Vec::new();
    let person = entry.person();
    let mailbox = person.mailbox(|| {
        let resolved = resolve(&person.distinguished_name()?);
        if resolved.is_in_doubt {
            problems.push(Resolved::DOUBT.to_owned());
        }
        resolved.smtp
    });
    let address = mailbox.as_ref().filter(|mailbox| mailbox.is_real());
    let address = address.map(|mailbox| mailbox.address.as_str());
    let name = full_name(entry, mailbox.as_ref());
    card.lines.text("FN", &name);
    card.structured("N", &[Some(name.clone()), None, None, None, None]);
    if let Some(typed) = entry.nickname.as_deref()
        && typed != name
        && address.is_none_or(|address| !address.eq_ignore_ascii_case(typed))
    {
        card.lines.text("NICKNAME", typed);
    }
    if let Some(address) = address {
        let types: &[&str] = match version {
            VcardVersion::V3 => &["INTERNET"],
            VcardVersion::V4 => &[],
        };
        let field = card.typed("EMAIL", types, true);
        card.lines.text(&field, address);
    }
    match entry.address() {
        (kind, Some(stored)) if address.is_none_or(|known| !known.eq_ignore_ascii_case(stored)) => {
            card.other_address(kind, stored);
        }
        (kind, None) if kind.eq_ignore_ascii_case(PERSONAL_LIST) => card.group(),
        _ => {}
    }
    let identity = address.unwrap_or(&name).to_lowercase();
    card.lines
        .text("UID", &format!("ostfs-autocomplete-{identity}"));
    card.finish(&problems)
}

/// The name without the address that Outlook puts behind it, else what is shown or was typed.
fn full_name(entry: &Entry, mailbox: Option<&Mailbox>) -> String {
    let own = mailbox.map(|mailbox| {
        let behind = format!("({})", mailbox.address);
        let name = mailbox.name.as_str();
        name.strip_suffix(&behind).unwrap_or(name).trim()
    });
    let real = mailbox.filter(|mailbox| mailbox.is_real());
    own.filter(|name| !name.is_empty())
        .or(real.map(|mailbox| mailbox.address.as_str()))
        .or(entry.shown.as_deref())
        .or(entry.nickname.as_deref())
        .unwrap_or("(no name)")
        .to_owned()
}
