//! Reading ahead of those who will ask. What is read stays in the kernel's page cache until it is used, so it is no memory of
//! this process, and who comes before it is there waits for no more than its own bytes.
//!
//! Places are asked for in the order of the file and neighbours in one piece, which a disk with one head likes; and
//! nobody waits for one before asking for the next, which a disk behind a network likes.
//!
//! How much is asked for at a time is an eighth of the memory that is free, at most 128 MiB; neighbours with small gaps
//! between them are one piece. Pages of the B-trees are read in stretches of 128 KiB. If most of the file will be read
//! and it fits into memory, it is read from end to end first. Before each of these cachestat(2) looks at 64 places,
//! once a second: if the file is in memory anyway, nothing is done.

use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{Opened, Source};
use crate::page_cache;

/// Places of the file that are looked at to tell whether it is in memory.
const SAMPLES: u64 = 64;
/// Of these the most that may be missing of a file that is.
const MISSING: u64 = 1;
/// How long that is believed: looking costs as much as a message.
const BELIEVED: Duration = Duration::from_secs(1);
/// What lies between two places and is read along with them at the most: a disk reads so much in the time of a jump.
const GAP: u64 = 256 << 10;
/// A part of the memory that is free, for what is read ahead at a time; and the most.
const SHARE: u64 = 8;
const MOST: u64 = 128 << 20;
/// Of so many parts of the memory that is free those that a file may have that is read as a whole.
const PARTS: u64 = 4;
const WHOLE_FILE: u64 = 3;
/// Bytes that are read at a time of a file that is read as a whole.
const PIECE: usize = 1 << 20;
/// Stretches in which pages of the B-trees are read: they lie together.
const STRETCH: u64 = 128 << 10;

/// What is known of the memory of the system, and of what it has of the file.
#[derive(Debug)]
pub(super) struct Ahead {
    /// Bytes that were free when the file was opened: a sandboxed process can ask no more.
    available: u64,
    /// Bytes that the kernel reads at one request.
    window: u64,
    /// When it was last looked whether the file is in memory, and whether it was.
    looked: Mutex<Option<(Instant, bool)>>,
}

impl Ahead {
    pub(super) fn of(file: &std::fs::File) -> Self {
        Self {
            available: page_cache::available_memory(),
            window: page_cache::window(file),
            looked: Mutex::new(None),
        }
    }
}

impl Source {
    /// Whether nothing is gained by reading ahead: the file is in memory.
    pub(in crate::ndb) fn is_at_hand(&self) -> bool {
        let ahead = &self.opened.ahead;
        if let Some((when, is_at_hand)) = *ahead.looked.lock()
            && when.elapsed() < BELIEVED
        {
            return is_at_hand;
        }
        let is_at_hand = self.opened.is_in_memory();
        *ahead.looked.lock() = Some((Instant::now(), is_at_hand));
        is_at_hand
    }

    /// Bytes that may be read ahead at a time.
    pub(in crate::ndb) fn budget(&self) -> u64 {
        (self.opened.ahead.available / SHARE).min(MOST)
    }

    /// Has these parts of the file read in the background, in the order of the file. What lies between neighbours is read
    /// along with them, the smallest gaps first, as far as the budget allows.
    pub(in crate::ndb) fn will_need(&self, wanted: impl Iterator<Item = Range<u64>>) {
        let mut places: Vec<Range<u64>> = wanted
            .filter_map(|wanted| {
                let length = wanted.end.saturating_sub(wanted.start);
                let (_, at) = self.pieces.parts(wanted).next()?;
                at.map(|at| at..at.saturating_add(length))
            })
            .collect();
        places.sort_unstable_by_key(|place| place.start);
        for place in joined(&places, self.budget()) {
            let mut start = place.start;
            while start < place.end {
                let end = place
                    .end
                    .min(start.saturating_add(self.opened.ahead.window));
                page_cache::will_need(&self.opened.file, start..end);
                start = end;
            }
        }
    }

    /// Has the stretch of the file read that the page at `offset` lies in.
    pub(in crate::ndb) fn will_need_around(&self, offset: u64) {
        if !self.is_at_hand() {
            let start = offset / STRETCH * STRETCH;
            self.will_need(std::iter::once(start..start.saturating_add(STRETCH)));
        }
    }

    /// Reads all of the file in its order, if it fits into the memory that is free: for those who will read most of it. It
    /// is over before they begin, as their reads would have the disk jump to and fro between the two. Of a larger file
    /// they have to ask for what they need next.
    pub fn will_read_all(&self) {
        let fits = self.opened.len < self.opened.ahead.available / PARTS * WHOLE_FILE;
        if fits && !self.is_at_hand() {
            self.opened.read_all();
            *self.opened.ahead.looked.lock() = None;
        }
    }
}

impl Opened {
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

    /// Reads it from its beginning to its end, or to where the disk fails, which is spared then.
    fn read_all(&self) {
        let mut piece = vec![0; PIECE];
        let mut offset = 0;
        while let Ok(read) = self.file.read_at(&mut piece, offset)
            && read > 0
        {
            offset += read as u64;
        }
    }
}

/// `places`, which are sorted, with those in one that lie close together. The gaps, the smallest of which are taken first,
/// have at most `budget` bytes together.
fn joined(places: &[Range<u64>], budget: u64) -> Vec<Range<u64>> {
    let gap = |pair: &[Range<u64>]| match pair {
        [one, next] => next.start.saturating_sub(one.end),
        _ => 0,
    };
    let mut gaps: Vec<u64> = places.windows(2).map(gap).collect();
    gaps.retain(|gap| *gap > 0 && *gap <= GAP);
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
    fn neighbours_are_one_piece_and_the_smallest_gaps_are_read_first() {
        let places = [0..10, 10..20, 30..40, 140..150];
        assert_eq!(joined(&places, 0), [0..20, 30..40, 140..150]);
        assert_eq!(joined(&places, 50), [0..40, 140..150]);
        assert_eq!(joined(&places, 1000), vec![0..150]);
        let apart = [0..10, GAP + 11..GAP + 20];
        assert_eq!(joined(&apart, u64::MAX), apart);
        let within = [0..100, 20..30, 90..110];
        assert_eq!(joined(&within, 0), vec![0..110]);
    }
}
