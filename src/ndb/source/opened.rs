//! The opened file: reads of its bytes as they lie, for as long as no other program writes to it.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use parking_lot::Mutex;

use super::ahead::Ahead;
use super::failure::Failure;
use super::line_ends::LineEnds;
use crate::ndb::format::HEADER_SIZE;
use crate::page_cache;

/// The opened file and its size in bytes when it was opened.
#[derive(Debug)]
pub(super) struct Opened {
    file: Arc<File>,
    /// Without what was added to it.
    pub(super) len: u64,
    /// What was added to the file when it was copied as text, and is left out.
    line_ends: Option<LineEnds>,
    pub(super) modified: SystemTime,
    /// The first bytes, as they were when the file was opened.
    header: Vec<u8>,
    /// What the system said of the file when its header was last seen unchanged.
    stamp: Mutex<Stamp>,
    changed: AtomicBool,
    pub(super) ahead: Ahead,
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

impl Opened {
    /// `file`, which is open for reading; its beginning is read.
    pub(super) fn new(file: File) -> io::Result<Self> {
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
        let file = Arc::new(file);
        Ok(Self {
            ahead: Ahead::new(Arc::clone(&file), len),
            file,
            len,
            line_ends: None,
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            header,
            stamp: Mutex::new(Stamp::of(&metadata)),
            changed: AtomicBool::new(false),
        })
    }

    /// The same file without the CR that a copy as text has put before each LF; None if it was not copied so. Reads the file up to
    /// the first LF that tells, of a copy all of it; of that `progress` is called with the bytes that were read.
    pub(super) fn without_added_line_ends(&self, progress: impl FnMut(u64)) -> Option<Self> {
        let line_ends = LineEnds::of(&self.file, self.len, progress)?;
        Some(Self {
            ahead: Ahead::new(Arc::clone(&self.file), self.len),
            file: Arc::clone(&self.file),
            len: self.len - line_ends.added,
            line_ends: Some(line_ends),
            modified: self.modified,
            header: self.header.clone(),
            stamp: Mutex::new(*self.stamp.lock()),
            changed: AtomicBool::new(false),
        })
    }

    /// Bytes that were added when the file was copied as text; None if it was not.
    pub(super) fn added_line_ends(&self) -> Option<u64> {
        self.line_ends.as_ref().map(|line_ends| line_ends.added)
    }

    /// What tells it from other files and from itself at other times: its header, size, and the times of the last write and of
    /// the last change of its inode.
    pub(super) fn identity(&self) -> Vec<u8> {
        let Stamp {
            size,
            written,
            changed,
        } = *self.stamp.lock();
        let numbers = [size as i64, written.0, written.1, changed.0, changed.1];
        let numbers = numbers.iter().flat_map(|number| number.to_le_bytes());
        self.header.iter().copied().chain(numbers).collect()
    }

    /// Fills `buf` from byte `offset` of the file, where it has so many.
    pub(super) fn read(&self, buf: &mut [u8], offset: u64) -> Result<(), Failure> {
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
    pub(super) fn place(&self, offset: u64) -> u64 {
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
