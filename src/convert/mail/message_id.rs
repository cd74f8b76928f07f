//! Message identifiers in header fields. RFC 5322 3.6.4
#![forbid(unsafe_code)]

use std::borrow::Cow;

/// How the ids begin and end that are made up for messages without one. No host has the name. RFC 6761 6.4
const MADE_UP: (&str, &str) = ("<ostfs-", "@localhost.invalid>");
/// Digits between.
const DIGITS: usize = 32;

/// The id of a message without one, which has this fingerprint.
pub(super) fn made_up(fingerprint: u128) -> String {
    let (start, end) = MADE_UP;
    format!("{start}{fingerprint:0DIGITS$x}{end}")
}

/// Whether `id` was made up: here, or by this program for the file that the message was taken from.
pub(in crate::convert) fn is_made_up(id: &str) -> bool {
    let (start, end) = MADE_UP;
    let digits = id.strip_prefix(start).and_then(|id| id.strip_suffix(end));
    digits.is_some_and(|digits| {
        digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// The `<...>` in a value.
pub(in crate::convert) fn message_ids(value: &str) -> impl Iterator<Item = &str> {
    let pieces = value.split('<').scan(0, |next, piece| {
        let start = *next;
        *next += piece.len() + 1;
        Some((start, piece))
    });
    pieces.skip(1).filter_map(|(start, piece)| {
        let (id, _) = piece.split_once('>')?;
        let sound = (1..=900).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        value
            .get(start.checked_sub(1)?..=start + id.len())
            .filter(|_| sound)
    })
}

/// The ids in a property that is to have some: the `<...>`, else the words that would be some between brackets.
pub(super) fn stored_ids(value: &str) -> Vec<Cow<'_, str>> {
    let mut ids: Vec<Cow<'_, str>> = message_ids(value).map(Cow::Borrowed).collect();
    if ids.is_empty() {
        let words = value.split_whitespace();
        let bare = words.filter(|word| word.contains('@') && !word.contains(['<', '>']));
        let bracketed = bare.map(|word| format!("<{word}>"));
        let sound = bracketed.filter(|id| message_ids(id).next().is_some());
        ids.extend(sound.map(Cow::Owned));
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_without_brackets_are_ids_if_there_are_no_others() {
        assert_eq!(stored_ids("a@b  c@d"), ["<a@b>", "<c@d>"]);
        assert_eq!(stored_ids("<a@b> c@d"), ["<a@b>"]);
        assert_eq!(stored_ids("Your message of Monday"), [""; 0]);
    }

    #[test]
    fn an_id_that_was_made_up_is_known_again_and_no_other_is() {
        let id = made_up(0xAB);
        assert_eq!(
            id,
            "<ostfs-000000000000000000000000000000ab@localhost.invalid>"
        );
        assert!(is_made_up(&id));
        for other in ["<ostfs-1@localhost.invalid>", "<a@localhost.invalid>", ""] {
            assert!(!is_made_up(other), "{other}");
        }
    }
}
