//! Boundaries of multiparts: the same on every run, and in no text of the message. RFC 2046 5.1.1
#![forbid(unsafe_code)]

use std::collections::HashSet;

use crate::convert::text::contains;

/// 128-bit FNV-1a: spreads a key over 32 hex digits, the same in every version of everything.
pub(crate) fn fingerprint(pieces: &[&[u8]]) -> u128 {
    const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
    let mut hash = OFFSET_BASIS;
    for piece in pieces {
        for byte in (piece.len() as u64).to_le_bytes().iter().chain(*piece) {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
    }
    hash
}

/// How every boundary begins. `=_` cannot occur in base64 or quoted-printable.
const START: &str = "=_ostfs_";
/// Digits of a boundary behind that.
const DIGITS: usize = 32;

/// Everything in texts that could be a boundary. Who writes the file can foresee boundaries, and name thousands: so the
/// texts are searched once, not once for each.
#[derive(Debug, Default)]
pub(crate) struct Taken<'a>(HashSet<&'a str>);

impl<'a> Taken<'a> {
    /// Notes what is in `text`.
    pub fn add(&mut self, text: &'a str) {
        if contains(text, START) {
            let found = text.match_indices(START);
            self.0
                .extend(found.filter_map(|(at, _)| text.get(at..at + START.len() + DIGITS)));
        }
    }
}

/// Hands out the boundaries of one file, in the order of its multiparts.
#[derive(Debug)]
pub(crate) struct Boundaries {
    node: u32,
    count: u32,
}

impl Boundaries {
    /// Those of the file of the message in `node`.
    pub fn new(node: u32) -> Self {
        Self { node, count: 0 }
    }

    /// The next boundary that is not `taken`.
    pub fn next(&mut self, taken: &Taken<'_>) -> String {
        loop {
            self.count += 1;
            let hash = fingerprint(&[&self.node.to_le_bytes(), &self.count.to_le_bytes()]);
            let boundary = format!("{START}{hash:0DIGITS$x}");
            if !taken.0.contains(boundary.as_str()) {
                return boundary;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_repeat_on_every_run_but_not_within_a_file() {
        let three = || {
            let mut boundaries = Boundaries::new(7);
            [0; 3].map(|_| boundaries.next(&Taken::default()))
        };
        let [first, second, third] = three();
        assert_eq!([&first, &second, &third], three().each_ref());
        assert!(first != second && second != third);
        assert_eq!(first.len(), 8 + 32);
        assert_ne!(Boundaries::new(8).next(&Taken::default()), first);
    }

    #[test]
    fn a_boundary_that_a_text_contains_is_passed_over() {
        let first = Boundaries::new(7).next(&Taken::default());
        let text = format!("=_=_ostfs_{first}{first}");
        let mut taken = Taken::default();
        taken.add(&text);
        assert_ne!(Boundaries::new(7).next(&taken), first);
    }

    #[test]
    fn a_text_that_foresees_all_boundaries_takes_linear_time() {
        let begin = std::time::Instant::now();
        let mut boundaries = Boundaries::new(7);
        let all: String = (0..50_000)
            .map(|_| boundaries.next(&Taken::default()))
            .collect();
        let mut taken = Taken::default();
        taken.add(&all);
        let next = Boundaries::new(7).next(&taken);
        assert!(!all.contains(&next));
        assert!(begin.elapsed().as_secs() < 30);
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // The published value for the empty input is the offset basis; for "a" it is this one.
        assert_eq!(fingerprint(&[]), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    }
}
