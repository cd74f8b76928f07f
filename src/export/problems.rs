//! The list of all problems of an export: sorted, each line once, whatever the number of threads and of problems.
//!
//! Lines are gathered in memory up to a bound, then written as a sorted run into a file without a name, in the target
//! directory if there is one; at the end the runs are merged.
//!
//! The bound is 2 MiB; a run takes 4 KiB while it is merged. During an export the tree keeps no lines itself; during a
//! mount it keeps 2 MiB, and counts the rest.
#![forbid(unsafe_code)]

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

/// Bytes of lines that are gathered in memory before they become a run.
const MAX_GATHERED: usize = 2 << 20;
/// Bytes of memory that a line takes beside its text.
const OVERHEAD: usize = 64;
/// Bytes of each run that are in memory while they are merged.
const READ_AHEAD: usize = 4 << 10;
/// The file of runs, for the moment in which it has a name.
const SPILL: &str = ".ostfs-problems.tmp";

/// Lines on their way into the list. Any thread may add some. Takes 2 MiB of memory, and at the end 4 KiB for each 2 MiB
/// of all lines.
#[derive(Debug)]
pub struct ProblemLines {
    gathered: Mutex<Gathered>,
    /// Where runs may be written, if there is no file for them yet.
    directory: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct Gathered {
    lines: BTreeSet<String>,
    size: usize,
    /// The runs, and where each of them is.
    spill: Option<Arc<File>>,
    runs: Vec<Range<u64>>,
    /// Lines that could not be kept, and why.
    lost: Option<(u64, io::Error)>,
}

impl ProblemLines {
    /// None yet. Long lists need room in `directory`.
    pub fn new(directory: &Path) -> Self {
        Self {
            gathered: Mutex::default(),
            directory: Some(directory.to_path_buf()),
        }
    }

    /// None yet. Long lists need `spill`, an empty file.
    pub fn spilling_into(spill: Option<File>) -> Self {
        Self {
            gathered: Mutex::new(Gathered {
                spill: spill.map(Arc::new),
                ..Gathered::default()
            }),
            directory: None,
        }
    }

    /// Adds a line, unless it is there already.
    pub fn add(&self, line: String) {
        let mut gathered = self.gathered.lock();
        let size = line.len() + OVERHEAD;
        if !gathered.lines.insert(line) {
            return;
        }
        gathered.size += size;
        if gathered.size > MAX_GATHERED {
            let lines = std::mem::take(&mut gathered.lines);
            gathered.size = 0;
            if let Err(error) = gathered.write_run(&lines, self.directory.as_deref()) {
                let (lost, _) = gathered.lost.get_or_insert((0, error));
                *lost += lines.len() as u64;
            }
        }
    }

    /// Writes the list to `out`, a problem on a line; returns how many there are. No line is added meanwhile.
    pub fn write(&self, out: &mut impl Write) -> io::Result<u64> {
        let gathered = std::mem::take(&mut *self.gathered.lock());
        let count = gathered.write(out);
        *self.gathered.lock() = gathered;
        count
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        let gathered = self.gathered.lock();
        gathered.lines.is_empty() && gathered.runs.is_empty() && gathered.lost.is_none()
    }
}

impl Gathered {
    fn write(&self, out: &mut impl Write) -> io::Result<u64> {
        let mut sources: Vec<Lines<'_>> = Vec::new();
        if let Some(spill) = &self.spill {
            sources.extend(self.runs.iter().map(|range| -> Lines<'_> {
                let (file, range) = (Arc::clone(spill), range.clone());
                Box::new(BufReader::with_capacity(READ_AHEAD, Run { file, range }).lines())
            }));
        }
        sources.push(Box::new(self.lines.iter().cloned().map(Ok)));
        let mut count = merge(sources, out)?;
        if let Some((lost, error)) = &self.lost {
            writeln!(
                out,
                "... and {lost} more, for which there was no room: {error}"
            )?;
            count += lost;
        }
        Ok(count)
    }

    fn write_run(&mut self, lines: &BTreeSet<String>, directory: Option<&Path>) -> io::Result<()> {
        let file = match (&self.spill, directory) {
            (Some(file), _) => Arc::clone(file),
            (None, Some(directory)) => {
                Arc::clone(self.spill.insert(Arc::new(nameless(directory)?)))
            }
            (None, None) => return Err(io::ErrorKind::StorageFull.into()),
        };
        let start = self.runs.last().map_or(0, |run| run.end);
        let mut text = lines
            .iter()
            .fold(String::new(), |text, line| text + line + "\n");
        file.write_all_at(text.as_bytes(), start)?;
        let end = start + text.len() as u64;
        text.clear();
        self.runs.push(start..end);
        Ok(())
    }
}

/// A file that is gone when it is closed.
fn nameless(directory: &Path) -> io::Result<File> {
    let path = directory.join(SPILL);
    // What a process left that was killed between the two steps.
    fs::remove_file(&path).ok();
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

/// Lines that ascend.
type Lines<'a> = Box<dyn Iterator<Item = io::Result<String>> + 'a>;

/// A part of a file.
struct Run {
    file: Arc<File>,
    range: Range<u64>,
}

impl Read for Run {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX);
        let size = left.min(buffer.len());
        let read = self
            .file
            .read_at(buffer.get_mut(..size).unwrap_or_default(), self.range.start)?;
        self.range.start += read as u64;
        Ok(read)
    }
}

/// Writes the lines of `sources`, each of which ascends, in order and each once; returns how many.
fn merge(mut sources: Vec<Lines<'_>>, out: &mut impl Write) -> io::Result<u64> {
    let mut heap = BinaryHeap::new();
    for (number, source) in sources.iter_mut().enumerate() {
        if let Some(line) = source.next().transpose()? {
            heap.push(Reverse((line, number)));
        }
    }
    let mut count = 0;
    let mut last = None;
    while let Some(Reverse((line, number))) = heap.pop() {
        if let Some(next) = sources
            .get_mut(number)
            .and_then(Iterator::next)
            .transpose()?
        {
            heap.push(Reverse((next, number)));
        }
        if last.as_ref() != Some(&line) {
            writeln!(out, "{line}")?;
            count += 1;
            last = Some(line);
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: impl IntoIterator<Item = String>) -> (String, u64) {
        let directory = tempfile::TempDir::new().unwrap();
        let problems = ProblemLines::new(directory.path());
        lines.into_iter().for_each(|line| problems.add(line));
        let mut text = Vec::new();
        let count = problems.write(&mut text).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        (String::from_utf8(text).unwrap(), count)
    }

    #[test]
    fn lines_come_out_sorted_and_once_whatever_their_order_and_number() {
        // Some five runs.
        let line = |number: usize| {
            format!(
                "message {:#09x}: {}",
                number * 7919 % 100_000,
                "x".repeat(20)
            )
        };
        let (ascending, count) = text((0..100_000).map(line));
        let twice = (0..100_000).rev().chain(0..50_000);
        assert_eq!(text(twice.map(line)), (ascending.clone(), count));
        assert_eq!(count, 100_000);
        assert!(ascending.lines().is_sorted());
    }

    #[test]
    fn where_there_is_no_room_the_list_says_how_much_it_lacks() {
        let problems = ProblemLines::new(Path::new("/nowhere"));
        for number in 0..30_000 {
            problems.add(format!("{number:0100}"));
        }
        let mut text = Vec::new();
        assert_eq!(problems.write(&mut text).unwrap(), 30_000);
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.lines()
                .last()
                .unwrap()
                .contains("more, for which there was no room")
        );
    }
}
