//! What could not be read, each thing once, for `.ostfs/problems.txt` and the file beside an export.

use std::collections::{BTreeSet, HashSet};
use std::fmt::{self, Display};
use std::hash::{DefaultHasher, Hash, Hasher};

use parking_lot::Mutex;

use super::ino::Ino;
use crate::ndb::Source;
use crate::output::printable;

/// Bytes of lines that are kept, some 20,000; what comes after is only counted.
const MAX_TEXT: usize = 2 << 20;
/// Lines that are logged while someone else writes all of them down.
const MAX_LOGGED: u64 = 100;
/// Lines whose hashes are kept to know them again, while someone else writes all of them down: 16 bytes each.
const MAX_KNOWN: usize = 1 << 16;

/// Entries with problems that are kept, to name them by their paths.
const MAX_ENTRIES: usize = 1 << 16;

/// Between a file and an object of it.
const PART: &str = ": ";
/// What the name of a message in a problem begins with.
const MESSAGE: &str = "message ";

/// Something that could not be read, or may not be right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProblemLine {
    /// What it is a problem of, by its number or path; empty for the file as a whole.
    pub object: String,
    /// What is wrong, in one line. May quote names that are in the file.
    pub text: String,
}

impl Display for ProblemLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.object {
            "" => f.write_str(&self.text),
            object => write!(f, "{object}: {}", self.text),
        }
    }
}

impl ProblemLine {
    /// `text` of `object`, without characters that would end its line or move the cursor of a terminal.
    pub fn new(object: impl Display, text: impl Display) -> Self {
        Self {
            object: printable(&object.to_string()),
            text: printable(&text.to_string()),
        }
    }

    /// That `object`, which problems name by its number, is the file or directory at `path`: people know it by that.
    pub fn not_whole(object: impl Display, path: &str) -> Self {
        Self::new(object, format_args!("\"{path}\" is not whole"))
    }

    /// What `line` makes of `most` of the `entries`; the last one is how many more there are.
    pub(super) fn all_not_whole(
        entries: Vec<Ino>,
        most: usize,
        line: impl Fn(Ino) -> Option<Self>,
    ) -> Vec<Self> {
        let more = entries.len().saturating_sub(most);
        let named = entries.into_iter().filter_map(line);
        let mut lines: Vec<Self> = named.take(most).collect();
        if more > 0 {
            lines.push(Self::new(
                "",
                format_args!("... and {more} more are not whole"),
            ));
        }
        lines
    }

    /// Whether it is of a message, which states it itself then.
    pub fn is_of_message(&self) -> bool {
        self.object
            .rsplit(PART)
            .next()
            .is_some_and(|object| object.starts_with(MESSAGE))
    }

    /// The same in one of several files, whose name stands before the object.
    pub(super) fn in_file(&self, file: &str) -> Self {
        let object = match &*self.object {
            "" => file.to_owned(),
            object => within(file, object),
        };
        Self::new(object, &self.text)
    }

    /// As the log may show it where names must stay out of it: the object alone, by its number. A problem of the
    /// file as a whole quotes no text of it.
    pub fn redacted(&self) -> String {
        match &*self.object {
            "" => self.text.clone(),
            object => format!("{object}: a problem, which may quote a name"),
        }
    }
}

/// The name of `object` of one of several files.
pub(super) fn within(file: &str, object: &str) -> String {
    format!("{file}{PART}{object}")
}

/// Called for each problem, from any thread. The same one may come again.
pub type Listener = dyn Fn(&ProblemLine) + Send + Sync;

/// The problems met so far.
#[derive(Default)]
pub struct ProblemLog {
    seen: Mutex<Seen>,
    redact: bool,
    /// The file, if it has a name in the log.
    source: Option<Source>,
}

#[derive(Default)]
struct Seen {
    /// In the order in which they came.
    lines: Vec<ProblemLine>,
    /// Bytes of their text.
    size: usize,
    count: u64,
    /// Hashes of the lines.
    known: HashSet<u64>,
    dropped: u64,
    /// The files of items, and the folders, that they are problems of.
    entries: BTreeSet<Ino>,
    /// Takes all lines down, of which none is kept then.
    listener: Option<Box<Listener>>,
}

impl fmt::Debug for ProblemLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProblemLog").finish_non_exhaustive()
    }
}

