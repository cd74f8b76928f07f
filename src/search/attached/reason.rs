//! Why an attachment could not be looked into, and how often that was so.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt;

use parking_lot::Mutex;

/// Bytes of text that are taken from a file; one with more is too large.
pub(super) const MAX_TEXT: usize = 16 << 20;
/// Types that are counted one by one; the names come from the file.
const MAX_TYPES: usize = 200;
/// Characters of a type.
const MAX_TYPE: usize = 100;

/// What the types of files begin with that have no words: pictures and the like, and signatures.
const WORDLESS: [&str; 7] = [
    "image/",
    "audio/",
    "video/",
    "font/",
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
    "application/pgp-signature",
];
/// An image that is text.
pub(super) const SVG: &str = "image/svg+xml";

/// Why an attachment was not looked into.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Nobody here knows how to read files of this type.
    Type(String),
    /// It is S/MIME in one piece of a kind that nobody here knows.
    Smime,
    /// There is no word in it without its password.
    Encrypted,
    /// It is larger than is looked into, itself or unpacked.
    Large,
    /// It is not what its type states.
    Malformed,
    /// It is a PDF without text: pages that were scanned.
    Scanned,
    /// Its bytes cannot be had.
    Unreadable,
    /// The message has too many attached messages, or messages within each other.
    Many,
}

impl Reason {
    /// That `media_type` is not known.
    pub(super) fn of_type(media_type: &str) -> Self {
        Self::Type(media_type.chars().take(MAX_TYPE).collect())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(media_type) => f.write_str(media_type),
            Self::Smime => f.write_str("S/MIME in one piece"),
            Self::Encrypted => f.write_str("encrypted"),
            Self::Large => f.write_str("too large"),
            Self::Malformed => f.write_str("not what its type says"),
            Self::Scanned => f.write_str("PDF without text"),
            Self::Unreadable => f.write_str("unreadable"),
            Self::Many => f.write_str("too many attached messages"),
        }
    }
}

/// How many attachments were not looked into, by reason.
#[derive(Debug, Default)]
pub struct Unseen(Mutex<BTreeMap<Reason, u64>>);

impl Unseen {
    /// Counts one.
    pub(in crate::search) fn add(&self, reason: Reason) {
        let mut counts = self.0.lock();
        let is_full = counts.len() >= MAX_TYPES && !counts.contains_key(&reason);
        let reason = match reason {
            Reason::Type(_) if is_full => Reason::Type("other types".to_owned()),
            reason => reason,
        };
        *counts.entry(reason).or_default() += 1;
    }

    /// How many there are.
    pub fn number(&self) -> u64 {
        self.0.lock().values().sum()
    }

    /// How many there are and why, for the user; None if there are none. May quote names that are in the file.
    pub fn told(&self) -> Option<String> {
        let counts = self.0.lock();
        let number = match counts.values().sum::<u64>() {
            0 => return None,
            1 => "1 attachment was".to_owned(),
            all => format!("{all} attachments were"),
        };
        let counts = counts.iter();
        let counts: Vec<String> = counts
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        Some(format!("{number} not looked into: {}", counts.join(", ")))
    }
}

/// Whether there is nothing to be found in a file of `media_type`: a picture that nobody looks into is no gap.
pub(super) fn has_no_words(media_type: &str) -> bool {
    media_type != SVG && WORDLESS.iter().any(|kind| media_type.starts_with(kind))
}
