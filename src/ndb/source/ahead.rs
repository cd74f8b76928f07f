//! Reading ahead of those who will ask. What is read stays in the kernel's page cache until it is used, so it is no memory of
//! this process.
//!
//! Places are read in the order of the file and neighbours in one piece, which a disk with one head likes; and many are
//! under way at a time, which a disk behind a network likes: they are asked for by posix_fadvise(2), ahead of one reader that takes
//! them in their order. Several readers would have the disk jump to and fro; without any, what a filesystem in user space is
//! asked for is dropped without a word while it has enough to do.
//!
//! How much is read at a time is an eighth of the memory that is free, at most 128 MiB; neighbours with small gaps
//! between them are one piece. Around a short piece that nobody has planned, and around a list, whose blocks were mostly written with it, 128 KiB
//! are read. If most of the file will be read and it fits into memory, it is read from end to end first. Before each of
//! these the kernel is asked about 64 places, once a second: if the file is in memory anyway, nothing is done; nor once a
//! read of the disk has failed, or what was read ahead was not kept, as on a filesystem that has all reads go to itself.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::page_cache;

/// Places of the file that are looked at to tell whether it is in memory.
const SAMPLES: u64 = 64;
/// Of these the most that may be missing of a file that is.
const MISSING: u64 = 1;
/// How long that is believed, in milliseconds: looking costs as much as a message.
const BELIEVED: u64 = 1000;
/// It was not yet looked.
const NEVER: u64 = u64::MAX;
/// Bytes that a disk with one head reads in the time that a jump to another place takes, at the least. So much may lie between
/// two places to be read along with them.
pub(in crate::ndb) const JUMP: u64 = 256 << 10;
/// A part of the memory that is free, for what is read ahead at a time; and the most.
const SHARE: u64 = 8;
const MOST: u64 = 128 << 20;
/// Of so many parts of the memory that is free those that a file may have that is read as a whole.
const PARTS: u64 = 4;
const WHOLE_FILE: u64 = 3;
/// Pieces that are under way at a time: of the 32 requests that a filesystem in user space takes at once, those that it does not
/// drop.
const IN_FLIGHT: usize = 24;
/// Bytes of a piece, no more than the kernel takes at one request; and those of the file of which all are read when a short
/// piece of them is.
const STRETCH: u64 = 128 << 10;
/// The most bytes that are short.
const SHORT: usize = 8 << 10;

/// Reads ahead in one file. Places are those of the file as it lies.
#[derive(Debug)]
pub(super) struct Ahead {
    file: Arc<File>,
    len: u64,
    /// Bytes of memory that were free when the file was opened: a sandboxed process can ask no more.
    available: u64,
    /// Whether the disk is spared what nobody has asked for: a read has failed, or the kernel keeps nothing.
    spared: AtomicBool,
    opened: Instant,
    /// When it was last looked whether the file is in memory, in milliseconds since `opened`, and in bit 0 whether it was. No
    /// lock, since every read looks here.
    looked: AtomicU64,
}

impl Ahead {
    /// Of `file`, which has `len` bytes.
    pub(super) fn new(file: Arc<File>, len: u64) -> Self {
        Self {
            file,
            len,
            available: page_cache::available_memory(),
            spared: AtomicBool::new(false),
            opened: Instant::now(),
            looked: AtomicU64::new(NEVER),
        }
    }

    /// Spares the disk from now on what nobody has asked for.
    pub(super) fn spare_disk(&self) {
        self.spared.store(true, Ordering::Relaxed);
    }

    /// Whether anything is gained by it: not if the file is in memory, or cannot be kept there, or if its disk fails.
    pub(super) fn pays(&self) -> bool {
        !self.spared.load(Ordering::Relaxed) && !self.is_at_hand()
    }

    /// Bytes that may be read ahead at a time.
    pub(super) fn budget(&self) -> u64 {
        (self.available / SHARE).min(MOST)
    }

    /// Reads `places`, which are in order, with the smallest of the gaps between them, as far as the budget allows.
    pub(super) fn read(&self, places: &[Range<u64>]) {
        self.read_places(&joined(places, self.budget()));
    }

    /// As [`Ahead::read`], with what is around each place, if the budget allows that.
    pub(super) fn read_around(&self, places: Vec<Range<u64>>) {
        self.read(&widened(places, self.budget()));
    }

    /// Has the stretch of the file read in which `offset` lies, of which a short piece is wanted that nobody has planned: pages of
    /// the B-trees lie together, and so do small blocks that were written at the same time.
    pub(super) fn read_stretch(&self, offset: u64, length: usize) {
        let is_cold = || page_cache::is_cached(&self.file, offset) == Some(false);
        if length <= SHORT && self.pays() && is_cold() {
            page_cache::will_need(&self.file, stretch(&(offset..offset + 1)));
        }
    }

    /// Reads all of the file in its order, if it fits into the memory that is free and `pays` is true.
    pub(super) fn read_all(&self, pays: impl FnOnce() -> bool) {
        let fits = self.len < self.available / PARTS * WHOLE_FILE;
        if fits && self.pays() && pays() {
            self.read_places(std::slice::from_ref(&(0..self.len)));
            self.looked.store(NEVER, Ordering::Relaxed);
        }
    }

