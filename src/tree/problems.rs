//! What could not be read, each thing once, for `.ostfs/problems.txt` and the end of an export.

use std::collections::HashSet;

use parking_lot::Mutex;

/// Lines that are kept; what comes after is only counted.
const MAX_LINES: usize = 10_000;

/// The problems met so far.
#[derive(Debug, Default)]
pub struct Problems {
    seen: Mutex<Seen>,
    redact: bool,
}

#[derive(Debug, Default)]
struct Seen {
    lines: Vec<String>,
    known: HashSet<String>,
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
        let mut seen = self.seen.lock();
        if seen.known.contains(&line) {
            return;
        }
        if seen.lines.len() >= MAX_LINES {
            seen.dropped += 1;
            return;
        }
        if self.redact {
            let object = line.split([',', ':']).next().unwrap_or_default();
            log::warn!("{object}: see .ostfs/problems.txt");
        } else {
            log::warn!("{line}");
        }
        seen.lines.push(line.clone());
        seen.known.insert(line);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        let seen = self.seen.lock();
        seen.lines.len() as u64 + seen.dropped
    }

    /// All of them as text, one a line.
    pub fn text(&self) -> String {
        let seen = self.seen.lock();
        let mut text = String::new();
        for line in &seen.lines {
            text.push_str(line);
            text.push('\n');
        }
        if seen.dropped > 0 {
            text.push_str(&format!("... and {} more\n", seen.dropped));
        }
        text
    }
}
