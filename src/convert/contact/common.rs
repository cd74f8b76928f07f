//! What contacts and distribution lists have in common.
#![forbid(unsafe_code)]

use super::vcard::Card;
use crate::clock;
use crate::convert::lids;
use crate::convert::options::VcardVersion;
use crate::convert::reader::Reader;

/// Note, categories, sensitivity, modification time, identity. `extra` are lines for the note.
pub(super) fn write(reader: &Reader<'_>, card: &mut Card, extra: Vec<String>) {
    let (text, _html) = reader.body();
    let note: Vec<String> = text.into_iter().chain(extra).collect();
    let lines = &mut card.lines;
    if !note.is_empty() {
        lines.text("NOTE", &note.join("\n"));
    }
    lines.list("CATEGORIES", &reader.strings(lids::KEYWORDS));
    if let Some(class) = reader.class() {
        // 4.0 has dropped CLASS.
        let name = match card.version {
            VcardVersion::V3 => "CLASS",
            VcardVersion::V4 => "X-CLASS",
        };
        lines.line(name, class);
    }
    for contact in reader.strings(lids::CONTACTS) {
        lines.text("X-OSTFS-CONTACT", &contact);
    }
    lines.optional("X-OSTFS-BILLING", reader.string(lids::BILLING));
    lines.optional("X-OSTFS-MILEAGE", reader.string(lids::MILEAGE));
    let modified = reader
        .modified()
        .and_then(|time| clock::utc(time.unix_seconds()));
    if let Some(modified) = modified {
        let format = match card.version {
            VcardVersion::V3 => "%Y-%m-%dT%H:%M:%SZ",
            VcardVersion::V4 => "%Y%m%dT%H%M%SZ",
        };
        lines.line("REV", &modified.strftime(format).to_string());
    }
    lines.text("UID", &reader.uid());
}