    /// Reads `places`, which are in order, unless the disk turns out to fail or the kernel to keep nothing. It is over when all
    /// are in memory.
    fn read_places(&self, places: &[Range<u64>]) {
        let pieces = || {
            places.iter().flat_map(|place| {
                let starts = (place.start..place.end).step_by(STRETCH as usize);
                starts.map(|start| start..place.end.min(start.saturating_add(STRETCH)))
            })
        };
        let mut asked = pieces();
        let mut ask = || {
            if let Some(piece) = asked.next() {
                page_cache::will_need(&self.file, piece);
            }
        };
        (0..IN_FLIGHT).for_each(|_| ask());
        let mut buffer = vec![0; STRETCH as usize];
        for (number, piece) in pieces().enumerate() {
            let length = usize::try_from(piece.end - piece.start).unwrap_or(0);
            let buffer = buffer.get_mut(..length).unwrap_or_default();
            let is_read = self.file.read_at(buffer, piece.start).is_ok();
            let is_kept = || page_cache::is_cached(&self.file, piece.start) != Some(false);
            if !is_read || (number == 0 && !is_kept()) {
                return self.spare_disk();
            }
            ask();
        }
    }

    /// Whether the kernel has the ends of a part, which is hardly longer than a block.
    pub(super) fn has_in_memory(&self, place: &Range<u64>) -> bool {
        let has = |offset: u64| page_cache::is_cached(&self.file, offset) == Some(true);
        has(place.start) && has(place.end.saturating_sub(1))
    }

    /// Whether it is in memory, as it was when that was last looked at.
    fn is_at_hand(&self) -> bool {
        let now = self.opened.elapsed().as_millis() as u64;
        let looked = self.looked.load(Ordering::Relaxed);
        if looked != NEVER && now.saturating_sub(looked >> 1) < BELIEVED {
            return looked & 1 != 0;
        }
        let is_at_hand = self.is_in_memory();
        let looked = now << 1 | u64::from(is_at_hand);
        self.looked.store(looked, Ordering::Relaxed);
        is_at_hand
    }

    /// Whether nearly all of it is in memory, as far as the kernel tells.
    fn is_in_memory(&self) -> bool {
        let step = (self.len / SAMPLES).max(1);
        let mut missing = 0;
        for number in 0..SAMPLES {
            let offset = number * step;
            if offset >= self.len {
                break;
            }
            missing += u64::from(page_cache::is_cached(&self.file, offset) != Some(true));
            if missing > MISSING {
                return false;
            }
        }
        true
    }
}

/// `place` and what is around it.
fn stretch(place: &Range<u64>) -> Range<u64> {
    let end = place.end.checked_next_multiple_of(STRETCH);
    place.start / STRETCH * STRETCH..end.unwrap_or(place.end)
}

/// `places`, which are sorted, with what is around each, if all that has at most `budget` bytes together.
fn widened(places: Vec<Range<u64>>, budget: u64) -> Vec<Range<u64>> {
    let stretches: Vec<Range<u64>> = places.iter().map(stretch).collect();
    let stretches = joined(&stretches, 0);
    let bytes: u64 = stretches.iter().map(|place| place.end - place.start).sum();
    if bytes <= budget { stretches } else { places }
}

/// `places`, which are sorted, with those in one that lie close together. The gaps, the smallest of which are taken first,
/// have at most `budget` bytes together.
fn joined(places: &[Range<u64>], budget: u64) -> Vec<Range<u64>> {
    let gap = |pair: &[Range<u64>]| match pair {
        [one, next] => next.start.saturating_sub(one.end),
        _ => 0,
    };
    let mut gaps: Vec<u64> = places.windows(2).map(gap).collect();
    gaps.retain(|gap| *gap > 0 && *gap <= JUMP);
    gaps.sort_unstable();
    let mut left = budget;
    let fits = |gap: &u64| match left.checked_sub(*gap) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    let largest = gaps.into_iter().take_while(fits).last().unwrap_or(0);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for place in places {
        match joined.last_mut() {
            Some(last) if place.start <= last.end.saturating_add(largest) => {
                last.end = last.end.max(place.end);
            }
            _ => joined.push(place.clone()),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_lists_is_read_if_there_is_room_for_all_of_it() {
        let lists = [
            10..20,
            STRETCH - 5..STRETCH + 5,
            9 * STRETCH..9 * STRETCH + 64,
        ];
        let around = [0..2 * STRETCH, 9 * STRETCH..10 * STRETCH];
        assert_eq!(widened(lists.to_vec(), 3 * STRETCH), around);
        assert_eq!(widened(lists.to_vec(), 3 * STRETCH - 1), lists);
    }

    #[test]
    fn neighbours_are_one_piece_and_the_smallest_gaps_are_read_first() {
        let places = [0..10, 10..20, 30..40, 140..150];
        assert_eq!(joined(&places, 0), [0..20, 30..40, 140..150]);
        assert_eq!(joined(&places, 50), [0..40, 140..150]);
        assert_eq!(joined(&places, 1000), vec![0..150]);
        let apart = [0..10, JUMP + 11..JUMP + 20];
        assert_eq!(joined(&apart, u64::MAX), apart);
        let within = [0..100, 20..30, 90..110];
        assert_eq!(joined(&within, 0), vec![0..110]);
    }
}
