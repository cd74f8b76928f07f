//! How people have reacted to a message: the smileys below it.
//!
//! Nobody has published the format; it is that of the readers of others. A `v`, a version, how often there is which reaction
//! (`SMILEY=` and 16 bits each) up to a NUL; then each reaction: a byte of flags, 32 bits of minutes since 1601, and smiley,
//! name and address with commas behind, up to a NUL.
#![forbid(unsafe_code)]

use super::cursor::Cursor;
use super::shown;
use super::text::clean;
use crate::clock;
use crate::codepage;
use crate::ltp::FileTime;
use crate::messaging::{Message, PropertySet};

const SUMMARY: &str = "ReactionsSummary";
/// What one who reads the mailbox has of others: their number.
const COUNT: &str = "ReactionsCount";
/// The reaction of the owner of the mailbox.
const OWN: &str = "OwnerReactionType";
const TICKS_PER_MINUTE: u64 = 600_000_000;
/// Reactions of one message that are told.
const MAX_REACTIONS: usize = 1000;

/// The reactions to `message`, each with who had it when, as far as it tells.
pub(crate) fn reactions(message: &Message) -> Vec<String> {
    let properties = message.properties();
    let id = |name: &str| message.named_string(PropertySet::MESSAGING, name);
    let summary = id(SUMMARY).and_then(|id| properties.binary(id).ok().flatten());
    let told = summary.map(|summary| parse(&summary)).unwrap_or_default();
    if !told.is_empty() {
        return told;
    }
    let own = id(OWN).and_then(|id| shown::property(properties, id));
    let count = id(COUNT).and_then(|id| properties.integer(id).ok().flatten());
    match (own, count.filter(|count| *count > 0)) {
        (Some(own), _) => vec![clean(&own).into_owned()],
        (None, Some(count)) => vec![format!("{count} in all")],
        (None, None) => Vec::new(),
    }
}

fn parse(summary: &[u8]) -> Vec<String> {
    let mut cursor = Cursor::new(summary);
    let mut found = Vec::new();
    if skip_counts(&mut cursor).is_none() {
        return found;
    }
    while found.len() < MAX_REACTIONS
        && let Some(reaction) = reaction(&mut cursor)
    {
        found.push(reaction);
    }
    found
}

/// Goes to the first reaction; None where that is not how such a value begins.
fn skip_counts(cursor: &mut Cursor<'_>) -> Option<()> {
    let (mark, _version) = (byte(cursor)?, byte(cursor)?);
    if mark != b'v' {
        return None;
    }
    loop {
        match byte(cursor)? {
            0 => return Some(()),
            b'=' => _ = cursor.u16()?,
            _ => {}
        }
    }
}

/// The next reaction; None at the end, and where there is none.
fn reaction(cursor: &mut Cursor<'_>) -> Option<String> {
    let (_flags, minutes) = (byte(cursor)?, cursor.u32()?);
    let end = cursor.rest().iter().position(|byte| *byte == 0);
    let bytes = cursor.take(end.unwrap_or(cursor.left()))?;
    _ = byte(cursor);
    let text = codepage::decode(codepage::UTF_8, bytes);
    let (smiley, person) = text.split_once(',')?;
    // There may be a comma in a name.
    let person = person.trim_end_matches(',');
    let mut told = clean(smiley).into_owned();
    told.push_str(&match person.rsplit_once(',') {
        Some((name, address)) => format!(" {} <{}>", clean(name), clean(address)),
        None => format!(" {}", clean(person)),
    });
    let time = FileTime(u64::from(minutes) * TICKS_PER_MINUTE).known();
    if let Some(time) = time.and_then(|time| clock::utc(time.unix_seconds())) {
        told.push_str(&format!(" {time}Z"));
    }
    Some(told)
}

fn byte(cursor: &mut Cursor<'_>) -> Option<u8> {
    cursor.take(1)?.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One reaction, as `person` and at 2024-05-01 09:32.
    fn one(person: &str) -> Vec<u8> {
        // Python: (datetime(2024, 5, 1, 9, 32) - datetime(1601, 1, 1)).total_seconds() // 60
        let mut bytes = vec![0];
        bytes.extend(222_650_492_u32.to_le_bytes());
        bytes.extend(person.as_bytes());
        bytes.push(0);
        bytes
    }

    #[test]
    fn who_reacted_is_told_and_what_makes_no_sense_is_not() {
        let start = [&b"v\x01"[..], "\u{1F44D}=".as_bytes(), &[0, 1, 0]].concat();
        let people = [
            one("\u{1F44D},Alder, Ann,ann@x.example,"),
            one("\u{2764},Bob,,"),
        ];
        let summary = [start.clone(), people.concat()].concat();
        assert_eq!(
            parse(&summary),
            [
                "\u{1F44D} Alder, Ann <ann@x.example> 2024-05-01T09:32:00Z",
                "\u{2764} Bob 2024-05-01T09:32:00Z"
            ]
        );
        assert_eq!(parse(&start), [""; 0]);
        for bytes in [&b""[..], b"v", b"[]", b"v\x01no end", b"v\x01\0\0\0"] {
            assert_eq!(parse(bytes), [""; 0]);
        }
    }
}
