//! The source file: positioned reads only, no seek, no lock during one, never a write. Where parts of it are not at the
//! offsets at which they were written, it is read by these all the same ([`Pieces`]).
//!
//! Two things can go wrong that are no damage. A disk may fail, and answer the next time: [`whole`] keeps results that
//! lack something for that reason from being taken for the file's. And another program may write to the file:
//! every read looks whether its size or times have changed, and if so, whether the header has, which Outlook writes anew
//! with each change. From then on nothing of the file is read, as old and new parts do not fit together.
//!
//! `export`, `index` and `cat`, which nobody asks a second time, read through a source that tries again and then fills
//! gaps ([`Source::filling_gaps`]), which become problems as missing bytes do; not with `damaged=refuse`. In place of a
//! file that was moved or replaced, the opened one is read, which the system keeps.

mod ahead;
mod failure;
mod line_ends;
mod opened;

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

pub(super) use ahead::JUMP;
use failure::Failure;
pub use failure::{at_best, partly, whole};
use opened::Opened;

use super::pieces::Pieces;
use crate::error::{Error, Result};

/// Bytes that a disk gives at the least.
const SECTOR: usize = 512;

/// The source file, read by the offsets at which its parts were written. A clone is the same opened file.
#[derive(Debug, Clone)]
pub struct Source {
    opened: Arc<Opened>,
    pieces: Arc<Pieces>,
    fills_gaps: bool,
    /// What lines of the log begin with, to tell several files apart.
    logged_as: Option<Arc<str>>,
}

/// What a read could not fill.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Ranges of the buffer, ascending; there are zeros.
    pub ranges: Vec<Range<usize>>,
    /// Whether the disk is why, which may answer the next time.
    pub unread: bool,
}

impl Source {
    /// Opens `path` for reading. Anything but a regular file or a block device is refused with a line for the user.
    pub fn open(path: &Path) -> Result<Self> {
        File::open(path)
            .and_then(Self::of_file)
            .map_err(|source| Error::Open {
                path: path.to_path_buf(),
                source,
            })
    }

    /// The file `file`, which is open for reading.
    pub fn of_file(file: File) -> io::Result<Self> {
        let opened = Opened::new(file)?;
        Ok(Self {
            pieces: Arc::new(Pieces::whole(opened.len)),
            opened: Arc::new(opened),
            fills_gaps: false,
            logged_as: None,
        })
    }

    /// The same file, about which each line of the log begins with `name`.
    pub fn logged_as(mut self, name: &str) -> Self {
        self.logged_as = Some(name.into());
        self
    }

    /// `line` as the log has it.
    pub fn log_line(&self, line: impl Display) -> String {
        match &self.logged_as {
            Some(name) => format!("{name}: {line}"),
            None => line.to_string(),
        }
    }

    /// The same file, of which a gap takes the place of what the disk does not give when it is asked again: for those who
    /// read all of it once, and go on to the end.
    pub fn filling_gaps(mut self) -> Self {
        self.fills_gaps = true;
        self
    }

    /// The same file without the CR that a copy as text has put before each LF; None if it was not copied so. Reads the file up to
    /// the first LF that tells, of a copy all of it; of that `progress` is called with the bytes that were read.
    pub fn without_added_line_ends(&self, progress: impl FnMut(u64)) -> Option<Self> {
        let opened = self.opened.without_added_line_ends(progress)?;
        Some(Self {
            pieces: Arc::new(Pieces::whole(opened.len)),
            opened: Arc::new(opened),
            fills_gaps: self.fills_gaps,
            logged_as: self.logged_as.clone(),
        })
    }

    /// The problem line about what is left out of a file that was copied as text.
    pub fn describe_line_ends(&self) -> Option<String> {
        let added = self.opened.added_line_ends()?;
        Some(format!(
            "a CR stands before each LF of the file: it was copied as text, as FTP does in ASCII mode; read without the {added} bytes \
             that this has added"
        ))
    }

    /// The same file, read by way of `pieces`.
    pub fn with_pieces(&self, pieces: Pieces) -> Self {
        Self {
            opened: Arc::clone(&self.opened),
            pieces: Arc::new(pieces),
            fills_gaps: self.fills_gaps,
            logged_as: self.logged_as.clone(),
        }
    }

