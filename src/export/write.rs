//! One file, link or directory on disk.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::fs::{self, File, FileTimes, Metadata, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, symlink};
use std::path::Path;

use super::hashes::{Algorithms, Hasher, Hashes};
use super::progress::{Failed, Progress};
use crate::error::Error;
use crate::tree::{Attr, Forest, Ino, Kind};

/// Bytes read and written at a time: what stays in the cache of a processor between the two.
pub(super) const CHUNK: usize = 256 << 10;

/// A file by whatever name: its device and inode number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileKey(u64, u64);

impl FileKey {
    /// Of the file with this metadata.
    pub fn of(file: &Metadata) -> Self {
        Self(file.dev(), file.ino())
    }
}

/// One file or link to write.
pub(super) struct Task<'a> {
    pub(super) forest: &'a Forest,
    pub(super) ino: Ino,
    pub(super) kind: Kind,
    /// None if it is only looked at.
    pub(super) path: Option<&'a Path>,
    /// An earlier export may have written it.
    pub(super) may_be_there: bool,
    /// What is never written to.
    pub(super) spared: &'a [FileKey],
    /// Hashes for which its bytes are read even if nothing is written.
    pub(super) algorithms: Algorithms,
    /// Bytes of it that the progress counts.
    pub(super) counted: Cell<u64>,
}

/// What was written.
pub(super) struct Written {
    /// The file, or the one that took its place.
    pub(super) ino: Ino,
    /// Bytes.
    pub(super) size: u64,
    /// Those that were asked for.
    pub(super) hashes: Hashes,
}

impl Task<'_> {
    /// Does it.
    pub(super) fn run(&self, buffer: &mut [u8], progress: &Progress) -> Result<Written, Failed> {
        if self.kind == Kind::Symlink {
            return self.link();
        }
        let attr = self.forest.attr(self.ino)?;
        let Some(path) = self.path else {
            return self.look(attr, self.algorithms, buffer, progress);
        };
        let present = match self.may_be_there {
            true => present(path)?,
            false => None,
        };
        let file = match present {
            None => create(path)?,
            Some(file) => {
                if let Some(kept) = self.kept(&file, attr, buffer, progress)? {
                    return Ok(kept);
                }
                self.overwrite(path)?
            }
        };
        self.file(file, path, attr, buffer, progress)
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
            hashes: Hashes::default(),
        })
    }

    fn file(
        &self,
        mut file: File,
        path: &Path,
        mut attr: Attr,
        buffer: &mut [u8],
        progress: &Progress,
    ) -> Result<Written, Failed> {
        let mut hasher = Hasher::new(self.algorithms);
        let mut copied = self.copy(&attr, buffer, &mut hasher, progress, |bytes| {
            (&file).write_all(bytes)
        });
        // A message in which an attachment turned out damaged has a file in its place that states it.
        if matches!(copied, Ok(()) | Err(Failed::Read(_)))
            && let Some(replacement) = self.forest.replacement(self.ino)
        {
            attr = self.forest.attr(replacement)?;
            file.set_len(0)?;
            file.rewind()?;
            hasher = Hasher::new(self.algorithms);
            copied = self.copy(&attr, buffer, &mut hasher, progress, |bytes| {
                (&file).write_all(bytes)
            });
        }
        let copied = copied.and_then(|()| Ok(set_times(&file, &attr)?));
        if let Err(error) = copied {
            self.count_anew(progress);
            // What is there is not the file; that it cannot be removed is no other failure than the one reported.
            fs::remove_file(path).ok();
            return Err(error);
        }
        Ok(Written::new(&attr, hasher))
    }

    /// The file as it would be written; read only if hashes are wanted.
    fn look(
        &self,
        mut attr: Attr,
        algorithms: Algorithms,
        buffer: &mut [u8],
        progress: &Progress,
    ) -> Result<Written, Failed> {
        let mut hasher = Hasher::new(algorithms);
        if algorithms.is_any() {
            let mut read = self.copy(&attr, buffer, &mut hasher, progress, |_| Ok(()));
            if let Some(replacement) = self.forest.replacement(self.ino) {
                attr = self.forest.attr(replacement)?;
                hasher = Hasher::new(algorithms);
                read = self.copy(&attr, buffer, &mut hasher, progress, |_| Ok(()));
            }
            read?;
        }
        Ok(Written::new(&attr, hasher))
    }

    /// `file`, which was there before, if its bytes are those of the store; None if they are others. That name, size and
    /// time are the same proves nothing.
    fn kept(
        &self,
        file: &File,
        attr: Attr,
        buffer: &mut [u8],
        progress: &Progress,
    ) -> Result<Option<Written>, Failed> {
        let algorithms = Algorithms {
            sha256: true,
            ..self.algorithms
        };
        let mut wanted = self.look(attr, algorithms, buffer, progress)?;
        if wanted.hashes.sha256 != hash_of(file, buffer, progress)? {
            return Ok(None);
        }
        set_times(file, &self.forest.attr(wanted.ino)?)?;
        Progress::add(&progress.kept, 1);
        if !self.algorithms.sha256 {
            wanted.hashes.sha256.clear();
        }
        Ok(Some(wanted))
    }

    /// The regular file at `path`, emptied. One that has other names besides is somebody else's, too.
    fn overwrite(&self, path: &Path) -> Result<File, Failed> {
        let file = OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path)?;
        let present = file.metadata()?;
        if !present.is_file() {
            return Err(Failed::NotAFile);
        }
        if self.spared.contains(&FileKey::of(&present)) {
            return Err(Failed::IsSource);
        }
        if present.nlink() > 1 {
            return Err(Failed::Linked);
        }
        file.set_len(0)?;
        Ok(file)
    }

    /// Takes back what the progress counts of it: it is read once more, or nothing of it is there.
    fn count_anew(&self, progress: &Progress) {
        Progress::take_back(&progress.bytes, self.counted.take());
    }

    /// Reads all of a file piece by piece.
    pub(super) fn copy(
        &self,
        attr: &Attr,
        buffer: &mut [u8],
        hasher: &mut Hasher,
        progress: &Progress,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Failed> {
        self.count_anew(progress);
        let mut offset = 0;
        while offset < attr.size {
            if progress.is_abandoned() {
                return Err(Failed::Abandoned);
            }
            let read = self.forest.read_at(attr.ino, offset, buffer)?;
            if read == 0 {
                return Err(Failed::Read(Error::corrupt(
                    "file",
                    format_args!("byte {offset}"),
                    format_args!("expected {} bytes, the content ends before", attr.size),
                )));
            }
            let bytes = buffer.get(..read).unwrap_or_default();
            hasher.update(bytes);
            take(bytes)?;
            if self.path.is_some() {
                Progress::add(&progress.bytes, bytes.len() as u64);
                self.counted.update(|counted| counted + bytes.len() as u64);
            }
            offset += read as u64;
        }
        Ok(())
    }
}

