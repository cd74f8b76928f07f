//! A file that gets its name when it is whole: written under another one beside it, for nobody else to read.
#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::process::geteuid;

use crate::output::shown;
use crate::pst::Journal;

/// Permissions of the new file: mail is private.
const MODE: u32 = 0o600;
/// Permissions that nobody but the owner has.
const OF_OTHERS: u32 = 0o077;

/// A file on its way to its name. Dropped before that, it is removed, unless a journal makes it of use.
#[derive(Debug)]
pub(super) struct NewFile {
    target: PathBuf,
    temporary: PathBuf,
    directory: File,
    file: Option<File>,
    replaces: bool,
}

/// A file without its name, and the journal that makes it of use once it is there.
struct Unfinished {
    temporary: PathBuf,
    journal: Option<PathBuf>,
}

/// The files of this process that have no name yet: a signal ends a process without dropping them.
static UNFINISHED: Mutex<Vec<Unfinished>> = Mutex::new(Vec::new());

/// Whether something is left of the files that have no name yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// One that can be gone on with.
    Something,
    Nothing,
}

/// Removes all files that have no name yet, but those that can be gone on with.
pub(super) fn remove_unfinished() -> Left {
    let mut left = Left::Nothing;
    for unfinished in UNFINISHED.lock().drain(..) {
        if unfinished.leave() == Left::Something {
            left = Left::Something;
        }
    }
    left
}

impl Unfinished {
    fn leave(&self) -> Left {
        if self
            .journal
            .as_ref()
            .is_some_and(|journal| journal.exists())
        {
            return Left::Something;
        }
        // Nobody can be told here, and its name shows what it is.
        fs::remove_file(&self.temporary).ok();
        Left::Nothing
    }
}

/// The directory that has `target`.
pub(super) fn directory_of(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The hidden file beside `target` that has `what` at the end of its name.
fn beside(target: &Path, what: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(what);
    directory_of(target).join(name)
}

/// What is at the end of the name of a file that is not whole, and of how far it is.
const PART: &str = ".part";
const JOURNAL: &str = ".journal";

/// Where it is kept how far the file that will be `target` is.
pub(super) fn journal(target: &Path) -> PathBuf {
    beside(target, JOURNAL)
}

/// The name that a file of the name `hidden` is to get, if that is one on its way.
pub(super) fn to_become(hidden: &OsStr) -> Option<&OsStr> {
    let name = hidden.as_bytes().strip_prefix(b".")?;
    Some(OsStr::from_bytes(name.strip_suffix(PART.as_bytes())?))
}

/// All files beside `target` that are written to before it is there.
pub(super) fn all_beside(target: &Path) -> [PathBuf; 3] {
    let journal = journal(target);
    let next = Journal::next(&journal);
    [beside(target, PART), journal, next]
}

impl NewFile {
    /// What an earlier export has begun to be `target`, which nobody else can go on with as long as this is held, and which is removed
    /// when it is dropped. None if there is nothing, or nothing that this user has begun.
    pub fn left(target: &Path) -> io::Result<Option<Self>> {
        let temporary = beside(target, PART);
        let left = reopen(&temporary).ok();
        left.map(|left| Self::new(target, temporary, left, false))
            .transpose()
    }

    /// Begins a file that will be `target`, and takes the place of another one if it `replaces` that. What a crash has left
    /// of an earlier one is removed.
    pub fn create(target: &Path, replaces: bool) -> io::Result<Self> {
        let temporary = beside(target, PART);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(MODE);
        let file = match options.open(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if let Ok(left) = reopen(&temporary) {
                    lock(&left)?;
                }
                fs::remove_file(&temporary)?;
                options.open(&temporary)?
            }
            opened => opened?,
        };
        Self::new(target, temporary, file, replaces)
    }

    /// Goes on with the file that was begun to be `target`.
    pub fn resume(target: &Path, replaces: bool) -> io::Result<Self> {
        let temporary = beside(target, PART);
        let file = reopen(&temporary).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::other(format!(
                "{} is not there any more; begin anew without --resume",
                shown(&temporary)
            )),
            _ => error,
        })?;
        Self::new(target, temporary, file, replaces)
    }

    fn new(target: &Path, temporary: PathBuf, file: File, replaces: bool) -> io::Result<Self> {
        lock(&file)?;
        let new = Self {
            target: target.to_path_buf(),
            temporary,
            directory: File::open(directory_of(target))?,
            file: Some(file),
            replaces,
        };
        UNFINISHED.lock().push(Unfinished {
            temporary: new.temporary.clone(),
            journal: None,
        });
        Ok(new)
    }

    /// Has it stay where it is if it gets no name, once there is a `journal` by which an export goes on with it.
    pub fn goes_on_by(&mut self, journal: PathBuf) {
        let mut unfinished = UNFINISHED.lock();
        let own = unfinished
            .iter_mut()
            .find(|file| file.temporary == self.temporary);
        if let Some(own) = own {
            own.journal = Some(journal);
        }
    }

    /// The file, once, and a handle to read it by afterwards.
    pub fn take(&mut self) -> io::Result<(File, File)> {
        let file = self.file.take().ok_or(io::ErrorKind::NotFound)?;
        let again = file.try_clone()?;
        Ok((file, again))
    }

    /// Gives it its name; that is on disk when this returns.
    pub fn publish(self) -> io::Result<()> {
        match self.replaces {
            true => fs::rename(&self.temporary, &self.target)?,
            false => renameat_with(
                CWD,
                &self.temporary,
                CWD,
                &self.target,
                RenameFlags::NOREPLACE,
            )?,
        }
        self.take_from_unfinished();
        self.directory.sync_all()
    }

    fn take_from_unfinished(&self) -> Option<Unfinished> {
        let mut unfinished = UNFINISHED.lock();
        let own = unfinished
            .iter()
            .position(|file| file.temporary == self.temporary)?;
        Some(unfinished.swap_remove(own))
    }
}

/// Bytes of the file that was begun to be `target`, if there is one.
pub(super) fn begun(target: &Path) -> Option<u64> {
    let metadata = fs::symlink_metadata(beside(target, PART));
    Some(metadata.ok()?.len())
}

/// Opens a file that this user has begun, and nobody else can have written to.
fn reopen(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOFOLLOW);
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    let is_own = metadata.uid() == geteuid().as_raw();
    if !metadata.is_file() || !is_own || metadata.mode() & OF_OTHERS != 0 {
        return Err(io::Error::other(format!(
            "{} is not a file that ostfs has begun for this user; remove it",
            shown(path)
        )));
    }
    Ok(file)
}

/// Keeps others from writing to `file`. A file system without locks does without.
fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(io::Error::other(
            "another ostfs is writing it; wait until that is done",
        )),
        _ => Ok(()),
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(unfinished) = self.take_from_unfinished() {
            unfinished.leave();
        }
    }
}