impl ProblemLog {
    /// No problems of `source` yet. With `redact` the log names no more than the object, by its number: what is wrong with it may
    /// quote a name.
    pub fn new(redact: bool, source: Source) -> Self {
        Self {
            redact,
            source: Some(source),
            ..Self::default()
        }
    }

    /// Notes that `text` is wrong with `object`, and logs it, unless it is known already. An empty object is the file.
    pub fn note(&self, object: impl Display, text: impl Display) {
        let problem = ProblemLine::new(object, text);
        let mut hasher = DefaultHasher::new();
        problem.object.hash(&mut hasher);
        problem.text.hash(&mut hasher);
        let hash = hasher.finish();
        let mut seen = self.seen.lock();
        if seen.known.contains(&hash) {
            return;
        }
        let size = problem.object.len() + problem.text.len();
        if seen.listener.is_none() && seen.size + size >= MAX_TEXT {
            seen.dropped += 1;
            return;
        }
        if seen.known.len() >= MAX_KNOWN && seen.listener.is_some() {
            seen.known.clear();
        }
        seen.known.insert(hash);
        seen.count += 1;
        let shown = match self.redact {
            true => problem.redacted(),
            false => problem.to_string(),
        };
        let shown = match &self.source {
            Some(source) => source.log_line(shown),
            None => shown,
        };
        match &seen.listener {
            Some(_) if seen.count > MAX_LOGGED => log::debug!("{shown}"),
            _ => log::warn!("{shown}"),
        }
        if let Some(listener) = &seen.listener {
            listener(&problem);
            return;
        }
        seen.size += size;
        seen.lines.push(problem);
    }

    /// Notes that the file or folder `ino` is one of those that are not whole.
    pub fn note_entry(&self, ino: Ino) {
        let entries = &mut self.seen.lock().entries;
        if entries.len() < MAX_ENTRIES {
            entries.insert(ino);
        }
    }

    /// The files and folders that are not whole, as far as it is known.
    pub fn entries(&self) -> Vec<Ino> {
        self.seen.lock().entries.iter().copied().collect()
    }

    /// Calls `listener` with each problem, those that are known first; none is kept here from now on.
    pub fn listen(&self, listener: Box<Listener>) {
        let mut seen = self.seen.lock();
        std::mem::take(&mut seen.lines).iter().for_each(&listener);
        if seen.dropped > 0 {
            listener(&ProblemLine::new(
                "",
                format_args!("... and {} more", seen.dropped),
            ));
        }
        seen.listener = Some(listener);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        let seen = self.seen.lock();
        seen.count + seen.dropped
    }

    /// All of them as text, one a line: first those of `paths`, which tell what the objects of the others are.
    pub fn text(&self, paths: &[ProblemLine]) -> String {
        let seen = self.seen.lock();
        let mut text = String::with_capacity(seen.size);
        for line in paths.iter().chain(&seen.lines) {
            text.push_str(&format!("{line}\n"));
        }
        if seen.dropped > 0 {
            text.push_str(&format!("... and {} more\n", seen.dropped));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redacted_problem_keeps_the_object_whatever_the_text_quotes() {
        let problem = ProblemLine::new("message 0x24", "attachment \"a, b: c.pdf\": damaged block");
        assert!(problem.redacted().starts_with("message 0x24: "));
        assert!(!problem.redacted().contains("c.pdf"));
    }

    #[test]
    fn a_problem_is_one_line_whatever_it_quotes() {
        let problem = ProblemLine::new("message 0x24", "attachment \"a\n\u{1b}[2J\"");
        assert_eq!(problem.to_string().lines().count(), 1);
        assert!(!problem.to_string().contains('\u{1b}'));
    }

    #[test]
    fn a_listener_gets_everything_from_before_and_after_it_came() {
        let problems = ProblemLog::default();
        problems.note("folder 0x22", "first");
        let taken = std::sync::Arc::new(Mutex::new(Vec::new()));
        let given = std::sync::Arc::clone(&taken);
        problems.listen(Box::new(move |problem| {
            given.lock().push(problem.to_string())
        }));
        for _ in 0..2 {
            problems.note("", "second");
        }
        assert_eq!(*taken.lock(), ["folder 0x22: first", "second"]);
        assert_eq!((problems.count(), problems.text(&[])), (2, String::new()));
    }
}