    /// The same file by the offsets at which its bytes are now.
    pub fn as_it_lies(&self) -> Self {
        self.with_pieces(Pieces::whole(self.opened.len))
    }

    /// Where its parts are.
    pub fn pieces(&self) -> &Pieces {
        &self.pieces
    }

    /// Size in bytes, as it was written: lost stretches count.
    pub fn len(&self) -> u64 {
        self.pieces.len()
    }

    /// Bytes of it that are there, in proportion to which work and memory may be: lost stretches do not count.
    pub fn stored_len(&self) -> u64 {
        self.pieces.stored_len()
    }

    /// Whether nothing is in the file.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Modification time of the file when it was opened.
    pub fn modified(&self) -> SystemTime {
        self.opened.modified
    }

    /// What tells it from other files and from itself at other times: its header, size, and the times of the last write and of
    /// the last change of its inode.
    pub fn identity(&self) -> Vec<u8> {
        self.opened.identity()
    }

    /// Fills `buf` from byte `offset`. A place behind the end of the file, or in a stretch that is lost, is damage of
    /// whatever led there.
    pub fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let length = buf.len() as u64;
        let Some(wanted) = self.range(offset, length) else {
            return Err(Error::corrupt(
                "file",
                format_args!("offset {offset:#x}"),
                format_args!(
                    "expected {length} bytes, the file ends at offset {:#x}",
                    self.len()
                ),
            ));
        };
        for (part, at) in self.pieces.parts(wanted) {
            let Some(at) = at else {
                return Err(Error::corrupt(
                    "file",
                    format_args!("offset {offset:#x}"),
                    format_args!(
                        "expected {length} bytes, those from {:#x} to {:#x} are lost",
                        part.start, part.end
                    ),
                ));
            };
            self.read_part(part_of(buf, &part, offset), at)?;
        }
        Ok(())
    }

    /// Fills `buf` from byte `offset` with what there is, and zeros where bytes are lost or behind the end of the file, or,
    /// if gaps are to be filled ([`Source::filling_gaps`]), where the disk does not give them. A place where nothing can be
    /// had is an error, unless a gap that the disk left was to be filled.
    pub fn read_with_gaps(&self, buf: &mut [u8], offset: u64) -> Result<Gaps> {
        let mut gaps = Gaps::default();
        let Some(end) = offset.checked_add(buf.len() as u64) else {
            return self.read_exact_at(buf, offset).map(|()| gaps);
        };
        for (part, at) in self.pieces.parts(offset..end) {
            let start = usize::try_from(part.start - offset).unwrap_or(usize::MAX);
            let bytes = part_of(buf, &part, offset);
            match at.map(|at| (at, self.read_part(bytes, at))) {
                Some((_, Ok(()))) => {}
                Some((at, Err(Error::Corrupt(_)))) => {
                    let lost = self.read_by_sectors(bytes, at);
                    gaps.unread |= !lost.is_empty();
                    let lost = lost.into_iter();
                    gaps.ranges
                        .extend(lost.map(|gap| start + gap.start..start + gap.end));
                }
                Some((_, Err(error))) => return Err(error),
                None => {
                    bytes.fill(0);
                    gaps.ranges.push(start..start + bytes.len());
                }
            }
        }
        let lost: usize = gaps.ranges.iter().map(Range::len).sum();
        if lost < buf.len() || gaps.unread {
            return Ok(gaps);
        }
        self.read_exact_at(buf, offset).map(|()| Gaps::default())
    }

    /// Reads bytes that are at `at` in the file now. What the disk does not give is damage if gaps are to be filled.
    fn read_part(&self, buf: &mut [u8], at: u64) -> Result<()> {
        let opened = &self.opened;
        opened.ahead.read_stretch(opened.place(at), buf.len());
        let failure = match opened.read(buf, at) {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        if self.fills_gaps
            && let Failure::Io { length, .. } = failure
        {
            return opened.read(buf, at).map_err(|again| {
                Error::corrupt(
                    "file",
                    format_args!("offset {at:#x}"),
                    format_args!(
                        "the disk cannot read {length} bytes: {}",
                        Error::from(again)
                    ),
                )
            });
        }
        failure::note(failure);
        Err(failure.into())
    }

    /// Reads what can be read, a sector at a time; the rest is zeros, whose ranges are returned.
    fn read_by_sectors(&self, buf: &mut [u8], at: u64) -> Vec<Range<usize>> {
        let length = buf.len();
        let mut lost: Vec<Range<usize>> = Vec::new();
        let mut start = 0;
        while start < length {
            let place = at + start as u64;
            let to_boundary = SECTOR - (place % SECTOR as u64) as usize;
            let end = length.min(start + to_boundary);
            let sector = buf.get_mut(start..end).unwrap_or_default();
            if self.opened.read(sector, place).is_err() {
                sector.fill(0);
                match lost.last_mut() {
                    Some(last) if last.end == start => last.end = end,
                    _ => lost.push(start..end),
                }
            }
            start = end;
        }
        lost
    }

    /// Whether anything is gained by reading ahead: not if the file is in memory, or cannot be kept there, or if its disk fails.
    pub(super) fn reads_ahead(&self) -> bool {
        self.opened.ahead.pays()
    }

    /// Bytes that may be read ahead at a time.
    pub(super) fn budget(&self) -> u64 {
        self.opened.ahead.budget()
    }

    /// Reads these parts of the file, in its order. What lies between neighbours is read along with them, the smallest gaps
    /// first, as far as the budget allows.
    pub(super) fn will_need(&self, wanted: impl Iterator<Item = Range<u64>>) {
        self.opened.ahead.read(&self.missing(wanted));
    }

    /// As [`Source::will_need`], of short parts near which the next ones probably lie: with what is around each, if the budget
    /// allows that.
    pub(super) fn will_need_around(&self, wanted: impl Iterator<Item = Range<u64>>) {
        self.opened.ahead.read_around(self.missing(wanted));
    }

    /// Reads all of the file in its order, if it fits into the memory that is free and `pays` is true: for those who will read
    /// most of it. It is over before they begin, as their reads would have the disk jump to and fro between the two. Of a
    /// larger file they have to ask for what they need next.
    pub(super) fn will_read_all(&self, pays: impl FnOnce() -> bool) {
        self.opened.ahead.read_all(pays);
    }

    /// Where these parts are in the file now, in its order; those that are in memory are left out.
    fn missing(&self, wanted: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
        let opened = &self.opened;
        let mut places: Vec<Range<u64>> = wanted
            .filter_map(|wanted| {
                let length = wanted.end.saturating_sub(wanted.start);
                let (_, at) = self.pieces.parts(wanted).next()?;
                let (start, end) = (at?, at?.saturating_add(length));
                let place = opened.place(start)..opened.place(end.min(opened.len));
                (!opened.ahead.has_in_memory(&place)).then_some(place)
            })
            .collect();
        places.sort_unstable_by_key(|place| place.start);
        places
    }

    /// `length` bytes from `offset`; None if the file ends before.
    fn range(&self, offset: u64, length: u64) -> Option<Range<u64>> {
        let end = offset.checked_add(length)?;
        (end <= self.len()).then_some(offset..end)
    }
}

