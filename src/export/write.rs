//! One file, link or directory on disk.
#![forbid(unsafe_code)]

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::manifest::hexadecimal;
use super::progress::{Failed, Progress};
use crate::error::Error;
use crate::tree::{Attr, Forest, Ino, Kind};

/// Bytes read and written at a time: what stays in the cache of a processor between the two.
pub(super) const CHUNK: usize = 256 << 10;

/// One file or link to write.
pub(super) struct Task<'a> {
    pub(super) forest: &'a Forest,
    pub(super) ino: Ino,
    pub(super) kind: Kind,
    /// None if it is only looked at.
    pub(super) path: Option<&'a Path>,
    /// An earlier export may have written it.
    pub(super) may_be_there: bool,
    /// Whether its bytes are read even if nothing is written, for their hash.
    pub(super) hash: bool,
}

/// What was written.
pub(super) struct Written {
    /// The file, or the one that took its place.
    pub(super) ino: Ino,
    /// Bytes.
    pub(super) size: u64,
    /// Empty if it was not asked for.
    pub(super) sha256: String,
}

impl Task<'_> {
    /// Does it.
    pub(super) fn run(&self, buffer: &mut [u8], progress: &Progress) -> Result<Written, Failed> {
        if self.kind == Kind::Symlink {
            return self.link();
        }
        let attr = self.forest.attr(self.ino)?;
        let Some(path) = self.path else {
            return self.look(attr, buffer, progress);
        };
        if self.may_be_there && is_there(path, &attr) {
            Progress::add(&progress.kept, 1);
            return self.kept(path, &attr, buffer);
        }
        self.file(path, attr, buffer, progress)
    }

    fn link(&self) -> Result<Written, Failed> {
        let target = self.forest.read_link(self.ino)?;
        if let Some(path) = self.path {
            match symlink(&target, path) {
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists
                        && fs::read_link(path)
                            .is_ok_and(|present| present.as_os_str() == target.as_str()) => {}
                other => other?,
            }
        }
        Ok(Written {
            ino: self.ino,
            size: target.len() as u64,
            sha256: String::new(),
        })
    }

    fn file(
        &self,
        path: &Path,
        mut attr: Attr,
        buffer: &mut [u8],
        progress: &Progress,
    ) -> Result<Written, Failed> {
        // An existing link must not lead the bytes elsewhere.
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .custom_flags(libc::O_NOFOLLOW)
            .open(path)?;
        let mut sum = Sum::new(self.hash);
        let mut copied = self.copy(&attr, buffer, &mut sum, |bytes| {
            Progress::add(&progress.bytes, bytes.len() as u64);
            (&file).write_all(bytes)
        });
        // A message in which an attachment turned out damaged has a file in its place that says so.
        if matches!(copied, Ok(()) | Err(Failed::Read(_)))
            && let Some(replacement) = self.forest.replacement(self.ino)
        {
            attr = self.forest.attr(replacement)?;
            file.set_len(0)?;
            file.rewind()?;
            sum = Sum::new(self.hash);
            copied = self.copy(&attr, buffer, &mut sum, |bytes| {
                Progress::add(&progress.bytes, bytes.len() as u64);
                (&file).write_all(bytes)
            });
        }
        let copied = copied.and_then(|()| Ok(set_times(&file, &attr)?));
        if let Err(error) = copied {
            // What is there is not the file; that it cannot be removed is no other failure than the one reported.
            fs::remove_file(path).ok();
            return Err(error);
        }
        Ok(sum.written(&attr))
    }

    /// The file as it would be written; read only if its hash is wanted.
    fn look(
        &self,
        mut attr: Attr,
        buffer: &mut [u8],
        progress: &Progress,
    ) -> Result<Written, Failed> {
        let mut sum = Sum::new(self.hash);
        let go_on = |_: &[u8]| match progress.is_abandoned() {
            true => Err(io::ErrorKind::BrokenPipe.into()),
            false => Ok(()),
        };
        if self.hash {
            let mut read = self.copy(&attr, buffer, &mut sum, go_on);
            if let Some(replacement) = self.forest.replacement(self.ino) {
                attr = self.forest.attr(replacement)?;
                sum = Sum::new(true);
                read = self.copy(&attr, buffer, &mut sum, go_on);
            }
            read?;
        }
        Ok(sum.written(&attr))
    }

    /// A file that is there already. Its hash is that of what is there.
    fn kept(&self, path: &Path, attr: &Attr, buffer: &mut [u8]) -> Result<Written, Failed> {
        let mut sum = Sum::new(self.hash);
        if self.hash {
            let mut file = File::open(path)?;
            loop {
                let read = file.read(buffer)?;
                if read == 0 {
                    break;
                }
                sum.add(buffer.get(..read).unwrap_or_default());
            }
        }
        Ok(sum.written(attr))
    }

    /// Reads all of a file piece by piece.
    pub(super) fn copy(
        &self,
        attr: &Attr,
        buffer: &mut [u8],
        sum: &mut Sum,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Failed> {
        let mut offset = 0;
        while offset < attr.size {
            let read = self.forest.read_at(attr.ino, offset, buffer)?;
            if read == 0 {
                return Err(Failed::Read(Error::corrupt(
                    "file",
                    format_args!("byte {offset}"),
                    format_args!("expected {} bytes, the content ends before", attr.size),
                )));
            }
            let bytes = buffer.get(..read).unwrap_or_default();
            sum.add(bytes);
            take(bytes)?;
            offset += read as u64;
        }
        Ok(())
    }
}

/// A hash under way, if it is wanted.
pub(super) struct Sum(Option<Sha256>);

impl Sum {
    pub(super) fn new(wanted: bool) -> Self {
        Self(wanted.then(Sha256::new))
    }

    fn add(&mut self, bytes: &[u8]) {
        if let Some(hash) = &mut self.0 {
            hash.update(bytes);
        }
    }

    pub(super) fn written(self, attr: &Attr) -> Written {
        Written {
            ino: attr.ino,
            size: attr.size,
            sha256: self.0.map(hexadecimal).unwrap_or_default(),
        }
    }
}

/// Makes a directory and those above it, unless it is there; returns whether it was.
pub(super) fn make_directory(path: &Path) -> io::Result<bool> {
    let made = match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(path),
        other => other,
    };
    match made {
        Err(error)
            if error.kind() == io::ErrorKind::AlreadyExists
                && path.symlink_metadata()?.is_dir() =>
        {
            Ok(true)
        }
        other => other.map(|()| false),
    }
}

/// Whether an earlier run has written this file: same size and time, as rsync judges it.
fn is_there(path: &Path, attr: &Attr) -> bool {
    path.symlink_metadata().is_ok_and(|present| {
        present.is_file()
            && present.len() == attr.size
            && present.modified().is_ok_and(|time| time == attr.mtime)
    })
}

fn set_times(file: &File, attr: &Attr) -> io::Result<()> {
    file.set_times(
        FileTimes::new()
            .set_modified(attr.mtime)
            .set_accessed(attr.mtime),
    )
}

/// Sets the times of a directory that is complete.
pub(super) fn set_directory_times(forest: &Forest, ino: Ino, path: &Path) -> Result<(), Failed> {
    let attr = forest.attr(ino)?;
    Ok(set_times(&File::open(path)?, &attr)?)
}
