//! What is known of messages without opening them: their sizes for the life of the tree, the times of those asked for
//! last. So a second `ls -l` opens no message, and its memory is bounded.

use std::sync::OnceLock;

use hashbrown::HashTable;
use parking_lot::Mutex;

use super::attr::Times;
use super::size_cache::SizeCache;
use crate::error::Result;
use crate::ndb::{NodeId, whole};

/// Parts of each table, by node: threads seldom wait for each other, and a table that grows is copied in small parts.
const SHARDS: usize = 16;
/// Bytes of a size: files of a tebibyte and more are sized anew each time.
const SIZE_BYTES: usize = 5;

/// A message and the size of its file. Packed: with one control byte for each slot, and tables at least 7/16 full, at
/// most 23 bytes a message.
#[derive(Debug, Clone, Copy)]
struct Size {
    nid: [u8; 4],
    size: [u8; SIZE_BYTES],
}

/// A message and its times, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy)]
struct Stamp {
    nid: NodeId,
    times: [i64; 3],
}

/// Bytes that a slot of a table of times takes.
const STAMP_BYTES: usize = size_of::<Stamp>() + 1;

/// The messages asked for since the last change of generations, and those before. When the young ones are many, the old
/// ones are forgotten.
#[derive(Debug, Default)]
struct Generations {
    young: HashTable<Stamp>,
    old: HashTable<Stamp>,
}

/// Sizes and times by message.
#[derive(Debug)]
pub(super) struct Known {
    sizes: Vec<Mutex<HashTable<Size>>>,
    times: Vec<Mutex<Generations>>,
    /// Messages in one generation of a part.
    bound: usize,
    /// What outlives the tree.
    kept: OnceLock<SizeCache>,
}

impl Known {
    /// Nothing known yet. Times take at most `bytes` bytes.
    pub(super) fn new(bytes: u64) -> Self {
        let slots = usize::try_from(bytes).unwrap_or(usize::MAX) / SHARDS / 2 / STAMP_BYTES;
        // Tables grow to powers of two and are filled to seven eighths.
        let bound = ((slots + 1).next_power_of_two() / 2 / 8 * 7).max(1);
        Self {
            sizes: (0..SHARDS).map(|_| Mutex::default()).collect(),
            times: (0..SHARDS).map(|_| Mutex::default()).collect(),
            bound,
            kept: OnceLock::new(),
        }
    }

    /// Takes and keeps sizes and times in `cache`, too.
    pub(super) fn keep(&self, cache: SizeCache) {
        self.kept.set(cache).ok();
    }

    /// Takes what is kept of message `nid` among what is known.
    fn recall(&self, nid: NodeId) -> Option<(u64, Times)> {
        let (size, times) = self.kept.get()?.get(nid)?;
        self.set_size(nid, size);
        self.set_times(nid, times);
        Some((size, times))
    }

    /// Keeps size and times of the file of message `nid`, beyond the life of the tree if that is `whole`: what a damaged
    /// message states about its damage is told when it is opened.
    pub(super) fn set(&self, nid: NodeId, size: u64, times: Times, whole: bool) {
        self.set_size(nid, size);
        self.set_times(nid, times);
        if let Some(kept) = self.kept.get().filter(|_| whole) {
            kept.put(nid, size, times);
        }
    }

    /// Size of the file of message `nid`, if it was ever made.
    pub(super) fn size(&self, nid: NodeId) -> Option<u64> {
        let recalled = || self.recall(nid).map(|(size, _)| size);
        self.size_in_memory(nid).or_else(recalled)
    }

    fn size_in_memory(&self, nid: NodeId) -> Option<u64> {
        let key = nid.0.to_le_bytes();
        let sizes = part(&self.sizes, nid)?.lock();
        let found = sizes.find(hash(nid), |known| known.nid == key)?;
        let mut bytes = [0; 8];
        for (to, from) in bytes.iter_mut().zip(found.size) {
            *to = from;
        }
        Some(u64::from_le_bytes(bytes))
    }

    /// Keeps the size of the file of message `nid`.
    fn set_size(&self, nid: NodeId, size: u64) {
        let (key, bytes) = (nid.0.to_le_bytes(), size.to_le_bytes());
        let (Some(sizes), Some((low, [0, 0, 0]))) =
            (part(&self.sizes, nid), bytes.split_first_chunk())
        else {
            return;
        };
        let new = Size {
            nid: key,
            size: *low,
        };
        let mut sizes = sizes.lock();
        match sizes.find_mut(hash(nid), |known| known.nid == key) {
            Some(known) => *known = new,
            None => {
                sizes.insert_unique(hash(nid), new, |known| {
                    hash(NodeId(u32::from_le_bytes(known.nid)))
                });
            }
        }
    }