/// The bytes of `part` in `buf`, which begins at `offset`.
fn part_of<'a>(buf: &'a mut [u8], part: &Range<u64>, offset: u64) -> &'a mut [u8] {
    let index = |at: u64| usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX);
    buf.get_mut(index(part.start)..index(part.end))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ndb::pieces::Piece;
    use std::fs;

    fn source(content: &[u8]) -> (tempfile::NamedTempFile, Source) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        let source = Source::open(file.path()).unwrap();
        (file, source)
    }

    fn first_byte(source: &Source) -> Result<u8> {
        let mut byte = [0];
        source.read_exact_at(&mut byte, 0).map(|()| byte[0])
    }

    #[test]
    fn a_read_ends_with_the_file_at_the_latest() {
        let (_file, source) = source(b"0123456789");
        let mut bytes = [0; 4];
        assert!(source.read_exact_at(&mut bytes, 6).is_ok());
        assert_eq!(&bytes, b"6789");
        assert!(source.read_exact_at(&mut bytes, 7).is_err());
        let mut bytes = [1; 4];
        let gaps = source.read_with_gaps(&mut bytes, 6).unwrap();
        assert!(gaps.ranges.is_empty());
        assert_eq!(&bytes, b"6789");
        let gaps = source.read_with_gaps(&mut bytes, 7).unwrap();
        assert_eq!((&bytes, gaps.ranges.first()), (b"789\0", Some(&(3..4))));
        assert!(source.read_with_gaps(&mut bytes, 10).is_err());
    }

    #[test]
    fn a_file_that_another_program_writes_to_is_not_read_any_more() {
        for change in [
            |path: &Path| {
                File::options()
                    .write(true)
                    .open(path)
                    .unwrap()
                    .set_len(1000)
                    .unwrap()
            },
            |path: &Path| fs::write(path, [8; 2000]).unwrap(),
            |path: &Path| fs::write(path, []).unwrap(),
        ] {
            let (file, source) = source(&[7; 2000]);
            assert_eq!(first_byte(&source).unwrap(), 7);
            // Longer than a tick of the clock that stamps files.
            std::thread::sleep(std::time::Duration::from_millis(20));
            change(file.path());
            assert!(matches!(first_byte(&source), Err(Error::Changed)));
            fs::write(file.path(), [7; 2000]).unwrap();
            assert!(matches!(first_byte(&source), Err(Error::Changed)));
        }
    }

    #[test]
    fn a_file_may_get_another_name_time_or_successor() {
        let (file, source) = source(&[7; 2000]);
        let moved = file.path().with_extension("moved");
        fs::rename(file.path(), &moved).unwrap();
        assert_eq!(first_byte(&source).unwrap(), 7);
        fs::write(file.path(), [8; 2000]).unwrap();
        assert_eq!(first_byte(&source).unwrap(), 7);
        File::options()
            .write(true)
            .open(&moved)
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
        assert_eq!(first_byte(&source).unwrap(), 7);
        fs::remove_file(moved).unwrap();
        assert_eq!(first_byte(&source).unwrap(), 7);
    }

    #[test]
    fn a_failure_that_was_gone_around_is_one_of_the_whole() {
        let (file, source) = source(&[7; 2000]);
        let around = || Ok(first_byte(&source).unwrap_or(0));
        assert_eq!(whole(around).unwrap(), 7);
        fs::write(file.path(), [8; 2000]).unwrap();
        assert!(matches!(whole(around), Err(Error::Changed)));
        assert!(matches!(
            whole(|| whole(around).or(Ok(1))),
            Err(Error::Changed)
        ));
        assert_eq!(whole(|| partly(around)).unwrap(), 0);
    }

    #[test]
    fn a_shifted_file_is_read_by_its_original_offsets_and_says_what_it_lacks() {
        let content: Vec<u8> = (0..100).collect();
        let (_file, source) = source(&content);
        let piece = |original, at| Piece { original, at };
        // Ten bytes in front, twenty lost in the middle.
        let shifted = source.with_pieces(Pieces::new(vec![piece(0..50, 10), piece(70..110, 60)]));
        assert_eq!(shifted.len(), 110);
        let mut buf = [0xFF; 10];
        shifted.read_exact_at(&mut buf, 70).unwrap();
        assert_eq!(buf, [60, 61, 62, 63, 64, 65, 66, 67, 68, 69]);
        let lost = shifted.read_exact_at(&mut buf, 45).unwrap_err();
        assert!(lost.to_string().contains("0x32 to 0x37 are lost"), "{lost}");
        assert!(!lost.is_unread());
        let gaps = shifted.read_with_gaps(&mut buf, 45).unwrap();
        assert!(
            matches!(&*gaps.ranges, [gap] if *gap == (5..10)),
            "{gaps:?}"
        );
        assert_eq!(buf, [55, 56, 57, 58, 59, 0, 0, 0, 0, 0]);
        let gaps = shifted.read_with_gaps(&mut buf, 105).unwrap();
        assert!(
            matches!(&*gaps.ranges, [gap] if *gap == (5..10)),
            "{gaps:?}"
        );
        assert_eq!(buf, [95, 96, 97, 98, 99, 0, 0, 0, 0, 0]);
        assert_eq!(shifted.as_it_lies().len(), 100);
    }
}
