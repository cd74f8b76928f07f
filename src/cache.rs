//! An LRU cache bounded in bytes, in shards so that threads seldom wait for each other.
//!
//! No lock is ever held while a value is made: callers look up, make the value, then insert it. Two threads may make
//! the same value at once; the first one in stays.
#![forbid(unsafe_code)]

use std::hash::{BuildHasher, Hash};

use hashbrown::DefaultHashBuilder;
use lru::LruCache;
use parking_lot::Mutex;

/// Uses of other entries that have to be made, after which those larger than the bound are forgotten. Who walks a tree
/// reads so many names of a listing at a time (fts(3): 10,000) and goes into their directories before the next ones.
const LARGE_PATIENCE: u32 = 50_000;

/// The part of the bound that entries have together which are larger than the bound of a shard: one of so many.
const LARGE_SHARE: usize = 4;
/// Bytes of a shard at the least, unless there is only one: some of the largest blocks.
const LEAST_SHARD: usize = 256 << 10;
/// Bytes that an entry costs beside its value: hash slot, list links, `Arc` header.
const ENTRY_OVERHEAD: usize = 96;

/// Maps `K` to cheap clones of `V` (an `Arc`), forgetting the least recently used past the bound.
pub struct ByteLru<K: Hash + Eq, V: Clone> {
    shards: Vec<Mutex<Shard<K, V>>>,
    hasher: DefaultHashBuilder,
    large: Mutex<Large<K, V>>,
}

struct Shard<K: Hash + Eq, V> {
    entries: LruCache<K, (V, usize)>,
    used: usize,
    bound: usize,
}

/// Values that are over the bound of a shard, the one that was used last at the end.
struct Large<K, V> {
    values: Vec<(K, V, usize)>,
    bound: usize,
    /// Uses of values that are not here since one was used that is.
    idle: u32,
}

impl<K: Hash + Eq, V: Clone> Shard<K, V> {
    fn put(&mut self, key: K, value: V, weight: usize) {
        self.used = self.used.saturating_add(weight);
        self.entries.put(key, (value, weight));
        while self.used > self.bound {
            let Some((_, (_, freed))) = self.entries.pop_lru() else {
                break;
            };
            self.used = self.used.saturating_sub(freed);
        }
    }
}

impl<K: Eq, V: Clone> Large<K, V> {
    fn get(&mut self, key: &K) -> Option<V> {
        let index = self.values.iter().position(|(large, ..)| large == key);
        let Some(index) = index else {
            self.idle = self.idle.saturating_add(1);
            if self.idle > LARGE_PATIENCE {
                self.values.clear();
            }
            return None;
        };
        self.idle = 0;
        let used = self.values.remove(index);
        let value = used.1.clone();
        self.values.push(used);
        Some(value)
    }

