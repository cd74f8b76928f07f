//! Attributes of what the tree shows.
//!
//! Directories have `st_nlink` 1: to count subdirectories would mean to list them, and 1 makes `find` not rely on it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::ino::{Ino, Kind};
use crate::ltp::FileTime;

/// Attributes of an inode; owner and mode belong to the mount, not to the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attr {
    /// Its number.
    pub ino: Ino,
    /// Its kind.
    pub kind: Kind,
    /// Exact size in bytes of a file or link target; 0 for a directory.
    pub size: u64,
    /// Always 1: counting subdirectories would mean to list them, and 1 tells `find` not to rely on it.
    pub nlink: u32,
    /// Time of the message (delivery, else submit, else creation).
    pub mtime: SystemTime,
    /// Last modification in Outlook.
    pub ctime: SystemTime,
    /// Creation in Outlook.
    pub btime: SystemTime,
    /// Whether size and content can change while mounted, or it may have to be looked up again: true of
    /// `.ostfs/problems.txt`, and of the directories of `.ostfs/search`.
    pub changing: bool,
}

impl Attr {
    /// Of something that does not change.
    pub(super) fn new(ino: Ino, kind: Kind, size: u64, times: Times) -> Self {
        Self {
            ino,
            kind,
            size,
            nlink: 1,
            mtime: times.mtime,
            ctime: times.ctime,
            btime: times.btime,
            changing: false,
        }
    }
}

/// The three times of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub mtime: SystemTime,
    pub ctime: SystemTime,
    pub btime: SystemTime,
}

impl Times {
    /// In nanoseconds since 1970, mtime first; None outside the years 1678 to 2262.
    pub fn nanoseconds(self) -> Option<[i64; 3]> {
        Some([
            nanoseconds(self.mtime)?,
            nanoseconds(self.ctime)?,
            nanoseconds(self.btime)?,
        ])
    }

    /// As [`Times::nanoseconds`] has them.
    pub fn of_nanoseconds(times: [i64; 3]) -> Self {
        let [mtime, ctime, btime] = times.map(system_time);
        Self {
            mtime,
            ctime,
            btime,
        }
    }

    /// The times of an attachment that has such of its own, and else those of its message.
    pub fn of_file(self, created: Option<FileTime>, modified: Option<FileTime>) -> Self {
        let time = |time: Option<FileTime>| time.map(FileTime::system_time);
        let changed = time(modified.or(created));
        Self {
            mtime: changed.unwrap_or(self.mtime),
            ctime: changed.unwrap_or(self.ctime),
            btime: time(created).unwrap_or(self.btime),
        }
    }

    /// All three are `time`.
    pub fn all(time: SystemTime) -> Self {
        Self {
            mtime: time,
            ctime: time,
            btime: time,
        }
    }
}

/// Figures for `statfs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Size of the source file in bytes.
    pub bytes: u64,
    /// Messages that the file has ever held, as its header counts them: known without a walk.
    pub files: u64,
}

fn nanoseconds(time: SystemTime) -> Option<i64> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).ok(),
        Err(before) => i64::try_from(before.duration().as_nanos())
            .ok()
            .map(|before| -before),
    }
}

fn system_time(nanoseconds: i64) -> SystemTime {
    let distance = Duration::from_nanos(nanoseconds.unsigned_abs());
    if nanoseconds < 0 {
        UNIX_EPOCH - distance
    } else {
        UNIX_EPOCH + distance
    }
}
