//! A distribution list as the card of a group. [MS-OXOCNTC] 2.2.2
#![forbid(unsafe_code)]

use super::common;
use super::vcard::Card;
use crate::bytes::{array_at, u8_at};
use crate::convert::content_line::mailto;
use crate::convert::cursor::Cursor;
use crate::convert::lids;
use crate::convert::options::VcardVersion;
use crate::convert::people::{Mailbox, Person};
use crate::convert::reader::Reader;
use crate::ltp::{Guid, tags};
use crate::messaging::{EntryId, Message};

/// Provider of entry ids that wrap those of contacts and of address book entries.
const WRAPPED: Guid = Guid([
    0xC0, 0x91, 0xAD, 0xD3, 0x51, 0x9D, 0xCF, 0x11, 0xA4, 0xA9, 0x00, 0xAA, 0x00, 0x47, 0xFA, 0xA4,
]);
/// Offsets within a wrapped entry id.
const PROVIDER: usize = 4;
const KIND: usize = 20;
const INNER: usize = 21;
/// Kinds of wrapped entry ids, in the low half of the byte; the high half tells which e-mail address of a contact.
const KIND_MASK: u8 = 0x0F;
const KIND_CONTACT: u8 = 3;
const KIND_LIST: u8 = 4;
const EMAIL_SHIFT: u8 = 4;
const EMAIL_MASK: u8 = 0x07;
const EMAIL_FIRST: u8 = 4;
/// Members that are written.
const MAX_MEMBERS: usize = 100_000;

/// The card of a distribution list.
pub(in crate::convert) fn list(reader: &Reader<'_>, version: VcardVersion) -> String {
    let mut card = Card::new(version);
    let name = list_name(reader).unwrap_or_else(|| "(no name)".into());
    card.lines.text("FN", name.trim());
    card.structured("N", &[Some(name), None, None, None, None]);
    card.group();
    let member = match version {
        VcardVersion::V3 => "X-ADDRESSBOOKSERVER-MEMBER",
        VcardVersion::V4 => "MEMBER",
    };
    let mut note = Vec::new();
    for mailbox in members(reader) {
        card.lines.line(member, &mailto(&mailbox.address));
        note.push(if mailbox.name.is_empty() {
            mailbox.address
        } else {
            format!("{} <{}>", mailbox.name, mailbox.address)
        });
    }
    common::write(reader, &mut card, note);
    card.finish(&reader.problems())
}

/// What a distribution list is called; None if nothing tells.
pub(in crate::convert) fn list_name(reader: &Reader<'_>) -> Option<String> {
    reader
        .string(lids::DISTRIBUTION_LIST_NAME)
        .or_else(|| reader.string(tags::DISPLAY_NAME))
        .or_else(|| reader.subject())
}

/// The members: as they were when they were added, else as their contacts are.
fn members(reader: &Reader<'_>) -> Vec<Mailbox> {
    let stored = stream(reader).unwrap_or_else(|| {
        let one_offs = reader.binaries(lids::DISTRIBUTION_LIST_ONE_OFF_MEMBERS);
        let mut one_offs = one_offs.into_iter();
        let entries = reader.binaries(lids::DISTRIBUTION_LIST_MEMBERS);
        let mut stored: Vec<Member> = entries
            .into_iter()
            .map(|entry_id| Member {
                entry_id,
                one_off: one_offs.next().unwrap_or_default(),
            })
            .collect();
        stored.extend(one_offs.map(|one_off| Member {
            entry_id: Vec::new(),
            one_off,
        }));
        stored
    });
    let mut members = Vec::new();
    for (index, member) in stored.iter().take(MAX_MEMBERS).enumerate() {
        let mailbox = match of_entry_id(reader, &member.one_off) {
            Some(mailbox) if mailbox.is_real() => Some(mailbox),
            unresolved => of_entry_id(reader, &member.entry_id).or(unresolved),
        };
        match mailbox {
            Some(mailbox) => members.push(mailbox),
            None => reader.problem(format_args!("member {} cannot be read", index + 1)),
        }
    }
    members
}

/// A member as stored.
struct Member {
    entry_id: Vec<u8>,
    /// Name and address when it was added; may be empty.
    one_off: Vec<u8>,
}

/// PidLidDistributionListStream, which large lists have instead of the two other properties. [MS-OXOCNTC] 2.2.2.2.4
fn stream(reader: &Reader<'_>) -> Option<Vec<Member>> {
    let bytes = reader.binary(lids::DISTRIBUTION_LIST_STREAM)?;
    let mut cursor = Cursor::new(&bytes);
    let (_version, _reserved) = (cursor.u16()?, cursor.u16()?);
    let (_build, _flags) = (cursor.u32()?, cursor.u32()?);
    let count = cursor.u32()?;
    let (_entry_ids, _one_offs, _extra) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
    let mut members = Vec::new();
    for _ in 0..count {
        let mut member = || {
            let (entry_id, one_off) = (cursor.block()?, cursor.block()?);
            let _extra = cursor.block()?;
            Some(Member {
                entry_id: entry_id.to_vec(),
                one_off: one_off.to_vec(),
            })
        };
        let Some(member) = member() else {
            reader.problem(format_args!(
                "the stream of members ends after {} of {count}",
                members.len()
            ));
            break;
        };
        members.push(member);
    }
    Some(members)
}

/// Whom an entry id names.
fn of_entry_id(reader: &Reader<'_>, id: &[u8]) -> Option<Mailbox> {
    if array_at(id, PROVIDER).map(Guid) != Some(WRAPPED) {
        let person = Person::of_entry_id(EntryId::parse(id, reader.code_page())?);
        return reader.mailbox(&person);
    }
    let kind = u8_at(id, KIND)?;
    let inner = EntryId::parse(id.get(INNER..)?, reader.code_page())?;
    let EntryId::Node(nid) = inner else {
        return reader.mailbox(&Person::of_entry_id(inner));
    };
    let contact = Message::open(reader.message()?.store(), nid)
        .inspect_err(|error| reader.problem(format_args!("member {nid}: {error}")))
        .ok()?;
    let contact = reader.other(&contact);
    let name = contact
        .string(tags::DISPLAY_NAME)
        .or_else(|| contact.subject());
    match kind & KIND_MASK {
        KIND_CONTACT => {
            let which = (kind >> EMAIL_SHIFT) & EMAIL_MASK;
            let keys = lids::EMAILS.get(usize::from(which.saturating_sub(EMAIL_FIRST)))?;
            let person = Person::of_parts(
                name,
                contact.string(keys.original_display_name),
                contact.string(keys.address_type),
                contact.string(keys.address),
            );
            reader.mailbox(&person)
        }
        // A list within the list has no address of its own.
        KIND_LIST => reader.mailbox(&Person::of_parts(name, None, None, None)),
        _ => None,
    }
}