    /// Times of message `nid`, if they are still known.
    pub(super) fn times(&self, nid: NodeId) -> Option<Times> {
        let recalled = || self.recall(nid).map(|(_, times)| times);
        self.times_in_memory(nid).or_else(recalled)
    }

    fn times_in_memory(&self, nid: NodeId) -> Option<Times> {
        let mut times = part(&self.times, nid)?.lock();
        let is_it = |stamp: &Stamp| stamp.nid == nid;
        if let Some(stamp) = times.young.find(hash(nid), is_it) {
            return Some(Times::of_nanoseconds(stamp.times));
        }
        let stamp = *times.old.find(hash(nid), is_it)?;
        times.keep(stamp, self.bound);
        Some(Times::of_nanoseconds(stamp.times))
    }

    /// Times of message `nid`, made if they are not known any more, and not kept if a read fails meanwhile.
    pub(super) fn times_or(
        &self,
        nid: NodeId,
        make: impl FnOnce() -> Result<Times>,
    ) -> Result<Times> {
        if let Some(times) = self.times(nid) {
            return Ok(times);
        }
        let times = whole(make)?;
        self.set_times(nid, times);
        Ok(times)
    }

    /// Keeps the times of message `nid` for a while.
    fn set_times(&self, nid: NodeId, times: Times) {
        if let Some(times) = times.nanoseconds()
            && let Some(part) = part(&self.times, nid)
        {
            part.lock().keep(Stamp { nid, times }, self.bound);
        }
    }
}

impl Generations {
    fn keep(&mut self, stamp: Stamp, bound: usize) {
        let is_it = |known: &Stamp| known.nid == stamp.nid;
        if let Some(known) = self.young.find_mut(hash(stamp.nid), is_it) {
            *known = stamp;
            return;
        }
        if self.young.len() >= bound {
            // The memory of the old ones is used again.
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young
            .insert_unique(hash(stamp.nid), stamp, |known| hash(known.nid));
    }
}

/// Fibonacci hashing, with the well-mixed upper half of the product below, where tables look first.
fn hash(nid: NodeId) -> u64 {
    u64::from(nid.0)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(32)
}

fn part<T>(parts: &[T], nid: NodeId) -> Option<&T> {
    // Neither the bits that tell slots apart nor those in their control bytes.
    parts.get((hash(nid) >> 48) as usize & (SHARDS - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nids(count: u32) -> impl Iterator<Item = NodeId> {
        (0..count).map(|index| NodeId(0x20_0004 + index * 0x20))
    }

    #[test]
    fn sizes_are_kept_in_at_most_24_bytes_a_message() {
        let known = Known::new(0);
        for (number, nid) in (1..).zip(nids(300_000)) {
            known.set_size(nid, u64::from(nid.0) * 1000);
            if number % 10_000 == 0 {
                let bytes: usize = known
                    .sizes
                    .iter()
                    .map(|sizes| sizes.lock().allocation_size())
                    .sum();
                assert!(bytes <= 24 * number, "{bytes} bytes for {number}");
            }
        }
        for nid in nids(300_000) {
            assert_eq!(known.size(nid), Some(u64::from(nid.0) * 1000));
        }
        assert_eq!(known.size(NodeId(0x44)), None);
    }

    #[test]
    fn a_size_can_change_and_one_too_large_is_not_kept_short() {
        let known = Known::new(0);
        known.set_size(NodeId(4), 7);
        known.set_size(NodeId(4), (1 << 40) - 1);
        assert_eq!(known.size(NodeId(4)), Some((1 << 40) - 1));
        known.set_size(NodeId(0x24), 1 << 40);
        assert_eq!(known.size(NodeId(0x24)), None);
    }

    #[test]
    fn times_are_exact_and_bounded() {
        let bytes = 1 << 20;
        let known = Known::new(bytes);
        let times = |nid: NodeId| {
            let number = i64::from(nid.0);
            Times::of_nanoseconds([number * 1_000_000_000 + 100, -number, 0])
        };
        for nid in nids(100_000) {
            known.set_times(nid, times(nid));
            assert_eq!(known.times(nid), Some(times(nid)));
        }
        let parts = || known.times.iter().map(Mutex::lock);
        let used: usize = parts()
            .map(|part| part.young.allocation_size() + part.old.allocation_size())
            .sum();
        assert!(used as u64 <= bytes, "{used}");
        let newest = nids(100_000).skip(95_000);
        assert!(newest.into_iter().all(|nid| known.times(nid).is_some()));
    }
}
