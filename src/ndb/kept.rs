//! What is made of the file and kept for whoever asks next. The guard against a failing disk ([`whole`]) is within: what was
//! made while reads failed is an error, and made anew the next time. No lock is held while something is made.
#![forbid(unsafe_code)]

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::OnceLock;

use parking_lot::{Condvar, Mutex};

use super::source::whole;
use crate::cache::ByteLru;
use crate::error::Result;

/// Values by key, bounded in bytes: those used last.
#[derive(Debug)]
pub struct Lru<K: Hash + Eq, V: Clone>(ByteLru<K, V>);

impl<K: Hash + Eq + Clone, V: Clone> Lru<K, V> {
    /// A cache of at most `bytes` bytes in `shards` parts.
    pub fn new(bytes: u64, shards: usize) -> Self {
        Self(ByteLru::new(bytes, shards))
    }

    /// The value of `key`, if it is there.
    pub fn get(&self, key: &K) -> Option<V> {
        self.0.get(key)
    }

    /// The value of `key`, made if it is not there; `weigh` gives its bytes.
    pub fn get_or_make(
        &self,
        key: K,
        weigh: impl FnOnce(&V) -> usize,
        make: impl FnOnce() -> Result<V>,
    ) -> Result<V> {
        if let Some(value) = self.0.get(&key) {
            return Ok(value);
        }
        let value = whole(make)?;
        let weight = weigh(&value);
        Ok(self.0.insert(key, value, weight))
    }

    /// Forgets the value of `key`.
    pub fn remove(&self, key: &K) {
        self.0.remove(key);
    }
}

/// Who makes values that take long, each made by one thread while the others that want it wait: as many times the work and the
/// memory, for what only one of them would keep. To make one must need no other of the same, or two may wait for each other.
#[derive(Debug)]
pub struct Makers<K> {
    busy: Mutex<HashSet<K>>,
    done: Condvar,
}

impl<K> Default for Makers<K> {
    fn default() -> Self {
        Self {
            busy: Mutex::default(),
            done: Condvar::new(),
        }
    }
}

impl<K: Hash + Eq + Clone> Makers<K> {
    /// The turn to make the value of `key`, once nobody else has it; it ends when what is returned is dropped. Whoever has waited
    /// has to look whether the value is there now.
    pub fn turn(&self, key: K) -> Turn<'_, K> {
        let mut busy = self.busy.lock();
        while !busy.insert(key.clone()) {
            self.done.wait(&mut busy);
        }
        Turn { makers: self, key }
    }
}

/// See [`Makers::turn`].
#[derive(Debug)]
pub struct Turn<'a, K: Hash + Eq> {
    makers: &'a Makers<K>,
    key: K,
}

impl<K: Hash + Eq> Drop for Turn<'_, K> {
    fn drop(&mut self) {
        self.makers.busy.lock().remove(&self.key);
        self.makers.done.notify_all();
    }
}

/// Values by key, kept as long as the map.
#[derive(Debug)]
pub struct Map<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V: Clone> Map<K, V> {
    /// Whether `key` has a value.
    pub fn has(&self, key: &K) -> bool {
        self.0.lock().contains_key(key)
    }

    /// The value of `key`, made if it is not there.
    pub fn get_or_make(&self, key: K, make: impl FnOnce() -> Result<V>) -> Result<V> {
        if let Some(value) = self.0.lock().get(&key) {
            return Ok(value.clone());
        }
        let value = whole(make)?;
        Ok(self.0.lock().entry(key).or_insert(value).clone())
    }
}

/// One value.
#[derive(Debug, Clone)]
pub struct Once<T>(OnceLock<T>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> From<T> for Once<T> {
    /// A value that is there from the beginning.
    fn from(value: T) -> Self {
        Self(value.into())
    }
}

impl<T> Once<T> {
    /// The value, if it was made.
    pub fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// The value, made if it is not there.
    pub fn get_or_make(&self, make: impl FnOnce() -> Result<T>) -> Result<&T> {
        if let Some(value) = self.0.get() {
            return Ok(value);
        }
        let value = whole(make)?;
        Ok(self.0.get_or_init(|| value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ndb::Source;

    /// Reads from a file that was truncated after it was opened, and goes on without what it did not get.
    fn while_reads_fail() -> Result<u8> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [7; 100]).unwrap();
        let source = Source::open(file.path()).unwrap();
        file.as_file().set_len(10).unwrap();
        let mut byte = [1];
        source.read_exact_at(&mut byte, 50).ok();
        Ok(byte[0])
    }

    #[test]
    fn what_was_made_while_reads_failed_is_an_error_and_is_not_kept() {
        let (lru, map, once) = (Lru::new(1000, 1), Map::default(), Once::default());
        assert!(lru.get_or_make(1, |_| 1, while_reads_fail).is_err());
        assert!(map.get_or_make(1, while_reads_fail).is_err());
        assert!(once.get_or_make(while_reads_fail).is_err());
        assert!(lru.get(&1).is_none() && !map.has(&1) && once.get().is_none());
        assert_eq!(lru.get_or_make(1, |_| 1, || Ok(5)).unwrap(), 5);
        assert_eq!(map.get_or_make(1, || Ok(5)).unwrap(), 5);
        assert_eq!(*once.get_or_make(|| Ok(5)).unwrap(), 5);
        assert_eq!(lru.get_or_make(1, |_| 1, || Ok(6)).unwrap(), 5);
        assert_eq!(map.get_or_make(1, || Ok(6)).unwrap(), 5);
        assert_eq!(*once.get_or_make(|| Ok(6)).unwrap(), 5);
    }
}