impl Written {
    /// The file with these attributes, of which `hasher` got all bytes.
    pub(super) fn new(attr: &Attr, hasher: Hasher) -> Self {
        Self {
            ino: attr.ino,
            size: attr.size,
            hashes: hasher.finish(),
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

/// A new file. Whatever has the name already stays what it is: a link must not lead the bytes elsewhere, and where the target
/// takes two names for one, the second must not overwrite the first.
fn create(path: &Path) -> Result<File, Failed> {
    match File::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Failed::Taken),
        other => Ok(other?),
    }
}

/// The regular file at `path`, to be read; None if nothing is there. To open anything else could wait for ever, or do things.
fn present(path: &Path) -> Result<Option<File>, Failed> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(present) if !present.is_file() => return Err(Failed::NotAFile),
        other => other?,
    };
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    Ok(Some(file))
}

/// SHA-256 of all that `file` has, in hexadecimal.
fn hash_of(mut file: &File, buffer: &mut [u8], progress: &Progress) -> Result<String, Failed> {
    let mut hasher = Hasher::new(Algorithms::SHA256);
    loop {
        if progress.is_abandoned() {
            return Err(Failed::Abandoned);
        }
        let read = file.read(buffer)?;
        if read == 0 {
            return Ok(hasher.finish().sha256);
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
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

/// Gives the root of an export the time of the tree once more: files were added beside those of the tree.
pub fn renew_root_time(forest: &Forest, target: &Path) {
    // That it cannot be set is told of the first time.
    set_directory_times(forest, Ino::ROOT, target).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_takes_the_place_of_nothing() {
        let scratch = tempfile::tempdir().unwrap();
        let taken = scratch.path().join("taken");
        fs::write(&taken, "first").unwrap();
        assert!(matches!(create(&taken), Err(Failed::Taken)));
        let dangling = scratch.path().join("dangling");
        symlink(scratch.path().join("elsewhere"), &dangling).unwrap();
        assert!(matches!(create(&dangling), Err(Failed::Taken)));
        assert!(!scratch.path().join("elsewhere").exists());
        assert_eq!(fs::read_to_string(&taken).unwrap(), "first");
    }
}
