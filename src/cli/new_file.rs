//! A file that gets its name when it is whole: written under another one beside it, for nobody else to read.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::rename::rename_new;

/// Permissions of the new file: mail is private.
const MODE: u32 = 0o600;

/// A file on its way to its name. Dropped before that, it is removed.
#[derive(Debug)]
pub(super) struct NewFile {
    target: PathBuf,
    temporary: PathBuf,
    directory: File,
    file: Option<File>,
    replaces: bool,
}

/// The directory that has `target`.
pub(super) fn directory_of(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

impl NewFile {
    /// Begins a file that will be `target`, and takes the place of another one if it `replaces` that.
    pub fn create(target: &Path, replaces: bool) -> io::Result<Self> {
        let mut name = OsString::from(".");
        name.push(target.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        name.push(format!(".{}.part", std::process::id()));
        let parent = directory_of(target);
        let directory = File::open(parent)?;
        let temporary = parent.join(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(&temporary)?;
        Ok(Self {
            target: target.to_path_buf(),
            temporary,
            directory,
            file: Some(file),
            replaces,
        })
    }

    /// The file, once, and a handle to read it by afterwards.
    pub fn take(&mut self) -> io::Result<(File, File)> {
        let file = self.file.take().ok_or(io::ErrorKind::NotFound)?;
        let again = file.try_clone()?;
        Ok((file, again))
    }

    /// Gives it its name; that is on disk when this returns.
    pub fn publish(mut self) -> io::Result<()> {
        match self.replaces {
            true => fs::rename(&self.temporary, &self.target)?,
            false => rename_new(&self.temporary, &self.target)?,
        }
        self.temporary = PathBuf::new();
        self.directory.sync_all()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.temporary.as_os_str().is_empty() {
            // Nobody can be told here, and it says by its name what it is.
            fs::remove_file(&self.temporary).ok();
        }
    }
}
