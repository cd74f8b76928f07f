//! The files of a directory, read one after another: as a copy of it does.
//!
//! Nothing is guessed of whoever reads here and there. Only when some files were begun, none of which was expected, is the last of
//! them looked for in its directory; the files that are listed after it are expected from then on, and their beginnings read. If others
//! are begun instead, it is not looked for again so soon: programs may read in another order.

use std::collections::VecDeque;

use super::content::{Content, WINDOW};
use crate::tree::Ino;

/// Files that are expected.
pub(super) const UPCOMING: usize = 16;
/// Bytes of files that are expected, at the most, and one window.
const PREPARED: usize = 2 << 20;
/// Files begun, none of which was expected, after which a directory is looked at; and at the most, after it was in vain.
const PATIENCE: usize = 4;
const MAX_PATIENCE: usize = 4096;

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Step {
    /// The beginning of a file that nobody has asked for is read.
    Begin(Ino),
    /// The files that are listed after this one are found.
    Follow(Ino),
}

/// A file that will be begun, and what was read of its beginning.
#[derive(Debug)]
struct Upcoming {
    ino: Ino,
    content: Content,
}

/// What is known of a reader of a directory.
#[derive(Debug)]
pub(super) struct Run {
    upcoming: VecDeque<Upcoming>,
    /// The file after which the listing is to be looked at.
    after: Option<Ino>,
    /// The file after which somebody is looking at it.
    looking: Option<Ino>,
    /// Files begun that were expected, since a directory was looked at for one that was not.
    expected: usize,
    /// Files begun since the last one that was expected.
    unexpected: usize,
    patience: usize,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            upcoming: VecDeque::new(),
            after: None,
            looking: None,
            expected: 0,
            unexpected: 0,
            patience: PATIENCE,
        }
    }
}

impl Run {
    /// The file `ino` is begun. Returns what was read of it, or is being read.
    pub(super) fn begin(&mut self, ino: Ino) -> Option<Content> {
        let Some(position) = self.upcoming.iter().position(|file| file.ino == ino) else {
            self.begin_unexpected(ino);
            return None;
        };
        self.unexpected = 0;
        self.expected += 1;
        self.upcoming.drain(..position);
        let file = self.upcoming.pop_front()?;
        if self.upcoming.len() <= UPCOMING / 2 && self.looking.is_none() {
            self.after = Some(self.upcoming.back().map_or(ino, |last| last.ino));
        }
        Some(file.content).filter(|content| !content.is_planned())
    }

    fn begin_unexpected(&mut self, ino: Ino) {
        self.unexpected += 1;
        if self.unexpected < self.patience {
            return;
        }
        let was_in_vain = self.expected < UPCOMING && !self.upcoming.is_empty();
        self.patience = match was_in_vain {
            true => (2 * self.patience).min(MAX_PATIENCE),
            false => PATIENCE,
        };
        self.unexpected = 0;
        self.expected = 0;
        self.upcoming.clear();
        self.after = Some(ino);
    }

    /// `files` are listed after `after`.
    pub(super) fn follow(&mut self, after: Ino, files: Vec<Ino>) {
        if self.looking != Some(after) {
            return;
        }
        self.looking = None;
        let new = |ino| Upcoming {
            ino,
            content: Content::Planned,
        };
        self.upcoming.extend(files.into_iter().map(new));
    }

    /// What is known of the beginning of a file that is expected.
    pub(super) fn content(&mut self, ino: Ino) -> Option<&mut Content> {
        let mut upcoming = self.upcoming.iter_mut();
        let file = upcoming.find(|file| file.ino == ino)?;
        Some(&mut file.content)
    }

    /// Whether there is something to do.
    pub(super) fn has_step(&self) -> bool {
        self.after.is_some() || self.has_room()
    }

    fn has_room(&self) -> bool {
        let bytes = |file: &Upcoming| match &file.content {
            Content::Planned => 0,
            Content::InWork => WINDOW,
            Content::Made(bytes) => bytes.len(),
        };
        self.upcoming.iter().any(|file| file.content.is_planned())
            && self.upcoming.iter().map(bytes).sum::<usize>() < PREPARED
    }

