//! Which query a directory in `.ostfs/search` has the answer of, as long as it is remembered.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;

use crate::tree::gathering::Entry;

/// Queries that are remembered, those that were asked last; who asks an older one again is not told from a new one.
const REMEMBERED: usize = 1_000;

/// The queries of one mount, by the numbers of their directories.
pub(super) struct Queries(Mutex<LruCache<u32, Arc<str>>>);

impl std::fmt::Debug for Queries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queries").finish_non_exhaustive()
    }
}

impl Default for Queries {
    fn default() -> Self {
        Self(Mutex::new(LruCache::unbounded()))
    }
}

impl Queries {
    /// The number of the directory of `text`.
    pub fn number(&self, text: &str) -> u32 {
        let mut texts = self.0.lock();
        let mut number = hash(text);
        loop {
            match texts.get(&number) {
                Some(known) if **known == *text => return number,
                // Two texts with one number: the second takes the next.
                Some(_) => number = number % Entry::MOST + 1,
                None => {
                    texts.put(number, text.into());
                    if texts.len() > REMEMBERED {
                        texts.pop_lru();
                    }
                    return number;
                }
            }
        }
    }

    /// The query that has this number; None if it is no longer remembered.
    pub fn text(&self, number: u32) -> Option<Arc<str>> {
        self.0.lock().get(&number).cloned()
    }
}

/// A number from 1 to [`Entry::MOST`].
fn hash(text: &str) -> u32 {
    // Of no key, so the same in every process.
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    (hasher.finish() % u64::from(Entry::MOST)) as u32 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_keeps_its_number_and_the_oldest_is_forgotten() {
        let (queries, others) = (Queries::default(), Queries::default());
        let number = queries.number("from:ann");
        assert_eq!(queries.number("from:ann"), number);
        assert_eq!(others.number("from:ann"), number);
        assert_ne!(queries.number("from:bob"), number);
        assert_eq!(queries.text(number).as_deref(), Some("from:ann"));
        for other in 0..REMEMBERED {
            queries.number(&format!("word{other}"));
        }
        assert_eq!(queries.text(number), None);
        assert_eq!(queries.number("from:ann"), number);
    }
}
