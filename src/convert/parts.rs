//! What of the text of an item stands where, if several items make one file.
#![forbid(unsafe_code)]

use std::ops::Range;

/// Where in the text of an item its parts are, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// `X-OSTFS-PROBLEM` lines of a calendar.
    pub problems: Range<usize>,
    /// TZID, as it is written, and VTIMEZONE component of each zone of a calendar; one of those with the same TZID is enough for
    /// several items.
    pub zones: Vec<(String, Range<usize>)>,
    /// The item itself.
    pub own: Range<usize>,
}

impl Parts {
    /// Those of a `text` that has no other than the item itself.
    pub(super) fn whole(text: String) -> (String, Self) {
        let own = 0..text.len();
        let parts = Self {
            own,
            ..Self::default()
        };
        (text, parts)
    }
}
