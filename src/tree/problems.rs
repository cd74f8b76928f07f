//! What could not be read, each thing once, for `.ostfs/problems.txt` and the end of an export.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use parking_lot::Mutex;

/// Bytes of lines that are kept, some 20,000; what comes after is only counted.
const MAX_TEXT: usize = 2 << 20;

/// The problems met so far.
#[derive(Debug, Default)]
pub struct Problems {
    seen: Mutex<Seen>,
    redact: bool,
}

#[derive(Debug, Default)]
struct Seen {
    /// Each line with its end.
    text: String,
    count: u64,
    /// Hashes of the lines.
    known: HashSet<u64>,
    dropped: u64,
}

impl Problems {
    /// No problems yet. With `redact` the log names no more than the object, by its number: what is wrong with it may
    /// quote a name.
    pub fn new(redact: bool) -> Self {
        Self {
            redact,
            ..Self::default()
        }
    }

    /// Notes a problem, and logs it, unless it is known already.
    pub fn note(&self, line: String) {
        let mut hasher = DefaultHasher::new();
        line.hash(&mut hasher);
        let hash = hasher.finish();
        let mut seen = self.seen.lock();
        if seen.known.contains(&hash) {
            return;
        }
        if seen.text.len() + line.len() >= MAX_TEXT {
            seen.dropped += 1;
            return;
        }
        if self.redact {
            let object = line.split([',', ':']).next().unwrap_or_default();
            log::warn!("{object}: see .ostfs/problems.txt");
        } else {
            log::warn!("{line}");
        }
        seen.text.push_str(&line);
        seen.text.push('\n');
        seen.count += 1;
        seen.known.insert(hash);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        let seen = self.seen.lock();
        seen.count + seen.dropped
    }

    /// All of them as text, one a line.
    pub fn text(&self) -> String {
        let seen = self.seen.lock();
        let mut text = seen.text.clone();
        if seen.dropped > 0 {
            text.push_str(&format!("... and {} more\n", seen.dropped));
        }
        text
    }
}
