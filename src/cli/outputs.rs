//! What a command may write to: never a file that it reads, whatever is asked for, and what is there already only if that is
//! asked for.
#![forbid(unsafe_code)]

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::new_file;
use super::report::Failure;
use crate::export::FileKey;
use crate::ndb;

/// What to do where something is there already.
const THERE: &str = "is there already; choose another name, or replace it by --force";
/// What to do where it is a file for Outlook, of which there may be no other copy.
const DATA_FILE: &str = "is an Outlook data file that is there already; behind the files to read, name a new file or directory";

/// The files that a run may write to.
pub(super) struct Outputs {
    /// Those that it may not, as it reads them.
    sources: Vec<FileKey>,
    /// Whether lists that are there are replaced.
    replaces: bool,
}

impl Outputs {
    /// Those of a run that reads `sources`, and `replaces` lists that are there or not.
    pub(super) fn new<'a>(
        sources: impl IntoIterator<Item = impl AsRef<Path> + 'a>,
        replaces: bool,
    ) -> Self {
        let sources = sources.into_iter();
        let keys = sources.filter_map(|source| fs::metadata(source).ok());
        Self {
            sources: keys.map(|source| FileKey::of(&source)).collect(),
            replaces,
        }
    }

    /// What is read, and never written to.
    pub(super) fn sources(&self) -> &[FileKey] {
        &self.sources
    }

    /// Fails unless the `lists` and the new file or directory `target` may be written to, before any of them is.
    pub(super) fn look_at_all<'a>(
        &self,
        mut lists: impl Iterator<Item = &'a PathBuf>,
        target: &Path,
    ) -> Result<(), Failure> {
        lists.try_for_each(|list| self.look_at_list(list))?;
        self.look_at_new(target)
    }

    /// Fails if what is at `path`, or what a link there leads to, is read by the run.
    pub(super) fn look_at(&self, path: &Path) -> Result<(), Failure> {
        let is_source = |there: Metadata| self.sources.contains(&FileKey::of(&there));
        match fs::metadata(path).is_ok_and(is_source) {
            true => Err(Failure::about(
                Exit::Usage,
                path,
                "is read by this command, and never written to; name another file or directory to write to",
            )),
            false => Ok(()),
        }
    }

    /// The same of a [`new_file::NewFile`] that will be `path`, with all that stands beside it meanwhile.
    pub(super) fn look_at_new(&self, path: &Path) -> Result<(), Failure> {
        self.look_at(path)?;
        let mut beside = new_file::all_beside(path).into_iter();
        beside.try_for_each(|path| self.look_at(&path))
    }

    /// The same of a list. One that is there needs leave to be replaced, unless it is empty or no file at all; a file for Outlook
    /// is never replaced by a list.
    fn look_at_list(&self, path: &Path) -> Result<(), Failure> {
        self.look_at(path)?;
        spare_data_file(path)?;
        let is_there = fs::metadata(path).is_ok_and(|there| there.is_file() && there.len() > 0);
        match is_there && !self.replaces {
            true => Err(Failure::about(Exit::Failure, path, THERE)),
            false => Ok(()),
        }
    }

    /// Opens the list that the user wants at `path`, emptied.
    pub(super) fn list(&self, path: &Path) -> Result<File, Failure> {
        self.look_at_list(path)?;
        File::create(path).map_err(|error| Failure::writing(path, &error))
    }

    /// Opens a list at `path` in the directory of an export: a new file, or that of an earlier export, emptied. A link must not
    /// lead the list elsewhere.
    pub(super) fn list_within(&self, path: &Path) -> Result<File, Failure> {
        self.look_at(path)?;
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .custom_flags(libc::O_NOFOLLOW)
            .open(path);
        opened.map_err(|error| Failure::writing(path, &error))
    }

    /// Opens a list at `path` that several runs share.
    pub(super) fn shared_list(&self, path: &Path) -> Result<File, Failure> {
        self.look_at(path)?;
        spare_data_file(path)?;
        let opened = OpenOptions::new().append(true).create(true).open(path);
        opened.map_err(|error| Failure::writing(path, &error))
    }
}

/// Fails if a file for Outlook is at `path`, for what cannot be one.
pub(super) fn spare_data_file(path: &Path) -> Result<(), Failure> {
    match ndb::is_data_file(path) {
        true => {
            let reason = "is an Outlook data file, and nothing else is written over it; name another file to write to";
            Err(Failure::about(Exit::Usage, path, reason))
        }
        false => Ok(()),
    }
}

/// Why nothing new can be at `path`, where something is; of a file for Outlook nobody is told how to lose it.
pub(super) fn is_there(path: &Path) -> Failure {
    let reason = match ndb::is_data_file(path) {
        true => DATA_FILE,
        false => THERE,
    };
    Failure::about(Exit::Failure, path, reason)
}

/// Whether standard output goes into the file at `path`, as by `>>`.
pub(super) fn is_standard_output(path: &Path) -> bool {
    let output = io::stdout().as_fd().try_clone_to_owned();
    let output = output.and_then(|output| File::from(output).metadata());
    output.is_ok_and(|output| {
        let is_it = |file: Metadata| FileKey::of(&file) == FileKey::of(&output);
        output.is_file() && fs::metadata(path).is_ok_and(is_it)
    })
}
