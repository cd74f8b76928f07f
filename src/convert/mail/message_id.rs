//! Message identifiers in header fields. RFC 5322 3.6.4
#![forbid(unsafe_code)]

/// The `<...>` in a value.
pub(super) fn message_ids(value: &str) -> impl Iterator<Item = &str> {
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
