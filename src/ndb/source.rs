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

use std::fmt::Display;
use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use parking_lot::Mutex;

use ahead::Ahead;
pub(super) use ahead::JUMP;
use failure::Failure;
pub use failure::{at_best, partly, whole};
use line_ends::LineEnds;

use super::format::HEADER_SIZE;
use super::pieces::Pieces;
use crate::error::{Error, Result};
use crate::page_cache;

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

/// The opened file and its size in bytes when it was opened.
#[derive(Debug)]
struct Opened {
    file: Arc<File>,
    len: u64,
    /// What was added to the file when it was copied as text, and is left out.
    line_ends: Option<LineEnds>,
    modified: SystemTime,
    /// The first bytes, as they were when the file was opened.
    header: Vec<u8>,
    /// What the system said of the file when its header was last seen unchanged.
    stamp: Mutex<Stamp>,
    changed: AtomicBool,
    ahead: Ahead,
}

/// What a read could not fill.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Ranges of the buffer, ascending; there are zeros.
    pub ranges: Vec<Range<usize>>,
    /// Whether the disk is why, which may answer the next time.
    pub unread: bool,
}

/// What changes when a file is written to: size, and time of the last write and of the last change in seconds and
/// nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            written: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
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
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let mut len = metadata.len();
        if len == 0 && !metadata.is_file() {
            len = io::Seek::seek(&mut &file, io::SeekFrom::End(0))?;
        }
        let length = usize::try_from(len).unwrap_or(HEADER_SIZE);
        let mut header = vec![0; length.min(HEADER_SIZE)];
        file.read_exact_at(&mut header, 0)?;
        page_cache::read_as_asked(&file);
        let opened = Opened {
            ahead: Ahead::new(),
            file: Arc::new(file),
            len,
            line_ends: None,
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            header,
            stamp: Mutex::new(Stamp::of(&metadata)),
            changed: AtomicBool::new(false),
        };
        Ok(Self {
            opened: Arc::new(opened),
            pieces: Arc::new(Pieces::whole(len)),
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
        let Opened { file, len, .. } = &*self.opened;
        let line_ends = LineEnds::of(file, *len, progress)?;
        let len = len - line_ends.added;
        let opened = Opened {
            ahead: Ahead::new(),
            file: Arc::clone(file),
            len,
            line_ends: Some(line_ends),
            modified: self.opened.modified,
            header: self.opened.header.clone(),
            stamp: Mutex::new(*self.opened.stamp.lock()),
            changed: AtomicBool::new(false),
        };
        Some(Self {
            opened: Arc::new(opened),
            pieces: Arc::new(Pieces::whole(len)),
            fills_gaps: self.fills_gaps,
            logged_as: self.logged_as.clone(),
        })
    }

    /// The problem line about what is left out of a file that was copied as text.
    pub fn describe_line_ends(&self) -> Option<String> {
        let LineEnds { added, .. } = self.opened.line_ends.as_ref()?;
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
        let Stamp {
            size,
            written,
            changed,
        } = *self.opened.stamp.lock();
        let numbers = [size as i64, written.0, written.1, changed.0, changed.1];
        let numbers = numbers.iter().flat_map(|number| number.to_le_bytes());
        self.opened.header.iter().copied().chain(numbers).collect()
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
        self.will_need_stretch(at, buf.len());
        let failure = match self.opened.read(buf, at) {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        if self.fills_gaps
            && let Failure::Io { length, .. } = failure
        {
            return self.opened.read(buf, at).map_err(|again| {
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

impl Opened {
    /// Fills `buf` from byte `offset` of the file, where it has so many.
    fn read(&self, buf: &mut [u8], offset: u64) -> std::result::Result<(), Failure> {
        let length = buf.len();
        let read = match &self.line_ends {
            None => self.file.read_exact_at(buf, offset),
            Some(line_ends) => line_ends.read_exact_at(&self.file, buf, offset),
        };
        // After the read: what was there before a change is as good as ever.
        match (self.is_unchanged(), read) {
            (Ok(true), Ok(())) => Ok(()),
            (Ok(false), _) => Err(Failure::Changed),
            (Err(error), _) | (Ok(true), Err(error)) => {
                self.ahead.spare_disk();
                Err(Failure::Io {
                    offset,
                    length,
                    kind: error.kind(),
                    number: error.raw_os_error(),
                })
            }
        }
    }

    /// Where byte `offset` is in the file, within some KiB.
    fn place(&self, offset: u64) -> u64 {
        match &self.line_ends {
            None => offset,
            Some(line_ends) => line_ends.place(offset),
        }
    }

    /// Whether the file is still the one that was opened. Times change for other reasons, too (a new name, other
    /// permissions); then the header decides.
    fn is_unchanged(&self) -> io::Result<bool> {
        if self.changed.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let stamp = Stamp::of(&self.file.metadata()?);
        if stamp == *self.stamp.lock() {
            return Ok(true);
        }
        let mut header = vec![0; self.header.len()];
        let is_cut = stamp.size != 0 && stamp.size < self.len;
        let same = match self.file.read_exact_at(&mut header, 0) {
            Ok(()) => !is_cut && header == self.header,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
            Err(error) => return Err(error),
        };
        if same {
            *self.stamp.lock() = stamp;
        } else {
            self.changed.store(true, Ordering::Relaxed);
        }
        Ok(same)
    }
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
