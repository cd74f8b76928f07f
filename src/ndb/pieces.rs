//! Where the bytes of a file are after a stretch of it was lost or doubled, or after others were put in front of it.
//!
//! The structures of a file name each other by the offsets at which they were written. [`Pieces`] leads from these
//! original offsets to the offsets at which the bytes are now; whatever no piece has is lost.

use std::iter;
use std::ops::Range;

/// A stretch of the original file that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its offsets as the structures of the file name them.
    pub original: Range<u64>,
    /// The offset in the file at which it begins now.
    pub at: u64,
}

/// A part of what a read asks for: its original offsets, and where it is in the file; None where it is lost.
pub(super) type Part = (Range<u64>, Option<u64>);

/// The pieces of one file: ascending by original offset, none of them empty, without overlaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces(Box<[Piece]>);

impl Pieces {
    /// The one piece of a file of `len` bytes that is as it was written.
    pub fn whole(len: u64) -> Self {
        Self::new(vec![Piece {
            original: 0..len,
            at: 0,
        }])
    }

    /// Takes pieces in any order. What overlaps an earlier one is cut off.
    pub fn new(mut pieces: Vec<Piece>) -> Self {
        pieces.sort_by_key(|piece| piece.original.start);
        let mut end = 0;
        for piece in &mut pieces {
            let cut = end.max(piece.original.start) - piece.original.start;
            piece.original.start += cut;
            piece.at = piece.at.saturating_add(cut);
            end = end.max(piece.original.end);
        }
        pieces.retain(|piece| piece.original.start < piece.original.end);
        Self(pieces.into())
    }

    /// Size in bytes of the original file, as far as it is known.
    pub fn len(&self) -> u64 {
        self.0.last().map_or(0, |last| last.original.end)
    }

    /// Bytes that are there: lost stretches do not count.
    pub fn stored_len(&self) -> u64 {
        let lengths = self.0.iter().map(|piece| &piece.original);
        lengths.map(|original| original.end - original.start).sum()
    }

    /// The first stretch that is there from byte `at` on.
    pub(super) fn next_stored(&self, at: u64) -> Option<Range<u64>> {
        let next = self.0.partition_point(|piece| piece.original.end <= at);
        let original = &self.0.get(next)?.original;
        Some(original.start.max(at)..original.end)
    }

    /// Whether byte `original` is there.
    pub(super) fn has(&self, original: u64) -> bool {
        let next = self.next_stored(original);
        next.is_some_and(|next| next.start == original)
    }

    /// Whether nothing of the file is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All pieces.
    pub fn all(&self) -> &[Piece] {
        &self.0
    }

    /// `wanted` in parts, each of which is in one piece or lost.
    pub(super) fn parts(&self, wanted: Range<u64>) -> impl Iterator<Item = Part> + '_ {
        let first = self
            .0
            .partition_point(|piece| piece.original.end <= wanted.start);
        let mut pieces = self.0.get(first..).unwrap_or_default().iter().peekable();
        let mut next = wanted.start;
        iter::from_fn(move || {
            if next >= wanted.end {
                return None;
            }
            let start = next;
            let Some(piece) = pieces.peek() else {
                next = wanted.end;
                return Some((start..next, None));
            };
            if start < piece.original.start {
                next = piece.original.start.min(wanted.end);
                return Some((start..next, None));
            }
            next = piece.original.end.min(wanted.end);
            let at = piece.at.saturating_add(start - piece.original.start);
            pieces.next();
            Some((start..next, Some(at)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(original: Range<u64>, at: u64) -> Piece {
        Piece { original, at }
    }

    #[test]
    fn a_range_is_cut_where_pieces_end() {
        let pieces = Pieces::new(vec![piece(300..500, 200), piece(10..200, 0)]);
        assert_eq!(pieces.len(), 500);
        assert_eq!(pieces.stored_len(), 390);
        let next = [0, 50, 200, 300, 500].map(|at| pieces.next_stored(at));
        let expected = [
            Some(10..200),
            Some(50..200),
            Some(300..500),
            Some(300..500),
            None,
        ];
        assert_eq!(next, expected);
        assert_eq!(
            pieces.parts(0..600).collect::<Vec<_>>(),
            [
                (0..10, None),
                (10..200, Some(0)),
                (200..300, None),
                (300..500, Some(200)),
                (500..600, None)
            ]
        );
        assert_eq!(
            pieces.parts(310..320).collect::<Vec<_>>(),
            [(310..320, Some(210))]
        );
        assert_eq!(
            pieces.parts(250..260).collect::<Vec<_>>(),
            [(250..260, None)]
        );
        assert_eq!(pieces.parts(10..10).count(), 0);
    }

    #[test]
    fn what_two_pieces_have_is_that_of_the_first() {
        let pieces = Pieces::new(vec![
            piece(0..100, 7),
            piece(50..120, 500),
            piece(60..70, 9),
        ]);
        assert_eq!(pieces.all(), [piece(0..100, 7), piece(100..120, 550)]);
    }
}