    /// Takes a step on.
    pub(super) fn step(&mut self) -> Option<Step> {
        if let Some(file) = self.after.take() {
            self.looking = Some(file);
            return Some(Step::Follow(file));
        }
        if !self.has_room() {
            return None;
        }
        let mut upcoming = self.upcoming.iter_mut();
        let file = upcoming.find(|file| file.content.is_planned())?;
        file.content = Content::InWork;
        Some(Step::Begin(file.ino))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn file(number: u64) -> Ino {
        Ino(1000 + number)
    }

    /// Who reads a directory of so many files: the listing is asked for as soon as that is wanted, and all is read at once.
    struct Reader {
        run: Run,
        files: u64,
        /// How often a directory was looked at.
        looks: usize,
        /// Files of which the beginning was read before they were begun, and those of which it was read in all.
        ready: usize,
        read: usize,
    }

    impl Reader {
        fn new(files: u64) -> Self {
            Self {
                run: Run::default(),
                files,
                looks: 0,
                ready: 0,
                read: 0,
            }
        }

        fn begin(&mut self, number: u64) {
            let content = self.run.begin(file(number));
            self.ready += usize::from(matches!(content, Some(Content::Made(_))));
            while let Some(step) = self.run.step() {
                match step {
                    Step::Follow(after) => {
                        self.looks += 1;
                        let listed = (after.0 - 1000 + 1..self.files).map(file);
                        self.run.follow(after, listed.take(UPCOMING).collect());
                    }
                    Step::Begin(file) => {
                        self.read += 1;
                        *self.run.content(file).unwrap() =
                            Content::Made(Arc::new(vec![0; 100_000]));
                    }
                }
            }
            let bytes = |file: &Upcoming| match &file.content {
                Content::Made(bytes) => bytes.len(),
                _ => 0,
            };
            let bytes: usize = self.run.upcoming.iter().map(bytes).sum();
            assert!(bytes < PREPARED + WINDOW, "{bytes}");
        }
    }

    #[test]
    fn who_reads_file_after_file_finds_all_but_the_first_ones_ready() {
        let mut reader = Reader::new(1000);
        (0..1000).for_each(|number| reader.begin(number));
        assert_eq!((reader.ready, reader.read), (996, 996));
        assert!(
            reader.looks <= 1000 / (UPCOMING / 2) + 1,
            "{}",
            reader.looks
        );
    }

    #[test]
    fn a_file_that_is_skipped_or_of_another_directory_ends_no_run() {
        let mut reader = Reader::new(1000);
        for number in 0..500 {
            reader.begin(2 * number);
            if number % 3 == 0 {
                reader.begin(10_000 + number);
            }
        }
        assert_eq!(reader.ready, 500 - 3);
    }

    #[test]
    fn nothing_is_read_for_who_looks_at_a_few_files_and_little_for_who_reads_in_another_order() {
        let mut reader = Reader::new(1000);
        [5, 900, 17]
            .into_iter()
            .for_each(|number| reader.begin(number));
        assert_eq!(reader.read, 0);
        let mut reader = Reader::new(1000);
        (0..1000).rev().for_each(|number| reader.begin(number));
        assert!(reader.looks <= 9, "{}", reader.looks);
        assert!(reader.read <= 9 * UPCOMING, "{}", reader.read);
    }

    #[test]
    fn the_next_directory_is_found_after_the_last_file_of_one() {
        let mut reader = Reader::new(10);
        (0..10).for_each(|number| reader.begin(number));
        assert_eq!(reader.ready, 6);
        reader.files = 120;
        (100..120).for_each(|number| reader.begin(number));
        assert_eq!(reader.ready, 6 + 16);
    }

    #[test]
    fn a_directory_that_was_looked_at_too_late_is_not_followed() {
        let mut run = Run::default();
        let begin = |run: &mut Run, numbers: std::ops::Range<u64>| {
            numbers.for_each(|number| assert!(run.begin(file(number)).is_none()));
        };
        begin(&mut run, 0..4);
        assert!(matches!(run.step(), Some(Step::Follow(_))));
        begin(&mut run, 100..104);
        assert!(matches!(run.step(), Some(Step::Follow(_))));
        run.follow(file(3), vec![file(4)]);
        assert!(run.upcoming.is_empty());
        run.follow(file(103), vec![file(104)]);
        assert!(run.begin(file(104)).is_none() && run.expected == 1);
    }
}