    fn put(&mut self, key: K, value: V, weight: usize) {
        self.values.push((key, value, weight));
        let mut used: usize = self.values.iter().map(|(.., weight)| weight).sum();
        while self.values.len() > 1 && used > self.bound {
            let (.., freed) = self.values.remove(0);
            used = used.saturating_sub(freed);
        }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> ByteLru<K, V> {
    /// A cache of at most `bytes` bytes in `shards` parts, or fewer if they would be too small. Values that are over the bound of a part are kept beside them
    /// while they are in use, one of them whatever it weighs: making it again for each request would cost far more.
    pub fn new(bytes: u64, shards: usize) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let shards = shards.min(bytes / LEAST_SHARD).max(1);
        let shard = || Shard {
            entries: LruCache::unbounded(),
            used: 0,
            bound: (bytes - bytes / LARGE_SHARE) / shards,
        };
        Self {
            shards: (0..shards).map(|_| Mutex::new(shard())).collect(),
            hasher: DefaultHashBuilder::default(),
            large: Mutex::new(Large {
                values: Vec::new(),
                bound: bytes / LARGE_SHARE,
                idle: 0,
            }),
        }
    }

    fn shard(&self, key: &K) -> Option<&Mutex<Shard<K, V>>> {
        let index = (self.hasher.hash_one(key) as usize).checked_rem(self.shards.len())?;
        self.shards.get(index)
    }

    /// The value of `key`, which becomes the most recently used one.
    pub fn get(&self, key: &K) -> Option<V> {
        let found = self.shard(key)?.lock().entries.get(key).cloned();
        match found {
            Some((value, _)) => Some(value),
            None => self.large.lock().get(key),
        }
    }

    /// Forgets the value of `key`.
    pub fn remove(&self, key: &K) {
        let Some(shard) = self.shard(key) else {
            return;
        };
        let mut shard = shard.lock();
        if let Some((_, freed)) = shard.entries.pop(key) {
            shard.used = shard.used.saturating_sub(freed);
        }
        self.large.lock().values.retain(|(large, ..)| large != key);
    }

    /// Keeps `value`, which weighs `bytes`. Returns the value that is now in use: an earlier one under the same key
    /// stays.
    pub fn insert(&self, key: K, value: V, bytes: usize) -> V {
        let weight = bytes.saturating_add(ENTRY_OVERHEAD);
        let Some(shard) = self.shard(&key) else {
            return value;
        };
        let mut shard = shard.lock();
        if weight > shard.bound {
            let mut large = self.large.lock();
            if let Some(present) = large.get(&key) {
                return present;
            }
            large.put(key, value.clone(), weight);
            return value;
        }
        if let Some((present, _)) = shard.entries.get(&key) {
            return present.clone();
        }
        shard.put(key, value.clone(), weight);
        value
    }
}

impl<K: Hash + Eq, V: Clone> std::fmt::Debug for ByteLru<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByteLru").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// Uses of a listing's directories between two parts of it.
    const WALK: u32 = 3 * 10_000;

    #[test]
    fn the_bound_holds_and_what_was_used_last_stays() {
        let cache: ByteLru<u64, Arc<[u8]>> =
            ByteLru::new(8 * 10 * (1000 + ENTRY_OVERHEAD) as u64, 8);
        for key in 0..10_000u64 {
            cache.insert(key, vec![0; 1000].into(), 1000);
            assert!(cache.get(&key).is_some());
        }
        let kept = (0..10_000).filter(|key| cache.get(key).is_some()).count();
        assert!(kept <= 80, "{kept} kept");
        assert!(cache.get(&9_999).is_some());
    }

    #[test]
    fn a_value_larger_than_the_bound_stays_beside_the_others_while_it_is_used() {
        let cache: ByteLru<u32, Arc<[u8]>> = ByteLru::new(1000, 1);
        cache.insert(0, vec![7; 5000].into(), 5000);
        for key in 1..10_000 {
            cache.insert(key, vec![7; 10].into(), 10);
            assert!(cache.get(&0).is_some() && cache.get(&key).is_some());
        }
        cache.insert(10_000, vec![7; 5000].into(), 5000);
        assert!(cache.get(&10_000).is_some() && cache.get(&0).is_none());
        for _ in 0..WALK {
            assert!(cache.get(&7_777_777).is_none());
        }
        assert!(cache.get(&10_000).is_some());
        for _ in 0..=LARGE_PATIENCE {
            assert!(cache.get(&7_777_777).is_none());
        }
        assert!(cache.get(&9_999).is_some() && cache.get(&10_000).is_none());
        cache.insert(0, vec![7; 5000].into(), 5000);
        cache.remove(&0);
        assert!(cache.get(&0).is_none());
    }

    #[test]
    fn of_many_values_larger_than_the_bound_one_stays() {
        let cache: ByteLru<u32, Arc<[u8]>> = ByteLru::new(4 << 20, 8);
        for key in 0..100 {
            cache.insert(key, vec![7; 2 << 20].into(), 2 << 20);
        }
        let kept = (0..100).filter(|key| cache.get(key).is_some());
        assert_eq!(kept.collect::<Vec<u32>>(), [99]);
    }

    #[test]
    fn the_first_value_under_a_key_stays() {
        let cache: ByteLru<u8, Arc<str>> = ByteLru::new(10_000, 2);
        cache.insert(1, "first".into(), 5);
        assert_eq!(&*cache.insert(1, "second".into(), 6), "first");
    }
}
