//! The source file: positioned reads only, no seek, no lock, never a write.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::SystemTime;

use crate::error::{Error, Result};

/// The opened source file and its size in bytes when it was opened.
#[derive(Debug)]
pub struct Source {
    file: File,
    len: u64,
    modified: SystemTime,
}

impl Source {
    /// Opens `path` for reading. Anything but a regular file or a block device is refused with a line for the user.
    pub fn open(path: &Path) -> Result<Self> {
        File::open(path)
            .and_then(Self::new)
            .map_err(|source| Error::Open {
                path: path.to_path_buf(),
                source,
            })
    }

    fn new(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let mut len = metadata.len();
        if len == 0 && !metadata.is_file() {
            len = io::Seek::seek(&mut &file, io::SeekFrom::End(0))?;
        }
        Ok(Self {
            file,
            len,
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        })
    }

    /// Size in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing is in the file.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Modification time of the file when it was opened.
    pub fn modified(&self) -> SystemTime {
        self.modified
    }

    /// Fills `buf` from byte `offset`; a read past the end of the file is an error.
    pub fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        self.file
            .read_exact_at(buf, offset)
            .map_err(|source| Error::Io {
                offset,
                length: buf.len(),
                source,
            })
    }
}
